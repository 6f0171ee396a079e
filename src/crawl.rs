//! One poll, from a source whose turn it is to the record of what came of it.
//!
//! [`poll_source`] is the line of `docs/ARCHITECTURE.md`; [`decide`] is where its outcome is judged. No path forgets
//! to record: whatever happens to a poll, a [`PollRecord`] says so, in the transaction that stores its items.

mod article;
mod decide;
mod known;
mod moved;
mod net;
mod outage;
mod pacing;
mod push;
pub mod rate;
mod reading;
mod release;
mod turn;
mod wait;

pub use crate::http_client::origin;
pub use decide::{BROKEN, Options, decide};
pub use known::Known;
pub use outage::{APART, Outage};
pub use pacing::Pacing;
pub use push::receive;
pub use reading::Reading;
pub use release::release;
pub use turn::{Claim, put_off};

use crate::clock::Clock;
use crate::domain::{CacheValidators, IngestResult, PollRecord, RequestRecord, Source, SourceId, Timestamp};
use crate::feed_parser::{self, FeedLink};
use crate::http_client::{FetchOutcome, Fetched, Fetcher, Freshness, Origin};
use crate::store::leases::{self, Lease};
use crate::store::{self, Store, polls};
use futures_util::FutureExt;
use jiff::SignedDuration;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// What a poll is made with.
#[derive(Clone)]
pub struct Tools {
    pub fetcher: Fetcher,
    pub store: Store,
    pub clock: Clock,
    pub options: Options,
    pub parse: feed_parser::Options,
    /// How long a source is not polled whose hub has proven itself; `None` where hubs are not used.
    pub safety_poll: Option<SignedDuration>,
    /// Who polls, in words for whoever has to wait for it.
    pub program: String,
    /// Whether our own network is up, as far as the polls of this program know.
    pub outage: Outage,
    /// How often all sources together are polled.
    pub pacing: Pacing,
    /// Documents that may be read at once: decoded and parsed they take a multiple of their size.
    pub readers: Arc<Semaphore>,
}

/// One attempt to fetch and read a source, not yet judged.
#[derive(Debug)]
pub struct Attempt {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The URL that answered.
    pub url: Url,
    /// Where permanent redirects alone lead.
    pub moved_to: Option<Url>,
    /// All requests that were made, in their order.
    pub requests: Vec<RequestRecord>,
    pub status: Option<u16>,
    pub answer: Answer,
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Answer {
    Read(Box<Reading>),
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
pub async fn poll_source(tools: &Tools, source: &Source, lease: &Lease) -> store::Result<(PollRecord, IngestResult)> {
    let attempt = match Url::parse(&source.url) {
        Ok(url) => attempt(tools, &url, source.validators.as_ref(), lease).await,
        Err(error) => Attempt::without_request(tools.clock.now(), Answer::Failed { detail: error.to_string() }),
    };
    finish(tools, source, attempt, lease).await
}

/// Fetches and reads, and tells of it; nothing is written.
pub async fn attempt(tools: &Tools, url: &Url, validators: Option<&CacheValidators>, lease: &Lease) -> Attempt {
    let started_at = tools.clock.now();
    let at = Mutex::new(lease.origin.clone());
    let turn = |origin: Origin| {
        let stays = {
            let mut at = at.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            at.replace(origin.to_string()).as_deref() == Some(&origin.to_string())
        };
        async move { if stays { Ok(()) } else { tools.turn_of_hop(lease, &origin).await } }.boxed()
    };
    let fetched = tools.fetcher.fetch(url, validators, started_at, &turn).await;
    let Fetched { url, moved_to, requests, status, outcome } = fetched;
    let answer = match outcome {
        FetchOutcome::Document { body, content_type, validators, freshness, links } => {
            let (url, options) = (url.clone(), tools.parse.clone());
            let work = reading::Work { body, content_type, url, links, now: started_at, options };
            reading::read(tools, work, validators, freshness).await
        }
        FetchOutcome::NotModified { validators, freshness } => Answer::NotModified { validators, freshness },
        FetchOutcome::Throttled { retry_after, freshness } => Answer::Throttled { retry_after, freshness },
        FetchOutcome::Refused { retry_after } => Answer::Refused { retry_after },
        FetchOutcome::Challenged { by, retry_after } => Answer::Challenged { by, retry_after },
        FetchOutcome::Held { origin, until } => Answer::Held { origin, until },
        FetchOutcome::Gone => Answer::Gone,
        FetchOutcome::Unreachable { detail } => Answer::Unreachable { detail },
        FetchOutcome::Failed { detail } => Answer::Failed { detail },
    };
    Attempt { started_at, finished_at: tools.clock.now(), url, moved_to, requests, status, answer }
}

/// Judges an attempt, stores its record and its items and gives back its lease, in one transaction.
pub async fn finish(
    tools: &Tools,
    source: &Source,
    mut attempt: Attempt,
    lease: &Lease,
) -> store::Result<(PollRecord, IngestResult)> {
    let weather = outage::judge(tools, &mut attempt);
    let known = Known::of(tools, source, &attempt).await?;
    let mut record = decide(source, &mut attempt, &known, &tools.options);
    let (items, hub, silence) = match attempt.answer {
        Answer::Read(reading) => (reading.items, Some(reading.hub), None),
        Answer::Unreachable { detail } => (Vec::new(), None, Some(detail)),
        _ => (Vec::new(), None, None),
    };
    let (lease, now) = (lease.clone(), tools.clock.now());
    let pause = tools.pause_until(now);
    let net = net::Facts { hub, safety_poll: tools.safety_poll, wishes: source.wishes.clone() };
    let done = tools
        .store
        .write(move |db| {
            leases::give_back(db, &lease, now, pause)?;
            weather.write(db, now)?;
            let stored = polls::record(db, &record, &items)?;
            net.settle(db, &mut record, stored.new.len())?;
            Ok((record, stored))
        })
        .await?;
    if let Some(detail) = silence {
        outage::after_silence(tools, source, &detail, now).await?;
    }
    Ok(done)
}

/// Writes down a poll that never came to its end: its task panicked, or the daemon stopped.
pub async fn finish_without_answer(tools: &Tools, id: SourceId, answer: Answer, lease: &Lease) -> store::Result<()> {
    let source = tools.store.read(move |db| store::sources::get(db, id)).await?;
    if let Some(source) = source {
        let attempt = Attempt::without_request(tools.clock.now(), answer);
        finish(tools, &source, attempt, lease).await?;
    }
    Ok(())
}

impl Attempt {
    fn without_request(now: Timestamp, answer: Answer) -> Self {
        // A URL that is never shown where the source's own is known: `decide` falls back to that.
        let url = Url::parse("about:blank").unwrap_or_else(|_| unreachable!("a constant URL"));
        Attempt { started_at: now, finished_at: now, url, moved_to: None, requests: Vec::new(), status: None, answer }
    }

    /// The origin that was asked last.
    fn origin(&self) -> Option<&str> {
        self.requests.last().map(|request| request.origin.as_str())
    }
}

/// What a task that panicked said.
pub fn panic_text(join: tokio::task::JoinError) -> String {
    match join.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
            text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panicked without words".into())
        }
        Err(join) => join.to_string(),
    }
}
