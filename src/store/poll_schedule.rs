//! The schedule of polls: the sources that are due, and the time of each source's next poll.
//!
//! The module does not decide when a source is polled. [`crate::crawl`] decides the time, and records it here or with
//! the poll.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::to_json;
use crate::domain::{DueSource, NextPollReason, SourceId};
use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

/// Starts a poll: moves the source's next poll to `next` or later, unless it has changed since `due` was read.
///
/// The new schedule is durable before the request is sent, so a crash during the poll does not cause an early second
/// poll. The [lease](super::poll_leases) ensures that no other program polls the source at the same time.
pub fn claim_poll(db: &WriteConnection, due: &DueSource, now: Timestamp, next: Timestamp) -> Result<bool> {
    let claimed = db.execute(
        "UPDATE source SET next_poll_at = max(next_poll_at, ?3),
         next_poll_reason = json_object('kind', 'poll-started', 'started_at', ?4, 'planned',
             CASE next_poll_reason ->> 'kind' WHEN 'poll-started' THEN next_poll_reason -> 'planned'
                                              ELSE json(next_poll_reason) END)
         WHERE id = ?1 AND next_poll_at = ?2 AND state <> 'removed'",
        params![due.id.0, due.next_poll_at.as_millisecond(), next.as_millisecond(), now.to_string()],
    )?;
    Ok(claimed == 1)
}

/// Returns the sources that are due, most overdue first.
pub fn due(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<DueSource>> {
    db.all(
        "SELECT id, url, next_poll_at FROM source WHERE state = 'active' AND next_poll_at <= ?1
         ORDER BY next_poll_at, id LIMIT ?2",
        params![now.as_millisecond(), limit],
    )
}

/// Returns the time at which the next source becomes due after `now`.
pub fn next_poll_at(db: &ReadConnection, now: Timestamp) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(next_poll_at) FROM source WHERE state = 'active' AND next_poll_at > ?1";
    db.one(sql, [now.as_millisecond()])
}

/// Moves a source's next poll to `until`, unless the schedule has changed since `due` was read.
pub fn postpone_poll(db: &WriteConnection, due: &DueSource, until: Timestamp, reason: &NextPollReason) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = ?3, next_poll_reason = ?4 WHERE id = ?1 AND next_poll_at = ?2 AND ?3 > ?2",
        params![due.id.0, due.next_poll_at.as_millisecond(), until.as_millisecond(), to_json(reason)?],
    )?;
    Ok(())
}

/// Spreads overdue sources evenly, in their order, so that neither startup nor the end of an outage causes a burst.
/// Sources that were never polled keep their scheduled time, because newsfold has not yet sent requests to their
/// servers. Sources that failed because our own network was down also become due, but no earlier than `within` after
/// their last poll. Returns the number of overdue sources.
pub fn spread_overdue(
    db: &WriteConnection,
    now: Timestamp,
    apart: SignedDuration,
    within: SignedDuration,
) -> Result<u32> {
    db.execute(
        "UPDATE source SET next_poll_at = min(next_poll_at, last_poll_at + ?1)
         WHERE state = 'active' AND last_outcome = 'offline'",
        [within.as_millis() as i64],
    )?;
    let overdue: Vec<SourceId> = db.all(
        "SELECT id FROM source WHERE state = 'active' AND next_poll_at <= ?1 AND last_poll_at IS NOT NULL
         ORDER BY next_poll_at, id",
        [now.as_millisecond()],
    )?;
    let count = overdue.len() as i64;
    let step = apart.as_millis().min(within.as_millis() / i128::from(count.max(1))) as i64;
    for (index, source) in overdue.iter().enumerate() {
        let next = now.as_millisecond() + step * index as i64;
        db.execute("UPDATE source SET next_poll_at = ?2 WHERE id = ?1", [source.0, next])?;
    }
    Ok(count as u32)
}

/// Makes sources due at `now` if their next poll is scheduled after `latest_plan` or their last poll was recorded after
/// `latest_record`. Ends holds of these sources that would last beyond `latest_plan`. Returns the number of sources.
pub fn make_due_if_planned_after(
    db: &WriteConnection,
    latest_plan: Timestamp,
    latest_record: Timestamp,
    now: Timestamp,
) -> Result<usize> {
    db.execute(
        "UPDATE source SET next_poll_at = ?3, hold_until = CASE WHEN hold_until <= ?1 THEN hold_until END
         WHERE state = 'active' AND next_poll_at > ?3 AND (next_poll_at > ?1 OR last_poll_at > ?2)",
        [latest_plan.as_millisecond(), latest_record.as_millisecond(), now.as_millisecond()],
    )
}

/// Makes an active source due at the operator's request, but not before its hold ends. With `is_full_request`, the next
/// request is unconditional.
pub fn request_poll(db: &WriteConnection, id: SourceId, is_full_request: bool, now: Timestamp) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = max(?2, coalesce(hold_until, 0)), next_poll_reason = ?3,
             etag = CASE WHEN ?4 THEN NULL ELSE etag END, last_modified = CASE WHEN ?4 THEN NULL ELSE last_modified END
         WHERE id = ?1 AND state = 'active'",
        params![id.0, now.as_millisecond(), to_json(&NextPollReason::Requested)?, is_full_request],
    )?;
    Ok(())
}

/// Ends a source's hold at the operator's request and polls the source at `next`.
pub fn clear_hold(db: &WriteConnection, id: SourceId, next: Timestamp) -> Result<()> {
    db.execute(
        "UPDATE source SET hold_until = NULL, next_poll_at = ?2, next_poll_reason = ?3 WHERE id = ?1",
        params![id.0, next.as_millisecond(), to_json(&NextPollReason::HoldCleared)?],
    )?;
    Ok(())
}

/// Reverts the failures that were recorded while our own network was down.
pub fn revert_offline_failures(db: &WriteConnection, sources: &[SourceId], interval: SignedDuration) -> Result<()> {
    let reason = to_json(&NextPollReason::NetworkDown)?;
    for source in sources {
        db.execute(
            "UPDATE source SET failures = max(failures - 1, 0), last_outcome = 'offline',
                 last_error = 'newsfold had no network connection', last_error_time = NULL,
                 next_poll_at = min(next_poll_at, last_poll_at + ?2),
                 next_poll_reason = ?3
             WHERE id = ?1",
            params![source.0, interval.as_millis() as i64, reason],
        )?;
        db.execute(
            "UPDATE poll SET outcome = 'offline' WHERE outcome = 'failed'
             AND id = (SELECT max(id) FROM poll WHERE source_id = ?1 AND origin <> '')",
            [source.0],
        )?;
    }
    Ok(())
}
