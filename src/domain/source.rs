//! Sources: the feeds that we poll, with the state of their polling.

use super::{PollingHints, SourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One RSS, Atom or JSON feed that we poll, with the state of its polling.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    pub id: SourceId,
    pub url: String,
    /// The publisher: the registrable domain, unless the operator named another.
    pub outlet: String,
    pub outlet_from: OutletFrom,
    /// The operator's title, else the feed's own, else the URL.
    pub title: String,
    pub site_url: Option<String>,
    /// The operator's language, else the feed's own: a lower-case primary subtag (BCP 47) such as `en`.
    pub lang: Option<String>,
    /// Higher leads: among a story's items, the one of the source with the highest priority is shown first.
    pub priority: i32,
    pub tags: Vec<String>,
    pub full_text: FullTextMode,
    pub state: SourceState,
    pub added_at: Timestamp,
    pub next_poll_at: Timestamp,
    /// Why the next poll is when it is, in words.
    pub next_reason: String,
    pub last_poll_at: Option<Timestamp>,
    pub last_outcome: Option<PollOutcome>,
    pub last_success_at: Option<Timestamp>,
    /// Polls in a row that brought no answer that we could use.
    pub failures: u32,
    /// What the last poll that did not go well said; empty when all is well.
    pub last_problem: String,
    /// Until when the server asked us to stay away; a manual poll keeps to it too.
    pub hold_until: Option<Timestamp>,
    /// What the feed asks of those who poll it.
    pub wishes: PollingHints,
    /// Where permanent redirects lead, while that is not yet sure enough to be taken over.
    pub moving: Option<PendingRedirect>,
    /// Since when the server says that the feed is gone (410).
    pub gone_since: Option<Timestamp>,
    /// What is known of how often the feed changes, in the form of `poll::rate`.
    #[serde(skip)]
    pub rate: String,
    #[serde(skip)]
    pub validators: Option<CacheValidators>,
}

/// Whether a source is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    Active,
    /// By the operator's wish.
    Paused,
    /// The server said that it is gone for good (410).
    Gone,
    /// Taken out by the operator. Its items stay, because published stories hold them; adding its URL again revives it.
    Removed,
}

impl SourceState {
    pub fn as_str(self) -> &'static str {
        match self {
            SourceState::Active => "active",
            SourceState::Paused => "paused",
            SourceState::Gone => "gone",
            SourceState::Removed => "removed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [SourceState::Active, SourceState::Paused, SourceState::Gone, SourceState::Removed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Whether the pages of a source's items are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FullTextMode {
    #[default]
    No,
    /// For grouping alone.
    Group,
    /// For grouping, and to be published in the place of what the feed says.
    Publish,
}

impl FullTextMode {
    pub const WORDS: [&'static str; 3] = ["no", "group", "publish"];

    pub fn as_str(self) -> &'static str {
        match self {
            FullTextMode::No => "no",
            FullTextMode::Group => "group",
            FullTextMode::Publish => "publish",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [FullTextMode::No, FullTextMode::Group, FullTextMode::Publish].into_iter().find(|one| one.as_str() == text)
    }
}

/// How we came by a source's outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutletFrom {
    /// The operator named it.
    Operator,
    /// It is that of the site that the feed names as its own.
    Site,
    /// It was taken from an address until the feed's first poll says better.
    #[default]
    Guess,
}

impl OutletFrom {
    pub fn as_str(self) -> &'static str {
        match self {
            OutletFrom::Operator => "operator",
            OutletFrom::Site => "site",
            OutletFrom::Guess => "guess",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [OutletFrom::Operator, OutletFrom::Site, OutletFrom::Guess].into_iter().find(|from| from.as_str() == text)
    }
}

/// What a server gave us to ask with the next time, byte for byte (RFC 9110, section 8.8). They belong to a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheValidators {
    pub url: String,
    pub etag: Option<Vec<u8>>,
    pub last_modified: Option<Vec<u8>>,
}

/// A URL to which permanent redirects of a source's own URL lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PendingRedirect {
    pub to: String,
    /// Polls in a row that were led there.
    pub times: u32,
    pub since: Timestamp,
}

/// A source as the operator describes it.
#[derive(Debug, Clone, Default)]
pub struct NewSource {
    pub url: String,
    pub outlet: String,
    pub outlet_from: OutletFrom,
    pub title: Option<String>,
    pub lang: Option<String>,
    pub priority: i32,
    pub tags: Vec<String>,
    pub full_text: FullTextMode,
}

/// A change that the operator makes to a source; `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceEdit {
    pub url: Option<String>,
    pub outlet: Option<(String, OutletFrom)>,
    /// An empty title or language goes back to what the feed says.
    pub title: Option<String>,
    pub lang: Option<String>,
    pub priority: Option<i32>,
    pub tags: Option<Vec<String>>,
    pub full_text: Option<FullTextMode>,
}

/// A source whose time has come: what the scheduler needs to know of it.
#[derive(Debug, Clone)]
pub struct DueSource {
    pub id: SourceId,
    pub url: String,
    pub at: Timestamp,
}

/// How a poll ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PollOutcome {
    /// A feed came and was read.
    Read,
    /// The server said that nothing has changed (304).
    NotModified,
    /// The server asked us to come later (429, 503).
    Throttled,
    /// The server does not want us here (403).
    Refused,
    /// The server asks for proof that a person asks, which we never give.
    Challenged,
    /// A redirect led to a server that had asked us to stay away.
    Held,
    /// No server could be reached, this one or any other: our own network was down.
    Offline,
    /// The server said that the feed is gone for good (410).
    Gone,
    /// No usable answer: network, timeout, status, size, forbidden address.
    Failed,
    /// An answer that is no feed.
    NotAFeed,
    /// Our own fault: the code that handled the answer panicked or took too long.
    Crashed,
    /// The daemon was stopped before the poll had ended.
    Abandoned,
    /// Nobody was asked: the source's hub sent a document, which was read.
    Pushed,
}

impl PollOutcome {
    pub const ALL: [PollOutcome; 13] = [
        PollOutcome::Read,
        PollOutcome::NotModified,
        PollOutcome::Throttled,
        PollOutcome::Refused,
        PollOutcome::Challenged,
        PollOutcome::Held,
        PollOutcome::Offline,
        PollOutcome::Gone,
        PollOutcome::Failed,
        PollOutcome::NotAFeed,
        PollOutcome::Crashed,
        PollOutcome::Abandoned,
        PollOutcome::Pushed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            PollOutcome::Read => "read",
            PollOutcome::NotModified => "not-modified",
            PollOutcome::Throttled => "throttled",
            PollOutcome::Refused => "refused",
            PollOutcome::Challenged => "challenged",
            PollOutcome::Held => "held",
            PollOutcome::Offline => "offline",
            PollOutcome::Gone => "gone",
            PollOutcome::Failed => "failed",
            PollOutcome::NotAFeed => "not-a-feed",
            PollOutcome::Crashed => "crashed",
            PollOutcome::Abandoned => "abandoned",
            PollOutcome::Pushed => "pushed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// Whether the server answered with what we asked for, or its hub sent what we had asked it to send.
    pub fn is_success(self) -> bool {
        matches!(self, PollOutcome::Read | PollOutcome::NotModified | PollOutcome::Pushed)
    }
}
