//! Polls due sources, and never sends two requests to one origin at the same time.
//!
//! The schedule exists only in the database. Before a request is sent, the scheduler claims the source in the database
//! and postpones its next poll, so neither a crash nor a second program causes an early poll. Sources and origins that
//! another program has leased are skipped until the lease ends.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::crawl::{self, AttemptOutcome, ClaimOutcome, OVERDUE_SPACING, PollContext, RecordedPoll};
use crate::domain::duration::after;
use crate::domain::panic_text::join_error_text;
use crate::domain::{
    DueSource, IngestResult, NextPollReason, PollRecord, SourceId, SourceState, SourceUpdate, Timestamp,
};
use crate::http_client::origin_of;
use crate::metrics::METRICS;
use crate::store::poll_leases::{self, ActiveLeases, PollLease};
use crate::store::{self, WriteConnection, poll_schedule, sources};
use crate::urls::redact::redact_url;
use crate::wording::{Audience, next_poll_text, poll_error};
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};
use tokio::task::{Id, JoinError, JoinSet};
use url::Url;

/// The maximum number of sources in the queue. Other due sources wait until it is read again.
const MAX_QUEUED: u32 = 2_000;
/// The time after which the queue is read again while all its sources wait for a busy origin, measured in real time.
const QUEUE_LIFETIME: Duration = Duration::from_millis(500);
/// The interval between attempts to reach any server during an outage of our own network.
const OUTAGE_PROBE_INTERVAL: SignedDuration = SignedDuration::from_secs(30);

/// The record of a poll; `None` if another program claimed the source or the source was removed.
type PollResult = store::Result<Option<RecordedPoll>>;

struct Scheduler {
    context: TaskContext,
    polls: JoinSet<PollResult>,
    in_progress: HashMap<Id, RunningPoll>,
    busy_origins: HashSet<String>,
    queue: PollQueue,
    /// Leases of polls that could not be recorded.
    unreleased: Vec<PollLease>,
    /// The time of the next attempt during an outage of our own network.
    next_probe_at: Timestamp,
    /// The latest time that the clock has shown. An earlier time shows that the clock was ahead.
    latest_time: Timestamp,
}

/// Due sources, most overdue first. If due sources were read for each poll, the cost of a poll would grow with the
/// number of overdue sources.
#[derive(Default)]
struct PollQueue {
    waiting: VecDeque<QueuedPoll>,
    read_at: Option<Instant>,
    /// The earliest due time of the sources that were not yet due when the queue was read.
    next_due_at: Option<Timestamp>,
}

struct QueuedPoll {
    due: DueSource,
    origin: Option<String>,
}

struct RunningPoll {
    source: SourceId,
    origin: Option<String>,
    lease: PollLease,
}

/// Spreads out the polls that became due while newsfold was stopped, so that startup causes no burst.
pub(super) async fn spread_overdue(polling: &PollContext) -> store::Result<()> {
    let (now, options) = (polling.clock.now(), polling.options.clone());
    let spread = move |db: &WriteConnection| {
        let corrected = crawl::correct_schedule(db, &options, now)?;
        Ok((corrected, poll_schedule::spread_overdue(db, now, OVERDUE_SPACING, options.interval)?))
    };
    let (corrected, overdue) = polling.store.write(spread).await?;
    if corrected > 0 {
        tracing::warn!(
            sources = corrected,
            "the clock was ahead when these polls were scheduled; the sources are due now"
        );
    }
    if overdue > 1 {
        tracing::info!(sources = overdue, "polling overdue sources in sequence");
    }
    Ok(())
}

/// Polls until shutdown and then waits for the polls in progress. Polls are abandoned after the shutdown grace period.
pub(super) async fn run(context: TaskContext) {
    // Leases of an earlier daemon are void, because only one daemon can run per database.
    let (program, now) = (context.polling.program.clone(), context.clock().now());
    if let Err(error) = context.store().write(move |db| poll_leases::delete_of_holder(db, &program, now)).await {
        error.log("the leases of an earlier daemon could not be deleted; they will expire");
    }
    let mut scheduler = Scheduler {
        context,
        polls: JoinSet::new(),
        in_progress: HashMap::new(),
        busy_origins: HashSet::new(),
        queue: PollQueue::default(),
        unreleased: Vec::new(),
        next_probe_at: Timestamp::MIN,
        latest_time: Timestamp::MIN,
    };
    scheduler.poll_until_shutdown().await;
    scheduler.finish().await;
}

impl Scheduler {
    async fn poll_until_shutdown(&mut self) {
        let shutdown = self.context.shutdown.clone();
        while !shutdown.is_cancelled() {
            let next = match self.start_due_polls().await {
                Ok(next) => next,
                Err(error) => {
                    error.log("the schedule could not be read; retrying");
                    NextRun::Retry
                }
            };
            tokio::select! {
                _ = shutdown.cancelled() => return,
                Some(ended) = self.polls.join_next_with_id() => self.handle_end(ended).await,
                _ = self.context.work.wait(next) => {}
                _ = tokio::time::sleep(QUEUE_LIFETIME), if !self.queue.waiting.is_empty() => {}
            }
            while let Some(ended) = self.polls.try_join_next_with_id() {
                self.handle_end(ended).await;
            }
        }
    }

    /// Starts as many polls as are currently allowed. Returns when more polls become due. Polls that finish earlier may
    /// allow more polls to start.
    async fn start_due_polls(&mut self) -> store::Result<NextRun> {
        if !self.context.store().write_retry_delay().is_zero() {
            // A poll that cannot be recorded would waste its request.
            return Ok(NextRun::Retry);
        }
        while let Some(lease) = self.unreleased.last() {
            self.context.polling.release_lease(lease).await?;
            self.unreleased.pop();
        }
        let now = self.context.clock().now();
        if after(now, crawl::MAX_CLOCK_ERROR) < self.latest_time {
            self.latest_time = now;
            (self.next_probe_at, self.queue) = (Timestamp::MIN, PollQueue::default());
            spread_overdue(&self.context.polling).await?;
        }
        self.latest_time = now.max(self.latest_time);
        let max_polls = self.max_concurrent_polls(now);
        if self.polls.len() >= max_polls {
            return Ok(self.context.polling.outage.is_down().then_some(self.next_probe_at).into());
        }
        if self.context.polling.outage.is_down() {
            // The queue may contain a source that is no longer due. It would use up the only poll of this interval.
            self.queue = PollQueue::default();
        }
        let leases = self.context.polling.active_leases().await?;
        self.start_queued_polls(&leases, max_polls);
        if self.polls.len() < max_polls && self.queue.is_outdated() {
            let read = move |db: &store::ReadConnection| {
                Ok((poll_schedule::due(db, now, MAX_QUEUED)?, poll_schedule::next_poll_at(db, now)?))
            };
            let (due, next_due_at) = self.context.store().read(read).await?;
            self.queue = PollQueue::new(due, next_due_at);
            self.start_queued_polls(&leases, max_polls);
        }
        // A source in the queue waits for a lease to end or for a poll of this program to finish.
        let next_due_at = self.queue.next_due_at.filter(|_| self.queue.waiting.is_empty());
        Ok(next_due_at.into_iter().chain(leases.next_expiry).min().into())
    }

    /// Starts polls of the sources in the queue, except for sources that are leased or whose origin is busy.
    fn start_queued_polls(&mut self, leases: &ActiveLeases, max_polls: usize) {
        let mut index = 0;
        while self.polls.len() < max_polls
            && let Some(QueuedPoll { due, origin }) = self.queue.waiting.get(index)
        {
            let is_busy = |origin: &String| self.busy_origins.contains(origin) || leases.origins.contains(origin);
            if leases.sources.contains(&due.id) || origin.as_ref().is_some_and(is_busy) {
                index += 1;
            } else if let Some(QueuedPoll { due, origin }) = self.queue.waiting.remove(index) {
                self.start_poll(due, origin);
            }
        }
    }

    fn start_poll(&mut self, due: DueSource, origin: Option<String>) {
        self.busy_origins.extend(origin.clone());
        let (source, lease) = (due.id, PollLease::new(&self.context.polling.program));
        let task = self.polls.spawn(claim_and_poll(self.context.polling.clone(), due, lease.clone()));
        self.in_progress.insert(task.id(), RunningPoll { source, origin, lease });
    }

    /// Returns the number of polls that may run now. During an outage of our own network, the number is one per probe
    /// interval. Probes poll only sources that are due, so no server gets more requests than usual.
    fn max_concurrent_polls(&mut self, now: Timestamp) -> usize {
        if !self.context.polling.outage.is_down() {
            return self.context.config.daemon.concurrency;
        }
        if now < self.next_probe_at || !self.polls.is_empty() {
            return 0;
        }
        self.next_probe_at = after(now, OUTAGE_PROBE_INTERVAL);
        1
    }

    async fn handle_end(&mut self, ended: Result<(Id, PollResult), JoinError>) {
        let task = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(RunningPoll { source, origin, lease }) = self.in_progress.remove(&task) else {
            return;
        };
        if let Some(origin) = origin {
            self.busy_origins.remove(&origin);
        }
        match ended {
            Ok((_, Ok(None))) => {}
            Ok((_, Ok(Some(polled)))) => log_poll(&polled.record, &polled.ingested, Some(&polled.update)),
            Ok((_, Err(error))) => {
                error.log(&format!("a poll of source {source} could not be recorded"));
                self.unreleased.push(lease);
            }
            Err(join) if join.is_cancelled() => self.record(source, AttemptOutcome::Abandoned, &lease).await,
            Err(join) => {
                let detail = format!("newsfold failed while polling this source: {}", join_error_text(join));
                tracing::error!(%source, detail = Audience::PUBLIC.remark(&detail), "a poll panicked");
                self.record(source, AttemptOutcome::Crashed { detail }, &lease).await;
            }
        }
    }

    async fn record(&self, source: SourceId, outcome: AttemptOutcome, lease: &PollLease) {
        if let Err(error) = crawl::record_unfinished(&self.context.polling, source, outcome, lease).await {
            error.log(&format!("the end of a poll of source {source} could not be recorded"));
        }
    }

    /// Waits for the polls in progress. Polls that exceed the shutdown grace period are recorded as abandoned.
    async fn finish(&mut self) {
        let abandon = self.context.abandon_polls.clone();
        let mut is_abandoned = false;
        loop {
            tokio::select! {
                ended = self.polls.join_next_with_id() => match ended {
                    Some(ended) => self.handle_end(ended).await,
                    None => return,
                },
                _ = abandon.cancelled(), if !is_abandoned => {
                    is_abandoned = true;
                    self.polls.abort_all();
                }
            }
        }
    }
}

impl PollQueue {
    fn new(due: Vec<DueSource>, next_due_at: Option<Timestamp>) -> PollQueue {
        let with_origin = |due: DueSource| {
            let origin = Url::parse(&due.url).ok().map(|url| origin_of(&url));
            QueuedPoll { due, origin }
        };
        PollQueue { waiting: due.into_iter().map(with_origin).collect(), read_at: Some(Instant::now()), next_due_at }
    }

    fn is_outdated(&self) -> bool {
        self.waiting.is_empty() || self.read_at.is_none_or(|read_at| read_at.elapsed() >= QUEUE_LIFETIME)
    }
}

async fn claim_and_poll(context: PollContext, due: DueSource, lease: PollLease) -> PollResult {
    let id = due.id;
    let now = context.clock.now();
    let source = context.store.read(move |db| sources::get(db, id)).await?;
    // The operator may have paused the source while it was in the queue.
    let Some(source) = source.filter(|source| source.state == SourceState::Active) else {
        return Ok(None);
    };
    if let Some(allowed) = crawl::skip_until(&source, &context.options.for_source(&source), now) {
        let reason = NextPollReason::SkippedByFeed;
        context.store.write(move |db| poll_schedule::postpone_poll(db, &due, allowed, &reason)).await?;
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

/// Logs and counts a poll or a push.
pub(super) fn log_poll(record: &PollRecord, stored: &IngestResult, update: Option<&SourceUpdate>) {
    let (source, outcome, url) = (record.source, record.outcome.into_str(), redact_url(&record.url));
    METRICS.polls.with_label_values(&[outcome]).inc();
    METRICS.poll_duration.observe(record.finished_at.duration_since(record.started_at).as_secs_f64());
    METRICS.received_bytes.inc_by(record.bytes);
    METRICS.new_items.inc_by(stored.new.len() as u64);
    METRICS.changed_items.inc_by(stored.changed.len() as u64);
    if record.outcome.is_success() {
        let (new, changed) = (stored.new.len(), stored.changed.len());
        tracing::debug!(%source, outcome, url, items = record.items, new, changed, "polled");
    } else {
        let next = update.map(|update| next_poll_text(&update.next_poll_reason).format(Audience::Operator));
        let detail = poll_error(record.outcome, &record.detail, record.detail_time, Audience::PUBLIC);
        let detail = detail.format(Audience::PUBLIC);
        tracing::warn!(%source, outcome, url, detail, next, "a poll failed");
    }
}
