//! A feed and its items as the document states them.
//!
//! What newsfold keeps of them is decided in [`crate::ingest`].

use jiff::Timestamp;
use url::Url;

use super::dates::TimeOfDay;
use super::image_links::is_image;
use crate::domain::PollingHints;

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

/// A feed as its document states it.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct ParsedFeed {
    pub kind: FeedKind,
    /// The character set that the document was in, whatever it declared.
    pub charset: &'static str,
    /// The feed's own id. Only Atom has one.
    pub id: Option<String>,
    /// Plain text.
    pub title: Option<String>,
    /// The feed's description: HTML, not sanitized.
    pub summary_html: Option<String>,
    pub authors: Vec<String>,
    pub site_url: Option<Url>,
    pub self_url: Option<Url>,
    /// WebSub hubs.
    pub hubs: Vec<Url>,
    /// The declared language.
    pub lang: Option<String>,
    /// When the feed asks to be polled.
    #[serde(flatten)]
    pub polling_hints: PollingHints,
    pub published: Option<Timestamp>,
    /// The date of publication where the document gives no other.
    pub updated: Option<Timestamp>,
    pub items: Vec<ParsedItem>,
}

/// Authors of the feed that each of its items may have. A hostile feed has many, and many items.
const MAX_INHERITED_AUTHORS: usize = 5;

impl ParsedFeed {
    /// Gives the authors of the feed to the items without one, where the format says so (RFC 4287 §4.2.1, JSON Feed 1.1).
    /// The `managingEditor` of RSS has not written the items.
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

/// An item as its document states it.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct ParsedItem {
    /// Unchanged but for surrounding white space; `None` where the document gives none.
    pub guid: Option<String>,
    /// Absolute, http or https.
    pub link: Option<Url>,
    /// Plain text.
    pub title: Option<String>,
    /// HTML, not sanitized.
    pub summary_html: Option<String>,
    /// The base of the summary's relative links, if the document sets one (`xml:base`).
    pub summary_base: Option<Url>,
    /// HTML, not sanitized.
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
    /// Whether the document ends within the item.
    pub is_incomplete: bool,
}

/// The publication from which an item was taken (`source` in RSS 2.0 and Atom).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct ParsedReporter {
    /// Plain text.
    pub name: Option<String>,
    pub url: Option<Url>,
}

/// A file attached to an item (RSS 2.0, `enclosure`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ParsedEnclosure {
    pub url: Url,
    /// The media type, as in `audio/mpeg`.
    pub mime: Option<String>,
    /// Bytes, as declared.
    pub length: Option<u64>,
}

impl ParsedEnclosure {
    pub fn is_image(&self) -> bool {
        is_image(&self.mime.as_deref().unwrap_or_default().to_ascii_lowercase(), self.url.path())
    }
}
