//! The outlets that report each story, and the times of their last reports. Stories are ranked by these facts.

use super::connection::ReadConnection;
use super::row_conversion::{OUTLET, json_list};
use super::{Error, Result};
use crate::domain::{OutletActivity, StoryActivity, StoryId, StorylineId};
use jiff::Timestamp;

/// Returns the activity of the outlets in each of the given stories, in the same order. Copies and backlog do not
/// count. A story that contains only copies and backlog is omitted. With a tag, only sources with this tag count.
pub fn story_activity<'s>(
    db: &ReadConnection,
    stories: impl IntoIterator<Item = &'s StoryId>,
    tag: Option<&str>,
) -> Result<Vec<StoryActivity>> {
    let sql = format!(
        "SELECT story_id, storyline_id, {OUTLET}, max(ranked_at), max(source.priority)
         FROM json_each(?1) AS counted CROSS JOIN item ON item.story_id = counted.value
         JOIN source ON source.id = item.source_id JOIN story ON story.id = item.story_id
         WHERE item.copy_of IS NULL AND item.backlog_reason IS NULL
           AND (?2 IS NULL OR EXISTS (SELECT 1 FROM source_tag WHERE source_tag.source_id = source.id AND tag = ?2))
         GROUP BY counted.key, 3"
    );
    // `db.all` converts times to text and back, which takes a third of the time of this query.
    let rows: Vec<(StoryId, StorylineId, String, i64, i32)> =
        db.all(&sql, rusqlite::params![story_list(stories), tag])?;
    let mut all: Vec<StoryActivity> = Vec::new();
    for (story, storyline, outlet, last_report_at, priority) in rows {
        let last_report_at =
            Timestamp::from_millisecond(last_report_at).map_err(|e| Error::Corrupt(format!("item.ranked_at: {e}")))?;
        if all.last().is_none_or(|last| last.story != story) {
            all.push(StoryActivity { story, storyline, outlets: Default::default() });
        }
        let activity = OutletActivity { last_report_at, priority };
        all.last_mut().map(|last| last.outlets.insert(outlet, activity));
    }
    Ok(all)
}

/// Returns the stories whose storylines have several items in the given stories, in the same order. Most stories have
/// one item. The index suffices to exclude such stories, whereas [`story_activity`] reads every item.
pub fn with_several_items(db: &ReadConnection, stories: &[StoryId]) -> Result<Vec<StoryId>> {
    db.all(
        "WITH candidate AS (
             SELECT listed.key AS position, story.id, storyline_id,
                    (SELECT count(*) FROM item WHERE story_id = story.id) AS items
             FROM json_each(?1) AS listed CROSS JOIN story ON story.id = listed.value)
         SELECT id FROM candidate
         WHERE storyline_id IN (SELECT storyline_id FROM candidate GROUP BY storyline_id HAVING sum(items) > 1)
         ORDER BY position",
        [story_list(stories)],
    )
}

/// Serializes IDs of stories for `json_each`.
pub(super) fn story_list<'s>(stories: impl IntoIterator<Item = &'s StoryId>) -> String {
    json_list(&stories.into_iter().map(|id| id.to_row()).collect::<Vec<_>>())
}
