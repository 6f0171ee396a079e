//! A feed as found → well-formed RSS 2.0 that feed-rs and feedparser-rs read alike.
//!
//! RSS, RDF, Atom and CDF all come out as one dialect: RSS 2.0 with the `content`, `dc` and `atom` modules, the one in
//! which feed-rs reads everything that we want. Names are made canonical, texts become escaped HTML, dates RFC 3339,
//! addresses absolute; what nobody reads is dropped, because some of it makes feed-rs panic or refuse the whole feed.
//! What feed-rs has no place for travels as `<category domain="newsfold:…">`.
//!
//! Never judges what a feed says, never recurses: an element's depth is a number, not a stack frame.

mod base64;
mod extent;
mod fields;
mod names;
mod scope;

use std::borrow::Cow;

use url::Url;

use self::names::Prefix;
use self::scope::Scope;
use super::growth::Growth;
use super::vocabulary::{Family, Field, of_feed, of_item};
use super::{FeedKind, Options};
use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// The categories by which the rewrite tells what RSS has no element for.
pub const NOTE: &str = "newsfold:";
pub const NOTE_LANGUAGE: &str = "newsfold:language";
pub const NOTE_IMAGE: &str = "newsfold:image";
pub const NOTE_ID: &str = "newsfold:id";
pub const NOTE_AUTHOR: &str = "newsfold:author";
pub const NOTE_SKIP_HOUR: &str = "newsfold:skip-hour";
pub const NOTE_SKIP_DAY: &str = "newsfold:skip-day";
pub const NOTE_UPDATE_PERIOD: &str = "newsfold:update-period";
pub const NOTE_UPDATE_FREQUENCY: &str = "newsfold:update-frequency";

/// A rewritten feed.
pub struct Rewritten {
    pub kind: FeedKind,
    pub xml: String,
    pub items: usize,
}

/// Rewrites a feed; none if the text has no feed's root element.
pub fn rewrite(text: &str, base: &Url, options: &Options, problems: &mut Vec<FeedProblem>) -> Option<Rewritten> {
    let mut rewriter = Rewriter {
        tokens: Tokenizer::new(text),
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
        growth: Growth::of(text),
    };
    rewriter.run();
    let kind = rewriter.kind?;
    rewriter.out.shrink_to_fit();
    Some(Rewritten { kind, xml: rewriter.out, items: rewriter.items })
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
"#;

struct Rewriter<'a, 'o> {
    tokens: Tokenizer<'a>,
    text: &'a str,
    /// A token that closed a text by standing where it cannot.
    pending: Option<MarkupToken<'a>>,
    options: &'o Options,
    problems: &'o mut Vec<FeedProblem>,
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
    growth: Growth,
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

impl<'a> Rewriter<'a, '_> {
    fn run(&mut self) {
        while let Some(token) = self.pending.take().or_else(|| self.tokens.next()) {
            match token {
                MarkupToken::Start(tag) => self.start(tag),
                MarkupToken::End(name) => self.end(name),
                MarkupToken::Text(text) | MarkupToken::CData(text) => self.stray(text),
                MarkupToken::Other => {}
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
        match self.problems.iter_mut().find(|problem| problem.kind == kind) {
            // Hostile documents have millions: only the first is worth its text.
            Some(known) => known.count = known.count.saturating_add(1),
            None => self.problems.push(FeedProblem::new(kind, &detail[..detail.floor_char_boundary(1024)])),
        }
    }

    /// Text between elements: white space, or junk around the root.
    fn stray(&mut self, text: &str) {
        if (self.kind.is_none() || self.ended) && !text.trim().is_empty() {
            self.note(ProblemKind::Junk, text);
        }
    }

    fn start(&mut self, tag: StartTag<'a>) {
        let (prefix, local) = tag.name.rsplit_once(':').unwrap_or(("", tag.name));
        if self.kind.is_none() {
            return self.root(tag, local);
        }
        let local = lower(local);
        if self.is_item(tag, prefix, &local) {
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

    fn root(&mut self, tag: StartTag<'a>, local: &'a str) {
        let kind = match &*lower(local) {
            "rss" | "channel" => FeedKind::Rss,
            "rdf" => FeedKind::Rdf,
            "feed" => FeedKind::Atom,
            // RFC 4287 §2: an entry alone is a document too.
            "entry" => {
                self.begin(FeedKind::Atom);
                return self.open_item(tag);
            }
            _ => return,
        };
        if tag.name.chars().any(char::is_uppercase) && kind != FeedKind::Rdf {
            self.note(ProblemKind::NotWellFormed, tag.name);
        }
        self.begin(kind);
        self.declare(tag);
        self.feed_attributes(tag);
        self.push(tag, Part::Read);
        if tag.self_closing {
            self.ended = true;
        }
    }

    fn begin(&mut self, kind: FeedKind) {
        self.kind = Some(kind);
        self.out.push_str(HEAD);
    }

    fn push(&mut self, tag: StartTag<'a>, part: Part) {
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

    /// An item begins, whatever was left open before it.
    fn open_item(&mut self, tag: StartTag<'a>) {
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
            self.close_to(self.options.max_depth.min(1));
        }
        self.declare(tag);
        if self.items >= self.options.max_items {
            self.note(ProblemKind::TooManyItems, "the rest was left out");
            return self.push(tag, Part::Skipped);
        }
        self.items += 1;
        self.out.push_str("<item>");
        self.feed = Some(std::mem::replace(&mut self.scope, Scope::item(tag)));
        let base = self.base_of(tag);
        self.open.push(Open { name: tag.name, part: Part::Item, base });
        if let Some(language) = tag.attribute("xml:lang") {
            self.language(1, &language);
        }
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
        item.finish(&mut self.out, &mut self.growth);
        self.out.push_str("</item>\n");
    }

    /// What a root or channel says in its attributes.
    fn feed_attributes(&mut self, tag: StartTag) {
        if let Some(language) = tag.attribute("xml:lang") {
            self.language(1, &language);
        }
        if let Some(date) = tag.attribute("lastmod") {
            self.date(Field::Updated, 1, &date);
        }
        if let Some(url) = tag.attribute("href").and_then(|href| self.address(tag, &href)) {
            self.element("link", url.as_str());
        }
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests;
