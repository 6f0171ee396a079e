//! `newsfold source poll`: polls sources now. All other rules of a poll apply: conditional requests, one request at a time
//! to an origin, and holds. It waits while another program uses the same server.

use super::{find_all, in_words, program, sources, told_to_end};
use crate::cli::Context;
use crate::cli::output::{json, table, time};
use crate::crawl::{self, AttemptOutcome, ClaimOutcome, PollContext, RecordedPoll};
use crate::daemon;
use crate::domain::display_text::one_line;
use crate::domain::{DueSource, Source, SourceState};
use crate::store::leases::{self, LeaseConflict, LeaseKind, PollLease};
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
    /// Numbers or URLs of sources.
    sources: Vec<String>,
    /// All active sources.
    #[arg(long, conflicts_with = "sources")]
    all: bool,
    /// All active sources with this tag.
    #[arg(long, conflicts_with_all = ["sources", "all"])]
    tag: Option<String>,
}

/// The interval at which a waiting poll tries to get the lease.
const LEASE_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The result for one source.
enum Done {
    Polled(Box<RecordedPoll>),
    Skipped(String),
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
        let program = program("source poll");
        let poll_context = config.poll_context(store.clone(), context.clock.clone(), &program)?;
        let done = tokio::select! {
            done = poll_all(&poll_context, chosen, config.daemon.concurrency) => done?,
            _ = told_to_end() => return abandon(&poll_context).await,
        };
        daemon::group_and_publish_without_daemon(&config, &store, &context.clock).await?;
        report(context, &done)
    }
}

/// Records the polls in progress as abandoned and releases all leases, so that no other program waits for them.
async fn abandon(poll_context: &PollContext) -> anyhow::Result<ExitCode> {
    let program = poll_context.program.clone();
    let under_way = poll_context.store.read(move |db| leases::sources_held_by(db, &program)).await?;
    for id in &under_way {
        crawl::record_unfinished(poll_context, *id, AttemptOutcome::Abandoned, &PollLease::new(&poll_context.program))
            .await?;
    }
    let (program, now) = (poll_context.program.clone(), poll_context.clock.now());
    poll_context.store.write(move |db| leases::delete_of_holder(db, &program, now)).await?;
    bail!("interrupted; {} polls were abandoned", under_way.len());
}

async fn poll_all(
    poll_context: &PollContext,
    chosen: Vec<Source>,
    concurrency: usize,
) -> anyhow::Result<Vec<(Source, Done)>> {
    let bar = ProgressBar::new(chosen.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} sources, {elapsed}") {
        bar.set_style(style);
    }
    let places = Arc::new(Semaphore::new(concurrency));
    let mut polls = JoinSet::new();
    for source in chosen {
        let (poll_context, places, bar) = (poll_context.clone(), places.clone(), bar.clone());
        polls.spawn(async move {
            let _place = places.acquire_owned().await?;
            let done = poll_one(&poll_context, &source, &bar).await?;
            anyhow::Ok((source, done))
        });
    }
    let mut all = Vec::new();
    while let Some(done) = polls.join_next().await {
        all.push(done??);
        bar.inc(1);
    }
    bar.finish_and_clear();
    all.sort_by_key(|(source, _)| source.id);
    Ok(all)
}

/// Polls a source as soon as it can be leased.
async fn poll_one(poll_context: &PollContext, chosen: &Source, bar: &ProgressBar) -> anyhow::Result<Done> {
    let id = chosen.id;
    let mut told = false;
    loop {
        let Some(source) = poll_context.store.read(move |db| sources::get(db, id)).await? else {
            return Ok(Done::Skipped("the source was deleted".into()));
        };
        let now = poll_context.clock.now();
        if let Some(hold) = source.hold_until.filter(|hold| *hold > now) {
            return Ok(Done::Skipped(format!("its server is on hold until {}", time(hold))));
        }
        if source.last_poll_at > chosen.last_poll_at {
            return Ok(Done::Skipped("another program polled it in the meantime".into()));
        }
        let due = DueSource { id, url: source.url.clone(), at: source.next_poll_at };
        match poll_context.claim(due, PollLease::new(&poll_context.program)).await? {
            ClaimOutcome::Claimed(lease) => {
                let polled = crawl::poll_source(poll_context, &source, &lease).await?;
                return Ok(Done::Polled(Box::new(polled)));
            }
            ClaimOutcome::OnHold(hold) => {
                let until = time(hold.until);
                return Ok(Done::Skipped(format!(
                    "its server is on hold until {until}: {}; `newsfold origin unhold {}` releases it",
                    hold_reason_text(&hold.reason),
                    hold.origin
                )));
            }
            ClaimOutcome::Outdated => {
                return Ok(Done::Skipped("another program changed or polled it in the meantime".into()));
            }
            ClaimOutcome::Leased(held @ LeaseConflict { what: LeaseKind::Source, .. }) => {
                return Ok(Done::Skipped(format!("it is being polled by {}", in_words(&held))));
            }
            ClaimOutcome::Leased(held) => {
                // The delay after a request and the program's own polls are not worth a message.
                if !told && !held.holder.is_empty() && held.holder != poll_context.program {
                    told = true;
                    let who = in_words(&held);
                    bar.suspend(|| eprintln!("source {id} waits: its server is in use by {who}"));
                }
                tokio::time::sleep(LEASE_RETRY_DELAY).await;
            }
        }
    }
}

/// Prints the results. Exits with 0 if no poll failed.
fn report(context: &Context, done: &[(Source, Done)]) -> anyhow::Result<ExitCode> {
    let failed = done.iter().any(|(_, done)| match done {
        Done::Polled(polled) => !polled.record.outcome.is_success(),
        Done::Skipped(_) => true,
    });
    if context.json() {
        let rows: Vec<serde_json::Value> = done
            .iter()
            .map(|(source, done)| match done {
                Done::Polled(polled) => serde_json::json!({
                    "source": source.id,
                    "poll": polled.record,
                    "update": polled.update,
                    "next_poll_text": next_poll_text(&polled.update.next_poll_reason, Audience::Operator),
                    "stored": polled.ingested,
                }),
                Done::Skipped(why) => serde_json::json!({"source": source.id, "skipped": why}),
            })
            .collect();
        json(&rows)?;
    } else {
        table(
            ["no", "title", "outcome", "items", "new", "next poll", "detail"],
            done.iter().map(|(source, done)| {
                let (no, title) = (source.id.to_string(), one_line(&source.title, 50));
                match done {
                    Done::Polled(polled) => [
                        no,
                        title,
                        polled.record.outcome.into_str().to_owned(),
                        polled.record.items.to_string(),
                        polled.ingested.new.len().to_string(),
                        time(polled.update.next_poll_at),
                        one_line(&polled.record.detail, 200),
                    ],
                    Done::Skipped(why) => [
                        no,
                        title,
                        "skipped".into(),
                        String::new(),
                        String::new(),
                        time(source.next_poll_at),
                        why.clone(),
                    ],
                }
            }),
        )?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
