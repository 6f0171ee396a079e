//! Holds: origins to which no request is sent until a time, because their server asked for that.

use super::WebSubFailure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A hold of one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginHold {
    pub origin: String,
    /// The registrable domain whose origins are all held; `None` if only this origin is.
    pub domain: Option<String>,
    pub until: Timestamp,
    pub reason: HoldReason,
}

/// The requests that a hold stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum HoldScope {
    /// Requests for feeds, articles and robots.txt.
    Content,
    /// Requests to a WebSub hub. Polls go on, because a feed can declare any server as its hub.
    Hub,
}

/// Why an origin is on hold. Stored as JSON, rendered to words by `wording::hold_reason_text` alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HoldReason {
    /// A poll was answered 429 or 503.
    Throttled { shortened: Option<ShortenedDelay> },
    /// A poll was answered 403.
    Refused { shortened: Option<ShortenedDelay> },
    /// A poll was answered with a bot challenge of this service.
    Challenged { service: String, shortened: Option<ShortenedDelay> },
    /// The request for an article's page was answered 429.
    ArticleThrottled,
    /// The first request for a source that was to be added was answered 429.
    NewSourceThrottled,
    /// A WebSub hub on this origin answered 429.
    HubThrottled { failure: WebSubFailure },
}

impl HoldReason {
    pub fn scope(&self) -> HoldScope {
        match self {
            HoldReason::HubThrottled { .. } => HoldScope::Hub,
            _ => HoldScope::Content,
        }
    }
}

/// A delay that a server requested and that `poll.max_retry_after` shortens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortenedDelay {
    pub requested_seconds: i64,
    pub kept_seconds: i64,
}
