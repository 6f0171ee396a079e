//! The times at which documents got their current contents. They are the source of Last-Modified and survive a restart.
//!
//! Only hashes of the contents are stored. The times never appear in a feed, whose content depends only on the stories.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use crate::domain::duration::after;
use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

/// Returns when a document got its current content; `None` if the content is different or unknown.
pub fn find(db: &ReadConnection, feed: &str, format: &str, hash: &str) -> Result<Option<Timestamp>> {
    db.first(
        "SELECT modified_at FROM feed_last_modified WHERE feed = ?1 AND format = ?2 AND content_hash = ?3",
        [feed, format, hash],
    )
}

/// The maximum time by which a valid recorded time can be in the future. If a document changes several times within a
/// second, its recorded time is ahead of the clock.
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// Returns the time at which a document got its current content. `hash` is the hash of that content.
///
/// Times are whole seconds, as in HTTP, and strictly increase with each change, even if two changes occur within one
/// second. Otherwise, a client that uses If-Modified-Since could miss a change. A recorded time in the future has no
/// effect on later times, because it shows that the clock was wrong ([`MAX_AHEAD`]).
pub fn determine(db: &ReadConnection, feed: &str, format: &str, hash: &str, now: Timestamp) -> Result<Timestamp> {
    if let Some(known) = find(db, feed, format, hash)? {
        return Ok(known);
    }
    db.one(
        "SELECT max(?3, coalesce((SELECT modified_at + 1000 FROM feed_last_modified
                                  WHERE feed = ?1 AND format = ?2 AND modified_at <= ?4), 0))",
        params![feed, format, now.as_second() * 1000, after(now, MAX_AHEAD).as_millisecond()],
    )
}

/// Records that a document got this content at this time, unless the content is already recorded.
pub fn record(db: &WriteConnection, feed: &str, format: &str, hash: &str, modified_at: Timestamp) -> Result<()> {
    db.execute(
        "INSERT INTO feed_last_modified (feed, format, content_hash, modified_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (feed, format) DO UPDATE SET content_hash = excluded.content_hash,
             modified_at = excluded.modified_at WHERE content_hash <> excluded.content_hash",
        params![feed, format, hash, modified_at.as_millisecond()],
    )?;
    Ok(())
}
