//! The real daemon, running in the test process with a database in a temporary directory and a manual clock.

use super::origin_server::{OriginServer, StubResponse};
use super::wait_until;
use jiff::{SignedDuration, Timestamp};
use newsfold::clock::Clock;
use newsfold::config::Config;
use newsfold::domain::{NewSource, Source, SourceId, Story};
use newsfold::http_client::install_tls_provider;
use newsfold::store::{ReadConnection, Store, feed_selections, polls, review_queue, row_counts, sources, stories};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

pub struct TestDaemon {
    pub folder: TempDir,
    pub config: Config,
    pub store: Store,
    pub clock: Clock,
    /// The URL of the daemon, without a trailing slash.
    pub base: String,
    running: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
}

impl TestDaemon {
    /// Creates a daemon without starting it. Requests to loopback are allowed, and the delays between requests, before
    /// publication, between reclustering passes and between editions are zero.
    pub fn new() -> TestDaemon {
        install_tls_provider();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.fetch.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
        config.fetch.min_origin_delay = SignedDuration::ZERO;
        config.fetch.total_timeout = SignedDuration::from_secs(3);
        // Every source is polled at the minimum interval.
        config.poll.average_interval = config.poll.interval;
        config.publish.delay = SignedDuration::ZERO;
        config.publish.min_update_interval = SignedDuration::ZERO;
        config.cluster.recluster_interval = SignedDuration::ZERO;
        config.daemon.shutdown_grace = SignedDuration::from_secs(2);
        let store = Store::open(&folder.path().join("newsfold.db")).unwrap();
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        TestDaemon { folder, config, store, clock, base: String::new(), running: None }
    }

    pub async fn start(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.start_on(listener).await;
    }

    /// Starts the daemon on a given listener, so that the test knows the address before the start.
    pub async fn start_on(&mut self, listener: TcpListener) {
        self.base = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let daemon = newsfold::daemon::run(
            self.config.clone(),
            self.store.clone(),
            listener,
            self.clock.clone(),
            shutdown.clone(),
        );
        self.running = Some((shutdown, tokio::spawn(daemon)));
        // Once the daemon responds, it has spread out the overdue sources.
        self.get("/healthz").await;
    }

    pub async fn stop(&mut self) {
        let (shutdown, running) = self.running.take().expect("the daemon is running");
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock forward.
    pub fn advance(&self, time: SignedDuration) {
        self.clock.advance(time);
    }

    /// Adds a source that is due now and has returned an empty document before, so that undated items are news.
    pub async fn add_source(&self, url: &str, outlet: &str) -> SourceId {
        self.add_known_source(NewSource { url: url.into(), outlet: outlet.into(), ..NewSource::default() }).await
    }

    /// Adds a source with settings. It is due now and has returned an empty document before.
    pub async fn add_known_source(&self, new: NewSource) -> SourceId {
        let id = self.add_unread_source(new).await;
        let now = self.now().as_millisecond();
        self.open_sqlite().execute("UPDATE source SET first_document_at = ?2 WHERE id = ?1", [id.0, now]).unwrap();
        id
    }

    /// Adds a source that is due now and has never been read.
    pub async fn add_unread_source(&self, new: NewSource) -> SourceId {
        let now = self.now();
        self.store.write(move |db| sources::add(db, &new, now, now)).await.unwrap().expect("a new source")
    }

    pub async fn source(&self, id: SourceId) -> Source {
        self.store.read(move |db| sources::get(db, id)).await.unwrap().unwrap()
    }

    /// Waits until `count` polls of a source are recorded and all their items are grouped and published.
    pub async fn wait_for_polls(&self, id: SourceId, count: usize) {
        wait_until(&format!("source {id} has been polled {count} times"), async || {
            self.store.read(move |db| polls::latest(db, id, 1000)).await.unwrap().len() >= count
        })
        .await;
        self.wait_until_idle().await;
    }

    /// Waits until every item has a story, every story is published, and no story is due for review.
    pub async fn wait_until_idle(&self) {
        let feeds = self.config.publish.published_feeds();
        wait_until("all items are grouped and published", async || {
            let (now, feeds) = (self.now(), feeds.clone());
            let idle = move |db: &ReadConnection| {
                Ok(review_queue::due_reviews(db, now, 1)?.is_empty()
                    && feed_selections::count_outdated(db, &feeds)? == 0)
            };
            let counts = self.store.read(row_counts::count).await.unwrap();
            counts.unassigned == 0
                && counts.published + counts.backlog_stories == counts.stories
                && self.store.read(idle).await.unwrap()
        })
        .await;
    }

    /// Opens a second connection to the database, to inspect or change rows directly.
    pub fn open_sqlite(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.store.path()).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        connection
    }

    pub async fn polls(&self, id: SourceId) -> Vec<polls::PollSummary> {
        self.store.read(move |db| polls::latest(db, id, 1000)).await.unwrap()
    }

    pub async fn stories(&self) -> Vec<Story> {
        self.store.read(|db| stories::recent(db, 1, 1000)).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> String {
        let response = reqwest::get(Url::parse(&self.base).unwrap().join(path).unwrap()).await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.text().await.unwrap()
    }
}

/// Starts a daemon with one source and an origin server, and waits for the first poll.
pub async fn start_and_poll_once(response: StubResponse) -> (TestDaemon, OriginServer, SourceId) {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", response);
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    (daemon, origin, id)
}

/// Moves the clock to a source's next poll and waits for the poll.
pub async fn run_next_poll(daemon: &TestDaemon, id: SourceId) {
    run_next_poll_after(daemon, id, SignedDuration::ZERO).await;
}

/// Moves the clock to a source's next poll, but by at least `min_time`, and waits for the poll.
pub async fn run_next_poll_after(daemon: &TestDaemon, id: SourceId, min_time: SignedDuration) {
    let before = daemon.polls(id).await.len();
    let next = daemon.source(id).await.next_poll_at;
    daemon.advance(next.duration_since(daemon.now()).max(min_time));
    daemon.wait_for_polls(id, before + 1).await;
}
