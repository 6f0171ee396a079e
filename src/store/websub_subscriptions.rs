//! The WebSub subscriptions of sources. This module only stores the subscriptions; [`crate::websub`] makes the
//! decisions.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{column, from_row, milliseconds, to_json};
use crate::domain::{DeclaredHub, HubEvent, HubSubscription, NextPollReason, SourceId};
use jiff::Timestamp;
use rusqlite::{named_params, params};

/// A subscription that is due, and whether its source is active.
pub struct DueSubscription {
    pub subscription: HubSubscription,
    pub polled: bool,
}

/// Returns the subscription of a source; `None` if its feed has never declared a hub.
pub fn get(db: &ReadConnection, source: SourceId) -> Result<Option<HubSubscription>> {
    db.first("SELECT * FROM websub_subscription WHERE source_id = ?1", [source.0])
}

/// Returns the subscription whose callback URL ends with this token.
pub fn find_by_token(db: &ReadConnection, token: &str) -> Result<Option<HubSubscription>> {
    db.first("SELECT * FROM websub_subscription WHERE token = ?1", [token])
}

/// Returns the subscriptions whose next action is due or whose lease has expired.
pub fn due(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<DueSubscription>> {
    db.map(
        "SELECT *, (SELECT state = 'active' FROM source WHERE id = source_id) AS polled
         FROM websub_subscription WHERE next_action_at <= ?1 OR lease_until <= ?1 LIMIT ?2",
        params![now.as_millisecond(), limit],
        |row| Ok(DueSubscription { subscription: from_row(row)?, polled: column(row, "polled")? }),
    )
}

/// Returns when the next subscription is due.
pub fn next_due_at(db: &ReadConnection) -> Result<Option<Timestamp>> {
    db.one(
        "SELECT min(at) FROM (
             SELECT min(next_action_at) AS at FROM websub_subscription WHERE next_action_at IS NOT NULL
             UNION ALL SELECT min(lease_until) FROM websub_subscription WHERE lease_until IS NOT NULL)",
        [],
    )
}

/// Records the hub that a feed declares. If the declaration has changed, the subscription is due immediately.
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

/// Stores a subscription. If the subscription is not reliable, a deferred poll of its source returns to the source's
/// own schedule.
pub fn save(db: &WriteConnection, subscription: &HubSubscription, now: Timestamp) -> Result<()> {
    db.execute("INSERT OR IGNORE INTO websub_subscription (source_id) VALUES (?1)", [subscription.source.0])?;
    db.execute(
        "UPDATE websub_subscription SET declared = :declared, requested = :requested, callback = :callback, token = :token,
             secret = :secret, state = :state, renewing = :renewing, requested_at = :requested_at,
             next_action_at = :next_action_at, lease_until = :lease_until, failures = :failures, pushes = :pushes,
             rejected_pushes = :rejected_pushes, last_push_at = :last_push_at, reliable = :reliable,
             last_event = :last_event
         WHERE source_id = :source",
        named_params! {
            ":source": subscription.source.0,
            ":declared": subscription.declared.as_ref().map(to_json).transpose()?,
            ":requested": subscription.requested.as_ref().map(to_json).transpose()?,
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
        restore_deferred_poll(db, subscription.source, now, &NextPollReason::HubUnreliable)?;
    }
    Ok(())
}

/// Ends all subscriptions without sending requests to the hubs.
pub fn end_all(db: &WriteConnection, event: &HubEvent) -> Result<()> {
    let sql = "UPDATE websub_subscription SET state = 'inactive', renewing = 0, reliable = 0, lease_until = NULL,
                   next_action_at = 0, last_event = ?1
               WHERE state <> 'inactive'";
    db.execute(sql, [to_json(event)?])?;
    Ok(())
}

/// Moves a source's next poll to `until` and keeps the time that the source's own schedule determined.
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

/// Moves the deferred poll of a source back to the schedule of the source.
///
/// A poll that was rescheduled after its deferral is not moved, so that it does not run twice.
pub fn restore_deferred_poll(
    db: &WriteConnection,
    source: SourceId,
    now: Timestamp,
    reason: &NextPollReason,
) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = max(undeferred_poll_at, ?2), next_poll_reason = ?3 FROM websub_subscription
         WHERE source.id = ?1 AND source_id = source.id AND next_poll_at = deferred_until",
        params![source.0, now.as_millisecond(), to_json(reason)?],
    )?;
    clear_deferral(db, source)
}

/// Does the same as [`restore_deferred_poll`] for all sources.
pub fn restore_deferred_polls(db: &WriteConnection, now: Timestamp, reason: &NextPollReason) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = max(undeferred_poll_at, ?1), next_poll_reason = ?2 FROM websub_subscription
         WHERE source_id = source.id AND next_poll_at = deferred_until",
        params![now.as_millisecond(), to_json(reason)?],
    )?;
    let clear = "UPDATE websub_subscription SET undeferred_poll_at = NULL, deferred_until = NULL
                 WHERE deferred_until IS NOT NULL";
    db.execute(clear, [])?;
    Ok(())
}

/// Clears the deferral of a source's poll without moving the poll.
pub fn clear_deferral(db: &WriteConnection, source: SourceId) -> Result<()> {
    db.execute(
        "UPDATE websub_subscription SET undeferred_poll_at = NULL, deferred_until = NULL
         WHERE source_id = ?1 AND deferred_until IS NOT NULL",
        [source.0],
    )?;
    Ok(())
}
