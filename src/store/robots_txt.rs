//! Cached robots.txt files (RFC 9309).

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::time;
use crate::domain::Timestamp;
use rusqlite::{OptionalExtension, params};

/// The robots.txt of a server.
#[derive(Debug, Clone)]
pub struct RobotsFile {
    pub good_until: Timestamp,
    /// Without a body: whether everything is allowed, or nothing.
    pub allowed: bool,
    pub body: Option<Vec<u8>>,
}

pub fn cached(db: &ReadConnection, origin: &str, now: Timestamp) -> Result<Option<RobotsFile>> {
    let row = db
        .prepare_cached("SELECT expires_at, allow_all, body FROM robots_txt WHERE origin = ?1 AND expires_at > ?2")?
        .query_row(params![origin, now.as_millisecond()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
        })
        .optional()?;
    row.map(|(until, allowed, body)| Ok(RobotsFile { good_until: time(until)?, allowed, body })).transpose()
}

pub fn save(db: &WriteConnection, origin: &str, robots: &RobotsFile) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO robots_txt (origin, expires_at, allow_all, body) VALUES (?1, ?2, ?3, ?4)",
        params![origin, robots.good_until.as_millisecond(), robots.allowed, robots.body],
    )?;
    Ok(())
}

/// Deletes expired files.
pub fn delete_expired(db: &WriteConnection, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM robots_txt WHERE expires_at <= ?1", [now.as_millisecond()])?;
    Ok(())
}
