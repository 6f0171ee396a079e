//! Sources: the feeds that newsfold polls, and their polling state.

use super::request_settings::without_secrets;
use super::{NextPollReason, PollingHints, RequestSettings, SourceId, duration};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// An RSS, Atom or JSON feed that newsfold polls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    pub id: SourceId,
    pub url: String,
    /// The publisher: a registrable domain or a channel on a shared host, unless the operator specified another name.
    pub outlet: String,
    pub outlet_provenance: OutletProvenance,
    /// The display name of the outlet, if the operator set one.
    pub outlet_name: Option<String>,
    /// The title that the operator set, or else the feed's own title, or else the URL.
    pub title: String,
    pub site_url: Option<String>,
    /// The language that the operator set, or else the feed's own: a lowercase primary subtag (BCP 47) such as `en`.
    pub lang: Option<String>,
    /// The priority of the source's items when a story's lead is selected. The highest priority wins.
    pub priority: i32,
    pub tags: Vec<String>,
    pub full_text: FullTextMode,
    /// Whether the source aggregates many outlets. If so, the outlets named in its items count instead of its own.
    pub aggregator: bool,
    pub state: SourceState,
    pub added_at: Timestamp,
    /// Whether the source was added within 24 hours after the first source of the database. Such a source is never on
    /// probation.
    pub is_initial: bool,
    /// When the first document of the source was read; `None` until then.
    pub first_document_at: Option<Timestamp>,
    /// Whether to publish the old items of the source's first document. `false` after that document has been read.
    pub publish_backlog: bool,
    pub next_poll_at: Timestamp,
    pub next_poll_reason: NextPollReason,
    pub last_poll_at: Option<Timestamp>,
    pub last_outcome: Option<PollOutcome>,
    pub last_success_at: Option<Timestamp>,
    /// The number of consecutive failed polls.
    pub failures: u32,
    /// The error of the last poll; empty if it succeeded.
    pub last_error: String,
    /// The time to which the error refers (`PollRecord::detail_time`).
    pub last_error_time: Option<Timestamp>,
    /// The server asked newsfold to send no requests before this time. Manual polls respect it too.
    pub hold_until: Option<Timestamp>,
    pub polling_hints: PollingHints,
    /// The target of permanent redirects that have not proved stable yet.
    pub pending_redirect: Option<PendingRedirect>,
    /// The time of the first 410 response since the last success.
    pub gone_since: Option<Timestamp>,
    /// The estimate of the update rate, as JSON (`crawl::update_rate`).
    #[serde(skip_serializing)]
    pub update_rate: String,
    #[serde(skip)]
    pub validators: Option<CacheValidators>,
    /// The time of the first of the consecutive conditional requests that received a 304 response.
    pub not_modified_since: Option<Timestamp>,
    /// The time of the last request without validators.
    pub full_request_at: Option<Timestamp>,
    /// The end of its last document, if that document was truncated.
    pub truncated_end: Option<TruncatedEnd>,
    /// The number of links from web pages to their feed that polls may still follow.
    pub feed_search_steps: u32,
    /// The operator's settings for requests. They are serialized without secrets.
    #[serde(rename(serialize = "request"), serialize_with = "without_secrets")]
    pub request_settings: RequestSettings,
    /// The interval between polls that the operator set; `None` if the interval depends on the update rate.
    #[serde(
        serialize_with = "duration::optional::serialize",
        deserialize_with = "duration::optional::from_milliseconds"
    )]
    pub poll_interval: Option<SignedDuration>,
    /// Whether its items are grouped with items of other sources.
    pub is_grouped: bool,
}

/// The polling status of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum SourceState {
    Active,
    /// Paused by the operator.
    Paused,
    /// The server reported that the feed is gone permanently (410).
    Gone,
    /// Removed by the operator. Its items remain, because published stories contain them. Adding the URL again restores
    /// the source.
    Removed,
}

/// The purpose for which newsfold fetches the full articles of a source's items, if any.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum FullTextMode {
    #[default]
    No,
    /// For grouping only.
    Group,
    /// For grouping, and for publication in place of the feed's text.
    Publish,
}

/// The origin of a source's outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum OutletProvenance {
    /// Set by the operator.
    Operator,
    /// From the website that the feed declares as its own.
    Site,
    /// Derived from the source's URL, until the feed declares a website.
    #[default]
    Guess,
}

/// HTTP cache validators for the next request, exactly as received (RFC 9110, section 8.8). They apply to one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheValidators {
    pub url: String,
    pub etag: Option<Vec<u8>>,
    pub last_modified: Option<Vec<u8>>,
}

/// The target of a source's permanent redirects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRedirect {
    pub to: String,
    /// The number of consecutive polls that were redirected to this target.
    pub times: u32,
    /// The time of the first of these polls.
    pub since: Timestamp,
}

/// The end of a truncated document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruncatedEnd {
    /// The guid of the last item, even if the item is incomplete; empty if there is no item.
    pub last_guid: String,
    /// Whether the previous document was truncated at the same point. Only then is an incomplete item stored.
    pub is_confirmed: bool,
}

/// A source that the operator wants to add.
#[derive(Debug, Clone, Default)]
pub struct NewSource {
    pub url: String,
    pub outlet: String,
    pub outlet_provenance: OutletProvenance,
    pub title: Option<String>,
    pub lang: Option<String>,
    pub priority: i32,
    pub tags: Vec<String>,
    pub full_text: FullTextMode,
    /// Whether the source aggregates many outlets. If so, the outlets named in its items count instead of its own.
    pub aggregator: bool,
    /// Whether to publish the old items of the source's first document as news.
    pub publish_backlog: bool,
    /// The number of links from web pages to their feed that polls may follow.
    pub feed_search_steps: u32,
    pub request_settings: RequestSettings,
    pub poll_interval: Option<SignedDuration>,
    /// Whether each of its items is a separate story.
    pub is_ungrouped: bool,
}

/// The operator's changes to a source's settings; `None` leaves a setting unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceEdit {
    pub url: Option<String>,
    pub outlet: Option<(String, OutletProvenance)>,
    /// The new name of the outlet. An empty value restores the name that is derived from the title.
    pub outlet_name: Option<String>,
    /// The new title or language. An empty value restores the feed's own.
    pub title: Option<String>,
    pub lang: Option<String>,
    pub priority: Option<i32>,
    pub tags: Option<Vec<String>>,
    pub full_text: Option<FullTextMode>,
    pub aggregator: Option<bool>,
    pub request_settings: Option<RequestSettings>,
    /// The new interval; `Some(None)` restores the default.
    pub poll_interval: Option<Option<SignedDuration>>,
    pub is_grouped: Option<bool>,
}

/// A source whose next poll is due, with the facts that the scheduler needs.
#[derive(Debug, Clone, Deserialize)]
pub struct DueSource {
    pub id: SourceId,
    pub url: String,
    pub next_poll_at: Timestamp,
}

/// The outcome of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum PollOutcome {
    /// A feed was received and read.
    Read,
    /// The feed has not changed (304).
    NotModified,
    /// The server asked for a later retry (429, 503).
    Throttled,
    /// The server refused the request (403).
    Refused,
    /// The server responded with a bot challenge, which newsfold never solves.
    Challenged,
    /// A redirect led to an origin on hold.
    Held,
    /// No server could be reached: newsfold had no network connection.
    Offline,
    /// The server reported that the feed is gone permanently (410).
    Gone,
    /// The host has no public address, and the operator does not allow its network.
    PrivateAddress,
    /// There was no usable response because of the network, a timeout, the status or the size.
    Failed,
    /// The response is not a feed.
    NotAFeed,
    /// The code that handled the response panicked or took too long. This is a bug.
    Crashed,
    /// newsfold was stopped during the poll.
    Abandoned,
    /// The source's hub pushed a document, and newsfold read it. newsfold sent no request.
    Pushed,
}

impl PollOutcome {
    /// Returns whether the server responded with the feed or with 304, or the hub pushed a document.
    pub fn is_success(self) -> bool {
        matches!(self, PollOutcome::Read | PollOutcome::NotModified | PollOutcome::Pushed)
    }
}
