//! A feed as found → well-formed RSS 2.0 that feed-rs and feedparser-rs read alike.
//!
//! RSS, RDF, Atom and CDF all come out as one dialect: RSS 2.0 with the `content`, `dc` and `atom` modules, the one in
//! which feed-rs reads everything that we want. Names are made canonical, texts become escaped HTML, dates RFC 3339,
//! addresses absolute; what nobody reads is dropped, because some of it makes feed-rs panic or refuse the whole feed.
//! What feed-rs has no place for travels as `<category domain="newsfold:…">`.
//!
//! Never judges what a feed says, never recurses: an element's depth is a number, not a stack frame.

mod fields;
mod scope;

use std::borrow::Cow;

use url::Url;

use self::scope::Scope;
use super::markup::{Tag, Token, Tokens, decode_entities};
use super::vocabulary::{Family, Field, family_of_prefix, family_of_uri, of_feed, of_item};
use super::{FeedKind, Options};
use crate::model::{Problem, ProblemKind};

/// The categories by which the rewrite tells what RSS has no element for.
pub const NOTE: &str = "newsfold:";
pub const NOTE_LANGUAGE: &str = "newsfold:language";
pub const NOTE_IMAGE: &str = "newsfold:image";
pub const NOTE_SKIP_HOUR: &str = "newsfold:skip-hour";
pub const NOTE_SKIP_DAY: &str = "newsfold:skip-day";

/// A rewritten feed.
pub struct Rewritten {
    pub kind: FeedKind,
    pub xml: String,
    pub items: usize,
}

/// Rewrites a feed; none if the text has no feed's root element.
pub fn rewrite(text: &str, base: &Url, options: &Options, problems: &mut Vec<Problem>) -> Option<Rewritten> {
    let mut rewriter = Rewriter {
        tokens: Tokens::new(text),
        text,
        pending: None,
        options,
        problems,
        open: Vec::new(),
        too_deep: 0,
        prefixes: Vec::new(),
        out: String::with_capacity(text.len().min(1 << 20)),
        kind: None,
        ended: false,
        scope: Scope::feed(),
        feed: None,
        items: 0,
        base,
    };
    rewriter.run();
    let kind = rewriter.kind?;
    Some(Rewritten { kind, xml: rewriter.out, items: rewriter.items })
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
"#;

/// Bindings of prefixes in force at one time; more are not looked at.
const MAX_PREFIXES: usize = 64;
/// Longer addresses are dropped: no browser opens them.
const MAX_URL: usize = 8 * 1024;
/// A longer `xml:base` would grow with every level that adds to it.
const MAX_BASE: usize = 2 * 1024;

struct Rewriter<'a, 'o> {
    tokens: Tokens<'a>,
    text: &'a str,
    /// A token that closed a text by standing where it cannot.
    pending: Option<Token<'a>>,
    options: &'o Options,
    problems: &'o mut Vec<Problem>,
    open: Vec<Open<'a>>,
    /// Elements open beyond the depth limit.
    too_deep: usize,
    prefixes: Vec<Prefix<'a>>,
    out: String,
    kind: Option<FeedKind>,
    /// The root was closed.
    ended: bool,
    /// What was said so far of the item that is open, or else of the feed.
    scope: Scope,
    /// The feed's scope, while an item is open.
    feed: Option<Scope>,
    items: usize,
    base: &'o Url,
}

struct Open<'a> {
    name: &'a str,
    part: Part,
    base: Option<Url>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Its children are read: root, channel, wrapper.
    Read,
    Item,
    Skipped,
}

struct Prefix<'a> {
    name: &'a str,
    family: Family,
    depth: usize,
}

impl<'a> Rewriter<'a, '_> {
    fn run(&mut self) {
        while let Some(token) = self.pending.take().or_else(|| self.tokens.next()) {
            match token {
                Token::Start(tag) => self.start(tag),
                Token::End(name) => self.end(name),
                Token::Text(text) | Token::CData(text) => self.stray(text),
                Token::Other => {}
            }
        }
        if self.kind.is_none() {
            return;
        }
        if !self.ended || self.tokens.truncated {
            self.note(ProblemKind::Truncated, "the root is not closed");
        }
        if self.tokens.malformed {
            self.note(ProblemKind::NotWellFormed, "markup that is none");
        }
        self.close_item();
        self.out.push_str("</channel></rss>\n");
    }

    fn note(&mut self, kind: ProblemKind, detail: &str) {
        Problem::note(self.problems, Problem::new(kind, detail));
    }

    /// Text between elements: white space, or junk around the root.
    fn stray(&mut self, text: &str) {
        if (self.kind.is_none() || self.ended) && !text.trim().is_empty() {
            self.note(ProblemKind::Junk, text);
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        let (prefix, local) = tag.name.rsplit_once(':').unwrap_or(("", tag.name));
        if self.kind.is_none() {
            return self.root(tag, prefix, local);
        }
        let local = lower(local);
        if self.is_item(prefix, &local) {
            if !tag.self_closing || tag.attribute("href").is_some() {
                self.open_item(tag);
            }
            return;
        }
        if self.open.len() >= self.options.max_depth {
            if self.too_deep == 0 {
                self.note(ProblemKind::TooDeep, tag.name);
            }
            self.too_deep += usize::from(!tag.self_closing);
            return;
        }
        if self.open.last().is_some_and(|parent| parent.part == Part::Skipped) {
            return self.push(tag, Part::Skipped);
        }
        self.declare(tag);
        let family = self.family(prefix);
        let is_channel = family == Family::Core && matches!(&*local, "channel" | "feed" | "rss");
        if is_channel {
            self.feed_attributes(tag);
            return self.push(tag, Part::Read);
        }
        let field = if self.feed.is_some() { of_item(family, &local) } else { of_feed(family, &local) };
        match field {
            Some((Field::Wrapper, _)) => self.push(tag, Part::Read),
            Some((Field::Media, _)) => {
                self.media(tag);
                self.push(tag, Part::Read);
            }
            Some((field, rank)) => self.field(tag, field, rank),
            None => self.push(tag, Part::Skipped),
        }
    }

    fn root(&mut self, tag: Tag<'a>, prefix: &str, local: &'a str) {
        let kind = match &*lower(local) {
            "rss" | "channel" => FeedKind::Rss,
            "rdf" if prefix.eq_ignore_ascii_case("rdf") || !prefix.is_empty() => FeedKind::Rdf,
            "feed" => FeedKind::Atom,
            _ => return,
        };
        if tag.name.chars().any(char::is_uppercase) && kind != FeedKind::Rdf {
            self.note(ProblemKind::NotWellFormed, tag.name);
        }
        self.kind = Some(kind);
        self.out.push_str(HEAD);
        self.declare(tag);
        self.feed_attributes(tag);
        self.push(tag, Part::Read);
        if tag.self_closing {
            self.ended = true;
        }
    }

    fn push(&mut self, tag: Tag<'a>, part: Part) {
        if tag.self_closing {
            return;
        }
        let base = if part == Part::Skipped { None } else { self.base_of(tag) };
        self.open.push(Open { name: tag.name, part, base });
    }

    fn end(&mut self, name: &str) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let Some(at) = self.open.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) else {
            self.note(ProblemKind::NotWellFormed, name);
            return;
        };
        if at + 1 < self.open.len() {
            self.note(ProblemKind::NotWellFormed, name);
        }
        self.close_to(at);
        self.ended |= self.open.is_empty();
    }

    /// Closes everything from this depth on.
    fn close_to(&mut self, depth: usize) {
        if self.open[depth.min(self.open.len())..].iter().any(|open| open.part == Part::Item) {
            self.close_item();
        }
        self.open.truncate(depth);
        self.prefixes.retain(|prefix| prefix.depth <= depth);
    }

    fn is_item(&self, prefix: &str, local: &str) -> bool {
        let name = matches!((self.kind, local), (Some(FeedKind::Atom), "entry") | (Some(_), "item"));
        name && self.family(prefix) == Family::Core
    }

    /// An item begins, whatever was left open before it.
    fn open_item(&mut self, tag: Tag<'a>) {
        self.too_deep = 0;
        if let Some(at) = self.open.iter().position(|open| open.part == Part::Item) {
            self.note(ProblemKind::NotWellFormed, tag.name);
            self.close_to(at);
        }
        while self.open.last().is_some_and(|open| open.part == Part::Skipped) {
            self.note(ProblemKind::NotWellFormed, tag.name);
            self.open.pop();
        }
        if self.open.len() >= self.options.max_depth.max(1) {
            self.close_to(1);
        }
        self.declare(tag);
        if self.items >= self.options.max_items {
            self.note(ProblemKind::TooManyItems, &format!("more than {}", self.options.max_items));
            return self.push(tag, Part::Skipped);
        }
        self.items += 1;
        self.out.push_str("<item>");
        self.feed = Some(std::mem::replace(&mut self.scope, Scope::item(tag)));
        let base = self.base_of(tag);
        self.open.push(Open { name: tag.name, part: Part::Item, base });
        if let Some(href) = tag.attribute("href") {
            self.offer_link(tag, &href, 2);
        }
        if let Some(date) = tag.attribute("lastmod") {
            self.date(Field::Updated, 1, &date);
        }
        if tag.self_closing {
            self.close_to(self.open.len() - 1);
        }
    }

    fn close_item(&mut self) {
        let Some(feed) = self.feed.take() else { return };
        let item = std::mem::replace(&mut self.scope, feed);
        item.finish(&mut self.out, self.base);
        self.out.push_str("</item>\n");
    }

    /// Remembers the prefixes that a tag declares.
    fn declare(&mut self, tag: Tag<'a>) {
        if !tag.rest.contains("xmlns") {
            return;
        }
        for (name, value) in tag.attributes() {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(prefix) if prefix.starts_with(':') => &prefix[1..],
                _ => continue,
            };
            let mut family = family_of_uri(&decode_entities(value));
            // A default namespace that nobody knows is a feed's own way to say RSS.
            if prefix.is_empty() && family == Family::Other {
                family = Family::Core;
            }
            if self.prefixes.len() < MAX_PREFIXES {
                // A self-closing tag's bindings end with it, and so with the next element that closes at this depth.
                self.prefixes.push(Prefix { name: prefix, family, depth: self.open.len() + 1 });
            }
        }
    }

    fn family(&self, prefix: &str) -> Family {
        let declared = self.prefixes.iter().rev().find(|known| known.name == prefix).map(|known| known.family);
        declared.unwrap_or_else(|| family_of_prefix(prefix))
    }

    /// The base that a tag sets for what is in it, if it sets one.
    fn base_of(&self, tag: Tag) -> Option<Url> {
        let declared = tag.rest.contains("xml:base").then(|| tag.attribute("xml:base")).flatten()?;
        let base = self.current_base().join(declared.trim()).ok()?;
        Some(base).filter(|base| matches!(base.scheme(), "http" | "https") && base.as_str().len() <= MAX_BASE)
    }

    fn current_base(&self) -> &Url {
        self.open.iter().rev().find_map(|open| open.base.as_ref()).unwrap_or(self.base)
    }

    /// An absolute address of the web, or none, with a problem noted.
    fn address(&mut self, tag: Tag, href: &str) -> Option<Url> {
        let href = href.trim();
        if href.is_empty() {
            return None;
        }
        let base = self.base_of(tag);
        let url = base.as_ref().unwrap_or(self.current_base()).join(href).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_URL);
        if url.is_none() {
            self.note(ProblemKind::BadLink, href);
        }
        url
    }

    /// Finds where the text of an element ends and leaves the tokens there. Says also whether elements are in it.
    fn extent(&mut self, tag: Tag<'a>, field: Field) -> (&'a str, bool) {
        let start = self.tokens.position();
        let (mut depth, mut has_elements) = (0usize, false);
        if tag.self_closing {
            return ("", false);
        }
        loop {
            let end = self.tokens.position();
            let inner = &self.text[start..end];
            let Some(token) = self.tokens.next() else { return (inner, has_elements) };
            match token {
                Token::End(name) if name.eq_ignore_ascii_case(tag.name) => {
                    if depth == 0 {
                        return (inner, has_elements);
                    }
                    depth -= 1;
                }
                Token::End(name) if self.closes_parent(name) => {
                    self.note(ProblemKind::NotWellFormed, tag.name);
                    self.pending = Some(token);
                    return (inner, has_elements);
                }
                Token::Start(child) if self.cannot_stand_in(child, field) => {
                    self.note(ProblemKind::NotWellFormed, tag.name);
                    self.pending = Some(token);
                    return (inner, has_elements);
                }
                Token::Start(child) => {
                    has_elements = true;
                    let same = child.name.eq_ignore_ascii_case(tag.name);
                    depth += usize::from(same && !child.self_closing);
                }
                _ => {}
            }
        }
    }

    fn closes_parent(&self, name: &str) -> bool {
        // Only the innermost few are looked at: an item, its wrapper, the channel and the root.
        self.open.iter().rev().take(4).any(|open| open.name.eq_ignore_ascii_case(name))
    }

    /// Whether an element that begins within a text shows that the text was never closed.
    fn cannot_stand_in(&self, child: Tag, field: Field) -> bool {
        let (prefix, local) = child.name.rsplit_once(':').unwrap_or(("", child.name));
        let local = lower(local);
        if self.is_item(prefix, &local) {
            return true;
        }
        let family = self.family(prefix);
        let known = if self.feed.is_some() { of_item(family, &local) } else { of_feed(family, &local) };
        match known {
            Some(_) if family == Family::Xhtml => false,
            Some((inner, _)) if field.is_long() => {
                matches!(inner, Field::Guid | Field::Published | Field::Enclosure | Field::Origin)
            }
            known => known.is_some(),
        }
    }

    /// What a root or channel says in its attributes.
    fn feed_attributes(&mut self, tag: Tag) {
        if let Some(language) = tag.attribute("xml:lang") {
            self.language(1, &language);
        }
        if let Some(url) = tag.attribute("href").and_then(|href| self.address(tag, &href)) {
            self.element("link", url.as_str());
        }
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}
