//! Tests pushes, with a hub on loopback and the real daemon: which pushes are accepted and stored, and when polls
//! become infrequent.

use crate::support::fake_hub::signature;
use crate::support::rss;
use crate::support::subscription_fixture::{BANK, GRID, STORM, SubscriptionFixture, TOPIC, answer, hours, title};
use jiff::SignedDuration;
use newsfold::crawl::update_rate::UpdateRate;
use newsfold::domain::{HubEvent, NextPollReason, PollOutcome};
use std::collections::HashSet;

#[tokio::test(flavor = "multi_thread")]
async fn pushed_item_becomes_a_story_without_a_poll() {
    let (mut fixture, request) = SubscriptionFixture::requested().await;
    assert_eq!(request.get("hub.mode"), "subscribe");
    assert_eq!(request.get("hub.topic"), TOPIC);
    assert_eq!(request.get("hub.lease_seconds"), "864000");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(request.headers.get("cookie").is_none() && request.headers.get("referer").is_none());
    assert!(request.get("hub.callback").starts_with("https://desk.example/news/websub/"));
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 404, "the subscription is not verified yet");
    assert_eq!(fixture.verify(&request, "subscribe", "864000").await, (200, "a challenge".into()));
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 2).await;
    assert_eq!(fixture.titles().await, HashSet::from([title(GRID), title(BANK)]));
    assert!(fixture.daemon.get("/feeds/all.atom").await.contains(&title(BANK)));
    let polls = fixture.daemon.polls(fixture.id).await;
    assert_eq!((polls[0].outcome, polls[0].new_items, polls[0].url.as_str()), (PollOutcome::Pushed, 1, TOPIC));
    assert_eq!(fixture.origin.request_count("/feed"), 1, "the origin got no second request");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn push_without_a_valid_signature_is_answered_and_ignored() {
    let (mut fixture, request) = SubscriptionFixture::subscribed().await;
    let body = rss(&[STORM]);
    let good = signature(request.get("hub.secret"), body.as_bytes());
    let other_secret = signature("another secret", body.as_bytes());
    let unknown = good.replace("sha256", "md5");
    let truncated = good[..20].to_owned();
    let wrong = [vec![], vec![other_secret], vec![unknown], vec![truncated], vec![good.clone(), good]];
    for signatures in &wrong {
        assert_eq!(fixture.push_signed(&request, &body, signatures).await, 202, "{signatures:?}");
    }
    // Pushes are read in order, so the invalid pushes would have been stored before this push.
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 2).await;
    assert_eq!(fixture.titles().await, HashSet::from([title(GRID), title(BANK)]));
    let subscription = fixture.subscription().await;
    assert_eq!((subscription.pushes, subscription.rejected_pushes), (1, wrong.len() as u64));
    assert_eq!(fixture.daemon.polls(fixture.id).await.len(), 2);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn push_of_a_partial_feed_removes_no_items_and_does_not_affect_polling() {
    let mut fixture = SubscriptionFixture::new().await;
    fixture.serve(&[GRID, STORM]);
    fixture.daemon.start().await;
    fixture.daemon.wait_for_polls(fixture.id, 1).await;
    let request = fixture.hub.request(1).await;
    fixture.verify(&request, "subscribe", "864000").await;
    let before = fixture.daemon.source(fixture.id).await;
    assert!(before.validators.is_some());
    fixture.daemon.advance(SignedDuration::from_mins(1));
    // The document contains a new and a changed item, but not all three items of the source. Its ttl, title and
    // language differ from the feed's.
    let changed = "g1 | Grid fails across the northern coast | Power is back in Veshna";
    let body = rss(&[BANK, changed]).replace("<title>News</title>", "<title>Part</title><ttl>600</ttl>");
    assert_eq!(fixture.push(&request, &body).await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 2).await;
    assert_eq!(fixture.titles().await, HashSet::from([title(GRID), title(STORM), title(BANK)]));
    let after = fixture.daemon.source(fixture.id).await;
    assert_eq!(after.validators, before.validators);
    assert_eq!((after.next_poll_at, after.next_poll_reason), (before.next_poll_at, before.next_poll_reason));
    assert_eq!(
        (after.last_poll_at, after.polling_hints, after.title),
        (before.last_poll_at, before.polling_hints.clone(), before.title)
    );
    let record = fixture.daemon.polls(fixture.id).await[0].clone();
    assert_eq!((record.outcome, record.new_items, record.changed_items), (PollOutcome::Pushed, 1, 1));
    fixture.poll_next(3).await;
    let asked = fixture.origin.requests();
    assert_eq!(asked[1].header("if-none-match"), Some(b"\"1\"".to_vec()));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn item_from_polls_and_pushes_is_stored_once() {
    let (mut fixture, request) = SubscriptionFixture::subscribed().await;
    for n in 0..3 {
        assert_eq!(fixture.push(&request, &rss(&[BANK, GRID])).await, 202);
        fixture.daemon.wait_for_polls(fixture.id, 2 + n).await;
    }
    fixture.origin.serve("/feed", answer(&[BANK, GRID], fixture.hub.url()));
    fixture.poll_next(5).await;
    let stories = fixture.daemon.stories().await;
    assert_eq!(stories.iter().map(|story| story.items.len()).sum::<usize>(), 2);
    let new: Vec<u32> = fixture.daemon.polls(fixture.id).await.iter().rev().map(|poll| poll.new_items).collect();
    assert_eq!(new, [1, 1, 0, 0, 0]);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn push_that_is_not_a_feed_is_recorded_with_the_problem() {
    let (mut fixture, request) = SubscriptionFixture::subscribed().await;
    assert_eq!(fixture.push(&request, "no feed at all").await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 2).await;
    let record = fixture.daemon.polls(fixture.id).await[0].clone();
    assert_eq!(record.outcome, PollOutcome::NotAFeed);
    assert!(record.detail.starts_with("pushed by its hub: the document is not a feed"), "{}", record.detail);
    let source = fixture.daemon.source(fixture.id).await;
    assert_eq!((source.failures, source.last_error.as_str()), (0, ""), "no fault of the source's server");
    assert!(!fixture.subscription().await.reliable);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_push_is_refused() {
    let mut fixture = SubscriptionFixture::new().await;
    fixture.daemon.config.fetch.max_body_bytes = 4096;
    fixture.daemon.start().await;
    fixture.daemon.wait_for_polls(fixture.id, 1).await;
    let request = fixture.hub.request(1).await;
    fixture.verify(&request, "subscribe", "864000").await;
    let large = rss(&[&format!("{STORM}{}", "x".repeat(5000))]);
    assert_eq!(fixture.push(&request, &large).await, 413);
    // This push has no Content-Length.
    let signature = signature(request.get("hub.secret"), large.as_bytes());
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(large)]);
    let push = reqwest::Client::new()
        .post(format!("{}/websub/{}", fixture.daemon.base, request.token()))
        .header("x-hub-signature", signature)
        .body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(push.send().await.unwrap().status().as_u16(), 413);
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 202, "more pushes are accepted");
    fixture.daemon.wait_for_polls(fixture.id, 2).await;
    assert_eq!(fixture.titles().await, HashSet::from([title(GRID), title(BANK)]));
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_become_a_daily_safety_net_once_a_hub_has_proved_reliable() {
    let (mut fixture, request) = SubscriptionFixture::subscribed().await;
    fixture.poll_next(2).await;
    assert!(fixture.time_to_next_poll().await < hours(1), "a verified hub has not proved reliable");
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 3).await;
    assert!(fixture.time_to_next_poll().await < hours(1), "a push does not move the planned poll");
    fixture.poll_next(4).await;
    assert_eq!(fixture.time_to_next_poll().await, hours(24));
    let reason = fixture.daemon.source(fixture.id).await.next_poll_reason;
    assert_eq!(reason, NextPollReason::SafetyPoll { interval_seconds: 86_400 });
    assert_eq!(fixture.push(&request, &rss(&[STORM])).await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 5).await;
    assert_eq!(fixture.time_to_next_poll().await, hours(24));
    fixture.poll_next(6).await;
    assert_eq!(fixture.time_to_next_poll().await, hours(24), "each additional day");
    assert_eq!(fixture.origin.request_count("/feed"), 4);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_with_items_that_were_not_pushed_ends_the_deferral() {
    let (mut fixture, request) = SubscriptionFixture::pushed().await;
    fixture.poll_next(3).await;
    assert_eq!(fixture.time_to_next_poll().await, hours(24));
    fixture.origin.serve("/feed", answer(&[STORM, BANK, GRID], fixture.hub.url()));
    fixture.poll_next(4).await;
    assert!(fixture.time_to_next_poll().await < hours(1));
    assert_eq!(fixture.subscription().await.last_event, Some(HubEvent::ItemsMissed { items: 1 }));
    assert_eq!(fixture.push(&request, &rss(&[BANK])).await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 5).await;
    fixture.poll_next(6).await;
    assert_eq!(
        fixture.time_to_next_poll().await,
        hours(24),
        "reliable again after a push and a poll without new items"
    );
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn denial_returns_deferred_polls_to_their_own_schedule() {
    let (mut fixture, request) = SubscriptionFixture::pushed().await;
    fixture.poll_next(3).await;
    assert_eq!(fixture.time_to_next_poll().await, hours(24));
    let asked = fixture.origin.request_count("/feed");
    assert_eq!(fixture.get_callback(&request.token(), &[("hub.mode", "denied"), ("hub.topic", TOPIC)]).await.0, 200);
    let next = fixture.time_to_next_poll().await;
    assert!(next > SignedDuration::from_mins(9) && next < SignedDuration::from_mins(12), "{next:#}");
    fixture.poll_next(4).await;
    assert_eq!(fixture.origin.request_count("/feed"), asked + 1);
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_the_subscription_and_polls_once_for_missed_pushes() {
    let (mut fixture, request) = SubscriptionFixture::pushed().await;
    fixture.poll_next(3).await;
    assert_eq!(fixture.time_to_next_poll().await, hours(24));
    fixture.daemon.stop().await;
    fixture.daemon.start().await;
    assert!(
        fixture.time_to_next_poll().await < SignedDuration::from_mins(12),
        "as the own schedule of the source determines"
    );
    assert_eq!(fixture.origin.request_count("/feed"), 2);
    assert_eq!(fixture.push(&request, &rss(&[STORM])).await, 202, "the callback is unchanged");
    fixture.daemon.wait_for_polls(fixture.id, 4).await;
    fixture.poll_next(5).await;
    assert_eq!(fixture.time_to_next_poll().await, hours(24));
    assert_eq!(fixture.hub.requests().len(), 1, "the hub got no second request");
    fixture.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_items_count_for_the_update_rate() {
    let (mut fixture, request) = SubscriptionFixture::subscribed().await;
    let rate = async || {
        let rate = UpdateRate::from_json(&fixture.daemon.source(fixture.id).await.update_rate);
        rate.by_hour(fixture.daemon.now()).iter().sum::<f64>()
    };
    fixture.daemon.advance(SignedDuration::from_mins(1));
    assert_eq!(fixture.push(&request, &rss(&[BANK, STORM])).await, 202);
    fixture.daemon.wait_for_polls(fixture.id, 2).await;
    let before = rate().await;
    fixture.origin.serve("/feed", answer(&[BANK, STORM, GRID], fixture.hub.url()));
    fixture.poll_next(3).await;
    assert_eq!(fixture.daemon.polls(fixture.id).await[0].new_items, 0);
    assert!(rate().await > before, "as if the poll had found them");
    fixture.daemon.stop().await;
}
