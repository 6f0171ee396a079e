//! What happened to sources and to our own network, as the operator is told of it. Kept like the records of polls.

use super::Result;
use super::rows::{collect, time, word};
use crate::model::text::without_credentials;
use crate::model::{EventKind, PastEvent, SourceId, Timestamp};
use rusqlite::{Connection, params};

pub fn record(db: &Connection, at: Timestamp, kind: EventKind, source: Option<SourceId>, detail: &str) -> Result<()> {
    db.prepare_cached("INSERT INTO event (at, kind, source_id, detail) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        at.as_millisecond(),
        kind.as_str(),
        source.map(|source| source.0),
        detail
    ])?;
    super::stories::touch(db)
}

/// Events in the feed of health.
const SHOWN: u32 = 200;

/// The latest events, newest first.
pub fn latest(db: &Connection) -> Result<Vec<PastEvent>> {
    let mut statement = db.prepare_cached(
        "SELECT event.id, at, kind, source_id, coalesce(source.title, feed_title, url), detail
         FROM event LEFT JOIN source ON source.id = source_id ORDER BY event.id DESC LIMIT ?1",
    )?;
    collect(&mut statement, [SHOWN], |row| {
        Ok(PastEvent {
            id: row.get(0)?,
            at: time(row.get(1)?)?,
            kind: word(&row.get::<_, String>(2)?, EventKind::parse)?,
            source: row.get::<_, Option<i64>>(3)?.map(SourceId),
            title: row.get::<_, Option<String>>(4)?.map(|title| without_credentials(&title)),
            detail: row.get(5)?,
        })
    })
}

/// Drops events from before `before`, but for the newest ones, which the feed of health still shows.
pub fn forget(db: &Connection, before: Timestamp) -> Result<()> {
    db.execute(
        "DELETE FROM event WHERE at < ?1 AND id NOT IN (SELECT id FROM event ORDER BY id DESC LIMIT ?2)",
        params![before.as_millisecond(), SHOWN],
    )?;
    Ok(())
}
