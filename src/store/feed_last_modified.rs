//! When each document got its current content. It is the source of Last-Modified and survives a restart.
//!
//! Only hashes are stored. These times never appear in a feed, whose content depends only on the stories.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use jiff::Timestamp;
use rusqlite::params;

/// Returns when a document got its current content; `None` if the content is different or unknown.
pub fn find(db: &ReadConnection, feed: &str, format: &str, hash: &str) -> Result<Option<Timestamp>> {
    db.first(
        "SELECT modified_at FROM feed_last_modified WHERE feed = ?1 AND format = ?2 AND content_hash = ?3",
        [feed, format, hash],
    )
}

/// Records that a document has this content, and returns the time at which it got the content.
///
/// Times are whole seconds, as in HTTP, and strictly increase with each change, even if two changes occur within one
/// second. Otherwise, a client that uses If-Modified-Since could miss a change.
pub fn record(db: &WriteConnection, feed: &str, format: &str, hash: &str, now: Timestamp) -> Result<Timestamp> {
    if let Some(known) = find(db, feed, format, hash)? {
        return Ok(known);
    }
    db.one(
        "INSERT INTO feed_last_modified (feed, format, content_hash, modified_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (feed, format) DO UPDATE SET content_hash = excluded.content_hash,
             modified_at = max(excluded.modified_at, modified_at + 1000)
         RETURNING modified_at",
        params![feed, format, hash, now.as_second() * 1000],
    )
}
