//! Items in the database: recognised over time, revised, never duplicated.
//!
//! Within one source an item is recognised by any guid under which it was shown before, then by its canonical URL.
//! A guid or link of another source means nothing: a source can never change another's items.

use super::Result;
use super::rows::{ITEM_COLUMNS, collect, item, json_list, milliseconds};
use crate::model::{Item, ItemChange, ItemId, NewItem, SourceId, Stored};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{HashMap, HashSet};

/// Stores the items of one document of `source`: new ones are added, changed ones revised, in the document's order
/// from its end, because feeds list the newest first and ids are to follow time.
pub(super) fn store(db: &Connection, source: SourceId, items: &[NewItem], now: Timestamp) -> Result<Stored> {
    let mut stored = Stored::default();
    let shared_links = links_of_several(items);
    for new in items.iter().rev() {
        match recognise(db, source, new, &shared_links)? {
            None => stored.new.push(insert(db, source, new, now)?),
            Some(known) => stored.changed.extend(revise(db, known, new, now)?),
        }
    }
    if !stored.changed.is_empty() {
        super::stories::touch(db)?;
    }
    Ok(stored)
}

/// Links that several items of the document have, such as a front page: they tell nothing about identity.
fn links_of_several(items: &[NewItem]) -> HashMap<&str, u32> {
    let mut uses = HashMap::new();
    for link in items.iter().filter_map(|i| i.canonical_url.as_deref()) {
        *uses.entry(link).or_insert(0) += 1;
    }
    uses.retain(|_, count| *count > 1);
    uses
}

fn recognise(db: &Connection, source: SourceId, new: &NewItem, shared: &HashMap<&str, u32>) -> Result<Option<ItemId>> {
    let by_guid: Option<i64> = db
        .prepare_cached("SELECT item_id FROM item_guid WHERE source_id = ?1 AND guid = ?2")?
        .query_row(params![source.0, new.guid], |row| row.get(0))
        .optional()?;
    if let Some(id) = by_guid {
        return Ok(Some(ItemId(id)));
    }
    let Some(link) = new.canonical_url.as_deref().filter(|link| !shared.contains_key(link)) else {
        return Ok(None);
    };
    let mut by_link =
        db.prepare_cached("SELECT id FROM item WHERE source_id = ?1 AND canonical_url = ?2 ORDER BY id LIMIT 2")?;
    let same: Vec<i64> =
        by_link.query_map(params![source.0, link], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    // Two known items with this link: it is no article's own, and so no proof.
    let [id] = same[..] else { return Ok(None) };
    db.prepare_cached("INSERT INTO item_guid (source_id, guid, item_id) VALUES (?1, ?2, ?3)")?
        .execute(params![source.0, new.guid, id])?;
    Ok(Some(ItemId(id)))
}

fn insert(db: &Connection, source: SourceId, new: &NewItem, now: Timestamp) -> Result<ItemId> {
    let ranked = new.published_at.map_or(now, |claimed| claimed.min(now));
    db.prepare_cached(
        "INSERT INTO item (source_id, guid, url, canonical_url, title, summary, content, author, lang, image,
         published_at, first_seen_at, ranked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
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
    ])?;
    let id = db.last_insert_rowid();
    db.prepare_cached("INSERT INTO item_guid (source_id, guid, item_id) VALUES (?1, ?2, ?3)")?
        .execute(params![source.0, new.guid, id])?;
    Ok(ItemId(id))
}

/// Takes over what the source changed and keeps what it said before. `ranked_at` stays: re-dating moves nothing.
fn revise(db: &Connection, id: ItemId, new: &NewItem, now: Timestamp) -> Result<Option<ItemChange>> {
    let (title, summary, content, published): (String, String, Option<String>, Option<i64>) = db
        .prepare_cached("SELECT title, summary, content, published_at FROM item WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let retitled = title != new.title;
    let said_otherwise = retitled || summary != new.summary || published != milliseconds(new.published_at);
    if !said_otherwise && content == new.content {
        return Ok(None);
    }
    if said_otherwise {
        db.prepare_cached("INSERT OR IGNORE INTO item_revision VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
            id.0,
            now.as_millisecond(),
            title,
            summary,
            published
        ])?;
    }
    db.prepare_cached(
        "UPDATE item SET title = ?2, summary = ?3, content = ?4, author = ?5, image = ?6, published_at = ?7,
         url = ?8, canonical_url = ?9 WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        new.title,
        new.summary,
        new.content,
        new.author,
        new.image,
        milliseconds(new.published_at),
        new.url,
        new.canonical_url
    ])?;
    if retitled {
        // A new headline of the lead is a correction of the story, and only then does the story's date move.
        db.prepare_cached("UPDATE story SET updated_at = max(updated_at, ?2) WHERE lead_id = ?1")?
            .execute(params![id.0, now.as_millisecond()])?;
    }
    Ok(said_otherwise.then_some(ItemChange { item: id, retitled }))
}

/// Those of these guids that a source has shown before.
pub fn known(db: &Connection, source: SourceId, guids: &[&str]) -> Result<HashSet<String>> {
    let mut known = db.prepare_cached(
        "SELECT guid FROM item_guid WHERE source_id = ?1 AND guid IN (SELECT value FROM json_each(?2))",
    )?;
    Ok(collect(&mut known, params![source.0, json_list(guids)], |row| Ok(row.get(0)?))?.into_iter().collect())
}

/// Those of these guids whose items came since the source's last good poll: they were pushed.
pub fn pushed(db: &Connection, source: SourceId, guids: &[&str]) -> Result<HashSet<String>> {
    let mut pushed = db.prepare_cached(
        "SELECT item_guid.guid FROM item_guid JOIN item ON item.id = item_id
         WHERE item_guid.source_id = ?1 AND item_guid.guid IN (SELECT value FROM json_each(?2))
         AND first_seen_at > (SELECT finished_at FROM poll WHERE source_id = ?1
                              AND outcome IN ('read', 'not-modified') ORDER BY id DESC LIMIT 1)",
    )?;
    Ok(collect(&mut pushed, params![source.0, json_list(guids)], |row| Ok(row.get(0)?))?.into_iter().collect())
}

/// Items that the clusterer has not placed yet, in the order in which they were stored.
pub fn unassigned(db: &Connection, limit: u32) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM item JOIN source ON source.id = item.source_id
         WHERE item.story_id IS NULL ORDER BY item.id LIMIT ?1"
    );
    collect(&mut *db.prepare_cached(&sql)?, [limit], item)
}

/// How many items the clusterer has not placed yet.
pub fn backlog(db: &Connection) -> Result<u64> {
    let mut count = db.prepare_cached("SELECT count(*) FROM item WHERE story_id IS NULL")?;
    Ok(count.query_row([], |row| row.get::<_, i64>(0))? as u64)
}

pub fn get(db: &Connection, id: ItemId) -> Result<Option<Item>> {
    let sql = format!("SELECT {ITEM_COLUMNS} FROM item JOIN source ON source.id = item.source_id WHERE item.id = ?1");
    db.prepare_cached(&sql)?.query_row([id.0], |row| Ok(item(row))).optional()?.transpose()
}

/// What an item said before, newest first.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Revision {
    pub replaced_at: Timestamp,
    pub title: String,
    pub summary: String,
    pub published_at: Option<Timestamp>,
}

pub fn revisions(db: &Connection, id: ItemId) -> Result<Vec<Revision>> {
    let mut statement = db.prepare_cached(
        "SELECT replaced_at, title, summary, published_at FROM item_revision WHERE item_id = ?1
         ORDER BY replaced_at DESC",
    )?;
    collect(&mut statement, [id.0], |row| {
        Ok(Revision {
            replaced_at: super::rows::time(row.get(0)?)?,
            title: row.get(1)?,
            summary: row.get(2)?,
            published_at: super::rows::maybe_time(row.get(3)?)?,
        })
    })
}
