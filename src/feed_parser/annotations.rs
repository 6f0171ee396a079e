//! The categories by which the rewriter passes on values that RSS 2.0 has no element for.
//!
//! `<category domain="newsfold:language">de</category>` in the rewritten document gives the item's language. A document
//! cannot forge them: the rewriter writes its categories without a domain.

/// What all names start with.
pub const PREFIX: &str = "newsfold:";
pub const LANGUAGE: &str = "newsfold:language";
pub const IMAGE: &str = "newsfold:image";
pub const FEED_ID: &str = "newsfold:id";
pub const FEED_AUTHOR: &str = "newsfold:author";
pub const SKIP_HOUR: &str = "newsfold:skip-hour";
pub const SKIP_DAY: &str = "newsfold:skip-day";
pub const UPDATE_PERIOD: &str = "newsfold:update-period";
pub const UPDATE_FREQUENCY: &str = "newsfold:update-frequency";
