//! Limits on how much of a document is read.

/// The limits. Anything beyond them is dropped and reported as a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes read from a document.
    pub max_bytes: usize,
    /// Items kept from a document, in document order.
    pub max_items: usize,
    /// Depth of nested elements.
    pub max_depth: usize,
    /// Bytes of one title, summary or content.
    pub max_text_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_bytes: 16 * 1024 * 1024, max_items: 5_000, max_depth: 100, max_text_bytes: 256 * 1024 }
    }
}
