//! The number of sources, items, stories and other rows, for the command line, the health page and the metrics.

use super::Result;
use super::connection::ReadConnection;

/// The number of rows of each kind.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct RowCounts {
    pub sources: u64,
    pub items: u64,
    pub stories: u64,
    pub storylines: u64,
    pub published: u64,
    /// Stories that contain only backlog. They are not published.
    pub backlog_stories: u64,
    pub unassigned: u64,
    /// Subscriptions at our own hub.
    pub subscribers: u64,
}

pub fn count(db: &ReadConnection) -> Result<RowCounts> {
    db.one(
        "SELECT (SELECT count(*) FROM source WHERE state <> 'removed') AS sources,
                (SELECT count(*) FROM item) AS items,
                (SELECT count(*) FROM story WHERE merged_into IS NULL) AS stories,
                (SELECT count(*) FROM story WHERE published_at IS NOT NULL AND merged_into IS NULL) AS published,
                (SELECT count(*) FROM story
                 WHERE published_at IS NULL AND merged_into IS NULL AND has_news = 0) AS backlog_stories,
                (SELECT count(*) FROM item WHERE story_id IS NULL) AS unassigned,
                (SELECT count(*) FROM storyline WHERE merged_into IS NULL) AS storylines,
                (SELECT count(*) FROM websub_subscriber) AS subscribers",
        [],
    )
}
