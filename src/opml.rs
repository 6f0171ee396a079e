//! OPML 2.0 subscription lists (opml.org/spec2.opml): a lenient reader and a strict writer.
//!
//! Properties for which OPML has no attribute are stored in attributes of the namespace `newsfold`, which other readers
//! ignore: `newsfold:outlet`, `newsfold:priority`, `newsfold:fullText`, `newsfold:aggregator`, `newsfold:interval` and
//! `newsfold:grouped`. Secrets, such as header fields and proxies, are not part of a list.

pub mod read;
pub mod write;

/// One subscription in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct FeedOutline {
    pub xml_url: String,
    pub title: Option<String>,
    pub html_url: Option<String>,
    /// The names of the enclosing folders, outermost first, followed by the values of the `category` attribute.
    pub categories: Vec<String>,
    pub language: Option<String>,
    /// `newsfold:outlet` and the other attributes of the namespace, as unchanged text. The caller validates them.
    pub outlet: Option<String>,
    pub priority: Option<String>,
    pub full_text: Option<String>,
    pub aggregator: Option<String>,
    pub interval: Option<String>,
    pub grouped: Option<String>,
    /// The line number in the file, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// A problem in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpmlFault {
    /// The line number in the file, from 1.
    pub line: usize,
    pub message: String,
}
