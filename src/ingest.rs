//! Documents as parsed → what the database stores.
//!
//! Pure: no I/O and no clock. What cannot be used is recorded as a [`crate::domain::FeedProblem`], never returned as an
//! error.

pub mod backlog;
mod enclosures;
pub mod feed_language;
pub mod normalize;
