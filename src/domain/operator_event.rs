//! Events that the operator is notified of: changes of sources and of our own network connection.

use super::SourceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An event that has not been recorded yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorEvent {
    pub kind: OperatorEventKind,
    /// One sentence for people.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum OperatorEventKind {
    /// A source fails repeatedly.
    Broken,
    /// A broken source succeeds again.
    Recovered,
    /// A source has a new URL.
    Moved,
    /// A source is gone permanently and is not polled again.
    Gone,
    /// No server can be reached: our own network is down.
    Offline,
    /// Our own network works again.
    Online,
}

/// An event from the database.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordedEvent {
    pub id: i64,
    pub occurred_at: Timestamp,
    pub kind: OperatorEventKind,
    /// The source concerned; `None` for our own network.
    #[serde(rename = "source_id")]
    pub source: Option<SourceId>,
    /// The source's title at that time.
    pub source_title: Option<String>,
    pub detail: String,
}
