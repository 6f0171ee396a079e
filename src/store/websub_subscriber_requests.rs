//! Requests to our own hub that await confirmation by their callbacks, and the counts for rate limits. This module only
//! stores the requests; [`crate::websub::hub`] makes the decisions.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{column, from_row, json_list};
use super::websub_subscribers::DueQuery;
use crate::domain::duration::before;
use crate::domain::{RateLimitCounts, RequestCounts, SubscriberRequest};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{named_params, params};

/// The period over which accepted requests are counted.
const RATE_LIMIT_PERIOD: SignedDuration = SignedDuration::from_hours(1);

/// A request whose callback must confirm it.
pub struct PendingVerification {
    pub id: i64,
    /// The number of earlier attempts without a recorded result.
    pub attempts: u32,
    pub request: SubscriberRequest,
}

/// Returns the counts that the rate limits need to evaluate a request.
pub fn rate_limit_counts(db: &ReadConnection, request: &SubscriberRequest, now: Timestamp) -> Result<RateLimitCounts> {
    let SubscriberRequest { topic, callback, host, client, .. } = request;
    let since = before(now, RATE_LIMIT_PERIOD).as_millisecond();
    let now = now.as_millisecond();
    let active: RequestCounts = db.one(
        "SELECT count(*) AS total, count(*) FILTER (WHERE topic = ?1) AS same_topic,
                count(*) FILTER (WHERE host = ?2) AS same_host, 0 AS same_client
         FROM websub_subscriber WHERE lease_until > ?3",
        params![topic, host, now],
    )?;
    let pending: RequestCounts = db.one(
        "SELECT count(*) AS total, count(*) FILTER (WHERE topic = ?1) AS same_topic,
                count(*) FILTER (WHERE host = ?2) AS same_host, count(*) FILTER (WHERE client = ?3) AS same_client
         FROM websub_subscriber_request",
        params![topic, host, client],
    )?;
    let last_hour = db.one(
        "SELECT count(*) AS total, count(*) FILTER (WHERE topic = ?1) AS same_topic,
                count(*) FILTER (WHERE host = ?2) AS same_host, count(*) FILTER (WHERE client = ?3) AS same_client
         FROM verification_log WHERE verify_at > ?4",
        params![topic, host, client, since],
    )?;
    Ok(RateLimitCounts {
        subscribed: db.exists(
            "SELECT 1 FROM websub_subscriber WHERE topic = ?1 AND callback = ?2 AND lease_until > ?3",
            params![topic, callback, now],
        )?,
        pending_at: db.first(
            "SELECT verify_at FROM websub_subscriber_request WHERE topic = ?1 AND callback = ?2",
            [topic, callback],
        )?,
        verified_at: db
            .one("SELECT max(verify_at) FROM verification_log WHERE callback = ?1 AND topic = ?2", [callback, topic])?,
        subscribers: RequestCounts {
            total: active.total + pending.total,
            same_topic: active.same_topic + pending.same_topic,
            same_host: active.same_host + pending.same_host,
            same_client: 0,
        },
        pending,
        last_hour,
    })
}

/// Stores a request. It replaces a pending request with the same callback and topic.
pub fn add(db: &WriteConnection, request: &SubscriberRequest, now: Timestamp) -> Result<()> {
    db.execute(
        "DELETE FROM verification_log WHERE verify_at <= ?1",
        [before(now, RATE_LIMIT_PERIOD).as_millisecond()],
    )?;
    db.execute(
        "INSERT OR REPLACE INTO websub_subscriber_request
             (topic, callback, host, client, mode, secret, lease, verify_at)
         VALUES (:topic, :callback, :host, :client, :mode, :secret, :lease, :verify_at)",
        named_params! {
            ":topic": request.topic,
            ":callback": request.callback,
            ":host": request.host,
            ":client": request.client,
            ":mode": request.mode.into_str(),
            ":secret": request.secret,
            ":lease": request.lease.as_millis() as i64,
            ":verify_at": request.verify_at.as_millisecond(),
        },
    )?;
    db.execute(
        "INSERT INTO verification_log (verify_at, topic, callback, host, client) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![request.verify_at.as_millisecond(), request.topic, request.callback, request.host, request.client],
    )?;
    Ok(())
}

/// Returns the requests that are due for verification: at most one per host, and none for busy hosts.
pub fn due(db: &ReadConnection, query: &DueQuery<'_>) -> Result<Vec<PendingVerification>> {
    db.map(
        "SELECT *, min(verify_at) FROM websub_subscriber_request
         WHERE verify_at <= ?1 AND host NOT IN (SELECT value FROM json_each(?2))
         GROUP BY host ORDER BY min(verify_at) LIMIT ?3",
        params![query.now.as_millisecond(), json_list(query.busy), query.limit as i64],
        |row| {
            let (id, attempts) = (column(row, "id")?, column(row, "attempts")?);
            Ok(PendingVerification { id, attempts, request: from_row(row)? })
        },
    )
}

/// Records that a callback is about to receive a verification request. If no result is recorded, the request is
/// repeated at `retry_at`. Returns whether the request still exists.
pub fn claim(db: &WriteConnection, id: i64, retry_at: Timestamp) -> Result<bool> {
    let sql = "UPDATE websub_subscriber_request SET attempts = attempts + 1, verify_at = ?2 WHERE id = ?1";
    Ok(db.execute(sql, params![id, retry_at.as_millisecond()])? > 0)
}

/// Deletes a request, but not a newer request that has replaced it.
pub fn delete(db: &WriteConnection, id: i64) -> Result<()> {
    db.execute("DELETE FROM websub_subscriber_request WHERE id = ?1", [id])?;
    Ok(())
}
