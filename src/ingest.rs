//! What a document said becomes what we keep: canonical links, plain text, harmless HTML, an identity.
//!
//! Pure: no I/O and no clock. What it cannot use is reported as a [`crate::domain::FeedProblem`], never as an error.

pub mod feed_language;
pub mod normalize;
