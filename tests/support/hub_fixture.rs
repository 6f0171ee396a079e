//! The fixture for tests of our own hub: a newsfold instance that runs its own hub, one story in its feed, and a
//! subscriber.

use super::fake_subscriber::FakeSubscriber;
use super::origin_server::{OriginServer, StubResponse};
use super::test_daemon::TestDaemon;
use super::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{HubSubscriber, SourceId, WebSubFailure};
use newsfold::serve::feed_snapshots;
use newsfold::store::{ReadConnection, websub_subscribers};
use url::Url;

pub const GRID: &str = "g1 | Grid fails across the northern coast | Power went out in Veshna";
pub const BASE: &str = "https://desk.example/news";
pub const ATOM: &str = "https://desk.example/news/feeds/all.atom";
pub const JSON: &str = "https://desk.example/news/feeds/all.json";

pub struct HubFixture {
    pub daemon: TestDaemon,
    pub reader: FakeSubscriber,
    pub source: SourceId,
    _origin: OriginServer,
}

impl HubFixture {
    /// Creates the fixture. The daemon is not started.
    pub async fn new() -> HubFixture {
        let (mut daemon, origin, reader) =
            (TestDaemon::new(), OriginServer::start().await, FakeSubscriber::start().await);
        daemon.config.publish.base_url = Url::parse(&format!("{BASE}/")).unwrap();
        daemon.config.publish.own_hub = true;
        // This timeout limits how long an unresponsive callback delays a test.
        daemon.config.hub.callback_timeout = SignedDuration::from_secs(2);
        origin.serve("/feed", StubResponse::ok(rss(&[GRID])));
        let source = daemon.add_source(&origin.url("/feed"), "news.example").await;
        HubFixture { daemon, reader, source, _origin: origin }
    }

    /// Creates the fixture, starts the daemon, and polls the feed once.
    pub async fn started() -> HubFixture {
        let mut fixture = HubFixture::new().await;
        fixture.start().await;
        fixture
    }

    /// Does the same as [`HubFixture::started`], and subscribes a reader to the Atom feed with a secret.
    pub async fn subscribed() -> HubFixture {
        let fixture = HubFixture::started().await;
        assert_eq!(fixture.request("subscribe", "/push", &[("hub.secret", "a secret")]).await.0, 202);
        fixture.until_subscribers(1).await;
        fixture
    }

    pub async fn start(&mut self) {
        self.daemon.start().await;
        self.daemon.wait_for_polls(self.source, 1).await;
    }

    /// Sends a request for the Atom feed to the hub. `path` is the path of the reader's callback. As behind a reverse
    /// proxy, the request omits the path of the base URL.
    pub async fn request(&self, mode: &str, path: &str, more: &[(&str, &str)]) -> (u16, String) {
        self.request_for(mode, ATOM, &self.reader.url(path), more).await
    }

    pub async fn request_for(&self, mode: &str, topic: &str, callback: &str, more: &[(&str, &str)]) -> (u16, String) {
        let fields = [("hub.mode", mode), ("hub.topic", topic), ("hub.callback", callback)];
        self.post_form(&[&fields, more].concat()).await
    }

    async fn post_form(&self, fields: &[(&str, &str)]) -> (u16, String) {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = reqwest::Client::new()
            .post(format!("{}/hub", self.daemon.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn subscribers(&self) -> Vec<HubSubscriber> {
        let now = self.daemon.now();
        self.daemon.store.read(move |db| websub_subscribers::list(db, now)).await.unwrap()
    }

    /// Returns the only subscriber.
    pub async fn subscriber(&self) -> HubSubscriber {
        let mut subscribers = self.subscribers().await;
        assert_eq!(subscribers.len(), 1, "{subscribers:?}");
        subscribers.remove(0)
    }

    /// Waits until there are n subscribers, and the hash of the current document is recorded for each one.
    pub async fn until_subscribers(&self, n: usize) {
        wait_until(&format!("there are {n} subscribers"), async || {
            let subscribers = self.subscribers().await;
            subscribers.len() == n && subscribers.iter().all(|subscriber| subscriber.delivered_hash.is_some())
        })
        .await;
    }

    /// Waits until no request awaits confirmation.
    pub async fn until_all_verified(&self) {
        wait_until("no request is pending", async || self.row_count("websub_subscriber_request") == 0).await;
    }

    /// Waits until no request is due for verification now.
    pub async fn until_none_is_due(&self) {
        let now = self.daemon.now().as_millisecond();
        wait_until("no request is due", async || {
            let sql = "SELECT count(*) FROM websub_subscriber_request WHERE verify_at <= ?1";
            self.daemon.open_sqlite().query_row(sql, [now], |row| row.get::<_, i64>(0)).unwrap() == 0
        })
        .await;
    }

    /// Returns the number of rows of a table. `table` may include a WHERE clause.
    pub fn row_count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.daemon.open_sqlite().query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// Returns a `newsfold` command with the fixture's database, and with its configuration file if the test has
    /// written one.
    pub fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
        let folder = self.daemon.folder.path();
        command.env("HOME", folder).env("NEWSFOLD_DATABASE", folder.join("newsfold.db")).env("TZ", "UTC");
        let config = folder.join("config.toml");
        if config.exists() {
            command.env("NEWSFOLD_CONFIG", config);
        }
        command.args(arguments);
        command
    }

    /// Runs a command, which must succeed, and returns its output.
    pub fn output(&self, arguments: &[&str]) -> String {
        let done = tokio::task::block_in_place(|| self.command(arguments).assert().success());
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    }

    /// Changes the title of the story. Edits the edition directly, so that nothing else in the feed changes and the
    /// clock does not move.
    pub async fn change_title(&self, title: &str) {
        let mut sqlite = self.daemon.open_sqlite();
        let change = sqlite.transaction().unwrap();
        let changed = change.execute("UPDATE edition SET text = json_set(text, '$.title', ?1)", [title]).unwrap();
        assert!(changed > 0, "there is a story");
        change.execute("UPDATE publication SET version = version + 1, feeds_version = feeds_version + 1", []).unwrap();
        change.execute("UPDATE feed_sequence SET version = version + 1", []).unwrap();
        change.commit().unwrap();
    }

    /// Changes the title of the story and advances the clock past the minimum time between checks for changes.
    pub async fn publish_title(&self, title: &str) {
        self.change_title(title).await;
        self.daemon.advance(SignedDuration::from_secs(10));
    }

    /// Waits until the configured hub has been notified of the latest version of every document.
    pub async fn until_hub_is_notified(&self) {
        wait_until("the hub has been notified of every document", async || {
            let options = self.daemon.config.site_options();
            let read = move |db: &ReadConnection| feed_snapshots(db, &options, |_, _| true);
            let documents = self.daemon.store.read(read).await.unwrap();
            let sqlite = self.daemon.open_sqlite();
            let sql = "SELECT 1 FROM hub_notification WHERE topic = ?1 AND notified_hash = ?2";
            let mut notified = sqlite.prepare(sql).unwrap();
            documents.iter().all(|document| notified.exists([&document.url, &document.hash]).unwrap())
        })
        .await;
    }

    /// Waits until the n-th consecutive failure of the only subscriber has been recorded.
    pub async fn until_failures(&self, n: u32) -> HubSubscriber {
        wait_until(&format!("{n} failures have been recorded"), async || {
            let subscriber = self.subscriber().await;
            subscriber.failures == n && subscriber.last_failure != Some(WebSubFailure::ResponsePending)
        })
        .await;
        self.subscriber().await
    }

    /// Waits until the n-th delivery to the only subscriber has been recorded.
    pub async fn until_deliveries(&self, n: u64) {
        wait_until(&format!("{n} deliveries have been recorded"), async || self.subscriber().await.deliveries == n)
            .await;
    }
}
