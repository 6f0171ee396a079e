//! The tasks and the HTTP servers that run with one configuration. A reload replaces the tasks and the servers, while
//! the process, the database and the listening socket remain.

use super::task_context::{TaskContext, TaskSet};
use super::{
    article_fetching, encoding, export, feed_change_notifier, grouping, maintenance, publisher, scheduler, webhooks,
    websub_publisher, websub_subscriber,
};
use crate::serve::{self, Site};
use crate::websub::push_queue::PushQueue;
use anyhow::Context as _;
use axum::Router;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The time that a poll may take in addition to its request, for example to parse a document.
const POLL_MARGIN: Duration = Duration::from_secs(30);

/// The tasks and the HTTP servers of one configuration.
pub(super) struct RunningTasks {
    pub context: TaskContext,
    /// The scheduler, which ends before the other tasks at a reload.
    polling: TaskSet,
    tasks: TaskSet,
    stop_polling: CancellationToken,
    stop_servers: CancellationToken,
    /// The HTTP server of the site in the set of servers.
    pub server: Id,
}

/// The listening sockets. A socket closes with its last handle.
pub(super) struct Sockets {
    pub site: std::net::TcpListener,
    /// `None` if metrics are not served.
    pub metrics: Option<std::net::TcpListener>,
}

impl RunningTasks {
    /// Starts the tasks of `context` and the servers on `sockets`. `is_reload` states whether tasks with another
    /// configuration were running before.
    pub(super) async fn start(
        context: TaskContext,
        sockets: &Sockets,
        servers: &mut JoinSet<()>,
        shutdown: &CancellationToken,
        is_reload: bool,
    ) -> anyhow::Result<RunningTasks> {
        for task in ["grouping", "publisher"] {
            context.health.record_progress(task, context.clock().now());
        }
        publisher::catch_up_editions(&context).await?;
        encoding::prepare(&context).await?;

        let mut tasks = TaskSet::new(context.clone());
        let websub_routes = spawn_websub_tasks(&context, &mut tasks, !is_reload).await?;
        let stop_polling = context.shutdown.child_token();
        let mut polling = TaskSet::new(TaskContext { shutdown: stop_polling.clone(), ..context.clone() });
        polling.spawn("scheduler", scheduler::run);
        tasks.spawn_until_shutdown("full-text", article_fetching::run);
        tasks.spawn("grouping", grouping::run);
        tasks.spawn_until_shutdown("encoding", encoding::run);
        tasks.spawn("publisher", publisher::run);
        tasks.spawn("export", export::run);
        tasks.spawn("webhooks", webhooks::run);
        tasks.spawn_until_shutdown("maintenance", maintenance::run);

        let site = context.config.site_options();
        let (store, health, clock) = (context.store().clone(), context.health.clone(), context.clock().clone());
        let stop_servers = shutdown.child_token();
        let mut serve = |socket: &std::net::TcpListener, site: Site| -> anyhow::Result<Id> {
            let listener =
                socket.try_clone().and_then(TcpListener::from_std).context("cannot use the listening socket")?;
            let serving = serve::run(listener, site, context.config.serve.clone(), stop_servers.clone());
            Ok(servers.spawn(serving).id())
        };
        if let Some(socket) = &sockets.metrics {
            serve(socket, serve::metrics_router(store.clone(), site.clone(), health.clone(), clock.clone()).into())?;
        }
        let server = serve(&sockets.site, serve::site(store, site, health, clock, websub_routes))?;
        Ok(RunningTasks { context, polling, tasks, stop_polling, stop_servers, server })
    }

    /// Lets polls in progress finish, and then ends all tasks. The server continues.
    pub(super) async fn stop_tasks(&mut self) {
        self.stop_polling.cancel();
        let config = &self.context.config;
        self.polling.finish(Instant::now() + config.fetch.total_timeout.unsigned_abs() + POLL_MARGIN).await;
        self.context.shutdown.cancel();
        self.tasks.finish(Instant::now() + config.daemon.shutdown_grace.unsigned_abs()).await;
    }

    /// Lets the servers send the responses in progress, and then ends them.
    pub(super) fn stop_servers(&self) {
        self.stop_servers.cancel();
    }

    /// Ends all tasks at shutdown.
    pub(super) async fn finish(mut self, deadline: Instant) {
        tokio::join!(self.polling.finish(deadline), self.tasks.finish(deadline));
    }
}

/// Starts the WebSub tasks that the configuration enables, and returns their routes.
async fn spawn_websub_tasks(context: &TaskContext, tasks: &mut TaskSet, pushes_missed: bool) -> anyhow::Result<Router> {
    let (config, polling) = (&context.config, &context.polling);
    let mut routes = Router::new();
    if websub_subscriber::prepare(config, polling, pushes_missed).await? {
        let (queue, pushed) = PushQueue::new(config.fetch.max_body_bytes);
        routes = routes.merge(websub_subscriber::router(config, polling, queue));
        let pushed = Arc::new(Mutex::new(pushed));
        tasks.spawn("websub-subscriber", websub_subscriber::run);
        tasks.spawn("websub-pushes", move |context| websub_subscriber::read_pushes(context, pushed.clone()));
    }
    if !config.publish.hub_urls().is_empty() {
        let feeds = feed_change_notifier::FeedChanges::new(&config.site_options());
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
