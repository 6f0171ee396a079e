//! The notifications that other hubs receive when a document changes. This module only stores the notifications;
//! [`crate::websub::hub`] makes the decisions.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{column, from_row, json_list, to_json};
use super::websub_subscribers::DueQuery;
use crate::domain::{HubNotification, WebSubFailure};
use jiff::Timestamp;
use rusqlite::params;

/// A hub that has not been notified of the latest version of a document.
pub struct PendingNotification {
    pub notification: HubNotification,
    /// The hash of the latest version.
    pub hash: String,
}

/// Returns the given hubs that have not been notified of the latest version of a document. Returns at most one document
/// per hub and omits busy hubs.
pub fn due(db: &ReadConnection, hubs: &[String], query: &DueQuery<'_>) -> Result<Vec<PendingNotification>> {
    let (hubs, topics, busy) = (json_list(hubs), json_list(query.topics), json_list(query.busy));
    db.map(
        "SELECT hub_notification.*, content_hash, min(next_attempt_at)
         FROM hub_notification JOIN feed_state ON feed_state.topic = hub_notification.topic
         WHERE hub IN (SELECT value FROM json_each(?2)) AND hub NOT IN (SELECT value FROM json_each(?4))
         AND hub_notification.topic IN (SELECT value FROM json_each(?3))
         AND notified_hash IS NOT content_hash AND next_attempt_at <= ?1
         GROUP BY hub LIMIT ?5",
        params![query.now.as_millisecond(), hubs, topics, busy, query.limit as i64],
        |row| Ok(PendingNotification { notification: from_row(row)?, hash: column(row, "content_hash")? }),
    )
}

/// Returns all notifications, including notifications to hubs that have been removed from the configuration.
pub fn list(db: &ReadConnection) -> Result<Vec<HubNotification>> {
    db.all("SELECT * FROM hub_notification ORDER BY hub, topic", [])
}

/// Records that a hub is about to be notified. If no result is recorded, the notification is repeated at `retry_at`.
pub fn claim(db: &WriteConnection, notification: &HubNotification, retry_at: Timestamp) -> Result<()> {
    let sql = "UPDATE hub_notification SET failures = failures + 1, next_attempt_at = ?3, last_failure = ?4
               WHERE hub = ?1 AND topic = ?2";
    let pending = to_json(&WebSubFailure::ResponsePending)?;
    db.execute(sql, params![notification.hub, notification.topic, retry_at.as_millisecond(), pending])?;
    Ok(())
}

/// Records a successful notification.
pub fn record_success(db: &WriteConnection, notification: &HubNotification, hash: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE hub_notification SET notified_hash = ?3, notified_at = ?4, failures = 0, next_attempt_at = 0,
                   last_failure = NULL
               WHERE hub = ?1 AND topic = ?2";
    db.execute(sql, params![notification.hub, notification.topic, hash, now.as_millisecond()])?;
    Ok(())
}

/// Records a failed notification, which is retried at `retry_at`. If `skipped_hash` is set, that version of the
/// document is skipped, and the next change triggers the next notification.
pub fn record_failure(
    db: &WriteConnection,
    notification: &HubNotification,
    retry_at: Timestamp,
    skipped_hash: Option<&str>,
    failure: &WebSubFailure,
) -> Result<()> {
    let sql = "UPDATE hub_notification SET next_attempt_at = ?3, notified_hash = coalesce(?4, notified_hash),
                   last_failure = ?5
               WHERE hub = ?1 AND topic = ?2";
    db.execute(
        sql,
        params![notification.hub, notification.topic, retry_at.as_millisecond(), skipped_hash, to_json(failure)?],
    )?;
    Ok(())
}
