//! What hubs push, with a real hub and the real daemon: what is believed and stored, and when polls become a safety net.

use crate::support::fake_hub::signature;
use crate::support::rss;
use crate::support::websub_scene::{BANK, GRID, STORM, Scene, TOPIC, answer, hours, title};
use jiff::SignedDuration;
use newsfold::crawl::update_rate::UpdateRate;
use newsfold::domain::{HubEvent, PollOutcome};
use std::collections::HashSet;

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
    assert_eq!((polls[0].outcome, polls[0].new_items, polls[0].url.as_str()), (PollOutcome::Pushed, 1, TOPIC));
    assert_eq!(scene.origin.count("/feed"), 1, "nobody asked the origin again");
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
    assert_eq!((known.pushes, known.rejected_pushes), (1, wrong.len() as u64));
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
        (after.last_poll_at, after.wishes, after.title),
        (before.last_poll_at, before.wishes.clone(), before.title)
    );
    let record = scene.world.polls(scene.id).await[0].clone();
    assert_eq!((record.outcome, record.new_items, record.changed_items), (PollOutcome::Pushed, 1, 1));
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
    scene.origin.serve("/feed", answer(&[BANK, GRID], scene.hub.url()));
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
    assert_eq!(record.outcome, PollOutcome::NotAFeed);
    assert!(record.detail.starts_with("pushed by its hub: the document is not a feed"), "{}", record.detail);
    let source = scene.world.source(scene.id).await;
    assert_eq!((source.failures, source.last_problem.as_str()), (0, ""), "no fault of the source's server");
    assert!(!scene.subscription().await.reliable);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_too_large_is_refused() {
    let mut scene = Scene::set().await;
    scene.world.config.fetch.max_body_bytes = 4096;
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
    scene.origin.serve("/feed", answer(&[STORM, BANK, GRID], scene.hub.url()));
    scene.poll_next(4).await;
    assert!(scene.until_next_poll().await < hours(1));
    assert_eq!(scene.subscription().await.last_event, Some(HubEvent::ItemsMissed { items: 1 }));
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
async fn what_was_pushed_counts_for_how_often_a_source_brings_something() {
    let (mut scene, request) = Scene::subscribed().await;
    let rate = async || {
        let rate = UpdateRate::from_json(&scene.world.source(scene.id).await.rate);
        rate.by_hour(scene.world.now()).iter().sum::<f64>()
    };
    scene.world.pass(SignedDuration::from_mins(1));
    assert_eq!(scene.push(&request, &rss(&[BANK, STORM])).await, 202);
    scene.world.polled(scene.id, 2).await;
    let before = rate().await;
    scene.origin.serve("/feed", answer(&[BANK, STORM, GRID], scene.hub.url()));
    scene.poll_next(3).await;
    assert_eq!(scene.world.polls(scene.id).await[0].new_items, 0);
    assert!(rate().await > before, "as it would had the poll brought them");
    scene.world.stop().await;
}
