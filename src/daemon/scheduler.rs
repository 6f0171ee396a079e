//! Whose turn it is: takes what is due from the database, polls it, and never asks one origin twice at once.
//!
//! The schedule lives in the database alone. A source's turn is claimed there, with the time of its next one, before
//! its request goes out; so neither a crash nor a second program makes a poll too soon. What another program has a lease
//! of is passed over until it is free.

use super::{LOOK, Signals};
use crate::config::DaemonOptions;
use crate::crawl::{self, AttemptOutcome, ClaimOutcome, OVERDUE_SPACING, PollContext, panic_text};
use crate::domain::duration::after;
use crate::domain::{DueSource, IngestResult, PollRecord, SourceId, Timestamp};
use crate::http_client::Origin;
use crate::store::leases::{self, PollLease};
use crate::store::{self, sources};
use crate::urls::redact::strip_credentials;
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Due sources that are looked at in one go; more of them wait for the next.
const LOOKED_AT: u32 = 2_000;
/// While our own network is down, so much time is between two attempts to reach anybody.
const PROBE: SignedDuration = SignedDuration::from_secs(30);

type Polled = store::Result<Option<(PollRecord, IngestResult)>>;

struct Scheduler {
    context: PollContext,
    options: DaemonOptions,
    signals: Signals,
    polls: JoinSet<Polled>,
    under_way: HashMap<Id, (SourceId, Option<Origin>, PollLease)>,
    busy: HashSet<Origin>,
    /// While our own network is down: not before this time is anybody asked.
    next_probe: Timestamp,
}

/// Spreads what came due while nothing ran, so that a start makes no burst.
pub(super) async fn spread_overdue(context: &PollContext) -> store::Result<()> {
    let (now, interval) = (context.clock.now(), context.options.interval);
    let overdue = context.store.write(move |db| sources::spread_overdue(db, now, OVERDUE_SPACING, interval)).await?;
    if overdue > 1 {
        tracing::info!(sources = overdue, "overdue sources are polled one after the other");
    }
    Ok(())
}

/// Polls until `shutdown`, then lets polls under way end; those that have not by `abandon` are abandoned.
pub(super) async fn run(
    context: PollContext,
    options: DaemonOptions,
    signals: Signals,
    shutdown: CancellationToken,
    abandon: CancellationToken,
) {
    // What an earlier daemon left is ours: there is one on a database at a time.
    let (program, now) = (context.program.clone(), context.clock.now());
    if let Err(error) = context.store.write(move |db| leases::delete_of_holder(db, &program, now)).await {
        tracing::error!(%error, "leases that an earlier daemon left could not be ended; they end by themselves");
    }
    let mut scheduler = Scheduler {
        context,
        options,
        signals,
        polls: JoinSet::new(),
        under_way: HashMap::new(),
        busy: HashSet::new(),
        next_probe: Timestamp::MIN,
    };
    scheduler.until(&shutdown).await;
    scheduler.finish(&abandon).await;
}

impl Scheduler {
    async fn until(&mut self, shutdown: &CancellationToken) {
        loop {
            if let Err(error) = self.dispatch(shutdown).await {
                tracing::error!(%error, "the schedule could not be read or written; trying again");
            }
            let next = self.context.store.read(sources::next_poll_at).await.ok().flatten();
            // What is due already and was not taken waits for a poll to end, not for the clock.
            let next = next.filter(|next| *next > self.context.clock.now());
            let next = if self.context.outage.is_down() { next.or(Some(self.next_probe)) } else { next };
            let sleep_until_next = async {
                match next {
                    Some(next) => self.context.clock.sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = shutdown.cancelled() => return,
                Some(ended) = self.polls.join_next_with_id() => self.ended(ended).await,
                _ = sleep_until_next => {}
                _ = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Starts as many polls as may run at once.
    async fn dispatch(&mut self, shutdown: &CancellationToken) -> store::Result<()> {
        let now = self.context.clock.now();
        let at_once = self.at_once(now);
        if self.polls.len() >= at_once {
            return Ok(());
        }
        let (due, (sources, origins)) = self
            .context
            .store
            .read(move |db| Ok((sources::due(db, now, LOOKED_AT)?, leases::active_leases(db, now)?)))
            .await?;
        for due in due {
            if self.polls.len() >= at_once || shutdown.is_cancelled() {
                break;
            }
            let origin = Url::parse(&due.url).ok().map(|url| Origin::from_url(&url));
            let is_busy = |origin: &Origin| self.busy.contains(origin) || origins.contains(&origin.to_string());
            if sources.contains(&due.id) || origin.as_ref().is_some_and(is_busy) {
                continue;
            }
            self.busy.extend(origin.clone());
            let id = due.id;
            let lease = PollLease::new(&self.context.program);
            let task = self.polls.spawn(claim_and_poll(self.context.clone(), due, lease.clone()));
            self.under_way.insert(task.id(), (id, origin, lease));
        }
        Ok(())
    }

    /// How many polls may run now. While our own network is down it is one, now and then: it goes to a source that is due
    /// anyhow, so that nobody is asked more often than ever.
    fn at_once(&mut self, now: Timestamp) -> usize {
        if !self.context.outage.is_down() {
            return self.options.concurrency;
        }
        if now < self.next_probe || !self.polls.is_empty() {
            return 0;
        }
        self.next_probe = after(now, PROBE);
        1
    }

    async fn ended(&mut self, ended: Result<(Id, Polled), JoinError>) {
        let task = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some((source, origin, lease)) = self.under_way.remove(&task) else {
            return;
        };
        if let Some(origin) = origin {
            self.busy.remove(&origin);
        }
        match ended {
            Ok((_, Ok(None))) => {}
            Ok((_, Ok(Some((record, stored))))) => {
                log(&record, &stored);
                self.signals.tell(&stored);
            }
            Ok((_, Err(error))) => {
                tracing::error!(%source, %error, "a poll could not be recorded");
                if let Err(error) = self.context.release_lease(&lease).await {
                    tracing::error!(%source, %error, "its lease could not be given back; it ends by itself");
                }
            }
            Err(join) if join.is_cancelled() => self.record(source, AttemptOutcome::Abandoned, &lease).await,
            Err(join) => {
                let detail = format!("newsfold failed while polling this source: {}", panic_text(join));
                tracing::error!(%source, detail, "a poll panicked");
                self.record(source, AttemptOutcome::Crashed { detail }, &lease).await;
            }
        }
    }

    async fn record(&self, source: SourceId, answer: AttemptOutcome, lease: &PollLease) {
        if let Err(error) = crawl::record_unfinished(&self.context, source, answer, lease).await {
            tracing::error!(%source, %error, "the end of a poll could not be recorded");
        }
    }

    /// Lets polls under way end; those that take too long are abandoned, and that is recorded.
    async fn finish(&mut self, abandon: &CancellationToken) {
        let mut abandoned = false;
        loop {
            tokio::select! {
                ended = self.polls.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended).await,
                    None => return,
                },
                _ = abandon.cancelled(), if !abandoned => {
                    abandoned = true;
                    self.polls.abort_all();
                }
            }
        }
    }
}

/// `None` where the source's turn was taken by another program, or it is no more.
async fn claim_and_poll(context: PollContext, due: DueSource, lease: PollLease) -> Polled {
    let id = due.id;
    let now = context.clock.now();
    if let Some(source) = context.store.read(move |db| sources::get(db, id)).await?
        && let Some(allowed) = crawl::skip_until(&source, &context.options, now)
    {
        let reason = "the feed asks not to be fetched at this hour or on this day";
        context.store.write(move |db| sources::postpone_poll(db, &due, allowed, reason)).await?;
        return Ok(None);
    }
    let ClaimOutcome::Claimed(lease) = context.claim(due, lease).await? else {
        return Ok(None);
    };
    match context.store.read(move |db| sources::get(db, id)).await? {
        Some(source) => crawl::poll_source(&context, &source, &lease).await.map(Some),
        None => context.release_lease(&lease).await.map(|()| None),
    }
}

pub(super) fn log(record: &PollRecord, stored: &IngestResult) {
    let (source, outcome, url) = (record.source, record.outcome.as_str(), strip_credentials(&record.url));
    if record.outcome.is_success() {
        let (new, changed) = (stored.new.len(), stored.changed.len());
        tracing::debug!(%source, outcome, url, items = record.items, new, changed, "polled");
    } else {
        tracing::info!(%source, outcome, url, detail = record.detail, next = record.next_reason, "polled");
    }
}
