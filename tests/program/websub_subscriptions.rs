//! Tests subscriptions to hubs, with a hub on loopback and the real daemon: discovery, verification, renewal, denial
//! and end of subscriptions (W3C WebSub, 23 January 2018).

use crate::support::fake_hub::FakeHub;
use crate::support::origin_server::StubResponse;
use crate::support::subscription_fixture::{BANK, GRID, STORM, SubscriptionFixture, TOPIC, answer, hours, with_links};
use crate::support::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{DisabledReason, HoldScope, HubEvent, SourceState, SubscriptionState, WebSubFailure};
use newsfold::store::{origins, sources};
use std::collections::HashSet;
use tokio::net::TcpListener;
use url::Url;

fn subscribe_failed(failure: WebSubFailure) -> Option<HubEvent> {
    Some(HubEvent::SubscribeFailed { failure })
}

#[tokio::test(flavor = "multi_thread")]
async fn link_headers_take_precedence_over_the_document_and_a_self_link_is_required() {
    let (mut fixture, other) = (SubscriptionFixture::new().await, FakeHub::start().await);
    let add = |path: &str, answer: StubResponse| {
        fixture.origin.serve(path, answer);
        fixture.origin.url(path)
    };
    let embedded = [("hub", other.url()), ("self", "https://news.example/embedded")];
    let headers = StubResponse::ok(with_links(&[GRID], &embedded))
        .header("link", format!("<{}>; rel=hub", fixture.hub.url()).as_bytes())
        .header("link", b"<https://news.example/header>; rel=self");
    let both = add("/both", headers);
    let document = add("/document", StubResponse::ok(with_links(&[GRID], &embedded)));
    let no_self = add("/no-self", StubResponse::ok(with_links(&[GRID], &embedded[..1])));
    let no_hub = add("/no-hub", StubResponse::ok(with_links(&[GRID], &embedded[1..])));
    fixture.origin.serve("/feed", StubResponse::ok(rss(&[GRID])));
    let mut ids = Vec::new();
    for url in [both, document, no_self, no_hub] {
        ids.push(fixture.daemon.add_source(&url, "news.example").await);
    }
    fixture.daemon.start().await;
    fixture.daemon.advance(SignedDuration::from_secs(60));
    for id in &ids {
        fixture.daemon.wait_for_polls(*id, 1).await;
    }
    assert_eq!(fixture.hub.request(1).await.get("hub.topic"), "https://news.example/header");
    assert_eq!(other.request(1).await.get("hub.topic"), "https://news.example/embedded");
    assert!(fixture.subscription_of(ids[2]).await.is_none(), "there is no topic without a self link");
    assert!(fixture.subscription_of(ids[3]).await.is_none());
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_pending_request_is_confirmed() {
    let (mut fixture, request) = SubscriptionFixture::requested().await;
    let token = request.token();
    let query = |mode, topic| [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "a challenge")];
    for (token, query, why) in [
        ("f".repeat(64), query("subscribe", TOPIC), "another token"),
        ("short".into(), query("subscribe", TOPIC), "not a token"),
        (token.clone(), query("subscribe", "https://news.example/other"), "another topic"),
        (token.clone(), query("unsubscribe", TOPIC), "another mode"),
        (token.clone(), query("publish", TOPIC), "not a mode of a subscriber"),
    ] {
        assert_eq!(fixture.get_callback(&token, &query).await.0, 404, "{why}");
    }
    let unchallenged = &query("subscribe", TOPIC)[..2];
    assert_eq!(fixture.get_callback(&token, unchallenged).await.0, 404, "no challenge");
    assert_eq!(fixture.state().await, SubscriptionState::Requested);

    let mut url = Url::parse(&format!("{}/websub/{token}", fixture.daemon.base)).unwrap();
    let hostile = [("hub.mode", "subscribe"), ("hub.challenge", "<script>"), ("hub.topic", TOPIC)];
    url.query_pairs_mut().extend_pairs(hostile).append_pair("hub.lease_seconds", "864000");
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.text().await.unwrap(), "<script>", "echoed as text");
    for mode in ["subscribe", "unsubscribe"] {
        assert_eq!(fixture.verify(&request, mode, "864000").await.0, 404, "{mode} is no longer pending");
    }
    let subscription = fixture.subscription().await;
    assert_eq!(subscription.lease_until, Some(fixture.daemon.now() + hours(240)));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lease_is_renewed_halfway_with_the_same_callback() {
    let (mut fixture, first) = SubscriptionFixture::subscribed().await;
    let start = fixture.daemon.now();
    assert_eq!(fixture.subscription().await.next_action_at, Some(start + hours(120)));
    fixture.daemon.advance(hours(120));
    let renewal = fixture.hub.request(2).await;
    for field in ["hub.mode", "hub.callback", "hub.topic", "hub.secret"] {
        assert_eq!(renewal.get(field), first.get(field), "{field}");
    }
    assert_eq!(fixture.push(&first, &rss(&[BANK])).await, 202, "the subscription stays active");
    assert_eq!(fixture.verify(&renewal, "subscribe", "864000").await.0, 200);
    let subscription = fixture.subscription().await;
    assert_eq!((subscription.state, subscription.lease_until), (SubscriptionState::Active, Some(start + hours(360))));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_that_refuses_a_renewal_is_retried_with_backoff_until_the_lease_ends() {
    let (mut fixture, request) = SubscriptionFixture::pushed().await;
    let start = fixture.daemon.now();
    fixture.poll_next(3).await;
    assert!(fixture.subscription().await.reliable);
    fixture.hub.respond_with(503, &[("retry-after", "7200"), ("content-type", "text/plain")], "busy\nnow");
    fixture.daemon.advance(hours(120));
    fixture.hub.request(2).await;
    wait_until("the refusal is recorded", async || {
        fixture.subscription().await.last_event != Some(HubEvent::SubscribeSent)
    })
    .await;
    let subscription = fixture.subscription().await;
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
    fixture.daemon.advance(hours(2));
    fixture.hub.request(3).await;
    wait_until("the next delay has doubled", async || {
        let subscription = fixture.subscription().await;
        !subscription.renewing && subscription.next_action_at == subscription.requested_at.map(|at| at + hours(2))
    })
    .await;
    fixture.hub.accept();
    fixture.daemon.advance(start.duration_since(fixture.daemon.now()) + hours(241));
    let ended = fixture.until_state(SubscriptionState::Requested).await;
    assert!(!ended.reliable);
    assert_eq!(fixture.push(&request, &rss(&[STORM])).await, 404, "the old callback is invalid");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_that_denies_gets_no_request_for_a_week() {
    let (mut fixture, request) = SubscriptionFixture::requested().await;
    let denied = [("hub.mode", "denied"), ("hub.topic", TOPIC), ("hub.reason", "not\nyou")];
    assert_eq!(fixture.get_callback(&"0".repeat(64), &denied).await.0, 404);
    assert_eq!(fixture.get_callback(&request.token(), &denied).await.0, 200);
    let subscription = fixture.subscription().await;
    assert_eq!(subscription.state, SubscriptionState::Denied);
    assert_eq!(
        subscription.last_event,
        Some(HubEvent::Denied { hub: fixture.hub.url().into(), reason: "not you".into() })
    );
    assert_eq!(subscription.next_action_at, Some(fixture.daemon.now() + hours(7 * 24)));
    assert_eq!(fixture.verify(&request, "subscribe", "864000").await.0, 404);
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 410);
    fixture.daemon.advance(hours(7 * 24));
    assert_ne!(fixture.hub.request(2).await.token(), request.token(), "a new subscription has a new callback");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_at_a_forbidden_address_gets_no_request_not_even_through_a_redirect() {
    let forbidden = FakeHub::start_on(TcpListener::bind("127.0.0.2:0").await.unwrap()).await;
    let mut fixture = SubscriptionFixture::new().await;
    fixture.origin.serve("/feed", answer(&[GRID], forbidden.url()));
    fixture.origin.serve("/redirected", answer(&[GRID], fixture.hub.url()));
    fixture.hub.respond_with(307, &[("location", forbidden.url())], "");
    let redirected = fixture.daemon.add_source(&fixture.origin.url("/redirected"), "news.example").await;
    fixture.daemon.start().await;
    fixture.daemon.advance(SignedDuration::from_secs(1));
    fixture.daemon.wait_for_polls(redirected, 1).await;
    fixture.hub.request(1).await;
    for id in [fixture.id, redirected] {
        let event = fixture.until_state_of(id, SubscriptionState::Failed).await.last_event;
        let Some(HubEvent::SubscribeFailed { failure: WebSubFailure::NoResponse { error } }) = event else {
            panic!("{event:?}")
        };
        assert!(error.contains("127.0.0.2 is not a public address"), "{error}");
    }
    assert_eq!(forbidden.requests().len(), 0);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_redirect_that_keeps_the_method_is_followed() {
    let (mut fixture, redirecting) = (SubscriptionFixture::new().await, FakeHub::start().await);
    fixture.origin.serve("/feed", answer(&[GRID], redirecting.url()));
    redirecting.respond_with(308, &[("location", &format!("{}moved", fixture.hub.url()))], "");
    fixture.origin.serve("/other", answer(&[GRID], &format!("{}302", redirecting.url())));
    fixture.daemon.start().await;
    fixture.daemon.wait_for_polls(fixture.id, 1).await;
    let request = fixture.hub.request(1).await;
    assert_eq!(request.path, "/moved");
    assert_eq!(request.token(), redirecting.request(1).await.token(), "the form is unchanged");
    assert_eq!(fixture.verify(&request, "subscribe", "864000").await.0, 200);

    redirecting.respond_with(302, &[("location", fixture.hub.url())], "");
    let other = fixture.daemon.add_source(&fixture.origin.url("/other"), "news.example").await;
    fixture.daemon.wait_for_polls(other, 1).await;
    redirecting.request(2).await;
    let subscription = fixture.until_state_of(other, SubscriptionState::Failed).await;
    let failure = WebSubFailure::Status { status: 302, message: String::new() };
    assert_eq!(subscription.last_event, subscribe_failed(failure));
    assert_eq!(subscription.next_action_at, subscription.requested_at.map(|at| at + hours(1)));
    assert_eq!(fixture.hub.requests().len(), 1);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_subscription_has_its_own_random_callback_and_secret() {
    let mut fixture = SubscriptionFixture::new().await;
    for n in 0..5 {
        fixture.origin.serve(&format!("/{n}"), answer(&[GRID], fixture.hub.url()));
        fixture.daemon.add_source(&fixture.origin.url(&format!("/{n}")), "news.example").await;
    }
    fixture.daemon.start().await;
    fixture.daemon.advance(SignedDuration::from_secs(60));
    fixture.hub.request(6).await;
    let secrets: HashSet<String> =
        fixture.hub.requests().iter().flat_map(|request| [request.token(), request.get("hub.secret").into()]).collect();
    assert_eq!(secrets.len(), 12, "all differ");
    assert!(
        secrets.iter().all(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())),
        "256 bits each"
    );
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_gets_a_request_only_with_a_public_base_url() {
    let mut fixture = SubscriptionFixture::new().await;
    fixture.daemon.config.publish.base_url = newsfold::publish::Options::default().base_url;
    fixture.daemon.start().await;
    fixture.daemon.wait_for_polls(fixture.id, 1).await;
    let subscription = fixture.subscription().await;
    assert_eq!((subscription.state, subscription.requested_at), (SubscriptionState::Inactive, None));
    assert_eq!(fixture.get_callback(&"0".repeat(64), &[("hub.mode", "subscribe")]).await.0, 404);
    fixture.daemon.stop().await;
    assert_eq!(fixture.hub.requests().len(), 0);

    fixture.daemon.config.publish.base_url = Url::parse("https://desk.example/").unwrap();
    fixture.daemon.start().await;
    let request = fixture.hub.request(1).await;
    assert_eq!(fixture.verify(&request, "subscribe", "864000").await.0, 200);
    fixture.daemon.stop().await;

    fixture.daemon.config.websub.enabled = false;
    fixture.daemon.start().await;
    let subscription = fixture.subscription().await;
    assert_eq!(
        (subscription.state, subscription.last_event),
        (SubscriptionState::Inactive, Some(HubEvent::WebSubDisabled { reason: DisabledReason::Configured }))
    );
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 404);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_source_is_unsubscribed_and_later_subscribed_with_another_callback() {
    let (mut fixture, request) = SubscriptionFixture::subscribed().await;
    let id = fixture.id;
    let set = async |state| fixture.daemon.store.write(move |db| sources::set_state(db, id, state)).await.unwrap();
    set(SourceState::Paused).await;
    let unsubscribe = fixture.hub.request(2).await;
    assert_eq!((unsubscribe.get("hub.mode"), unsubscribe.token()), ("unsubscribe", request.token()));
    assert_eq!(unsubscribe.get("hub.secret"), "");
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 410);
    assert_eq!(fixture.verify(&unsubscribe, "subscribe", "864000").await.0, 404);
    assert_eq!(fixture.verify(&unsubscribe, "unsubscribe", "").await, (200, "a challenge".into()));
    assert_eq!(fixture.state().await, SubscriptionState::Inactive);
    set(SourceState::Active).await;
    fixture.daemon.advance(hours(1));
    let again = fixture.hub.request(3).await;
    assert_eq!(again.get("hub.mode"), "subscribe");
    assert_ne!(again.token(), request.token());
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_hub_is_subscribed_and_the_old_one_unsubscribed() {
    let (mut fixture, request) = SubscriptionFixture::subscribed().await;
    let other = FakeHub::start().await;
    fixture.origin.serve("/feed", answer(&[GRID], other.url()));
    fixture.poll_next(2).await;
    let unsubscribe = fixture.hub.request(2).await;
    assert_eq!((unsubscribe.get("hub.mode"), unsubscribe.token()), ("unsubscribe", request.token()));
    assert_eq!(fixture.verify(&unsubscribe, "unsubscribe", "").await.0, 200);
    fixture.daemon.advance(hours(1));
    let subscribe = other.request(1).await;
    assert_eq!(subscribe.get("hub.mode"), "subscribe");
    assert_ne!(subscribe.token(), request.token());
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 404);
    assert_eq!(fixture.verify(&subscribe, "subscribe", "864000").await.0, 200);

    // The feed no longer declares a hub.
    fixture.origin.serve("/feed", StubResponse::ok(rss(&[GRID])));
    let polls = fixture.daemon.polls(fixture.id).await.len();
    fixture.poll_next(polls + 1).await;
    assert_eq!(other.request(2).await.get("hub.mode"), "unsubscribe");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn source_show_prints_the_state_of_the_subscription() {
    let (mut fixture, request) = SubscriptionFixture::pushed().await;
    let show = |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
        let folder = fixture.daemon.folder.path();
        command.env("HOME", folder).env("NEWSFOLD_DATABASE", folder.join("newsfold.db")).env("TZ", "UTC");
        let done = command.args(["source", "show", "1"]).args(more).assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    };
    let output = tokio::task::block_in_place(|| show(&[]));
    let line = output.lines().find(|line| line.trim_start().starts_with("Hub ")).unwrap().to_owned();
    let expect = format!(
        "Hub  {}: active until 2026-03-11 12:00:00, 1 push, last 2026-03-01 12:00:00; \
         pushes are reliable, polling at the safety interval",
        fixture.hub.url()
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
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_that_answers_429_gets_no_request_for_any_source() {
    let mut fixture = SubscriptionFixture::new().await;
    fixture.origin.serve("/other", answer(&[GRID], fixture.hub.url()));
    let other = fixture.daemon.add_source(&fixture.origin.url("/other"), "news.example").await;
    fixture.hub.respond_with(429, &[("retry-after", "7200")], "");
    fixture.daemon.start().await;
    fixture.daemon.advance(SignedDuration::from_secs(60));
    for id in [fixture.id, other] {
        fixture.until_state_of(id, SubscriptionState::Failed).await;
    }
    assert_eq!(fixture.hub.requests().len(), 1);
    // The hold does not apply to polls of the same server, because a feed can declare any server as its hub.
    let (now, server) = (fixture.daemon.now(), fixture.hub.url().trim_end_matches('/').to_owned());
    let held =
        fixture.daemon.store.read(move |db| origins::active_hold(db, &server, HoldScope::Content, now)).await.unwrap();
    assert!(held.is_none(), "{held:?}");
    fixture.hub.accept();
    fixture.daemon.advance(hours(2));
    fixture.hub.request(3).await;
    fixture.daemon.stop().await;
}
