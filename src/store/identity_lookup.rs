//! Looks up the stored facts about the items of a document, as input for [`crate::identity`].

use super::Result;
use super::connection::ReadConnection;
use crate::domain::{ItemId, NewItem, SourceId, Timestamp};
use crate::identity::comparison::StoredItem;
use crate::identity::links::LinkedItem;
use crate::identity::recognition::{GuidMatch, RemovedItem, StoredMatches, is_recognized_by_guid, title_window};
use crate::urls::canonical::exact_url;
use rusqlite::params;
use url::Url;

/// Returns whether `source` has listed items before. If it has not, the items of its document match no stored items.
pub(super) fn has_listed_items(db: &ReadConnection, source: SourceId) -> Result<bool> {
    db.exists(
        "SELECT 1 FROM item_guid WHERE source_id = ?1 UNION ALL SELECT 1 FROM link_tombstone WHERE source_id = ?1",
        [source.0],
    )
}

/// Returns the stored items of `source` that may be the same as an item of a document. If the guid identifies the item,
/// no other items are looked up.
pub(super) fn find_matches(
    db: &ReadConnection,
    source: SourceId,
    item: &NewItem,
    now: Timestamp,
) -> Result<StoredMatches> {
    let by_guid = find_by_guid(db, source, &item.guid)?;
    if is_recognized_by_guid(item, &by_guid) {
        return Ok(StoredMatches { by_guid, ..StoredMatches::default() });
    }
    let candidates = find_candidates(db, source, item, now)?;
    let removed = if item.url.is_some() { find_removed(db, source, item)? } else { Vec::new() };
    Ok(StoredMatches { by_guid, candidates, removed })
}

fn find_by_guid(db: &ReadConnection, source: SourceId, guid: &str) -> Result<GuidMatch> {
    let shown: Option<Option<ItemId>> = db.first(
        "SELECT item_id FROM item_guid WHERE source_id = ?1 AND guid_hash = text_hash(?2)",
        params![source.0, guid],
    )?;
    Ok(match shown {
        Some(Some(id)) => {
            GuidMatch::Stored(db.one("SELECT id, url, title, summary, published_at FROM item WHERE id = ?1", [id.0])?)
        }
        Some(None) => GuidMatch::Removed,
        None => GuidMatch::New,
    })
}

/// Returns the items with the link of `item`, with its title or date around the time of its date, or with its title
/// among the newest items. Returns at most 20 of each kind, because a source may use one link for all items.
fn find_candidates(db: &ReadConnection, source: SourceId, item: &NewItem, now: Timestamp) -> Result<Vec<StoredItem>> {
    let window = title_window(item, now);
    db.all(
        "SELECT id, url, title, summary, published_at FROM item WHERE id IN (
             SELECT id FROM (SELECT id FROM item WHERE source_id = ?1 AND link_hash IN (text_hash(?2), text_hash(?3))
                             ORDER BY id DESC LIMIT 20)
             UNION SELECT id FROM (SELECT id FROM item WHERE source_id = ?1 AND ranked_at BETWEEN ?4 AND ?5
                                   AND (title = ?6 OR published_at = ?7) LIMIT 20)
             UNION SELECT id FROM (SELECT id, title FROM item WHERE source_id = ?1 ORDER BY ranked_at DESC LIMIT 100)
                   WHERE title = ?6)
         ORDER BY id",
        params![
            source.0,
            item.canonical_url,
            exact_link(item),
            window.from.as_millisecond(),
            window.until.as_millisecond(),
            item.title,
            item.published_at.map(|date| date.as_millisecond()),
        ],
    )
}

fn find_removed(db: &ReadConnection, source: SourceId, item: &NewItem) -> Result<Vec<RemovedItem>> {
    db.all(
        "SELECT title, text_hash, published_at FROM link_tombstone
         WHERE source_id = ?1 AND canonical_url IN (?2, ?3) LIMIT 100",
        params![source.0, item.canonical_url, exact_link(item)],
    )
}

/// Returns the canonical URL to store for an item if another item of the source has the usual canonical URL.
pub(super) fn exact_link(item: &NewItem) -> Option<String> {
    item.url.as_deref().and_then(|url| Url::parse(url).ok()).map(|url| exact_url(&url))
}

/// Returns other items of the source with the given canonical URL.
pub(super) fn find_by_canonical_url(
    db: &ReadConnection,
    source: SourceId,
    canonical_url: &str,
    other_than: Option<ItemId>,
) -> Result<Vec<LinkedItem>> {
    db.all(
        "SELECT id, url FROM item WHERE source_id = ?1 AND link_hash = text_hash(?2) AND id IS NOT ?3 ORDER BY id DESC LIMIT 20",
        params![source.0, canonical_url, other_than.map(|id| id.0)],
    )
}
