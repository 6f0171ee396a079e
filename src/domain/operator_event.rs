//! Events about which the operator is notified: changes of sources, of newsfold's own network connection, and of its
//! disk.

use super::SourceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An event that has not been recorded yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorEvent {
    pub kind: OperatorEventKind,
    /// One human-readable sentence.
    pub detail: String,
    /// The start of the outage, for events of newsfold's own network.
    pub since: Option<Timestamp>,
}

impl OperatorEvent {
    /// Creates an event without a time in its detail.
    pub fn new(kind: OperatorEventKind, detail: impl Into<String>) -> OperatorEvent {
        OperatorEvent { kind, detail: detail.into(), since: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum OperatorEventKind {
    /// A source fails repeatedly.
    Broken,
    /// A source that failed repeatedly can be polled again.
    Recovered,
    /// The URL of a source has changed.
    Moved,
    /// A source is gone permanently and is no longer polled.
    Gone,
    /// No server can be reached: newsfold's own network is down.
    Offline,
    /// newsfold's own network works again.
    Online,
    /// The disk that holds the database has little free space.
    DiskNearlyFull,
    /// The disk that holds the database has enough free space again.
    DiskHasSpace,
}

/// An event from the database.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordedEvent {
    pub id: i64,
    pub occurred_at: Timestamp,
    pub kind: OperatorEventKind,
    /// The affected source; `None` for newsfold's own network and disk.
    #[serde(rename = "source_id")]
    pub source: Option<SourceId>,
    /// The source's title at the time of the event.
    pub source_title: Option<String>,
    pub detail: String,
    /// The start of the outage, for events of newsfold's own network. The detail of an event from before version 16 of the
    /// schema contains it as text.
    pub since: Option<Timestamp>,
}
