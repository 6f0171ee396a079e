//! The pages of items: which are to be read, and what was read on them; and what servers say of robots.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, time};
use crate::domain::{ItemId, SourceId, Timestamp};
use rusqlite::{OptionalExtension, params};

/// A page that is to be read.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub item: ItemId,
    pub source: SourceId,
    pub url: String,
}

/// What came of a page.
#[derive(Debug, Clone)]
pub enum Page {
    Read {
        /// A line each.
        paragraphs: Vec<String>,
        /// The address that the page calls its own, in canonical form.
        canonical_url: Option<String>,
    },
    Failed(String),
}

/// The pages that are to be read, those of the newest items first.
pub fn wanted(db: &ReadConnection, limit: u32) -> Result<Vec<Wanted>> {
    let mut statement = db.prepare_cached(
        "SELECT id, source_id, url FROM item WHERE full_text_state = 'pending' AND url IS NOT NULL ORDER BY id DESC LIMIT ?1",
    )?;
    collect(&mut statement, [limit], |row| {
        Ok(Wanted { item: ItemId(row.get(0)?), source: SourceId(row.get(1)?), url: row.get(2)? })
    })
}

pub fn record(db: &WriteConnection, item: ItemId, page: &Page) -> Result<()> {
    match page {
        Page::Read { paragraphs, canonical_url } => {
            db.execute("UPDATE item SET full_text_state = 'fetched', full_text = ?2, canonical_url = coalesce(?3, canonical_url) WHERE id = ?1", params![item.0, paragraphs.join("\n"), canonical_url])?;
            super::stories::touch(db)
        }
        Page::Failed(why) => {
            db.execute(
                "UPDATE item SET full_text_state = 'failed', full_text_error = ?2 WHERE id = ?1",
                params![item.0, why],
            )?;
            Ok(())
        }
    }
}

/// Where an item's page stands, in words; `None` where nobody wants it.
pub fn state(db: &ReadConnection, item: ItemId) -> Result<Option<String>> {
    let mut statement = db.prepare_cached("SELECT full_text_state, full_text_error FROM item WHERE id = ?1")?;
    let row: Option<(Option<String>, Option<String>)> =
        statement.query_row([item.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(row.and_then(|(page, problem)| match problem {
        Some(problem) => page.map(|page| format!("{page}: {problem}")),
        None => page,
    }))
}

/// What a server says of robots.
#[derive(Debug, Clone)]
pub struct RobotsFile {
    pub good_until: Timestamp,
    /// Where there is no body: whether everything is allowed, or nothing.
    pub allowed: bool,
    pub body: Option<Vec<u8>>,
}

pub fn robots(db: &ReadConnection, origin: &str, now: Timestamp) -> Result<Option<RobotsFile>> {
    let row = db
        .prepare_cached("SELECT expires_at, allow_all, body FROM robots_txt WHERE origin = ?1 AND expires_at > ?2")?
        .query_row(params![origin, now.as_millisecond()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
        })
        .optional()?;
    row.map(|(until, allowed, body)| Ok(RobotsFile { good_until: time(until)?, allowed, body })).transpose()
}

pub fn keep_robots(db: &WriteConnection, origin: &str, robots: &RobotsFile) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO robots_txt (origin, expires_at, allow_all, body) VALUES (?1, ?2, ?3, ?4)",
        params![origin, robots.good_until.as_millisecond(), robots.allowed, robots.body],
    )?;
    Ok(())
}

/// Forgets what is good no more.
pub fn forget_robots(db: &WriteConnection, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM robots_txt WHERE expires_at <= ?1", [now.as_millisecond()])?;
    Ok(())
}
