//! The types for a feed and its items, with the values that the document states.
//!
//! [`crate::ingest`] decides which values newsfold keeps.

use jiff::Timestamp;
use url::Url;

use crate::domain::PollingHints;
use crate::domain::item_date::TimeOfDay;
use crate::urls::media_type::is_image;

/// The format of a feed document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum FeedKind {
    /// RSS 0.9x and 2.0, and CDF.
    #[default]
    Rss,
    /// RSS 0.90 and 1.0, which are RDF.
    Rdf,
    /// Atom 0.3 and 1.0.
    Atom,
    /// JSON Feed 1.0 and 1.1.
    Json,
}

/// A feed with the values that its document states.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct ParsedFeed {
    pub kind: FeedKind,
    /// The actual character set of the document, regardless of the declared character set.
    pub charset: &'static str,
    /// The feed's own ID, which only Atom defines.
    pub id: Option<String>,
    /// The title as plain text.
    pub title: Option<String>,
    /// The feed's description as HTML that is not sanitized.
    pub summary_html: Option<String>,
    pub authors: Vec<String>,
    pub site_url: Option<Url>,
    pub self_url: Option<Url>,
    /// The WebSub hubs of the feed.
    pub hubs: Vec<Url>,
    /// The declared language.
    pub lang: Option<String>,
    /// The feed's hints for polling.
    #[serde(flatten)]
    pub polling_hints: PollingHints,
    pub published: Option<Timestamp>,
    /// The date of the last update, or the publication date if the document gives no other date.
    pub updated: Option<Timestamp>,
    pub items: Vec<ParsedItem>,
}

/// The maximum number of authors that each item inherits. A hostile feed may have many authors and many items.
const MAX_INHERITED_AUTHORS: usize = 5;

impl ParsedFeed {
    /// Copies the feed's authors to the items without an author, if the format specifies this (RFC 4287 §4.2.1, JSON
    /// Feed 1.1). RSS does not specify it: its `managingEditor` is not the author of the items.
    pub fn inherit_authors(&mut self) {
        if !matches!(self.kind, FeedKind::Atom | FeedKind::Json) {
            return;
        }
        let authors = &self.authors[..self.authors.len().min(MAX_INHERITED_AUTHORS)];
        for item in self.items.iter_mut().filter(|item| item.authors.is_empty()) {
            item.authors = authors.to_vec();
        }
    }
}

/// An item with the values that its document states.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct ParsedItem {
    /// The guid without surrounding white space; `None` if the document gives none.
    pub guid: Option<String>,
    /// An absolute http or https URL.
    pub link: Option<Url>,
    /// The title as plain text.
    pub title: Option<String>,
    /// HTML that is not sanitized.
    pub summary_html: Option<String>,
    /// The base of the summary's relative links, if the document sets one (`xml:base`).
    pub summary_base: Option<Url>,
    /// HTML that is not sanitized.
    pub content_html: Option<String>,
    pub content_base: Option<Url>,
    pub authors: Vec<String>,
    pub published: Option<Timestamp>,
    pub published_time_of_day: TimeOfDay,
    pub updated: Option<Timestamp>,
    pub updated_time_of_day: TimeOfDay,
    pub categories: Vec<String>,
    pub lang: Option<String>,
    pub enclosures: Vec<ParsedEnclosure>,
    pub image: Option<Url>,
    pub reporter: Option<ParsedReporter>,
    /// Whether the document ends inside the item.
    pub is_incomplete: bool,
}

/// The publication from which an item was taken (`source` in RSS 2.0 and Atom).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct ParsedReporter {
    /// The name as plain text.
    pub name: Option<String>,
    pub url: Option<Url>,
}

/// A file that is attached to an item (RSS 2.0, `enclosure`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ParsedEnclosure {
    pub url: Url,
    /// The media type, such as `audio/mpeg`.
    pub mime: Option<String>,
    /// The declared length in bytes.
    pub length: Option<u64>,
}

impl ParsedEnclosure {
    pub fn is_image(&self) -> bool {
        is_image(&self.mime.as_deref().unwrap_or_default().to_ascii_lowercase(), self.url.path())
    }
}
