//! Feeds: what we publish. A feed is a named selection of stories.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What is frozen of a story when it is first published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryPublication {
    pub at: Timestamp,
    /// The link of the item that led the story at that time.
    pub link: Option<String>,
}

/// A feed that we publish: a name, a title and a selection of stories.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishedFeed {
    /// Stands in the URL: `/feeds/NAME.atom`.
    pub name: String,
    pub title: String,
    /// Whether it is given only to those who say its token.
    pub private: bool,
    pub selection: FeedSelection,
}

/// Which stories a feed holds. An empty list selects everything; within a list any one suffices, between lists all must hold.
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
    /// Stories that at least so many outlets report.
    pub min_outlets: u32,
    /// Stories first published at most so long before the newest one of all.
    pub max_age: Option<SignedDuration>,
    /// At most so many stories.
    pub limit: u32,
    pub order: FeedOrder,
}

/// Which stories come first in a feed, and which are left out where there are more than it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedOrder {
    /// Those whose first report is the newest.
    #[default]
    Newest,
    /// Those with the greatest [`weight`](Order::weight).
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
