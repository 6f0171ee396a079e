//! `newsfold source poll`: polls sources immediately. All other rules for polls apply: conditional requests (except
//! with `--no-cache`), one request at a time per origin, and holds. Waits while another program uses the same server. If
//! root runs the command, the daemon may send the requests ([`daemon_poll`]).

use super::daemon_poll::{self, DaemonPoll};
use super::{find_all, lease_holder_text, poll_error_text, program, sources, termination_signal};
use crate::cli::Context;
use crate::cli::output::time;
use crate::cli::table::{table, table_time};
use crate::crawl::{self, AttemptOutcome, ClaimOutcome, PollContext, RecordedPoll};
use crate::daemon;
use crate::domain::display_text::one_line;
use crate::domain::{DueSource, Source, SourceState};
use crate::store::poll_leases::{self, LeaseConflict, PollLease, ResourceKind};
use crate::store::sources::SourceFilter;
use crate::wording::{Audience, hold_reason_text, next_poll_text};
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[derive(clap::Args)]
pub struct Poll {
    /// Numbers, URLs, titles or outlets of sources.
    sources: Vec<String>,
    /// Poll all active sources.
    #[arg(long, conflicts_with = "sources")]
    all: bool,
    /// Poll all active sources with this tag.
    #[arg(long, conflicts_with_all = ["sources", "all"])]
    tag: Option<String>,
    /// Request the whole feed, even if it has not changed.
    #[arg(long)]
    no_cache: bool,
}

/// The interval between attempts of a waiting poll to acquire the lease.
const LEASE_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The result for one source: the recorded poll, or the reason why the source was skipped.
struct PollRow {
    source: Source,
    result: Result<RecordedPoll, String>,
}

impl Poll {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, store) = context.open()?;
        if self.sources.is_empty() && !self.all && self.tag.is_none() {
            bail!("no sources given; pass numbers, URLs, --tag TAG or --all");
        }
        let chosen = if self.sources.is_empty() {
            let filter = SourceFilter { tag: self.tag, problems: false };
            let mut all = store.read(move |db| sources::list(db, &filter)).await?;
            all.retain(|source| source.state == SourceState::Active);
            all
        } else {
            find_all(&store, &self.sources).await?
        };
        if daemon_poll::is_required(&store) {
            let polls = daemon_poll::poll(&config, &store, &chosen, (self.no_cache, context.clock.now())).await?;
            return report_daemon_polls(context, &polls);
        }
        let program = program("source poll");
        let mut poll_context = config.poll_context(store.clone(), context.clock.clone(), &program)?;
        poll_context.no_cache = self.no_cache;
        let rows = tokio::select! {
            rows = poll_all(&poll_context, chosen, config.daemon.concurrency) => rows?,
            _ = termination_signal() => return abandon(&poll_context).await,
        };
        daemon::group_and_publish_without_daemon(&config, &store, &context.clock).await?;
        report(context, &rows)
    }
}

/// Records polls in progress as abandoned and releases all leases, so that no other program waits for them.
async fn abandon(poll_context: &PollContext) -> anyhow::Result<ExitCode> {
    let (program, store) = (poll_context.program.clone(), &poll_context.store);
    let (holder, now, lease) = (program.clone(), poll_context.clock.now(), PollLease::new(&program));
    let in_progress = store.read(move |db| poll_leases::sources_held_by(db, &holder)).await?;
    for id in &in_progress {
        crawl::record_unfinished(poll_context, *id, AttemptOutcome::Abandoned, &lease).await?;
    }
    store.write(move |db| poll_leases::delete_of_holder(db, &program, now)).await?;
    bail!("interrupted; {} polls were abandoned", in_progress.len());
}

async fn poll_all(
    poll_context: &PollContext,
    sources: Vec<Source>,
    concurrency: usize,
) -> anyhow::Result<Vec<PollRow>> {
    let bar = ProgressBar::new(sources.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} sources, {elapsed}") {
        bar.set_style(style);
    }
    let slots = Arc::new(Semaphore::new(concurrency));
    let mut polls = JoinSet::new();
    for source in sources {
        let (poll_context, slots, bar) = (poll_context.clone(), slots.clone(), bar.clone());
        polls.spawn(async move {
            let _slot = slots.acquire_owned().await?;
            let result = poll_one(&poll_context, &source, &bar).await?;
            anyhow::Ok(PollRow { source, result })
        });
    }
    let mut rows = Vec::new();
    while let Some(row) = polls.join_next().await {
        rows.push(row??);
        bar.inc(1);
    }
    bar.finish_and_clear();
    rows.sort_by_key(|row| row.source.id);
    Ok(rows)
}

/// Polls a source once it can be leased.
async fn poll_one(
    poll_context: &PollContext,
    chosen: &Source,
    bar: &ProgressBar,
) -> anyhow::Result<Result<RecordedPoll, String>> {
    let id = chosen.id;
    let mut is_announced = false;
    loop {
        let Some(source) = poll_context.store.read(move |db| sources::get(db, id)).await? else {
            return Ok(Err("the source was deleted".into()));
        };
        let now = poll_context.clock.now();
        if let Some(hold) = source.hold_until.filter(|hold| *hold > now) {
            return Ok(Err(format!("its server is on hold until {}", time(hold))));
        }
        if source.last_poll_at > chosen.last_poll_at {
            return Ok(Err("another program polled it in the meantime".into()));
        }
        let due = DueSource { id, url: source.url.clone(), next_poll_at: source.next_poll_at };
        match poll_context.claim(due, PollLease::new(&poll_context.program)).await? {
            ClaimOutcome::Claimed(lease) => return Ok(Ok(crawl::poll_source(poll_context, &source, &lease).await?)),
            ClaimOutcome::OnHold(hold) => {
                let (until, reason) = (time(hold.until), hold_reason_text(&hold.reason));
                return Ok(Err(format!(
                    "its server is on hold until {until}: {reason}; `newsfold origin unhold {}` ends the hold",
                    hold.origin
                )));
            }
            ClaimOutcome::Outdated => return Ok(Err("another program changed or polled it in the meantime".into())),
            ClaimOutcome::Leased(held @ LeaseConflict { resource_kind: ResourceKind::Source, .. }) => {
                return Ok(Err(format!("it is being polled by {}", lease_holder_text(&held))));
            }
            ClaimOutcome::Leased(held) => {
                // No message is needed for the delay after a request or for this program's own polls.
                if !is_announced && !held.holder.is_empty() && held.holder != poll_context.program {
                    is_announced = true;
                    let holder = lease_holder_text(&held);
                    bar.suspend(|| eprintln!("source {id} is waiting: its server is in use by {holder}"));
                }
                tokio::time::sleep(LEASE_RETRY_DELAY).await;
            }
        }
    }
}

/// Prints the results. The exit code is 0 if no poll failed.
fn report(context: &Context, rows: &[PollRow]) -> anyhow::Result<ExitCode> {
    let values: Vec<_> = rows.iter().map(PollRow::to_json).collect();
    let text = table(
        rows,
        &[
            ("no", |row| row.source.id.to_string()),
            ("title", |row| one_line(&row.source.title, 50)),
            ("outcome", |row| row.polled_or("skipped", |polled| polled.record.outcome.into_str().into())),
            ("items", |row| row.polled_or("", |polled| polled.record.items.to_string())),
            ("new", |row| row.polled_or("", |polled| polled.ingested.new.len().to_string())),
            ("next poll", |row| {
                table_time(row.result.as_ref().map_or(row.source.next_poll_at, |polled| polled.update.next_poll_at))
            }),
            ("detail", |row| match &row.result {
                Ok(polled) => {
                    let record = &polled.record;
                    one_line(&poll_error_text(record.outcome, &record.detail, record.detail_time), 200)
                }
                Err(skipped) => skipped.clone(),
            }),
        ],
    );
    context.print(&values, text)?;
    let is_success = |row: &PollRow| row.result.as_ref().is_ok_and(|polled| polled.record.outcome.is_success());
    Ok(if rows.iter().all(is_success) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the polls of the daemon. The exit code is 0 if no poll failed.
fn report_daemon_polls(context: &Context, polls: &[DaemonPoll]) -> anyhow::Result<ExitCode> {
    let to_json = |poll: &DaemonPoll| match &poll.result {
        Ok(polled) => serde_json::json!({"source": poll.source.id, "poll": polled}),
        Err(skipped) => serde_json::json!({"source": poll.source.id, "skipped": skipped}),
    };
    let text = table(
        polls,
        &[
            ("no", |poll| poll.source.id.to_string()),
            ("title", |poll| one_line(&poll.source.title, 50)),
            ("outcome", |poll| {
                poll.result.as_ref().map_or("skipped".into(), |polled| polled.outcome.into_str().into())
            }),
            ("items", |poll| poll.result.as_ref().map_or(String::new(), |polled| polled.items.to_string())),
            ("new", |poll| poll.result.as_ref().map_or(String::new(), |polled| polled.new_items.to_string())),
            ("next poll", |poll| table_time(poll.source.next_poll_at)),
            ("detail", |poll| one_line(poll.result.as_ref().map_or_else(|why| why, |polled| &polled.detail), 200)),
        ],
    );
    context.print(&polls.iter().map(to_json).collect::<Vec<_>>(), text)?;
    Ok(if polls.iter().all(|poll| poll.successful().is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl PollRow {
    fn polled_or(&self, if_skipped: &str, cell: fn(&RecordedPoll) -> String) -> String {
        self.result.as_ref().map_or(if_skipped.into(), cell)
    }

    fn to_json(&self) -> serde_json::Value {
        match &self.result {
            Ok(polled) => serde_json::json!({
                "source": self.source.id,
                "poll": polled.record,
                "update": polled.update,
                "next_poll_text": next_poll_text(&polled.update.next_poll_reason).format(Audience::Operator),
                "stored": polled.ingested,
            }),
            Err(skipped) => serde_json::json!({"source": self.source.id, "skipped": skipped}),
        }
    }
}
