//! The lengths of the queues of waiting work: due sources, items to group and to encode, stories to review, deliveries.

use super::connection::ReadConnection;
use super::{Result, embeddings};
use jiff::Timestamp;

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

pub fn count(db: &ReadConnection, now: Timestamp) -> Result<QueueLengths> {
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
