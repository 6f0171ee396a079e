//! Servers that ask to be left alone, turn us away, move, go or fall silent: each against a real server that logs every
//! request, with a clock that the test moves. `docs/etiquette.md` says which rule is held by which test.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Origin};
use crate::support::world::{World, next_poll, poll_after, polled_once};
use crate::support::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{
    DelayCause, NewSource, NextPollReason, OperatorEventKind, PollOutcome, SourceEdit, SourceState,
};
use newsfold::store::{operator_events, origins, sources};

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

async fn kinds(world: &World) -> Vec<OperatorEventKind> {
    let mut all = world.store.read(operator_events::latest).await.unwrap();
    all.reverse();
    all.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn a_429_holds_all_sources_of_its_server_and_a_503_only_its_own() {
    for (status, others) in [(429, 0), (503, 1)] {
        let mut world = World::new();
        let origin = Origin::start().await;
        origin.serve("/a", Answer::status(status).header("retry-after", b"7200"));
        origin.serve("/b", Answer::ok(rss(&["1 | One"])));
        let a = world.add(&origin.url("/a"), "a.example").await;
        let b = world.add(&origin.url("/b"), "a.example").await;
        world.start().await;
        world.polled(a, 1).await;
        world.pass(minutes(1));
        let decided = async || {
            let source = world.source(b).await;
            source.last_poll_at.is_some() || matches!(source.next_poll_reason, NextPollReason::OriginHold { .. })
        };
        until("it is decided whether the other source is polled", decided).await;
        world.pass(minutes(118));
        world.settled().await;
        assert_eq!(origin.count("/b").min(1), others, "within the hold of a {status}");
        assert_eq!(origin.count("/a"), 1);
        if status == 429 {
            // A poll by hand keeps to it too.
            let now = world.now();
            let held = origin.url("").trim_end_matches('/').to_owned();
            let hold = world.store.read(move |db| origins::active_hold(db, &held, now)).await.unwrap().unwrap();
            assert!(hold.until >= now + minutes(1), "{hold:?}");
            origin.serve("/a", Answer::ok(rss(&["2 | Two"])));
            world.pass(minutes(30));
            world.polled(a, 2).await;
            world.polled(b, 1).await;
        }
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_a_hold_and_ends_it() {
    let desk = Desk::new();
    let origin = Origin::start().await;
    origin.serve("/a", Answer::status(429).header("retry-after", b"7200"));
    origin.serve("/b", Answer::ok(rss(&["1 | One"])).header("etag", b"\"1\""));
    desk.run(&["source", "add", &origin.url("/a"), "--no-fetch"]);
    desk.run(&["source", "add", &origin.url("/b"), "--no-fetch"]);
    desk.run(&["source", "poll", "2"]);
    desk.run(&["source", "poll", "2"]);
    desk.json_of_failure(&["source", "poll", "1"]);
    let skipped = desk.json_of_failure(&["source", "poll", "2"]);
    assert!(skipped[0]["skipped"].as_str().unwrap().contains("origin unhold"), "{skipped}");
    desk.fails(&["source", "add", &origin.url("/c")], "is on hold until");
    desk.fails(&["check", &origin.url("/c")], "is on hold until");
    let list = desk.json(&["origin", "list"]);
    let row = &list[0];
    assert_eq!(row["origin"].as_str().unwrap(), origin.url(""));
    let number = |name: &str| row[name].as_u64().unwrap();
    assert_eq!((number("sources"), number("requests"), number("not_modified")), (2, 3, 1));
    assert_eq!((number("throttled"), number("errors")), (1, 0));
    assert_eq!(number("bytes"), rss(&["1 | One"]).len() as u64);
    assert!(row["held_until"].is_string() && row["hold_text"].as_str().unwrap().contains("retry later"));
    assert!(desk.run(&["origin", "list"]).contains("33%"), "the share of 304");
    desk.run(&["origin", "unhold", &origin.url("/whatever")]);
    desk.fails(&["origin", "unhold", &origin.url("")], "is not on hold");
    desk.run(&["source", "poll", "2"]);
    assert_eq!((origin.count("/a"), origin.count("/b"), origin.count("/c")), (1, 3, 0));
}

#[tokio::test]
async fn a_redirect_to_a_server_on_hold_is_not_followed() {
    let (mut world, origin, id) = polled_once(Answer::ok(rss(&["1 | One"]))).await;
    let other = Origin::start().await;
    other.serve("/feed", Answer::status(429).header("retry-after", b"36000"));
    let throttled = world.add(&other.url("/feed"), "b.example").await;
    world.polled(throttled, 1).await;
    origin.serve("/feed", Answer::redirect(&other.url("/elsewhere")));
    next_poll(&world, id).await;
    let source = world.source(id).await;
    assert_eq!((source.last_outcome, source.failures), (Some(PollOutcome::Held), 0), "{}", source.last_error);
    assert!(source.next_poll_at >= world.now() + hours(9), "{:?}", source.next_poll_reason);
    assert_eq!(other.count("/elsewhere"), 0);
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_turns_us_away_is_left_alone_for_hours() {
    let refused = Answer::status(403);
    let challenge = Answer::status(403).header("cf-mitigated", b"challenge");
    let page = Answer::ok("<!doctype html><html><script>window._cf_chl_opt={}</script></html>");
    for (answer, outcome) in
        [(refused, PollOutcome::Refused), (challenge, PollOutcome::Challenged), (page, PollOutcome::Challenged)]
    {
        let (mut world, origin, id) = polled_once(answer).await;
        for wait in [4, 8, 16, 24, 24] {
            let source = world.source(id).await;
            assert_eq!(source.last_outcome, Some(outcome));
            let least = world.now() + hours(wait);
            assert_eq!(source.hold_until, Some(least), "{wait} h");
            assert!(source.next_poll_at >= least, "{:?}", source.next_poll_reason);
            next_poll(&world, id).await;
        }
        assert_eq!(origin.requests().len(), 6);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_feed_that_is_gone_is_asked_once_more_a_day_later_and_then_never() {
    let (mut world, origin, id) = polled_once(Answer::status(410)).await;
    assert_eq!(world.source(id).await.state, SourceState::Active);
    assert!(world.source(id).await.next_poll_at >= world.now() + hours(24));
    next_poll(&world, id).await;
    assert_eq!(world.source(id).await.state, SourceState::Gone);
    assert_eq!(kinds(&world).await, [OperatorEventKind::Gone]);
    let other = Origin::start().await;
    other.serve("/feed", Answer::ok(rss(&["1 | One"])));
    world.pass(hours(24 * 30));
    let second = world.add(&other.url("/feed"), "b.example").await;
    until("the other source is polled", async || !world.polls(second).await.is_empty()).await;
    assert_eq!(origin.requests().len(), 2);
    let health = world.get("/feeds/health.atom").await;
    assert!(health.contains("the feed is gone permanently (410)"), "{health}");
    world.stop().await;
}

#[tokio::test]
async fn a_permanent_move_is_believed_after_ten_polls_in_seven_days_and_a_temporary_one_never() {
    let (mut world, origin, id) = polled_once(Answer::ok(rss(&["1 | One"]))).await;
    origin.serve("/new", Answer::ok(rss(&["1 | One", "2 | Two"])));
    // Records of polls are kept for a fortnight, and this takes twelve days.
    for (status, polls) in [(302, 3), (307, 3), (308, 9)] {
        origin.serve("/feed", Answer::redirect_by(status, "/new"));
        for _ in 0..polls {
            poll_after(&world, id, hours(20)).await;
        }
        assert_eq!(world.source(id).await.url, origin.url("/feed"), "after {polls} times {status}");
    }
    let moving = world.source(id).await.pending_redirect.unwrap();
    assert_eq!((moving.to, moving.times), (origin.url("/new"), 9));
    poll_after(&world, id, hours(20)).await;
    let moved = world.source(id).await;
    assert_eq!((moved.url, moved.pending_redirect), (origin.url("/new"), None));
    assert_eq!(kinds(&world).await, [OperatorEventKind::Moved]);
    let asked = origin.count("/feed");
    next_poll(&world, id).await;
    assert_eq!(origin.count("/feed"), asked, "the old address is asked no more");
    world.stop().await;
}

/// A server to which no packet gets through, as when our own network is down: its queue of connections is full, and the
/// system drops what comes.
struct Silenced {
    listener: std::net::TcpListener,
    _full: Vec<std::net::TcpStream>,
}

impl Silenced {
    fn new() -> Silenced {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(100));
        let full = std::iter::from_fn(|| connect().ok()).collect();
        Silenced { listener, _full: full }
    }

    fn url(&self) -> String {
        format!("http://{}/feed", self.listener.local_addr().unwrap())
    }

    /// The network is back.
    async fn answers(self) -> Origin {
        drop(self._full);
        rustix::net::listen(&self.listener, 128).unwrap();
        let origin = Origin::start_with(self.listener).await;
        origin.serve("/feed", Answer::ok(rss(&["1 | One"])));
        origin
    }
}

#[tokio::test]
async fn an_outage_of_our_own_blames_no_source_alarms_once_and_ends_without_a_herd() {
    let mut world = World::new();
    world.config.fetch.connect_timeout = SignedDuration::from_millis(200);
    let silenced: Vec<Silenced> = (0..12).map(|_| Silenced::new()).collect();
    let now = world.now();
    let mut ids = Vec::new();
    for (n, server) in silenced.iter().enumerate() {
        let new = NewSource { url: server.url(), outlet: format!("outlet{n}.example"), ..NewSource::default() };
        let add = world.store.write(move |db| sources::add(db, &new, now, now));
        ids.push(add.await.unwrap().unwrap());
    }
    world.start().await;
    let told = async || kinds(&world).await == [OperatorEventKind::Offline];
    for _ in 0..12 {
        world.pass(SignedDuration::from_millis(250));
    }
    until("the outage is recognized", told).await;
    // Hours pass: the sources are tried one at a time, and nobody is blamed.
    for _ in 0..12 {
        world.pass(minutes(15));
        let tried = async || {
            let last = world.store.read(|db| newsfold::store::polls::tally(db, jiff::Timestamp::MIN)).await.unwrap();
            last.last_poll_at.is_some_and(|last| last >= world.now())
        };
        until("a source is tried again", tried).await;
    }
    for id in &ids {
        let source = world.source(*id).await;
        assert_eq!(source.failures, 0, "{}: {}", source.url, source.last_error);
    }
    assert_eq!(kinds(&world).await, [OperatorEventKind::Offline], "one alarm");
    // The network is back.
    let mut origins = Vec::new();
    for server in silenced {
        origins.push(server.answers().await);
    }
    let asked = || origins.iter().map(|origin| origin.requests().len()).sum::<usize>();
    until("a server answers", async || {
        if asked() == 0 {
            world.pass(minutes(1));
        }
        kinds(&world).await == [OperatorEventKind::Offline, OperatorEventKind::Online]
    })
    .await;
    until("the first answers are recorded", async || {
        let mut known = 0;
        for id in &ids {
            known += usize::from(world.source(*id).await.last_outcome == Some(PollOutcome::Read));
        }
        known == asked()
    })
    .await;
    assert!(asked() <= 2, "{} requests at once on the return", asked());
    for _ in 0..120 {
        world.pass(SignedDuration::from_secs(5));
        world.settled().await;
    }
    until("all sources are polled", async || {
        world.pass(SignedDuration::from_secs(5));
        origins.iter().all(|origin| !origin.requests().is_empty())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn a_source_that_breaks_and_recovers_is_told_in_the_feed_of_health() {
    let (mut world, origin, id) = polled_once(Answer::ok(rss(&["1 | One"])).header("etag", b"\"1\"")).await;
    let empty = world.get("/feeds/health.atom").await;
    assert!(!empty.contains("<entry>"));
    origin.serve("/feed", Answer::status(500));
    for _ in 0..7 {
        next_poll(&world, id).await;
    }
    origin.serve("/feed", Answer::ok(rss(&["1 | One"])));
    next_poll(&world, id).await;
    assert_eq!(kinds(&world).await, [OperatorEventKind::Broken, OperatorEventKind::Recovered]);
    let health = world.get("/feeds/health.atom").await;
    assert_eq!(health.matches("<entry>").count(), 2, "{health}");
    assert!(health.contains("is failing") && health.contains("500 Internal Server Error"), "{health}");
    assert!(health.contains("has recovered"));
    assert_eq!(world.get("/feeds/health.atom").await, health, "the same bytes");
    world.stop().await;
}

#[tokio::test]
async fn failures_double_the_wait_up_to_a_day_and_say_why() {
    let (mut world, _origin, id) = polled_once(Answer::status(500)).await;
    for wait in [20, 40, 80, 160, 320, 640, 1280, 1440, 1440] {
        let source = world.source(id).await;
        let span = source.next_poll_at.duration_since(world.now());
        assert!(span >= minutes(wait) && span <= minutes(wait + wait / 10 + 1), "{span:?} for {wait} min");
        let NextPollReason::Delay { cause, .. } = &source.next_poll_reason else { panic!("{source:?}") };
        assert!(matches!(cause, DelayCause::Backoff { .. }), "{cause:?}");
        next_poll(&world, id).await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_throttles_when_a_source_is_added_is_left_alone() {
    let desk = Desk::new();
    let origin = Origin::start().await;
    origin.serve("/a", Answer::status(429).header("retry-after", b"7200"));
    desk.fails(&["source", "add", &origin.url("/a")], "asked newsfold to retry later");
    desk.fails(&["source", "add", &origin.url("/a")], "is on hold until");
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn what_came_of_an_old_address_says_nothing_of_a_new_one() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/old", Answer::status(503).header("retry-after", b"86400").held());
    origin.serve("/new", Answer::ok(rss(&["1 | One"])));
    let id = world.add(&origin.url("/old"), "a.example").await;
    world.start().await;
    until("the old address is asked", async || origin.count("/old") == 1).await;
    let edit = SourceEdit { url: Some(origin.url("/new")), ..SourceEdit::default() };
    let now = world.now();
    world.store.write(move |db| sources::edit(db, id, &edit, now)).await.unwrap();
    origin.let_go();
    until("the new address is read", async || world.source(id).await.last_outcome == Some(PollOutcome::Read)).await;
    let source = world.source(id).await;
    assert_eq!((source.hold_until, source.failures), (None, 0));
    assert_eq!(world.polls(id).await.len(), 2, "both have their record");
    world.stop().await;
}
