//! The progress of the configured webhooks: which entries have been announced, and failed attempts.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use crate::identity::recognition::text_hash;
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;

/// A webhook: the name of its feed, and its URL.
#[derive(Debug, Clone)]
pub struct WebhookKey {
    pub feed: String,
    pub url: String,
}

/// The progress of a webhook.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct WebhookState {
    /// The sequence number of the last entry that was announced or skipped.
    pub last_sequence: i64,
    /// The number of failed attempts to announce the next entry.
    pub failures: u32,
    pub next_attempt_at: Timestamp,
}

/// Returns the progress of a webhook; `None` for a new webhook.
pub fn state(db: &ReadConnection, key: &WebhookKey) -> Result<Option<WebhookState>> {
    db.first(
        "SELECT last_sequence, failures, next_attempt_at FROM webhook WHERE feed = ?1 AND url_hash = ?2",
        params![key.feed, text_hash(&key.url)],
    )
}

pub fn record(db: &WriteConnection, key: &WebhookKey, state: WebhookState) -> Result<()> {
    db.execute(
        "INSERT INTO webhook (feed, url_hash, last_sequence, failures, next_attempt_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (feed, url_hash) DO UPDATE SET last_sequence = excluded.last_sequence,
             failures = excluded.failures, next_attempt_at = excluded.next_attempt_at",
        params![
            key.feed,
            text_hash(&key.url),
            state.last_sequence,
            state.failures,
            state.next_attempt_at.as_millisecond()
        ],
    )?;
    Ok(())
}
