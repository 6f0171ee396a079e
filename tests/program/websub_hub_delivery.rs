//! Deliveries of our own hub and notifications of other hubs, with real callbacks on loopback and the real daemon: what
//! is sent, when it is retried, and what survives a restart (W3C WebSub, 23 January 2018, sections 6 and 7).

use crate::support::fake_hub::{FakeHub, HubRequest};
use crate::support::fake_subscriber::FakeSubscriber;
use crate::support::hub_scene::{ATOM, BASE, GRID, HubScene, JSON};
use crate::support::origin::{Answer, Origin};
use crate::support::websub_scene::{BANK, hours};
use crate::support::world::{World, next_poll};
use crate::support::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{PollOutcome, SubscriptionState, WebSubFailure};
use newsfold::store::{websub_subscribers, websub_subscriptions};
use std::collections::BTreeSet;
use tokio::net::TcpListener;
use url::Url;

fn status_failure(status: u16) -> Option<WebSubFailure> {
    Some(WebSubFailure::Status { status, message: String::new() })
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmed_subscriber_gets_each_changed_document_complete_and_signed() {
    let mut scene = HubScene::started().await;
    let callback = "/push?id=7&x=%20y";
    let (status, text) = scene.request("subscribe", callback, &[("hub.secret", "a secret")]).await;
    assert_eq!((status, text.as_str()), (202, "The hub will ask your callback to confirm this request.\n"));
    let first = scene.reader.verification(1).await;
    assert!(first.target.starts_with(&format!("{callback}&hub.mode=subscribe&")), "{}", first.target);
    assert_eq!((first.get("hub.topic"), first.get("hub.lease_seconds")), (ATOM, "864000"));
    scene.until_subscribers(1).await;
    assert_eq!(scene.subscriber().await.lease_until, scene.world.now() + hours(240));
    assert_eq!(scene.reader.deliveries().len(), 0, "the current document is not delivered");

    scene.publish_title("Northern Herald").await;
    let delivery = scene.reader.delivery(1).await;
    assert_eq!(delivery.target, callback);
    assert_eq!(delivery.header("content-type"), "application/atom+xml; charset=utf-8");
    assert_eq!(delivery.header("link"), format!("<{BASE}/hub>; rel=\"hub\", <{ATOM}>; rel=\"self\""));
    assert!(delivery.is_signed_with("a secret"), "{}", delivery.header("x-hub-signature"));
    assert!(delivery.body.contains("Northern Herald"));
    assert_eq!(delivery.body, scene.world.get("/feeds/all.atom").await);
    scene.until_deliveries(1).await;

    // Another format is another topic. Without a secret a delivery has no signature.
    let other = FakeSubscriber::start().await;
    assert_eq!(scene.request_for("subscribe", JSON, &other.url("/"), &[("hub.lease_seconds", "7200")]).await.0, 202);
    let second = other.verification(1).await;
    assert_eq!(second.get("hub.lease_seconds"), "7200");
    assert_ne!(second.get("hub.challenge"), first.get("hub.challenge"));
    for verification in [&first, &second] {
        assert_eq!(verification.get("hub.challenge").len(), 64, "256 bits in hexadecimal");
    }
    scene.until_subscribers(2).await;
    scene.publish_title("Western Herald").await;
    let delivery = other.delivery(1).await;
    assert_eq!(delivery.header("content-type"), "application/feed+json; charset=utf-8");
    assert!(delivery.headers.get("x-hub-signature").is_none());
    assert!(scene.reader.delivery(2).await.body.contains("Western Herald"));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callback_that_answers_410_is_removed() {
    let mut scene = HubScene::subscribed().await;
    scene.reader.reply_to_deliveries(410, &[]);
    scene.publish_title("Northern Herald").await;
    scene.reader.delivery(1).await;
    until("the subscriber is removed", async || scene.subscribers().await.is_empty()).await;
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_delivery_is_retried_after_a_restart_with_the_newest_version_only() {
    let mut scene = HubScene::subscribed().await;
    scene.reader.reply_to_deliveries(500, &[]);
    scene.publish_title("Northern Herald").await;
    scene.reader.delivery(1).await;
    let failed = scene.until_failures(1).await;
    assert_eq!(failed.last_failure, status_failure(500));
    assert_eq!(failed.next_attempt_at, scene.world.now() + SignedDuration::from_mins(1));
    scene.world.pass(SignedDuration::from_mins(1));
    scene.reader.delivery(2).await;
    let failed = scene.until_failures(2).await;
    assert_eq!(failed.next_attempt_at, scene.world.now() + SignedDuration::from_mins(2), "the delay doubles");

    scene.publish_title("Western Herald").await;
    scene.publish_title("Southern Herald").await;
    scene.world.stop().await;
    scene.change_title("Eastern Herald").await;
    scene.world.start().await;
    scene.reader.reply_to_deliveries(200, &[]);
    // A new subscriber gets a change while the retry of the other is not due.
    let other = FakeSubscriber::start().await;
    scene.request_for("subscribe", ATOM, &other.url("/"), &[]).await;
    scene.until_subscribers(2).await;
    scene.publish_title("Other Herald").await;
    other.delivery(1).await;
    assert_eq!(scene.reader.deliveries().len(), 2, "the retry is not due yet");
    scene.world.pass(SignedDuration::from_mins(2));
    let delivery = scene.reader.delivery(3).await;
    assert!(delivery.body.contains("Other Herald") && delivery.is_signed_with("a secret"));
    until("the delivery is recorded", async || scene.subscribers().await[0].failures == 0).await;
    scene.publish_title("New Herald").await;
    assert!(scene.reader.delivery(4).await.body.contains("New Herald"), "one delivery for each change again");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_of_a_subscriber_is_respected() {
    let mut scene = HubScene::subscribed().await;
    scene.reader.reply_to_deliveries(503, &[("retry-after", "1800")]);
    scene.publish_title("Northern Herald").await;
    scene.reader.delivery(1).await;
    let failed = scene.until_failures(1).await;
    assert_eq!(failed.next_attempt_at, scene.world.now() + SignedDuration::from_mins(30));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_neither_repeats_nor_loses_a_delivery() {
    let mut scene = HubScene::subscribed().await;
    scene.publish_title("Northern Herald").await;
    scene.reader.delivery(1).await;
    scene.until_deliveries(1).await;
    scene.world.stop().await;
    scene.world.start().await;
    scene.world.stop().await;
    scene.change_title("Western Herald").await;
    scene.world.start().await;
    assert!(scene.reader.delivery(2).await.body.contains("Western Herald"), "changed while the daemon was stopped");
    scene.until_deliveries(2).await;
    scene.publish_title("Eastern Herald").await;
    assert!(scene.reader.delivery(3).await.body.contains("Eastern Herald"));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn burst_of_changes_causes_one_delivery() {
    let mut scene = HubScene::subscribed().await;
    for title in ["Northern Herald", "Western Herald", "Eastern Herald"] {
        scene.change_title(title).await;
        scene.world.pass(SignedDuration::from_secs(3));
    }
    scene.world.pass(SignedDuration::from_secs(1));
    assert!(scene.reader.delivery(1).await.body.contains("Eastern Herald"));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callback_at_a_forbidden_address_gets_no_request_not_even_through_a_redirect() {
    let forbidden = FakeSubscriber::start_on("127.0.0.2:0").await;
    let mut scene = HubScene::started().await;
    for callback in [forbidden.url("/"), "http://169.254.169.254/latest".into(), "http://[::1]:8080/".into()] {
        assert_eq!(scene.request_for("subscribe", ATOM, &callback, &[]).await.0, 403, "{callback}");
    }
    // A verification and a delivery are redirected to the forbidden address.
    let redirecting = Origin::start().await;
    redirecting.serve("/redirect", Answer::redirect_by(307, &forbidden.url("/")));
    assert_eq!(scene.request_for("subscribe", ATOM, &redirecting.url("/redirect"), &[]).await.0, 202);
    scene.until_all_verified().await;
    assert_eq!((redirecting.count("/redirect"), scene.subscribers().await.len()), (1, 0));
    scene.request("subscribe", "/push", &[]).await;
    scene.until_subscribers(1).await;
    scene.reader.reply_to_deliveries(307, &[("location", &forbidden.url("/"))]);
    scene.publish_title("Northern Herald").await;
    assert_eq!(scene.until_failures(1).await.last_failure, status_failure(307));
    scene.world.stop().await;

    // The address of a subscriber is forbidden after it has subscribed.
    scene.world.config.fetch.allowed_networks.clear();
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_mins(1));
    let failed = scene.until_failures(2).await;
    let Some(WebSubFailure::NoResponse { error }) = failed.last_failure else { panic!("{:?}", failed.last_failure) };
    assert!(error.starts_with("127.0.0.1 is not a public address"), "{error}");
    assert_eq!((forbidden.verifications().len(), forbidden.deliveries().len()), (0, 0));
    assert_eq!(scene.reader.deliveries().len(), 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_subscribers_use_at_most_half_of_the_concurrent_requests() {
    let mut scene = HubScene::new().await;
    scene.world.config.fetch.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    scene.world.config.hub.concurrency = 2;
    scene.world.config.hub.callback_timeout = SignedDuration::from_secs(60);
    scene.start().await;
    let slow = [FakeSubscriber::start_on("127.0.0.2:0").await, FakeSubscriber::start_on("127.0.0.3:0").await];
    for subscriber in slow.iter().chain([&scene.reader]) {
        assert_eq!(scene.request_for("subscribe", ATOM, &subscriber.url("/"), &[]).await.0, 202);
    }
    scene.until_subscribers(3).await;
    slow.iter().for_each(|subscriber| subscriber.reply_to_deliveries(500, &[]));
    scene.publish_title("Northern Herald").await;
    scene.reader.delivery(1).await;
    until("two deliveries have failed", async || {
        scene.count("websub_subscriber WHERE failures = 1 AND last_failure ->> 'status' = 500") == 2
    })
    .await;
    slow.iter().for_each(|subscriber| subscriber.set_blocked(true));
    scene.publish_title("Western Herald").await;
    scene.world.pass(SignedDuration::from_mins(1));
    scene.reader.delivery(2).await;
    scene.publish_title("Eastern Herald").await;
    scene.reader.delivery(3).await;
    let waiting = || slow.iter().map(|subscriber| subscriber.deliveries().len()).sum::<usize>() - 2;
    until("a delivery to a slow subscriber is retried", async || waiting() > 0).await;
    assert_eq!(waiting(), 1, "the other slow subscriber waits for the first");
    scene.world.stop().await;
}

/// The documents of a newsfold without configured feeds: those that contain its story, and those that do not.
const CHANGING: [&str; 6] = ["all.atom", "all.json", "all.rss", "all.stable.atom", "all.stable.json", "all.stable.rss"];
const UNCHANGED: [&str; 7] =
    ["health.atom", "top.atom", "top.json", "top.rss", "top.stable.atom", "top.stable.json", "top.stable.rss"];

fn topics(requests: &[HubRequest]) -> Vec<String> {
    let mut topics: Vec<String> = requests.iter().map(|request| request.get("hub.topic").to_owned()).collect();
    topics.sort();
    topics
}

fn documents(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{BASE}/feeds/{name}")).collect()
}

/// A running newsfold without its own hub that has notified another hub of all its documents.
async fn scene_with_other_hub() -> (HubScene, FakeHub) {
    let (mut scene, hub) = (HubScene::new().await, FakeHub::start().await);
    scene.world.config.publish.own_hub = false;
    scene.world.config.publish.hubs = vec![Url::parse(hub.url()).unwrap()];
    scene.start().await;
    scene.world.pass(SignedDuration::from_secs(10));
    scene.until_hub_is_notified().await;
    (scene, hub)
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_hub_is_notified_once_of_each_changed_document() {
    let (mut scene, hub) = scene_with_other_hub().await;
    let requests = hub.requests();
    assert_eq!(
        topics(&requests).into_iter().collect::<BTreeSet<_>>(),
        documents(&[&CHANGING[..], &UNCHANGED[..]].concat()).into_iter().collect(),
        "a new hub is notified of every document"
    );
    let notification = &requests[0];
    assert_eq!(notification.get("hub.mode"), "publish");
    assert_eq!(notification.get("hub.url"), notification.get("hub.topic"));
    assert_eq!(notification.headers["content-type"], "application/x-www-form-urlencoded");

    let before = requests.len();
    for title in ["Northern Herald", "Western Herald", "Eastern Herald"] {
        scene.change_title(title).await;
    }
    scene.world.pass(SignedDuration::from_secs(10));
    scene.until_hub_is_notified().await;
    assert_eq!(topics(&hub.requests()[before..]), documents(&CHANGING), "a burst is one change");
    scene.world.stop().await;

    let before = hub.requests().len();
    scene.world.start().await;
    scene.publish_title("New Herald").await;
    scene.until_hub_is_notified().await;
    assert_eq!(topics(&hub.requests()[before..]), documents(&CHANGING), "a restart repeats no notification");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_notification_is_retried_after_a_restart() {
    let (mut scene, hub) = scene_with_other_hub().await;
    hub.respond_with(503, &[], "");
    let before = hub.requests().len();
    scene.publish_title("Southern Herald").await;
    until("the failures are recorded", async || {
        scene.count("hub_notification WHERE last_failure ->> 'status' = 503 AND failures = 1") == 6
    })
    .await;
    assert_eq!(topics(&hub.requests()[before..]), documents(&CHANGING));
    scene.world.stop().await;
    let config = format!("[publish]\nhubs = [\"{}\"]\n", hub.url());
    std::fs::write(scene.world.folder.path().join("config.toml"), config).unwrap();
    let table = scene.output(&["feed", "hubs"]);
    assert_eq!(table.lines().filter(|line| line.contains("HTTP status 503")).count(), 6, "{table}");
    let json: serde_json::Value = serde_json::from_str(&scene.output(&["feed", "hubs", "--json"])).unwrap();
    assert_eq!((json[0]["topic"].as_str(), json[0]["failures"].as_u64()), (Some(ATOM), Some(1)));
    hub.accept();
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_mins(1));
    scene.until_hub_is_notified().await;
    assert_eq!(topics(&hub.requests()[before + 6..]), documents(&CHANGING), "each is retried once");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newsfold_subscribes_at_the_hub_of_another_newsfold_and_receives_its_items() {
    // The publisher has its real address as base URL, so that the subscriber reaches its feed and its hub.
    let (mut publisher, origin) = (World::new(), Origin::start().await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    publisher.config.publish.base_url = Url::parse(&base).unwrap();
    publisher.config.publish.own_hub = true;
    origin.serve("/feed", Answer::ok(rss(&[GRID])));
    let source = publisher.add(&origin.url("/feed"), "news.example").await;
    publisher.start_on(listener).await;
    publisher.polled(source, 1).await;

    let mut subscriber = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    subscriber.config.publish.base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let topic = format!("{base}/feeds/all.atom");
    let feed = subscriber.add(&topic, "first.example").await;
    subscriber.start_on(listener).await;
    subscriber.polled(feed, 1).await;
    let subscription = async || subscriber.store.read(move |db| websub_subscriptions::get(db, feed)).await.unwrap();
    until("the hub has verified the subscription", async || {
        subscription().await.is_some_and(|subscription| subscription.state == SubscriptionState::Active)
    })
    .await;
    let now = publisher.now();
    until("the hub has recorded the subscriber", async || {
        let all = publisher.store.read(move |db| websub_subscribers::list(db, now)).await.unwrap();
        all.len() == 1 && all[0].topic == topic && all[0].delivered_hash.is_some()
    })
    .await;

    origin.serve("/feed", Answer::ok(rss(&[BANK, GRID])));
    next_poll(&publisher, source).await;
    publisher.pass(SignedDuration::from_secs(10));
    subscriber.polled(feed, 2).await;
    let record = subscriber.polls(feed).await[0].clone();
    assert_eq!((record.outcome, record.new_items, record.url.as_str()), (PollOutcome::Pushed, 1, topic.as_str()));
    assert!(subscriber.get("/feeds/all.atom").await.contains("Central bank lifts its rate"));
    assert_eq!(subscription().await.unwrap().rejected_pushes, 0, "the signature is valid");
    assert_eq!(subscriber.polls(feed).await.len(), 2, "there was no second poll");
    publisher.stop().await;
    subscriber.stop().await;
}
