//! A poll, from the due source to the record of the attempt and the items of the document.
//!
//! [`poll_source`] fetches, parses, decides and records; [`decide`] interprets the outcome of an attempt. Every code
//! path ends with a record: each poll stores a [`PollRecord`] in the same transaction as its items, even if it fails.

mod article_page;
mod clock_correction;
mod failure_delay;
mod linked_feed;
mod origin_lease;
mod outage;
mod parse_job;
mod parsed_document;
mod permanent_redirect;
pub mod poll_budget;
mod poll_decision;
mod poll_delay;
mod poll_facts;
mod push;
mod robots_txt;
mod truncation;
pub mod update_rate;

pub use article_page::fetch_article_page;
pub use clock_correction::{MAX_CLOCK_ERROR, correct_schedule};
pub use linked_feed::MAX_STEPS as MAX_FEED_SEARCH_STEPS;
pub use origin_lease::{ClaimOutcome, clear_hold};
pub use outage::{OVERDUE_SPACING, OutageDetector};
pub use parsed_document::ParsedDocument;
use poll_decision::full_request_is_due;
pub use poll_decision::{BROKEN_AFTER_FAILURES, PollDecision, decide};
pub use poll_delay::{PollDelay, skip_until};
pub use poll_facts::{BudgetCache, PollFacts};
use push::SafetyPollFacts;
pub use push::receive_push;

use crate::clock::Clock;
use crate::domain::{
    HoldReason, IngestResult, NewItem, OriginHold, PollOutcome, PollRecord, RequestRecord, Source, SourceId,
    SourceUpdate, Timestamp,
};
use crate::feed_parser::{self, FeedLink};
use crate::http_client::{DocumentRequest, FetchResult, Fetcher, NoDocument};
use crate::ingest::backlog::mark_backlog;
use crate::store::poll_leases::{self, PollLease};
use crate::store::{self, ReadConnection, Store, polls};
use crate::urls::registrable_domain::registrable_domain;
use futures_util::FutureExt;
use jiff::SignedDuration;
use parking_lot::Mutex;
use parse_job::parse_document;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;

/// The settings for how often sources are polled (`[poll]`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The minimum time between two polls of a source.
    #[serde(with = "crate::domain::duration")]
    pub interval: SignedDuration,
    /// The average time between polls of a source, over all sources. It determines the poll budget, which is shared
    /// among the sources according to their update rates.
    #[serde(with = "crate::domain::duration")]
    pub average_interval: SignedDuration,
    /// The maximum delay after a success, even if the feed or its server requests a longer one.
    #[serde(with = "crate::domain::duration")]
    pub max_interval: SignedDuration,
    /// The maximum delay that a server can request (Retry-After).
    #[serde(with = "crate::domain::duration")]
    pub max_retry_after: SignedDuration,
    /// The scope of a hold after a 429 response.
    pub hold_by: HoldBy,
}

/// The servers to which the hold for a 429 response applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldBy {
    /// The server that sent the response.
    Origin,
    /// All servers below the server's registrable domain.
    Domain,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            interval: SignedDuration::from_mins(10),
            average_interval: SignedDuration::from_mins(20),
            max_interval: SignedDuration::from_hours(24),
            max_retry_after: SignedDuration::from_hours(7 * 24),
            hold_by: HoldBy::Origin,
        }
    }
}

impl Options {
    /// Returns the options for a source: its own interval replaces the minimum.
    pub fn for_source(&self, source: &Source) -> Options {
        let Some(interval) = source.poll_interval else { return self.clone() };
        Options { interval, max_interval: self.max_interval.max(interval), ..self.clone() }
    }

    /// Returns the hold for a 429 response of an origin.
    pub fn throttling_hold(&self, origin: String, until: Timestamp, reason: HoldReason) -> OriginHold {
        let domain = if self.hold_by == HoldBy::Domain { registrable_domain(&origin) } else { None };
        OriginHold { origin, domain, until, reason }
    }
}

/// The state that all polls of a program share.
#[derive(Clone)]
pub struct PollContext {
    pub fetcher: Fetcher,
    pub store: Store,
    pub clock: Clock,
    pub options: Options,
    pub parse_options: feed_parser::Options,
    /// Whether to send requests without validators, so that a server cannot respond with 304.
    pub no_cache: bool,
    /// The time between polls of a source with a reliable hub; `None` if hubs are not used.
    pub safety_poll_interval: Option<SignedDuration>,
    /// How long items are grouped (`cluster.window`). It determines which items are backlog.
    pub grouping_window: SignedDuration,
    /// The name of this program, which is shown to other programs that wait for its leases.
    pub program: String,
    pub outage: OutageDetector,
    pub budget: BudgetCache,
    /// The slots that limit concurrent parsing. A document needs several times its size in memory while it is decoded
    /// and parsed.
    pub parse_slots: Arc<Semaphore>,
}

/// One attempt to fetch and parse a source, before its outcome is interpreted.
#[derive(Debug)]
pub struct PollAttempt {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The URL of the last request; `None` if no request was sent.
    pub url: Option<Url>,
    /// The target of the permanent redirects at the start of the chain; `None` if the first response was not a
    /// permanent redirect.
    pub permanent_redirect: Option<Url>,
    /// Whether the request contained validators.
    pub is_conditional: bool,
    /// All requests in the order in which they were sent.
    pub requests: Vec<RequestRecord>,
    pub status: Option<u16>,
    pub outcome: AttemptOutcome,
}

/// The outcome of an attempt. [`PollOutcome`] is the stored form.
#[derive(Debug)]
pub enum AttemptOutcome {
    /// A document was read.
    Read(Box<ParsedDocument>),
    /// A document was received, but it is not a feed. `feeds` are the feeds that it links to.
    NotAFeed {
        detail: String,
        feeds: Vec<FeedLink>,
        /// The page to which an HTML page redirects browsers, if it has no links to feeds.
        refresh_target: Option<Url>,
        bytes: u64,
    },
    /// No document was received.
    NoDocument(NoDocument),
    /// No server was reachable, and our own network was down.
    Offline { detail: String, since: Timestamp },
    /// The task of the poll panicked, or parsing exceeded its time limit.
    Crashed { detail: String },
    /// newsfold was stopped.
    Abandoned,
}

/// The data that a poll stored.
#[derive(Debug)]
pub struct RecordedPoll {
    pub record: PollRecord,
    pub update: SourceUpdate,
    pub ingested: IngestResult,
}

/// Polls a source once under a lease and records the poll.
pub async fn poll_source(context: &PollContext, source: &Source, lease: &PollLease) -> store::Result<RecordedPoll> {
    let is_full_request = context.no_cache || full_request_is_due(source, context.clock.now());
    let validators = source.validators.as_ref().filter(|_| !is_full_request);
    let attempt = match Url::parse(&source.url) {
        Ok(url) => {
            let now = context.clock.now();
            let request = DocumentRequest { validators, settings: Some(&source.request_settings), now };
            fetch_and_parse(context, &url, request, lease).await
        }
        Err(error) => {
            let detail = format!("its URL is not valid: {error}");
            PollAttempt::without_request(context.clock.now(), NoDocument::Failed { detail }.into())
        }
    };
    record_attempt(context, source, attempt, lease).await
}

/// Fetches and parses a document, without recording a poll.
pub async fn fetch_and_parse(
    context: &PollContext,
    url: &Url,
    request: DocumentRequest<'_>,
    lease: &PollLease,
) -> PollAttempt {
    let started_at = request.now;
    // The lease already covers the origin of the first request.
    let leased = Mutex::new(lease.origin.clone());
    let acquire = |origin: String| {
        let is_leased = leased.lock().replace(origin.clone()).as_ref() == Some(&origin);
        async move { if is_leased { Ok(()) } else { context.lease_next_origin(lease, &origin).await } }.boxed()
    };
    let source_url = url;
    let FetchResult { url, permanent_redirect, requests, status, outcome, .. } =
        context.fetcher.fetch(source_url, request, &acquire).await;
    let outcome = match outcome {
        Ok(document) => parse_document(context, document, url.clone(), source_url.clone(), started_at).await,
        Err(reason) => reason.into(),
    };
    let finished_at = context.clock.now();
    let (url, is_conditional) = (Some(url), request.validators.is_some());
    PollAttempt { started_at, finished_at, url, permanent_redirect, is_conditional, requests, status, outcome }
}

/// Interprets an attempt. Stores its record and its items and releases its lease in one transaction.
pub async fn record_attempt(
    context: &PollContext,
    source: &Source,
    mut attempt: PollAttempt,
    lease: &PollLease,
) -> store::Result<RecordedPoll> {
    let outage_end = outage::observe_attempt(context, &mut attempt);
    let down_since = outage_end.as_ref().map(|end| end.since);
    truncation::release_incomplete_item(context, source, &mut attempt).await?;
    let facts = PollFacts::gather(context, source, &attempt).await?;
    let PollDecision { record, mut update } = decide(source, &attempt, &facts, &context.options.for_source(source));
    let (mut items, declared_hub, unreachable) = match attempt.outcome {
        AttemptOutcome::Read(document) => (document.items, Some(document.hub), None),
        AttemptOutcome::NoDocument(NoDocument::Unreachable { detail }) => (Vec::new(), None, Some(detail)),
        _ => (Vec::new(), None, None),
    };
    let (lease, now, interval) = (lease.clone(), context.clock.now(), context.options.interval);
    let (origin_free_at, grouping_window) = (context.origin_free_at(now), context.grouping_window);
    let safety_poll = SafetyPollFacts {
        declared_hub,
        interval: context.safety_poll_interval,
        polling_hints: source.polling_hints.clone(),
    };
    let recorded = context
        .store
        .write(move |db| {
            poll_leases::release(db, &lease, now, origin_free_at)?;
            if let Some(since) = down_since {
                outage::record_recovery(db, since, interval, now)?;
            }
            mark_new_backlog(db, &record, &mut items, grouping_window)?;
            let ingested = polls::record_poll(db, &record, Some(&update), &items)?;
            safety_poll.apply(db, &record, &mut update, ingested.new.len())?;
            Ok(RecordedPoll { record, update, ingested })
        })
        .await?;
    if let Some(end) = outage_end {
        end.commit();
    }
    if let Some(detail) = unreachable {
        outage::observe_unreachable(context, source, &detail, now).await?;
    }
    Ok(recorded)
}

/// Marks the backlog items of a document. Runs in the transaction that stores them, because another poll or push may
/// have finished since the source was read.
fn mark_new_backlog(
    db: &ReadConnection,
    record: &PollRecord,
    items: &mut [NewItem],
    grouping_window: SignedDuration,
) -> store::Result<()> {
    if let Some(source) = store::sources::get(db, record.source)?.filter(|_| !items.is_empty()) {
        mark_backlog(items, &source, record.finished_at, grouping_window);
    }
    Ok(())
}

/// Records a poll that did not finish because its task panicked or the daemon stopped.
pub async fn record_unfinished(
    context: &PollContext,
    id: SourceId,
    outcome: AttemptOutcome,
    lease: &PollLease,
) -> store::Result<()> {
    let source = context.store.read(move |db| store::sources::get(db, id)).await?;
    if let Some(source) = source {
        let attempt = PollAttempt::without_request(context.clock.now(), outcome);
        record_attempt(context, &source, attempt, lease).await?;
    }
    Ok(())
}

impl PollAttempt {
    fn without_request(now: Timestamp, outcome: AttemptOutcome) -> Self {
        PollAttempt {
            started_at: now,
            finished_at: now,
            url: None,
            permanent_redirect: None,
            is_conditional: false,
            requests: Vec::new(),
            status: None,
            outcome,
        }
    }

    /// Returns the origin of the last request.
    fn last_origin(&self) -> Option<&str> {
        self.requests.last().map(|request| request.origin.as_str())
    }
}

impl From<NoDocument> for AttemptOutcome {
    fn from(reason: NoDocument) -> Self {
        AttemptOutcome::NoDocument(reason)
    }
}

impl AttemptOutcome {
    pub fn poll_outcome(&self) -> PollOutcome {
        match self {
            AttemptOutcome::Read(_) => PollOutcome::Read,
            AttemptOutcome::NotAFeed { .. } => PollOutcome::NotAFeed,
            AttemptOutcome::NoDocument(reason) => match reason {
                NoDocument::NotModified { .. } => PollOutcome::NotModified,
                NoDocument::Throttled { .. } => PollOutcome::Throttled,
                NoDocument::Refused { .. } => PollOutcome::Refused,
                NoDocument::Challenged { .. } => PollOutcome::Challenged,
                NoDocument::Held { .. } => PollOutcome::Held,
                NoDocument::Gone => PollOutcome::Gone,
                NoDocument::Blocked { reason } if reason.is_private() => PollOutcome::PrivateAddress,
                NoDocument::Blocked { .. } | NoDocument::Unreachable { .. } | NoDocument::Failed { .. } => {
                    PollOutcome::Failed
                }
            },
            AttemptOutcome::Offline { .. } => PollOutcome::Offline,
            AttemptOutcome::Crashed { .. } => PollOutcome::Crashed,
            AttemptOutcome::Abandoned => PollOutcome::Abandoned,
        }
    }

    /// Returns the size of the decoded document in bytes.
    fn document_bytes(&self) -> u64 {
        match self {
            AttemptOutcome::Read(document) => document.bytes,
            AttemptOutcome::NotAFeed { bytes, .. } => *bytes,
            _ => 0,
        }
    }
}
