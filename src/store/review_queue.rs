//! The queue of published stories that the publisher must review, with the time of each review.

use super::connection::{ReadConnection, WriteConnection};
use super::{Result, editions, stories};
use crate::domain::{Edition, EditionTimes, ItemId, Story, StoryId, Timestamp};
use rusqlite::params;

/// A published story that is due for review.
#[derive(Debug, Clone)]
pub struct StoryReview {
    pub story: Story,
    /// A number that increases with every change of the story. A decision that is based on an earlier generation must
    /// be made again.
    pub generation: i64,
    /// The times of the story's own editions; `None` if it has none.
    pub edition_times: Option<EditionTimes>,
    /// The latest edition that was created neither for a single feed nor for a language.
    pub latest: Option<Edition>,
}

/// Returns the published stories that are due for review.
pub fn due_reviews(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<StoryReview>> {
    let due: Vec<(StoryId, i64)> = db.all(
        "SELECT story_id, generation FROM story_review_queue WHERE review_at <= ?1 ORDER BY review_at, story_id LIMIT ?2",
        params![now.as_millisecond(), limit],
    )?;
    let mut reviews = Vec::with_capacity(due.len());
    for (id, generation) in due {
        let Some(story) = stories::get(db, id)? else { continue };
        let edition_times = editions::times(db, id, None)?;
        reviews.push(StoryReview { story, generation, edition_times, latest: editions::latest(db, id)? });
    }
    Ok(reviews)
}

/// Returns the time of the next review that becomes due after `now`.
pub fn next_review_at(db: &ReadConnection, now: Timestamp) -> Result<Option<Timestamp>> {
    db.one("SELECT min(review_at) FROM story_review_queue WHERE review_at > ?1", [now.as_millisecond()])
}

/// Finishes a review. The next review is due at `next` or when the story changes. Has no effect if the story changed
/// during the review.
pub fn finish_review(db: &WriteConnection, story: StoryId, generation: i64, next: Option<Timestamp>) -> Result<()> {
    let story = story.to_row();
    match next {
        Some(next) => db.execute(
            "UPDATE story_review_queue SET review_at = ?3 WHERE story_id = ?1 AND generation = ?2",
            params![story, generation, next.as_millisecond()],
        )?,
        None => {
            db.execute("DELETE FROM story_review_queue WHERE story_id = ?1 AND generation = ?2", [story, generation])?
        }
    };
    Ok(())
}

/// Returns whether the story is unchanged since this generation.
pub fn is_current_generation(db: &ReadConnection, story: StoryId, generation: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM story_review_queue WHERE story_id = ?1 AND generation = ?2";
    db.exists(sql, [story.to_row(), generation])
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
