//! What happens to sources and to our own network, as the operator is told of it.

use super::SourceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that an operator wants to hear of once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorEvent {
    pub kind: OperatorEventKind,
    /// What happened, in a sentence.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorEventKind {
    /// A source keeps failing.
    Broken,
    /// A source that was broken answers again.
    Recovered,
    /// A source's address is another one from now on.
    Moved,
    /// A source is gone for good and polled no more.
    Gone,
    /// No server can be reached: our own network is down.
    Offline,
    /// It is back.
    Online,
}

impl OperatorEventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            OperatorEventKind::Broken => "broken",
            OperatorEventKind::Recovered => "recovered",
            OperatorEventKind::Moved => "moved",
            OperatorEventKind::Gone => "gone",
            OperatorEventKind::Offline => "offline",
            OperatorEventKind::Online => "online",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        use OperatorEventKind::*;
        [Broken, Recovered, Moved, Gone, Offline, Online].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An event that was written down.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedEvent {
    pub id: i64,
    pub at: Timestamp,
    pub kind: OperatorEventKind,
    /// The source that it happened to; `None` where it is ours.
    pub source: Option<SourceId>,
    /// The source's title at that time.
    pub title: Option<String>,
    pub detail: String,
}
