//! Subscriptions at hubs, with a hub on loopback and the real daemon: discovery, verification, renewal, denial and the
//! end of a subscription (W3C WebSub, 23 January 2018).

use crate::support::fake_hub::FakeHub;
use crate::support::origin::Answer;
use crate::support::websub_scene::{BANK, GRID, STORM, TOPIC, WebSubScene, answer, hours, with_links};
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
async fn link_headers_take_precedence_over_the_document_and_a_self_link_is_required() {
    let (mut scene, other) = (WebSubScene::new().await, FakeHub::start().await);
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
    assert!(scene.subscription_of(ids[2]).await.is_none(), "there is no topic without a self link");
    assert!(scene.subscription_of(ids[3]).await.is_none());
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_pending_request_is_confirmed() {
    let (mut scene, request) = WebSubScene::requested().await;
    let token = request.token();
    let query = |mode, topic| [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "a challenge")];
    for (token, query, why) in [
        ("f".repeat(64), query("subscribe", TOPIC), "another token"),
        ("short".into(), query("subscribe", TOPIC), "not a token"),
        (token.clone(), query("subscribe", "https://news.example/other"), "another topic"),
        (token.clone(), query("unsubscribe", TOPIC), "another mode"),
        (token.clone(), query("publish", TOPIC), "not a mode of a subscriber"),
    ] {
        assert_eq!(scene.get_callback(&token, &query).await.0, 404, "{why}");
    }
    let unchallenged = &query("subscribe", TOPIC)[..2];
    assert_eq!(scene.get_callback(&token, unchallenged).await.0, 404, "no challenge");
    assert_eq!(scene.state().await, SubscriptionState::Requested);

    let mut url = Url::parse(&format!("{}/websub/{token}", scene.world.base)).unwrap();
    let hostile = [("hub.mode", "subscribe"), ("hub.challenge", "<script>"), ("hub.topic", TOPIC)];
    url.query_pairs_mut().extend_pairs(hostile).append_pair("hub.lease_seconds", "864000");
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.text().await.unwrap(), "<script>", "echoed as text");
    for mode in ["subscribe", "unsubscribe"] {
        assert_eq!(scene.verify(&request, mode, "864000").await.0, 404, "{mode} is no longer pending");
    }
    let subscription = scene.subscription().await;
    assert_eq!(subscription.lease_until, Some(scene.world.now() + hours(240)));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lease_is_renewed_halfway_with_the_same_callback() {
    let (mut scene, first) = WebSubScene::subscribed().await;
    let start = scene.world.now();
    assert_eq!(scene.subscription().await.next_action_at, Some(start + hours(120)));
    scene.world.pass(hours(120));
    let renewal = scene.hub.request(2).await;
    for field in ["hub.mode", "hub.callback", "hub.topic", "hub.secret"] {
        assert_eq!(renewal.get(field), first.get(field), "{field}");
    }
    assert_eq!(scene.push(&first, &rss(&[BANK])).await, 202, "the subscription stays active");
    assert_eq!(scene.verify(&renewal, "subscribe", "864000").await.0, 200);
    let subscription = scene.subscription().await;
    assert_eq!((subscription.state, subscription.lease_until), (SubscriptionState::Active, Some(start + hours(360))));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_that_refuses_a_renewal_is_retried_with_backoff_until_the_lease_ends() {
    let (mut scene, request) = WebSubScene::pushed().await;
    let start = scene.world.now();
    scene.poll_next(3).await;
    assert!(scene.subscription().await.reliable);
    scene.hub.respond_with(503, &[("retry-after", "7200"), ("content-type", "text/plain")], "busy\nnow");
    scene.world.pass(hours(120));
    scene.hub.request(2).await;
    until("the refusal is recorded", async || scene.subscription().await.last_event != Some(HubEvent::SubscribeSent))
        .await;
    let subscription = scene.subscription().await;
    assert_eq!(subscription.state, SubscriptionState::Active, "the lease is still running");
    assert_eq!(
        subscription.next_action_at,
        subscription.requested_at.map(|at| at + hours(2)),
        "as Retry-After demands"
    );
    assert_eq!(
        subscription.last_event,
        subscribe_failed(WebSubFailure::Status { status: 503, message: "busy now".into() })
    );
    scene.world.pass(hours(2));
    scene.hub.request(3).await;
    until("the next delay has doubled", async || {
        let subscription = scene.subscription().await;
        !subscription.renewing && subscription.next_action_at == subscription.requested_at.map(|at| at + hours(2))
    })
    .await;
    scene.hub.accept();
    scene.world.pass(start.duration_since(scene.world.now()) + hours(241));
    let ended = scene.until_state(SubscriptionState::Requested).await;
    assert!(!ended.reliable);
    assert_eq!(scene.push(&request, &rss(&[STORM])).await, 404, "the old callback is invalid");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_that_denies_gets_no_request_for_a_week() {
    let (mut scene, request) = WebSubScene::requested().await;
    let denied = [("hub.mode", "denied"), ("hub.topic", TOPIC), ("hub.reason", "not\nyou")];
    assert_eq!(scene.get_callback(&"0".repeat(64), &denied).await.0, 404);
    assert_eq!(scene.get_callback(&request.token(), &denied).await.0, 200);
    let subscription = scene.subscription().await;
    assert_eq!(subscription.state, SubscriptionState::Denied);
    assert_eq!(
        subscription.last_event,
        Some(HubEvent::Denied { hub: scene.hub.url().into(), reason: "not you".into() })
    );
    assert_eq!(subscription.next_action_at, Some(scene.world.now() + hours(7 * 24)));
    assert_eq!(scene.verify(&request, "subscribe", "864000").await.0, 404);
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 410);
    scene.world.pass(hours(7 * 24));
    assert_ne!(scene.hub.request(2).await.token(), request.token(), "a new subscription has a new callback");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_at_a_forbidden_address_gets_no_request_not_even_through_a_redirect() {
    let forbidden = FakeHub::start_on(TcpListener::bind("127.0.0.2:0").await.unwrap()).await;
    let mut scene = WebSubScene::new().await;
    scene.origin.serve("/feed", answer(&[GRID], forbidden.url()));
    scene.origin.serve("/redirected", answer(&[GRID], scene.hub.url()));
    scene.hub.respond_with(307, &[("location", forbidden.url())], "");
    let redirected = scene.world.add(&scene.origin.url("/redirected"), "news.example").await;
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_secs(1));
    scene.world.polled(redirected, 1).await;
    scene.hub.request(1).await;
    for id in [scene.id, redirected] {
        let event = scene.until_state_of(id, SubscriptionState::Failed).await.last_event;
        let Some(HubEvent::SubscribeFailed { failure: WebSubFailure::NoResponse { error } }) = event else {
            panic!("{event:?}")
        };
        assert!(error.contains("127.0.0.2 is not a public address"), "{error}");
    }
    assert_eq!(forbidden.requests().len(), 0);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_redirect_that_keeps_the_method_is_followed() {
    let (mut scene, redirecting) = (WebSubScene::new().await, FakeHub::start().await);
    scene.origin.serve("/feed", answer(&[GRID], redirecting.url()));
    redirecting.respond_with(308, &[("location", &format!("{}moved", scene.hub.url()))], "");
    scene.origin.serve("/other", answer(&[GRID], &format!("{}302", redirecting.url())));
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let request = scene.hub.request(1).await;
    assert_eq!(request.path, "/moved");
    assert_eq!(request.token(), redirecting.request(1).await.token(), "the form is unchanged");
    assert_eq!(scene.verify(&request, "subscribe", "864000").await.0, 200);

    redirecting.respond_with(302, &[("location", scene.hub.url())], "");
    let other = scene.world.add(&scene.origin.url("/other"), "news.example").await;
    scene.world.polled(other, 1).await;
    redirecting.request(2).await;
    let subscription = scene.until_state_of(other, SubscriptionState::Failed).await;
    let failure = WebSubFailure::Status { status: 302, message: String::new() };
    assert_eq!(subscription.last_event, subscribe_failed(failure));
    assert_eq!(subscription.next_action_at, subscription.requested_at.map(|at| at + hours(1)));
    assert_eq!(scene.hub.requests().len(), 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_subscription_has_its_own_random_callback_and_secret() {
    let mut scene = WebSubScene::new().await;
    for n in 0..5 {
        scene.origin.serve(&format!("/{n}"), answer(&[GRID], scene.hub.url()));
        scene.world.add(&scene.origin.url(&format!("/{n}")), "news.example").await;
    }
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_secs(60));
    scene.hub.request(6).await;
    let secrets: HashSet<String> =
        scene.hub.requests().iter().flat_map(|request| [request.token(), request.get("hub.secret").into()]).collect();
    assert_eq!(secrets.len(), 12, "all differ");
    assert!(
        secrets.iter().all(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())),
        "256 bits each"
    );
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_gets_a_request_only_with_a_public_base_url() {
    let mut scene = WebSubScene::new().await;
    scene.world.config.publish.base_url = newsfold::publish::Options::default().base_url;
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let subscription = scene.subscription().await;
    assert_eq!((subscription.state, subscription.requested_at), (SubscriptionState::Inactive, None));
    assert_eq!(scene.get_callback(&"0".repeat(64), &[("hub.mode", "subscribe")]).await.0, 404);
    scene.world.stop().await;
    assert_eq!(scene.hub.requests().len(), 0);

    scene.world.config.publish.base_url = Url::parse("https://desk.example/").unwrap();
    scene.world.start().await;
    let request = scene.hub.request(1).await;
    assert_eq!(scene.verify(&request, "subscribe", "864000").await.0, 200);
    scene.world.stop().await;

    scene.world.config.websub.enabled = false;
    scene.world.start().await;
    let subscription = scene.subscription().await;
    assert_eq!(
        (subscription.state, subscription.last_event),
        (SubscriptionState::Inactive, Some(HubEvent::WebSubDisabled { reason: DisabledReason::Configured }))
    );
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 404);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_source_is_unsubscribed_and_later_subscribed_with_another_callback() {
    let (mut scene, request) = WebSubScene::subscribed().await;
    let id = scene.id;
    let set = async |state| scene.world.store.write(move |db| sources::set_state(db, id, state)).await.unwrap();
    set(SourceState::Paused).await;
    let unsubscribe = scene.hub.request(2).await;
    assert_eq!((unsubscribe.get("hub.mode"), unsubscribe.token()), ("unsubscribe", request.token()));
    assert_eq!(unsubscribe.get("hub.secret"), "");
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 410);
    assert_eq!(scene.verify(&unsubscribe, "subscribe", "864000").await.0, 404);
    assert_eq!(scene.verify(&unsubscribe, "unsubscribe", "").await, (200, "a challenge".into()));
    assert_eq!(scene.state().await, SubscriptionState::Inactive);
    set(SourceState::Active).await;
    scene.world.pass(hours(1));
    let again = scene.hub.request(3).await;
    assert_eq!(again.get("hub.mode"), "subscribe");
    assert_ne!(again.token(), request.token());
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_hub_is_subscribed_and_the_old_one_unsubscribed() {
    let (mut scene, request) = WebSubScene::subscribed().await;
    let other = FakeHub::start().await;
    scene.origin.serve("/feed", answer(&[GRID], other.url()));
    scene.poll_next(2).await;
    let unsubscribe = scene.hub.request(2).await;
    assert_eq!((unsubscribe.get("hub.mode"), unsubscribe.token()), ("unsubscribe", request.token()));
    assert_eq!(scene.verify(&unsubscribe, "unsubscribe", "").await.0, 200);
    scene.world.pass(hours(1));
    let subscribe = other.request(1).await;
    assert_eq!(subscribe.get("hub.mode"), "subscribe");
    assert_ne!(subscribe.token(), request.token());
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 404);
    assert_eq!(scene.verify(&subscribe, "subscribe", "864000").await.0, 200);

    // The feed no longer declares a hub.
    scene.origin.serve("/feed", Answer::ok(rss(&[GRID])));
    let polls = scene.world.polls(scene.id).await.len();
    scene.poll_next(polls + 1).await;
    assert_eq!(other.request(2).await.get("hub.mode"), "unsubscribe");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn source_show_prints_the_state_of_the_subscription() {
    let (mut scene, request) = WebSubScene::pushed().await;
    let show = |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
        let folder = scene.world.folder.path();
        command.env("HOME", folder).env("NEWSFOLD_DATABASE", folder.join("newsfold.db")).env("TZ", "UTC");
        let done = command.args(["source", "show", "1"]).args(more).assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    };
    let output = tokio::task::block_in_place(|| show(&[]));
    let line = output.lines().find(|line| line.trim_start().starts_with("Hub ")).unwrap().to_owned();
    let expect = format!(
        "Hub  {}: active until 2026-03-11 12:00:00, 1 push, last 2026-03-01 12:00:00; \
         pushes are reliable, polling at the safety interval",
        scene.hub.url()
    );
    assert_eq!(line.trim(), expect);
    let output = tokio::task::block_in_place(|| show(&["--json"]));
    let json: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((json["hub"]["state"].as_str(), json["hub"]["pushes"].as_u64()), (Some("active"), Some(1)));
    assert_eq!(json["polls"][0]["outcome"], "pushed");
    assert!(
        !output.contains(&request.token()) && !output.contains(request.get("hub.secret")),
        "secrets are not printed"
    );
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_that_answers_429_gets_no_request_for_any_source() {
    let mut scene = WebSubScene::new().await;
    scene.origin.serve("/other", answer(&[GRID], scene.hub.url()));
    let other = scene.world.add(&scene.origin.url("/other"), "news.example").await;
    scene.hub.respond_with(429, &[("retry-after", "7200")], "");
    scene.world.start().await;
    scene.world.pass(SignedDuration::from_secs(60));
    for id in [scene.id, other] {
        scene.until_state_of(id, SubscriptionState::Failed).await;
    }
    assert_eq!(scene.hub.requests().len(), 1);
    // The hold does not apply to polls of the same server, because a feed can declare any server as its hub.
    let (now, server) = (scene.world.now(), scene.hub.url().trim_end_matches('/').to_owned());
    let held = scene.world.store.read(move |db| newsfold::store::origins::active_hold(db, &server, now)).await.unwrap();
    assert!(held.is_none(), "{held:?}");
    scene.hub.accept();
    scene.world.pass(hours(2));
    scene.hub.request(3).await;
    scene.world.stop().await;
}
