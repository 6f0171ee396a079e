//! Editions in the database: what readers were given of each story, kept as it was; and which stories are due for more.

use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, maybe_time, time, word};
use super::{Error, Result, stories};
use crate::domain::{Edition, EditionReason, EditionText, FeedEntry, ItemId, Story, StoryId, StoryPublication};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// A published story that is to be looked at.
#[derive(Debug, Clone)]
pub struct Due {
    pub story: Story,
    /// Goes up whenever the story changes: what was decided on an earlier turn is decided anew.
    pub turn: i64,
    /// When its first edition was made, and when its last.
    pub made: Option<(Timestamp, Timestamp)>,
    /// The latest edition that is not for one feed alone.
    pub latest: Option<Edition>,
}

/// The published stories whose time to be looked at has come.
pub fn due(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
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
        let latest = latest(db, story.id)?;
        let turn = turns.get(&story.id.to_row()).copied().unwrap_or_default();
        all.push(Due { story, turn, made, latest });
    }
    Ok(all)
}

/// A story was looked at: it is due again at `next`, or when it changes. Nothing where it has changed meanwhile.
pub fn looked_at(db: &WriteConnection, story: StoryId, turn: i64, next: Option<Timestamp>) -> Result<()> {
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

/// Whether nothing has changed a story since that turn.
pub fn is_turn(db: &ReadConnection, story: StoryId, turn: i64) -> Result<bool> {
    let mut same = db.prepare_cached("SELECT 1 FROM story_review_queue WHERE story_id = ?1 AND generation = ?2")?;
    Ok(same.exists(params![story.to_row(), turn])?)
}

/// An item of a published story says something else.
pub(super) fn look_at_story_of(db: &WriteConnection, item: ItemId) -> Result<()> {
    db.execute(
        "INSERT INTO story_review_queue (story_id, review_at, generation)
         SELECT story.id, 0, 1 FROM item JOIN story ON story.id = item.story_id
         WHERE item.id = ?1 AND story.published_at IS NOT NULL AND merged_into IS NULL
         ON CONFLICT (story_id) DO UPDATE SET review_at = 0, generation = generation + 1",
        [item.0],
    )?;
    Ok(())
}

/// Writes down an edition, after the story's latest one, with the item that leads the story from now on.
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
        params![story.to_row(), number, now.as_millisecond(), cause.as_str(), outlets, written],
    )?;
    db.execute("UPDATE story SET lead_item_id = ?2 WHERE id = ?1", [story.to_row(), text.lead.0])?;
    Ok(number)
}

/// The latest edition of a story that is not for one feed alone.
pub fn latest(db: &ReadConnection, story: StoryId) -> Result<Option<Edition>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 AND reason <> 'entered' ORDER BY number DESC LIMIT 1"
    );
    db.prepare_cached(&sql)?.query_row([story.to_row()], |row| Ok(edition(row))).optional()?.transpose()
}

/// All editions of a story, in order.
pub fn of_story(db: &ReadConnection, story: StoryId) -> Result<Vec<Edition>> {
    let sql = format!("SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 ORDER BY number");
    collect(&mut *db.prepare_cached(&sql)?, [story.to_row()], edition)
}

/// The latest editions of these stories, in the same order; those without one are left out.
pub fn of_stories(db: &ReadConnection, ids: &[StoryId]) -> Result<Vec<FeedEntry>> {
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

/// The columns that [`edition`] reads. What was read on a page is left out once its source no longer wants it published.
pub(super) const EDITION_COLUMNS: &str = "edition.story_id, edition.number, edition.made_at, edition.reason, edition.outlet_count, \
     CASE WHEN edition.text ->> '$.article' IS NULL OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = source_id \
          WHERE item.id = edition.text ->> '$.lead' AND full_text_mode = 'publish') \
     THEN edition.text ELSE json_set(edition.text, '$.article', NULL) END";
/// How many columns those are.
pub(super) const EDITION_WIDTH: usize = 6;

fn edition(row: &Row<'_>) -> Result<Edition> {
    let text: String = row.get(5)?;
    let text: EditionText = serde_json::from_str(&text).map_err(|e| Error::Corrupt(format!("an edition: {e}")))?;
    Ok(Edition {
        story: StoryId::from_row(row.get(0)?),
        number: row.get(1)?,
        made_at: time(row.get(2)?)?,
        cause: word(&row.get::<_, String>(3)?, EditionReason::parse)?,
        outlets: row.get(4)?,
        text,
    })
}

pub(super) fn entry(row: &Row<'_>) -> Result<FeedEntry> {
    let published = StoryPublication { at: time(row.get(EDITION_WIDTH)?)?, link: row.get(EDITION_WIDTH + 1)? };
    Ok(FeedEntry { published, edition: edition(row)? })
}
