//! Rewrites a feed into well-formed RSS 2.0 that feed-rs reads completely.
//!
//! RSS, RDF, Atom and CDF all become RSS 2.0 with the modules `content`, `dc` and `atom`, the dialect in which feed-rs
//! reads every field that newsfold needs. Element names become canonical, texts escaped HTML, dates RFC 3339 and URLs
//! absolute. All other elements are dropped, because some make feed-rs panic or refuse the whole feed. Values that RSS
//! has no element for become [annotations](super::annotations).
//!
//! Never validates a value and never recurses: the depth of an element is a number, not a stack frame.

mod base64;
mod base_urls;
mod byline;
mod element_text;
mod fields;
mod item_builder;
mod namespaces;
mod rss_writer;

use url::Url;

use self::base_urls::UrlResolver;
use self::element_text::{ElementText, read_element_text};
use self::fields::FieldWriter;
use self::rss_writer::RssWriter;
use super::element_map::{FeedField, FeedNamespace};
use super::options::Options;
use super::parsed_feed::FeedKind;
use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// The most that is reserved for the output in advance.
const MAX_INITIAL_CAPACITY: usize = 1024 * 1024;

/// A feed as RSS 2.0.
pub struct RewrittenFeed {
    /// The format of the original document.
    pub kind: FeedKind,
    pub xml: String,
    pub item_count: usize,
}

/// Rewrites a feed. Returns `None` if the text has no root element of a feed.
pub fn rewrite_feed(
    text: &str,
    document_url: &Url,
    options: &Options,
    problems: &mut Vec<FeedProblem>,
) -> Option<RewrittenFeed> {
    let mut tokens = Tokenizer::new(text);
    let (root, kind) = find_root(&mut tokens, problems)?;
    let urls = UrlResolver::new(document_url, text);
    let output = RssWriter::new(text.len().min(MAX_INITIAL_CAPACITY));
    let mut rewriter = FeedRewriter {
        tokens,
        pending: None,
        options,
        open: Vec::new(),
        excess_depth: 0,
        is_root_closed: false,
        item_count: 0,
        fields: FieldWriter::new(kind, options, problems, urls, output),
    };
    rewriter.open_root(root, kind);
    rewriter.rewrite_elements();
    Some(RewrittenFeed { kind, xml: rewriter.fields.finish(), item_count: rewriter.item_count })
}

/// The first element that can be the root of a feed, and the format that it stands for.
fn find_root<'a>(tokens: &mut Tokenizer<'a>, problems: &mut Vec<FeedProblem>) -> Option<(StartTag<'a>, FeedKind)> {
    for token in tokens {
        match token {
            MarkupToken::Start(tag) => {
                let local = tag.name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
                match local.as_str() {
                    "rss" | "channel" => return Some((tag, FeedKind::Rss)),
                    "rdf" => return Some((tag, FeedKind::Rdf)),
                    // RFC 4287 §2: an entry alone is a document too.
                    "feed" | "entry" => return Some((tag, FeedKind::Atom)),
                    _ => {}
                }
            }
            MarkupToken::End(name) => FeedProblem::record(problems, ProblemKind::NotWellFormed, name),
            MarkupToken::Text(text) | MarkupToken::CData(text) if !text.trim().is_empty() => {
                FeedProblem::record(problems, ProblemKind::Junk, text);
            }
            _ => {}
        }
    }
    None
}

struct FeedRewriter<'a, 'o> {
    tokens: Tokenizer<'a>,
    /// The token that ended the text of an element without an end tag. It is read next.
    pending: Option<MarkupToken<'a>>,
    options: &'o Options,
    open: Vec<OpenElement<'a>>,
    /// The number of open elements beyond the depth limit.
    excess_depth: usize,
    is_root_closed: bool,
    item_count: usize,
    fields: FieldWriter<'a, 'o>,
}

struct OpenElement<'a> {
    name: &'a str,
    role: ElementRole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ElementRole {
    /// Its children are read: the root, a channel, a wrapper.
    Container,
    Item,
    Skipped,
}

impl<'a> FeedRewriter<'a, '_> {
    fn open_root(&mut self, tag: StartTag<'a>, kind: FeedKind) {
        let local = tag.name.rsplit(':').next().unwrap_or_default();
        if local.eq_ignore_ascii_case("entry") {
            return self.open_item(tag);
        }
        if kind != FeedKind::Rdf && tag.name.chars().any(char::is_uppercase) {
            self.record(ProblemKind::NotWellFormed, tag.name);
        }
        self.declare_namespaces(tag);
        self.fields.write_attributes(tag);
        self.push(tag, ElementRole::Container);
        self.is_root_closed = tag.self_closing;
    }

    fn rewrite_elements(&mut self) {
        while let Some(token) = self.pending.take().or_else(|| self.tokens.next()) {
            match token {
                MarkupToken::Start(tag) => self.start(tag),
                MarkupToken::End(name) => self.end(name),
                MarkupToken::Text(text) | MarkupToken::CData(text) => {
                    if self.is_root_closed && !text.trim().is_empty() {
                        self.record(ProblemKind::Junk, text);
                    }
                }
                MarkupToken::Other => {}
            }
        }
        if !self.is_root_closed || self.tokens.truncated {
            self.record(ProblemKind::Truncated, "the root element is not closed");
        }
        if self.tokens.malformed {
            self.record(ProblemKind::NotWellFormed, "a < or a quote that is not part of a tag");
        }
    }

    fn record(&mut self, kind: ProblemKind, detail: &str) {
        self.fields.record(kind, detail);
    }

    fn start(&mut self, tag: StartTag<'a>) {
        if self.fields.is_item(tag) {
            // An empty item is only an item where it has a URL (CDF).
            if !tag.self_closing || tag.attribute("href").is_some() {
                self.open_item(tag);
            }
            return;
        }
        if self.open.len() >= self.options.max_depth {
            if self.excess_depth == 0 {
                self.record(ProblemKind::TooDeep, tag.name);
            }
            self.excess_depth += usize::from(!tag.self_closing);
            return;
        }
        if self.open.last().is_some_and(|parent| parent.role == ElementRole::Skipped) {
            return self.push(tag, ElementRole::Skipped);
        }
        self.declare_namespaces(tag);
        let name = self.fields.namespaces.resolve(tag.name);
        if name.namespace == FeedNamespace::Core && matches!(&*name.local, "channel" | "feed" | "rss") {
            self.fields.write_attributes(tag);
            return self.push(tag, ElementRole::Container);
        }
        let Some(mapping) = name.mapping(self.fields.in_item()) else {
            return self.push(tag, ElementRole::Skipped);
        };
        match mapping.field {
            FeedField::Wrapper => self.push(tag, ElementRole::Container),
            FeedField::Media => {
                self.fields.write_media(tag);
                self.push(tag, ElementRole::Container);
            }
            field => {
                let text = self.read_text(tag, field);
                self.fields.write_field(tag, mapping, &text);
            }
        }
    }

    fn end(&mut self, name: &str) {
        if self.excess_depth > 0 {
            self.excess_depth -= 1;
            return;
        }
        let Some(index) = self.open.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) else {
            return self.record(ProblemKind::NotWellFormed, name);
        };
        if index + 1 < self.open.len() {
            self.record(ProblemKind::NotWellFormed, name);
        }
        self.close_to(index);
        self.is_root_closed |= self.open.is_empty();
    }

    /// Reads the text of an element. The element also ends at an end tag of one of its parents.
    fn read_text(&mut self, tag: StartTag<'a>, field: FeedField) -> ElementText<'a> {
        // The innermost four suffice: an item, its wrapper, the channel and the root.
        let parents: Vec<&str> = self.open.iter().rev().take(4).map(|open| open.name).collect();
        let fields = &self.fields;
        let text = read_element_text(&mut self.tokens, tag, |token| match token {
            MarkupToken::Start(child) => fields.ends_element(child, field),
            MarkupToken::End(name) => parents.iter().any(|parent| parent.eq_ignore_ascii_case(name)),
            _ => false,
        });
        if text.ended_by.is_some() {
            self.record(ProblemKind::NotWellFormed, tag.name);
            self.pending = text.ended_by;
        }
        text
    }

    fn declare_namespaces(&mut self, tag: StartTag<'a>) {
        self.fields.namespaces.declare(tag, self.open.len() + 1);
    }

    fn push(&mut self, tag: StartTag<'a>, role: ElementRole) {
        if tag.self_closing {
            return;
        }
        if role != ElementRole::Skipped {
            self.fields.urls.enter(tag, self.open.len() + 1);
        }
        self.open.push(OpenElement { name: tag.name, role });
    }

    /// Closes all elements deeper than `depth`.
    fn close_to(&mut self, depth: usize) {
        if self.open.iter().skip(depth).any(|open| open.role == ElementRole::Item) {
            self.fields.end_item();
        }
        self.open.truncate(depth);
        self.fields.namespaces.leave(depth);
        self.fields.urls.leave(depth);
    }

    /// Starts an item. Elements before it that are still open, but for its containers, lack an end tag.
    fn open_item(&mut self, tag: StartTag<'a>) {
        self.excess_depth = 0;
        if let Some(index) = self.open.iter().position(|open| open.role == ElementRole::Item) {
            self.record(ProblemKind::NotWellFormed, tag.name);
            self.close_to(index);
        }
        while self.open.last().is_some_and(|open| open.role == ElementRole::Skipped) {
            self.record(ProblemKind::NotWellFormed, tag.name);
            self.open.pop();
        }
        if self.open.len() >= self.options.max_depth.max(1) {
            self.close_to(self.options.max_depth.min(1));
        }
        self.declare_namespaces(tag);
        if self.item_count >= self.options.max_items {
            self.record(ProblemKind::TooManyItems, "further items were dropped");
            return self.push(tag, ElementRole::Skipped);
        }
        self.item_count += 1;
        self.fields.start_item(tag);
        self.fields.write_attributes(tag);
        self.push(tag, ElementRole::Item);
        if tag.self_closing {
            self.fields.end_item();
            self.fields.namespaces.leave(self.open.len());
        }
    }
}

#[cfg(test)]
mod tests;
