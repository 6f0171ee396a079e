//! A poll: one attempt to fetch a source, with all that is known of it and all that follows from it.

use super::{
    CacheValidators, FeedProblem, OperatorEvent, PendingRedirect, PollOutcome, PollingHints, SourceId, SourceState,
};
use jiff::Timestamp;
use serde::Serialize;

/// One request of a poll: redirects make several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// Scheme, host and port (RFC 6454).
    pub origin: String,
    /// What the server answered; `None` where nobody did.
    pub status: Option<u16>,
    /// Bytes of the body as they came over the wire.
    pub bytes: u64,
}

/// An origin that is not to be asked before a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OriginHold {
    pub origin: String,
    pub until: Timestamp,
    /// Why, in words.
    pub reason: String,
}

/// One attempt to fetch a source: all that is known of it, and all that follows from it for the source.
#[derive(Debug, Clone, Serialize)]
pub struct PollRecord {
    pub source: SourceId,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The source's own URL when it was polled; what follows from a poll follows for that one alone.
    pub asked_url: String,
    /// The URL that answered, after redirects.
    pub url: String,
    pub outcome: PollOutcome,
    pub status: Option<u16>,
    /// What went wrong, in words; empty when nothing did.
    pub detail: String,
    /// Bytes of the body, decoded.
    pub bytes: u64,
    /// Items in the document.
    pub items: u32,
    /// All requests that were made, in their order.
    pub requests: Vec<RequestRecord>,
    pub problems: Vec<FeedProblem>,

    pub state: SourceState,
    pub failures: u32,
    pub next_poll_at: Timestamp,
    pub next_reason: String,
    pub hold_until: Option<Timestamp>,
    /// A hold for all sources of an origin, where its server asked for one.
    pub origin_hold: Option<OriginHold>,
    pub moving: Option<PendingRedirect>,
    /// The URL under which the source is polled from now on, where it moved.
    pub new_url: Option<String>,
    pub gone_since: Option<Timestamp>,
    /// What is known of how often the feed changes, in the form of `poll::rate`.
    #[serde(skip)]
    pub rate: String,
    /// What the operator is told of.
    pub events: Vec<OperatorEvent>,
    /// The validators for the next request; `None` where there are none.
    #[serde(skip)]
    pub validators: Option<CacheValidators>,
    /// What the feed says of itself, where it was read.
    pub feed_title: Option<String>,
    pub feed_site_url: Option<String>,
    /// The outlet of that site, where it is to take the place of a guess.
    pub feed_outlet: Option<String>,
    pub feed_lang: Option<String>,
    pub feed_wishes: Option<PollingHints>,
}
