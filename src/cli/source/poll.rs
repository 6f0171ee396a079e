//! `newsfold source poll`: now instead of at its turn, and otherwise like any poll: conditional, one an origin, held
//! back where a server asked for it.

use super::{find_all, sources};
use crate::cli::Context;
use crate::cli::output::{json, one_line, table, time};
use crate::daemon;
use crate::model::duration::after;
use crate::model::{Due, PollRecord, Source, SourceState, Stored};
use crate::poll::{self, Tools};
use crate::store::sources::Filter;
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[derive(clap::Args)]
pub struct Poll {
    /// Numbers or URLs.
    sources: Vec<String>,
    /// All active sources.
    #[arg(long, conflicts_with = "sources")]
    all: bool,
    /// All active sources with this tag.
    #[arg(long, conflicts_with_all = ["sources", "all"])]
    tag: Option<String>,
}

/// What came of polling one source.
enum Done {
    Polled(Box<PollRecord>, Stored),
    Skipped(String),
}

impl Poll {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, store) = context.open()?;
        if self.sources.is_empty() && !self.all && self.tag.is_none() {
            bail!("say which sources: numbers, URLs, --tag TAG or --all");
        }
        let chosen = if self.sources.is_empty() {
            let filter = Filter { tag: self.tag, problems: false };
            let mut all = store.read(move |db| sources::list(db, &filter)).await?;
            all.retain(|source| source.state == SourceState::Active);
            all
        } else {
            find_all(&store, &self.sources).await?
        };
        let tools = daemon::tools(&config, store.clone(), context.clock.clone())?;
        let done = poll_all(&tools, chosen, config.daemon.concurrency).await?;
        // Without a daemon nobody else would group what has come.
        if daemon::Lock::take(store.path()).is_ok() {
            daemon::catch_up(&config, &store, &context.clock).await?;
        }
        report(context, &done)
    }
}

async fn poll_all(tools: &Tools, chosen: Vec<Source>, concurrency: usize) -> anyhow::Result<Vec<(Source, Done)>> {
    let bar = ProgressBar::new(chosen.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} sources, {elapsed}") {
        bar.set_style(style);
    }
    let places = Arc::new(Semaphore::new(concurrency));
    let mut polls = JoinSet::new();
    for source in chosen {
        let (tools, places) = (tools.clone(), places.clone());
        polls.spawn(async move {
            let _place = places.acquire_owned().await?;
            let done = poll_one(&tools, &source).await?;
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

async fn poll_one(tools: &Tools, source: &Source) -> anyhow::Result<Done> {
    let now = tools.clock.now();
    if let Some(hold) = source.hold_until.filter(|hold| *hold > now) {
        return Ok(Done::Skipped(format!("its server asked us to stay away until {}", time(hold))));
    }
    let due = Due { id: source.id, url: source.url.clone(), at: source.next_poll_at };
    let until = after(now, tools.options.interval);
    if !tools.store.write(move |db| sources::claim(db, &due, until)).await? {
        return Ok(Done::Skipped("it is being polled by another program right now".into()));
    }
    let (record, stored) = poll::poll_source(tools, source).await?;
    Ok(Done::Polled(Box::new(record), stored))
}

/// Success where no poll failed.
fn report(context: &Context, done: &[(Source, Done)]) -> anyhow::Result<ExitCode> {
    let failed = done.iter().any(|(_, done)| match done {
        Done::Polled(record, _) => !record.outcome.is_success(),
        Done::Skipped(_) => true,
    });
    if context.json() {
        let rows: Vec<serde_json::Value> = done
            .iter()
            .map(|(source, done)| match done {
                Done::Polled(record, stored) => {
                    serde_json::json!({"source": source.id, "poll": record, "stored": stored})
                }
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
                    Done::Polled(record, stored) => [
                        no,
                        title,
                        record.outcome.as_str().to_owned(),
                        record.items.to_string(),
                        stored.new.len().to_string(),
                        time(record.next_poll_at),
                        one_line(&record.detail, 200),
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
