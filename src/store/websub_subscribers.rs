//! Subscribers of our own hub, and the documents delivered to them. This module only stores the subscribers;
//! [`crate::websub::hub`] makes the decisions.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{column, from_row, json_list, to_json};
use crate::domain::{HubSubscriber, SubscriberId, SubscriberRequest, WebSubFailure};
use jiff::Timestamp;
use rusqlite::params;

/// A subscriber that does not have the latest version of its document.
pub struct PendingDelivery {
    pub subscriber: HubSubscriber,
    /// The hash of the latest version.
    pub hash: String,
    /// The largest number of consecutive failed deliveries among the subscribers at this host.
    pub host_failures: u32,
}

/// The selection of requests that may be sent now.
pub struct DueQuery<'a> {
    pub now: Timestamp,
    /// Documents that are ready to send.
    pub topics: &'a [String],
    /// Hosts and hubs with a request in flight.
    pub busy: &'a [String],
    pub limit: usize,
}

/// Information about the subscribers of a document.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
pub struct TopicAudience {
    pub has_subscribers: bool,
    /// Whether any subscriber has no recorded delivery of the current document.
    pub has_new_subscribers: bool,
}

/// Adds or renews a confirmed subscription. A renewal keeps the delivery state.
pub fn subscribe(db: &WriteConnection, request: &SubscriberRequest, now: Timestamp, until: Timestamp) -> Result<()> {
    delete_expired(db, now)?;
    db.execute(
        "INSERT INTO websub_subscriber (topic, callback, host, secret, subscribed_at, lease_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret, lease_until = excluded.lease_until,
             failures = 0, next_attempt_at = 0, last_failure = NULL",
        params![
            request.topic,
            request.callback,
            request.host,
            request.secret,
            now.as_millisecond(),
            until.as_millisecond()
        ],
    )?;
    Ok(())
}

/// Deletes the subscription of a callback that has confirmed an unsubscribe request.
pub fn unsubscribe(db: &WriteConnection, topic: &str, callback: &str) -> Result<()> {
    db.execute("DELETE FROM websub_subscriber WHERE topic = ?1 AND callback = ?2", [topic, callback])?;
    Ok(())
}

/// Deletes a subscription without notifying the subscriber. Returns whether it existed.
pub fn remove(db: &WriteConnection, id: SubscriberId) -> Result<bool> {
    Ok(db.execute("DELETE FROM websub_subscriber WHERE id = ?1", [id.0])? > 0)
}

/// Deletes subscriptions with expired leases and returns their number.
pub fn delete_expired(db: &WriteConnection, now: Timestamp) -> Result<usize> {
    db.execute("DELETE FROM websub_subscriber WHERE lease_until <= ?1", [now.as_millisecond()])
}

/// Returns all subscribers with active leases.
pub fn list(db: &ReadConnection, now: Timestamp) -> Result<Vec<HubSubscriber>> {
    db.all("SELECT * FROM websub_subscriber WHERE lease_until > ?1 ORDER BY topic, id", [now.as_millisecond()])
}

/// Returns whether a document has subscribers, and whether some subscribers are new.
pub fn topic_audience(db: &ReadConnection, topic: &str, now: Timestamp) -> Result<TopicAudience> {
    db.one(
        "SELECT EXISTS (SELECT 1 FROM websub_subscriber INDEXED BY websub_subscriber_by_delivery
                        WHERE topic = ?1 AND lease_until > ?2) AS has_subscribers,
                EXISTS (SELECT 1 FROM websub_subscriber
                        WHERE topic = ?1 AND delivered_hash IS NULL) AS has_new_subscribers",
        params![topic, now.as_millisecond()],
    )
}

/// Records the hash of the latest version of a document. New subscribers count as having received it.
pub fn record_feed_state(db: &WriteConnection, topic: &str, hash: &str, hubs: &[String], now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT INTO feed_state (topic, content_hash, changed_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (topic) DO UPDATE SET content_hash = excluded.content_hash, changed_at = excluded.changed_at
         WHERE content_hash <> excluded.content_hash",
        params![topic, hash, now.as_millisecond()],
    )?;
    db.execute(
        "UPDATE websub_subscriber SET delivered_hash = ?2 WHERE topic = ?1 AND delivered_hash IS NULL",
        [topic, hash],
    )?;
    for hub in hubs {
        db.execute("INSERT OR IGNORE INTO hub_notification (hub, topic) VALUES (?1, ?2)", [hub, topic])?;
    }
    Ok(())
}

/// Returns the subscribers that do not have the latest version of their document: at most one per host, and none for
/// busy hosts. Hosts without failures come first.
pub fn due(db: &ReadConnection, query: &DueQuery<'_>) -> Result<Vec<PendingDelivery>> {
    // `<>` cannot use the index on the hash, but `<` and `>` can.
    let (topics, busy) = (json_list(query.topics), json_list(query.busy));
    db.map(
        "WITH newest AS (
             SELECT topic, content_hash FROM feed_state WHERE topic IN (SELECT value FROM json_each(?2))),
         outdated AS (
             SELECT subscriber.*, content_hash
             FROM newest CROSS JOIN websub_subscriber AS subscriber INDEXED BY websub_subscriber_by_delivery
             ON subscriber.topic = newest.topic AND delivered_hash < content_hash
             UNION ALL
             SELECT subscriber.*, content_hash
             FROM newest CROSS JOIN websub_subscriber AS subscriber INDEXED BY websub_subscriber_by_delivery
             ON subscriber.topic = newest.topic AND delivered_hash > content_hash)
         SELECT *, min(next_attempt_at),
                (SELECT max(failures) FROM websub_subscriber WHERE host = outdated.host) AS host_failures
         FROM outdated
         WHERE next_attempt_at <= ?1 AND lease_until > ?1 AND host NOT IN (SELECT value FROM json_each(?3))
         GROUP BY host ORDER BY host_failures, next_attempt_at LIMIT ?4",
        params![query.now.as_millisecond(), topics, busy, query.limit as i64],
        |row| {
            let (hash, host_failures) = (column(row, "content_hash")?, column(row, "host_failures")?);
            Ok(PendingDelivery { subscriber: from_row(row)?, hash, host_failures })
        },
    )
}

/// Returns the time of the next verification, delivery or notification that becomes due after `now`. The subscriber or
/// hub may already be up to date.
pub fn next_attempt_at(db: &ReadConnection, now: Timestamp) -> Result<Option<Timestamp>> {
    db.one(
        "SELECT min(at) FROM (SELECT min(verify_at) AS at FROM websub_subscriber_request WHERE verify_at > ?1
         UNION ALL SELECT min(next_attempt_at) FROM websub_subscriber WHERE next_attempt_at > ?1
         UNION ALL SELECT min(next_attempt_at) FROM hub_notification WHERE next_attempt_at > ?1)",
        [now.as_millisecond()],
    )
}

/// Records that a document is about to be sent. If no result is recorded, the document is sent again at `retry_at`.
/// Returns whether the subscriber still exists.
pub fn claim(db: &WriteConnection, id: SubscriberId, retry_at: Timestamp) -> Result<bool> {
    let sql = "UPDATE websub_subscriber SET failures = failures + 1, next_attempt_at = ?2, last_failure = ?3
               WHERE id = ?1";
    let pending = to_json(&WebSubFailure::ResponsePending)?;
    Ok(db.execute(sql, params![id.0, retry_at.as_millisecond(), pending])? > 0)
}

/// Records a successful delivery.
pub fn record_delivery(db: &WriteConnection, id: SubscriberId, hash: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE websub_subscriber SET delivered_hash = ?2, delivered_at = ?3, deliveries = deliveries + 1,
                   failures = 0, next_attempt_at = 0, last_failure = NULL
               WHERE id = ?1";
    db.execute(sql, params![id.0, hash, now.as_millisecond()])?;
    Ok(())
}

/// Records a failed delivery, which is retried at `retry_at`.
pub fn record_failed_delivery(
    db: &WriteConnection,
    id: SubscriberId,
    retry_at: Timestamp,
    failure: &WebSubFailure,
) -> Result<()> {
    let sql = "UPDATE websub_subscriber SET next_attempt_at = ?2, last_failure = ?3 WHERE id = ?1";
    db.execute(sql, params![id.0, retry_at.as_millisecond(), to_json(failure)?])?;
    Ok(())
}
