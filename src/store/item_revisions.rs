//! The earlier versions of items. [`crate::identity::revision`] decides what is a revision.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::milliseconds;
use crate::domain::{ItemId, NewItem, StoryId};
use crate::identity::revision::{ItemVersion, kept_content};
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The maximum number of revisions of an item. The limit exists because a live blog changes with every poll.
const MAX_REVISIONS: u32 = 30;

/// An earlier version of an item.
#[derive(Debug, Clone, serde::Serialize, Deserialize)]
pub struct ItemRevision {
    pub replaced_at: Timestamp,
    pub title: String,
    pub summary: String,
    pub published_at: Option<Timestamp>,
    /// The previous content, if it changed.
    pub content: Option<String>,
}

impl ItemRevision {
    /// Returns the fields that a revision can change.
    pub(super) fn version(&self) -> ItemVersion<'_> {
        let ItemRevision { title, summary, published_at, content, .. } = self;
        ItemVersion { title, summary, content: content.as_deref(), published_at: *published_at }
    }
}

/// Returns the current version of an item. Its time is that at which the item was first seen.
pub(super) fn current(db: &WriteConnection, id: ItemId) -> Result<ItemRevision> {
    db.one(
        "SELECT title, summary, original_content(content, summary) AS content, published_at, first_seen_at AS replaced_at
         FROM item WHERE id = ?1",
        [id.0],
    )
}

/// Keeps the version `old`, which `new` replaces.
pub(super) fn keep(db: &WriteConnection, id: ItemId, old: ItemRevision, new: &NewItem, now: Timestamp) -> Result<()> {
    let old_content = kept_content(old.content, new.content.as_deref());
    db.execute(
        "INSERT OR IGNORE INTO item_revision (item_id, replaced_at, title, summary, published_at, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.0, now.as_millisecond(), old.title, old.summary, milliseconds(old.published_at), old_content],
    )?;
    // The first revision shows the original report, and the last revisions show its development.
    db.execute(
        "DELETE FROM item_revision WHERE item_id = ?1
         AND replaced_at NOT IN (SELECT min(replaced_at) FROM item_revision WHERE item_id = ?1)
         AND replaced_at NOT IN (SELECT replaced_at FROM item_revision WHERE item_id = ?1
                                 ORDER BY replaced_at DESC LIMIT ?2)",
        params![id.0, MAX_REVISIONS],
    )?;
    Ok(())
}

/// Returns the earlier versions of an item, newest first.
pub fn revisions(db: &ReadConnection, id: ItemId) -> Result<Vec<ItemRevision>> {
    db.all("SELECT * FROM item_revision WHERE item_id = ?1 ORDER BY replaced_at DESC", [id.0])
}

/// An earlier headline and summary of an item, as shown to readers.
#[derive(Debug, Clone, Deserialize)]
pub struct EarlierText {
    #[serde(rename = "item_id")]
    pub item: ItemId,
    pub replaced_at: Timestamp,
    pub title: String,
    pub summary: String,
}

/// Returns the earlier headlines and summaries of a story's items, newest first.
pub fn earlier_texts(db: &ReadConnection, story: StoryId) -> Result<BTreeMap<ItemId, Vec<EarlierText>>> {
    let all: Vec<EarlierText> = db.all(
        "SELECT item_id, replaced_at, item_revision.title, item_revision.summary
         FROM item CROSS JOIN item_revision ON item_id = item.id
         WHERE story_id = ?1 ORDER BY item_id, replaced_at DESC",
        [story.to_row()],
    )?;
    let mut by_item: BTreeMap<ItemId, Vec<EarlierText>> = BTreeMap::new();
    for earlier in all {
        by_item.entry(earlier.item).or_default().push(earlier);
    }
    Ok(by_item)
}
