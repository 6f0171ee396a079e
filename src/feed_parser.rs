//! The bytes of a document → a feed and what was wrong with it.
//!
//! The way: cap the size → decode → rewrite leniently → feed-rs → where that fails, feedparser-rs. JSON Feed has its own
//! reader. A source's fault is data: a feed that can be read at all is read, with its problems in a list.
//!
//! Never fetches, never reads the clock, never keeps state, never invents an identity, and never takes a document's
//! word for its character set, kind or well-formedness.

mod dates;
mod discover;
mod embeds;
mod finish;
mod first;
mod growth;
mod guard;
mod json;
mod rewrite;
mod second;
mod text;
mod vocabulary;
mod wishes;

use std::io::Read;

use jiff::Timestamp;
use url::Url;

use crate::charset::{DecodedText, decode_text};
use crate::domain::{FeedProblem, PollingHints, ProblemKind};

/// How much of a stranger's document is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The bytes of a document that are read.
    pub max_bytes: usize,
    /// The items of a document that are kept, in the document's order.
    pub max_items: usize,
    /// How deep elements may be nested.
    pub max_depth: usize,
    /// The bytes of one text: a title, a summary, a content.
    pub max_text: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_bytes: 16 * 1024 * 1024, max_items: 5_000, max_depth: 100, max_text: 256 * 1024 }
    }
}

/// A document as it was fetched.
pub struct Document<'a> {
    pub bytes: &'a [u8],
    /// The `Content-Type` header, of which only the charset is believed, and that not always.
    pub content_type: Option<&'a str>,
    /// Where it was found, after redirects: the base of its relative links.
    pub url: &'a Url,
}

/// Why a document is no feed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotAFeed {
    #[error("the document is empty")]
    Empty,
    #[error("the document is an HTML page ({} feeds linked)", feeds.len())]
    Html { feeds: Vec<FeedLink> },
    #[error("the document is no feed: {detail}")]
    Unreadable { detail: String },
}

/// A feed that an HTML page points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    pub url: Url,
    pub title: Option<String>,
    pub kind: Option<FeedKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    Rss,
    Rdf,
    Atom,
    Json,
}

impl FeedKind {
    /// The name as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            FeedKind::Rss => "rss",
            FeedKind::Rdf => "rdf",
            FeedKind::Atom => "atom",
            FeedKind::Json => "json",
        }
    }
}

/// A feed as its document tells it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ParsedFeed {
    pub kind: FeedKind,
    /// The character set that the document was really in.
    pub charset: &'static str,
    /// The feed's own id, which only Atom has.
    pub id: Option<String>,
    /// Plain text.
    pub title: Option<String>,
    /// What the feed says of itself: HTML, not sanitised.
    pub summary_html: Option<String>,
    pub authors: Vec<String>,
    pub site_url: Option<Url>,
    pub self_url: Option<Url>,
    /// WebSub hubs.
    pub hubs: Vec<Url>,
    /// The language as declared.
    pub lang: Option<String>,
    /// When it asks to be polled.
    #[serde(flatten)]
    pub wishes: PollingHints,
    pub published: Option<Timestamp>,
    /// The date of publication where no other is given.
    pub updated: Option<Timestamp>,
    pub items: Vec<ParsedItem>,
}

/// An item as its document tells it.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct ParsedItem {
    /// Exactly as said, trimmed. None if the document gives none.
    pub guid: Option<String>,
    /// Absolute, http or https.
    pub link: Option<Url>,
    /// Plain text.
    pub title: Option<String>,
    /// HTML, not sanitised.
    pub summary_html: Option<String>,
    /// HTML, not sanitised.
    pub content_html: Option<String>,
    pub authors: Vec<String>,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub categories: Vec<String>,
    pub lang: Option<String>,
    pub enclosures: Vec<Enclosure>,
    pub image: Option<Url>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Enclosure {
    pub url: Url,
    pub mime: Option<String>,
    pub length: Option<u64>,
}

/// Reads a feed.
pub fn parse(document: &Document, options: &Options) -> Result<(ParsedFeed, Vec<FeedProblem>), NotAFeed> {
    let mut problems = Vec::new();
    let bytes = &document.bytes[..document.bytes.len().min(options.max_bytes)];
    if bytes.len() < document.bytes.len() {
        let detail = format!("{} bytes, {} read", document.bytes.len(), bytes.len());
        FeedProblem::note(&mut problems, FeedProblem::new(ProblemKind::Truncated, detail));
    }
    let DecodedText { text, charset, problems: charset_problems } = {
        let unpacked = unpacked(bytes, options);
        let bytes = unpacked.as_deref().unwrap_or(bytes);
        decode_text(bytes, document.content_type, document.url.domain())
    };
    problems.extend(charset_problems);
    let start = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    if start.is_empty() {
        return Err(NotAFeed::Empty);
    }
    let mut feed = if json::is_json(start) {
        json::read(text, document.url, options, &mut problems)
    } else {
        xml(text, document.url, options, &mut problems)
    }?;
    feed.charset = charset;
    finish::finish(&mut feed, options, &mut problems);
    Ok((feed, problems))
}

/// What is in a document that is a gzip file and does not say so: some servers send `feed.xml.gz` as it lies there.
fn unpacked(bytes: &[u8], options: &Options) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    let limit = u64::try_from(options.max_bytes).unwrap_or(u64::MAX);
    bytes.starts_with(&[0x1f, 0x8b]).then(|| {
        // A damaged file still gives what stands before the damage.
        let _ = flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut unpacked);
        unpacked
    })
}

fn xml(text: String, url: &Url, options: &Options, problems: &mut Vec<FeedProblem>) -> Result<ParsedFeed, NotAFeed> {
    if discover::is_html(&text) {
        return Err(NotAFeed::Html { feeds: discover::feeds(&text, url) });
    }
    let Some(rewritten) = rewrite::rewrite(&text, url, options, problems) else {
        let start = &text[..text.floor_char_boundary(4 * FeedProblem::MAX_DETAIL)];
        return Err(NotAFeed::Unreadable { detail: crate::domain::text::one_line(start, FeedProblem::MAX_DETAIL) });
    };
    // A document may be large: only its rewritten form is needed from here.
    drop(text);
    let (refusal, rewritten) = match first::read(rewritten) {
        Ok(feed) => return Ok(feed),
        Err(refused) => refused,
    };
    FeedProblem::note(problems, FeedProblem::new(ProblemKind::SecondParser, refusal));
    second::read(&rewritten, options).map_err(|detail| NotAFeed::Unreadable { detail })
}

#[cfg(test)]
mod tests;
