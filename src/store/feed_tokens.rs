//! The access tokens of private feeds. A new token revokes the old one.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use jiff::Timestamp;
use rusqlite::params;

pub fn find(db: &ReadConnection, feed: &str) -> Result<Option<String>> {
    db.first("SELECT token FROM feed_token WHERE feed = ?1", [feed])
}

/// Replaces the token of a feed.
pub fn replace(db: &WriteConnection, feed: &str, token: &str, now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO feed_token (feed, token, made_at) VALUES (?1, ?2, ?3)",
        params![feed, token, now.as_millisecond()],
    )?;
    super::publication::touch(db)
}

/// Creates the first token of a feed.
pub fn create_if_missing(db: &WriteConnection, feed: &str, token: &str, now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO feed_token (feed, token, made_at) VALUES (?1, ?2, ?3)",
        params![feed, token, now.as_millisecond()],
    )?;
    Ok(())
}
