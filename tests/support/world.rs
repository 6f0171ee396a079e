//! A world for a scenario: a database in a folder of its own, a clock that the test moves, and the real daemon.

use super::origin::{Answer, Origin};
use super::until;
use jiff::{SignedDuration, Timestamp};
use newsfold::clock::Clock;
use newsfold::config::Config;
use newsfold::daemon;
use newsfold::domain::{NewSource, Source, SourceId, Story};
use newsfold::store::{ReadConnection, Store, feed_entries, polls, review_queue, sources, statistics, stories};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

pub struct World {
    pub folder: TempDir,
    pub config: Config,
    pub store: Store,
    pub clock: Clock,
    pub base: String,
    running: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
}

impl World {
    /// A world in which nothing runs yet. Loopback is allowed, origins need no pause, stories need not settle and are looked at
    /// again at once, and editions need no pause.
    pub fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.fetch.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
        config.fetch.min_origin_delay = SignedDuration::ZERO;
        config.fetch.total_timeout = SignedDuration::from_secs(3);
        // Every source as often as is allowed.
        config.poll.average_interval = config.poll.interval;
        config.publish.delay = SignedDuration::ZERO;
        config.publish.min_update_interval = SignedDuration::ZERO;
        config.cluster.recluster_interval = SignedDuration::ZERO;
        config.daemon.shutdown_grace = SignedDuration::from_secs(2);
        let store = Store::open(&folder.path().join("newsfold.db")).unwrap();
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        World { folder, config, store, clock, base: String::new(), running: None }
    }

    pub async fn start(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.start_on(listener).await;
    }

    /// The same on a listener whose address was needed before.
    pub async fn start_on(&mut self, listener: TcpListener) {
        self.base = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let daemon =
            daemon::run(self.config.clone(), self.store.clone(), listener, self.clock.clone(), shutdown.clone());
        self.running = Some((shutdown, tokio::spawn(daemon)));
        // By then the sources that are overdue have been spread.
        self.get("/healthz").await;
    }

    pub async fn stop(&mut self) {
        let (shutdown, running) = self.running.take().expect("the daemon runs");
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass(&self, time: SignedDuration) {
        self.clock.advance(time);
    }

    /// Adds a source that is due now.
    pub async fn add(&self, url: &str, outlet: &str) -> SourceId {
        let new = NewSource { url: url.into(), outlet: outlet.into(), ..NewSource::default() };
        let now = self.now();
        self.store.write(move |db| sources::add(db, &new, now, now)).await.unwrap().expect("a new source")
    }

    pub async fn source(&self, id: SourceId) -> Source {
        self.store.read(move |db| sources::get(db, id)).await.unwrap().unwrap()
    }

    /// Waits until a source has so many recorded polls, and everything that they brought is placed and published.
    pub async fn polled(&self, id: SourceId, times: usize) {
        until(&format!("source {id} was polled {times} times"), async || {
            self.store.read(move |db| polls::latest(db, id, 1000)).await.unwrap().len() >= times
        })
        .await;
        self.settled().await;
    }

    /// Waits until every item is placed, every story published, and nothing is to be told of any now.
    pub async fn settled(&self) {
        let feeds = self.config.publish.published_feeds();
        until("everything is placed and published", async || {
            let (now, feeds) = (self.now(), feeds.clone());
            let idle = move |db: &ReadConnection| {
                Ok(review_queue::due_reviews(db, now, 1)?.is_empty() && feed_entries::are_current(db, &feeds)?)
            };
            let counts = self.store.read(statistics::row_counts).await.unwrap();
            counts.unassigned == 0 && counts.published == counts.stories && self.store.read(idle).await.unwrap()
        })
        .await;
    }

    /// Opens the database beside the store, to inspect or change rows directly.
    pub fn sqlite(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.store.path()).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        connection
    }

    pub async fn polls(&self, id: SourceId) -> Vec<polls::PollSummary> {
        self.store.read(move |db| polls::latest(db, id, 1000)).await.unwrap()
    }

    pub async fn stories(&self) -> Vec<Story> {
        self.store.read(|db| stories::recent(db, stories::RecentFilter { min_outlets: 1, limit: 1000 })).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> String {
        let response = reqwest::get(Url::parse(&self.base).unwrap().join(path).unwrap()).await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.text().await.unwrap()
    }
}

/// A world with one source at an origin, polled once.
pub async fn polled_once(answer: Answer) -> (World, Origin, SourceId) {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", answer);
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    (world, origin, id)
}

/// Moves the clock to a source's next poll and waits for it.
pub async fn next_poll(world: &World, id: SourceId) {
    poll_after(world, id, SignedDuration::ZERO).await;
}

/// The same, and at least so much later.
pub async fn poll_after(world: &World, id: SourceId, span: SignedDuration) {
    let before = world.polls(id).await.len();
    let next = world.source(id).await.next_poll_at;
    world.pass(next.duration_since(world.now()).max(span));
    world.polled(id, before + 1).await;
}
