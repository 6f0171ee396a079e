//! Tombstones of deleted items: a source may list an old item for years, and the item must not reappear as news.
//!
//! Tombstones keep the guids, link, title, date and text hash of an item until the source has not listed the item for
//! some time.

use super::Result;
use super::connection::WriteConnection;
use super::identity_lookup::exact_link;
use super::row_conversion::CANONICAL_URL;
use crate::domain::duration::before;
use crate::domain::{NewItem, SourceId, Timestamp};
use jiff::SignedDuration;
use rusqlite::params;

/// The time after which a tombstone expires if the source no longer lists the item.
const TOMBSTONE_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The precision of the time at which an item was last listed, so that not every poll needs a write.
const LISTING_PRECISION: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn create(db: &WriteConnection, items: &str, now: Timestamp) -> Result<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO link_tombstone
             (source_id, canonical_url, title, text_hash, published_at, last_shown_at)
         SELECT source_id, {CANONICAL_URL}, title, text_hash(summary), published_at, ?2 FROM item
         WHERE link_hash IS NOT NULL AND id IN (SELECT value FROM json_each(?1))"
    );
    db.execute(&sql, params![items, now.as_millisecond()])?;
    db.execute(
        "UPDATE item_guid SET item_id = NULL, guid = NULL, last_shown_at = ?2
         WHERE item_id IN (SELECT value FROM json_each(?1))",
        params![items, now.as_millisecond()],
    )?;
    Ok(())
}

/// Renews the tombstone of a deleted item that its source still lists.
pub(super) fn refresh(db: &WriteConnection, source: SourceId, item: &NewItem, now: Timestamp) -> Result<()> {
    let (now, yesterday) = (now.as_millisecond(), before(now, LISTING_PRECISION).as_millisecond());
    db.execute(
        "INSERT INTO item_guid (source_id, guid_hash, item_id, matched_by, last_shown_at)
         VALUES (?1, text_hash(?2), NULL, 'guid', ?3)
         ON CONFLICT (source_id, guid_hash) DO UPDATE SET last_shown_at = ?3 WHERE item_id IS NULL AND last_shown_at < ?4",
        params![source.0, item.guid, now, yesterday],
    )?;
    db.execute(
        "UPDATE link_tombstone SET last_shown_at = ?3
         WHERE source_id = ?1 AND canonical_url IN (?2, ?5) AND title = ?6 AND last_shown_at < ?4",
        params![source.0, item.canonical_url, now, yesterday, exact_link(item), item.title],
    )?;
    Ok(())
}

/// Deletes the tombstones of items that their sources no longer list.
pub fn delete_expired(db: &WriteConnection, now: Timestamp) -> Result<()> {
    let unseen = before(now, TOMBSTONE_LIFETIME).as_millisecond();
    db.execute("DELETE FROM item_guid WHERE item_id IS NULL AND last_shown_at < ?1", [unseen])?;
    db.execute("DELETE FROM link_tombstone WHERE last_shown_at < ?1", [unseen])?;
    Ok(())
}
