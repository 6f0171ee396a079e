//! Pushes of hubs, with a hub on loopback and the real daemon: which are accepted and stored, and when polls become a
//! safety net.

use crate::support::fake_hub::signature;
use crate::support::rss;
use crate::support::websub_scene::{BANK, GRID, STORM, TOPIC, WebSubScene, answer, hours, title};
use jiff::SignedDuration;
use newsfold::crawl::update_rate::UpdateRate;
use newsfold::domain::{HubEvent, NextPollReason, PollOutcome};
use std::collections::HashSet;

#[tokio::test(flavor = "multi_thread")]
async fn pushed_item_becomes_a_story_without_a_poll() {
    let (mut scene, request) = WebSubScene::requested().await;
    assert_eq!(request.get("hub.mode"), "subscribe");
    assert_eq!(request.get("hub.topic"), TOPIC);
    assert_eq!(request.get("hub.lease_seconds"), "864000");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(request.headers.get("cookie").is_none() && request.headers.get("referer").is_none());
    assert!(request.get("hub.callback").starts_with("https://desk.example/news/websub/"));
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 404, "the subscription is not verified yet");
    assert_eq!(scene.verify(&request, "subscribe", "864000").await, (200, "a challenge".into()));
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(BANK)]));
    assert!(scene.world.get("/feeds/all.atom").await.contains(&title(BANK)));
    let polls = scene.world.polls(scene.id).await;
    assert_eq!((polls[0].outcome, polls[0].new_items, polls[0].url.as_str()), (PollOutcome::Pushed, 1, TOPIC));
    assert_eq!(scene.origin.count("/feed"), 1, "the origin got no second request");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn push_without_a_valid_signature_is_answered_and_ignored() {
    let (mut scene, request) = WebSubScene::subscribed().await;
    let body = rss(&[STORM]);
    let good = signature(request.get("hub.secret"), body.as_bytes());
    let other_secret = signature("another secret", body.as_bytes());
    let unknown = good.replace("sha256", "md5");
    let truncated = good[..20].to_owned();
    let wrong = [vec![], vec![other_secret], vec![unknown], vec![truncated], vec![good.clone(), good]];
    for signatures in &wrong {
        assert_eq!(scene.push_signed(&request, &body, signatures).await, 202, "{signatures:?}");
    }
    // Pushes are read in their order, so that the wrong ones would have been stored before this one.
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(BANK)]));
    let subscription = scene.subscription().await;
    assert_eq!((subscription.pushes, subscription.rejected_pushes), (1, wrong.len() as u64));
    assert_eq!(scene.world.polls(scene.id).await.len(), 2);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn push_of_a_partial_feed_removes_no_items_and_does_not_affect_polling() {
    let mut scene = WebSubScene::new().await;
    scene.serve(&[GRID, STORM]);
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let request = scene.hub.request(1).await;
    scene.verify(&request, "subscribe", "864000").await;
    let before = scene.world.source(scene.id).await;
    assert!(before.validators.is_some());
    scene.world.pass(SignedDuration::from_mins(1));
    // Of three items it contains a new one and a changed one. Its ttl, title and language differ from those of the
    // feed.
    let changed = "g1 | Grid fails across the northern coast | Power is back in Veshna";
    let body = rss(&[BANK, changed]).replace("<title>News</title>", "<title>Part</title><ttl>600</ttl>");
    assert_eq!(scene.push(&request, &body).await, 202);
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(STORM), title(BANK)]));
    let after = scene.world.source(scene.id).await;
    assert_eq!(after.validators, before.validators);
    assert_eq!((after.next_poll_at, after.next_poll_reason), (before.next_poll_at, before.next_poll_reason));
    assert_eq!(
        (after.last_poll_at, after.polling_hints, after.title),
        (before.last_poll_at, before.polling_hints.clone(), before.title)
    );
    let record = scene.world.polls(scene.id).await[0].clone();
    assert_eq!((record.outcome, record.new_items, record.changed_items), (PollOutcome::Pushed, 1, 1));
    scene.poll_next(3).await;
    let asked = scene.origin.requests();
    assert_eq!(asked[1].header("if-none-match"), Some(b"\"1\"".to_vec()));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn item_from_polls_and_pushes_is_stored_once() {
    let (mut scene, request) = WebSubScene::subscribed().await;
    for n in 0..3 {
        assert_eq!(scene.push(&request, &rss(&[BANK, GRID])).await, 202);
        scene.world.polled(scene.id, 2 + n).await;
    }
    scene.origin.serve("/feed", answer(&[BANK, GRID], scene.hub.url()));
    scene.poll_next(5).await;
    let stories = scene.world.stories().await;
    assert_eq!(stories.iter().map(|story| story.items.len()).sum::<usize>(), 2);
    let new: Vec<u32> = scene.world.polls(scene.id).await.iter().rev().map(|poll| poll.new_items).collect();
    assert_eq!(new, [1, 1, 0, 0, 0]);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn push_that_is_not_a_feed_is_recorded_with_the_problem() {
    let (mut scene, request) = WebSubScene::subscribed().await;
    assert_eq!(scene.push(&request, "no feed at all").await, 202);
    scene.world.polled(scene.id, 2).await;
    let record = scene.world.polls(scene.id).await[0].clone();
    assert_eq!(record.outcome, PollOutcome::NotAFeed);
    assert!(record.detail.starts_with("pushed by its hub: the document is not a feed"), "{}", record.detail);
    let source = scene.world.source(scene.id).await;
    assert_eq!((source.failures, source.last_error.as_str()), (0, ""), "no fault of the source's server");
    assert!(!scene.subscription().await.reliable);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_push_is_refused() {
    let mut scene = WebSubScene::new().await;
    scene.world.config.fetch.max_body_bytes = 4096;
    scene.world.start().await;
    scene.world.polled(scene.id, 1).await;
    let request = scene.hub.request(1).await;
    scene.verify(&request, "subscribe", "864000").await;
    let large = rss(&[&format!("{STORM}{}", "x".repeat(5000))]);
    assert_eq!(scene.push(&request, &large).await, 413);
    // A push without Content-Length.
    let signature = signature(request.get("hub.secret"), large.as_bytes());
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(large)]);
    let push = reqwest::Client::new()
        .post(format!("{}/websub/{}", scene.world.base, request.token()))
        .header("x-hub-signature", signature)
        .body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(push.send().await.unwrap().status().as_u16(), 413);
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202, "further pushes are accepted");
    scene.world.polled(scene.id, 2).await;
    assert_eq!(scene.titles().await, HashSet::from([title(GRID), title(BANK)]));
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_become_a_daily_safety_net_once_a_hub_has_proved_reliable() {
    let (mut scene, request) = WebSubScene::subscribed().await;
    scene.poll_next(2).await;
    assert!(scene.time_to_next_poll().await < hours(1), "a verified hub has not proved reliable");
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 3).await;
    assert!(scene.time_to_next_poll().await < hours(1), "a push does not move the planned poll");
    scene.poll_next(4).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24));
    let reason = scene.world.source(scene.id).await.next_poll_reason;
    assert_eq!(reason, NextPollReason::SafetyPoll { interval_seconds: 86_400 });
    assert_eq!(scene.push(&request, &rss(&[STORM])).await, 202);
    scene.world.polled(scene.id, 5).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24));
    scene.poll_next(6).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24), "each further day");
    assert_eq!(scene.origin.count("/feed"), 4);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_with_items_that_were_not_pushed_ends_the_deferral() {
    let (mut scene, request) = WebSubScene::pushed().await;
    scene.poll_next(3).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24));
    scene.origin.serve("/feed", answer(&[STORM, BANK, GRID], scene.hub.url()));
    scene.poll_next(4).await;
    assert!(scene.time_to_next_poll().await < hours(1));
    assert_eq!(scene.subscription().await.last_event, Some(HubEvent::ItemsMissed { items: 1 }));
    assert_eq!(scene.push(&request, &rss(&[BANK])).await, 202);
    scene.world.polled(scene.id, 5).await;
    scene.poll_next(6).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24), "reliable again after a push and a poll without new items");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn denial_returns_deferred_polls_to_their_own_schedule() {
    let (mut scene, request) = WebSubScene::pushed().await;
    scene.poll_next(3).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24));
    let asked = scene.origin.count("/feed");
    assert_eq!(scene.get_callback(&request.token(), &[("hub.mode", "denied"), ("hub.topic", TOPIC)]).await.0, 200);
    let next = scene.time_to_next_poll().await;
    assert!(next > SignedDuration::from_mins(9) && next < SignedDuration::from_mins(12), "{next:#}");
    scene.poll_next(4).await;
    assert_eq!(scene.origin.count("/feed"), asked + 1);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_the_subscription_and_polls_once_for_missed_pushes() {
    let (mut scene, request) = WebSubScene::pushed().await;
    scene.poll_next(3).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24));
    scene.world.stop().await;
    scene.world.start().await;
    assert!(
        scene.time_to_next_poll().await < SignedDuration::from_mins(12),
        "as the own schedule of the source has it"
    );
    assert_eq!(scene.origin.count("/feed"), 2);
    assert_eq!(scene.push(&request, &rss(&[STORM])).await, 202, "the callback is unchanged");
    scene.world.polled(scene.id, 4).await;
    scene.poll_next(5).await;
    assert_eq!(scene.time_to_next_poll().await, hours(24));
    assert_eq!(scene.hub.requests().len(), 1, "the hub got no second request");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_items_count_for_the_update_rate() {
    let (mut scene, request) = WebSubScene::subscribed().await;
    let rate = async || {
        let rate = UpdateRate::from_json(&scene.world.source(scene.id).await.update_rate);
        rate.by_hour(scene.world.now()).iter().sum::<f64>()
    };
    scene.world.pass(SignedDuration::from_mins(1));
    assert_eq!(scene.push(&request, &rss(&[BANK, STORM])).await, 202);
    scene.world.polled(scene.id, 2).await;
    let before = rate().await;
    scene.origin.serve("/feed", answer(&[BANK, STORM, GRID], scene.hub.url()));
    scene.poll_next(3).await;
    assert_eq!(scene.world.polls(scene.id).await[0].new_items, 0);
    assert!(rate().await > before, "as if the poll had found them");
    scene.world.stop().await;
}
