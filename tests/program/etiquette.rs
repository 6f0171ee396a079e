//! The rules of a good guest, each against a real server that logs every request, with a clock that the test moves: what a
//! request carries, and when it is made. `docs/etiquette.md` says which rule is held by which test.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Logged, Origin};
use crate::support::world::{World, next_poll, polled_once};
use crate::support::{rss, until};
use axum::http::Version;
use jiff::SignedDuration;
use newsfold::domain::PollOutcome;
use std::io::Write;

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn text(logged: &Logged, name: &str) -> Option<String> {
    logged.header(name).map(|value| String::from_utf8(value).unwrap())
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
        assert_eq!((poll.outcome, poll.items), (PollOutcome::Read, 1), "{}", poll.detail);
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
    assert_eq!(source.last_outcome, Some(PollOutcome::Failed));
    assert!(source.last_error.contains("304"), "{}", source.last_error);
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
    assert_eq!(world.source(id).await.last_outcome, Some(PollOutcome::Read));
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
    desk.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
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

#[tokio::test]
async fn polling_hints_of_a_feed_and_its_server_are_respected() {
    let hints = [
        ("<ttl>90</ttl>", "", 90, r#""kind":"feed-ttl""#),
        (
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            "",
            360,
            r#""kind":"feed-update-period""#,
        ),
        ("", "max-age=7200", 120, r#""kind":"freshness""#),
        // It is noon on a Sunday.
        ("<skipHours><hour>12</hour><hour>13</hour></skipHours>", "", 120, r#""moved_by_feed":true"#),
        ("<skipDays><day>Sunday</day></skipDays>", "", 720, r#""moved_by_feed":true"#),
        ("<ttl>99999999</ttl>", "max-age=99999999", 1440, r#""kind":"feed-ttl""#),
    ];
    for (element, cache, delay, reason) in hints {
        let feed = rss(&["1 | One"])
            .replace("<rss ", "<rss xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\" ")
            .replace("<language>", &format!("{element}<language>"));
        let answer = Answer::ok(feed).header("cache-control", cache.as_bytes());
        let (mut world, _origin, id) = polled_once(answer).await;
        let source = world.source(id).await;
        let span = source.next_poll_at.duration_since(world.now());
        assert!(span >= minutes(delay) && span <= minutes(delay + delay / 10 + 1), "{span:?} for {element} {cache}");
        let stored = serde_json::to_string(&source.next_poll_reason).unwrap();
        assert!(stored.contains(reason), "{stored} for {element} {cache}");
        world.stop().await;
    }
}

#[tokio::test]
async fn requests_to_one_server_are_a_pause_apart() {
    let mut world = World::new();
    world.config.fetch.min_origin_delay = SignedDuration::from_millis(150);
    are_a_pause_apart(world, Origin::start().await).await;
}

#[tokio::test]
async fn over_http_2_too_requests_are_a_pause_apart_and_never_two_at_once() {
    let mut world = World::new();
    let (origin, certificate) = Origin::start_h2().await;
    let file = world.folder.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    world.config.fetch.ca_file = Some(file);
    world.config.fetch.allowed_networks.push("::1/128".parse().unwrap());
    world.config.fetch.min_origin_delay = SignedDuration::from_millis(150);
    let requests = are_a_pause_apart(world, origin).await;
    assert!(requests.iter().all(|request| request.version == Version::HTTP_2));
}

/// Four sources of one origin, each of which is redirected there.
async fn are_a_pause_apart(mut world: World, origin: Origin) -> Vec<Logged> {
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
    origin.requests()
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
