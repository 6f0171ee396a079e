//! Holds: origins to which newsfold sends no requests until a given time, because their server limits or refuses
//! requests.

use super::WebSubFailure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A hold on one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginHold {
    pub origin: String,
    /// The registrable domain whose origins are all on hold; `None` if only this origin is on hold.
    pub domain: Option<String>,
    pub until: Timestamp,
    pub reason: HoldReason,
}

/// The requests that a hold blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum HoldScope {
    /// Requests for feeds, articles and robots.txt.
    Content,
    /// Requests to a WebSub hub. Polls continue, because a feed can declare any server as its hub.
    Hub,
}

/// Why an origin is on hold. Stored as JSON. Only `wording::hold_reason_text` converts it to text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HoldReason {
    /// The response to a poll was 429 or 503.
    Throttled { shortened: Option<ShortenedDelay> },
    /// The response to a poll was 403.
    Refused { shortened: Option<ShortenedDelay> },
    /// The response to a poll was a bot challenge of this service.
    Challenged { service: String, shortened: Option<ShortenedDelay> },
    /// The response to a request for an article page was 429.
    ArticleThrottled,
    /// The response to the first request for a new source was 429.
    NewSourceThrottled,
    /// A WebSub hub on this origin responded with 429.
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

/// A delay that a server requested and that `poll.max_retry_after` shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortenedDelay {
    pub requested_seconds: i64,
    pub kept_seconds: i64,
}
