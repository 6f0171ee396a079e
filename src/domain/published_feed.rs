//! The feeds that newsfold publishes. A feed is a named selection of stories.

use super::ItemFilter;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A feed that newsfold publishes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishedFeed {
    /// The name of the feed, which is part of its URL: `/feeds/NAME.atom`.
    pub name: String,
    pub title: String,
    /// Whether requests require the feed's access token.
    pub private: bool,
    pub selection: FeedSelection,
    /// The age at which a report counts half as much, in `hot` order (domain::StoryRank).
    #[serde(with = "super::duration")]
    pub half_life: SignedDuration,
}

/// The selection of stories for a feed. An empty list matches every story. The values in a list are alternatives, but
/// all conditions must match.
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
    /// Stories with an item that matches this filter.
    #[serde(skip_serializing_if = "ItemFilter::is_empty")]
    pub items: ItemFilter,
    /// Stories without any item that matches one of these filters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<ItemFilter>,
    /// The minimum number of distinct outlets, not counting copies.
    pub min_outlets: u32,
    /// The maximum time between the publication of a story and the publication of the feed's newest story.
    pub max_age: Option<SignedDuration>,
    /// The maximum number of stories.
    pub limit: u32,
    pub order: FeedOrder,
    pub fold: FeedFold,
}

/// The stories of a feed that share an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedFold {
    /// The stories of a storyline share an entry, except major developments.
    #[default]
    Storylines,
    /// Every story has an entry.
    Stories,
}

/// The order of a feed. When a feed is full, the order also determines which stories are omitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedOrder {
    /// By the date of the first report, newest first.
    #[default]
    Newest,
    /// By [`super::StoryRank`], highest first.
    Hot,
}

/// The maximum number of entries that are ranked in `hot` order: those with the most recently updated stories.
const MAX_RANKED: u32 = 10_000;

impl FeedSelection {
    /// Returns whether the number of outlets is the only condition that a story must meet.
    pub fn selects_by_outlet_count_only(&self) -> bool {
        let lists = [&self.tags, &self.outlets, &self.languages];
        lists.iter().all(|list| list.is_empty())
            && self.query.is_none()
            && self.exclude_query.is_none()
            && self.items.is_empty()
            && self.excluded.is_empty()
    }

    /// Returns the maximum number of entries from which the document is selected.
    pub fn candidate_limit(&self) -> u32 {
        match self.order {
            FeedOrder::Newest => self.limit,
            FeedOrder::Hot => self.limit.max(MAX_RANKED),
        }
    }
}

impl Default for FeedSelection {
    fn default() -> Self {
        FeedSelection {
            tags: Vec::new(),
            outlets: Vec::new(),
            languages: Vec::new(),
            query: None,
            exclude_query: None,
            items: ItemFilter::default(),
            excluded: Vec::new(),
            min_outlets: 1,
            max_age: None,
            limit: 100,
            order: FeedOrder::Newest,
            fold: FeedFold::Storylines,
        }
    }
}
