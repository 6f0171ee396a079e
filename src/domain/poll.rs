//! A poll: the facts about one attempt to fetch a source, and the resulting state of the source.

use super::{
    CacheValidators, FeedProblem, NextPollReason, OperatorEvent, OriginHold, PendingRedirect, PollOutcome,
    PollingHints, SourceId, SourceState, TruncatedEnd,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One request of a poll. Each redirect causes another request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// Scheme, host and port (RFC 6454).
    pub origin: String,
    /// The status of the response; `None` if there was no response.
    pub status: Option<u16>,
    /// The size of the transferred body in bytes, before decompression.
    pub bytes: u64,
}

/// The facts about one attempt to fetch a source, or about one document that a hub pushed.
#[derive(Debug, Clone, Serialize)]
pub struct PollRecord {
    pub source: SourceId,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The URL of the final response, after redirects. For a push, this is the topic.
    pub url: String,
    pub outcome: PollOutcome,
    /// The status of the final response; `None` if there was no response.
    pub status: Option<u16>,
    /// The error message; empty if the poll succeeded.
    pub detail: String,
    /// The time to which the detail refers: the start of an outage of newsfold's own network, or the end of the hold on
    /// the target of a redirect.
    pub detail_time: Option<Timestamp>,
    /// The size of the decoded body in bytes.
    pub bytes: u64,
    /// The number of items in the document.
    pub items: u32,
    /// All requests in the order in which they were sent; empty for a push.
    pub requests: Vec<RequestRecord>,
    pub problems: Vec<FeedProblem>,
}

impl PollRecord {
    /// Returns a record without a URL, requests, items or problems, for an attempt that took no time.
    pub fn empty(source: SourceId, at: Timestamp, outcome: PollOutcome) -> PollRecord {
        PollRecord {
            source,
            started_at: at,
            finished_at: at,
            url: String::new(),
            outcome,
            status: None,
            detail: String::new(),
            detail_time: None,
            bytes: 0,
            items: 0,
            requests: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// The state of a source after a poll. A push does not change this state.
#[derive(Debug, Clone, Serialize)]
pub struct SourceUpdate {
    /// The source's URL when it was polled. The update applies only while the source has this URL.
    pub polled_url: String,
    /// The URL that replaces the polled URL: the target of permanent redirects that have proved stable, or the URL at
    /// which the search for the feed continues.
    pub new_url: Option<String>,
    pub state: SourceState,
    pub next_poll_at: Timestamp,
    pub next_poll_reason: NextPollReason,
    /// The number of consecutive failed polls.
    pub failures: u32,
    /// The server asked newsfold to send no requests to this source before this time.
    pub hold_until: Option<Timestamp>,
    /// A hold on all sources of the origin.
    pub origin_hold: Option<OriginHold>,
    pub pending_redirect: Option<PendingRedirect>,
    pub gone_since: Option<Timestamp>,
    /// The estimate of the update rate, as JSON (`crawl::update_rate`).
    #[serde(skip)]
    pub update_rate: String,
    /// The cache validators of the next request.
    #[serde(skip)]
    pub validators: Option<CacheValidators>,
    /// The time of the first of the consecutive conditional requests that received a 304 response.
    pub not_modified_since: Option<Timestamp>,
    /// The time of the last request without validators.
    pub full_request_at: Option<Timestamp>,
    /// The end of the last document, if that document was truncated.
    pub truncated_end: Option<TruncatedEnd>,
    /// The number of links from web pages to their feed that later polls may follow.
    pub feed_search_steps: u32,
    /// The metadata of the feed; `None` if no document was read.
    pub feed: Option<FeedMetadata>,
    /// The outlet derived from the feed's website, if it replaces a guess.
    pub outlet: Option<String>,
    pub events: Vec<OperatorEvent>,
}

/// The feed metadata that a document contains.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FeedMetadata {
    pub title: Option<String>,
    pub site_url: Option<String>,
    pub lang: Option<String>,
    pub polling_hints: PollingHints,
}

/// The number of active sources, by their last poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PollCounts {
    pub active: u64,
    /// The sources that were never polled.
    pub unpolled: u64,
    /// The sources that failed at their last poll.
    pub failing: u64,
}
