//! The content of a parsed response body, as polls and pushes record it.

use crate::domain::{CacheValidators, DeclaredHub, FeedMetadata, FeedProblem, NewItem};
use jiff::SignedDuration;

/// A parsed document.
#[derive(Debug)]
pub struct ParsedDocument {
    /// The size of the decoded document in bytes.
    pub bytes: u64,
    /// The complete items, and the incomplete last item if it is no longer held back.
    pub items: Vec<NewItem>,
    /// The last item if the document ends within it.
    pub incomplete_item: Option<NewItem>,
    pub problems: Vec<FeedProblem>,
    pub validators: Option<CacheValidators>,
    /// The freshness lifetime of the response.
    pub fresh_for: Option<SignedDuration>,
    pub feed: FeedMetadata,
    /// The hub declared by the document or by the `Link` headers of its response.
    pub hub: Option<DeclaredHub>,
}
