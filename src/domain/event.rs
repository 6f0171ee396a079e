//! What happens to sources and to our own network, as the operator is told of it.

use super::SourceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that an operator wants to hear of once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub kind: EventKind,
    /// What happened, in a sentence.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
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

impl EventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Broken => "broken",
            EventKind::Recovered => "recovered",
            EventKind::Moved => "moved",
            EventKind::Gone => "gone",
            EventKind::Offline => "offline",
            EventKind::Online => "online",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        use EventKind::*;
        [Broken, Recovered, Moved, Gone, Offline, Online].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An event that was written down.
#[derive(Debug, Clone, Serialize)]
pub struct PastEvent {
    pub id: i64,
    pub at: Timestamp,
    pub kind: EventKind,
    /// The source that it happened to; `None` where it is ours.
    pub source: Option<SourceId>,
    /// The source's title at that time.
    pub title: Option<String>,
    pub detail: String,
}
