//! The editions of stories. An edition is written once and never changes.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{column, from_row, to_json};
use crate::domain::{Edition, EditionReason, EditionText, FeedEntry, PublishedStory, Story, StoryId};
use jiff::Timestamp;
use rusqlite::params;

/// Adds an edition after the story's latest one, and sets the story's lead to the edition's lead. Returns its number.
pub fn add(
    db: &WriteConnection,
    story: &Story,
    reason: EditionReason,
    text: &EditionText,
    now: Timestamp,
) -> Result<u32> {
    let number = db.one(
        "INSERT INTO edition (story_id, number, made_at, reason, outlet_count, text)
         SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5 FROM edition WHERE story_id = ?1 RETURNING number",
        params![story.id.to_row(), now.as_millisecond(), reason.into_str(), story.outlet_count(), to_json(text)?],
    )?;
    super::stories::set_lead(db, story.id, text.lead)?;
    Ok(number)
}

/// Returns the latest edition of a story that was not created for a single feed.
pub fn latest(db: &ReadConnection, story: StoryId) -> Result<Option<Edition>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 AND reason <> 'entered' ORDER BY number DESC LIMIT 1"
    );
    db.first(&sql, [story.to_row()])
}

/// Returns the published state of a story; `None` if the story is not published.
pub fn published_story(db: &ReadConnection, story: StoryId) -> Result<Option<PublishedStory>> {
    db.first(
        "SELECT created_at, edition.text ->> '$.linked' AS linked FROM story JOIN edition ON story_id = story.id
         WHERE story.id = ?1 AND published_at IS NOT NULL AND reason <> 'entered' ORDER BY number DESC LIMIT 1",
        [story.to_row()],
    )
}

/// Returns all editions of a story, in order.
pub fn list_of_story(db: &ReadConnection, story: StoryId) -> Result<Vec<Edition>> {
    let sql = format!("SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 ORDER BY number");
    db.all(&sql, [story.to_row()])
}

/// Returns the latest editions of the given stories, in the same order. Stories without an edition are omitted.
pub fn latest_entries(db: &ReadConnection, ids: &[StoryId]) -> Result<Vec<FeedEntry>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS}, story.published_at FROM edition JOIN story ON story.id = story_id
         WHERE story_id = ?1 AND reason <> 'entered' ORDER BY number DESC LIMIT 1"
    );
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let entry = db.map(&sql, [id.to_row()], |row| {
            Ok(FeedEntry { published_at: column(row, "published_at")?, edition: from_row(row)? })
        })?;
        all.extend(entry);
    }
    Ok(all)
}

/// The columns of [`Edition`]. The full article is omitted if its source no longer allows publication.
pub(super) const EDITION_COLUMNS: &str =
    "edition.story_id, edition.number, edition.made_at, edition.reason, edition.outlet_count,
     CASE WHEN edition.text ->> '$.article' IS NULL OR EXISTS (
              SELECT 1 FROM item JOIN source ON source.id = source_id
              WHERE item.id = edition.text ->> '$.lead' AND source.full_text = 'publish')
          THEN edition.text ELSE json_set(edition.text, '$.article', NULL) END AS text";
