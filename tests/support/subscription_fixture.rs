//! The fixture for tests of the WebSub subscriber: a newsfold instance that hubs can reach, a hub, and a feed that
//! declares the hub.

use super::fake_hub::{FakeHub, HubRequest, signature};
use super::origin_server::{OriginServer, StubResponse};
use super::test_daemon::TestDaemon;
use super::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{HubSubscription, SourceId, SubscriptionState};
use newsfold::store::websub_subscriptions;
use std::collections::HashSet;
use url::Url;

pub const TOPIC: &str = "https://news.example/feed?a=1&b=2";
pub const GRID: &str = "g1 | Grid fails across the northern coast | Power went out in Veshna";
pub const BANK: &str = "g2 | Central bank lifts its rate to four percent | The bank surprised markets";
pub const STORM: &str = "g3 | Storm closes every port of the island | Ferries stay in harbour";

pub struct SubscriptionFixture {
    pub daemon: TestDaemon,
    pub hub: FakeHub,
    pub origin: OriginServer,
    pub id: SourceId,
}

impl SubscriptionFixture {
    /// Creates the fixture. The daemon is not started.
    pub async fn new() -> SubscriptionFixture {
        let mut daemon = TestDaemon::new();
        daemon.config.publish.base_url = Url::parse("https://desk.example/news/").unwrap();
        let (hub, origin) = (FakeHub::start().await, OriginServer::start().await);
        let id = daemon.add_source(&origin.url("/feed"), "news.example").await;
        let fixture = SubscriptionFixture { daemon, hub, origin, id };
        fixture.serve(&[GRID]);
        fixture
    }

    /// Starts the daemon, polls the feed once, and waits for the subscribe request to the hub.
    pub async fn requested() -> (SubscriptionFixture, HubRequest) {
        let mut fixture = SubscriptionFixture::new().await;
        fixture.daemon.start().await;
        fixture.daemon.wait_for_polls(fixture.id, 1).await;
        let request = fixture.hub.request(1).await;
        (fixture, request)
    }

    /// Does the same as [`SubscriptionFixture::requested`], and the hub verifies the subscription with a lease of ten
    /// days.
    pub async fn subscribed() -> (SubscriptionFixture, HubRequest) {
        let (fixture, request) = SubscriptionFixture::requested().await;
        assert_eq!(fixture.verify(&request, "subscribe", "864000").await, (200, "a challenge".into()));
        assert_eq!(fixture.state().await, SubscriptionState::Active);
        (fixture, request)
    }

    /// Does the same as [`SubscriptionFixture::subscribed`], and delivers one push, which is stored.
    pub async fn pushed() -> (SubscriptionFixture, HubRequest) {
        let (fixture, request) = SubscriptionFixture::subscribed().await;
        assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 202);
        fixture.daemon.wait_for_polls(fixture.id, 2).await;
        (fixture, request)
    }

    pub fn serve(&self, items: &[&str]) {
        self.origin.serve("/feed", answer(items, self.hub.url()).header("etag", b"\"1\""));
    }

    /// Sends a verification request to the callback, as a hub does, without the base URL's path.
    pub async fn verify(&self, request: &HubRequest, mode: &str, lease: &str) -> (u16, String) {
        let query = [
            ("hub.mode", mode),
            ("hub.topic", request.get("hub.topic")),
            ("hub.challenge", "a challenge"),
            ("hub.lease_seconds", lease),
        ];
        self.get_callback(&request.token(), &query).await
    }

    pub async fn get_callback(&self, token: &str, query: &[(&str, &str)]) -> (u16, String) {
        let mut url = Url::parse(&format!("{}/websub/{token}", self.daemon.base)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn push(&self, request: &HubRequest, body: &str) -> u16 {
        let signature = signature(request.get("hub.secret"), body.as_bytes());
        self.push_signed(request, body, &[signature]).await
    }

    pub async fn push_signed(&self, request: &HubRequest, body: &str, signatures: &[String]) -> u16 {
        let url = format!("{}/websub/{}", self.daemon.base, request.token());
        let mut push = reqwest::Client::new().post(url).header("content-type", "application/rss+xml");
        for signature in signatures {
            push = push.header("x-hub-signature", signature);
        }
        push.body(body.to_owned()).send().await.unwrap().status().as_u16()
    }

    pub async fn subscription_of(&self, id: SourceId) -> Option<HubSubscription> {
        self.daemon.store.read(move |db| websub_subscriptions::get(db, id)).await.unwrap()
    }

    pub async fn subscription(&self) -> HubSubscription {
        self.subscription_of(self.id).await.expect("the feed has declared a hub")
    }

    pub async fn state(&self) -> SubscriptionState {
        self.subscription().await.state
    }

    pub async fn until_state(&self, state: SubscriptionState) -> HubSubscription {
        self.until_state_of(self.id, state).await
    }

    pub async fn until_state_of(&self, id: SourceId, state: SubscriptionState) -> HubSubscription {
        wait_until(&format!("the subscription is {}", state.into_str()), async || {
            self.subscription_of(id).await.is_some_and(|subscription| subscription.state == state)
        })
        .await;
        self.subscription_of(id).await.unwrap()
    }

    /// Returns the titles of all stories.
    pub async fn titles(&self) -> HashSet<String> {
        self.daemon.stories().await.iter().flat_map(|s| s.items.iter().map(|i| i.item.title.clone())).collect()
    }

    pub async fn time_to_next_poll(&self) -> SignedDuration {
        self.daemon.source(self.id).await.next_poll_at.duration_since(self.daemon.now())
    }

    /// Moves the clock to the next poll and waits for its record, which is the n-th record.
    pub async fn poll_next(&self, n: usize) {
        self.daemon.advance(self.time_to_next_poll().await);
        self.daemon.wait_for_polls(self.id, n).await;
    }
}

/// Returns a feed whose `Link` headers declare a hub.
pub fn answer(items: &[&str], hub: &str) -> StubResponse {
    let link = format!("<{hub}>; rel=\"hub\", <{TOPIC}>; rel=\"self\"");
    StubResponse::ok(rss(items)).header("link", link.as_bytes())
}

/// Returns a feed with `atom:link` elements.
pub fn with_links(items: &[&str], links: &[(&str, &str)]) -> String {
    let links: String = links
        .iter()
        .map(|(rel, href)| {
            format!("<atom:link xmlns:atom=\"http://www.w3.org/2005/Atom\" rel=\"{rel}\" href=\"{href}\"/>")
        })
        .collect();
    rss(items).replacen("<channel>", &format!("<channel>{links}"), 1)
}

pub fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

pub fn title(line: &str) -> String {
    line.split('|').nth(1).unwrap().trim().to_owned()
}
