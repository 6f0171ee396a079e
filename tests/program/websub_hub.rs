//! Our own hub and the hubs that we tell, with real callbacks on loopback and the real daemon: who is asked, who is sent
//! what, what happens to those who do not take it (W3C WebSub, 23 January 2018, sections 4 to 7).

use crate::support::desk::Desk;
use crate::support::fake_hub::{Hub, Request};
use crate::support::fake_subscriber::{Says, Subscriber};
use crate::support::origin::{Answer, Origin};
use crate::support::websub_scene::hours;
use crate::support::world::{World, next_poll};
use crate::support::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{self, PollOutcome, SourceId, SubscriptionState, WebSubFailure};
use newsfold::serve::feed_snapshots;
use newsfold::store::{ReadConnection, websub_subscribers, websub_subscriptions};
use std::collections::BTreeSet;
use tokio::net::TcpListener;
use url::Url;

const GRID: &str = "g1 | Grid fails across the northern coast | Power went out in Veshna";
const BANK: &str = "g2 | Central bank lifts its rate to four percent | The bank surprised markets";
const BASE: &str = "https://desk.example/news";
const ATOM: &str = "https://desk.example/news/feeds/all.atom";
const JSON: &str = "https://desk.example/news/feeds/all.json";

/// A newsfold that is its own hub, with one story in its feed, and somebody who may subscribe.
struct Scene {
    world: World,
    reader: Subscriber,
    source: SourceId,
    _origin: Origin,
}

impl Scene {
    /// Nothing runs yet.
    async fn set() -> Scene {
        let (mut world, origin, reader) = (World::new(), Origin::start().await, Subscriber::start().await);
        world.config.publish.base_url = Url::parse(&format!("{BASE}/")).unwrap();
        world.config.publish.own_hub = true;
        // What nobody answers is not waited for long.
        world.config.hub.callback_timeout = SignedDuration::from_secs(2);
        origin.serve("/feed", Answer::ok(rss(&[GRID])));
        let source = world.add(&origin.url("/feed"), "news.example").await;
        Scene { world, reader, source, _origin: origin }
    }

    async fn open() -> Scene {
        let mut scene = Scene::set().await;
        scene.world.start().await;
        scene.world.polled(scene.source, 1).await;
        scene
    }

    /// And the reader has subscribed to the Atom feed, with a secret.
    async fn subscribed() -> Scene {
        let scene = Scene::open().await;
        assert_eq!(scene.ask("subscribe", "/push", &[("hub.secret", "a secret")]).await.0, 202);
        scene.begun(1).await;
        scene
    }

    /// Asks our hub, through a proxy that takes the base URL's path away.
    async fn ask(&self, mode: &str, path: &str, more: &[(&str, &str)]) -> (u16, String) {
        self.ask_for(mode, ATOM, &self.reader.url(path), more).await
    }

    async fn ask_for(&self, mode: &str, topic: &str, callback: &str, more: &[(&str, &str)]) -> (u16, String) {
        let fields = [("hub.mode", mode), ("hub.topic", topic), ("hub.callback", callback)];
        self.post(&[&fields, more].concat()).await
    }

    async fn post(&self, fields: &[(&str, &str)]) -> (u16, String) {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = reqwest::Client::new()
            .post(format!("{}/hub", self.world.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn subscribers(&self) -> Vec<domain::HubSubscriber> {
        let now = self.world.now();
        self.world.store.read(move |db| websub_subscribers::list(db, now)).await.unwrap()
    }

    async fn subscriber(&self) -> domain::HubSubscriber {
        let mut all = self.subscribers().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Waits until there are so many subscribers, and it is known of each what its document holds when it begins.
    async fn begun(&self, n: usize) {
        until(&format!("{n} have begun"), async || {
            let all = self.subscribers().await;
            all.len() == n && all.iter().all(|subscriber| subscriber.delivered_hash.is_some())
        })
        .await;
    }

    /// Waits until every callback that was to be asked has been.
    async fn asked(&self) {
        until("nobody is to be asked any more", async || self.count("websub_subscriber_request").await == 0).await;
    }

    /// Waits until the callback that was just named has been asked, or is to be asked later.
    async fn asked_or_waiting(&self) {
        let now = self.world.now().as_millisecond();
        until("nobody is to be asked now", async || {
            let sql = "SELECT count(*) FROM websub_subscriber_request WHERE verify_at <= ?1";
            self.world.sqlite().query_row(sql, [now], |row| row.get::<_, i64>(0)).unwrap() == 0
        })
        .await;
    }

    async fn count(&self, table: &'static str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.world.sqlite().query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// What a command of the operator's prints, beside the configuration of the scene's folder.
    fn command(&self, arguments: &[&str]) -> String {
        let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
        let folder = self.world.folder.path();
        command.env("HOME", folder).env("NEWSFOLD_DATABASE", folder.join("newsfold.db")).env("TZ", "UTC");
        command.env("NEWSFOLD_CONFIG", folder.join("config.toml"));
        let done = command.args(arguments).assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    }

    /// Changes what stands in the feed, and does not let it be noticed yet: the story has another title. It is written
    /// past the publisher, so that no time need pass and nothing else changes.
    async fn rename(&self, title: &str) {
        let mut sqlite = self.world.sqlite();
        let change = sqlite.transaction().unwrap();
        let changed = change.execute("UPDATE edition SET text = json_set(text, '$.title', ?1)", [title]).unwrap();
        assert!(changed > 0, "there is a story");
        change.execute("UPDATE publication SET version = version + 1, feeds_version = feeds_version + 1", []).unwrap();
        change.commit().unwrap();
    }

    /// Changes what stands in the feed, after the pause between two changes that are told.
    async fn change(&self, title: &str) {
        self.rename(title).await;
        self.world.pass(SignedDuration::from_secs(10));
    }

    /// Waits until the hub of the configuration knows of every document what it holds now.
    async fn heard(&self) {
        until("the hub knows of every document", async || {
            let options = self.world.config.publish.clone();
            let documents = move |db: &ReadConnection| feed_snapshots(db, &options, |_| true);
            let documents = self.world.store.read(documents).await.unwrap();
            let sqlite = self.world.sqlite();
            let sql = "SELECT 1 FROM hub_notification WHERE topic = ?1 AND notified_hash = ?2";
            let mut known = sqlite.prepare(sql).unwrap();
            documents.iter().all(|document| known.exists([&document.url, &document.hash]).unwrap())
        })
        .await;
    }

    async fn until_failures(&self, n: u32) -> domain::HubSubscriber {
        until(&format!("{n} failures are written down"), async || {
            let subscriber = self.subscriber().await;
            subscriber.failures == n && subscriber.last_failure != Some(WebSubFailure::ResponsePending)
        })
        .await;
        self.subscriber().await
    }

    async fn until_deliveries(&self, n: u64) {
        until(&format!("{n} deliveries are written down"), async || self.subscriber().await.deliveries == n).await;
    }
}

fn status_failure(status: u16) -> Option<WebSubFailure> {
    Some(WebSubFailure::Status { status, message: String::new() })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_confirms_is_sent_each_change_whole_and_signed() {
    let mut scene = Scene::open().await;
    let callback = "/push?id=7&x=%20y";
    let (status, said) = scene.ask("subscribe", callback, &[("hub.secret", "a secret")]).await;
    assert_eq!((status, said.as_str()), (202, "The hub will ask your callback to confirm this request.\n"));
    let question = scene.reader.question(1).await;
    assert!(question.target.starts_with(&format!("{callback}&hub.mode=subscribe&")), "{}", question.target);
    assert_eq!((question.get("hub.topic"), question.get("hub.lease_seconds")), (ATOM, "864000"));
    scene.begun(1).await;
    assert_eq!(scene.subscriber().await.lease_until, scene.world.now() + hours(240));
    assert_eq!(scene.reader.pushes().len(), 0, "what stands there already it has read itself");

    scene.change("Northern Herald").await;
    let push = scene.reader.push(1).await;
    assert_eq!(push.target, callback);
    assert_eq!(push.header("content-type"), "application/atom+xml; charset=utf-8");
    assert_eq!(push.header("link"), format!("<{BASE}/hub>; rel=\"hub\", <{ATOM}>; rel=\"self\""));
    assert!(push.is_signed_with("a secret"), "{}", push.header("x-hub-signature"));
    assert!(push.body.contains("Northern Herald"));
    assert_eq!(push.body, scene.world.get("/feeds/all.atom").await);
    scene.until_deliveries(1).await;

    // Another format is another topic, and without a secret nothing is signed.
    let other = Subscriber::start().await;
    assert_eq!(scene.ask_for("subscribe", JSON, &other.url("/"), &[("hub.lease_seconds", "7200")]).await.0, 202);
    let second = other.question(1).await;
    assert_eq!(second.get("hub.lease_seconds"), "7200");
    assert_ne!(second.get("hub.challenge"), question.get("hub.challenge"));
    for question in [&question, &second] {
        assert_eq!(question.get("hub.challenge").len(), 64, "256 bits that nobody guesses");
    }
    scene.begun(2).await;
    scene.change("Western Herald").await;
    let push = other.push(1).await;
    assert_eq!(push.header("content-type"), "application/feed+json; charset=utf-8");
    assert!(push.headers.get("x-hub-signature").is_none());
    assert!(scene.reader.push(2).await.body.contains("Western Herald"));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_echo_the_challenge_is_not_subscribed() {
    let mut scene = Scene::open().await;
    let answers = [Says::Text("a challenge".into()), Says::Text(String::new()), Says::Status(404), Says::Endless];
    for (n, says) in answers.into_iter().enumerate() {
        scene.reader.says(says.clone());
        assert_eq!(scene.ask("subscribe", &format!("/{n}"), &[]).await.0, 202);
        scene.reader.question(n + 1).await;
        scene.asked().await;
        assert_eq!(scene.subscribers().await.len(), 0, "{says:?}");
    }
    // Nobody is there at all.
    assert_eq!(scene.ask_for("subscribe", ATOM, "http://127.0.0.1:1024/", &[]).await.0, 202);
    scene.asked().await;
    assert_eq!(scene.subscribers().await.len(), 0);
    // Had one of them been subscribed, it would be sent this before the one that is.
    scene.reader.says(Says::Yes);
    scene.ask("subscribe", "/good", &[]).await;
    scene.begun(1).await;
    scene.change("Northern Herald").await;
    assert_eq!(scene.reader.push(1).await.target, "/good");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_of_a_subscriber_is_refused_and_nobody_is_asked() {
    let mut scene = Scene::open().await;
    let callback = scene.reader.url("/push");
    for (mode, topic, callback, status, words) in [
        ("subscribe", "https://desk.example/news/feeds/none.atom", callback.as_str(), 404, "hub.topic is not a feed"),
        ("subscribe", "https://elsewhere.example/feed", &callback, 404, "hub.topic is not a feed"),
        ("publish", ATOM, &callback, 400, "detects changes"),
        ("", ATOM, &callback, 400, "hub.mode"),
        ("subscribe", ATOM, "", 400, "hub.callback is missing"),
        ("subscribe", ATOM, "mailto:a@b.example", 403, "does not send requests"),
        ("unsubscribe", ATOM, &callback, 404, "not subscribed"),
    ] {
        let (said, why) = scene.ask_for(mode, topic, callback, &[]).await;
        assert_eq!(said, status, "{why}");
        assert!(why.contains(words), "{why}");
    }
    let long = "s".repeat(200);
    assert_eq!(scene.ask("subscribe", "/push", &[("hub.secret", &long)]).await.0, 400);
    let large = "x".repeat(17 << 10);
    assert_eq!(scene.ask("subscribe", "/push", &[("x", &large)]).await.0, 413);
    let client = reqwest::Client::new();
    let url = format!("{}/hub", scene.world.base);
    let json = client.post(&url).header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!(json.status(), 415);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
    assert_eq!(scene.count("verification_log").await, 0);
    assert_eq!(scene.reader.questions().len(), 0);
    scene.world.stop().await;

    scene.world.config.publish.own_hub = false;
    scene.world.start().await;
    let closed = client.post(format!("{}/hub", scene.world.base)).send().await.unwrap();
    assert_eq!(closed.status(), 404, "where it is not asked for there is none");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_unless_it_is_renewed_and_a_renewal_may_bring_another_secret() {
    let mut scene = Scene::open().await;
    let lease = [("hub.lease_seconds", "7200"), ("hub.secret", "the first")];
    for path in ["/stays", "/goes"] {
        assert_eq!(scene.ask("subscribe", path, &lease).await.0, 202);
    }
    scene.begun(2).await;
    let first = scene.subscribers().await;
    scene.world.pass(hours(1));
    let renewal = [("hub.lease_seconds", "7200"), ("hub.secret", "the second")];
    assert_eq!(scene.ask("subscribe", "/stays", &renewal).await.0, 202);
    scene.reader.question(3).await;
    scene.asked().await;
    let renewed = scene.subscribers().await;
    assert_eq!(renewed.len(), 2);
    assert_eq!((renewed[0].id, renewed[0].subscribed_at), (first[0].id, first[0].subscribed_at), "the same one");
    assert_eq!(renewed[0].lease_until, scene.world.now() + hours(2));

    scene.world.pass(hours(1));
    assert_eq!(scene.subscribers().await.len(), 1);
    scene.change("Northern Herald").await;
    let push = scene.reader.push(1).await;
    assert!(push.target == "/stays" && push.is_signed_with("the second"), "{push:?}");
    scene.until_deliveries(1).await;
    scene.world.pass(hours(1));
    assert_eq!(scene.subscribers().await.len(), 0, "and then that one too");
    scene.ask("subscribe", "/another", &[]).await;
    scene.begun(1).await;
    assert_eq!(scene.count("websub_subscriber").await, 1, "those whose lease has ended are forgotten");
    scene.change("Western Herald").await;
    assert_eq!(scene.reader.push(2).await.target, "/another");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_callback_itself_ends_its_subscription() {
    let mut scene = Scene::subscribed().await;
    scene.reader.says(Says::Status(404));
    assert_eq!(scene.ask("unsubscribe", "/push", &[]).await.0, 202);
    // It is asked once a minute at most.
    scene.world.pass(SignedDuration::from_secs(60));
    let question = scene.reader.question(2).await;
    assert_eq!((question.get("hub.mode"), question.get("hub.topic")), ("unsubscribe", ATOM));
    assert_eq!(question.get("hub.lease_seconds"), "");
    scene.asked().await;
    scene.change("Northern Herald").await;
    assert_eq!(scene.reader.push(1).await.target, "/push", "somebody else had asked");

    scene.reader.says(Says::Yes);
    assert_eq!(scene.ask("unsubscribe", "/push", &[]).await.0, 202);
    scene.world.pass(SignedDuration::from_secs(60));
    scene.asked().await;
    assert_eq!(scene.subscribers().await.len(), 0);
    scene.ask("subscribe", "/another", &[]).await;
    scene.begun(1).await;
    scene.change("Western Herald").await;
    assert_eq!(scene.reader.push(2).await.target, "/another");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_is_gone_is_sent_nothing_any_more() {
    let mut scene = Scene::subscribed().await;
    scene.reader.takes(410, &[]);
    scene.change("Northern Herald").await;
    scene.reader.push(1).await;
    until("it is forgotten", async || scene.subscribers().await.is_empty()).await;
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_sent_again_over_a_restart_and_only_the_newest() {
    let mut scene = Scene::subscribed().await;
    scene.reader.takes(500, &[]);
    scene.change("Northern Herald").await;
    scene.reader.push(1).await;
    let failed = scene.until_failures(1).await;
    assert_eq!(failed.last_failure, status_failure(500));
    assert_eq!(failed.next_attempt_at, scene.world.now() + SignedDuration::from_mins(1));
    scene.world.pass(SignedDuration::from_mins(1));
    scene.reader.push(2).await;
    let failed = scene.until_failures(2).await;
    assert_eq!(failed.next_attempt_at, scene.world.now() + SignedDuration::from_mins(2), "ever more rarely");

    scene.change("Western Herald").await;
    scene.change("Southern Herald").await;
    scene.world.stop().await;
    scene.rename("Eastern Herald").await;
    scene.world.start().await;
    scene.reader.takes(200, &[]);
    // Who has just subscribed is sent what changes while the other still waits.
    let other = Subscriber::start().await;
    scene.ask_for("subscribe", ATOM, &other.url("/"), &[]).await;
    scene.begun(2).await;
    scene.change("Other Herald").await;
    other.push(1).await;
    assert_eq!(scene.reader.pushes().len(), 2, "not before its time");
    scene.world.pass(SignedDuration::from_mins(2));
    let push = scene.reader.push(3).await;
    assert!(push.body.contains("Other Herald") && push.is_signed_with("a secret"));
    until("it is written down", async || scene.subscribers().await[0].failures == 0).await;
    scene.change("New Herald").await;
    assert!(scene.reader.push(4).await.body.contains("New Herald"), "one for each change, as before");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_asks_for_time_gets_it() {
    let mut scene = Scene::subscribed().await;
    scene.reader.takes(503, &[("retry-after", "1800")]);
    scene.change("Northern Herald").await;
    scene.reader.push(1).await;
    let failed = scene.until_failures(1).await;
    assert_eq!(failed.next_attempt_at, scene.world.now() + SignedDuration::from_mins(30));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_tells_nothing_twice_and_forgets_nothing() {
    let mut scene = Scene::subscribed().await;
    scene.change("Northern Herald").await;
    scene.reader.push(1).await;
    scene.until_deliveries(1).await;
    scene.world.stop().await;
    scene.world.start().await;
    scene.world.stop().await;
    scene.rename("Western Herald").await;
    scene.world.start().await;
    assert!(scene.reader.push(2).await.body.contains("Western Herald"), "what changed while nothing ran");
    scene.until_deliveries(2).await;
    scene.change("Eastern Herald").await;
    assert!(scene.reader.push(3).await.body.contains("Eastern Herald"), "and nothing between them");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_taken_outlives_a_restart() {
    let mut scene = Scene::open().await;
    scene.reader.holds(true);
    assert_eq!(scene.ask("subscribe", "/push", &[("hub.secret", "a secret")]).await.0, 202);
    scene.reader.question(1).await;
    scene.world.stop().await;
    scene.reader.holds(false);
    scene.world.start().await;
    assert_eq!(scene.subscribers().await.len(), 0, "nobody has heard what it said");
    scene.world.pass(SignedDuration::from_secs(60));
    scene.begun(1).await;
    let (first, again) = (scene.reader.questions()[0].clone(), scene.reader.question(2).await);
    assert_ne!(first.get("hub.challenge"), again.get("hub.challenge"));
    scene.change("Northern Herald").await;
    assert!(scene.reader.push(1).await.is_signed_with("a secret"));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_changes_is_told_as_one() {
    let mut scene = Scene::subscribed().await;
    for title in ["Northern Herald", "Western Herald", "Eastern Herald"] {
        scene.rename(title).await;
        scene.world.pass(SignedDuration::from_secs(3));
    }
    scene.world.pass(SignedDuration::from_secs(1));
    assert!(scene.reader.push(1).await.body.contains("Eastern Herald"));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_forbidden_address_nor_through_a_redirect() {
    let forbidden = Subscriber::start_on("127.0.0.2:0").await;
    let mut scene = Scene::open().await;
    for callback in [forbidden.url("/"), "http://169.254.169.254/latest".into(), "http://[::1]:8080/".into()] {
        assert_eq!(scene.ask_for("subscribe", ATOM, &callback, &[]).await.0, 403, "{callback}");
    }
    // A callback that leads there, when it is asked and when it is sent something.
    let door = Origin::start().await;
    door.serve("/door", Answer::redirect_by(307, &forbidden.url("/")));
    assert_eq!(scene.ask_for("subscribe", ATOM, &door.url("/door"), &[]).await.0, 202);
    scene.asked().await;
    assert_eq!((door.count("/door"), scene.subscribers().await.len()), (1, 0));
    scene.ask("subscribe", "/push", &[]).await;
    scene.begun(1).await;
    scene.reader.takes(307, &[("location", &forbidden.url("/"))]);
    scene.change("Northern Herald").await;
    assert_eq!(scene.until_failures(1).await.last_failure, status_failure(307));
    scene.world.stop().await;

    // And one that was allowed when it subscribed.
    scene.world.config.fetch.allowed_networks.clear();
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_mins(1));
    let failed = scene.until_failures(2).await;
    let Some(WebSubFailure::NoResponse { error }) = failed.last_failure else { panic!("{:?}", failed.last_failure) };
    assert!(error.starts_with("127.0.0.1 is not a public address"), "{error}");
    assert_eq!((forbidden.questions().len(), forbidden.pushes().len()), (0, 0));
    assert_eq!(scene.reader.pushes().len(), 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_asked_once_a_minute_and_a_host_one_thing_at_a_time() {
    let mut scene = Scene::set().await;
    // Nobody is given up while others are yet to ask.
    scene.world.config.hub.callback_timeout = SignedDuration::from_secs(60);
    scene.world.start().await;
    scene.world.polled(scene.source, 1).await;
    for _ in 0..5 {
        assert_eq!(scene.ask("subscribe", "/push", &[]).await.0, 202);
        scene.asked_or_waiting().await;
    }
    scene.begun(1).await;
    assert_eq!(scene.reader.questions().len(), 1);
    scene.world.pass(SignedDuration::from_secs(60));
    scene.reader.question(2).await;
    scene.asked().await;

    scene.reader.holds(true);
    for n in 0..60 {
        assert_eq!(scene.ask("subscribe", &format!("/{n}"), &[]).await.0, 202, "{n}");
    }
    assert_eq!(scene.ask("subscribe", "/more", &[]).await.0, 429, "as many as may wait");
    scene.reader.holds(false);
    scene.asked().await;
    scene.begun(61).await;
    scene.change("Northern Herald").await;
    until("all were sent it", async || scene.reader.pushes().len() == 61).await;
    assert_eq!(scene.reader.most_at_once(), 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_hub_takes_nobody_else_and_renews_those_that_it_has() {
    let mut scene = Scene::set().await;
    scene.world.config.hub.max_subscribers_per_topic = 1;
    scene.world.config.hub.max_subscribers = 2;
    // Who asks is counted, where no proxy stands between.
    scene.world.config.serve.trusted_proxies.clear();
    scene.world.start().await;
    scene.world.polled(scene.source, 1).await;
    let reader = &scene.reader;
    assert_eq!(scene.ask("subscribe", "/one", &[]).await.0, 202);
    scene.begun(1).await;
    assert_eq!(scene.count("verification_log WHERE client = '127.0.0.1'").await, 1);
    assert_eq!(scene.ask("subscribe", "/two", &[]).await.0, 503);
    assert_eq!(scene.ask_for("subscribe", JSON, &reader.url("/two"), &[]).await.0, 202, "of another topic");
    scene.begun(2).await;
    let (status, why) =
        scene.ask_for("subscribe", "https://desk.example/news/feeds/all.rss", &reader.url("/three"), &[]).await;
    assert_eq!((status, why.as_str()), (503, "this hub has reached its maximum number of subscribers.\n"));
    assert_eq!(scene.ask("subscribe", "/one", &[]).await.0, 202, "a renewal");
    assert_eq!(scene.ask("unsubscribe", "/one", &[]).await.0, 202);
    scene.world.pass(SignedDuration::from_secs(60));
    scene.asked().await;
    assert_eq!(scene.subscribers().await.len(), 1);
    assert_eq!(scene.ask("subscribe", "/two", &[]).await.0, 202, "there is room again");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_let_us_wait_leave_room_for_those_who_do_not() {
    let mut scene = Scene::set().await;
    scene.world.config.fetch.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    scene.world.config.hub.concurrency = 2;
    scene.world.config.hub.callback_timeout = SignedDuration::from_secs(60);
    scene.world.start().await;
    scene.world.polled(scene.source, 1).await;
    let slow = [Subscriber::start_on("127.0.0.2:0").await, Subscriber::start_on("127.0.0.3:0").await];
    for subscriber in slow.iter().chain([&scene.reader]) {
        assert_eq!(scene.ask_for("subscribe", ATOM, &subscriber.url("/"), &[]).await.0, 202);
    }
    scene.begun(3).await;
    slow.iter().for_each(|subscriber| subscriber.takes(500, &[]));
    scene.change("Northern Herald").await;
    scene.reader.push(1).await;
    until("two have failed", async || {
        scene.count("websub_subscriber WHERE failures = 1 AND last_failure ->> 'status' = 500").await == 2
    })
    .await;
    slow.iter().for_each(|subscriber| subscriber.holds(true));
    scene.change("Western Herald").await;
    scene.world.pass(SignedDuration::from_mins(1));
    scene.reader.push(2).await;
    scene.change("Eastern Herald").await;
    scene.reader.push(3).await;
    let waiting = || slow.iter().map(|subscriber| subscriber.pushes().len()).sum::<usize>() - 2;
    until("one of the others was tried again", async || waiting() > 0).await;
    assert_eq!(waiting(), 1, "and only half of the room waits for those");
    scene.world.stop().await;
}

/// The documents of a newsfold without feeds of its own that hold its story, and the others.
const CHANGING: [&str; 6] = ["all.atom", "all.json", "all.rss", "all.stable.atom", "all.stable.json", "all.stable.rss"];
const OTHERS: [&str; 7] =
    ["health.atom", "top.atom", "top.json", "top.rss", "top.stable.atom", "top.stable.json", "top.stable.rss"];

fn topics(requests: &[Request]) -> Vec<String> {
    let mut topics: Vec<String> = requests.iter().map(|request| request.get("hub.topic").to_owned()).collect();
    topics.sort();
    topics
}

fn documents(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{BASE}/feeds/{name}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_of_the_configuration_is_told_once_of_each_change_and_again_where_it_did_not_hear() {
    let (mut scene, hub) = (Scene::set().await, Hub::start().await);
    scene.world.config.publish.own_hub = false;
    scene.world.config.publish.hubs = vec![Url::parse(hub.url()).unwrap()];
    // What is there from the start is told once.
    scene.world.start().await;
    scene.world.polled(scene.source, 1).await;
    scene.world.pass(SignedDuration::from_secs(10));
    scene.heard().await;
    let asked = hub.asked();
    assert_eq!(
        topics(&asked).into_iter().collect::<BTreeSet<_>>(),
        documents(&[&CHANGING[..], &OTHERS[..]].concat()).into_iter().collect()
    );
    let ping = &asked[0];
    assert_eq!(ping.get("hub.mode"), "publish");
    assert_eq!(ping.get("hub.url"), ping.get("hub.topic"));
    assert_eq!(ping.headers["content-type"], "application/x-www-form-urlencoded");

    // A burst is one change; what has not changed is not told of.
    let before = asked.len();
    for title in ["Northern Herald", "Western Herald", "Eastern Herald"] {
        scene.rename(title).await;
    }
    scene.world.pass(SignedDuration::from_secs(10));
    scene.heard().await;
    let asked = hub.asked();
    assert_eq!(topics(&asked[before..]), documents(&CHANGING));

    // A hub that does not hear is told again, over a restart.
    hub.answer(503, &[], "");
    let before = asked.len();
    scene.change("Southern Herald").await;
    until("it is written down that it did not hear", async || {
        scene.count("hub_notification WHERE last_failure ->> 'status' = 503 AND failures = 1").await == 6
    })
    .await;
    assert_eq!(topics(&hub.asked()[before..]), documents(&CHANGING));
    scene.world.stop().await;
    let config = format!("[publish]\nhubs = [\"{}\"]\n", hub.url());
    std::fs::write(scene.world.folder.path().join("config.toml"), config).unwrap();
    let said = tokio::task::block_in_place(|| scene.command(&["feed", "hubs"]));
    assert_eq!(said.lines().filter(|line| line.contains("HTTP status 503")).count(), 6, "{said}");
    let said = tokio::task::block_in_place(|| scene.command(&["feed", "hubs", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((json[0]["topic"].as_str(), json[0]["failures"].as_u64()), (Some(ATOM), Some(1)));
    hub.accept();
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_mins(1));
    scene.heard().await;
    let asked = hub.asked();
    assert_eq!(topics(&asked[before + 6..]), documents(&CHANGING), "each once more");
    scene.world.stop().await;

    // And what it has heard it is not told again.
    let before = asked.len();
    scene.world.start().await;
    scene.change("New Herald").await;
    scene.heard().await;
    assert_eq!(topics(&hub.asked()[before..]), documents(&CHANGING));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_newsfold_that_subscribes_at_our_hub_is_pushed_what_is_new() {
    // The first is found at its real address, so that the second reaches its feed and its hub.
    let (mut first, origin) = (World::new(), Origin::start().await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    first.config.publish.base_url = Url::parse(&base).unwrap();
    first.config.publish.own_hub = true;
    origin.serve("/feed", Answer::ok(rss(&[GRID])));
    let source = first.add(&origin.url("/feed"), "news.example").await;
    first.start_on(listener).await;
    first.polled(source, 1).await;

    let mut second = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    second.config.publish.base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let topic = format!("{base}/feeds/all.atom");
    let folded = second.add(&topic, "first.example").await;
    second.start_on(listener).await;
    second.polled(folded, 1).await;
    let hub_of = async || second.store.read(move |db| websub_subscriptions::get(db, folded)).await.unwrap();
    until("the second has subscribed at the hub of the first", async || {
        hub_of().await.is_some_and(|known| known.state == SubscriptionState::Active)
    })
    .await;
    let now = first.now();
    until("and the first knows", async || {
        let all = first.store.read(move |db| websub_subscribers::list(db, now)).await.unwrap();
        all.len() == 1 && all[0].topic == topic && all[0].delivered_hash.is_some()
    })
    .await;

    origin.serve("/feed", Answer::ok(rss(&[BANK, GRID])));
    next_poll(&first, source).await;
    first.pass(SignedDuration::from_secs(10));
    second.polled(folded, 2).await;
    let record = second.polls(folded).await[0].clone();
    assert_eq!((record.outcome, record.new_items, record.url.as_str()), (PollOutcome::Pushed, 1, topic.as_str()));
    assert!(second.get("/feeds/all.atom").await.contains("Central bank lifts its rate"));
    assert_eq!(hub_of().await.unwrap().rejected_pushes, 0, "signed with the secret that it had given");
    assert_eq!(second.polls(folded).await.len(), 2, "without a second poll");
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_who_subscribes_and_ends_it() {
    let mut scene = Scene::open().await;
    scene.ask("subscribe", "/push/token-of-mine?key=hush", &[("hub.secret", "also hush")]).await;
    scene.begun(1).await;
    // A failure tells why, and not of whom.
    scene.reader.takes(500, &[]);
    scene.change("Northern Herald").await;
    scene.until_failures(1).await;
    let newsfold = |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
        let folder = scene.world.folder.path();
        command.env("HOME", folder).env("NEWSFOLD_DATABASE", folder.join("newsfold.db")).env("TZ", "UTC");
        command.args(["feed", "subscribers"]).args(more).assert()
    };
    let said = |more: &[&str]| {
        tokio::task::block_in_place(|| String::from_utf8(newsfold(more).success().get_output().stdout.clone()).unwrap())
    };
    // The command has a clock of its own, by which the lease of this scene is over; so the lease is made longer.
    let long = "UPDATE websub_subscriber SET lease_until = 32503680000000";
    scene.world.sqlite().execute(long, []).unwrap();
    let table = said(&[]);
    let row = table.lines().find(|line| line.contains(ATOM)).unwrap_or_else(|| panic!("{table}"));
    for word in ["1", "127.0.0.1", "3000-01-01 00:00:00", "never", "HTTP status 500"] {
        assert!(row.contains(word), "{word} in {row}");
    }
    let json: serde_json::Value = serde_json::from_str(&said(&["--json"])).unwrap();
    assert_eq!((json[0]["topic"].as_str(), json[0]["failures"].as_u64()), (Some(ATOM), Some(1)));
    assert!(!format!("{table}{json}").contains("hush"), "{table}{json}");
    assert!(!format!("{table}{json}").contains("token-of-mine"), "{table}{json}");
    let whole: serde_json::Value = serde_json::from_str(&said(&["--json", "--callbacks"])).unwrap();
    assert_eq!(whole[0]["callback"].as_str(), Some(scene.reader.url("/push/token-of-mine?key=hush").as_str()));
    assert!(!whole.to_string().contains("also hush"));
    assert_eq!(said(&["--remove", "1"]).trim(), "removed subscriber 1");
    assert_eq!(scene.subscribers().await.len(), 0);
    let failed = tokio::task::block_in_place(|| newsfold(&["--remove", "1"]).failure());
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains("there is no subscriber 1"));
    assert_eq!(said(&["--json"]).trim(), "[]");
    assert_eq!(Desk::new().run(&["feed", "subscribers"]).trim(), "the hub has no subscribers");
    scene.world.stop().await;
}
