//! The feeds that newsfold publishes. A feed is a named selection of stories.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A feed that newsfold publishes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishedFeed {
    /// Part of the URL: `/feeds/NAME.atom`.
    pub name: String,
    pub title: String,
    /// Whether requests need the feed's access token.
    pub private: bool,
    pub selection: FeedSelection,
}

/// Which stories a feed contains. An empty list matches every story. Values within a list are alternatives; different
/// conditions must all match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedSelection {
    /// Stories with an item of a source that has one of these tags.
    pub tags: Vec<String>,
    /// Stories with an item of one of these outlets.
    pub outlets: Vec<String>,
    /// Stories with an item in one of these languages.
    pub languages: Vec<String>,
    /// Stories with an item that matches this FTS5 expression.
    pub query: Option<String>,
    /// Stories without any item that matches this FTS5 expression.
    pub exclude_query: Option<String>,
    /// Minimum number of distinct outlets, not counting copies.
    pub min_outlets: u32,
    /// Maximum time between the publication of a story and that of the feed's newest story.
    pub max_age: Option<SignedDuration>,
    /// Maximum number of stories.
    pub limit: u32,
    pub order: FeedOrder,
}

/// The order of a feed, which also decides which stories a full feed omits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedOrder {
    /// By the date of the first report, newest first.
    #[default]
    Newest,
    /// By the rank of `publish`, highest first: outlets, priority and age.
    Hot,
}

impl Default for FeedSelection {
    fn default() -> Self {
        FeedSelection {
            tags: Vec::new(),
            outlets: Vec::new(),
            languages: Vec::new(),
            query: None,
            exclude_query: None,
            min_outlets: 1,
            max_age: None,
            limit: 100,
            order: FeedOrder::Newest,
        }
    }
}
