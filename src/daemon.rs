//! The running program: polls what is due, groups what came, publishes what has settled, serves it.
//!
//! Tasks over one database, each of which goes on from what is written there: whatever is killed between two commits is
//! taken up again, and a task that falls is started again. Listener, clock and shutdown are passed in.

mod export;
mod feed_change_notifier;
mod full_text;
mod grouping;
mod lock;
mod maintenance;
mod publisher;
mod scheduler;
mod supervisor;
mod watchdog;
mod websub_publisher;
mod websub_subscriber;

pub use export::{ExportReport, export};
pub use lock::{DatabaseLock, LockError};
pub use publisher::new_token;

use crate::clock::Clock;
use crate::config::Config;
use crate::crawl::{BudgetCache, OutageDetector, PollContext};
use crate::domain::{DisabledReason, IngestResult, Timestamp};
use crate::feed_parser;
use crate::http_client::{FetchOutcome, Fetcher};
use crate::publish;
use crate::serve::{self, TaskHealth};
use crate::store::Store;
use crate::websub::push_queue::PushQueue;
use anyhow::Context;
use futures_util::FutureExt;
use jiff::SignedDuration;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How often the tasks look for what other programs, such as the command line, have written.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);

/// What the daemon is called in a lease. There is one on a database, which [`DatabaseLock`] sees to.
const DAEMON: &str = "the daemon";

/// After the grace: for the records of what was abandoned, and again for the checkpoint. With the longest grace all is
/// over within ten seconds.
const LAST_WRITES: std::time::Duration = std::time::Duration::from_millis(800);

/// What the tasks tell each other: that there is something to do. Each looks into the database for what it is.
#[derive(Clone, Default)]
struct Signals {
    items_stored: Arc<Notify>,
    stories_changed: Arc<Notify>,
    /// When the clusterer last took a second look: what came later is not published yet.
    looked_at: LookedAt,
}

impl Signals {
    /// What was stored is to be placed, or shown.
    fn tell(&self, stored: &IngestResult) {
        if !stored.new.is_empty() {
            self.items_stored.notify_one();
        }
        if !stored.changed.is_empty() {
            self.stories_changed.notify_one();
        }
    }
}

/// A time that one task sets and another reads, in milliseconds since 1970; none at first.
#[derive(Clone)]
struct LookedAt(Arc<AtomicI64>);

impl Default for LookedAt {
    fn default() -> Self {
        LookedAt(Arc::new(AtomicI64::new(i64::MIN)))
    }
}

impl LookedAt {
    fn set(&self, at: Timestamp) {
        self.0.store(at.as_millisecond(), Ordering::Release);
    }

    fn get(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Acquire)).unwrap_or(Timestamp::MIN)
    }
}

/// Runs until `shutdown`, then ends what is under way and leaves the database closed and whole.
pub async fn run(
    config: Config,
    store: Store,
    listener: TcpListener,
    clock: Clock,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut context = poll_context(&config, store.clone(), clock.clone(), DAEMON)?;
    context.outage = OutageDetector::watched(&store).await?;
    let websub_disabled = websub_subscriber::prepare(&config, &context).await?;
    scheduler::spread_overdue(&context).await?;
    publisher::prepare(&store, &config.publish, &clock).await?;
    let signals = Signals::default();
    let address = listener.local_addr().context("the listener has no address")?;

    let health = TaskHealth::default();
    let mut served = serve::router(store.clone(), config.publish.clone(), health.clone(), clock.clone());
    let abandon = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let mut keep = |name, start: Start| {
        tasks.spawn(supervisor::supervise(name, health.clone(), shutdown.clone(), start));
    };
    keep("scheduler", {
        let parts = (context.clone(), config.daemon.clone(), signals.clone(), shutdown.clone(), abandon.clone());
        Box::new(move || {
            let (context, options, signals, shutdown, abandon) = parts.clone();
            Box::pin(scheduler::run(context, options, signals, shutdown, abandon))
        })
    });
    let grouping = (config.cluster.clone(), config.publish.clone());
    keep("grouping", {
        let parts = (store.clone(), grouping.clone(), clock.clone(), signals.clone(), shutdown.clone());
        Box::new(move || {
            let (store, options, clock, signals, stop) = parts.clone();
            Box::pin(grouping::run(store, options, clock, signals, stop))
        })
    });
    keep("publisher", {
        let parts = (store.clone(), config.publish.clone(), clock.clone(), signals.clone(), shutdown.clone());
        Box::new(move || {
            let (store, options, clock, signals, stop) = parts.clone();
            Box::pin(publisher::run(store, options, clock, signals, stop))
        })
    });
    if config.publish.export_dir.is_some() {
        keep("exporter", {
            let parts = (store.clone(), config.publish.clone(), clock.clone(), shutdown.clone());
            Box::new(move || {
                let (store, options, clock, stop) = parts.clone();
                Box::pin(export::run(store, options, clock, stop))
            })
        });
    }
    keep("full-text", {
        let parts = (context.clone(), signals.clone(), shutdown.clone());
        Box::new(move || {
            let (context, signals, stop) = parts.clone();
            Box::pin(full_text::run(context, signals, stop))
        })
    });
    keep("maintenance", {
        let parts = (store.clone(), config.daemon.clone(), clock, shutdown.clone());
        Box::new(move || {
            let (store, options, clock, stop) = parts.clone();
            Box::pin(maintenance::run(store, options, clock, stop))
        })
    });
    if websub_disabled.is_none() {
        let (inbox, pushed) = PushQueue::new(config.fetch.max_body_bytes);
        served = served.merge(websub_subscriber::router(&config, &context, inbox));
        let pushed = Arc::new(tokio::sync::Mutex::new(pushed));
        keep("websub subscriber", {
            let parts = (websub_subscriber::SubscriberContext::new(&config, &context), shutdown.clone());
            Box::new(move || {
                let (asking, stop) = parts.clone();
                Box::pin(websub_subscriber::run(asking, stop))
            })
        });
        keep("pushes", {
            let parts = (context.clone(), pushed, signals.clone(), shutdown.clone());
            Box::new(move || {
                let (context, pushed, signals, stop) = parts.clone();
                Box::pin(websub_subscriber::read_pushes(context, pushed, signals, stop))
            })
        });
    }
    if !config.publish.hub_urls().is_empty() {
        let announcing = feed_change_notifier::FeedChangeContext::new(&config, &store, &context.clock);
        if config.publish.own_hub {
            served = served.merge(websub_publisher::router(&config, &context, &announcing));
            tracing::info!(hub = config.publish.own_hub_url(), "newsfold is a hub for its feeds (WebSub)");
        }
        keep("feed change notifier", {
            let parts = (announcing.clone(), shutdown.clone());
            Box::new(move || {
                let (announcing, stop) = parts.clone();
                Box::pin(feed_change_notifier::run(announcing, stop))
            })
        });
        keep("websub publisher", {
            let parts = (websub_publisher::PublisherContext::new(&config, &context, &announcing), shutdown.clone());
            Box::new(move || {
                let (telling, stop) = parts.clone();
                Box::pin(websub_publisher::run(telling, stop))
            })
        });
    }
    keep("watchdog", {
        let parts = (store.clone(), health.clone(), shutdown.clone());
        Box::new(move || {
            let (store, health, stop) = parts.clone();
            Box::pin(watchdog::run(store, health, stop))
        })
    });
    let mut http = tokio::spawn(serve::run(listener, served, config.serve.clone(), shutdown.clone()));
    watchdog::report_ready();
    tracing::info!(%address, database = %store.path().display(), "newsfold is running");

    let fell = tokio::select! {
        // Once it is told to stop, HTTP may end as soon as we hear of it.
        biased;
        _ = shutdown.cancelled() => None,
        ended = &mut http => Some(ended),
    };
    watchdog::report_stopping();
    shutdown.cancel();
    stop(tasks, (fell.is_none()).then_some(http), config.daemon.shutdown_grace, abandon).await;
    match tokio::time::timeout(LAST_WRITES, store.checkpoint()).await {
        Ok(done) => done.context("the database could not be checkpointed")?,
        Err(_) => {
            tracing::warn!("the database is still writing; what is written is safe, and the log is read at the start")
        }
    }
    tracing::info!("newsfold has stopped");
    match fell {
        None => Ok(()),
        Some(ended) => anyhow::bail!("newsfold no longer served and stopped for that: {ended:?}"),
    }
}

/// Makes a task anew each time that it is started.
type Start = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Lets polls, requests and tasks end within one grace for all of them. Polls that take longer are abandoned, which is
/// recorded; clients that take longer are cut off; the grouping of what the last polls brought goes on at the next
/// start from where it stands.
async fn stop(mut tasks: JoinSet<()>, http: Option<JoinHandle<()>>, grace: SignedDuration, abandon: CancellationToken) {
    let deadline = Instant::now() + grace.unsigned_abs();
    let polls_and_tasks = async {
        if tokio::time::timeout_at(deadline, ended(&mut tasks)).await.is_err() {
            abandon.cancel();
            if tokio::time::timeout(LAST_WRITES, ended(&mut tasks)).await.is_err() {
                tracing::warn!("a background task did not end in time");
                tasks.abort_all();
            }
        }
    };
    let clients = async {
        if let Some(mut http) = http
            && tokio::time::timeout_at(deadline, &mut http).await.is_err()
        {
            tracing::warn!("some clients were cut off");
            http.abort();
        }
    };
    tokio::join!(polls_and_tasks, clients);
}

async fn ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// What polls are made with by a program of this name, under this configuration.
pub fn poll_context(config: &Config, store: Store, clock: Clock, program: &str) -> anyhow::Result<PollContext> {
    let fetcher = Fetcher::new(config.fetch.clone())?;
    let parse = feed_parser::Options { max_bytes: config.fetch.max_body_bytes, ..feed_parser::Options::default() };
    let safety_poll = websub_disabled(config, &fetcher).is_none().then_some(config.websub.safety_poll_interval);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    Ok(PollContext {
        fetcher,
        store,
        clock,
        options: config.poll.clone(),
        parse_options: parse,
        safety_poll_interval: safety_poll,
        program: program.to_owned(),
        outage: OutageDetector::default(),
        budget: BudgetCache::default(),
        parse_slots: Arc::new(Semaphore::new(cores)),
    })
}

/// Why newsfold does not subscribe at hubs with this configuration; `None` if it does.
fn websub_disabled(config: &Config, fetcher: &Fetcher) -> Option<DisabledReason> {
    let default = publish::Options::default().base_url;
    config.websub.disabled_reason(&config.publish.base_url, &default, fetcher.address_policy())
}

/// Fetches a document by the configured rules, for a look at it: its bytes, its type, and the URL that answered. Where
/// there is a database, by the turns and holds that are agreed upon in it.
pub async fn download(
    config: &Config,
    store: Option<Store>,
    clock: &Clock,
    url: &Url,
) -> anyhow::Result<(Vec<u8>, Option<String>, Url)> {
    let now = clock.now();
    let fetched = match store {
        None => {
            Fetcher::new(config.fetch.clone())?.fetch(url, None, now, &|_| std::future::ready(Ok(())).boxed()).await
        }
        Some(store) => poll_context(config, store, clock.clone(), "newsfold check")?.fetch_once(url).await?,
    };
    match fetched.outcome {
        FetchOutcome::Document { body, content_type, .. } => {
            let bytes = tokio::task::spawn_blocking(|| body.decode()).await?.with_context(|| format!("{url}"))?;
            Ok((bytes, content_type, fetched.url))
        }
        FetchOutcome::Failed { detail } | FetchOutcome::Unreachable { detail } => anyhow::bail!("{url}: {detail}"),
        FetchOutcome::Held { origin, until } => {
            anyhow::bail!("{origin} is left alone until {until}; `newsfold origin list` says why")
        }
        _ => anyhow::bail!("{url}: the server answered {}", fetched.status.unwrap_or_default()),
    }
}

/// Groups and publishes what is stored and waiting, once: for the command line, while no daemon runs.
pub async fn catch_up(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<()> {
    let mut grouping =
        grouping::Grouping::restore(store, &(config.cluster.clone(), config.publish.clone()), clock).await?;
    grouping.catch_up(store, clock).await?;
    publisher::catch_up(store, &config.publish, clock, Timestamp::MAX).await?;
    Ok(())
}
