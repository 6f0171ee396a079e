//! Tests deliveries by our own hub and notifications to other hubs, with real callbacks on loopback and the real
//! daemon: content, retries, and restarts (W3C WebSub, 23 January 2018, sections 6 and 7).

use crate::support::fake_hub::{FakeHub, HubRequest};
use crate::support::fake_subscriber::FakeSubscriber;
use crate::support::hub_fixture::{ATOM, BASE, GRID, HubFixture, JSON};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::subscription_fixture::{BANK, hours};
use crate::support::test_daemon::{TestDaemon, run_next_poll};
use crate::support::{rss, wait_until};
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
    let mut fixture = HubFixture::started().await;
    let callback = "/push?id=7&x=%20y";
    let (status, text) = fixture.request("subscribe", callback, &[("hub.secret", "a secret")]).await;
    assert_eq!((status, text.as_str()), (202, "The hub will send a verification request to your callback.\n"));
    let first = fixture.reader.verification(1).await;
    assert!(first.target.starts_with(&format!("{callback}&hub.mode=subscribe&")), "{}", first.target);
    assert_eq!((first.get("hub.topic"), first.get("hub.lease_seconds")), (ATOM, "864000"));
    fixture.until_subscribers(1).await;
    assert_eq!(fixture.subscriber().await.lease_until, fixture.daemon.now() + hours(240));
    assert_eq!(fixture.reader.deliveries().len(), 0, "the current document is not delivered");

    fixture.publish_title("Northern Herald").await;
    let delivery = fixture.reader.delivery(1).await;
    assert_eq!(delivery.target, callback);
    assert_eq!(delivery.header("content-type"), "application/atom+xml; charset=utf-8");
    assert_eq!(delivery.header("link"), format!("<{BASE}/hub>; rel=\"hub\", <{ATOM}>; rel=\"self\""));
    assert!(delivery.is_signed_with("a secret"), "{}", delivery.header("x-hub-signature"));
    assert!(delivery.body.contains("Northern Herald"));
    assert_eq!(delivery.body, fixture.daemon.get("/feeds/all.atom").await);
    fixture.until_deliveries(1).await;

    // Each format is a separate topic. Without a secret, a delivery has no signature.
    let other = FakeSubscriber::start().await;
    assert_eq!(fixture.request_for("subscribe", JSON, &other.url("/"), &[("hub.lease_seconds", "7200")]).await.0, 202);
    let second = other.verification(1).await;
    assert_eq!(second.get("hub.lease_seconds"), "7200");
    assert_ne!(second.get("hub.challenge"), first.get("hub.challenge"));
    for verification in [&first, &second] {
        assert_eq!(verification.get("hub.challenge").len(), 64, "256 bits in hexadecimal");
    }
    fixture.until_subscribers(2).await;
    fixture.publish_title("Western Herald").await;
    let delivery = other.delivery(1).await;
    assert_eq!(delivery.header("content-type"), "application/feed+json; charset=utf-8");
    assert!(delivery.headers.get("x-hub-signature").is_none());
    assert!(fixture.reader.delivery(2).await.body.contains("Western Herald"));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callback_that_answers_410_is_removed() {
    let mut fixture = HubFixture::subscribed().await;
    fixture.reader.reply_to_deliveries(410, &[]);
    fixture.publish_title("Northern Herald").await;
    fixture.reader.delivery(1).await;
    wait_until("the subscriber is removed", async || fixture.subscribers().await.is_empty()).await;
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_delivery_is_retried_after_a_restart_with_the_newest_version_only() {
    let mut fixture = HubFixture::subscribed().await;
    fixture.reader.reply_to_deliveries(500, &[]);
    fixture.publish_title("Northern Herald").await;
    fixture.reader.delivery(1).await;
    let failed = fixture.until_failures(1).await;
    assert_eq!(failed.last_failure, status_failure(500));
    assert_eq!(failed.next_attempt_at, fixture.daemon.now() + SignedDuration::from_mins(1));
    fixture.daemon.advance(SignedDuration::from_mins(1));
    fixture.reader.delivery(2).await;
    let failed = fixture.until_failures(2).await;
    assert_eq!(failed.next_attempt_at, fixture.daemon.now() + SignedDuration::from_mins(2), "the delay doubles");

    fixture.publish_title("Western Herald").await;
    fixture.publish_title("Southern Herald").await;
    fixture.daemon.stop().await;
    fixture.change_title("Eastern Herald").await;
    fixture.daemon.start().await;
    fixture.reader.reply_to_deliveries(200, &[]);
    // A new subscriber gets a change before the retry for the other subscriber is due.
    let other = FakeSubscriber::start().await;
    fixture.request_for("subscribe", ATOM, &other.url("/"), &[]).await;
    fixture.until_subscribers(2).await;
    fixture.publish_title("Other Herald").await;
    other.delivery(1).await;
    assert_eq!(fixture.reader.deliveries().len(), 2, "the retry is not due yet");
    fixture.daemon.advance(SignedDuration::from_mins(2));
    let delivery = fixture.reader.delivery(3).await;
    assert!(delivery.body.contains("Other Herald") && delivery.is_signed_with("a secret"));
    wait_until("the delivery is recorded", async || fixture.subscribers().await[0].failures == 0).await;
    fixture.publish_title("New Herald").await;
    assert!(fixture.reader.delivery(4).await.body.contains("New Herald"), "one delivery for each change again");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_of_a_subscriber_is_respected() {
    let mut fixture = HubFixture::subscribed().await;
    fixture.reader.reply_to_deliveries(503, &[("retry-after", "1800")]);
    fixture.publish_title("Northern Herald").await;
    fixture.reader.delivery(1).await;
    let failed = fixture.until_failures(1).await;
    assert_eq!(failed.next_attempt_at, fixture.daemon.now() + SignedDuration::from_mins(30));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_neither_repeats_nor_loses_a_delivery() {
    let mut fixture = HubFixture::subscribed().await;
    fixture.publish_title("Northern Herald").await;
    fixture.reader.delivery(1).await;
    fixture.until_deliveries(1).await;
    fixture.daemon.stop().await;
    fixture.daemon.start().await;
    fixture.daemon.stop().await;
    fixture.change_title("Western Herald").await;
    fixture.daemon.start().await;
    assert!(fixture.reader.delivery(2).await.body.contains("Western Herald"), "changed while the daemon was stopped");
    fixture.until_deliveries(2).await;
    fixture.publish_title("Eastern Herald").await;
    assert!(fixture.reader.delivery(3).await.body.contains("Eastern Herald"));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn burst_of_changes_causes_one_delivery() {
    let mut fixture = HubFixture::subscribed().await;
    for title in ["Northern Herald", "Western Herald", "Eastern Herald"] {
        fixture.change_title(title).await;
        fixture.daemon.advance(SignedDuration::from_secs(3));
    }
    fixture.daemon.advance(SignedDuration::from_secs(1));
    assert!(fixture.reader.delivery(1).await.body.contains("Eastern Herald"));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callback_at_a_forbidden_address_gets_no_request_not_even_through_a_redirect() {
    let forbidden = FakeSubscriber::start_on("127.0.0.2:0").await;
    let mut fixture = HubFixture::started().await;
    for callback in [forbidden.url("/"), "http://169.254.169.254/latest".into(), "http://[::1]:8080/".into()] {
        assert_eq!(fixture.request_for("subscribe", ATOM, &callback, &[]).await.0, 403, "{callback}");
    }
    // Redirect a verification and a delivery to the forbidden address.
    let redirecting = OriginServer::start().await;
    redirecting.serve("/redirect", StubResponse::redirect_with_status(307, &forbidden.url("/")));
    assert_eq!(fixture.request_for("subscribe", ATOM, &redirecting.url("/redirect"), &[]).await.0, 202);
    fixture.until_all_verified().await;
    assert_eq!((redirecting.request_count("/redirect"), fixture.subscribers().await.len()), (1, 0));
    fixture.request("subscribe", "/push", &[]).await;
    fixture.until_subscribers(1).await;
    fixture.reader.reply_to_deliveries(307, &[("location", &forbidden.url("/"))]);
    fixture.publish_title("Northern Herald").await;
    assert_eq!(fixture.until_failures(1).await.last_failure, status_failure(307));
    fixture.daemon.stop().await;

    // The address of a subscriber becomes forbidden after it has subscribed.
    fixture.daemon.config.fetch.allowed_networks.clear();
    fixture.daemon.start().await;
    fixture.daemon.advance(SignedDuration::from_mins(1));
    let failed = fixture.until_failures(2).await;
    let Some(WebSubFailure::NoResponse { error }) = failed.last_failure else { panic!("{:?}", failed.last_failure) };
    assert!(error.starts_with("127.0.0.1 is not a public address"), "{error}");
    assert_eq!((forbidden.verifications().len(), forbidden.deliveries().len()), (0, 0));
    assert_eq!(fixture.reader.deliveries().len(), 1);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_subscribers_use_at_most_half_of_the_concurrent_requests() {
    let mut fixture = HubFixture::new().await;
    fixture.daemon.config.fetch.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    fixture.daemon.config.hub.concurrency = 2;
    fixture.daemon.config.hub.callback_timeout = SignedDuration::from_secs(60);
    fixture.start().await;
    let slow = [FakeSubscriber::start_on("127.0.0.2:0").await, FakeSubscriber::start_on("127.0.0.3:0").await];
    for subscriber in slow.iter().chain([&fixture.reader]) {
        assert_eq!(fixture.request_for("subscribe", ATOM, &subscriber.url("/"), &[]).await.0, 202);
    }
    fixture.until_subscribers(3).await;
    slow.iter().for_each(|subscriber| subscriber.reply_to_deliveries(500, &[]));
    fixture.publish_title("Northern Herald").await;
    fixture.reader.delivery(1).await;
    wait_until("two deliveries have failed", async || {
        fixture.row_count("websub_subscriber WHERE failures = 1 AND last_failure ->> 'status' = 500") == 2
    })
    .await;
    slow.iter().for_each(|subscriber| subscriber.set_blocked(true));
    fixture.publish_title("Western Herald").await;
    fixture.daemon.advance(SignedDuration::from_mins(1));
    fixture.reader.delivery(2).await;
    fixture.publish_title("Eastern Herald").await;
    fixture.reader.delivery(3).await;
    let waiting = || slow.iter().map(|subscriber| subscriber.deliveries().len()).sum::<usize>() - 2;
    wait_until("a delivery to a slow subscriber is retried", async || waiting() > 0).await;
    assert_eq!(waiting(), 1, "the other slow subscriber waits for the first");
    fixture.daemon.stop().await;
}

/// The documents of a newsfold instance without configured feeds: first the documents that contain its story, then the
/// others.
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

/// Returns a running newsfold instance that does not have its own hub and has notified another hub of all its
/// documents.
async fn scene_with_other_hub() -> (HubFixture, FakeHub) {
    let (mut fixture, hub) = (HubFixture::new().await, FakeHub::start().await);
    fixture.daemon.config.publish.own_hub = false;
    fixture.daemon.config.publish.hubs = vec![Url::parse(hub.url()).unwrap()];
    fixture.start().await;
    fixture.daemon.advance(SignedDuration::from_secs(10));
    fixture.until_hub_is_notified().await;
    (fixture, hub)
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_hub_is_notified_once_of_each_changed_document() {
    let (mut fixture, hub) = scene_with_other_hub().await;
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
        fixture.change_title(title).await;
    }
    fixture.daemon.advance(SignedDuration::from_secs(10));
    fixture.until_hub_is_notified().await;
    assert_eq!(topics(&hub.requests()[before..]), documents(&CHANGING), "a burst is one change");
    fixture.daemon.stop().await;

    let before = hub.requests().len();
    fixture.daemon.start().await;
    fixture.publish_title("New Herald").await;
    fixture.until_hub_is_notified().await;
    assert_eq!(topics(&hub.requests()[before..]), documents(&CHANGING), "a restart repeats no notification");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_notification_is_retried_after_a_restart() {
    let (mut fixture, hub) = scene_with_other_hub().await;
    hub.respond_with(503, &[], "");
    let before = hub.requests().len();
    fixture.publish_title("Southern Herald").await;
    wait_until("the failures are recorded", async || {
        fixture.row_count("hub_notification WHERE last_failure ->> 'status' = 503 AND failures = 1") == 6
    })
    .await;
    assert_eq!(topics(&hub.requests()[before..]), documents(&CHANGING));
    fixture.daemon.stop().await;
    let config = format!("[publish]\nhubs = [\"{}\"]\n", hub.url());
    std::fs::write(fixture.daemon.folder.path().join("config.toml"), config).unwrap();
    let table = fixture.output(&["feed", "hubs"]);
    assert_eq!(table.lines().filter(|line| line.contains("HTTP status 503")).count(), 6, "{table}");
    let json: serde_json::Value = serde_json::from_str(&fixture.output(&["feed", "hubs", "--json"])).unwrap();
    assert_eq!((json[0]["topic"].as_str(), json[0]["failures"].as_u64()), (Some(ATOM), Some(1)));
    hub.accept();
    fixture.daemon.start().await;
    fixture.daemon.advance(SignedDuration::from_mins(1));
    fixture.until_hub_is_notified().await;
    assert_eq!(topics(&hub.requests()[before + 6..]), documents(&CHANGING), "each is retried once");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newsfold_subscribes_at_the_hub_of_another_newsfold_and_receives_its_items() {
    // The base URL is the publisher's real address, so that the subscriber can reach its feed and its hub.
    let (mut publisher, origin) = (TestDaemon::new(), OriginServer::start().await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    publisher.config.publish.base_url = Url::parse(&base).unwrap();
    publisher.config.publish.own_hub = true;
    origin.serve("/feed", StubResponse::ok(rss(&[GRID])));
    let source = publisher.add_source(&origin.url("/feed"), "news.example").await;
    publisher.start_on(listener).await;
    publisher.wait_for_polls(source, 1).await;

    let mut subscriber = TestDaemon::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    subscriber.config.publish.base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let topic = format!("{base}/feeds/all.atom");
    let feed = subscriber.add_source(&topic, "first.example").await;
    subscriber.start_on(listener).await;
    subscriber.wait_for_polls(feed, 1).await;
    let subscription = async || subscriber.store.read(move |db| websub_subscriptions::get(db, feed)).await.unwrap();
    wait_until("the hub has verified the subscription", async || {
        subscription().await.is_some_and(|subscription| subscription.state == SubscriptionState::Active)
    })
    .await;
    let now = publisher.now();
    wait_until("the hub has recorded the subscriber", async || {
        let all = publisher.store.read(move |db| websub_subscribers::list(db, now)).await.unwrap();
        all.len() == 1 && all[0].topic == topic && all[0].delivered_hash.is_some()
    })
    .await;

    origin.serve("/feed", StubResponse::ok(rss(&[BANK, GRID])));
    run_next_poll(&publisher, source).await;
    publisher.advance(SignedDuration::from_secs(10));
    subscriber.wait_for_polls(feed, 2).await;
    let record = subscriber.polls(feed).await[0].clone();
    assert_eq!((record.outcome, record.new_items, record.url.as_str()), (PollOutcome::Pushed, 1, topic.as_str()));
    assert!(subscriber.get("/feeds/all.atom").await.contains("Central bank lifts its rate"));
    assert_eq!(subscription().await.unwrap().rejected_pushes, 0, "the signature is valid");
    assert_eq!(subscriber.polls(feed).await.len(), 2, "there was no second poll");
    publisher.stop().await;
    subscriber.stop().await;
}
