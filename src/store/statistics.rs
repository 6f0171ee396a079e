//! Counts of rows and of waiting work, for the command line and the health page.

use super::connection::ReadConnection;
use super::{Result, embeddings};
use jiff::Timestamp;

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

pub fn row_counts(db: &ReadConnection) -> Result<RowCounts> {
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

/// The lengths of the queues of the daemon's tasks.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct QueueLengths {
    /// Active sources whose next poll is due.
    pub due_sources: u64,
    /// Items without a story.
    pub items_to_group: u64,
    /// Items in the grouping window without an embedding by the current encoder.
    #[serde(default)]
    pub items_to_encode: u64,
    /// Published stories that are due for review.
    pub stories_to_review: u64,
    /// Subscribers of our own hub that do not have the latest version of their document.
    pub pending_deliveries: u64,
}

pub fn queue_lengths(db: &ReadConnection, now: Timestamp) -> Result<QueueLengths> {
    let counted: QueueLengths = db.one(
        "SELECT (SELECT count(*) FROM source WHERE state = 'active' AND next_poll_at <= ?1) AS due_sources,
                (SELECT count(*) FROM item WHERE story_id IS NULL) AS items_to_group,
                (SELECT count(*) FROM story_review_queue WHERE review_at <= ?1) AS stories_to_review,
                (SELECT count(*) FROM websub_subscriber AS subscriber JOIN feed_state USING (topic)
                 WHERE delivered_hash IS NOT content_hash AND lease_until > ?1) AS pending_deliveries",
        [now.as_millisecond()],
    )?;
    Ok(QueueLengths { items_to_encode: embeddings::count_missing(db, now)?, ..counted })
}

/// The size of a table with its indexes.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct TableSize {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
}

/// Returns the sizes of all tables, largest first. Reads the whole file.
pub fn table_sizes(db: &ReadConnection) -> Result<Vec<TableSize>> {
    let sizes: Vec<(String, u64)> = db.all(
        "SELECT tbl_name, sum(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name)
         WHERE aggregate = TRUE GROUP BY tbl_name ORDER BY bytes DESC",
        [],
    )?;
    sizes
        .into_iter()
        .map(|(name, bytes)| {
            let rows = db.one(&format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\"")), [])?;
            Ok(TableSize { name, rows, bytes })
        })
        .collect()
}

/// Returns the number of bytes in the file that no table uses.
pub fn unused_bytes(db: &ReadConnection) -> Result<u64> {
    db.one("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size", [])
}
