//! Row counts, for the command line and the health page.

use super::Result;
use super::connection::ReadConnection;

/// The number of rows of each kind.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct RowCounts {
    pub sources: u64,
    pub items: u64,
    pub stories: u64,
    pub published: u64,
    /// Stories that contain only backlog. They are not published.
    pub backlog_stories: u64,
    pub unassigned: u64,
}

pub fn row_counts(db: &ReadConnection) -> Result<RowCounts> {
    db.one(
        "SELECT (SELECT count(*) FROM source WHERE state <> 'removed') AS sources,
                (SELECT count(*) FROM item) AS items,
                (SELECT count(*) FROM story WHERE merged_into IS NULL) AS stories,
                (SELECT count(*) FROM story WHERE published_at IS NOT NULL AND merged_into IS NULL) AS published,
                (SELECT count(*) FROM story
                 WHERE published_at IS NULL AND merged_into IS NULL AND has_news = 0) AS backlog_stories,
                (SELECT count(*) FROM item WHERE story_id IS NULL) AS unassigned",
        [],
    )
}
