//! One poll, from a source whose turn it is to the record of what came of it.
//!
//! [`poll_source`] is the line of `docs/ARCHITECTURE.md`; [`decide`] is where its outcome is judged. No path forgets
//! to record: whatever happens to a poll, a [`PollRecord`] says so, in the transaction that stores its items.

mod decide;
mod net;
mod push;
mod turn;

pub use crate::fetch::origin;
pub use crate::normalize::{outlet_of, outlet_of_site};
pub use decide::{Options, decide};
pub use push::receive;
pub use turn::Claim;

use crate::clock::Clock;
use crate::fetch::{FetchOutcome, Fetched, Fetcher, Freshness, Links, Origin};
use crate::model::{HubDeclared, NewItem, PollRecord, Problem, Source, SourceId, Stored, Timestamp, Validators};
use crate::parse::{self, Document, FeedLink, NotAFeed};
use crate::store::leases::{self, Lease};
use crate::store::{self, Store, polls};
use crate::websub::declared::declared;
use crate::{normalize, parse::ParsedFeed};
use futures_util::FutureExt;
use jiff::SignedDuration;
use std::sync::Mutex;
use std::time::Duration;
use url::Url;

/// What a poll is made with.
#[derive(Clone)]
pub struct Tools {
    pub fetcher: Fetcher,
    pub store: Store,
    pub clock: Clock,
    pub options: Options,
    pub parse: parse::Options,
    /// How long a source is not polled whose hub has proven itself; `None` where hubs are not used.
    pub safety_poll: Option<SignedDuration>,
    /// Who polls, in words for whoever has to wait for it.
    pub program: String,
}

/// A document may take so long to be read before its poll is recorded as crashed. Reading is bounded in size and
/// depth, so that this is reached by bugs alone.
const READING: Duration = Duration::from_secs(30);

/// One attempt to fetch and read a source, not yet judged.
#[derive(Debug)]
pub struct Attempt {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The URL that answered.
    pub url: Url,
    pub status: Option<u16>,
    pub answer: Answer,
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Answer {
    Read(Box<Reading>),
    NotModified { validators: Option<Validators>, freshness: Freshness },
    NotAFeed { detail: String, feeds: Vec<FeedLink>, bytes: u64 },
    Throttled { retry_after: Option<Duration>, freshness: Freshness },
    Gone,
    Failed { detail: String },
    Crashed { detail: String },
    Abandoned,
}

/// A document that was read.
#[derive(Debug)]
pub struct Reading {
    pub bytes: u64,
    pub items: Vec<NewItem>,
    pub problems: Vec<Problem>,
    pub validators: Option<Validators>,
    pub freshness: Freshness,
    pub title: Option<String>,
    pub site_url: Option<String>,
    pub lang: Option<String>,
    pub ttl_minutes: Option<u32>,
    pub hub: Option<HubDeclared>,
}

/// Polls a source once, by a lease of it, and writes down what came of it.
pub async fn poll_source(tools: &Tools, source: &Source, lease: &Lease) -> store::Result<(PollRecord, Stored)> {
    let attempt = match Url::parse(&source.url) {
        Ok(url) => attempt(tools, &url, source.validators.as_ref(), lease).await,
        Err(error) => Attempt::without_request(tools.clock.now(), Answer::Failed { detail: error.to_string() }),
    };
    finish(tools, source, attempt, lease).await
}

/// Fetches and reads, and tells of it; nothing is written.
pub async fn attempt(tools: &Tools, url: &Url, validators: Option<&Validators>, lease: &Lease) -> Attempt {
    let started_at = tools.clock.now();
    let at = Mutex::new(lease.origin.clone());
    let turn = |origin: Origin| {
        let stays = {
            let mut at = at.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            at.replace(origin.to_string()).as_deref() == Some(&origin.to_string())
        };
        async move { if stays { Ok(()) } else { tools.turn_of_hop(lease, &origin).await } }.boxed()
    };
    let Fetched { url, status, outcome } = tools.fetcher.fetch(url, validators, started_at, &turn).await;
    let answer = match outcome {
        FetchOutcome::Document { bytes, content_type, validators, freshness, links } => {
            let (url, options) = (url.clone(), tools.parse.clone());
            let work = Work { bytes, content_type, url, links, now: started_at, options };
            read(work, validators, freshness).await
        }
        FetchOutcome::NotModified { validators, freshness } => Answer::NotModified { validators, freshness },
        FetchOutcome::Throttled { retry_after, freshness } => Answer::Throttled { retry_after, freshness },
        FetchOutcome::Gone => Answer::Gone,
        FetchOutcome::Failed { detail } => Answer::Failed { detail },
    };
    Attempt { started_at, finished_at: tools.clock.now(), url, status, answer }
}

/// Judges an attempt, stores its record and its items and gives back its lease, in one transaction.
pub async fn finish(
    tools: &Tools,
    source: &Source,
    mut attempt: Attempt,
    lease: &Lease,
) -> store::Result<(PollRecord, Stored)> {
    let mut record = decide(source, &mut attempt, &tools.options);
    let (items, hub) = match attempt.answer {
        Answer::Read(reading) => (reading.items, Some(reading.hub)),
        _ => (Vec::new(), None),
    };
    let (lease, now) = (lease.clone(), tools.clock.now());
    let (pause, safety_poll) = (tools.pause_until(now), tools.safety_poll);
    tools
        .store
        .write(move |db| {
            leases::give_back(db, &lease, now, pause)?;
            let stored = polls::record(db, &record, &items)?;
            net::settle(db, &mut record, stored.new.len(), hub, safety_poll)?;
            Ok((record, stored))
        })
        .await
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
        Attempt { started_at: now, finished_at: now, url, status: None, answer }
    }
}

struct Work {
    bytes: Vec<u8>,
    content_type: Option<String>,
    url: Url,
    links: Links,
    now: Timestamp,
    options: parse::Options,
}

/// Reads a document away from the tasks that do I/O. A panic in there is this document's end and nobody else's.
async fn read(work: Work, validators: Option<Validators>, freshness: Freshness) -> Answer {
    let size = work.bytes.len() as u64;
    let reading = tokio::task::spawn_blocking(move || {
        let document = Document { bytes: &work.bytes, content_type: work.content_type.as_deref(), url: &work.url };
        let (feed, mut problems) = parse::parse(&document, &work.options)?;
        let items = normalize::items(&feed, &work.url, work.now, &mut problems);
        let hub = declared(&work.links, &feed.hubs, feed.self_url.as_ref());
        Ok::<_, NotAFeed>((feed, items, problems, hub))
    });
    match tokio::time::timeout(READING, reading).await {
        Err(_) => Answer::Crashed { detail: format!("reading the document took more than {} s", READING.as_secs()) },
        Ok(Err(join)) => Answer::Crashed { detail: format!("reading the document failed: {}", panic_text(join)) },
        Ok(Ok(Err(not_a_feed))) => {
            let detail = not_a_feed.to_string();
            let feeds = if let NotAFeed::Html { feeds } = not_a_feed { feeds } else { Vec::new() };
            Answer::NotAFeed { detail, feeds, bytes: size }
        }
        Ok(Ok(Ok((feed, items, problems, hub)))) => {
            let reading = reading_of(feed, items, problems, size, validators, freshness);
            Answer::Read(Box::new(Reading { hub, ..reading }))
        }
    }
}

fn reading_of(
    feed: ParsedFeed,
    items: Vec<NewItem>,
    problems: Vec<Problem>,
    bytes: u64,
    validators: Option<Validators>,
    freshness: Freshness,
) -> Reading {
    Reading {
        bytes,
        lang: normalize::language(&feed, &items),
        items,
        problems,
        validators,
        freshness,
        title: feed.title.map(|t| crate::model::text::one_line(&t, 200)).filter(|t| !t.is_empty()),
        site_url: feed.site_url.map(String::from),
        ttl_minutes: feed.ttl_minutes,
        hub: None,
    }
}

/// The canonical form of a link, where it is one.
pub fn canonical_link(link: &str) -> Option<String> {
    Url::parse(link).ok().map(|url| normalize::canonical(&url))
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
