//! The context that the daemon's tasks share, and the set of running tasks.

use super::database_watcher::WorkSignal;
use super::supervisor::supervise;
use crate::clock::Clock;
use crate::config::Config;
use crate::crawl::{OutageDetector, PollContext};
use crate::domain::Timestamp;
use crate::http_client::ClientBuildError;
use crate::serve::TaskHealth;
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// The holder of the daemon's leases. [`DatabaseLock`](super::DatabaseLock) allows only one daemon per database.
const LEASE_HOLDER: &str = "the daemon";

/// The maximum time for the last writes after the shutdown grace period: first the records of abandoned polls, then the
/// checkpoint of the database. Even with the maximum grace period, the daemon ends within 10 s.
pub(super) const LAST_WRITES_TIMEOUT: Duration = Duration::from_millis(800);

/// The context of a task. Clones share everything except the changes that [`WorkSignal`] has seen.
#[derive(Clone)]
pub(super) struct TaskContext {
    pub config: Arc<Config>,
    pub polling: PollContext,
    /// Signals each change to the database.
    pub changes: watch::Sender<()>,
    pub work: WorkSignal,
    /// The time of the last reclustering. Stories created later are not published yet.
    pub regrouped_at: watch::Sender<Timestamp>,
    pub health: TaskHealth,
    pub shutdown: CancellationToken,
    /// Cancelled after the shutdown grace period. Polls in progress are then recorded as abandoned.
    pub abandon_polls: CancellationToken,
}

impl TaskContext {
    pub(super) async fn new(
        config: Config,
        store: Store,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> anyhow::Result<TaskContext> {
        let mut polling = config.poll_context(store, clock.clone(), LEASE_HOLDER)?;
        polling.outage = OutageDetector::restore(&polling.store).await?;
        let (changes, health) = (watch::Sender::default(), TaskHealth::default());
        for part in ["start", "grouping", "publisher"] {
            health.record_progress(part, clock.now());
        }
        Ok(TaskContext {
            config: Arc::new(config),
            work: WorkSignal::new(&changes, &clock, &polling.store),
            polling,
            changes,
            regrouped_at: watch::Sender::new(Timestamp::MIN),
            health,
            shutdown,
            abandon_polls: CancellationToken::new(),
        })
    }

    /// Returns the context for the tasks that run with another configuration in the same process. They end when `stop`
    /// is cancelled.
    ///
    /// # Errors
    /// Returns an error if the configuration cannot be used, for example because `fetch.ca_file` is not readable.
    pub(super) fn with_config(&self, config: Config, stop: CancellationToken) -> Result<TaskContext, ClientBuildError> {
        let mut polling = config.poll_context(self.store().clone(), self.clock().clone(), LEASE_HOLDER)?;
        polling.outage = self.polling.outage.clone();
        Ok(TaskContext {
            config: Arc::new(config),
            polling,
            regrouped_at: watch::Sender::new(Timestamp::MIN),
            shutdown: stop,
            abandon_polls: CancellationToken::new(),
            ..self.clone()
        })
    }

    pub(super) fn store(&self) -> &Store {
        &self.polling.store
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.polling.clock
    }
}

/// The supervised tasks.
pub(super) struct TaskSet {
    context: TaskContext,
    tasks: JoinSet<()>,
}

impl TaskSet {
    pub(super) fn new(context: TaskContext) -> TaskSet {
        TaskSet { context, tasks: JoinSet::new() }
    }

    /// Starts a task that ends by itself at shutdown. If it ends or panics earlier, it is restarted with a new clone of
    /// the context.
    pub(super) fn spawn<F>(&mut self, name: &'static str, task: impl Fn(TaskContext) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let context = self.context.clone();
        let (health, shutdown) = (context.health.clone(), context.shutdown.clone());
        health.up(name);
        self.tasks.spawn(supervise(name, health, shutdown, move || task(context.clone())));
    }

    /// Starts a task that runs until shutdown and may be dropped at any await point.
    pub(super) fn spawn_until_shutdown<F>(
        &mut self,
        name: &'static str,
        task: impl Fn(TaskContext) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn(name, move |context| {
            let (shutdown, task) = (context.shutdown.clone(), task(context));
            async move {
                shutdown.run_until_cancelled(task).await;
            }
        });
    }

    /// Waits for the tasks to end after shutdown. Abandons polls in progress at `deadline` and records them. The
    /// grouping of their items resumes at the next start. Dropping the future has no effect on the tasks.
    pub(super) async fn finish(&mut self, deadline: Instant) {
        if timeout_at(deadline, self.join_all()).await.is_ok() {
            return;
        }
        self.context.abandon_polls.cancel();
        if timeout(LAST_WRITES_TIMEOUT, self.join_all()).await.is_err() {
            tracing::warn!("a background task did not end in time");
            self.tasks.abort_all();
        }
    }

    async fn join_all(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
