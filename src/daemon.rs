//! The running program: polls what is due, groups what came, publishes what has settled, serves it.
//!
//! Four tasks over one database, each of which goes on from what is written there: whatever is killed between two
//! commits is taken up again. Listener, clock and shutdown are passed in.

mod clusterer;
mod lock;
mod publisher;
mod scheduler;
mod upkeep;

pub use lock::{Lock, Locked};

use crate::clock::Clock;
use crate::config::Config;
use crate::fetch::{FetchOutcome, Fetcher};
use crate::model::Timestamp;
use crate::poll::Tools;
use crate::store::Store;
use crate::{parse, serve};
use anyhow::Context;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How often the tasks look for what other programs, such as the command line, have written.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);

/// What the tasks tell each other: that there is something to do. Each looks into the database for what it is.
#[derive(Clone, Default)]
struct Signals {
    items_stored: Arc<Notify>,
    stories_changed: Arc<Notify>,
}

/// Runs until `shutdown`, then ends what is under way and leaves the database closed and whole.
pub async fn run(
    config: Config,
    store: Store,
    listener: TcpListener,
    clock: Clock,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let tools = tools(&config, store.clone(), clock.clone())?;
    scheduler::spread_overdue(&tools).await?;
    let signals = Signals::default();
    let served = serve::router(store.clone(), config.publish.clone());
    let address = listener.local_addr().context("the listener has no address")?;

    let background = CancellationToken::new();
    let (grouping, publishing) = (config.cluster.clone(), config.publish.clone());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(clusterer::run(store.clone(), grouping, clock.clone(), signals.clone(), background.clone()));
    tasks.spawn(publisher::run(store.clone(), publishing, clock.clone(), signals.clone(), background.clone()));
    tasks.spawn(upkeep::run(store.clone(), config.daemon.clone(), clock.clone(), background.clone()));
    let http = tokio::spawn(
        axum::serve(listener, served).with_graceful_shutdown(shutdown.clone().cancelled_owned()).into_future(),
    );
    upkeep::tell_ready();
    tracing::info!(%address, database = %store.path().display(), "newsfold is running");

    scheduler::run(tools, config.daemon.clone(), signals, shutdown.clone()).await;

    upkeep::tell_stopping();
    shutdown.cancel();
    let grace = config.daemon.shutdown_grace.unsigned_abs();
    if tokio::time::timeout(grace, http).await.is_err() {
        tracing::warn!("some clients were cut off");
    }
    // The grouping of what the last polls brought goes on at the next start from where it stands.
    background.cancel();
    if tokio::time::timeout(grace, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("a background task did not end in time");
    }
    store.checkpoint().await.context("the database could not be checkpointed")?;
    tracing::info!("newsfold has stopped");
    Ok(())
}

/// What polls are made with under this configuration.
pub fn tools(config: &Config, store: Store, clock: Clock) -> anyhow::Result<Tools> {
    let fetcher = Fetcher::new(config.fetch.clone())?;
    let parse = parse::Options { max_bytes: config.fetch.max_body, ..parse::Options::default() };
    Ok(Tools { fetcher, store, clock, options: config.poll.clone(), parse })
}

/// Fetches a document by the configured rules, for a look at it: its bytes, its type, and the URL that answered.
pub async fn download(config: &Config, url: &Url, now: Timestamp) -> anyhow::Result<(Vec<u8>, Option<String>, Url)> {
    let fetched = Fetcher::new(config.fetch.clone())?.fetch(url, None, now).await;
    match fetched.outcome {
        FetchOutcome::Document { bytes, content_type, .. } => Ok((bytes, content_type, fetched.url)),
        FetchOutcome::Failed { detail } => anyhow::bail!("{url}: {detail}"),
        _ => anyhow::bail!("{url}: the server answered {}", fetched.status.unwrap_or_default()),
    }
}

/// Groups and publishes what is stored and waiting, once: for the command line, while no daemon runs.
pub async fn catch_up(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<()> {
    let mut grouping = clusterer::Grouping::restore(store, &config.cluster, clock).await?;
    grouping.catch_up(store, clock).await?;
    publisher::catch_up(store, &config.publish, clock).await?;
    Ok(())
}
