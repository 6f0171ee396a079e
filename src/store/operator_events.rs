//! Operator events: what happened to sources and to our own network. Kept as long as the records of polls.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, time, word};
use crate::domain::{OperatorEventKind, RecordedEvent, SourceId, Timestamp};
use crate::urls::redact::redact_url;
use rusqlite::{OptionalExtension, Row, params};

pub fn record(
    db: &WriteConnection,
    at: Timestamp,
    kind: OperatorEventKind,
    source: Option<SourceId>,
    detail: &str,
) -> Result<()> {
    db.execute(
        "INSERT INTO operator_event (occurred_at, kind, source_id, detail, source_title)
         VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(title, feed_title, url) FROM source WHERE id = ?3))",
        params![at.as_millisecond(), kind.into_str(), source.map(|source| source.0), detail],
    )?;
    super::publication::touch(db)
}

/// Maximum number of events in the health feed.
const SHOWN: u32 = 200;

/// The latest events, newest first.
pub fn latest(db: &ReadConnection) -> Result<Vec<RecordedEvent>> {
    let mut statement = db.prepare_cached(
        "SELECT id, occurred_at, kind, source_id, source_title, detail FROM operator_event ORDER BY id DESC LIMIT ?1",
    )?;
    collect(&mut statement, [SHOWN], read)
}

/// The latest events of one source, newest first.
pub fn latest_of_source(db: &ReadConnection, source: SourceId, limit: u32) -> Result<Vec<RecordedEvent>> {
    let mut statement = db.prepare_cached(
        "SELECT id, occurred_at, kind, source_id, source_title, detail FROM operator_event WHERE source_id = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    collect(&mut statement, params![source.0, limit], read)
}

fn read(row: &Row<'_>) -> Result<RecordedEvent> {
    Ok(RecordedEvent {
        id: row.get(0)?,
        at: time(row.get(1)?)?,
        kind: word(&row.get::<_, String>(2)?)?,
        source: row.get::<_, Option<i64>>(3)?.map(SourceId),
        title: row.get::<_, Option<String>>(4)?.map(|title| redact_url(&title)),
        detail: row.get(5)?,
    })
}

/// The time since which our own network is down; `None` if it works.
pub fn offline_since(db: &ReadConnection) -> Result<Option<Timestamp>> {
    let last = db
        .prepare_cached(
            "SELECT kind, occurred_at FROM operator_event WHERE kind IN ('offline', 'online') ORDER BY id DESC LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    last.filter(|(kind, _)| kind == OperatorEventKind::Offline.into_str()).map(|(_, at)| time(at)).transpose()
}

/// Deletes older events, except those that the health feed still shows.
pub fn delete_before(db: &WriteConnection, before: Timestamp) -> Result<()> {
    db.execute(
        "DELETE FROM operator_event WHERE occurred_at < ?1 AND id NOT IN (SELECT id FROM operator_event ORDER BY id DESC LIMIT ?2)",
        params![before.as_millisecond(), SHOWN],
    )?;
    Ok(())
}
