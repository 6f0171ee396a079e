//! Rewrites a feed into well-formed RSS 2.0 that feed-rs can read completely.
//!
//! RSS, RDF, Atom and CDF all become RSS 2.0 with the modules `content`, `dc` and `atom`. The output has canonical
//! element names, escaped HTML, RFC 3339 dates and absolute URLs. All other elements are dropped, because some make
//! feed-rs panic or reject the whole feed. Values without an RSS 2.0 element go directly into the [`ParsedFeed`].
//!
//! The rewriter does not validate values. It never recurses: the depth of an element is a number, not a stack frame.

mod attribution;
mod byline;
mod element_text;
mod field_state;
mod fields;
mod item_bounds;
mod links;
mod media;
mod namespaces;
mod polling_hint_elements;
mod rss_writer;
mod summary_and_content;
mod type_attribute;

use url::Url;

use self::element_text::{ElementText, read_element_text};
use self::field_state::FieldState;
use self::namespaces::NamespaceScope;
use self::rss_writer::{END, HEAD};
use super::Options;
use super::base_url::{UrlResolver, website_as_base};
use super::dates::{DateConventions, DateEvidence};
use super::document_format::find_root;
use super::element_map::{FeedField, FeedNamespace};
use super::one_line_text::is_html_element;
use super::parsed_feed::{FeedKind, ParsedFeed, ParsedItem};
use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// The maximum initial capacity of the output buffer in bytes.
const MAX_INITIAL_CAPACITY: usize = 1024 * 1024;

/// A feed that was rewritten as RSS 2.0.
pub struct RewrittenFeed {
    /// The values that `xml` does not contain, with all items in the order of `xml`.
    pub feed: ParsedFeed,
    pub xml: String,
}

/// Facts that only the whole document shows.
#[derive(Default, PartialEq)]
struct DocumentFacts {
    dates: DateConventions,
    /// The feed's website, if it is the base of relative URLs and the document contains such URLs.
    website: Option<Url>,
}

/// Rewrites a feed. Returns `None` if the text lacks the root element of a feed.
pub fn rewrite_feed(
    text: &str,
    document_url: &Url,
    options: &Options,
    problems: &mut Vec<FeedProblem>,
) -> Option<RewrittenFeed> {
    let (problems_before, assumed) = (problems.clone(), DocumentFacts::default());
    let (rewritten, facts) = rewrite_with_facts(text, document_url, &assumed, options, problems)?;
    if facts == assumed {
        return Some(rewritten);
    }
    // The facts that the first pass discovered change the meaning of some values.
    drop(rewritten);
    *problems = problems_before;
    rewrite_with_facts(text, document_url, &facts, options, problems).map(|(rewritten, _)| rewritten)
}

/// Rewrites a feed, assuming `facts`. Also returns the facts that follow from the document.
fn rewrite_with_facts(
    text: &str,
    document_url: &Url,
    facts: &DocumentFacts,
    options: &Options,
    problems: &mut Vec<FeedProblem>,
) -> Option<(RewrittenFeed, DocumentFacts)> {
    let mut tokens = Tokenizer::new(text);
    let (root, kind) = find_root(&mut tokens, problems)?;
    let mut xml = String::with_capacity(text.len().min(MAX_INITIAL_CAPACITY));
    xml.push_str(HEAD);
    let mut rewriter = FeedRewriter {
        options,
        problems,
        namespaces: NamespaceScope::default(),
        urls: UrlResolver::new(document_url, facts.website.as_ref(), text.len()),
        dates: facts.dates,
        date_evidence: DateEvidence::default(),
        open: Vec::new(),
        excess_depth: 0,
        is_root_closed: false,
        feed: ParsedFeed { kind, ..ParsedFeed::default() },
        update_frequency: None,
        xml,
        current: FieldState::default(),
        outer: None,
    };
    rewriter.start_root(root);
    rewriter.rewrite_elements(tokens);
    let used_document_url = rewriter.urls.used_document_url;
    let evidence = std::mem::take(&mut rewriter.date_evidence);
    let rewritten = rewriter.finish();
    let website = website_as_base(rewritten.feed.site_url.as_ref(), document_url).filter(|_| used_document_url);
    let facts = DocumentFacts { dates: evidence.conventions(rewritten.feed.lang.as_deref()), website };
    Some((rewritten, facts))
}

struct FeedRewriter<'a, 'o> {
    options: &'o Options,
    problems: &'o mut Vec<FeedProblem>,
    namespaces: NamespaceScope<'a>,
    urls: UrlResolver<'o>,
    dates: DateConventions,
    date_evidence: DateEvidence,
    open: Vec<OpenElement<'a>>,
    /// The number of open elements beyond the depth limit.
    excess_depth: usize,
    is_root_closed: bool,
    feed: ParsedFeed,
    update_frequency: Option<u32>,
    xml: String,
    /// The state of the open item, or else of the feed.
    current: FieldState,
    /// The state of the feed while an item is open.
    outer: Option<FieldState>,
}

struct OpenElement<'a> {
    name: &'a str,
    role: ElementRole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ElementRole {
    /// An element whose children are read: the root, a channel or a wrapper.
    Container,
    Item,
    /// Atom's `source`: the feed from which an entry was copied. Its title, website and authors are read.
    AtomSource,
    Skipped,
}

impl<'a> FeedRewriter<'a, '_> {
    fn start_root(&mut self, tag: StartTag<'a>) {
        let local = tag.name.rsplit(':').next().unwrap_or_default();
        if local.eq_ignore_ascii_case("entry") {
            return self.start_item(tag);
        }
        if self.feed.kind != FeedKind::Rdf && tag.name.chars().any(char::is_uppercase) {
            self.record(ProblemKind::NotWellFormed, tag.name);
        }
        self.declare_namespaces(tag);
        self.write_attributes(tag);
        self.push(tag, ElementRole::Container);
        self.is_root_closed = tag.self_closing;
    }

    fn rewrite_elements(&mut self, mut tokens: Tokenizer<'a>) {
        // A token that ended the text of an element without an end tag is pending, and the loop reads it next.
        let mut pending = None;
        while let Some(token) = pending.take().or_else(|| tokens.next()) {
            match token {
                MarkupToken::Start(tag) => pending = self.start(tag, &mut tokens),
                MarkupToken::End(name) => self.end(name),
                MarkupToken::Text(text) | MarkupToken::CData(text) => {
                    if self.is_root_closed && !text.trim().is_empty() {
                        self.record(ProblemKind::Junk, text);
                    }
                }
                MarkupToken::Other => {}
            }
        }
        if !self.is_root_closed || tokens.truncated {
            self.record(ProblemKind::Truncated, "the root element is not closed");
        }
        if tokens.malformed {
            self.record(ProblemKind::NotWellFormed, "a < or a quote that is not part of a tag");
        }
    }

    fn finish(mut self) -> RewrittenFeed {
        if let Some(item) = self.open_item() {
            item.is_incomplete = true;
        }
        self.end_item();
        self.xml.push_str(END);
        self.xml.shrink_to_fit();
        self.apply_update_frequency();
        self.feed.site_url = self.current.link;
        RewrittenFeed { feed: self.feed, xml: self.xml }
    }

    fn record(&mut self, kind: ProblemKind, detail: &str) {
        FeedProblem::record(self.problems, kind, detail);
    }

    fn in_item(&self) -> bool {
        self.outer.is_some()
    }

    fn open_item(&mut self) -> Option<&mut ParsedItem> {
        if self.in_item() { self.feed.items.last_mut() } else { None }
    }

    /// Processes a start tag. Returns the token that ended the element's text in place of a missing end tag.
    fn start(&mut self, tag: StartTag<'a>, tokens: &mut Tokenizer<'a>) -> Option<MarkupToken<'a>> {
        if self.namespaces.is_item(tag, self.feed.kind) {
            // An empty element counts as an item only if it has a URL (CDF).
            if !tag.self_closing || tag.attribute("href").is_some() {
                self.start_item(tag);
            }
            return None;
        }
        if self.open.len() >= self.options.max_depth {
            if self.excess_depth == 0 {
                self.record(ProblemKind::TooDeep, tag.name);
            }
            self.excess_depth += usize::from(!tag.self_closing);
            return None;
        }
        let parent = self.open.last().map(|parent| parent.role);
        let is_skipped = parent == Some(ElementRole::Skipped);
        if !is_skipped {
            self.declare_namespaces(tag);
        }
        let name = self.namespaces.resolve(tag.name);
        let is_feed = name.namespace == FeedNamespace::Core && matches!(&*name.local, "channel" | "feed" | "rss");
        let is_atom_source = self.feed.kind == FeedKind::Atom
            && parent == Some(ElementRole::Item)
            && (name.namespace, &*name.local) == (FeedNamespace::Core, "source");
        match name.mapping(self.in_item()).filter(|_| !is_skipped) {
            _ if is_atom_source => self.push(tag, ElementRole::AtomSource),
            Some(mapping) if parent == Some(ElementRole::AtomSource) => {
                let text = self.read_text(tag, mapping.field, tokens);
                self.keep_source_field(tag, mapping.field, text.inner);
                return text.ended_by;
            }
            _ if is_feed && !is_skipped => {
                self.write_attributes(tag);
                self.push(tag, ElementRole::Container);
            }
            None => self.push(tag, ElementRole::Skipped),
            Some(mapping) if mapping.field == FeedField::Wrapper => {
                self.current.media_group_count += 1;
                self.push(tag, ElementRole::Container);
            }
            Some(mapping) if mapping.field == FeedField::Media => {
                self.write_media(tag);
                self.push(tag, ElementRole::Container);
            }
            Some(mapping) => {
                let text = self.read_text(tag, mapping.field, tokens);
                self.write_field(tag, mapping, &text);
                return text.ended_by;
            }
        }
        None
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

    /// Reads the text of an element. The end tag of a parent ends the element too.
    fn read_text(&mut self, tag: StartTag<'a>, field: FeedField, tokens: &mut Tokenizer<'a>) -> ElementText<'a> {
        // The innermost four elements suffice: an item, its wrapper, the channel and the root.
        let parents = self.open.iter().rev().take(4);
        let text = read_element_text(tokens, tag, |token| match token {
            MarkupToken::Start(child) => self.ends_element(child, field),
            MarkupToken::End(name) => {
                parents.clone().any(|parent| parent.name.eq_ignore_ascii_case(name))
                    || is_misspelt_end(tag.name, field, name)
            }
            _ => false,
        });
        if text.ended_by.is_some() {
            self.record(ProblemKind::NotWellFormed, tag.name);
        }
        text
    }

    fn declare_namespaces(&mut self, tag: StartTag<'a>) {
        self.namespaces.declare(tag, self.open.len() + 1);
    }

    fn push(&mut self, tag: StartTag<'a>, role: ElementRole) {
        if tag.self_closing {
            return;
        }
        if role != ElementRole::Skipped {
            self.urls.enter(tag, self.open.len() + 1);
        }
        self.open.push(OpenElement { name: tag.name, role });
    }

    /// Closes all elements that are deeper than `depth`.
    fn close_to(&mut self, depth: usize) {
        if self.open.iter().skip(depth).any(|open| open.role == ElementRole::Item) {
            self.end_item();
        }
        self.open.truncate(depth);
        self.namespaces.leave(depth);
        self.urls.leave(depth);
    }
}

/// Returns whether an unmatched end tag is a misspelling of the end tag of `start`. Short values contain no markup, but
/// text may contain a stray HTML end tag.
fn is_misspelt_end(start: &str, field: FeedField, end: &str) -> bool {
    const MAX_EDITS: usize = 2;
    let may_contain_html =
        matches!(field, FeedField::Title | FeedField::Summary | FeedField::Content | FeedField::Author);
    if may_contain_html && is_html_element(end) {
        return false;
    }
    !may_contain_html || strsim::osa_distance(&start.to_ascii_lowercase(), &end.to_ascii_lowercase()) <= MAX_EDITS
}

#[cfg(test)]
mod tests;
