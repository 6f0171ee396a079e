//! Since when each feed has been the bytes that it is: the truth behind Last-Modified, the same after a restart.
//!
//! It holds no bytes, only their hash. Nothing of it is ever written into a feed, whose bytes depend on the stories alone.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::time;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// Since when a feed has had these bytes; `None` where it is known to have had others, or nothing is known.
pub fn find(db: &ReadConnection, feed: &str, format: &str, hash: &str) -> Result<Option<Timestamp>> {
    Ok(latest(db, feed, format)?.filter(|(known, _)| known == hash).map(|(_, at)| at))
}

/// Writes down that a feed has these bytes from now on, and returns since when it has had them.
///
/// The time is to the second, as HTTP says it, and later than that of the bytes before, also where both were made within
/// one second: a reader that asks by date must never be told that nothing has changed.
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
