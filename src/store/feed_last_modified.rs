//! The time since which each document has had its current bytes: the source of Last-Modified, which survives a
//! restart.
//!
//! Only hashes are stored. These times never appear in a feed, whose bytes depend on the stories alone.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use jiff::Timestamp;
use rusqlite::params;

/// The time since which a document has had these bytes; `None` if it had others, or if nothing is known.
pub fn find(db: &ReadConnection, feed: &str, format: &str, hash: &str) -> Result<Option<Timestamp>> {
    db.first(
        "SELECT modified_at FROM feed_last_modified WHERE feed = ?1 AND format = ?2 AND content_hash = ?3",
        [feed, format, hash],
    )
}

/// Records that a document has these bytes from now on, and returns the time since which it has had them.
///
/// Times are whole seconds, as in HTTP, and always later than that of the previous bytes, even if both were made
/// within one second: a client with If-Modified-Since must never miss a change.
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
