//! One poll, from a source whose turn it is to the record of what came of it.
//!
//! [`poll_source`] is the line of `docs/ARCHITECTURE.md`; [`decide`] is where its outcome is judged. No path forgets
//! to record: whatever happens to a poll, a [`PollRecord`] says so, in the transaction that stores its items.

mod backoff;
mod budget_cache;
mod clear_hold;
mod full_text;
mod options;
mod origin_lease;
mod outage;
mod parse_job;
mod permanent_redirect;
mod policy;
pub mod poll_budget;
mod poll_facts;
mod push;
mod safety_poll;
pub mod update_rate;

pub use budget_cache::BudgetCache;
pub use clear_hold::clear_hold;
pub use options::Options;
pub use origin_lease::{ClaimOutcome, skip_until};
pub use outage::{OVERDUE_SPACING, OutageDetector};
pub use parse_job::ParsedDocument;
pub use policy::{BROKEN_AFTER_FAILURES, decide};
pub use poll_facts::PollFacts;
pub use push::receive_push;

use crate::clock::Clock;
use crate::domain::{CacheValidators, IngestResult, PollRecord, RequestRecord, Source, SourceId, Timestamp};
use crate::feed_parser::{self, FeedLink};
use crate::http_client::{FetchOutcome, FetchResult, Fetcher, Freshness, Origin};
use crate::store::leases::{self, PollLease};
use crate::store::{self, Store, polls};
use futures_util::FutureExt;
use jiff::SignedDuration;
use safety_poll::SafetyPollFacts;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// What a poll is made with.
#[derive(Clone)]
pub struct PollContext {
    pub fetcher: Fetcher,
    pub store: Store,
    pub clock: Clock,
    pub options: Options,
    pub parse_options: feed_parser::Options,
    /// How long a source is not polled whose hub has proven itself; `None` where hubs are not used.
    pub safety_poll_interval: Option<SignedDuration>,
    /// Who polls, in words for whoever has to wait for it.
    pub program: String,
    /// Whether our own network is up, as far as the polls of this program know.
    pub outage: OutageDetector,
    /// How often all sources together are polled.
    pub budget: BudgetCache,
    /// Documents that may be read at once: decoded and parsed they take a multiple of their size.
    pub parse_slots: Arc<Semaphore>,
}

/// One attempt to fetch and read a source, not yet judged.
#[derive(Debug)]
pub struct PollAttempt {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The URL that answered.
    pub url: Url,
    /// Where permanent redirects alone lead.
    pub permanent_redirect: Option<Url>,
    /// All requests that were made, in their order.
    pub requests: Vec<RequestRecord>,
    pub status: Option<u16>,
    pub outcome: AttemptOutcome,
}

/// What came of an attempt.
#[derive(Debug)]
pub enum AttemptOutcome {
    Read(Box<ParsedDocument>),
    NotModified {
        validators: Option<CacheValidators>,
        freshness: Freshness,
    },
    NotAFeed {
        detail: String,
        feeds: Vec<FeedLink>,
        bytes: u64,
    },
    Throttled {
        retry_after: Option<Duration>,
        freshness: Freshness,
    },
    Refused {
        retry_after: Option<Duration>,
    },
    Challenged {
        by: &'static str,
        retry_after: Option<Duration>,
    },
    Held {
        origin: Origin,
        until: Timestamp,
    },
    Gone,
    /// No server was reached; it may be our own network's fault.
    Unreachable {
        detail: String,
    },
    /// No server was reached, and no other is either.
    Offline {
        detail: String,
        since: Timestamp,
    },
    Failed {
        detail: String,
    },
    Crashed {
        detail: String,
    },
    Abandoned,
}

/// Polls a source once, by a lease of it, and writes down what came of it.
pub async fn poll_source(
    context: &PollContext,
    source: &Source,
    lease: &PollLease,
) -> store::Result<(PollRecord, IngestResult)> {
    let attempt = match Url::parse(&source.url) {
        Ok(url) => fetch_and_parse(context, &url, source.validators.as_ref(), lease).await,
        Err(error) => {
            PollAttempt::without_request(context.clock.now(), AttemptOutcome::Failed { detail: error.to_string() })
        }
    };
    record_attempt(context, source, attempt, lease).await
}

/// Fetches and reads, and tells of it; nothing is written.
pub async fn fetch_and_parse(
    context: &PollContext,
    url: &Url,
    validators: Option<&CacheValidators>,
    lease: &PollLease,
) -> PollAttempt {
    let started_at = context.clock.now();
    let at = Mutex::new(lease.origin.clone());
    let turn = |origin: Origin| {
        let stays = {
            let mut at = at.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            at.replace(origin.to_string()).as_deref() == Some(&origin.to_string())
        };
        async move { if stays { Ok(()) } else { context.lease_next_origin(lease, &origin).await } }.boxed()
    };
    let fetched = context.fetcher.fetch(url, validators, started_at, &turn).await;
    let FetchResult { url, permanent_redirect, requests, status, outcome } = fetched;
    let outcome = match outcome {
        FetchOutcome::Document { body, content_type, validators, freshness, links } => {
            let (url, options) = (url.clone(), context.parse_options.clone());
            let work = parse_job::ParseJob { body, content_type, url, links, now: started_at, options };
            parse_job::read(context, work, validators, freshness).await
        }
        FetchOutcome::NotModified { validators, freshness } => AttemptOutcome::NotModified { validators, freshness },
        FetchOutcome::Throttled { retry_after, freshness } => AttemptOutcome::Throttled { retry_after, freshness },
        FetchOutcome::Refused { retry_after } => AttemptOutcome::Refused { retry_after },
        FetchOutcome::Challenged { by, retry_after } => AttemptOutcome::Challenged { by, retry_after },
        FetchOutcome::Held { origin, until } => AttemptOutcome::Held { origin, until },
        FetchOutcome::Gone => AttemptOutcome::Gone,
        FetchOutcome::Unreachable { detail } => AttemptOutcome::Unreachable { detail },
        FetchOutcome::Failed { detail } => AttemptOutcome::Failed { detail },
    };
    PollAttempt { started_at, finished_at: context.clock.now(), url, permanent_redirect, requests, status, outcome }
}

/// Judges an attempt, stores its record and its items and gives back its lease, in one transaction.
pub async fn record_attempt(
    context: &PollContext,
    source: &Source,
    mut attempt: PollAttempt,
    lease: &PollLease,
) -> store::Result<(PollRecord, IngestResult)> {
    let weather = outage::judge(context, &mut attempt);
    let known = PollFacts::gather(context, source, &attempt).await?;
    let mut record = decide(source, &mut attempt, &known, &context.options);
    let (items, hub, silence) = match attempt.outcome {
        AttemptOutcome::Read(reading) => (reading.items, Some(reading.hub), None),
        AttemptOutcome::Unreachable { detail } => (Vec::new(), None, Some(detail)),
        _ => (Vec::new(), None, None),
    };
    let (lease, now) = (lease.clone(), context.clock.now());
    let pause = context.pause_until(now);
    let net =
        SafetyPollFacts { hub, safety_poll_interval: context.safety_poll_interval, wishes: source.wishes.clone() };
    let done = context
        .store
        .write(move |db| {
            leases::release(db, &lease, now, pause)?;
            weather.write(db, now)?;
            let stored = polls::record_poll(db, &record, &items)?;
            net.settle(db, &mut record, stored.new.len())?;
            Ok((record, stored))
        })
        .await?;
    if let Some(detail) = silence {
        outage::after_silence(context, source, &detail, now).await?;
    }
    Ok(done)
}

/// Writes down a poll that never came to its end: its task panicked, or the daemon stopped.
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
        // A URL that is never shown where the source's own is known: `decide` falls back to that.
        let url = Url::parse("about:blank").unwrap_or_else(|_| unreachable!("a constant URL"));
        PollAttempt {
            started_at: now,
            finished_at: now,
            url,
            permanent_redirect: None,
            requests: Vec::new(),
            status: None,
            outcome,
        }
    }

    /// The origin that was asked last.
    fn last_origin(&self) -> Option<&str> {
        self.requests.last().map(|request| request.origin.as_str())
    }
}
