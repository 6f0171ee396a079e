//! OPML 2.0 subscription lists (opml.org/spec2.opml): read leniently, written strictly.
//!
//! What OPML has no attribute for is stored in attributes of the namespace `newsfold`, which other readers ignore:
//! `newsfold:outlet`, `newsfold:priority`, `newsfold:fullText` and `newsfold:aggregator`.

pub mod read;
pub mod write;

/// One subscription of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct FeedOutline {
    pub xml_url: String,
    pub title: Option<String>,
    pub html_url: Option<String>,
    /// The enclosing folders, outermost first, then the values of the `category` attribute.
    pub categories: Vec<String>,
    pub language: Option<String>,
    /// `newsfold:outlet`, `newsfold:priority`, `newsfold:fullText` and `newsfold:aggregator`: unchanged text that the caller validates.
    pub outlet: Option<String>,
    pub priority: Option<String>,
    pub full_text: Option<String>,
    pub aggregator: Option<String>,
    /// The line of the file, counted from 1.
    #[serde(skip)]
    pub line: usize,
}

/// A fault of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpmlFault {
    /// The line of the file, counted from 1.
    pub line: usize,
    pub message: String,
}
