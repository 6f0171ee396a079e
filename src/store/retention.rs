//! Retention: deletes old poll records, and stories without recent changes, together with their items.
//!
//! A source may list an old item for years, and the item must not reappear as news. Each deleted item therefore leaves
//! tombstones for its guids and its link. The tombstones are kept until the source has not listed the item for some
//! time.

use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::json_list;
use super::{Result, storyline_membership, tombstones};
use crate::domain::Timestamp;
use rusqlite::params;

/// The number of stories deleted in one transaction. The number is small, so that other writes do not wait long.
const BATCH: u32 = 500;

/// The number of newest published stories that the daemon keeps regardless of age.
pub const MIN_KEPT_STORIES: u32 = 1_000;

/// The stories to keep.
#[derive(Debug, Clone, Copy)]
pub struct RetentionPolicy {
    /// A story is kept if it was created, was changed or got an item after this time.
    pub from: Timestamp,
    /// The number of newest published stories that are kept regardless of age, so that a feed with few stories never
    /// becomes empty.
    pub newest: u32,
}

/// Deletes the poll records before a time, except the newest record of each source, and all events, requests and expired
/// holds before it. Then updates SQLite's statistics. Returns the number of deleted poll records.
pub fn delete_old_polls(db: &WriteConnection, before: Timestamp) -> Result<usize> {
    let deleted = db.execute(
        "DELETE FROM poll WHERE started_at < ?1
         AND id <> (SELECT max(id) FROM poll newest WHERE newest.source_id = poll.source_id)",
        [before.as_millisecond()],
    )?;
    super::operator_events::delete_before(db, before)?;
    super::origins::delete_expired_holds(db, before)?;
    super::origins::delete_requests_before(db, before)?;
    db.sqlite().execute_batch("PRAGMA optimize")?;
    Ok(deleted)
}

/// Deletes a batch of stories and returns their number. The caller repeats the call until the number is 0.
pub fn delete_old_stories(db: &WriteConnection, keep: RetentionPolicy, now: Timestamp) -> Result<usize> {
    let old: Vec<i64> = db.all(
        "SELECT id FROM story WHERE merged_into IS NULL AND updated_at < ?1 AND created_at < ?1
         AND NOT EXISTS (SELECT 1 FROM item WHERE story_id = story.id AND first_seen_at >= ?1)
         AND id NOT IN (SELECT id FROM story WHERE published_at IS NOT NULL AND merged_into IS NULL
                        ORDER BY published_at DESC, id DESC LIMIT ?2)
         ORDER BY updated_at LIMIT ?3",
        params![keep.from.as_millisecond(), keep.newest, BATCH],
    )?;
    if old.is_empty() {
        return Ok(0);
    }
    let stories = with_merged(db, &old)?;
    let of_stories = "SELECT id FROM item WHERE story_id IN (SELECT value FROM json_each(?1))";
    let items: Vec<i64> = db.all(of_stories, [json_list(&stories)])?;
    tombstones::create(db, &json_list(&items), now)?;
    let stories = with_leaderless(db, &items, stories)?;
    let (items, stories) = (json_list(&items), json_list(&stories));
    let of_storylines = "SELECT DISTINCT storyline_id FROM story WHERE id IN (SELECT value FROM json_each(?1))";
    let storylines: Vec<i64> = db.all(of_storylines, [&stories])?;
    // Editions are deleted before their items. Otherwise, each edition would get a copy of the text of its item.
    db.execute("DELETE FROM edition WHERE story_id IN (SELECT value FROM json_each(?1))", [&stories])?;
    for sql in [
        "UPDATE item SET copy_of = NULL WHERE copy_of IN (SELECT value FROM json_each(?1))",
        "DELETE FROM item_revision WHERE item_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM grouping_constraint_item WHERE item_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM item WHERE id IN (SELECT value FROM json_each(?1))",
    ] {
        db.execute(sql, [&items])?;
    }
    for sql in [
        "DELETE FROM grouping_constraint_item WHERE previous_story_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM story WHERE id IN (SELECT value FROM json_each(?1))",
    ] {
        db.execute(sql, [&stories])?;
    }
    storyline_membership::delete_empty(db, &storylines)?;
    db.execute(
        "DELETE FROM grouping_constraint WHERE id NOT IN (SELECT constraint_id FROM grouping_constraint_item)",
        [],
    )?;
    super::publication::touch(db)?;
    Ok(old.len())
}

/// Chooses a new lead for each kept story whose lead is deleted, which can happen after a merge or after an item has
/// moved. The new lead is another item of the story or of its redirect target. A story without such an item is also
/// deleted.
fn with_leaderless(db: &WriteConnection, items: &[i64], mut stories: Vec<i64>) -> Result<Vec<i64>> {
    let (gone, going) = (json_list(items), json_list(&stories));
    db.execute(
        "UPDATE story SET lead_item_id = coalesce(
             (SELECT id FROM item WHERE story_id IN (story.id, story.merged_into)
              AND id NOT IN (SELECT value FROM json_each(?1)) ORDER BY ranked_at, id LIMIT 1), lead_item_id)
         WHERE lead_item_id IN (SELECT value FROM json_each(?1)) AND id NOT IN (SELECT value FROM json_each(?2))",
        [&gone, &going],
    )?;
    let leaderless: Vec<i64> = db.all(
        "SELECT id FROM story WHERE lead_item_id IN (SELECT value FROM json_each(?1))
         AND id NOT IN (SELECT value FROM json_each(?2))",
        [&gone, &going],
    )?;
    stories.extend(with_merged(db, &leaderless)?);
    Ok(stories)
}

/// Returns the given stories and all stories that redirect to them.
fn with_merged(db: &ReadConnection, stories: &[i64]) -> Result<Vec<i64>> {
    db.all(
        "WITH RECURSIVE gone (id) AS (
             SELECT value FROM json_each(?1)
             UNION SELECT story.id FROM story JOIN gone ON story.merged_into = gone.id)
         SELECT id FROM gone",
        [json_list(stories)],
    )
}
