//! Origins: their holds, and the requests that were sent to each with their results.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, from_json, maybe_time, time, to_json};
use crate::domain::{HoldReason, OriginHold, RequestRecord, SourceId, Timestamp};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

/// Records a hold. A hold with a later end stays: a request to wait for a day outlasts one to wait for an hour.
pub fn record_hold(db: &WriteConnection, hold: &OriginHold) -> Result<()> {
    db.execute(
        "INSERT INTO origin_hold (origin, until, reason) VALUES (?1, ?2, ?3)
         ON CONFLICT (origin) DO UPDATE SET until = excluded.until, reason = excluded.reason
         WHERE excluded.until > until",
        params![hold.origin, hold.until.as_millisecond(), to_json(&hold.reason)?],
    )?;
    Ok(())
}

/// The active hold of an origin.
pub fn active_hold(db: &ReadConnection, origin: &str, now: Timestamp) -> Result<Option<OriginHold>> {
    let row = db
        .prepare_cached("SELECT until, reason FROM origin_hold WHERE origin = ?1 AND until > ?2")?
        .query_row(params![origin, now.as_millisecond()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    row.map(|(until, reason)| {
        Ok(OriginHold { origin: origin.to_owned(), until: time(until)?, reason: from_json(&reason)? })
    })
    .transpose()
}

/// The holds that end after a time, the first to end first.
pub fn holds_ending_after(db: &ReadConnection, at: Timestamp, limit: u32) -> Result<Vec<OriginHold>> {
    let mut statement = db.prepare_cached(
        "SELECT origin, until, reason FROM origin_hold WHERE until > ?1 ORDER BY until, origin LIMIT ?2",
    )?;
    collect(&mut statement, params![at.as_millisecond(), limit], |row| {
        Ok(OriginHold { origin: row.get(0)?, until: time(row.get(1)?)?, reason: from_json(&row.get::<_, String>(2)?)? })
    })
}

/// Deletes the holds of an origin, as a server of feeds and as a hub. Returns whether it had one.
pub fn clear_hold(db: &WriteConnection, origin: &str) -> Result<bool> {
    Ok(db.execute("DELETE FROM origin_hold WHERE origin IN (?1, 'hub ' || ?1)", [origin])? > 0)
}

/// The sources that wait for an origin: because of a response of its own, or because it is on hold.
pub fn waiting_sources(db: &ReadConnection, origin: &str, now: Timestamp) -> Result<Vec<SourceId>> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM source WHERE state = 'active' AND next_poll_at > ?2
         AND next_poll_reason ->> 'kind' <> 'hold-cleared'
         AND (hold_until > ?2 OR next_poll_reason ->> 'kind' = 'origin-hold'
              OR last_outcome IN ('throttled', 'refused', 'challenged', 'held'))
         AND (substr(url, 1, length(?1) + 1) = ?1 || '/'
              OR ?1 = (SELECT origin FROM poll WHERE source_id = source.id AND origin <> '' ORDER BY id DESC LIMIT 1))",
    )?;
    collect(&mut statement, params![origin, now.as_millisecond()], |row| Ok(SourceId(row.get(0)?)))
}

/// Records requests that belong to no poll.
pub fn record_requests(db: &WriteConnection, at: Timestamp, requests: &[RequestRecord]) -> Result<()> {
    let mut insert = db
        .prepare_cached("INSERT INTO request_log (requested_at, origin, status, wire_bytes) VALUES (?1, ?2, ?3, ?4)")?;
    for request in requests {
        insert.execute(params![at.as_millisecond(), request.origin, request.status, request.bytes as i64])?;
    }
    Ok(())
}

/// Deletes older records of such requests.
pub fn delete_requests_before(db: &WriteConnection, before: Timestamp) -> Result<()> {
    db.execute("DELETE FROM request_log WHERE requested_at < ?1", [before.as_millisecond()])?;
    Ok(())
}

/// Deletes expired holds.
pub fn delete_expired_holds(db: &WriteConnection, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM origin_hold WHERE until <= ?1", [now.as_millisecond()])?;
    Ok(())
}

/// Whether an origin has served another source successfully since a time.
pub fn serves_other_sources(db: &ReadConnection, origin: &str, source: SourceId, since: Timestamp) -> Result<bool> {
    let found = db
        .prepare_cached(
            "SELECT 1 FROM poll WHERE started_at >= ?3 AND origin = ?1 AND source_id <> ?2
             AND outcome IN ('read', 'not-modified') LIMIT 1",
        )?
        .query_row(params![origin, source.0, since.as_millisecond()], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// The requests sent to one origin within a time span.
#[derive(Debug, Clone, Serialize)]
pub struct OriginTraffic {
    pub origin: String,
    /// The number of sources that it served.
    pub sources: u64,
    /// The number of requests: of polls with their redirects, for article pages, for robots.txt, to hubs.
    pub requests: u64,
    /// The number of responses without a change (304).
    pub not_modified: u64,
    /// The size of the bodies as transferred.
    pub bytes: u64,
    /// The number of responses that limit or refuse requests (429, 503, 403, bot challenges).
    pub throttled: u64,
    /// The number of polls without a usable response for another reason.
    pub errors: u64,
    pub held_until: Option<Timestamp>,
    pub hold_reason: Option<HoldReason>,
}

/// The requests sent to each origin since a time, and the origins on hold; the one with the most requests first.
pub fn traffic(db: &ReadConnection, since: Timestamp, now: Timestamp) -> Result<Vec<OriginTraffic>> {
    let mut statement = db.prepare_cached(
        "WITH asked AS (
             SELECT origin, source_id, status, wire_bytes, outcome FROM poll WHERE started_at >= ?1 AND origin <> ''
             UNION ALL
             SELECT hop.origin, source_id, hop.status, 0, 'redirect'
             FROM poll CROSS JOIN redirect_hop AS hop ON hop.poll_id = poll.id
             WHERE started_at >= ?1
             UNION ALL
             SELECT origin, NULL, status, wire_bytes, CASE WHEN status IN (403, 429, 503) THEN 'throttled'
                    WHEN status IS NULL OR status >= 500 THEN 'failed' ELSE 'other' END
             FROM request_log WHERE requested_at >= ?1),
         counted AS (
             SELECT origin, count(DISTINCT source_id) AS sources, count(*) AS requests,
                    count(*) FILTER (WHERE outcome = 'not-modified') AS not_modified, sum(wire_bytes) AS bytes,
                    count(*) FILTER (WHERE outcome IN ('throttled', 'refused', 'challenged')) AS throttled,
                    count(*) FILTER (WHERE outcome IN ('failed', 'private-address', 'not-a-feed', 'crashed', 'gone')) AS errors
             FROM asked GROUP BY origin),
         holds AS (SELECT * FROM origin_hold WHERE until > ?2)
         SELECT coalesce(counted.origin, holds.origin), coalesce(sources, 0), coalesce(requests, 0),
                coalesce(not_modified, 0), coalesce(bytes, 0), coalesce(throttled, 0), coalesce(errors, 0),
                until, reason
         FROM counted FULL JOIN holds ON counted.origin = holds.origin
         ORDER BY 3 DESC, 1",
    )?;
    collect(&mut statement, params![since.as_millisecond(), now.as_millisecond()], |row| {
        let count = |column| row.get::<_, i64>(column).map(|n| n as u64);
        Ok(OriginTraffic {
            origin: row.get(0)?,
            sources: count(1)?,
            requests: count(2)?,
            not_modified: count(3)?,
            bytes: count(4)?,
            throttled: count(5)?,
            errors: count(6)?,
            held_until: maybe_time(row.get(7)?)?,
            hold_reason: row.get::<_, Option<String>>(8)?.as_deref().map(from_json).transpose()?,
        })
    })
}
