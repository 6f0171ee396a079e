//! The published stories that the publisher has to review, and when.

use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, maybe_time};
use super::{Result, editions, stories};
use crate::domain::{Edition, ItemId, Story, StoryId, Timestamp};
use rusqlite::params;
use std::collections::BTreeMap;

/// A published story that is due for review.
#[derive(Debug, Clone)]
pub struct StoryReview {
    pub story: Story,
    /// Increases with every change of the story: a decision based on an earlier generation is made again.
    pub turn: i64,
    /// When its first and its last edition were made.
    pub made: Option<(Timestamp, Timestamp)>,
    /// The latest edition that was not made for a single feed.
    pub latest: Option<Edition>,
}

/// The published stories that are due for review.
pub fn due_reviews(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<StoryReview>> {
    let mut statement =
        db.prepare_cached("SELECT story_id, generation FROM story_review_queue WHERE review_at <= ?1 ORDER BY review_at, story_id LIMIT ?2")?;
    let rows: Vec<(i64, i64)> =
        collect(&mut statement, params![now.as_millisecond(), limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let turns: BTreeMap<i64, i64> = rows.iter().copied().collect();
    let mut made = db.prepare_cached("SELECT min(made_at), max(made_at) FROM edition WHERE story_id = ?1")?;
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    let mut all = Vec::with_capacity(ids.len());
    for story in stories::load(db, &ids)? {
        let (first, last) = made.query_row([story.id.to_row()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let made = maybe_time(first)?.zip(maybe_time(last)?);
        let latest = editions::latest(db, story.id)?;
        let turn = turns.get(&story.id.to_row()).copied().unwrap_or_default();
        all.push(StoryReview { story, turn, made, latest });
    }
    Ok(all)
}

/// When the next review becomes due, after `now`.
pub fn next_review_at(db: &ReadConnection, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut next = db.prepare_cached("SELECT min(review_at) FROM story_review_queue WHERE review_at > ?1")?;
    maybe_time(next.query_row([now.as_millisecond()], |row| row.get(0))?)
}

/// Finishes a review: the next one is due at `next`, or when the story changes. Has no effect if the story changed
/// meanwhile.
pub fn finish_review(db: &WriteConnection, story: StoryId, turn: i64, next: Option<Timestamp>) -> Result<()> {
    let story = story.to_row();
    match next {
        Some(next) => db.execute(
            "UPDATE story_review_queue SET review_at = ?3 WHERE story_id = ?1 AND generation = ?2",
            params![story, turn, next.as_millisecond()],
        )?,
        None => {
            db.execute("DELETE FROM story_review_queue WHERE story_id = ?1 AND generation = ?2", params![story, turn])?
        }
    };
    Ok(())
}

/// Whether the story has not changed since that generation.
pub fn is_current_generation(db: &ReadConnection, story: StoryId, turn: i64) -> Result<bool> {
    let mut same = db.prepare_cached("SELECT 1 FROM story_review_queue WHERE story_id = ?1 AND generation = ?2")?;
    Ok(same.exists(params![story.to_row(), turn])?)
}

/// Enqueues the story of an item whose text changed.
pub(super) fn enqueue_story_of_item(db: &WriteConnection, item: ItemId) -> Result<()> {
    db.execute(
        "INSERT INTO story_review_queue (story_id, review_at, generation)
         SELECT story.id, 0, 1 FROM item JOIN story ON story.id = item.story_id
         WHERE item.id = ?1 AND story.published_at IS NOT NULL AND merged_into IS NULL
         ON CONFLICT (story_id) DO UPDATE SET review_at = 0, generation = generation + 1",
        [item.0],
    )?;
    Ok(())
}
