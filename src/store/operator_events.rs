//! Operator events: the events of sources, of our own network and of our disk. They are kept for as long as poll
//! records.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::milliseconds;
use crate::domain::{OperatorEvent, OperatorEventKind, RecordedEvent, SourceId, Timestamp};
use rusqlite::params;

pub fn record(db: &WriteConnection, at: Timestamp, source: Option<SourceId>, event: &OperatorEvent) -> Result<()> {
    db.execute(
        "INSERT INTO operator_event (occurred_at, kind, source_id, detail, since, source_title)
         VALUES (?1, ?2, ?3, ?4, ?5, (SELECT redact_urls(coalesce(title, feed_title, url)) FROM source WHERE id = ?3))",
        params![
            at.as_millisecond(),
            event.kind.into_str(),
            source.map(|source| source.0),
            event.detail,
            milliseconds(event.since)
        ],
    )?;
    super::publication::touch(db)
}

/// The maximum number of events in the health feed.
const SHOWN: u32 = 200;

/// Returns the latest events, newest first.
pub fn latest(db: &ReadConnection) -> Result<Vec<RecordedEvent>> {
    db.all("SELECT * FROM operator_event ORDER BY id DESC LIMIT ?1", [SHOWN])
}

/// Returns the latest events of one source, newest first.
pub fn latest_of_source(db: &ReadConnection, source: SourceId, limit: u32) -> Result<Vec<RecordedEvent>> {
    let sql = "SELECT * FROM operator_event WHERE source_id = ?1 ORDER BY id DESC LIMIT ?2";
    db.all(sql, params![source.0, limit])
}

/// Returns when our own network went down; `None` if it is up.
pub fn offline_since(db: &ReadConnection) -> Result<Option<Timestamp>> {
    let last = latest_of_installation(db, [OperatorEventKind::Offline, OperatorEventKind::Online])?;
    Ok(last
        .filter(|event| event.kind == OperatorEventKind::Offline)
        .map(|event| event.since.unwrap_or(event.occurred_at)))
}

/// Returns whether the disk was nearly full when its state last changed.
pub fn disk_is_nearly_full(db: &ReadConnection) -> Result<bool> {
    let last = latest_of_installation(db, [OperatorEventKind::DiskNearlyFull, OperatorEventKind::DiskHasSpace])?;
    Ok(last.is_some_and(|event| event.kind == OperatorEventKind::DiskNearlyFull))
}

/// Returns the latest event that is of one of these kinds and does not concern a single source.
fn latest_of_installation(db: &ReadConnection, kinds: [OperatorEventKind; 2]) -> Result<Option<RecordedEvent>> {
    let sql = "SELECT * FROM operator_event WHERE source_id IS NULL AND kind IN (?1, ?2) ORDER BY id DESC LIMIT 1";
    db.first(sql, kinds.map(|kind| kind.into_str()))
}

/// Deletes older events, except for events that the health feed still shows.
pub fn delete_before(db: &WriteConnection, before: Timestamp) -> Result<()> {
    db.execute(
        "DELETE FROM operator_event WHERE occurred_at < ?1 AND id NOT IN (SELECT id FROM operator_event ORDER BY id DESC LIMIT ?2)",
        params![before.as_millisecond(), SHOWN],
    )?;
    Ok(())
}
