//! Parses RSS, Atom and JSON Feed documents into a [`ParsedFeed`] and a list of problems.
//!
//! The parser limits the size of a document, decodes its character set, leniently rewrites it into RSS 2.0, and parses
//! the result with feed-rs. JSON Feed has a separate reader. Defects are data, not errors: the parser reads every feed
//! that it can and reports the defects as problems.
//!
//! The parser does not send requests, read the clock, keep state or invent guids. It trusts neither the declared
//! character set nor the declared format of a document.

mod autodiscovery;
mod base_url;
mod dates;
mod document_format;
mod element_map;
mod escaped_noscript;
mod feed_rs_reader;
mod gzip_document;
mod internal_entities;
mod json_feed;
mod limits;
mod mathml_fractions;
mod one_line_text;
mod parsed_feed;
mod rewriter;
mod title_markup;
mod unclosed_embeds;

use url::Url;

pub use self::autodiscovery::FeedLink;
pub use self::parsed_feed::{FeedKind, ParsedEnclosure, ParsedFeed, ParsedItem, ParsedReporter};
use crate::charset::{DecodedText, decode_text};
use crate::domain::display_text::one_line;
use crate::domain::{FeedProblem, ProblemKind};
use crate::urls::redact::strip_credentials;

/// The limits on the parts of a document that are read. Excess parts are dropped and reported as problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The maximum number of bytes that are read from a document.
    pub max_bytes: usize,
    /// The maximum number of items that are kept, in document order.
    pub max_items: usize,
    /// The maximum depth of nested elements.
    pub max_depth: usize,
    /// The maximum number of bytes in one title, summary or content.
    pub max_text_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_bytes: 16 * 1024 * 1024, max_items: 5_000, max_depth: 100, max_text_bytes: 256 * 1024 }
    }
}

/// A fetched document.
pub struct FetchedDocument<'a> {
    pub bytes: &'a [u8],
    /// The `Content-Type` header. Only its charset is used, and only if it agrees with the bytes.
    pub content_type: Option<&'a str>,
    /// The URL after redirects, which is the base of relative links.
    pub url: &'a Url,
}

/// Why a document cannot be read as a feed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotAFeed {
    #[error("the document is empty")]
    Empty,
    #[error("{}", html_page_error(feeds.len(), refresh_target.as_ref()))]
    Html {
        feeds: Vec<FeedLink>,
        /// The page to which this page redirects browsers, if it has no links to feeds.
        refresh_target: Option<Url>,
    },
    #[error("the document is not a feed: {detail}")]
    Unreadable { detail: String },
    /// feed-rs rejected the rewritten document or panicked. No known document causes this error.
    #[error("feed-rs cannot parse the document: {message}")]
    ParserFailed { message: String },
}

fn html_page_error(feeds: usize, refresh_target: Option<&Url>) -> String {
    match feeds {
        0 if let Some(target) = refresh_target => {
            format!(
                "the page is HTML, does not link to a feed, and redirects browsers to {}",
                strip_credentials(target.as_str())
            )
        }
        0 => "the page is HTML and does not link to a feed".to_owned(),
        1 => "the page is HTML and links to 1 feed".to_owned(),
        _ => format!("the page is HTML and links to {feeds} feeds"),
    }
}

/// Parses a document.
///
/// # Errors
///
/// Returns [`NotAFeed`] if the document is empty, is an HTML page, lacks the root element of a feed, or is JSON without
/// items, or if feed-rs fails on the rewritten document.
pub fn parse_feed(document: &FetchedDocument, options: &Options) -> Result<(ParsedFeed, Vec<FeedProblem>), NotAFeed> {
    let mut problems = Vec::new();
    let bytes = &document.bytes[..document.bytes.len().min(options.max_bytes)];
    if bytes.len() < document.bytes.len() {
        let detail = format!("{} bytes, {} read", document.bytes.len(), bytes.len());
        FeedProblem::record(&mut problems, ProblemKind::Truncated, &detail);
    }
    let DecodedText { text, charset, problems: charset_problems } = {
        let unpacked = gzip_document::unpack(bytes, options.max_bytes);
        let bytes = unpacked.as_deref().unwrap_or(bytes);
        decode_text(bytes, document.content_type, document.url.domain())
    };
    problems.extend(charset_problems);
    let start = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    if start.is_empty() {
        return Err(NotAFeed::Empty);
    }
    let mut feed = if document_format::is_json(start) {
        json_feed::parse_json_feed(text, document.url, options, &mut problems)
            .map_err(|detail| NotAFeed::Unreadable { detail })?
    } else {
        parse_xml(text, document.url, options, &mut problems)?
    };
    feed.charset = charset;
    feed.inherit_authors();
    limits::apply_limits(&mut feed, options, &mut problems);
    Ok((feed, problems))
}

fn parse_xml(
    text: String,
    url: &Url,
    options: &Options,
    problems: &mut Vec<FeedProblem>,
) -> Result<ParsedFeed, NotAFeed> {
    if document_format::is_html_page(&text) {
        let feeds = autodiscovery::linked_feeds(&text, url);
        let refresh_target = if feeds.is_empty() { autodiscovery::refresh_target(&text, url) } else { None };
        return Err(NotAFeed::Html { feeds, refresh_target });
    }
    let text = internal_entities::include_entities(text, problems);
    let Some(rewritten) = rewriter::rewrite_feed(&text, url, options, problems) else {
        let start = &text[..text.floor_char_boundary(4 * FeedProblem::MAX_DETAIL_CHARS)];
        return Err(NotAFeed::Unreadable { detail: one_line(start, FeedProblem::MAX_DETAIL_CHARS) });
    };
    // A document may be large. From here on, only its rewritten form is needed.
    drop(text);
    feed_rs_reader::read_feed(rewritten).map_err(|message| NotAFeed::ParserFailed { message })
}

#[cfg(test)]
mod tests;
