//! Origins: their holds, the requests sent to each origin, and the results.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::to_json;
use crate::domain::{HoldReason, HoldScope, OriginHold, RequestRecord, SourceId, Timestamp};
use crate::urls::registrable_domain::registrable_domain;
use rusqlite::params;
use serde::{Deserialize, Serialize};

/// Records a hold. An existing hold with a later end is kept.
pub fn record_hold(db: &WriteConnection, hold: &OriginHold) -> Result<()> {
    db.execute(
        "INSERT INTO origin_hold (origin, scope, domain, until, reason) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (origin, scope)
         DO UPDATE SET until = excluded.until, reason = excluded.reason, domain = excluded.domain
         WHERE excluded.until > until",
        params![
            hold.origin,
            hold.reason.scope().into_str(),
            hold.domain,
            hold.until.as_millisecond(),
            to_json(&hold.reason)?
        ],
    )?;
    Ok(())
}

/// Returns the active hold of an origin or of its registrable domain. If both are on hold, returns the hold that ends
/// last.
pub fn active_hold(db: &ReadConnection, origin: &str, scope: HoldScope, now: Timestamp) -> Result<Option<OriginHold>> {
    db.first(
        "SELECT * FROM origin_hold WHERE (origin = ?1 OR domain = ?4) AND scope = ?2 AND until > ?3
         ORDER BY until DESC LIMIT 1",
        params![origin, scope.into_str(), now.as_millisecond(), registrable_domain(origin)],
    )
}

/// Returns the holds that end after a given time, ordered by end time.
pub fn holds_ending_after(db: &ReadConnection, at: Timestamp, limit: u32) -> Result<Vec<OriginHold>> {
    db.all(
        "SELECT * FROM origin_hold WHERE until > ?1 ORDER BY until, origin LIMIT ?2",
        params![at.as_millisecond(), limit],
    )
}

/// Deletes the holds of an origin, both as a feed server and as a hub, and the holds of its registrable domain. Returns
/// whether any existed.
pub fn clear_hold(db: &WriteConnection, origin: &str) -> Result<bool> {
    let domain = registrable_domain(origin);
    Ok(db.execute("DELETE FROM origin_hold WHERE origin = ?1 OR domain = ?2", params![origin, domain])? > 0)
}

/// Deletes the holds that end after a given time.
pub fn delete_holds_until_after(db: &WriteConnection, time: Timestamp) -> Result<()> {
    db.execute("DELETE FROM origin_hold WHERE until > ?1", [time.as_millisecond()])?;
    Ok(())
}

/// Returns the sources that wait for an origin because of the response to their own poll, or because the origin or its
/// registrable domain is on hold.
pub fn waiting_sources(db: &ReadConnection, origin: &str, now: Timestamp) -> Result<Vec<SourceId>> {
    let mut waiting = waiting_for_origin(db, origin, now)?;
    let domain = registrable_domain(origin);
    let held_domain: Option<String> = db.first("SELECT domain FROM origin_hold WHERE domain = ?1", [domain])?;
    let Some(domain) = held_domain else { return Ok(waiting) };
    let held: Vec<(SourceId, String)> = db.all(
        "SELECT id, url FROM source WHERE state = 'active' AND next_poll_at > ?1 AND instr(url, ?2) > 0
         AND (hold_until > ?1 OR next_poll_reason ->> 'kind' = 'origin-hold')",
        params![now.as_millisecond(), domain],
    )?;
    let in_domain = held.into_iter().filter(|(_, url)| registrable_domain(url).as_ref() == Some(&domain));
    waiting.extend(in_domain.map(|(id, _)| id));
    waiting.sort_unstable();
    waiting.dedup();
    Ok(waiting)
}

fn waiting_for_origin(db: &ReadConnection, origin: &str, now: Timestamp) -> Result<Vec<SourceId>> {
    db.all(
        "SELECT id FROM source WHERE state = 'active' AND next_poll_at > ?2
         AND next_poll_reason ->> 'kind' <> 'hold-cleared'
         AND (hold_until > ?2 OR next_poll_reason ->> 'kind' = 'origin-hold'
              OR last_outcome IN ('throttled', 'refused', 'challenged', 'held'))
         AND (substr(url, 1, length(?1) + 1) = ?1 || '/'
              OR ?1 = (SELECT origin FROM poll WHERE source_id = source.id AND origin <> '' ORDER BY id DESC LIMIT 1))",
        params![origin, now.as_millisecond()],
    )
}

/// Records requests that do not belong to a poll.
pub fn record_requests(db: &WriteConnection, at: Timestamp, requests: &[RequestRecord]) -> Result<()> {
    for request in requests {
        db.execute(
            "INSERT INTO request_log (requested_at, origin, status, wire_bytes) VALUES (?1, ?2, ?3, ?4)",
            params![at.as_millisecond(), request.origin, request.status, request.bytes as i64],
        )?;
    }
    Ok(())
}

/// Deletes older records of requests that do not belong to a poll.
pub fn delete_requests_before(db: &WriteConnection, before: Timestamp) -> Result<()> {
    db.execute("DELETE FROM request_log WHERE requested_at < ?1", [before.as_millisecond()])?;
    Ok(())
}

/// Deletes expired holds.
pub fn delete_expired_holds(db: &WriteConnection, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM origin_hold WHERE until <= ?1", [now.as_millisecond()])?;
    Ok(())
}

/// Returns whether an origin has successfully served another source since a given time.
pub fn serves_other_sources(db: &ReadConnection, origin: &str, source: SourceId, since: Timestamp) -> Result<bool> {
    db.exists(
        "SELECT 1 FROM poll WHERE started_at >= ?3 AND origin = ?1 AND source_id <> ?2
         AND outcome IN ('read', 'not-modified')",
        params![origin, source.0, since.as_millisecond()],
    )
}

/// The requests sent to one origin within a time span.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OriginTraffic {
    pub origin: String,
    /// The number of sources that it served.
    pub sources: u64,
    /// The number of requests, including redirects, article pages, robots.txt and requests to hubs.
    pub requests: u64,
    /// The number of responses that reported no change (304).
    pub not_modified: u64,
    /// The total size of the bodies as transferred.
    pub bytes: u64,
    /// The number of responses that limit or refuse requests (429, 503, 403, bot challenges).
    pub throttled: u64,
    /// The number of polls without a usable response for any other reason.
    pub errors: u64,
    pub held_until: Option<Timestamp>,
    pub hold_reason: Option<HoldReason>,
}

/// Returns the requests sent to each origin since a given time, and the origins on hold. Busiest origins come first.
pub fn traffic(db: &ReadConnection, since: Timestamp, now: Timestamp) -> Result<Vec<OriginTraffic>> {
    db.all(
        "WITH request AS (
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
             FROM request GROUP BY origin),
         hold AS (SELECT origin, max(until) AS held_until, reason AS hold_reason FROM origin_hold
                  WHERE until > ?2 GROUP BY origin)
         SELECT coalesce(counted.origin, hold.origin) AS origin, coalesce(sources, 0) AS sources,
                coalesce(requests, 0) AS requests, coalesce(not_modified, 0) AS not_modified,
                coalesce(bytes, 0) AS bytes, coalesce(throttled, 0) AS throttled, coalesce(errors, 0) AS errors,
                held_until, hold_reason
         FROM counted FULL JOIN hold ON counted.origin = hold.origin
         ORDER BY 3 DESC, 1",
        params![since.as_millisecond(), now.as_millisecond()],
    )
}
