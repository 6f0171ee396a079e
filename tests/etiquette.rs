//! The rules of a good guest, each against a real server that logs every request, with a clock that the test moves.
//! `docs/etiquette.md` says which rule is held by which test.

mod support;

use jiff::SignedDuration;
use newsfold::model::{EventKind, NewSource, Outcome, SourceId, SourceState};
use newsfold::store::{events, origins, sources};
use std::io::Write;
use support::desk::Desk;
use support::origin::{Answer, Logged, Origin};
use support::world::World;
use support::{rss, until};

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

fn text(logged: &Logged, name: &str) -> Option<String> {
    logged.header(name).map(|value| String::from_utf8(value).unwrap())
}

/// A world with one source at an origin, polled once.
async fn polled_once(answer: Answer) -> (World, Origin, SourceId) {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", answer);
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    (world, origin, id)
}

/// Moves the clock to a source's next poll and waits for it.
async fn next_poll(world: &World, id: SourceId) {
    poll_after(world, id, SignedDuration::ZERO).await;
}

/// The same, and at least so much later.
async fn poll_after(world: &World, id: SourceId, span: SignedDuration) {
    let before = world.polls(id).await.len();
    let next = world.source(id).await.next_poll_at;
    world.pass(next.duration_since(world.now()).max(span));
    world.polled(id, before + 1).await;
}

async fn kinds(world: &World) -> Vec<EventKind> {
    let mut all = world.store.read(events::latest).await.unwrap();
    all.reverse();
    all.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn a_request_carries_what_it_must_and_nothing_else() {
    let feed = Answer::ok(rss(&["1 | One"])).header("set-cookie", b"id=1").header("etag", b"\"v1\"");
    let (mut world, origin, id) = polled_once(feed).await;
    next_poll(&world, id).await;
    world.stop().await;
    let requests = origin.requests();
    let names = |logged: &Logged| {
        let mut names: Vec<_> = logged.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&requests[0]), ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(names(&requests[1]), ["accept", "accept-encoding", "host", "if-none-match", "user-agent"]);
    assert_eq!(requests[1].target, "/feed", "no query is added");
    assert_eq!(text(&requests[0], "accept-encoding").as_deref(), Some("gzip, br, zstd, deflate"));
    let name = format!("newsfold/{} (1 subscriber)", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&requests[0], "user-agent"), Some(name));
}

#[tokio::test]
async fn the_operator_names_newsfold_and_counts_its_readers() {
    let mut world = World::new();
    world.config.fetch.about_url = Some("https://desk.example/about".parse().unwrap());
    world.config.fetch.subscribers = 40;
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&["1 | One"])));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    world.stop().await;
    let name = format!("newsfold/{} (+https://desk.example/about; 40 subscribers)", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&origin.requests()[0], "user-agent"), Some(name));
}

#[tokio::test]
async fn every_coding_is_understood_over_the_wire() {
    let feed = rss(&["1 | One"]).into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&feed).unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    deflate.write_all(&feed).unwrap();
    let mut br = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    br.write_all(&feed).unwrap();
    let zstd = zstd::encode_all(&feed[..], 3).unwrap();
    let mut world = World::new();
    let origin = Origin::start().await;
    let mut ids = Vec::new();
    for (name, body) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("br", br.into_inner()),
        ("zstd", zstd),
    ] {
        let path = format!("/{name}");
        origin.serve(&path, Answer::ok(body).header("content-encoding", name.as_bytes()));
        ids.push(world.add(&origin.url(&path), "a.example").await);
    }
    world.start().await;
    for id in ids {
        world.pass(SignedDuration::from_secs(1));
        world.polled(id, 1).await;
        let poll = &world.polls(id).await[0];
        assert_eq!((poll.outcome, poll.items), (Outcome::Read, 1), "{}", poll.detail);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_a_source_costs_one_request_and_a_poll_by_hand_is_conditional() {
    let desk = Desk::new();
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&["1 | One"])).header("etag", b"\"v1\""));
    desk.run(&["source", "add", &origin.url("/feed")]);
    assert_eq!(origin.requests().len(), 1);
    assert_eq!(origin.requests()[0].header("if-none-match"), None);
    desk.run(&["source", "poll", "1"]);
    assert_eq!(text(&origin.requests()[1], "if-none-match").as_deref(), Some("\"v1\""));
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn validators_are_those_of_the_newest_answer_or_none() {
    let (mut world, origin, id) = polled_once(Answer::ok(rss(&["1 | One"])).header("etag", b"\"v1\"")).await;
    // The same body under a new validator.
    origin.serve("/feed", Answer::ok(rss(&["1 | One"])).header("etag", b"\"v2\""));
    next_poll(&world, id).await;
    // A 304 that brings another one, which is what the next request is to carry.
    origin.serve("/feed", Answer::status(304).header("etag", b"\"v3\""));
    next_poll(&world, id).await;
    // A new document without any: asking with an old one would ask about a document that we no longer hold.
    origin.serve("/feed", Answer::ok(rss(&["2 | Two"])));
    next_poll(&world, id).await;
    next_poll(&world, id).await;
    world.stop().await;
    let sent: Vec<_> = origin.requests().iter().map(|request| text(request, "if-none-match")).collect();
    let expected = [None, Some("\"v1\""), Some("\"v2\""), Some("\"v3\""), None];
    assert_eq!(sent, expected.map(|tag| tag.map(str::to_owned)));
}

#[tokio::test]
async fn validators_belong_to_a_url_and_not_to_a_source() {
    let (mut world, origin, id) = polled_once(Answer::redirect("/one")).await;
    let feed = |tag: &[u8]| Answer::ok(rss(&["1 | One"])).header("etag", tag);
    origin.serve("/one", feed(b"\"one\""));
    origin.serve("/two", feed(b"\"two\""));
    next_poll(&world, id).await;
    next_poll(&world, id).await;
    origin.serve("/feed", Answer::redirect("/two"));
    next_poll(&world, id).await;
    next_poll(&world, id).await;
    world.stop().await;
    let of = |path: &str| {
        let requests = origin.requests();
        let found = requests.iter().filter(|request| request.path == path);
        found.map(|request| text(request, "if-none-match")).collect::<Vec<_>>()
    };
    assert_eq!(of("/feed"), vec![None; 5], "the redirect has none of its own");
    assert_eq!(of("/one"), [None, None, Some("\"one\"".to_owned())], "at first it was not there");
    assert_eq!(of("/two"), [None, Some("\"two\"".to_owned())], "another URL begins without");
}

#[tokio::test]
async fn a_304_without_a_condition_is_a_failure_and_not_an_empty_feed() {
    let (mut world, _origin, id) = polled_once(Answer::status(304)).await;
    let source = world.source(id).await;
    assert_eq!(source.last_outcome, Some(Outcome::Failed));
    assert!(source.last_problem.contains("304"), "{}", source.last_problem);
    world.stop().await;
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
            source.last_poll_at.is_some() || source.next_reason.contains("left alone")
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
            let hold = world.store.read(move |db| origins::held(db, &held, now)).await.unwrap().unwrap();
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
    desk.run(&["source", "add", &origin.url("/a"), "--unchecked"]);
    desk.run(&["source", "add", &origin.url("/b"), "--unchecked"]);
    desk.run(&["source", "poll", "2"]);
    desk.run(&["source", "poll", "2"]);
    desk.json_of_failure(&["source", "poll", "1"]);
    let skipped = desk.json_of_failure(&["source", "poll", "2"]);
    assert!(skipped[0]["skipped"].as_str().unwrap().contains("origin release"), "{skipped}");
    desk.fails(&["source", "add", &origin.url("/c")], "is left alone until");
    let list = desk.json(&["origin", "list"]);
    let row = &list[0];
    assert_eq!(row["origin"].as_str().unwrap(), origin.url(""));
    let number = |name: &str| row[name].as_u64().unwrap();
    assert_eq!((number("sources"), number("requests"), number("not_modified")), (2, 3, 1));
    assert_eq!((number("throttled"), number("errors")), (1, 0));
    assert_eq!(number("bytes"), rss(&["1 | One"]).len() as u64);
    assert!(row["held_until"].is_string() && row["hold_reason"].as_str().unwrap().contains("come later"));
    assert!(desk.run(&["origin", "list"]).contains("33%"), "the share of 304");
    desk.run(&["origin", "release", &origin.url("/whatever")]);
    desk.fails(&["origin", "release", &origin.url("")], "is not on hold");
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
    assert_eq!((source.last_outcome, source.failures), (Some(Outcome::Held), 0), "{}", source.last_problem);
    assert!(source.next_poll_at >= world.now() + hours(9), "{}", source.next_reason);
    assert_eq!(other.count("/elsewhere"), 0);
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_turns_us_away_is_left_alone_for_hours() {
    let refused = Answer::status(403);
    let challenge = Answer::status(403).header("cf-mitigated", b"challenge");
    let page = Answer::ok("<!doctype html><html><script>window._cf_chl_opt={}</script></html>");
    for (answer, outcome) in
        [(refused, Outcome::Refused), (challenge, Outcome::Challenged), (page, Outcome::Challenged)]
    {
        let (mut world, origin, id) = polled_once(answer).await;
        for wait in [4, 8, 16, 24, 24] {
            let source = world.source(id).await;
            assert_eq!(source.last_outcome, Some(outcome));
            let least = world.now() + hours(wait);
            assert_eq!(source.hold_until, Some(least), "{wait} h");
            assert!(source.next_poll_at >= least, "{}", source.next_reason);
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
    assert_eq!(kinds(&world).await, [EventKind::Gone]);
    let other = Origin::start().await;
    other.serve("/feed", Answer::ok(rss(&["1 | One"])));
    world.pass(hours(24 * 30));
    let second = world.add(&other.url("/feed"), "b.example").await;
    until("the other source is polled", async || !world.polls(second).await.is_empty()).await;
    assert_eq!(origin.requests().len(), 2);
    let health = world.get("/feeds/health.atom").await;
    assert!(health.contains("is gone for good"), "{health}");
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
    let moving = world.source(id).await.moving.unwrap();
    assert_eq!((moving.to, moving.times), (origin.url("/new"), 9));
    poll_after(&world, id, hours(20)).await;
    let moved = world.source(id).await;
    assert_eq!((moved.url, moved.moving), (origin.url("/new"), None));
    assert_eq!(kinds(&world).await, [EventKind::Moved]);
    let asked = origin.count("/feed");
    next_poll(&world, id).await;
    assert_eq!(origin.count("/feed"), asked, "the old address is asked no more");
    world.stop().await;
}

#[tokio::test]
async fn credentials_go_to_their_own_server_alone() {
    let origin = Origin::start().await;
    let other = Origin::start().await;
    origin.serve("/feed", Answer::redirect("/same"));
    origin.serve("/same", Answer::redirect(&other.url("/feed").replace("http://", "http://eve:evil@")));
    other.serve("/feed", Answer::ok(rss(&["1 | One"])));
    let mut world = World::new();
    let url = origin.url("/feed").replace("http://", "http://ann:secret@");
    let id = world.add(&url, "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    assert_eq!(world.source(id).await.last_outcome, Some(Outcome::Read));
    let sent: Vec<_> = origin.requests().iter().map(|request| text(request, "authorization")).collect();
    assert_eq!(sent, vec![Some("Basic YW5uOnNlY3JldA==".to_owned()); 2]);
    assert_eq!(text(&other.requests()[0], "authorization"), None);
    for page in ["/feeds/all.atom", "/feeds/all.json", "/sources"] {
        assert!(!world.get(page).await.contains("secret"), "{page} gives the password away");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_used_where_it_is_configured_and_never_because_of_the_environment() {
    let desk = Desk::new();
    let origin = Origin::start().await;
    let proxy = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&["1 | One"])));
    proxy.serve("/feed", Answer::ok(rss(&["2 | Two"])));
    desk.run(&["source", "add", &origin.url("/feed"), "--unchecked"]);
    let mut poll = desk.newsfold(&["source", "poll", "1"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        poll.env(name, proxy.url(""));
    }
    poll.assert().success();
    assert_eq!((origin.count("/feed"), proxy.requests().len()), (1, 0));
    let mut config = std::fs::read_to_string(desk.folder.path().join("config.toml")).unwrap();
    config = config.replace("[fetch]\n", &format!("[fetch]\nproxy = \"{}\"\n", proxy.url("")));
    desk.file("config.toml", &config);
    desk.run(&["source", "poll", "1"]);
    assert_eq!((origin.count("/feed"), proxy.requests().len()), (1, 1));
}

/// Addresses of servers that are not there: nobody listens, until [`TcpListener::bind`] does.
fn silent(count: usize) -> Vec<std::net::SocketAddr> {
    let listeners: Vec<_> = (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

#[tokio::test]
async fn an_outage_of_our_own_blames_no_source_alarms_once_and_ends_without_a_herd() {
    let mut world = World::new();
    let addresses = silent(12);
    let now = world.now();
    let mut ids = Vec::new();
    for (n, address) in addresses.iter().enumerate() {
        let new = NewSource {
            url: format!("http://{address}/feed"),
            outlet: format!("outlet{n}.example"),
            ..NewSource::default()
        };
        let add = world.store.write(move |db| sources::add(db, &new, now, now));
        ids.push(add.await.unwrap().unwrap());
    }
    world.start().await;
    let told = async || kinds(&world).await == [EventKind::Offline];
    for _ in 0..12 {
        world.pass(SignedDuration::from_millis(250));
    }
    until("the outage is recognised", told).await;
    // Hours pass: the sources are tried one at a time, and nobody is blamed.
    for _ in 0..20 {
        world.pass(minutes(15));
        world.settled().await;
    }
    for id in &ids {
        let source = world.source(*id).await;
        assert_eq!(source.failures, 0, "{}: {}", source.url, source.last_problem);
    }
    assert_eq!(kinds(&world).await, [EventKind::Offline], "one alarm");
    // The network is back.
    let mut origins = Vec::new();
    for address in &addresses {
        let origin = Origin::start_on(&address.to_string()).await;
        origin.serve("/feed", Answer::ok(rss(&["1 | One"])));
        origins.push(origin);
    }
    let asked = || origins.iter().map(|origin| origin.requests().len()).sum::<usize>();
    until("a server answers", async || {
        if asked() == 0 {
            world.pass(minutes(1));
        }
        kinds(&world).await == [EventKind::Offline, EventKind::Online]
    })
    .await;
    until("the first answers are recorded", async || {
        let mut known = 0;
        for id in &ids {
            known += usize::from(world.source(*id).await.last_outcome == Some(Outcome::Read));
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
    assert_eq!(kinds(&world).await, [EventKind::Broken, EventKind::Recovered]);
    let health = world.get("/feeds/health.atom").await;
    assert_eq!(health.matches("<entry>").count(), 2, "{health}");
    assert!(health.contains("is broken") && health.contains("500 Internal Server Error"), "{health}");
    assert!(health.contains("works again"));
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
        assert!(source.next_reason.contains("each failure doubles the wait"), "{}", source.next_reason);
        next_poll(&world, id).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn what_a_feed_asks_for_is_kept() {
    let wishes = [
        ("<ttl>90</ttl>", "", 90, "the feed's ttl"),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", "", 360, "so seldom"),
        ("", "max-age=7200", 120, "fresh"),
        // It is noon on a Sunday.
        ("<skipHours><hour>12</hour><hour>13</hour></skipHours>", "", 120, "at that hour"),
        ("<skipDays><day>Sunday</day></skipDays>", "", 720, "on that day"),
        ("<ttl>99999999</ttl>", "max-age=99999999", 1440, "the feed's ttl"),
    ];
    for (element, cache, wait, why) in wishes {
        let feed = rss(&["1 | One"])
            .replace("<rss ", "<rss xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\" ")
            .replace("<language>", &format!("{element}<language>"));
        let answer = Answer::ok(feed).header("cache-control", cache.as_bytes());
        let (mut world, _origin, id) = polled_once(answer).await;
        let source = world.source(id).await;
        let span = source.next_poll_at.duration_since(world.now());
        assert!(span >= minutes(wait) && span <= minutes(wait + wait / 10 + 1), "{span:?} for {element} {cache}");
        assert!(source.next_reason.contains(why), "{}", source.next_reason);
        world.stop().await;
    }
}

#[tokio::test]
async fn requests_to_one_server_are_a_pause_apart() {
    let mut world = World::new();
    world.config.fetch.origin_gap = SignedDuration::from_millis(150);
    let origin = Origin::start().await;
    let mut ids = Vec::new();
    for n in 0..4 {
        // A redirect at the same server waits its turn like every request.
        origin.serve(&format!("/{n}"), Answer::redirect(&format!("/{n}/feed")));
        origin.serve(&format!("/{n}/feed"), Answer::ok(rss(&[&format!("{n} | Title {n}")])));
        ids.push(world.add(&origin.url(&format!("/{n}")), "a.example").await);
    }
    world.start().await;
    world.pass(minutes(1));
    // The pause is between programs too, by the clock that the test moves.
    for id in ids {
        until("it is polled", async || {
            world.pass(SignedDuration::from_millis(20));
            !world.polls(id).await.is_empty()
        })
        .await;
    }
    world.stop().await;
    let times: Vec<_> = origin.requests().iter().map(|request| request.at).collect();
    assert_eq!(times.len(), 8);
    assert_eq!(origin.most_at_once(), 1);
    for pair in times.windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap.as_millis() >= 150, "{gap:?} between two requests");
    }
}

#[tokio::test]
async fn the_schedule_survives_a_restart() {
    let (mut world, origin, id) =
        polled_once(Answer::ok(rss(&["1 | One"])).header("cache-control", b"max-age=3600")).await;
    let next = world.source(id).await.next_poll_at;
    world.stop().await;
    world.pass(minutes(30));
    world.start().await;
    world.settled().await;
    assert_eq!(world.source(id).await.next_poll_at, next);
    assert_eq!(origin.requests().len(), 1);
    world.stop().await;
}
