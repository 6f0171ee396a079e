//! The editions of stories. Written once, never changed.

use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, time, word};
use super::{Error, Result};
use crate::domain::{Edition, EditionReason, EditionText, FeedEntry, StoryId, StoryPublication};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

/// Adds an edition after the story's latest one, and makes its lead the story's lead.
pub fn add(
    db: &WriteConnection,
    story: StoryId,
    cause: EditionReason,
    outlets: u32,
    text: &EditionText,
    now: Timestamp,
) -> Result<u32> {
    let number: u32 = db
        .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM edition WHERE story_id = ?1")?
        .query_row([story.to_row()], |row| row.get(0))?;
    let written = serde_json::to_string(text).map_err(|e| Error::Corrupt(e.to_string()))?;
    db.execute(
        "INSERT INTO edition (story_id, number, made_at, reason, outlet_count, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![story.to_row(), number, now.as_millisecond(), cause.into_str(), outlets, written],
    )?;
    db.execute("UPDATE story SET lead_item_id = ?2 WHERE id = ?1", [story.to_row(), text.lead.0])?;
    Ok(number)
}

/// The latest edition of a story that was not made for a single feed.
pub fn latest(db: &ReadConnection, story: StoryId) -> Result<Option<Edition>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 AND reason <> 'entered' ORDER BY number DESC LIMIT 1"
    );
    db.prepare_cached(&sql)?.query_row([story.to_row()], |row| Ok(edition(row))).optional()?.transpose()
}

/// All editions of a story, in order.
pub fn list_of_story(db: &ReadConnection, story: StoryId) -> Result<Vec<Edition>> {
    let sql = format!("SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 ORDER BY number");
    collect(&mut *db.prepare_cached(&sql)?, [story.to_row()], edition)
}

/// The latest editions of these stories, in the same order. Stories without an edition are omitted.
pub fn latest_entries(db: &ReadConnection, ids: &[StoryId]) -> Result<Vec<FeedEntry>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS}, story.published_at, published_link FROM edition JOIN story ON story.id = story_id
         WHERE story_id = ?1 AND reason <> 'entered' ORDER BY number DESC LIMIT 1"
    );
    let mut one = db.prepare_cached(&sql)?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        all.extend(collect(&mut one, [id.to_row()], entry)?);
    }
    Ok(all)
}

/// The columns that [`edition`] reads. The full article is omitted once its source no longer allows its publication.
pub(super) const EDITION_COLUMNS: &str = "edition.story_id, edition.number, edition.made_at, edition.reason, edition.outlet_count, \
     CASE WHEN edition.text ->> '$.article' IS NULL OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = source_id \
          WHERE item.id = edition.text ->> '$.lead' AND full_text_mode = 'publish') \
     THEN edition.text ELSE json_set(edition.text, '$.article', NULL) END";
/// The number of these columns.
pub(super) const EDITION_WIDTH: usize = 6;

fn edition(row: &Row<'_>) -> Result<Edition> {
    let text: String = row.get(5)?;
    let text: EditionText = serde_json::from_str(&text).map_err(|e| Error::Corrupt(format!("an edition: {e}")))?;
    Ok(Edition {
        story: StoryId::from_row(row.get(0)?),
        number: row.get(1)?,
        made_at: time(row.get(2)?)?,
        reason: word(&row.get::<_, String>(3)?)?,
        outlet_count: row.get(4)?,
        text,
    })
}

pub(super) fn entry(row: &Row<'_>) -> Result<FeedEntry> {
    let published = StoryPublication { at: time(row.get(EDITION_WIDTH)?)?, link: row.get(EDITION_WIDTH + 1)? };
    Ok(FeedEntry { published, edition: edition(row)? })
}
