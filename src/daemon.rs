//! The running program: polls due sources, groups their items, publishes stories and serves them.
//!
//! The tasks share one database and no other persistent state. Each task reads its queue from the database and
//! continues from there, so a crash between two commits loses no work. A task that panics is restarted. A reload of the
//! configuration ends most tasks and starts them again ([`reload`]). The caller passes in the listener, the clock and
//! the signals.

mod article_fetching;
mod clock_jump_guard;
mod database_watcher;
mod delivery_retries;
mod disk_monitor;
mod edition_review;
mod encoding;
mod entry_editions;
mod export;
mod feed_change_notifier;
mod feed_entering;
mod feed_filling;
mod feed_simulation;
mod grouped_sources;
mod grouping;
mod lock;
mod maintenance;
mod publisher;
mod reload;
mod running_tasks;
mod scheduler;
mod storyline_grouping;
mod supervisor;
mod systemd_notify;
mod task_context;
mod webhooks;
mod websub_publisher;
mod websub_subscriber;

pub use entry_editions::future_entry;
pub use export::{ExportReport, export};
pub use feed_simulation::{SimulatedFeed, simulate_feed};
pub use lock::{DatabaseLock, LockError};
pub use publisher::rotate_feed_token;

use crate::clock::Clock;
use crate::config::{Config, ConfigLocation};
use crate::domain::Timestamp;
use crate::domain::panic_text::join_error_text;
use crate::metrics::METRICS;
use crate::store::Store;
use crate::store::daemon_state::{self, DaemonState};
use anyhow::Context as _;
use publisher::EditionPublisher;
use running_tasks::{RunningTasks, Sockets};
use std::sync::Arc;
use task_context::{LAST_WRITES_TIMEOUT, TaskContext, TaskSet};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The configuration of a daemon, and the location from which a reload reads it.
pub struct ConfigurationSource {
    /// The settings in use, including the options of the command line.
    pub config: Config,
    /// The settings of the file.
    pub file: Config,
    pub location: ConfigLocation,
    /// The socket on which to serve metrics; `None` if they are not served.
    pub metrics: Option<std::net::TcpListener>,
    /// Notified when the file must be read again.
    pub reload: Arc<Notify>,
}

impl From<Config> for ConfigurationSource {
    /// Returns a configuration that is never reloaded.
    fn from(config: Config) -> Self {
        let (file, location, reload) = (config.clone(), ConfigLocation::default(), Arc::default());
        ConfigurationSource { config, file, location, metrics: None, reload }
    }
}

/// Runs until `shutdown`, lets work in progress finish within the shutdown grace period, and closes the database.
pub async fn run(
    configuration: impl Into<ConfigurationSource>,
    store: Store,
    listener: TcpListener,
    clock: Clock,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let source = configuration.into();
    let root = TaskContext::new(source.config.clone(), store, clock, shutdown).await?;
    scheduler::spread_overdue(&root.polling).await?;
    let mut tasks = TaskSet::new(root.clone());
    tasks.spawn_until_shutdown("database-watcher", |context| {
        database_watcher::watch(context.polling.store, context.changes)
    });
    tasks.spawn_until_shutdown("disk-monitor", disk_monitor::run);
    tasks.spawn_until_shutdown("watchdog", systemd_notify::run);
    let mut daemon = Daemon::start(source, root, listener).await?;
    let result = daemon.run_until_shutdown().await;
    daemon.stop(tasks).await?;
    result
}

/// The running daemon.
struct Daemon {
    source: ConfigurationSource,
    /// The context of the tasks that do not depend on the configuration.
    root: TaskContext,
    sockets: Sockets,
    running: RunningTasks,
    /// The server of the running tasks, and servers that still send responses after a reload.
    servers: JoinSet<()>,
    state: DaemonState,
    /// The settings of the file at startup. The settings that only a restart applies are still in use.
    file_at_startup: Config,
}

impl Daemon {
    async fn start(mut source: ConfigurationSource, root: TaskContext, site: TcpListener) -> anyhow::Result<Daemon> {
        let address = site.local_addr().context("the listener has no address")?;
        let sockets = Sockets { site: site.into_std()?, metrics: source.metrics.take() };
        let mut servers = JoinSet::new();
        let context = root.with_config(source.config.clone(), root.shutdown.child_token())?;
        let running = RunningTasks::start(context, &sockets, &mut servers, &root.shutdown, false).await?;
        METRICS.configuration_accepted.set(1);
        let now = root.clock().now();
        METRICS.configuration_applied_at.set(now.as_second());
        let state = DaemonState {
            version: env!("CARGO_PKG_VERSION").into(),
            process_id: std::process::id(),
            started_at: now,
            listen: address.to_string(),
            config_path: source.location.path().map(|path| path.display().to_string()),
            config_hash: source.file.fingerprint(),
            config_applied_at: now,
            restart_settings: Vec::new(),
            reload_error: None,
        };
        let file_at_startup = source.file.clone();
        let daemon = Daemon { source, root, sockets, running, servers, state, file_at_startup };
        daemon.record_state().await;
        systemd_notify::notify_ready();
        tracing::info!(%address, database = %daemon.root.store().path().display(), "newsfold is running");
        Ok(daemon)
    }

    /// Runs until shutdown, or until the server fails.
    async fn run_until_shutdown(&mut self) -> anyhow::Result<()> {
        let (shutdown, reload) = (self.root.shutdown.clone(), self.source.reload.clone());
        loop {
            tokio::select! {
                // At shutdown, the server may finish before this task sees the signal.
                biased;
                _ = shutdown.cancelled() => return Ok(()),
                Some(ended) = self.servers.join_next_with_id() => {
                    let (server, failure) = match ended {
                        Ok((server, ())) => (server, "it ended".to_owned()),
                        Err(error) => (error.id(), join_error_text(error)),
                    };
                    if server == self.running.server {
                        anyhow::bail!("newsfold stopped because its HTTP server failed: {failure}");
                    }
                }
                _ = reload.notified() => {
                    systemd_notify::notify_reloading();
                    shutdown.run_until_cancelled(self.reload()).await;
                    let status = match &self.state.reload_error {
                        None => "",
                        Some(_) => "The new configuration cannot be used; see the log. The current one stays in use.",
                    };
                    systemd_notify::notify_reloaded(status);
                }
            }
        }
    }

    /// Records the state for the commands.
    async fn record_state(&self) {
        let state = self.state.clone();
        if let Err(error) = self.root.store().write(move |db| daemon_state::record(db, &state)).await {
            error.log("the state of the daemon could not be recorded");
        }
    }

    /// Ends the tasks and the servers, and closes the database.
    async fn stop(self, mut tasks: TaskSet) -> anyhow::Result<()> {
        let Daemon { root, sockets, running, mut servers, .. } = self;
        systemd_notify::notify_stopping();
        // New connections are refused immediately, so that they do not wait.
        drop(sockets);
        root.shutdown.cancel();
        let deadline = Instant::now() + running.context.config.daemon.shutdown_grace.unsigned_abs();
        let close_connections = async {
            let close = async { while servers.join_next().await.is_some() {} };
            if tokio::time::timeout_at(deadline, close).await.is_err() {
                tracing::warn!("some client connections were closed before their response was complete");
                servers.abort_all();
            }
        };
        tokio::join!(running.finish(deadline), tasks.finish(deadline), close_connections);
        match tokio::time::timeout(LAST_WRITES_TIMEOUT, root.store().checkpoint()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(
                    "{error}; the last changes stay in the write-ahead log, and the next start recovers them"
                )
            }
            Err(_) => {
                tracing::warn!("a write is still in progress; the next start recovers it from the write-ahead log")
            }
        }
        tracing::info!("newsfold has stopped");
        Ok(())
    }
}

/// Groups and publishes stored items once, on behalf of a command. Does nothing if a daemon is running on this
/// database. Skips the grouping if nothing has changed since the last complete pass.
pub async fn group_and_publish_without_daemon(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<()> {
    if DatabaseLock::acquire(store.path()).is_err() {
        return Ok(());
    }
    let _grouping_lock = DatabaseLock::acquire_for_grouping(store.path()).await?;
    grouping::group_once(store, &Arc::new(config.clone()), clock).await?;
    EditionPublisher::new(&config.publish).publish_all(store, clock, Timestamp::MAX).await?;
    Ok(())
}
