//! Cached robots.txt files (RFC 9309).

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use crate::domain::Timestamp;
use rusqlite::params;
use serde::Deserialize;

/// The robots.txt of a server.
#[derive(Debug, Clone, Deserialize)]
pub struct RobotsFile {
    pub expires_at: Timestamp,
    /// Whether everything is allowed (true) or nothing (false) if there is no body.
    pub allow_all: bool,
    pub body: Option<Vec<u8>>,
}

pub fn cached(db: &ReadConnection, origin: &str, now: Timestamp) -> Result<Option<RobotsFile>> {
    let sql = "SELECT * FROM robots_txt WHERE origin = ?1 AND expires_at > ?2";
    db.first(sql, params![origin, now.as_millisecond()])
}

pub fn save(db: &WriteConnection, origin: &str, robots: &RobotsFile) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO robots_txt (origin, expires_at, allow_all, body) VALUES (?1, ?2, ?3, ?4)",
        params![origin, robots.expires_at.as_millisecond(), robots.allow_all, robots.body],
    )?;
    Ok(())
}

/// Deletes expired files.
pub fn delete_expired(db: &WriteConnection, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM robots_txt WHERE expires_at <= ?1", [now.as_millisecond()])?;
    Ok(())
}
