//! The time since which each document has had its current bytes: the source of Last-Modified, which survives a
//! restart.
//!
//! Only hashes are stored. These times never appear in a feed, whose bytes depend on the stories alone.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::time;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// The time since which a document has had these bytes; `None` if it had others, or if nothing is known.
pub fn find(db: &ReadConnection, feed: &str, format: &str, hash: &str) -> Result<Option<Timestamp>> {
    Ok(latest(db, feed, format)?.filter(|(known, _)| known == hash).map(|(_, at)| at))
}

/// Records that a document has these bytes from now on, and returns the time since which it has had them.
///
/// Times are whole seconds, as in HTTP, and always later than that of the previous bytes, even if both were made
/// within one second: a client with If-Modified-Since must never miss a change.
pub fn record(db: &WriteConnection, feed: &str, format: &str, hash: &str, now: Timestamp) -> Result<Timestamp> {
    let mut at = now.as_second() * 1000;
    if let Some((known, before)) = latest(db, feed, format)? {
        if known == hash {
            return Ok(before);
        }
        at = at.max(before.as_millisecond() + 1000);
    }
    db.execute(
        "INSERT OR REPLACE INTO feed_last_modified (feed, format, content_hash, modified_at)
             VALUES (?1, ?2, ?3, ?4)",
        params![feed, format, hash, at],
    )?;
    time(at)
}

fn latest(db: &ReadConnection, feed: &str, format: &str) -> Result<Option<(String, Timestamp)>> {
    let row = db
        .prepare_cached("SELECT content_hash, modified_at FROM feed_last_modified WHERE feed = ?1 AND format = ?2")?
        .query_row([feed, format], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    row.map(|(hash, at)| Ok((hash, time(at)?))).transpose()
}
