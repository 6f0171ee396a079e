//! What the database knows about the items of a document: the facts for [`crate::identity::recognition`].

use super::Result;
use super::connection::ReadConnection;
use crate::domain::{ItemId, NewItem, SourceId, Timestamp};
use crate::identity::recognition::{StoredMatches, title_window};
use rusqlite::params;

/// The stored items of `source` that an item of a document may be. Links and titles are looked up only for a new guid.
pub(super) fn find_matches(
    db: &ReadConnection,
    source: SourceId,
    item: &NewItem,
    now: Timestamp,
) -> Result<StoredMatches> {
    let by_guid: Option<Option<ItemId>> =
        db.first("SELECT item_id FROM item_guid WHERE source_id = ?1 AND guid = ?2", params![source.0, item.guid])?;
    Ok(match by_guid {
        Some(Some(id)) => StoredMatches::Guid(id),
        Some(None) => StoredMatches::RemovedGuid,
        None => {
            let link = item.canonical_url.as_deref();
            StoredMatches::NewGuid {
                same_link: link.map(|link| find_by_link(db, source, link)).transpose()?.unwrap_or_default(),
                is_link_removed: link.map(|link| is_link_removed(db, source, link)).transpose()?.unwrap_or_default(),
                same_title: find_by_title(db, source, item, now)?,
            }
        }
    })
}

fn find_by_link(db: &ReadConnection, source: SourceId, link: &str) -> Result<Vec<ItemId>> {
    let sql = "SELECT id FROM item WHERE source_id = ?1 AND canonical_url = ?2 ORDER BY id LIMIT 2";
    db.all(sql, params![source.0, link])
}

fn is_link_removed(db: &ReadConnection, source: SourceId, link: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM link_tombstone WHERE source_id = ?1 AND canonical_url = ?2";
    db.exists(sql, params![source.0, link])
}

fn find_by_title(db: &ReadConnection, source: SourceId, item: &NewItem, now: Timestamp) -> Result<Vec<ItemId>> {
    let window = title_window(item, now);
    db.all(
        "SELECT id FROM item WHERE source_id = ?1 AND ranked_at BETWEEN ?2 AND ?3 AND title = ?4
         AND (published_at IS NOT NULL) = ?5 LIMIT 2",
        params![source.0, window.from.as_millisecond(), window.until.as_millisecond(), item.title, window.is_dated],
    )
}
