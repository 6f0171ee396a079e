//! The running program: polls due sources, groups their items, publishes stories and serves them.
//!
//! The tasks share one database and no other persistent state. Each task reads its queue from the database and
//! continues from there, so a crash between two commits loses nothing. A task that panics is restarted. The caller
//! passes in the listener, the clock and the shutdown signal.

mod database_watcher;
mod disk_monitor;
mod export;
mod feed_change_notifier;
mod feed_entering;
mod feed_simulation;
mod full_text;
mod grouping;
mod lock;
mod maintenance;
mod publisher;
mod scheduler;
mod storyline_grouping;
mod supervisor;
mod task_context;
mod watchdog;
mod websub_publisher;
mod websub_subscriber;

pub use export::{ExportReport, export};
pub use feed_simulation::{SimulatedFeed, simulate_feed};
pub use lock::{DatabaseLock, LockError};
pub use publisher::rotate_feed_token;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::serve;
use crate::store::Store;
use crate::websub::push_queue::PushQueue;
use anyhow::Context as _;
use axum::Router;
use grouping::GroupingSession;
use publisher::EditionPublisher;
use sd_notify::NotifyState;
use std::sync::Arc;
use task_context::{LAST_WRITES_TIMEOUT, TaskContext, TaskSet};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Runs until `shutdown`, lets work in progress finish within the shutdown grace period, and closes the database.
pub async fn run(
    config: Config,
    store: Store,
    listener: TcpListener,
    clock: Clock,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let context = TaskContext::new(config, store, clock, shutdown).await?;
    scheduler::spread_overdue(&context.polling).await?;
    publisher::catch_up_editions(&context).await?;

    let mut tasks = TaskSet::new(context.clone());
    tasks.spawn_until_shutdown("database-watcher", |context| {
        database_watcher::watch(context.polling.store, context.changes)
    });
    tasks.spawn("scheduler", scheduler::run);
    tasks.spawn_until_shutdown("full-text", full_text::run);
    tasks.spawn("grouping", grouping::run);
    tasks.spawn("publisher", publisher::run);
    tasks.spawn("export", export::run);
    tasks.spawn_until_shutdown("maintenance", maintenance::run);
    tasks.spawn_until_shutdown("disk-monitor", disk_monitor::run);
    tasks.spawn_until_shutdown("watchdog", watchdog::run);
    let websub_routes = spawn_websub_tasks(&context, &mut tasks).await?;

    let publish = context.config.publish.clone();
    let (store, health, clock) = (context.store().clone(), context.health.clone(), context.clock().clone());
    let routes = serve::router(store, publish, health, clock, websub_routes);
    serve_until_shutdown(&context, listener, routes, tasks).await
}

/// Starts the WebSub tasks that the configuration enables, and returns their routes.
async fn spawn_websub_tasks(context: &TaskContext, tasks: &mut TaskSet) -> anyhow::Result<Router> {
    let (config, polling) = (&context.config, &context.polling);
    let mut routes = Router::new();
    if websub_subscriber::prepare(config, polling).await? {
        let (queue, pushed) = PushQueue::new(config.fetch.max_body_bytes);
        routes = routes.merge(websub_subscriber::router(config, polling, queue));
        let pushed = Arc::new(Mutex::new(pushed));
        tasks.spawn("websub-subscriber", websub_subscriber::run);
        tasks.spawn("websub-pushes", move |context| websub_subscriber::read_pushes(context, pushed.clone()));
    }
    if !config.publish.hub_urls().is_empty() {
        let feeds = feed_change_notifier::FeedChanges::new(&config.publish);
        if config.publish.own_hub {
            routes = routes.merge(websub_publisher::router(config, polling, &feeds));
            tracing::info!(hub = config.publish.own_hub_url(), "newsfold is a WebSub hub for its feeds");
        }
        let notified = feeds.clone();
        tasks.spawn("feed-change-notifier", move |context| feed_change_notifier::run(notified.clone(), context));
        tasks.spawn("websub-publisher", move |context| websub_publisher::run(feeds.clone(), context));
    }
    Ok(routes)
}

/// Serves HTTP until shutdown or until the server fails, and then stops all tasks.
async fn serve_until_shutdown(
    context: &TaskContext,
    listener: TcpListener,
    routes: Router,
    tasks: TaskSet,
) -> anyhow::Result<()> {
    let (shutdown, store) = (&context.shutdown, context.store());
    let address = listener.local_addr().context("the listener has no address")?;
    let mut http = tokio::spawn(serve::run(listener, routes, context.config.serve.clone(), shutdown.clone()));
    watchdog::notify(NotifyState::Ready);
    tracing::info!(%address, database = %store.path().display(), "newsfold is running");

    let failure = tokio::select! {
        // At shutdown, the server may finish before this task sees the signal.
        biased;
        _ = shutdown.cancelled() => None,
        ended = &mut http => Some(ended),
    };
    watchdog::notify(NotifyState::Stopping);
    shutdown.cancel();
    let deadline = Instant::now() + context.config.daemon.shutdown_grace.unsigned_abs();
    let close_connections = async {
        if failure.is_none() && tokio::time::timeout_at(deadline, &mut http).await.is_err() {
            tracing::warn!("some client connections were closed before their response was complete");
            http.abort();
        }
    };
    tokio::join!(tasks.finish(deadline), close_connections);
    match tokio::time::timeout(LAST_WRITES_TIMEOUT, store.checkpoint()).await {
        Ok(done) => done.context("the database could not be checkpointed")?,
        Err(_) => tracing::warn!("a write is still in progress; the next start recovers it from the write-ahead log"),
    }
    tracing::info!("newsfold has stopped");
    match failure {
        None => Ok(()),
        Some(ended) => anyhow::bail!("newsfold stopped because its HTTP server failed: {ended:?}"),
    }
}

/// Groups and publishes stored items once, on behalf of a command. Does nothing if a daemon runs on this database.
pub async fn group_and_publish_without_daemon(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<()> {
    if DatabaseLock::acquire(store.path()).is_err() {
        return Ok(());
    }
    let _grouping_lock = DatabaseLock::acquire_for_grouping(store.path()).await?;
    let mut grouping = GroupingSession::restore(store, &Arc::new(config.clone()), clock).await?;
    grouping.catch_up(store, clock).await?;
    EditionPublisher::new(&config.publish).publish(store, clock, Timestamp::MAX).await?;
    Ok(())
}
