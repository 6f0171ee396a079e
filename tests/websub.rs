//! WebSub with a real hub on loopback and the real daemon: what is asked, what is confirmed, what is believed, and when
//! polls become a safety net (W3C WebSub, 23 January 2018).

mod support;

use jiff::SignedDuration;
use newsfold::model::{Outcome, SourceId, SourceState, Subscription, SubscriptionState};
use newsfold::store::{hubs, sources};
use std::collections::HashSet;
use support::hub::{Hub, Request, signature};
use support::origin::{Answer, Origin};
use support::world::World;
use support::{rss, until};
use tokio::net::TcpListener;
use url::Url;

const TOPIC: &str = "https://news.example/feed?a=1&b=2";
const GRID: &str = "g1 | Grid fails across the northern coast | Power went out in Veshna";
const BANK: &str = "g2 | Central bank lifts its rate to four percent | The bank surprised markets";
const STORM: &str = "g3 | Storm closes every port of the island | Ferries stay in harbour";

/// A world that hubs can reach, a hub, and a feed that names it.
struct Scene {
    world: World,
    hub: Hub,
    origin: Origin,
    id: SourceId,
}

impl Scene {
    /// Nothing runs yet.
    async fn set() -> Scene {
        let mut world = World::new();
        world.config.publish.base_url = Url::parse("https://desk.example/news/").unwrap();
        let (hub, origin) = (Hub::start().await, Origin::start().await);
        let id = world.add(&origin.url("/feed"), "news.example").await;
        let scene = Scene { world, hub, origin, id };
        scene.serve(&[GRID]);
        scene
    }

    /// The feed was polled once and the hub asked.
    async fn asked() -> (Scene, Request) {
        let mut scene = Scene::set().await;
        scene.world.start().await;
        scene.world.polled(scene.id, 1).await;
        let request = scene.hub.request(1).await;
        (scene, request)
    }

    /// And the hub has verified it, for ten days.
    async fn subscribed() -> (Scene, Request) {
        let (scene, request) = Scene::asked().await;
        assert_eq!(scene.verify(&request, "subscribe", "864000").await, (200, "a challenge".into()));
        assert_eq!(scene.state().await, SubscriptionState::Active);
        (scene, request)
    }

    /// And one push was stored.
    async fn pushed() -> (Scene, Request) {
        let (scene, request) = Scene::subscribed().await;
        assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
        scene.world.polled(scene.id, 2).await;
        (scene, request)
    }

    fn serve(&self, items: &[&str]) {
        self.origin.serve("/feed", answer(items, self.hub.url()));
    }

    /// Asks our callback as a hub does, through a proxy that takes the base URL's path away.
    async fn verify(&self, request: &Request, mode: &str, lease: &str) -> (u16, String) {
        let query = [
            ("hub.mode", mode),
            ("hub.topic", request.get("hub.topic")),
            ("hub.challenge", "a challenge"),
            ("hub.lease_seconds", lease),
        ];
        self.ask(&request.token(), &query).await
    }

    async fn ask(&self, token: &str, query: &[(&str, &str)]) -> (u16, String) {
        let mut url = Url::parse(&format!("{}/websub/{token}", self.world.base)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn push(&self, request: &Request, body: &str) -> u16 {
        let signature = signature(request.get("hub.secret"), body.as_bytes());
        self.push_signed(request, body, &[signature]).await
    }

    async fn push_signed(&self, request: &Request, body: &str, signatures: &[String]) -> u16 {
        let url = format!("{}/websub/{}", self.world.base, request.token());
        let mut push = reqwest::Client::new().post(url).header("content-type", "application/rss+xml");
        for signature in signatures {
            push = push.header("x-hub-signature", signature);
        }
        push.body(body.to_owned()).send().await.unwrap().status().as_u16()
    }

    async fn hub_of(&self, id: SourceId) -> Option<Subscription> {
        self.world.store.read(move |db| hubs::of(db, id)).await.unwrap()
    }

    async fn subscription(&self) -> Subscription {
        self.hub_of(self.id).await.expect("the feed declared a hub")
    }

    async fn state(&self) -> SubscriptionState {
        self.subscription().await.state
    }

    async fn until_state(&self, state: SubscriptionState) -> Subscription {
        until(&format!("it is {}", state.as_str()), async || self.state().await == state).await;
        self.subscription().await
    }

    /// The titles of all stories.
    async fn titles(&self) -> HashSet<String> {
        self.world.stories().await.iter().flat_map(|s| s.items.iter().map(|i| i.item.title.clone())).collect()
    }

    /// From the end of the last poll or now, whichever is later, to the next one.
    async fn until_next_poll(&self) -> SignedDuration {
        self.world.source(self.id).await.next_poll_at.duration_since(self.world.now())
    }

    /// The clock goes on to the next poll, which is the n-th record.
    async fn poll_next(&self, n: usize) {
        self.world.pass(self.until_next_poll().await);
        self.world.polled(self.id, n).await;
    }
}

/// A feed whose server names its hub.
fn answer(items: &[&str], hub: &str) -> Answer {
    let link = format!("<{hub}>; rel=\"hub\", <{TOPIC}>; rel=\"self\"");
    Answer::ok(rss(items)).header("link", link.as_bytes()).header("etag", b"\"1\"")
}

/// A feed with links of its own in the document.
fn with_links(items: &[&str], links: &[(&str, &str)]) -> String {
    let links: String = links
        .iter()
        .map(|(rel, href)| {
            format!("<atom:link xmlns:atom=\"http://www.w3.org/2005/Atom\" rel=\"{rel}\" href=\"{href}\"/>")
        })
        .collect();
    rss(items).replacen("<channel>", &format!("<channel>{links}"), 1)
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

fn title(line: &str) -> String {
    line.split('|').nth(1).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_declared_hub_pushes_is_a_story_without_a_poll() {
    let (mut scene, request) = Scene::asked().await;
    assert_eq!(request.get("hub.mode"), "subscribe");
    assert_eq!(request.get("hub.topic"), TOPIC);
    assert_eq!(request.get("hub.lease_seconds"), "864000");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(request.headers.get("cookie").is_none() && request.headers.get("referer").is_none());
    assert!(request.get("hub.callback").starts_with("https://desk.example/news/websub/"));
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 404, "not before it was verified");
    assert_eq!(scene.verify(&request, "subscribe", "864000").await, (200, "a challenge".into()));
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(BANK)]));
    assert!(scene.world.get("/feeds/all.atom").await.contains(&title(BANK)));
    let polls = scene.world.polls(scene.id).await;
    assert_eq!((polls[0].outcome, polls[0].new_items, polls[0].url.as_str()), (Outcome::Pushed, 1, TOPIC));
    assert_eq!(scene.origin.count("/feed"), 1, "nobody asked the origin again");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_goes_before_what_the_document_says_and_a_self_is_needed() {
    let (mut scene, other) = (Scene::set().await, Hub::start().await);
    let add = |path: &str, answer: Answer| {
        scene.origin.serve(path, answer);
        scene.origin.url(path)
    };
    let embedded = [("hub", other.url()), ("self", "https://news.example/embedded")];
    let both = add("/both", answer(&[GRID], scene.hub.url()));
    scene.origin.serve(
        "/both",
        Answer::ok(with_links(&[GRID], &embedded))
            .header("link", format!("<{}>; rel=hub", scene.hub.url()).as_bytes())
            .header("link", b"<https://news.example/header>; rel=self"),
    );
    let document = add("/document", Answer::ok(with_links(&[GRID], &embedded)));
    let no_self = add("/no-self", Answer::ok(with_links(&[GRID], &embedded[..1])));
    let no_hub = add("/no-hub", Answer::ok(with_links(&[GRID], &embedded[1..])));
    scene.origin.serve("/feed", Answer::ok(rss(&[GRID])));
    let mut ids = Vec::new();
    for url in [both, document, no_self, no_hub] {
        ids.push(scene.world.add(&url, "news.example").await);
    }
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_secs(60));
    for id in &ids {
        scene.world.polled(*id, 1).await;
    }
    assert_eq!(scene.hub.request(1).await.get("hub.topic"), "https://news.example/header");
    assert_eq!(other.request(1).await.get("hub.topic"), "https://news.example/embedded");
    assert!(scene.hub_of(ids[2]).await.is_none(), "without a self there is nothing to ask for");
    assert!(scene.hub_of(ids[3]).await.is_none());
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_pending_is_confirmed() {
    let (mut scene, request) = Scene::asked().await;
    let token = request.token();
    let query = |mode, topic| [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "a challenge")];
    for (token, query, why) in [
        ("f".repeat(64), query("subscribe", TOPIC), "another token"),
        ("short".into(), query("subscribe", TOPIC), "no token"),
        (token.clone(), query("subscribe", "https://news.example/other"), "another topic"),
        (token.clone(), query("unsubscribe", TOPIC), "another mode"),
        (token.clone(), query("publish", TOPIC), "no mode of a subscriber"),
    ] {
        assert_eq!(scene.ask(&token, &query).await.0, 404, "{why}");
    }
    let unchallenged = &query("subscribe", TOPIC)[..2];
    assert_eq!(scene.ask(&token, unchallenged).await.0, 404, "no challenge");
    assert_eq!(scene.state().await, SubscriptionState::Asked);

    let url =
        format!("{}{}?hub.mode=subscribe&hub.challenge=%3Cscript%3E", scene.world.base, "/websub/".to_owned() + &token);
    let mut url = Url::parse(&url).unwrap();
    url.query_pairs_mut().append_pair("hub.topic", TOPIC).append_pair("hub.lease_seconds", "864000");
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.text().await.unwrap(), "<script>", "echoed as text");
    for mode in ["subscribe", "unsubscribe"] {
        assert_eq!(scene.verify(&request, mode, "864000").await.0, 404, "{mode} is not pending any more");
    }
    let known = scene.subscription().await;
    assert_eq!(known.lease_until, Some(scene.world.now() + hours(240)));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_the_hub_has_not_signed_is_answered_and_ignored() {
    let (mut scene, request) = Scene::subscribed().await;
    let body = rss(&[STORM]);
    let good = signature(request.get("hub.secret"), body.as_bytes());
    let of_another = signature("another secret", body.as_bytes());
    let unknown = good.replace("sha256", "md5");
    let cut = good[..20].to_owned();
    let wrong = [vec![], vec![of_another], vec![unknown], vec![cut], vec![good.clone(), good]];
    for signatures in &wrong {
        assert_eq!(scene.push_signed(&request, &body, signatures).await, 202, "{signatures:?}");
    }
    // What comes after them is read after them: had they been taken, they would be there.
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(BANK)]));
    let known = scene.subscription().await;
    assert_eq!((known.pushes, known.ignored), (1, wrong.len() as u64));
    assert_eq!(scene.world.polls(scene.id).await.len(), 2);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_a_part_loses_nothing_and_moves_nothing_of_the_polling() {
    let mut scene = Scene::set().await;
    scene.serve(&[GRID, STORM]);
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let request = scene.hub.request(1).await;
    scene.verify(&request, "subscribe", "864000").await;
    let before = scene.world.source(scene.id).await;
    assert!(before.validators.is_some());
    scene.world.pass(SignedDuration::from_mins(1));
    // Of three items it holds one new and one changed; it says another ttl, title and language than the feed.
    let changed = "g1 | Grid fails across the northern coast | Power is back in Veshna";
    let body = rss(&[BANK, changed]).replace("<title>News</title>", "<title>Part</title><ttl>600</ttl>");
    assert_eq!(scene.push(&request, &body).await, 202);
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(STORM), title(BANK)]));
    let after = scene.world.source(scene.id).await;
    assert_eq!(after.validators, before.validators);
    assert_eq!((after.next_poll_at, after.next_reason), (before.next_poll_at, before.next_reason));
    assert_eq!(
        (after.last_poll_at, after.ttl_minutes, after.title),
        (before.last_poll_at, before.ttl_minutes, before.title)
    );
    let record = scene.world.polls(scene.id).await[0].clone();
    assert_eq!((record.outcome, record.new_items, record.changed_items), (Outcome::Pushed, 1, 1));
    scene.poll_next(3).await;
    let asked = scene.origin.requests();
    assert_eq!(asked[1].header("if-none-match"), Some(b"\"1\"".to_vec()));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_news_from_poll_and_pushes_is_there_once() {
    let (mut scene, request) = Scene::subscribed().await;
    for n in 0..3 {
        assert_eq!(scene.push(&request, &rss(&[BANK, GRID])).await, 202);
        scene.world.polled(scene.id, 2 + n).await;
    }
    scene.origin.serve("/feed", answer(&[BANK, GRID], scene.hub.url()).header("x-changed", b"1"));
    scene.poll_next(5).await;
    let stories = scene.world.stories().await;
    assert_eq!(stories.iter().map(|story| story.items.len()).sum::<usize>(), 2);
    let new: Vec<u32> = scene.world.polls(scene.id).await.iter().rev().map(|poll| poll.new_items).collect();
    assert_eq!(new, [1, 1, 0, 0, 0]);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_no_feed_is_recorded_with_what_was_wrong() {
    let (mut scene, request) = Scene::subscribed().await;
    assert_eq!(scene.push(&request, "no feed at all").await, 202);
    scene.world.polled(scene.id, 2).await;
    let record = scene.world.polls(scene.id).await[0].clone();
    assert_eq!(record.outcome, Outcome::NotAFeed);
    assert!(record.detail.starts_with("pushed by its hub: the document is no feed"), "{}", record.detail);
    let source = scene.world.source(scene.id).await;
    assert_eq!((source.failures, source.last_problem.as_str()), (0, ""), "no fault of the source's server");
    assert!(!scene.subscription().await.trusted);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_half_way_by_the_same_callback() {
    let (mut scene, first) = Scene::subscribed().await;
    let start = scene.world.now();
    assert_eq!(scene.subscription().await.next_at, Some(start + hours(120)));
    scene.world.pass(hours(120));
    let renewal = scene.hub.request(2).await;
    for field in ["hub.mode", "hub.callback", "hub.topic", "hub.secret"] {
        assert_eq!(renewal.get(field), first.get(field), "{field}");
    }
    assert_eq!(scene.push(&first, &rss(&[BANK])).await, 202, "it stays active meanwhile");
    assert_eq!(scene.verify(&renewal, "subscribe", "864000").await.0, 200);
    let known = scene.subscription().await;
    assert_eq!((known.state, known.lease_until), (SubscriptionState::Active, Some(start + hours(360))));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_renews_no_more_is_asked_ever_more_rarely_and_its_lease_ends() {
    let (mut scene, request) = Scene::pushed().await;
    let start = scene.world.now();
    scene.poll_next(3).await;
    assert!(scene.subscription().await.trusted);
    scene.hub.answer(503, &[("retry-after", "7200"), ("content-type", "text/plain")], "busy\nnow");
    scene.world.pass(hours(120));
    scene.hub.request(2).await;
    until("the refusal is written down", async || !scene.subscription().await.detail.contains("not answered")).await;
    let known = scene.subscription().await;
    assert_eq!(known.state, SubscriptionState::Active, "the lease runs on");
    assert_eq!(known.next_at, known.requested_at.map(|at| at + hours(2)), "as the hub asked");
    assert!(known.detail.ends_with("it answered 503 Service Unavailable: busy now"), "{}", known.detail);
    scene.world.pass(hours(2));
    scene.hub.request(3).await;
    until("the next wait has doubled", async || {
        let known = scene.subscription().await;
        !known.renewing && known.next_at == known.requested_at.map(|at| at + hours(2))
    })
    .await;
    scene.world.pass(start.duration_since(scene.world.now()) + hours(241));
    let ended = scene.until_state(SubscriptionState::Asked).await;
    assert!(!ended.trusted);
    assert_eq!(scene.push(&request, &rss(&[STORM])).await, 404, "the old callback is none any more");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_denies_is_left_alone_for_a_week() {
    let (mut scene, request) = Scene::asked().await;
    let denied = [("hub.mode", "denied"), ("hub.topic", TOPIC), ("hub.reason", "not\nyou")];
    assert_eq!(scene.ask(&"0".repeat(64), &denied).await.0, 404);
    assert_eq!(scene.ask(&request.token(), &denied).await.0, 200);
    let known = scene.subscription().await;
    assert_eq!(known.state, SubscriptionState::Denied);
    assert!(known.detail.ends_with("denied it: not you"), "{}", known.detail);
    assert_eq!(known.next_at, Some(scene.world.now() + hours(7 * 24)));
    assert_eq!(scene.verify(&request, "subscribe", "864000").await.0, 404);
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 410);
    scene.world.pass(hours(7 * 24));
    assert_ne!(scene.hub.request(2).await.token(), request.token(), "another time by another callback");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_at_a_forbidden_address_is_never_contacted_not_even_through_another() {
    let forbidden = Hub::start_on(TcpListener::bind("127.0.0.2:0").await.unwrap()).await;
    let mut scene = Scene::set().await;
    scene.origin.serve("/feed", answer(&[GRID], forbidden.url()));
    scene.origin.serve("/led", answer(&[GRID], scene.hub.url()));
    scene.hub.answer(307, &[("location", forbidden.url())], "");
    let led = scene.world.add(&scene.origin.url("/led"), "news.example").await;
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_secs(1));
    scene.world.polled(led, 1).await;
    scene.hub.request(1).await;
    for id in [scene.id, led] {
        until("it has failed", async || {
            scene.hub_of(id).await.is_some_and(|known| known.state == SubscriptionState::Failed)
        })
        .await;
        let detail = scene.hub_of(id).await.unwrap().detail;
        assert!(detail.contains("127.0.0.2 is not a public address"), "{detail}");
    }
    assert_eq!(forbidden.asked().len(), 0);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_that_keeps_the_method_is_followed_and_no_other() {
    let (mut scene, door) = (Scene::set().await, Hub::start().await);
    scene.origin.serve("/feed", answer(&[GRID], door.url()));
    door.answer(308, &[("location", &format!("{}moved", scene.hub.url()))], "");
    scene.origin.serve("/other", answer(&[GRID], &format!("{}302", door.url())));
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let request = scene.hub.request(1).await;
    assert_eq!(request.path, "/moved");
    assert_eq!(request.token(), door.request(1).await.token(), "the very form");
    assert_eq!(scene.verify(&request, "subscribe", "864000").await.0, 200);

    door.answer(302, &[("location", scene.hub.url())], "");
    let other = scene.world.add(&scene.origin.url("/other"), "news.example").await;
    scene.world.polled(other, 1).await;
    door.request(2).await;
    until("it has failed", async || {
        scene.hub_of(other).await.is_some_and(|known| known.state == SubscriptionState::Failed)
    })
    .await;
    let known = scene.hub_of(other).await.unwrap();
    assert!(known.detail.contains("it answered 302"), "{}", known.detail);
    assert_eq!(known.next_at, known.requested_at.map(|at| at + hours(1)));
    assert_eq!(scene.hub.asked().len(), 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_subscription_has_a_callback_and_a_secret_that_nobody_guesses() {
    let mut scene = Scene::set().await;
    for n in 0..5 {
        scene.origin.serve(&format!("/{n}"), answer(&[GRID], scene.hub.url()));
        scene.world.add(&scene.origin.url(&format!("/{n}")), "news.example").await;
    }
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_secs(60));
    let last = scene.hub.request(6);
    last.await;
    let drawn: HashSet<String> =
        scene.hub.asked().iter().flat_map(|request| [request.token(), request.get("hub.secret").into()]).collect();
    assert_eq!(drawn.len(), 12, "none twice");
    assert!(drawn.iter().all(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())), "256 bits each");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_too_large_is_refused() {
    let mut scene = Scene::set().await;
    scene.world.config.fetch.max_body = 4096;
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let request = scene.hub.request(1).await;
    scene.verify(&request, "subscribe", "864000").await;
    let large = rss(&[&format!("{STORM}{}", "x".repeat(5000))]);
    assert_eq!(scene.push(&request, &large).await, 413);
    // And where its length was not said.
    let signature = signature(request.get("hub.secret"), large.as_bytes());
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(large)]);
    let push = reqwest::Client::new()
        .post(format!("{}/websub/{}", scene.world.base, request.token()))
        .header("x-hub-signature", signature)
        .body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(push.send().await.unwrap().status().as_u16(), 413);
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202, "and others go on");
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(BANK)]));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_hub_has_proven_itself_polls_are_a_daily_safety_net() {
    let (mut scene, request) = Scene::subscribed().await;
    scene.poll_next(2).await;
    assert!(scene.until_next_poll().await < hours(1), "verified is not proven");
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 3).await;
    assert!(scene.until_next_poll().await < hours(1), "what was planned stays");
    scene.poll_next(4).await;
    assert_eq!(scene.until_next_poll().await, hours(24));
    let reason = scene.world.source(scene.id).await.next_reason;
    assert_eq!(reason, "24h after the last poll, as a safety net: its hub pushes what is new");
    assert_eq!(scene.push(&request, &rss(&[STORM])).await, 202);
    scene.world.polled(scene.id, 5).await;
    assert_eq!(scene.until_next_poll().await, hours(24));
    scene.poll_next(6).await;
    assert_eq!(scene.until_next_poll().await, hours(24), "day after day");
    assert_eq!(scene.origin.count("/feed"), 4);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_finds_what_was_not_pushed_takes_the_trust_back() {
    let (mut scene, request) = Scene::pushed().await;
    scene.poll_next(3).await;
    assert_eq!(scene.until_next_poll().await, hours(24));
    scene.origin.serve("/feed", answer(&[STORM, BANK, GRID], scene.hub.url()).header("etag", b"\"2\""));
    scene.origin.serve(
        "/feed",
        Answer::ok(rss(&[STORM, BANK, GRID]))
            .header("link", format!("<{}>; rel=hub, <{TOPIC}>; rel=self", scene.hub.url()).as_bytes()),
    );
    scene.poll_next(4).await;
    assert!(scene.until_next_poll().await < hours(1));
    assert!(scene.subscription().await.detail.contains("1 new items that the hub had not pushed"));
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 5).await;
    scene.poll_next(6).await;
    assert_eq!(scene.until_next_poll().await, hours(24), "until the next push and a poll that finds nothing");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_subscription_gives_deferred_polls_back_to_their_own_rules() {
    let (mut scene, request) = Scene::pushed().await;
    scene.poll_next(3).await;
    assert_eq!(scene.until_next_poll().await, hours(24));
    let asked = scene.origin.count("/feed");
    assert_eq!(scene.ask(&request.token(), &[("hub.mode", "denied"), ("hub.topic", TOPIC)]).await.0, 200);
    let next = scene.until_next_poll().await;
    assert!(next > SignedDuration::from_mins(9) && next < SignedDuration::from_mins(12), "{next:#}");
    scene.poll_next(4).await;
    assert_eq!(scene.origin.count("/feed"), asked + 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_subscription_and_polls_once_for_what_was_missed() {
    let (mut scene, request) = Scene::pushed().await;
    scene.poll_next(3).await;
    assert_eq!(scene.until_next_poll().await, hours(24));
    scene.world.stop().await;
    scene.world.start().await;
    assert!(scene.until_next_poll().await < SignedDuration::from_mins(12), "by its own rules, and no sooner");
    assert_eq!(scene.origin.count("/feed"), 2);
    assert_eq!(scene.push(&request, &rss(&[STORM])).await, 202, "the hub finds us where we were");
    scene.world.polled(scene.id, 4).await;
    scene.poll_next(5).await;
    assert_eq!(scene.until_next_poll().await, hours(24));
    assert_eq!(scene.hub.asked().len(), 1, "and was not asked again");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_base_url_no_hub_is_asked_and_with_one_it_is() {
    let mut scene = Scene::set().await;
    scene.world.config.publish.base_url = newsfold::publish::Options::default().base_url;
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let known = scene.subscription().await;
    assert_eq!((known.state, known.requested_at), (SubscriptionState::None, None));
    assert_eq!(scene.ask(&"0".repeat(64), &[("hub.mode", "subscribe")]).await.0, 404);
    scene.world.stop().await;
    assert_eq!(scene.hub.asked().len(), 0);

    scene.world.config.publish.base_url = Url::parse("https://desk.example/").unwrap();
    scene.world.start().await;
    let request = scene.hub.request(1).await;
    assert_eq!(scene.verify(&request, "subscribe", "864000").await.0, 200);
    scene.world.stop().await;

    scene.world.config.websub.enabled = false;
    scene.world.start().await;
    let known = scene.subscription().await;
    assert_eq!(
        (known.state, known.detail.as_str()),
        (SubscriptionState::None, "WebSub is off: websub.enabled is false")
    );
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 404);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_paused_is_unsubscribed_and_comes_back_by_another_callback() {
    let (mut scene, request) = Scene::subscribed().await;
    let id = scene.id;
    let set = async |state| scene.world.store.write(move |db| sources::set_state(db, id, state)).await.unwrap();
    set(SourceState::Paused).await;
    let leave = scene.hub.request(2).await;
    assert_eq!((leave.get("hub.mode"), leave.token()), ("unsubscribe", request.token()));
    assert_eq!(leave.get("hub.secret"), "");
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 410);
    assert_eq!(scene.verify(&leave, "subscribe", "864000").await.0, 404);
    assert_eq!(scene.verify(&leave, "unsubscribe", "").await, (200, "a challenge".into()));
    assert_eq!(scene.state().await, SubscriptionState::None);
    set(SourceState::Active).await;
    scene.world.pass(hours(1));
    let again = scene.hub.request(3).await;
    assert_eq!(again.get("hub.mode"), "subscribe");
    assert_ne!(again.token(), request.token());
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_moves_to_another_hub_takes_us_along() {
    let (mut scene, request) = Scene::subscribed().await;
    let other = Hub::start().await;
    scene.origin.serve(
        "/feed",
        Answer::ok(rss(&[GRID])).header("link", format!("<{}>; rel=hub, <{TOPIC}>; rel=self", other.url()).as_bytes()),
    );
    scene.poll_next(2).await;
    let leave = scene.hub.request(2).await;
    assert_eq!((leave.get("hub.mode"), leave.token()), ("unsubscribe", request.token()));
    assert_eq!(scene.verify(&leave, "unsubscribe", "").await.0, 200);
    scene.world.pass(hours(1));
    let join = other.request(1).await;
    assert_eq!(join.get("hub.mode"), "subscribe");
    assert_ne!(join.token(), request.token());
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 404);
    assert_eq!(scene.verify(&join, "subscribe", "864000").await.0, 200);

    // And one that names none any more is left alone.
    scene.origin.serve("/feed", Answer::ok(rss(&[GRID])));
    let polls = scene.world.polls(scene.id).await.len();
    scene.poll_next(polls + 1).await;
    assert_eq!(other.request(2).await.get("hub.mode"), "unsubscribe");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn source_show_tells_how_things_stand_with_the_hub() {
    let (mut scene, request) = Scene::pushed().await;
    let show = |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
        let folder = scene.world.folder.path();
        command.env("HOME", folder).env("NEWSFOLD_DATABASE", folder.join("newsfold.db")).env("TZ", "UTC");
        let done = command.args(["source", "show", "1"]).args(more).assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    };
    let said = tokio::task::block_in_place(|| show(&[]));
    let line = said.lines().find(|line| line.trim_start().starts_with("hub ")).unwrap().to_owned();
    let expect = format!(
        "hub  {}: active until 2026-03-11 12:00:00, 1 pushes, last 2026-03-01 12:00:00; \
         polls are a safety net while they find nothing that it had not pushed",
        scene.hub.url()
    );
    assert_eq!(line.trim(), expect);
    let said = tokio::task::block_in_place(|| show(&["--json"]));
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((json["hub"]["state"].as_str(), json["hub"]["pushes"].as_u64()), (Some("active"), Some(1)));
    assert_eq!(json["polls"][0]["outcome"], "pushed");
    assert!(!said.contains(&request.token()) && !said.contains(request.get("hub.secret")), "secrets stay secret");
    scene.world.stop().await;
}
