//! Those who subscribe to our feeds at our own hub, what they were sent, and what other hubs were told. It decides
//! nothing: that is `websub::hub`'s.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, json_list, maybe_time, time, word};
use crate::domain::duration::before;
use crate::domain::{HubMode, HubNotification, HubSubscriber, SubscriberId, SubscriberRequest};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Params, Row, params};

/// What is looked back on when requests are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// How things stand with whoever asks, and with everybody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimitCounts {
    /// Whether this callback is subscribed to this topic.
    pub subscribed: bool,
    /// When this callback is asked about this topic, where it has yet to confirm something.
    pub pending_at: Option<Timestamp>,
    /// When it was asked last, or is going to be.
    pub asked_at: Option<Timestamp>,
    /// Subscribers, and those who may become some.
    pub subscribers: RequestCounts,
    /// Requests whose callbacks are yet to confirm them.
    pub pending: RequestCounts,
    /// Requests of the last hour that were taken.
    pub hour: RequestCounts,
}

/// A number in all, and of those some.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    pub all: u32,
    pub of_topic: u32,
    pub of_host: u32,
    pub of_client: u32,
}

/// How things stand with whoever makes this request.
pub fn rate_limit_counts(db: &ReadConnection, request: &SubscriberRequest, now: Timestamp) -> Result<RateLimitCounts> {
    let SubscriberRequest { topic, callback, host, client, .. } = request;
    let (at, since) = (now.as_millisecond(), before(now, HOUR).as_millisecond());
    let subscribed = db
        .prepare_cached("SELECT 1 FROM websub_subscriber WHERE topic = ?1 AND callback = ?2 AND lease_until > ?3")?
        .exists(params![topic, callback, at])?;
    let pending_at = db
        .prepare_cached("SELECT verify_at FROM websub_subscriber_request WHERE topic = ?1 AND callback = ?2")?
        .query_row([topic, callback], |row| row.get(0))
        .optional()?;
    let asked_at = db
        .prepare_cached("SELECT max(verify_at) FROM verification_log WHERE callback = ?1 AND topic = ?2")?
        .query_row([callback, topic], |row| row.get(0))?;
    let active = counts(
        db,
        "SELECT count(*), count(*) FILTER (WHERE topic = ?1), count(*) FILTER (WHERE host = ?2), 0 FROM websub_subscriber
         WHERE lease_until > ?3",
        params![topic, host, at],
    )?;
    let pending = counts(
        db,
        "SELECT count(*), count(*) FILTER (WHERE topic = ?1), count(*) FILTER (WHERE host = ?2),
                count(*) FILTER (WHERE client = ?3) FROM websub_subscriber_request",
        params![topic, host, client],
    )?;
    let hour = counts(
        db,
        "SELECT count(*), count(*) FILTER (WHERE topic = ?1), count(*) FILTER (WHERE host = ?2),
                count(*) FILTER (WHERE client = ?3) FROM verification_log WHERE verify_at > ?4",
        params![topic, host, client, since],
    )?;
    let subscribers = RequestCounts {
        all: active.all + pending.all,
        of_topic: active.of_topic + pending.of_topic,
        of_host: active.of_host + pending.of_host,
        of_client: 0,
    };
    let (pending_at, asked_at) = (maybe_time(pending_at)?, maybe_time(asked_at)?);
    Ok(RateLimitCounts { subscribed, pending_at, asked_at, subscribers, pending, hour })
}

fn counts(db: &ReadConnection, sql: &str, params: impl Params) -> Result<RequestCounts> {
    Ok(db.prepare_cached(sql)?.query_row(params, |row| {
        Ok(RequestCounts { all: row.get(0)?, of_topic: row.get(1)?, of_host: row.get(2)?, of_client: row.get(3)? })
    })?)
}

/// Writes down a request, instead of one that the same callback has made and not confirmed.
pub fn add_request(db: &WriteConnection, request: &SubscriberRequest, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM verification_log WHERE verify_at <= ?1", [before(now, HOUR).as_millisecond()])?;
    db.execute("INSERT OR REPLACE INTO websub_subscriber_request (topic, callback, host, client, mode, secret, lease, verify_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", params![
        request.topic,
        request.callback,
        request.host,
        request.client,
        request.mode.as_str(),
        request.secret,
        request.lease.as_millis() as i64,
        request.verify_at.as_millisecond(),
    ])?;
    db.execute(
        "INSERT INTO verification_log (verify_at, topic, callback, host, client) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![request.verify_at.as_millisecond(), request.topic, request.callback, request.host, request.client],
    )?;
    Ok(())
}

/// A request as it stands in the database.
pub struct PendingVerification {
    pub id: i64,
    pub tries: u32,
    pub request: SubscriberRequest,
}

/// Requests whose callbacks are to be asked now, one of each host; none of the hosts that are busy.
pub fn due_verifications(
    db: &ReadConnection,
    now: Timestamp,
    busy: &[String],
    limit: usize,
) -> Result<Vec<PendingVerification>> {
    let mut statement = db.prepare_cached(
        "SELECT id, tries, topic, callback, host, client, mode, secret, lease, min(verify_at) FROM websub_subscriber_request
         WHERE verify_at <= ?1 AND host NOT IN (SELECT value FROM json_each(?2)) GROUP BY host
         ORDER BY min(verify_at) LIMIT ?3",
    )?;
    collect(&mut statement, params![now.as_millisecond(), json_list(busy), limit as i64], |row| {
        Ok(PendingVerification {
            id: row.get(0)?,
            tries: row.get(1)?,
            request: SubscriberRequest {
                topic: row.get(2)?,
                callback: row.get(3)?,
                host: row.get(4)?,
                client: row.get(5)?,
                mode: word(&row.get::<_, String>(6)?, HubMode::parse)?,
                secret: row.get(7)?,
                lease: SignedDuration::from_millis(row.get(8)?),
                verify_at: time(row.get(9)?)?,
            },
        })
    })
}

/// A callback is about to be asked; should nobody write down what it says, it is asked again at `again_at`.
pub fn claim_verification(db: &WriteConnection, id: i64, again_at: Timestamp) -> Result<bool> {
    let sql = "UPDATE websub_subscriber_request SET tries = tries + 1, verify_at = ?2 WHERE id = ?1";
    Ok(db.execute(sql, params![id, again_at.as_millisecond()])? > 0)
}

/// A request is done with. One that has taken its place stays.
pub fn delete_request(db: &WriteConnection, id: i64) -> Result<()> {
    db.execute("DELETE FROM websub_subscriber_request WHERE id = ?1", [id])?;
    Ok(())
}

/// A callback has confirmed that it subscribes. One that is subscribed already keeps what it was sent.
pub fn subscribe(db: &WriteConnection, request: &SubscriberRequest, now: Timestamp, until: Timestamp) -> Result<()> {
    delete_expired(db, now)?;
    db.execute("INSERT INTO websub_subscriber (topic, callback, host, secret, since, lease_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret, lease_until = excluded.lease_until,
             failures = 0, next_at = 0, detail = ''", params![
        request.topic,
        request.callback,
        request.host,
        request.secret,
        now.as_millisecond(),
        until.as_millisecond()
    ])?;
    Ok(())
}

/// A callback has confirmed that it subscribes no more.
pub fn unsubscribe(db: &WriteConnection, topic: &str, callback: &str) -> Result<()> {
    db.execute("DELETE FROM websub_subscriber WHERE topic = ?1 AND callback = ?2", [topic, callback])?;
    Ok(())
}

/// Ends a subscription without a word. Returns whether there was one.
pub fn remove(db: &WriteConnection, id: SubscriberId) -> Result<bool> {
    Ok(db.execute("DELETE FROM websub_subscriber WHERE id = ?1", [id.0])? > 0)
}

/// Forgets those whose lease has ended.
pub fn delete_expired(db: &WriteConnection, now: Timestamp) -> Result<usize> {
    Ok(db.execute("DELETE FROM websub_subscriber WHERE lease_until <= ?1", [now.as_millisecond()])?)
}

/// Everybody who is subscribed.
pub fn list(db: &ReadConnection, now: Timestamp) -> Result<Vec<HubSubscriber>> {
    let sql = format!("SELECT {COLUMNS} FROM websub_subscriber WHERE lease_until > ?1 ORDER BY topic, id");
    collect(&mut *db.prepare_cached(&sql)?, [now.as_millisecond()], subscriber)
}

/// Whether somebody listens to a document, and whether somebody has just begun to.
pub fn topic_audience(db: &ReadConnection, topic: &str, now: Timestamp) -> Result<(bool, bool)> {
    let mut listens = db.prepare_cached(
        "SELECT 1 FROM websub_subscriber INDEXED BY websub_subscriber_by_delivery WHERE topic = ?1 AND lease_until > ?2",
    )?;
    let mut begins =
        db.prepare_cached("SELECT 1 FROM websub_subscriber WHERE topic = ?1 AND delivered_hash IS NULL")?;
    Ok((listens.exists(params![topic, now.as_millisecond()])?, begins.exists([topic])?))
}

/// Writes down what a document holds from now on. Those who have just subscribed to it have that.
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
    let mut known = db.prepare_cached("INSERT OR IGNORE INTO hub_notification (hub, topic) VALUES (?1, ?2)")?;
    for hub in hubs {
        known.execute([hub, topic])?;
    }
    Ok(())
}

/// Who is behind, and what it lacks.
pub struct PendingDelivery {
    pub subscriber: HubSubscriber,
    /// The hash of what it is to be sent.
    pub hash: String,
    /// The most deliveries in a row that did not arrive at its host.
    pub failures_of_host: u32,
}

/// Subscribers that are behind and may be sent something now, one of each host, hosts that take what they are sent first.
/// None of the hosts that are busy.
pub fn due_deliveries(
    db: &ReadConnection,
    now: Timestamp,
    topics: &[String],
    busy: &[String],
    limit: usize,
) -> Result<Vec<PendingDelivery>> {
    let mut statement = db.prepare_cached(&format!(
        "WITH wanted AS (SELECT topic, content_hash AS hash FROM feed_state WHERE topic IN (SELECT value FROM json_each(?2))),
         behind AS (
             SELECT subscriber.*, wanted.hash FROM wanted CROSS JOIN websub_subscriber AS subscriber INDEXED BY websub_subscriber_by_delivery
             ON subscriber.topic = wanted.topic AND subscriber.delivered_hash < wanted.hash
             UNION ALL
             SELECT subscriber.*, wanted.hash FROM wanted CROSS JOIN websub_subscriber AS subscriber INDEXED BY websub_subscriber_by_delivery
             ON subscriber.topic = wanted.topic AND subscriber.delivered_hash > wanted.hash)
         SELECT {COLUMNS}, hash,
                (SELECT max(failures) FROM websub_subscriber of_host WHERE of_host.host = behind.host) AS of_host,
                min(next_at) FROM behind
         WHERE next_at <= ?1 AND lease_until > ?1 AND host NOT IN (SELECT value FROM json_each(?3))
         GROUP BY host ORDER BY of_host, next_at LIMIT ?4"
    ))?;
    let params = params![now.as_millisecond(), json_list(topics), json_list(busy), limit as i64];
    collect(&mut statement, params, |row| {
        Ok(PendingDelivery { subscriber: subscriber(row)?, hash: row.get(13)?, failures_of_host: row.get(14)? })
    })
}

/// A document is about to be sent; should nobody write down what came of it, it is sent again at `again_at`.
pub fn claim_delivery(db: &WriteConnection, id: SubscriberId, again_at: Timestamp) -> Result<bool> {
    let sql = "UPDATE websub_subscriber SET failures = failures + 1, next_at = ?2,
               detail = 'it was sent something and has not answered yet' WHERE id = ?1";
    Ok(db.execute(sql, params![id.0, again_at.as_millisecond()])? > 0)
}

/// A document has arrived.
pub fn record_delivery(db: &WriteConnection, id: SubscriberId, hash: &str, now: Timestamp) -> Result<()> {
    db.execute("UPDATE websub_subscriber SET delivered_hash = ?2, delivered_at = ?3, deliveries = deliveries + 1, failures = 0,
         next_at = 0, detail = '' WHERE id = ?1", params![id.0, hash, now.as_millisecond()])?;
    Ok(())
}

/// A document has not arrived.
pub fn record_failed_delivery(db: &WriteConnection, id: SubscriberId, again_at: Timestamp, detail: &str) -> Result<()> {
    db.execute(
        "UPDATE websub_subscriber SET next_at = ?2, detail = ?3 WHERE id = ?1",
        params![id.0, again_at.as_millisecond(), detail],
    )?;
    Ok(())
}

/// Of some hubs those that are to be told of something now, each of one document, with the hash of what it holds. None
/// of those that are busy.
pub fn due_notifications(
    db: &ReadConnection,
    now: Timestamp,
    (hubs, topics, busy): (&[String], &[String], &[String]),
    limit: usize,
) -> Result<Vec<(HubNotification, String)>> {
    let mut statement = db.prepare_cached(
        "SELECT hub_notification.hub, hub_notification.topic, notified_at, failures, detail, feed_state.content_hash, min(hub_notification.next_at)
         FROM hub_notification JOIN feed_state ON feed_state.topic = hub_notification.topic
         WHERE hub_notification.hub IN (SELECT value FROM json_each(?2)) AND hub_notification.topic IN (SELECT value FROM json_each(?3))
         AND hub_notification.notified_hash IS NOT feed_state.content_hash AND hub_notification.next_at <= ?1
         AND hub_notification.hub NOT IN (SELECT value FROM json_each(?4)) GROUP BY hub_notification.hub LIMIT ?5",
    )?;
    let params = params![now.as_millisecond(), json_list(hubs), json_list(topics), json_list(busy), limit as i64];
    collect(&mut statement, params, |row| Ok((ping(row)?, row.get(5)?)))
}

/// What each hub was told of each document, also what is in the configuration no more.
pub fn list_notifications(db: &ReadConnection) -> Result<Vec<HubNotification>> {
    let sql = "SELECT hub, topic, notified_at, failures, detail FROM hub_notification ORDER BY hub, topic";
    collect(&mut *db.prepare_cached(sql)?, [], ping)
}

/// A hub is about to be told; should nobody write down what it said, it is told again at `again_at`.
pub fn claim_notification(db: &WriteConnection, ping: &HubNotification, again_at: Timestamp) -> Result<()> {
    let sql = "UPDATE hub_notification SET failures = failures + 1, next_at = ?3,
               detail = 'it was told and has not answered yet' WHERE hub = ?1 AND topic = ?2";
    db.execute(sql, params![ping.hub, ping.topic, again_at.as_millisecond()])?;
    Ok(())
}

/// A hub knows.
pub fn record_notification(db: &WriteConnection, ping: &HubNotification, hash: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE hub_notification SET notified_hash = ?3, notified_at = ?4, failures = 0, next_at = 0, detail = ''
               WHERE hub = ?1 AND topic = ?2";
    db.execute(sql, params![ping.hub, ping.topic, hash, now.as_millisecond()])?;
    Ok(())
}

/// A hub does not know. Where `given_up` is a hash, it is told nothing before the document holds something else.
pub fn record_failed_notification(
    db: &WriteConnection,
    ping: &HubNotification,
    again_at: Timestamp,
    given_up: Option<&str>,
    detail: &str,
) -> Result<()> {
    let sql = "UPDATE hub_notification SET next_at = ?3, notified_hash = coalesce(?4, notified_hash), detail = ?5 WHERE hub = ?1 AND topic = ?2";
    db.execute(sql, params![ping.hub, ping.topic, again_at.as_millisecond(), given_up, detail])?;
    Ok(())
}

const COLUMNS: &str = "id, topic, callback, host, secret, since, lease_until, delivered_hash, delivered_at, deliveries, \
     failures, next_at, detail";

fn subscriber(row: &Row<'_>) -> Result<HubSubscriber> {
    Ok(HubSubscriber {
        id: SubscriberId(row.get(0)?),
        topic: row.get(1)?,
        callback: row.get(2)?,
        host: row.get(3)?,
        secret: row.get(4)?,
        since: time(row.get(5)?)?,
        lease_until: time(row.get(6)?)?,
        delivered_hash: row.get(7)?,
        delivered_at: maybe_time(row.get(8)?)?,
        deliveries: row.get::<_, i64>(9)? as u64,
        failures: row.get(10)?,
        next_at: time(row.get(11)?)?,
        detail: row.get(12)?,
    })
}

fn ping(row: &Row<'_>) -> Result<HubNotification> {
    Ok(HubNotification {
        hub: row.get(0)?,
        topic: row.get(1)?,
        pinged_at: maybe_time(row.get(2)?)?,
        failures: row.get(3)?,
        detail: row.get(4)?,
    })
}
