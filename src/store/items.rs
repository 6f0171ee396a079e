//! Items: recognized by [`crate::identity::recognition`], revised, never duplicated.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{ITEM_COLUMNS, collect, item, json_list, maybe_time, milliseconds, word};
use super::stored_matches::find_matches;
use crate::domain::duration::{after, before};
use crate::domain::{IngestResult, Item, ItemChange, ItemId, MatchedBy, NewItem, SourceId, StoryId};
use crate::identity::recognition::{ItemRecognition, recognize_items};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};
use std::collections::{BTreeMap, HashSet};

/// Stores the items of one document of `source`: adds new ones and revises changed ones. Works from the end of the
/// document, since feeds list the newest item first and ids should follow time.
pub(super) fn store_items(
    db: &WriteConnection,
    source: SourceId,
    items: &[NewItem],
    now: Timestamp,
) -> Result<IngestResult> {
    let mut stored = IngestResult::default();
    let mut matches = Vec::with_capacity(items.len());
    for item in items {
        matches.push(find_matches(db, source, item, now)?);
    }
    for (new, recognition) in items.iter().zip(recognize_items(items, &matches)).rev() {
        match recognition {
            ItemRecognition::New => stored.new.push(insert(db, source, new, now)?),
            ItemRecognition::Removed => super::tombstones::refresh(db, source, new, now)?,
            ItemRecognition::Known(known, rule) => {
                if rule != MatchedBy::Guid {
                    insert_guid(db, source, &new.guid, known, rule)?;
                    *stored.recognized.entry(rule).or_default() += 1;
                }
                stored.changed.extend(revise(db, known, new, now)?);
            }
        }
    }
    if !stored.changed.is_empty() {
        super::publication::touch(db)?;
    }
    Ok(stored)
}

/// Articles are fetched only for items published within this time: older ones do not take part in grouping.
const PAGES_OF: SignedDuration = SignedDuration::from_hours(48);
/// Maximum time for which an item waits for its article before it is assigned to a story.
const PAGE_PATIENCE: SignedDuration = SignedDuration::from_mins(10);

fn insert_guid(db: &WriteConnection, source: SourceId, guid: &str, item: ItemId, rule: MatchedBy) -> Result<()> {
    db.execute(
        "INSERT INTO item_guid (source_id, guid, item_id, matched_by) VALUES (?1, ?2, ?3, ?4)",
        params![source.0, guid, item.0, rule.into_str()],
    )?;
    Ok(())
}

fn insert(db: &WriteConnection, source: SourceId, new: &NewItem, now: Timestamp) -> Result<ItemId> {
    let ranked = new.published_at.map_or(now, |claimed| claimed.min(now));
    db.execute(
        "INSERT INTO item (source_id, guid, url, canonical_url, title, summary, content, author, lang, image,
         published_at, first_seen_at, ranked_at, full_text_state)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
                CASE WHEN full_text_mode <> 'no' AND ?3 IS NOT NULL AND ?13 >= ?12 - ?14 THEN 'pending' END
         FROM source WHERE id = ?1",
        params![
            source.0,
            new.guid,
            new.url,
            new.canonical_url,
            new.title,
            new.summary,
            new.content,
            new.author,
            new.lang,
            new.image,
            milliseconds(new.published_at),
            now.as_millisecond(),
            ranked.as_millisecond(),
            PAGES_OF.as_millis() as i64,
        ],
    )?;
    let id = ItemId(db.last_insert_rowid());
    insert_guid(db, source, &new.guid, id, MatchedBy::Guid)?;
    Ok(id)
}

/// Replaced content longer than this many bytes is not kept, and at most this many revisions are: a live blog changes
/// with every poll.
const MAX_KEPT: usize = 16 * 1024;
const MAX_REVISIONS: u32 = 30;

/// Stores the source's changes and keeps the previous version. `ranked_at` stays, so that a new date moves nothing.
fn revise(db: &WriteConnection, id: ItemId, new: &NewItem, now: Timestamp) -> Result<Option<ItemChange>> {
    let (title, summary, content, published): (String, String, Option<String>, Option<i64>) = db
        .prepare_cached("SELECT title, summary, content, published_at FROM item WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let retitled = title != new.title;
    let said_otherwise = retitled || summary != new.summary || published != milliseconds(new.published_at);
    if !said_otherwise && content == new.content {
        return Ok(None);
    }
    let old_content = content.filter(|content| Some(content) != new.content.as_ref() && content.len() <= MAX_KEPT);
    db.execute(
        "INSERT OR IGNORE INTO item_revision VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.0, now.as_millisecond(), title, summary, published, old_content],
    )?;
    // The first revision shows the original report, the last ones its development.
    db.execute(
        "DELETE FROM item_revision WHERE item_id = ?1
         AND replaced_at NOT IN (SELECT min(replaced_at) FROM item_revision WHERE item_id = ?1)
         AND replaced_at NOT IN (SELECT replaced_at FROM item_revision WHERE item_id = ?1
                                 ORDER BY replaced_at DESC LIMIT ?2)",
        params![id.0, MAX_REVISIONS],
    )?;
    db.execute(
        "UPDATE item SET title = ?2, summary = ?3, content = ?4, author = ?5, image = ?6, published_at = ?7,
         url = ?8, canonical_url = ?9 WHERE id = ?1",
        params![
            id.0,
            new.title,
            new.summary,
            new.content,
            new.author,
            new.image,
            milliseconds(new.published_at),
            new.url,
            new.canonical_url
        ],
    )?;
    if retitled {
        // A new headline of the lead corrects the story. Only then does the story's update time change.
        db.execute(
            "UPDATE story SET updated_at = max(updated_at, ?2) WHERE lead_item_id = ?1",
            params![id.0, now.as_millisecond()],
        )?;
    }
    if retitled || summary != new.summary {
        super::review_queue::enqueue_story_of_item(db, id)?;
    }
    Ok(said_otherwise.then_some(ItemChange { item: id, title_changed: retitled }))
}

/// The guids among these that a source has shown before.
pub fn known_guids(db: &ReadConnection, source: SourceId, guids: &[&str]) -> Result<HashSet<String>> {
    let mut known = db.prepare_cached(
        "SELECT guid FROM item_guid WHERE source_id = ?1 AND guid IN (SELECT value FROM json_each(?2))",
    )?;
    Ok(collect(&mut known, params![source.0, json_list(guids)], |row| Ok(row.get(0)?))?.into_iter().collect())
}

/// The guids among these whose items arrived since the source's last successful poll: a hub pushed them.
pub fn pushed_guids(db: &ReadConnection, source: SourceId, guids: &[&str]) -> Result<HashSet<String>> {
    let mut pushed = db.prepare_cached(
        "SELECT item_guid.guid FROM item_guid JOIN item ON item.id = item_id
         WHERE item_guid.source_id = ?1 AND item_guid.guid IN (SELECT value FROM json_each(?2))
         AND first_seen_at > (SELECT finished_at FROM poll WHERE source_id = ?1
                              AND outcome IN ('read', 'not-modified') ORDER BY id DESC LIMIT 1)",
    )?;
    Ok(collect(&mut pushed, params![source.0, json_list(guids)], |row| Ok(row.get(0)?))?.into_iter().collect())
}

/// Items without a story, in the order in which they were stored. Items that wait for their article are omitted for a
/// while.
pub fn unassigned(db: &ReadConnection, limit: u32, now: Timestamp) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM item JOIN source ON source.id = item.source_id
         WHERE item.story_id IS NULL AND NOT (item.full_text_state IS 'pending' AND item.first_seen_at > ?2)
         ORDER BY item.id LIMIT ?1"
    );
    let patience = before(now, PAGE_PATIENCE).as_millisecond();
    collect(&mut *db.prepare_cached(&sql)?, params![limit, patience], item)
}

/// When the first item that waits for its article becomes assignable without it.
pub fn next_assignable_at(db: &ReadConnection, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut first = db.prepare_cached(
        "SELECT min(first_seen_at) FROM item WHERE full_text_state = 'pending' AND story_id IS NULL AND first_seen_at > ?1",
    )?;
    let patience = before(now, PAGE_PATIENCE).as_millisecond();
    let first_seen_at = maybe_time(first.query_row([patience], |row| row.get(0))?)?;
    Ok(first_seen_at.map(|at| after(at, PAGE_PATIENCE)))
}

/// The number of items without a story.
pub fn count_unassigned(db: &ReadConnection) -> Result<u64> {
    let mut count = db.prepare_cached("SELECT count(*) FROM item WHERE story_id IS NULL")?;
    Ok(count.query_row([], |row| row.get::<_, i64>(0))? as u64)
}

pub fn get(db: &ReadConnection, id: ItemId) -> Result<Option<Item>> {
    let sql = format!("SELECT {ITEM_COLUMNS} FROM item JOIN source ON source.id = item.source_id WHERE item.id = ?1");
    db.prepare_cached(&sql)?.query_row([id.0], |row| Ok(item(row))).optional()?.transpose()
}

/// An earlier version of an item.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ItemRevision {
    pub replaced_at: Timestamp,
    pub title: String,
    pub summary: String,
    pub published_at: Option<Timestamp>,
    /// The content, if it changed.
    pub content: Option<String>,
}

pub fn revisions(db: &ReadConnection, id: ItemId) -> Result<Vec<ItemRevision>> {
    let mut statement = db.prepare_cached(
        "SELECT replaced_at, title, summary, published_at, content FROM item_revision WHERE item_id = ?1
         ORDER BY replaced_at DESC",
    )?;
    collect(&mut statement, [id.0], |row| {
        Ok(ItemRevision {
            replaced_at: super::rows::time(row.get(0)?)?,
            title: row.get(1)?,
            summary: row.get(2)?,
            published_at: super::rows::maybe_time(row.get(3)?)?,
            content: row.get(4)?,
        })
    })
}

/// An earlier headline of an item, as readers see it.
#[derive(Debug, Clone)]
pub struct EarlierText {
    pub until: Timestamp,
    pub title: String,
    pub summary: String,
}

/// The earlier headlines of a story's items, newest first.
pub fn earlier_texts(db: &ReadConnection, story: StoryId) -> Result<BTreeMap<ItemId, Vec<EarlierText>>> {
    let mut statement = db.prepare_cached(
        "SELECT item_id, replaced_at, item_revision.title, item_revision.summary
         FROM item CROSS JOIN item_revision ON item_id = item.id
         WHERE story_id = ?1 ORDER BY item_id, replaced_at DESC",
    )?;
    let mut said: BTreeMap<ItemId, Vec<EarlierText>> = BTreeMap::new();
    for (item, earlier) in collect(&mut statement, [story.to_row()], |row| {
        let until = super::rows::time(row.get(1)?)?;
        Ok((ItemId(row.get(0)?), EarlierText { until, title: row.get(2)?, summary: row.get(3)? }))
    })? {
        said.entry(item).or_default().push(earlier);
    }
    Ok(said)
}

/// The number of items of a source per day, from the first to the last day, by days since 1970 in UTC. Days without
/// items are omitted.
pub fn count_per_day(db: &ReadConnection, source: SourceId, first: i64, last: i64) -> Result<BTreeMap<i64, u64>> {
    const DAY: i64 = 86_400_000;
    let mut statement = db.prepare_cached(
        "SELECT ranked_at / ?4, count(*) FROM item WHERE source_id = ?1 AND ranked_at >= ?2 AND ranked_at < ?3
         GROUP BY 1",
    )?;
    let counted = collect(&mut statement, params![source.0, first * DAY, (last + 1) * DAY, DAY], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
    })?;
    Ok(counted.into_iter().collect())
}

/// The guids under which an item was shown after the first one, and how it was recognized each time.
pub fn rewritten_guids(db: &ReadConnection, id: ItemId) -> Result<Vec<(String, MatchedBy)>> {
    let mut statement = db.prepare_cached(
        "SELECT guid, matched_by FROM item_guid WHERE item_id = ?1 AND matched_by <> 'guid' ORDER BY guid",
    )?;
    collect(&mut statement, [id.0], |row| Ok((row.get(0)?, word(&row.get::<_, String>(1)?)?)))
}
