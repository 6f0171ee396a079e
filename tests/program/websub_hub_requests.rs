//! Tests requests to our own hub, with real callbacks on loopback and the real daemon: accepted requests, confirmations
//! by callbacks, and the end of subscriptions (W3C WebSub, 23 January 2018, sections 4 to 6).

use crate::support::cli_runner::CliRunner;
use crate::support::fake_subscriber::VerificationReply;
use crate::support::hub_fixture::{ATOM, HubFixture, JSON};
use crate::support::subscription_fixture::hours;
use crate::support::wait_until;
use jiff::SignedDuration;

#[tokio::test(flavor = "multi_thread")]
async fn subscriber_that_does_not_echo_the_challenge_is_not_subscribed() {
    let mut fixture = HubFixture::started().await;
    let replies = [
        VerificationReply::Text("a challenge".into()),
        VerificationReply::Text(String::new()),
        VerificationReply::Status(404),
        VerificationReply::Status(302),
        VerificationReply::Endless,
    ];
    for (n, reply) in replies.into_iter().enumerate() {
        fixture.reader.reply_to_verifications(reply.clone());
        assert_eq!(fixture.request("subscribe", &format!("/{n}"), &[]).await.0, 202);
        fixture.reader.verification(n + 1).await;
        fixture.until_all_verified().await;
        assert_eq!(fixture.subscribers().await.len(), 0, "{reply:?}");
    }
    // No server listens on this port.
    assert_eq!(fixture.request_for("subscribe", ATOM, "http://127.0.0.1:1024/", &[]).await.0, 202);
    fixture.until_all_verified().await;
    assert_eq!(fixture.subscribers().await.len(), 0);
    // Any other subscriber would get this document before the confirmed subscriber.
    fixture.reader.reply_to_verifications(VerificationReply::Echo);
    fixture.request("subscribe", "/good", &[]).await;
    fixture.until_subscribers(1).await;
    fixture.publish_title("Northern Herald").await;
    assert_eq!(fixture.reader.delivery(1).await.target, "/good");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_request_is_refused_and_no_callback_is_asked() {
    let mut fixture = HubFixture::started().await;
    let callback = fixture.reader.url("/push");
    for (mode, topic, callback, status, message) in [
        ("subscribe", "https://desk.example/news/feeds/none.atom", callback.as_str(), 404, "hub.topic is not a feed"),
        ("subscribe", "https://elsewhere.example/feed", &callback, 404, "hub.topic is not a feed"),
        ("publish", ATOM, &callback, 400, "detects changes"),
        ("", ATOM, &callback, 400, "hub.mode"),
        ("subscribe", ATOM, "", 400, "hub.callback is missing"),
        ("subscribe", ATOM, "mailto:a@b.example", 403, "does not send requests"),
        ("unsubscribe", ATOM, &callback, 404, "not subscribed"),
    ] {
        let (actual, text) = fixture.request_for(mode, topic, callback, &[]).await;
        assert_eq!(actual, status, "{text}");
        assert!(text.contains(message), "{text}");
    }
    let long = "s".repeat(200);
    assert_eq!(fixture.request("subscribe", "/push", &[("hub.secret", &long)]).await.0, 400);
    let large = "x".repeat(17 << 10);
    assert_eq!(fixture.request("subscribe", "/push", &[("x", &large)]).await.0, 413);
    let client = reqwest::Client::new();
    let url = format!("{}/hub", fixture.daemon.base);
    let json = client.post(&url).header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!(json.status(), 415);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
    assert_eq!(fixture.row_count("verification_log"), 0);
    assert_eq!(fixture.reader.verifications().len(), 0);
    fixture.daemon.stop().await;

    fixture.daemon.config.publish.own_hub = false;
    fixture.daemon.start().await;
    let disabled = client.post(format!("{}/hub", fixture.daemon.base)).send().await.unwrap();
    assert_eq!(disabled.status(), 404, "the hub is disabled");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lease_ends_unless_it_is_renewed_and_a_renewal_can_change_the_secret() {
    let mut fixture = HubFixture::started().await;
    let lease = [("hub.lease_seconds", "7200"), ("hub.secret", "the first")];
    for path in ["/stays", "/goes"] {
        assert_eq!(fixture.request("subscribe", path, &lease).await.0, 202);
    }
    fixture.until_subscribers(2).await;
    let first = fixture.subscribers().await;
    fixture.daemon.advance(hours(1));
    let renewal = [("hub.lease_seconds", "7200"), ("hub.secret", "the second")];
    assert_eq!(fixture.request("subscribe", "/stays", &renewal).await.0, 202);
    fixture.reader.verification(3).await;
    fixture.until_all_verified().await;
    let renewed = fixture.subscribers().await;
    assert_eq!(renewed.len(), 2);
    assert_eq!((renewed[0].id, renewed[0].subscribed_at), (first[0].id, first[0].subscribed_at), "the same subscriber");
    assert_eq!(renewed[0].lease_until, fixture.daemon.now() + hours(2));

    fixture.daemon.advance(hours(1));
    assert_eq!(fixture.subscribers().await.len(), 1);
    fixture.publish_title("Northern Herald").await;
    let delivery = fixture.reader.delivery(1).await;
    assert!(delivery.target == "/stays" && delivery.is_signed_with("the second"), "{delivery:?}");
    fixture.until_deliveries(1).await;
    fixture.daemon.advance(hours(1));
    assert_eq!(fixture.subscribers().await.len(), 0, "the renewed lease has ended too");
    fixture.request("subscribe", "/another", &[]).await;
    fixture.until_subscribers(1).await;
    assert_eq!(fixture.row_count("websub_subscriber"), 1, "expired subscribers are deleted");
    fixture.publish_title("Western Herald").await;
    assert_eq!(fixture.reader.delivery(2).await.target, "/another");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_ends_only_if_its_callback_confirms() {
    let mut fixture = HubFixture::subscribed().await;
    fixture.reader.reply_to_verifications(VerificationReply::Status(404));
    assert_eq!(fixture.request("unsubscribe", "/push", &[]).await.0, 202);
    // A callback gets at most one verification request per minute.
    fixture.daemon.advance(SignedDuration::from_secs(60));
    let verification = fixture.reader.verification(2).await;
    assert_eq!((verification.get("hub.mode"), verification.get("hub.topic")), ("unsubscribe", ATOM));
    assert_eq!(verification.get("hub.lease_seconds"), "");
    fixture.until_all_verified().await;
    fixture.publish_title("Northern Herald").await;
    assert_eq!(fixture.reader.delivery(1).await.target, "/push", "a third party sent the request");

    fixture.reader.reply_to_verifications(VerificationReply::Echo);
    assert_eq!(fixture.request("unsubscribe", "/push", &[]).await.0, 202);
    fixture.daemon.advance(SignedDuration::from_secs(60));
    fixture.until_all_verified().await;
    assert_eq!(fixture.subscribers().await.len(), 0);
    fixture.request("subscribe", "/another", &[]).await;
    fixture.until_subscribers(1).await;
    fixture.publish_title("Western Herald").await;
    assert_eq!(fixture.reader.delivery(2).await.target, "/another");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_request_survives_a_restart() {
    let mut fixture = HubFixture::started().await;
    fixture.reader.set_blocked(true);
    assert_eq!(fixture.request("subscribe", "/push", &[("hub.secret", "a secret")]).await.0, 202);
    fixture.reader.verification(1).await;
    fixture.daemon.stop().await;
    fixture.reader.set_blocked(false);
    fixture.daemon.start().await;
    assert_eq!(fixture.subscribers().await.len(), 0, "the response was lost");
    fixture.daemon.advance(SignedDuration::from_secs(60));
    fixture.until_subscribers(1).await;
    let (first, second) = (fixture.reader.verifications()[0].clone(), fixture.reader.verification(2).await);
    assert_ne!(first.get("hub.challenge"), second.get("hub.challenge"));
    fixture.publish_title("Northern Herald").await;
    assert!(fixture.reader.delivery(1).await.is_signed_with("a secret"));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callback_is_asked_once_a_minute_and_a_host_gets_one_request_at_a_time() {
    let mut fixture = HubFixture::new().await;
    // With this timeout, no verification times out while the others are in progress.
    fixture.daemon.config.hub.callback_timeout = SignedDuration::from_secs(60);
    fixture.start().await;
    for _ in 0..5 {
        assert_eq!(fixture.request("subscribe", "/push", &[]).await.0, 202);
        fixture.until_none_is_due().await;
    }
    fixture.until_subscribers(1).await;
    assert_eq!(fixture.reader.verifications().len(), 1);
    fixture.daemon.advance(SignedDuration::from_secs(60));
    fixture.reader.verification(2).await;
    fixture.until_all_verified().await;

    fixture.reader.set_blocked(true);
    for n in 0..60 {
        assert_eq!(fixture.request("subscribe", &format!("/{n}"), &[]).await.0, 202, "{n}");
    }
    assert_eq!(fixture.request("subscribe", "/more", &[]).await.0, 429, "the maximum of pending requests");
    fixture.reader.set_blocked(false);
    fixture.until_all_verified().await;
    fixture.until_subscribers(61).await;
    fixture.publish_title("Northern Herald").await;
    wait_until("all have received the document", async || fixture.reader.deliveries().len() == 61).await;
    assert_eq!(fixture.reader.max_concurrent(), 1);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_hub_refuses_new_subscribers_and_renews_existing_ones() {
    let mut fixture = HubFixture::new().await;
    fixture.daemon.config.hub.max_subscribers_per_topic = 1;
    fixture.daemon.config.hub.max_subscribers = 2;
    // Without a trusted proxy, the client is the peer of the connection.
    fixture.daemon.config.serve.trusted_proxies.clear();
    fixture.start().await;
    let reader = &fixture.reader;
    assert_eq!(fixture.request("subscribe", "/one", &[]).await.0, 202);
    fixture.until_subscribers(1).await;
    assert_eq!(fixture.row_count("verification_log WHERE client = '127.0.0.1'"), 1);
    assert_eq!(fixture.request("subscribe", "/two", &[]).await.0, 503);
    assert_eq!(fixture.request_for("subscribe", JSON, &reader.url("/two"), &[]).await.0, 202, "another topic");
    fixture.until_subscribers(2).await;
    let rss = "https://desk.example/news/feeds/all.rss";
    let (status, text) = fixture.request_for("subscribe", rss, &reader.url("/three"), &[]).await;
    assert_eq!((status, text.as_str()), (503, "this hub has reached its maximum number of subscribers.\n"));
    assert_eq!(fixture.request("subscribe", "/one", &[]).await.0, 202, "a renewal");
    assert_eq!(fixture.request("unsubscribe", "/one", &[]).await.0, 202);
    fixture.daemon.advance(SignedDuration::from_secs(60));
    fixture.until_all_verified().await;
    assert_eq!(fixture.subscribers().await.len(), 1);
    assert_eq!(fixture.request("subscribe", "/two", &[]).await.0, 202, "the hub is no longer full");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_lists_and_removes_subscribers() {
    let mut fixture = HubFixture::started().await;
    fixture.request("subscribe", "/push/token-of-mine?key=hush", &[("hub.secret", "also hush")]).await;
    fixture.until_subscribers(1).await;
    fixture.reader.reply_to_deliveries(500, &[]);
    fixture.publish_title("Northern Herald").await;
    fixture.until_failures(1).await;
    // The command uses the system clock, according to which the lease would have ended.
    fixture.daemon.open_sqlite().execute("UPDATE websub_subscriber SET lease_until = 32503680000000", []).unwrap();
    let table = fixture.output(&["feed", "subscribers"]);
    let row = table.lines().find(|line| line.contains(ATOM)).unwrap_or_else(|| panic!("{table}"));
    for word in ["1", "127.0.0.1", "3000-01-01 00:00:00", "never", "HTTP status 500"] {
        assert!(row.contains(word), "{word} in {row}");
    }
    let json: serde_json::Value = serde_json::from_str(&fixture.output(&["feed", "subscribers", "--json"])).unwrap();
    assert_eq!((json[0]["topic"].as_str(), json[0]["failures"].as_u64()), (Some(ATOM), Some(1)));
    assert!(!format!("{table}{json}").contains("hush"), "{table}{json}");
    assert!(!format!("{table}{json}").contains("token-of-mine"), "{table}{json}");
    let full = fixture.output(&["feed", "subscribers", "--json", "--callbacks"]);
    let full: serde_json::Value = serde_json::from_str(&full).unwrap();
    assert_eq!(full[0]["callback"].as_str(), Some(fixture.reader.url("/push/token-of-mine?key=hush").as_str()));
    assert!(!full.to_string().contains("also hush"));
    let remove = ["feed", "subscribers", "--remove", "1"];
    assert_eq!(fixture.output(&remove).trim(), "removed subscriber 1");
    assert_eq!(fixture.subscribers().await.len(), 0);
    let failed = tokio::task::block_in_place(|| fixture.command(&remove).assert().failure());
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains("there is no subscriber 1"));
    assert_eq!(fixture.output(&["feed", "subscribers", "--json"]).trim(), "[]");
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    assert_eq!(cli.run(&["feed", "subscribers"]).trim(), "the hub has no subscribers");
    fixture.daemon.stop().await;
}
