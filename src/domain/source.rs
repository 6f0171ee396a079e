//! Sources: the feeds that newsfold polls, with the state of their polling.

use super::{NextPollReason, PollingHints, SourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An RSS, Atom or JSON feed that newsfold polls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    pub id: SourceId,
    pub url: String,
    /// The publisher: a registrable domain or a channel of a shared host, unless the operator named another.
    pub outlet: String,
    pub outlet_provenance: OutletProvenance,
    /// The operator's title, else the feed's own, else the URL.
    pub title: String,
    pub site_url: Option<String>,
    /// The operator's language, else the feed's own: a lower-case primary subtag (BCP 47) such as `en`.
    pub lang: Option<String>,
    /// Items of the source with the highest priority are preferred as a story's lead.
    pub priority: i32,
    pub tags: Vec<String>,
    pub full_text: FullTextMode,
    /// Whether the outlets that its items name are counted, and not its own: it collects reports of many outlets.
    pub aggregator: bool,
    pub state: SourceState,
    pub added_at: Timestamp,
    /// Whether it was added on the database's first day. Such a source is never in probation.
    pub is_founding: bool,
    /// When its first document was read; `None` until then.
    pub first_document_at: Option<Timestamp>,
    /// Whether the old items of its first document will be published. `false` once that document has been read.
    pub publish_backlog: bool,
    pub next_poll_at: Timestamp,
    pub next_poll_reason: NextPollReason,
    pub last_poll_at: Option<Timestamp>,
    pub last_outcome: Option<PollOutcome>,
    pub last_success_at: Option<Timestamp>,
    /// Failed polls in a row.
    pub failures: u32,
    /// The error of the last poll; empty if it succeeded.
    pub last_error: String,
    /// The time until which the server asked for no requests. Manual polls respect it too.
    pub hold_until: Option<Timestamp>,
    pub polling_hints: PollingHints,
    /// The target of permanent redirects, until they have proved stable.
    pub pending_redirect: Option<PendingRedirect>,
    /// The time of the first 410 response since the last success.
    pub gone_since: Option<Timestamp>,
    /// The estimate of the update rate, as JSON (`crawl::update_rate`).
    #[serde(skip_serializing)]
    pub update_rate: String,
    #[serde(skip)]
    pub validators: Option<CacheValidators>,
    /// The time of the first of the conditional requests in a row that were answered 304.
    pub not_modified_since: Option<Timestamp>,
    /// The time of the last request without validators.
    pub full_request_at: Option<Timestamp>,
}

/// Whether a source is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum SourceState {
    Active,
    /// Paused by the operator.
    Paused,
    /// The server reported that the feed is gone permanently (410).
    Gone,
    /// Removed by the operator. The items stay, since published stories contain them. Adding the URL again restores it.
    Removed,
}

/// Whether newsfold fetches the full articles of a source's items.
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

/// Where a source's outlet comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum OutletProvenance {
    /// Set by the operator.
    Operator,
    /// From the website that the feed declares as its own.
    Site,
    /// From the source's URL, until the feed declares a website.
    #[default]
    Guess,
}

/// HTTP cache validators for the next request, as the bytes received (RFC 9110, section 8.8). They apply to one URL.
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
    /// Polls in a row that were redirected there.
    pub times: u32,
    /// The time of the first of them.
    pub since: Timestamp,
}

/// A source to be added, as the operator describes it.
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
    /// Whether the outlets that its items name are counted, and not its own: it collects reports of many outlets.
    pub aggregator: bool,
    /// Whether the old items of its first document are published as news.
    pub publish_backlog: bool,
}

/// A change of a source's settings by the operator; `None` leaves a setting unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceEdit {
    pub url: Option<String>,
    pub outlet: Option<(String, OutletProvenance)>,
    /// An empty title or language restores that of the feed.
    pub title: Option<String>,
    pub lang: Option<String>,
    pub priority: Option<i32>,
    pub tags: Option<Vec<String>>,
    pub full_text: Option<FullTextMode>,
    pub aggregator: Option<bool>,
}

/// A source whose next poll is due, with what the scheduler needs to know.
#[derive(Debug, Clone, Deserialize)]
pub struct DueSource {
    pub id: SourceId,
    pub url: String,
    pub next_poll_at: Timestamp,
}

/// How a poll ended.
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
    /// The server answered with a bot challenge, which newsfold never solves.
    Challenged,
    /// A redirect led to an origin that is on hold.
    Held,
    /// No server could be reached: newsfold had no network connection.
    Offline,
    /// The server says that the feed is gone permanently (410).
    Gone,
    /// The host has no public address, and the operator does not allow its network.
    PrivateAddress,
    /// No usable response: network, timeout, status or size.
    Failed,
    /// The response is not a feed.
    NotAFeed,
    /// A bug: the code that handled the response panicked or took too long.
    Crashed,
    /// newsfold was stopped during the poll.
    Abandoned,
    /// The source's hub pushed a document, which was read. No request was sent.
    Pushed,
}

impl PollOutcome {
    /// Whether the server answered with the feed or with 304, or the hub pushed a document.
    pub fn is_success(self) -> bool {
        matches!(self, PollOutcome::Read | PollOutcome::NotModified | PollOutcome::Pushed)
    }
}
