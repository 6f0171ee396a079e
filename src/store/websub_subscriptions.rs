//! The subscriptions of sources at WebSub hubs. Decides nothing: that is the task of [`crate::websub`].

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, from_json, maybe_time, milliseconds, to_json, word};
use crate::domain::{DeclaredHub, HubEvent, HubSubscription, NextPollReason, SourceId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

/// A subscription that is due, and whether its source is active.
pub struct DueSubscription {
    pub subscription: HubSubscription,
    pub polled: bool,
}

/// The subscription of a source; `None` if its feed has never declared a hub.
pub fn get(db: &ReadConnection, source: SourceId) -> Result<Option<HubSubscription>> {
    let mut statement = db.prepare_cached("SELECT * FROM websub_subscription WHERE source_id = ?1")?;
    statement.query_row([source.0], |row| Ok(read_subscription(row))).optional()?.transpose()
}

/// The subscription whose callback URL ends with this token.
pub fn find_by_token(db: &ReadConnection, token: &str) -> Result<Option<HubSubscription>> {
    let mut statement = db.prepare_cached("SELECT * FROM websub_subscription WHERE token = ?1")?;
    statement.query_row([token], |row| Ok(read_subscription(row))).optional()?.transpose()
}

/// Subscriptions whose next action is due or whose lease has expired.
pub fn due(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<DueSubscription>> {
    let mut statement = db.prepare_cached(
        "SELECT *, (SELECT state = 'active' FROM source WHERE id = source_id) AS polled
         FROM websub_subscription WHERE next_action_at <= ?1 OR lease_until <= ?1 LIMIT ?2",
    )?;
    collect(&mut statement, params![now.as_millisecond(), limit], |row| {
        Ok(DueSubscription { subscription: read_subscription(row)?, polled: row.get("polled")? })
    })
}

/// When the next subscription is due.
pub fn next_due_at(db: &ReadConnection) -> Result<Option<Timestamp>> {
    let mut statement = db.prepare_cached(
        "SELECT min(at) AS at FROM (
             SELECT min(next_action_at) AS at FROM websub_subscription WHERE next_action_at IS NOT NULL
             UNION ALL SELECT min(lease_until) FROM websub_subscription WHERE lease_until IS NOT NULL)",
    )?;
    maybe_time(statement.query_row([], |row| row.get("at"))?)
}

/// Records the hub that a feed declares. A changed declaration makes the subscription due at once.
pub fn set_declared_hub(
    db: &WriteConnection,
    source: SourceId,
    declared: Option<&DeclaredHub>,
    now: Timestamp,
) -> Result<()> {
    let mut subscription = get(db, source)?.unwrap_or_else(|| HubSubscription::new(source, None));
    let is_idle = subscription.next_action_at.is_none() && declared.is_some();
    if subscription.declared.as_ref() == declared && !is_idle {
        return Ok(());
    }
    subscription.declared = declared.cloned();
    subscription.next_action_at = Some(now);
    save(db, &subscription, now)
}

/// Stores a subscription. If it is not reliable, a deferred poll of its source returns to the source's own schedule.
pub fn save(db: &WriteConnection, subscription: &HubSubscription, now: Timestamp) -> Result<()> {
    let (declared, requested) = (subscription.declared.as_ref(), subscription.requested.as_ref());
    db.execute("INSERT OR IGNORE INTO websub_subscription (source_id) VALUES (?1)", [subscription.source.0])?;
    db.execute(
        "UPDATE websub_subscription SET declared_hub = :declared_hub, declared_topic = :declared_topic,
             requested_hub = :requested_hub, requested_topic = :requested_topic, callback = :callback, token = :token,
             secret = :secret, state = :state, renewing = :renewing, requested_at = :requested_at,
             next_action_at = :next_action_at, lease_until = :lease_until, failures = :failures, pushes = :pushes,
             rejected_pushes = :rejected_pushes, last_push_at = :last_push_at, reliable = :reliable,
             last_event = :last_event
         WHERE source_id = :source",
        named_params! {
            ":source": subscription.source.0,
            ":declared_hub": declared.map(|declared| &declared.hub),
            ":declared_topic": declared.map(|declared| &declared.topic),
            ":requested_hub": requested.map(|requested| &requested.hub),
            ":requested_topic": requested.map(|requested| &requested.topic),
            ":callback": subscription.callback,
            ":token": subscription.callback.as_deref().and_then(|callback| callback.rsplit('/').next()),
            ":secret": subscription.secret,
            ":state": subscription.state.into_str(),
            ":renewing": subscription.renewing,
            ":requested_at": milliseconds(subscription.requested_at),
            ":next_action_at": milliseconds(subscription.next_action_at),
            ":lease_until": milliseconds(subscription.lease_until),
            ":failures": subscription.failures,
            ":pushes": subscription.pushes as i64,
            ":rejected_pushes": subscription.rejected_pushes as i64,
            ":last_push_at": milliseconds(subscription.last_push_at),
            ":reliable": subscription.reliable,
            ":last_event": subscription.last_event.as_ref().map(to_json).transpose()?,
        },
    )?;
    if !subscription.reliable {
        restore_deferred_polls(db, Some(subscription.source), now, &NextPollReason::HubUnreliable)?;
    }
    Ok(())
}

/// Ends all subscriptions, without a request to the hubs.
pub fn end_all(db: &WriteConnection, event: &HubEvent) -> Result<()> {
    let sql = "UPDATE websub_subscription SET state = 'inactive', renewing = 0, reliable = 0, lease_until = NULL,
                   next_action_at = 0, last_event = ?1
               WHERE state <> 'inactive'";
    db.execute(sql, [to_json(event)?])?;
    Ok(())
}

/// Moves the next poll of a source to `until`, and keeps the time that the source's own schedule chose.
pub fn defer_poll(
    db: &WriteConnection,
    source: SourceId,
    undeferred: Timestamp,
    until: Timestamp,
    reason: &NextPollReason,
) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = ?2, next_poll_reason = ?3 WHERE id = ?1",
        params![source.0, until.as_millisecond(), to_json(reason)?],
    )?;
    db.execute(
        "UPDATE websub_subscription SET undeferred_poll_at = ?2, deferred_until = ?3 WHERE source_id = ?1",
        params![source.0, undeferred.as_millisecond(), until.as_millisecond()],
    )?;
    Ok(())
}

/// Returns deferred polls to the sources' own schedules: the poll of one source, or all.
///
/// A poll that was rescheduled after it was deferred stays where it is, so that it does not run twice.
pub fn restore_deferred_polls(
    db: &WriteConnection,
    source: Option<SourceId>,
    now: Timestamp,
    reason: &NextPollReason,
) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = max(undeferred_poll_at, ?2), next_poll_reason = ?3 FROM websub_subscription
         WHERE source_id = source.id AND next_poll_at = deferred_until AND (?1 IS NULL OR source.id = ?1)",
        params![source.map(|source| source.0), now.as_millisecond(), to_json(reason)?],
    )?;
    clear_deferral(db, source)
}

/// Forgets that polls are deferred, without moving them: those of one source, or all.
pub fn clear_deferral(db: &WriteConnection, source: Option<SourceId>) -> Result<()> {
    db.execute(
        "UPDATE websub_subscription SET undeferred_poll_at = NULL, deferred_until = NULL
         WHERE deferred_until IS NOT NULL AND (?1 IS NULL OR source_id = ?1)",
        [source.map(|source| source.0)],
    )?;
    Ok(())
}

fn read_subscription(row: &Row<'_>) -> Result<HubSubscription> {
    let last_event: Option<String> = row.get("last_event")?;
    Ok(HubSubscription {
        source: SourceId(row.get("source_id")?),
        declared: read_hub(row.get("declared_hub")?, row.get("declared_topic")?),
        requested: read_hub(row.get("requested_hub")?, row.get("requested_topic")?),
        callback: row.get("callback")?,
        secret: row.get("secret")?,
        state: word(&row.get::<_, String>("state")?)?,
        renewing: row.get("renewing")?,
        requested_at: maybe_time(row.get("requested_at")?)?,
        next_action_at: maybe_time(row.get("next_action_at")?)?,
        lease_until: maybe_time(row.get("lease_until")?)?,
        failures: row.get("failures")?,
        pushes: row.get::<_, i64>("pushes")? as u64,
        rejected_pushes: row.get::<_, i64>("rejected_pushes")? as u64,
        last_push_at: maybe_time(row.get("last_push_at")?)?,
        reliable: row.get("reliable")?,
        last_event: last_event.as_deref().map(from_json).transpose()?,
    })
}

fn read_hub(hub: Option<String>, topic: Option<String>) -> Option<DeclaredHub> {
    hub.zip(topic).map(|(hub, topic)| DeclaredHub { hub, topic })
}
