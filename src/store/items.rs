//! Stores items that [`crate::identity::recognition`] has matched. Items are revised and never duplicated.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::identity_lookup::{find_by_canonical_url, find_matches, has_listed_items};
use super::item_content::stored_content;
use super::item_revisions;
use super::row_conversion::{EMBEDDING, ITEM_COLUMNS, column, from_row, json_list, milliseconds, to_json};
use crate::domain::duration::before;
use crate::domain::full_text_rules::{MAX_ARTICLE_WAIT, may_fetch_article};
use crate::domain::item_date::ranking_date;
use crate::domain::{IngestResult, Item, ItemChange, ItemId, MatchedBy, NewItem, SourceId};
use crate::identity::document_guids::{derive_other_guid, is_derived_guid};
use crate::identity::links::separate_links;
use crate::identity::recognition::{ItemRecognition, StoredMatches, recognize_items};
use crate::identity::revision::find_revision;
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// Stores the items of one document of `source`: adds new items and revises changed items. Processes the document in
/// reverse, because feeds list the newest item first and IDs should increase with time.
pub(super) fn store_items(
    db: &WriteConnection,
    source: SourceId,
    items: &[NewItem],
    now: Timestamp,
) -> Result<IngestResult> {
    let mut stored = IngestResult::default();
    let mut matches = vec![StoredMatches::default(); items.len()];
    if has_listed_items(db, source)? {
        for (item, matches) in items.iter().zip(&mut matches) {
            *matches = find_matches(db, source, item, now)?;
        }
    }
    for (new, recognition) in items.iter().zip(recognize_items(items, &matches)).rev() {
        match recognition {
            ItemRecognition::New => {
                stored.new.push(insert(db, source, new, now)?);
                stored.backlog += u32::from(new.backlog_reason.is_some());
            }
            ItemRecognition::Removed => super::tombstones::refresh(db, source, new, now)?,
            ItemRecognition::Known(known, rule) => {
                // A guid that newsfold derived changes whenever the item changes.
                if rule != MatchedBy::Guid && !is_derived_guid(&new.guid) {
                    insert_guid(db, source, &new.guid, known, rule)?;
                    *stored.recognized.entry(rule).or_default() += 1;
                }
                stored.changed.extend(revise(db, source, known, new, now)?);
            }
        }
    }
    if !stored.changed.is_empty() {
        super::publication::touch(db)?;
    }
    Ok(stored)
}

fn insert_guid(db: &WriteConnection, source: SourceId, guid: &str, item: ItemId, rule: MatchedBy) -> Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO item_guid (source_id, guid_hash, item_id, matched_by, guid)
         VALUES (?1, text_hash(?2), ?3, ?4, CASE WHEN ?4 <> 'guid' THEN ?2 END)",
        params![source.0, guid, item.0, rule.into_str()],
    )?;
    Ok(())
}

fn insert(db: &WriteConnection, source: SourceId, new: &NewItem, now: Timestamp) -> Result<ItemId> {
    let ranked_at = ranking_date(new.published_at, new.is_day_only, now);
    let guid = unused_guid(db, source, new)?;
    let canonical_url = separate_link(db, source, None, new)?;
    db.execute(
        "INSERT INTO item (source_id, guid, url, canonical_url, link_hash, title, summary, content, author, lang, image,
         published_at, first_seen_at, ranked_at, backlog_reason, reporter_name, reporter_outlet, enclosures,
         categories, full_text_state)
         SELECT ?1, CASE WHEN ?2 = ?3 THEN '' ELSE ?2 END, ?3, nullif(?4, canonical_url(?3)), text_hash(?4), ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?15, ?16, ?17, ?18, nullif(?19, '[]'),
                CASE WHEN source.full_text <> 'no' AND ?14 THEN 'pending' END
         FROM source WHERE id = ?1",
        params![
            source.0,
            guid,
            new.url,
            canonical_url,
            new.title,
            new.summary,
            stored_content(new.content.as_deref(), &new.summary),
            new.author,
            new.lang,
            new.image,
            milliseconds(new.published_at),
            now.as_millisecond(),
            ranked_at.as_millisecond(),
            may_fetch_article(new, ranked_at, now),
            new.backlog_reason.map(|reason| reason.into_str()),
            new.reporter.as_ref().map(|reporter| &reporter.name),
            new.reporter.as_ref().and_then(|reporter| reporter.outlet.as_ref()),
            to_json(&new.enclosures)?,
            to_json(&new.categories)?,
        ],
    )?;
    let id = ItemId(db.last_insert_rowid());
    insert_guid(db, source, &guid, id, MatchedBy::Guid)?;
    Ok(id)
}

/// Returns the guid of a new item, or a replacement if another item has this guid.
fn unused_guid(db: &WriteConnection, source: SourceId, new: &NewItem) -> Result<String> {
    let mut guid = new.guid.clone();
    let mut attempt = 0;
    while db
        .exists("SELECT 1 FROM item_guid WHERE source_id = ?1 AND guid_hash = text_hash(?2)", params![source.0, guid])?
    {
        attempt += 1;
        guid = derive_other_guid(new, attempt);
    }
    Ok(guid)
}

/// Returns the canonical URL to store for an item. If its link differs from other items' links only in a part that the
/// canonical form omits, all these items keep that part.
fn separate_link(db: &WriteConnection, source: SourceId, id: Option<ItemId>, new: &NewItem) -> Result<Option<String>> {
    let (Some(url), Some(canonical_url)) = (&new.url, &new.canonical_url) else { return Ok(None) };
    let Some(separated) = separate_links(url, &find_by_canonical_url(db, source, canonical_url, id)?) else {
        return Ok(Some(canonical_url.clone()));
    };
    for (other, link) in separated.stored {
        db.execute(
            "UPDATE item SET canonical_url = ?2, link_hash = text_hash(?2) WHERE id = ?1",
            params![other.0, link],
        )?;
    }
    Ok(Some(separated.new))
}

/// Stores the source's changes and keeps the previous version. `ranked_at` is unchanged, so the item does not move.
fn revise(
    db: &WriteConnection,
    source: SourceId,
    id: ItemId,
    new: &NewItem,
    now: Timestamp,
) -> Result<Option<ItemChange>> {
    let old = item_revisions::current(db, id)?;
    let Some(revision) = find_revision(old.version(), new.into()) else {
        // Adding an enclosure does not create a revision of the text.
        let sql = "UPDATE item SET enclosures = ?2 WHERE id = ?1 AND enclosures <> ?2";
        db.execute(sql, params![id.0, to_json(&new.enclosures)?])?;
        return Ok(None);
    };
    let canonical_url = separate_link(db, source, Some(id), new)?;
    item_revisions::keep(db, id, old, new, now)?;
    db.execute(
        "UPDATE item SET title = ?2, summary = ?3, content = ?4, author = ?5, image = ?6, published_at = ?7,
         guid = CASE WHEN guid = '' AND url IS NOT ?8 THEN url ELSE guid END,
         canonical_url = CASE WHEN url IS ?8 THEN canonical_url ELSE nullif(?9, canonical_url(?8)) END,
         link_hash = CASE WHEN url IS ?8 THEN link_hash ELSE text_hash(?9) END, url = ?8,
         reporter_name = ?10, reporter_outlet = ?11, enclosures = ?12 WHERE id = ?1",
        params![
            id.0,
            new.title,
            new.summary,
            stored_content(new.content.as_deref(), &new.summary),
            new.author,
            new.image,
            milliseconds(new.published_at),
            new.url,
            canonical_url,
            new.reporter.as_ref().map(|reporter| &reporter.name),
            new.reporter.as_ref().and_then(|reporter| reporter.outlet.as_ref()),
            to_json(&new.enclosures)?,
        ],
    )?;
    if revision.title_changed {
        // A new headline of the lead corrects the story. No other revision changes the story's update time.
        db.execute(
            "UPDATE story SET updated_at = max(updated_at, ?2) WHERE lead_item_id = ?1",
            params![id.0, now.as_millisecond()],
        )?;
    }
    if revision.text_changed {
        super::review_queue::enqueue_story_of_item(db, id)?;
    }
    Ok(revision.is_reported.then_some(ItemChange { item: id, title_changed: revision.title_changed }))
}

/// Returns the given guids that a source has used before.
pub fn known_guids(db: &ReadConnection, source: SourceId, guids: &[&str]) -> Result<HashSet<String>> {
    let known: Vec<String> = db.all(
        "SELECT value FROM json_each(?2) WHERE EXISTS (
             SELECT 1 FROM item_guid WHERE source_id = ?1 AND guid_hash = text_hash(value))",
        params![source.0, json_list(guids)],
    )?;
    Ok(known.into_iter().collect())
}

/// Returns the given guids whose items arrived after the source's last successful poll. A hub pushed these items.
pub fn pushed_guids(db: &ReadConnection, source: SourceId, guids: &[&str]) -> Result<HashSet<String>> {
    let pushed: Vec<String> = db.all(
        "SELECT value FROM json_each(?2) JOIN item_guid ON item_guid.source_id = ?1 AND guid_hash = text_hash(value)
         JOIN item ON item.id = item_id
         WHERE first_seen_at > (SELECT finished_at FROM poll WHERE source_id = ?1
                              AND outcome IN ('read', 'not-modified') ORDER BY id DESC LIMIT 1)",
        params![source.0, json_list(guids)],
    )?;
    Ok(pushed.into_iter().collect())
}

/// Returns the items without a story, in the order in which they were stored. Items that wait for their article are
/// omitted for a limited time.
pub fn unassigned(db: &ReadConnection, limit: u32, now: Timestamp) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, {EMBEDDING} FROM item JOIN source ON source.id = item.source_id
         WHERE item.story_id IS NULL AND NOT (item.full_text_state IS 'pending' AND item.first_seen_at > ?2)
         ORDER BY item.id LIMIT ?1"
    );
    db.all(&sql, params![limit, before(now, MAX_ARTICLE_WAIT).as_millisecond()])
}

/// Returns the number of backlog items of a source.
pub fn count_backlog(db: &ReadConnection, source: SourceId) -> Result<u64> {
    db.one("SELECT count(*) FROM item WHERE source_id = ?1 AND backlog_reason IS NOT NULL", [source.0])
}

/// Returns the number of items without a story.
pub fn count_unassigned(db: &ReadConnection) -> Result<u64> {
    db.one("SELECT count(*) FROM item WHERE story_id IS NULL", [])
}

pub fn get(db: &ReadConnection, id: ItemId) -> Result<Option<Item>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, {EMBEDDING} FROM item JOIN source ON source.id = item.source_id WHERE item.id = ?1"
    );
    db.first(&sql, [id.0])
}

/// Returns the number of items of a source per day, from the first to the last day. Days are counted from 1970 in UTC.
/// Days without items are omitted.
pub fn count_per_day(db: &ReadConnection, source: SourceId, first: i64, last: i64) -> Result<BTreeMap<i64, u64>> {
    const DAY: i64 = 86_400_000;
    let counts: Vec<(i64, u64)> = db.all(
        "SELECT ranked_at / ?4, count(*) FROM item WHERE source_id = ?1 AND ranked_at >= ?2 AND ranked_at < ?3
         GROUP BY 1",
        params![source.0, first * DAY, (last + 1) * DAY, DAY],
    )?;
    Ok(counts.into_iter().collect())
}

/// The number of days before a source's last poll in which its items are counted.
pub const ACTIVITY_DAYS: i64 = 7;

/// The publishing activity of a source.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SourceActivity {
    /// The date of its newest item.
    pub last_item_at: Option<Timestamp>,
    /// The number of items in the [`ACTIVITY_DAYS`] days before its last poll.
    pub recent_items: u64,
}

/// Returns the activity of the given sources.
pub fn source_activity(db: &ReadConnection, sources: &[SourceId]) -> Result<BTreeMap<SourceId, SourceActivity>> {
    let sources = json_list(&sources.iter().map(|source| source.0).collect::<Vec<_>>());
    let all: Vec<(SourceId, SourceActivity)> = db.map(
        "SELECT source.id AS source, (SELECT max(ranked_at) FROM item WHERE source_id = source.id) AS last_item_at,
                (SELECT count(*) FROM item WHERE source_id = source.id AND ranked_at > last_poll_at - ?2) AS recent_items
         FROM json_each(?1) AS wanted JOIN source ON source.id = wanted.value",
        params![sources, ACTIVITY_DAYS * 86_400_000],
        |row| Ok((column(row, "source")?, from_row(row)?)),
    )?;
    Ok(all.into_iter().collect())
}

/// A later guid of an item, and the rule by which the item was recognized.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct RewrittenGuid {
    pub guid: String,
    pub matched_by: MatchedBy,
}

/// Returns all guids of an item except the first guid.
pub fn rewritten_guids(db: &ReadConnection, id: ItemId) -> Result<Vec<RewrittenGuid>> {
    db.all("SELECT guid, matched_by FROM item_guid WHERE item_id = ?1 AND guid IS NOT NULL ORDER BY guid", [id.0])
}
