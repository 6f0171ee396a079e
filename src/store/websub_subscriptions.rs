//! What is agreed with hubs, in the database. It decides nothing: that is `websub`'s.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, maybe_time, milliseconds, word};
use crate::domain::{DeclaredHub, HubSubscription, SourceId, SubscriptionState};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// How things stand between a source and its hub; `None` where its feed never declared one.
pub fn get(db: &ReadConnection, source: SourceId) -> Result<Option<HubSubscription>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE source_id = ?1"))?;
    statement.query_row([source.0], |row| Ok(read_subscription(row))).optional()?.transpose()
}

/// The subscription whose callback ends with this token.
pub fn find_by_token(db: &ReadConnection, token: &str) -> Result<Option<HubSubscription>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE token = ?1"))?;
    statement.query_row([token], |row| Ok(read_subscription(row))).optional()?.transpose()
}

/// Those whose time has come, or whose lease has ended, with whether their source is polled.
pub fn due(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<(HubSubscription, bool)>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE next_at <= ?1 OR lease_until <= ?1 LIMIT ?2"))?;
    let due = collect(&mut statement, params![now.as_millisecond(), limit], read_subscription)?;
    let mut polled = db.prepare_cached("SELECT state = 'active' FROM source WHERE id = ?1")?;
    due.into_iter().map(|known| Ok((known.clone(), polled.query_row([known.source.0], |row| row.get(0))?))).collect()
}

/// When the next one is due.
pub fn next_due_at(db: &ReadConnection) -> Result<Option<Timestamp>> {
    let mut statement = db.prepare_cached(
        "SELECT min(at) FROM (SELECT min(next_at) AS at FROM websub_subscription WHERE next_at IS NOT NULL
         UNION ALL SELECT min(lease_until) FROM websub_subscription WHERE lease_until IS NOT NULL)",
    )?;
    maybe_time(statement.query_row([], |row| row.get(0))?)
}

/// Takes over what a source's document declares. What is new is looked at at once.
pub fn set_declared_hub(
    db: &WriteConnection,
    source: SourceId,
    declared: Option<&DeclaredHub>,
    now: Timestamp,
) -> Result<()> {
    let known = get(db, source)?;
    let idle = known.as_ref().is_some_and(|known| known.next_at.is_none());
    if known.as_ref().and_then(|known| known.declared.as_ref()) == declared && !(idle && declared.is_some()) {
        return Ok(());
    }
    let mut known = known.unwrap_or_else(|| HubSubscription::of(source, None));
    known.declared = declared.cloned();
    known.next_at = Some(now);
    save(db, &known, now)
}

/// Writes down a subscription. One that is not trusted defers no polls: its source's go back to their own rules.
pub fn save(db: &WriteConnection, known: &HubSubscription, now: Timestamp) -> Result<()> {
    let (declared, asked) = (known.declared.as_ref(), known.asked.as_ref());
    db.execute("INSERT OR IGNORE INTO websub_subscription (source_id) VALUES (?1)", [known.source.0])?;
    db.execute("UPDATE websub_subscription SET declared_hub = ?2, declared_topic = ?3, hub = ?4, topic = ?5, callback = ?6, token = ?7,
         secret = ?8, state = ?9, renewing = ?10, requested_at = ?11, next_at = ?12, lease_until = ?13, failures = ?14,
         pushes = ?15, ignored = ?16, last_push_at = ?17, trusted = ?18, detail = ?19 WHERE source_id = ?1", params![
        known.source.0,
        declared.map(|d| &d.hub),
        declared.map(|d| &d.topic),
        asked.map(|a| &a.hub),
        asked.map(|a| &a.topic),
        known.callback,
        known.callback.as_deref().and_then(|callback| callback.rsplit('/').next()),
        known.secret,
        known.state.as_str(),
        known.renewing,
        milliseconds(known.requested_at),
        milliseconds(known.next_at),
        milliseconds(known.lease_until),
        known.failures,
        known.pushes as i64,
        known.ignored as i64,
        milliseconds(known.last_push_at),
        known.trusted,
        known.detail,
    ])?;
    if !known.trusted {
        restore_deferred_polls(db, Some(known.source), now, "its hub is not relied upon any more")?;
    }
    Ok(())
}

/// Ends all subscriptions at once, without a word to the hubs.
pub fn end_all(db: &WriteConnection, why: &str) -> Result<()> {
    let set =
        "UPDATE websub_subscription SET state = 'none', renewing = 0, trusted = 0, lease_until = NULL, next_at = 0,
               detail = ?1 WHERE state <> 'none'";
    db.execute(set, [why])?;
    Ok(())
}

/// Moves a source's next poll to `until`, and keeps when it would be by its own rules.
pub fn defer_poll(
    db: &WriteConnection,
    source: SourceId,
    plain: Timestamp,
    until: Timestamp,
    reason: &str,
) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = ?2, next_poll_reason = ?3 WHERE id = ?1",
        params![source.0, until.as_millisecond(), reason],
    )?;
    db.execute(
        "UPDATE websub_subscription SET undeferred_poll_at = ?2, deferred_until = ?3 WHERE source_id = ?1",
        params![source.0, plain.as_millisecond(), until.as_millisecond()],
    )?;
    Ok(())
}

/// Moves deferred polls back to when they would be by their own rules: those of one source, or all.
///
/// Only where nobody has moved them since: a poll that was begun meanwhile is not made a second time.
pub fn restore_deferred_polls(
    db: &WriteConnection,
    source: Option<SourceId>,
    now: Timestamp,
    reason: &str,
) -> Result<()> {
    let source = source.map(|source| source.0);
    db.execute(
        "UPDATE source SET next_poll_at = max(undeferred_poll_at, ?2), next_poll_reason = ?3 FROM websub_subscription
         WHERE source_id = source.id AND next_poll_at = deferred_until AND (?1 IS NULL OR source.id = ?1)",
        params![source, now.as_millisecond(), reason],
    )?;
    db.execute(
        "UPDATE websub_subscription SET undeferred_poll_at = NULL, deferred_until = NULL
         WHERE deferred_until IS NOT NULL AND (?1 IS NULL OR source_id = ?1)",
        [source],
    )?;
    Ok(())
}

const SELECT: &str = "SELECT source_id, declared_hub, declared_topic, hub, topic, callback, secret, state, renewing, \
    requested_at, next_at, lease_until, failures, pushes, ignored, last_push_at, trusted, detail FROM websub_subscription";

fn read_subscription(row: &rusqlite::Row<'_>) -> Result<HubSubscription> {
    let pair = |hub: usize, topic: usize| -> Result<Option<DeclaredHub>> {
        let (hub, topic): (Option<String>, Option<String>) = (row.get(hub)?, row.get(topic)?);
        Ok(hub.zip(topic).map(|(hub, topic)| DeclaredHub { hub, topic }))
    };
    let state: String = row.get(7)?;
    Ok(HubSubscription {
        source: SourceId(row.get(0)?),
        declared: pair(1, 2)?,
        asked: pair(3, 4)?,
        callback: row.get(5)?,
        secret: row.get(6)?,
        state: word(&state, SubscriptionState::parse)?,
        renewing: row.get(8)?,
        requested_at: maybe_time(row.get(9)?)?,
        next_at: maybe_time(row.get(10)?)?,
        lease_until: maybe_time(row.get(11)?)?,
        failures: row.get(12)?,
        pushes: row.get::<_, i64>(13)? as u64,
        ignored: row.get::<_, i64>(14)? as u64,
        last_push_at: maybe_time(row.get(15)?)?,
        trusted: row.get(16)?,
        detail: row.get(17)?,
    })
}
