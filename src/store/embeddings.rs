//! The embeddings of items, and the encoder whose embeddings are used.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use crate::domain::duration::before;
use crate::domain::{Embedding, ItemId};
use jiff::{SignedDuration, Timestamp};
use rusqlite::params;
use serde::Deserialize;

/// A condition for items that need an embedding of the current encoder, at the time `?1`.
const IS_MISSING: &str = "first_seen_at >= ?1 - (SELECT grouping_window FROM encoder_model WHERE is_current)
    AND NOT EXISTS (SELECT 1 FROM item_embedding JOIN encoder_model ON encoder_model.id = encoder_id
                    WHERE item_id = item.id AND is_current)";

/// The encoder whose embeddings are used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CurrentEncoder {
    /// The hash of everything that affects the embeddings.
    pub hash: String,
    /// Items first seen within this time get an embedding.
    #[serde(deserialize_with = "crate::domain::duration::from_milliseconds")]
    pub grouping_window: SignedDuration,
}

/// An item without an embedding of the current encoder.
#[derive(Debug, Clone, Deserialize)]
pub struct ItemToEncode {
    #[serde(rename = "id")]
    pub item: ItemId,
    pub title: String,
    pub summary: String,
}

/// Makes an encoder the current encoder, whose embeddings are used. If it replaces another encoder, grouping reads all
/// items with embeddings again.
pub fn set_encoder(db: &WriteConnection, encoder: &CurrentEncoder, now: Timestamp) -> Result<()> {
    let CurrentEncoder { hash, grouping_window } = encoder;
    if current_encoder(db)?.is_none_or(|current| current.hash != *hash) {
        let outdated = "INSERT OR REPLACE INTO revised_item (item_id)
            SELECT item_id FROM item_embedding JOIN item ON item.id = item_id WHERE first_seen_at >= ?1";
        db.execute(outdated, [before(now, *grouping_window).as_millisecond()])?;
        unset_encoder(db)?;
    }
    db.execute(
        "INSERT INTO encoder_model (hash, grouping_window, is_current) VALUES (?1, ?2, 1)
         ON CONFLICT (hash) DO UPDATE SET grouping_window = excluded.grouping_window, is_current = 1",
        params![hash, grouping_window.as_millis() as i64],
    )?;
    Ok(())
}

/// Records that no encoder is current. The embeddings remain stored but are not used.
pub fn unset_encoder(db: &WriteConnection) -> Result<()> {
    db.execute("UPDATE encoder_model SET is_current = 0 WHERE is_current", [])?;
    Ok(())
}

/// Returns the current encoder; `None` if embeddings are not used.
pub fn current_encoder(db: &ReadConnection) -> Result<Option<CurrentEncoder>> {
    db.first("SELECT hash, grouping_window FROM encoder_model WHERE is_current", [])
}

/// Returns the items that need an embedding, newest first.
pub fn missing(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<ItemToEncode>> {
    let sql =
        format!("SELECT id, title, summary FROM item WHERE {IS_MISSING} ORDER BY first_seen_at DESC, id DESC LIMIT ?2");
    db.all(&sql, params![now.as_millisecond(), limit])
}

/// Returns the number of items that need an embedding.
pub fn count_missing(db: &ReadConnection, now: Timestamp) -> Result<u64> {
    db.one(&format!("SELECT count(*) FROM item WHERE {IS_MISSING}"), [now.as_millisecond()])
}

/// Stores embeddings of the encoder with this hash. `None` records that the encoder failed on the text. Ignores items
/// that no longer exist or whose text has changed since they were read.
pub fn add(db: &WriteConnection, hash: &str, encoded: &[(ItemToEncode, Option<Embedding>)]) -> Result<()> {
    for (ItemToEncode { item, title, summary }, embedding) in encoded {
        db.execute(
            "INSERT OR REPLACE INTO item_embedding (item_id, encoder_id, vector)
             SELECT item.id, encoder_model.id, ?3 FROM item JOIN encoder_model ON hash = ?1
             WHERE item.id = ?2 AND title = ?4 AND summary = ?5",
            params![hash, item.0, embedding.as_ref().map(Embedding::to_bytes), title, summary],
        )?;
    }
    Ok(())
}
