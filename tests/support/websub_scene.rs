//! The scene of WebSub: a world that hubs can reach, a hub, and a feed that names it.

use super::fake_hub::{Hub, Request, signature};
use super::origin::{Answer, Origin};
use super::world::World;
use super::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{HubSubscription, SourceId, SubscriptionState};
use newsfold::store::websub_subscriptions;
use std::collections::HashSet;
use url::Url;

pub const TOPIC: &str = "https://news.example/feed?a=1&b=2";
pub const GRID: &str = "g1 | Grid fails across the northern coast | Power went out in Veshna";
pub const BANK: &str = "g2 | Central bank lifts its rate to four percent | The bank surprised markets";
pub const STORM: &str = "g3 | Storm closes every port of the island | Ferries stay in harbour";

/// A world that hubs can reach, a hub, and a feed that names it.
pub struct Scene {
    pub world: World,
    pub hub: Hub,
    pub origin: Origin,
    pub id: SourceId,
}

impl Scene {
    /// Nothing runs yet.
    pub async fn set() -> Scene {
        let mut world = World::new();
        world.config.publish.base_url = Url::parse("https://desk.example/news/").unwrap();
        let (hub, origin) = (Hub::start().await, Origin::start().await);
        let id = world.add(&origin.url("/feed"), "news.example").await;
        let scene = Scene { world, hub, origin, id };
        scene.serve(&[GRID]);
        scene
    }

    /// The feed was polled once and the hub asked.
    pub async fn asked() -> (Scene, Request) {
        let mut scene = Scene::set().await;
        scene.world.start().await;
        scene.world.polled(scene.id, 1).await;
        let request = scene.hub.request(1).await;
        (scene, request)
    }

    /// And the hub has verified it, for ten days.
    pub async fn subscribed() -> (Scene, Request) {
        let (scene, request) = Scene::asked().await;
        assert_eq!(scene.verify(&request, "subscribe", "864000").await, (200, "a challenge".into()));
        assert_eq!(scene.state().await, SubscriptionState::Active);
        (scene, request)
    }

    /// And one push was stored.
    pub async fn pushed() -> (Scene, Request) {
        let (scene, request) = Scene::subscribed().await;
        assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
        scene.world.polled(scene.id, 2).await;
        (scene, request)
    }

    pub fn serve(&self, items: &[&str]) {
        self.origin.serve("/feed", answer(items, self.hub.url()).header("etag", b"\"1\""));
    }

    /// Asks our callback as a hub does, through a proxy that takes the base URL's path away.
    pub async fn verify(&self, request: &Request, mode: &str, lease: &str) -> (u16, String) {
        let query = [
            ("hub.mode", mode),
            ("hub.topic", request.get("hub.topic")),
            ("hub.challenge", "a challenge"),
            ("hub.lease_seconds", lease),
        ];
        self.ask(&request.token(), &query).await
    }

    pub async fn ask(&self, token: &str, query: &[(&str, &str)]) -> (u16, String) {
        let mut url = Url::parse(&format!("{}/websub/{token}", self.world.base)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn push(&self, request: &Request, body: &str) -> u16 {
        let signature = signature(request.get("hub.secret"), body.as_bytes());
        self.push_signed(request, body, &[signature]).await
    }

    pub async fn push_signed(&self, request: &Request, body: &str, signatures: &[String]) -> u16 {
        let url = format!("{}/websub/{}", self.world.base, request.token());
        let mut push = reqwest::Client::new().post(url).header("content-type", "application/rss+xml");
        for signature in signatures {
            push = push.header("x-hub-signature", signature);
        }
        push.body(body.to_owned()).send().await.unwrap().status().as_u16()
    }

    pub async fn hub_of(&self, id: SourceId) -> Option<HubSubscription> {
        self.world.store.read(move |db| websub_subscriptions::get(db, id)).await.unwrap()
    }

    pub async fn subscription(&self) -> HubSubscription {
        self.hub_of(self.id).await.expect("the feed declared a hub")
    }

    pub async fn state(&self) -> SubscriptionState {
        self.subscription().await.state
    }

    pub async fn until_state(&self, state: SubscriptionState) -> HubSubscription {
        until(&format!("it is {}", state.as_str()), async || self.state().await == state).await;
        self.subscription().await
    }

    /// The titles of all stories.
    pub async fn titles(&self) -> HashSet<String> {
        self.world.stories().await.iter().flat_map(|s| s.items.iter().map(|i| i.item.title.clone())).collect()
    }

    /// From the end of the last poll or now, whichever is later, to the next one.
    pub async fn until_next_poll(&self) -> SignedDuration {
        self.world.source(self.id).await.next_poll_at.duration_since(self.world.now())
    }

    /// The clock goes on to the next poll, which is the n-th record.
    pub async fn poll_next(&self, n: usize) {
        self.world.pass(self.until_next_poll().await);
        self.world.polled(self.id, n).await;
    }
}

/// A feed whose server names its hub.
pub fn answer(items: &[&str], hub: &str) -> Answer {
    let link = format!("<{hub}>; rel=\"hub\", <{TOPIC}>; rel=\"self\"");
    Answer::ok(rss(items)).header("link", link.as_bytes())
}

/// A feed with links of its own in the document.
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
