//! Converts parsed documents to the data that the database stores.
//!
//! The functions are pure: they perform no I/O and read no clock. Unusable data is recorded as a
//! [`crate::domain::FeedProblem`], never returned as an error.

pub mod backlog;
mod enclosures;
pub mod feed_language;
pub mod normalize;
