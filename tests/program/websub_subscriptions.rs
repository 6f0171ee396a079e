//! WebSub with a real hub on loopback and the real daemon: what is asked of whom, what is confirmed, how it is renewed and
//! how it ends (W3C WebSub, 23 January 2018).

use crate::support::fake_hub::Hub;
use crate::support::origin::Answer;
use crate::support::websub_scene::{BANK, GRID, STORM, Scene, TOPIC, answer, hours, with_links};
use crate::support::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{DisabledReason, HubEvent, SourceState, SubscriptionState, WebSubFailure};
use newsfold::store::sources;
use std::collections::HashSet;
use tokio::net::TcpListener;
use url::Url;

fn subscribe_failed(failure: WebSubFailure) -> Option<HubEvent> {
    Some(HubEvent::SubscribeFailed { failure })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_goes_before_what_the_document_says_and_a_self_is_needed() {
    let (mut scene, other) = (Scene::set().await, Hub::start().await);
    let add = |path: &str, answer: Answer| {
        scene.origin.serve(path, answer);
        scene.origin.url(path)
    };
    let embedded = [("hub", other.url()), ("self", "https://news.example/embedded")];
    let headers = Answer::ok(with_links(&[GRID], &embedded))
        .header("link", format!("<{}>; rel=hub", scene.hub.url()).as_bytes())
        .header("link", b"<https://news.example/header>; rel=self");
    let both = add("/both", headers);
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
    assert_eq!(scene.state().await, SubscriptionState::Requested);

    let mut url = Url::parse(&format!("{}/websub/{token}", scene.world.base)).unwrap();
    let hostile = [("hub.mode", "subscribe"), ("hub.challenge", "<script>"), ("hub.topic", TOPIC)];
    url.query_pairs_mut().extend_pairs(hostile).append_pair("hub.lease_seconds", "864000");
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
async fn a_lease_is_renewed_half_way_by_the_same_callback() {
    let (mut scene, first) = Scene::subscribed().await;
    let start = scene.world.now();
    assert_eq!(scene.subscription().await.next_action_at, Some(start + hours(120)));
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
    assert!(scene.subscription().await.reliable);
    scene.hub.answer(503, &[("retry-after", "7200"), ("content-type", "text/plain")], "busy\nnow");
    scene.world.pass(hours(120));
    scene.hub.request(2).await;
    until("the refusal is written down", async || {
        scene.subscription().await.last_event != Some(HubEvent::SubscribeSent)
    })
    .await;
    let known = scene.subscription().await;
    assert_eq!(known.state, SubscriptionState::Active, "the lease runs on");
    assert_eq!(known.next_action_at, known.requested_at.map(|at| at + hours(2)), "as the hub asked");
    assert_eq!(known.last_event, subscribe_failed(WebSubFailure::Status { status: 503, message: "busy now".into() }));
    scene.world.pass(hours(2));
    scene.hub.request(3).await;
    until("the next wait has doubled", async || {
        let known = scene.subscription().await;
        !known.renewing && known.next_action_at == known.requested_at.map(|at| at + hours(2))
    })
    .await;
    scene.hub.accept();
    scene.world.pass(start.duration_since(scene.world.now()) + hours(241));
    let ended = scene.until_state(SubscriptionState::Requested).await;
    assert!(!ended.reliable);
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
    assert_eq!(known.last_event, Some(HubEvent::Denied { hub: scene.hub.url().into(), reason: "not you".into() }));
    assert_eq!(known.next_action_at, Some(scene.world.now() + hours(7 * 24)));
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
        let event = scene.hub_of(id).await.unwrap().last_event;
        let Some(HubEvent::SubscribeFailed { failure: WebSubFailure::NoResponse { error } }) = event else {
            panic!("{event:?}")
        };
        assert!(error.contains("127.0.0.2 is not a public address"), "{error}");
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
    let failure = WebSubFailure::Status { status: 302, message: String::new() };
    assert_eq!(known.last_event, subscribe_failed(failure));
    assert_eq!(known.next_action_at, known.requested_at.map(|at| at + hours(1)));
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
    scene.hub.request(6).await;
    let drawn: HashSet<String> =
        scene.hub.asked().iter().flat_map(|request| [request.token(), request.get("hub.secret").into()]).collect();
    assert_eq!(drawn.len(), 12, "none twice");
    assert!(drawn.iter().all(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())), "256 bits each");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_base_url_no_hub_is_asked_and_with_one_it_is() {
    let mut scene = Scene::set().await;
    scene.world.config.publish.base_url = newsfold::publish::Options::default().base_url;
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let known = scene.subscription().await;
    assert_eq!((known.state, known.requested_at), (SubscriptionState::Inactive, None));
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
        (known.state, known.last_event),
        (SubscriptionState::Inactive, Some(HubEvent::WebSubDisabled { reason: DisabledReason::Configured }))
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
    assert_eq!(scene.state().await, SubscriptionState::Inactive);
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
    scene.origin.serve("/feed", answer(&[GRID], other.url()));
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
    let line = said.lines().find(|line| line.trim_start().starts_with("Hub ")).unwrap().to_owned();
    let expect = format!(
        "Hub  {}: active until 2026-03-11 12:00:00, 1 push, last 2026-03-01 12:00:00; \
         pushes are reliable, polling at the safety interval",
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

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_to_which_we_are_too_many_is_asked_nothing_for_any_source() {
    let mut scene = Scene::set().await;
    scene.origin.serve("/other", answer(&[GRID], scene.hub.url()));
    let other = scene.world.add(&scene.origin.url("/other"), "news.example").await;
    scene.hub.answer(429, &[("retry-after", "7200")], "");
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_secs(60));
    for id in [scene.id, other] {
        until("it was put off", async || {
            scene.hub_of(id).await.is_some_and(|known| known.state == SubscriptionState::Failed)
        })
        .await;
    }
    assert_eq!(scene.hub.asked().len(), 1);
    // A feed can call anybody its hub: that server's own feeds are polled all the same.
    let (now, server) = (scene.world.now(), scene.hub.url().trim_end_matches('/').to_owned());
    let held = scene.world.store.read(move |db| newsfold::store::origins::active_hold(db, &server, now)).await.unwrap();
    assert!(held.is_none(), "{held:?}");
    scene.hub.accept();
    scene.world.pass(hours(2));
    scene.hub.request(3).await;
    scene.world.stop().await;
}
