//! Tests the rules for requests to sources: their content and their timing. A real server records every request, and
//! the test moves the clock. `docs/etiquette.md` lists the tests for each rule.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{LoggedRequest, OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll, start_and_poll_once};
use crate::support::{rss, wait_until};
use axum::http::Version;
use jiff::SignedDuration;
use newsfold::domain::PollOutcome;
use std::io::Write;

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn text(logged: &LoggedRequest, name: &str) -> Option<String> {
    logged.header(name).map(|value| String::from_utf8(value).unwrap())
}

#[tokio::test]
async fn request_contains_only_the_necessary_headers() {
    let feed = StubResponse::ok(rss(&["1 | One"])).header("set-cookie", b"id=1").header("etag", b"\"v1\"");
    let (mut daemon, origin, id) = start_and_poll_once(feed).await;
    run_next_poll(&daemon, id).await;
    daemon.stop().await;
    let requests = origin.requests();
    let names = |logged: &LoggedRequest| {
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
async fn user_agent_contains_the_configured_url_and_subscriber_count() {
    let mut daemon = TestDaemon::new();
    daemon.config.fetch.about_url = Some("https://desk.example/about".parse().unwrap());
    daemon.config.fetch.subscribers = 40;
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    daemon.stop().await;
    let name = format!("newsfold/{} (+https://desk.example/about; 40 subscribers)", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&origin.requests()[0], "user-agent"), Some(name));
}

#[tokio::test]
async fn every_content_coding_is_decoded() {
    let feed = rss(&["1 | One"]).into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&feed).unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    deflate.write_all(&feed).unwrap();
    let mut br = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    br.write_all(&feed).unwrap();
    let zstd = zstd::encode_all(&feed[..], 3).unwrap();
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    let mut ids = Vec::new();
    for (name, body) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("br", br.into_inner()),
        ("zstd", zstd),
    ] {
        let path = format!("/{name}");
        origin.serve(&path, StubResponse::ok(body).header("content-encoding", name.as_bytes()));
        ids.push(daemon.add_source(&origin.url(&path), "a.example").await);
    }
    daemon.start().await;
    for id in ids {
        daemon.advance(SignedDuration::from_secs(1));
        daemon.wait_for_polls(id, 1).await;
        let poll = &daemon.polls(id).await[0];
        assert_eq!((poll.outcome, poll.items), (PollOutcome::Read, 1), "{}", poll.detail);
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_a_source_takes_one_request_and_a_manual_poll_is_conditional() {
    let cli = CliRunner::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])).header("etag", b"\"v1\""));
    cli.run(&["source", "add", &origin.url("/feed")]);
    assert_eq!(origin.requests().len(), 1);
    assert_eq!(origin.requests()[0].header("if-none-match"), None);
    cli.run(&["source", "poll", "1"]);
    assert_eq!(text(&origin.requests()[1], "if-none-match").as_deref(), Some("\"v1\""));
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn validators_come_from_the_newest_response_only() {
    let (mut daemon, origin, id) =
        start_and_poll_once(StubResponse::ok(rss(&["1 | One"])).header("etag", b"\"v1\"")).await;
    // Serve the same body with a new validator.
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])).header("etag", b"\"v2\""));
    run_next_poll(&daemon, id).await;
    // Respond with 304 and a new validator, which the next request must contain.
    origin.serve("/feed", StubResponse::status(304).header("etag", b"\"v3\""));
    run_next_poll(&daemon, id).await;
    // Serve a new document without a validator. A condition with the old validator would refer to a document that is no
    // longer stored.
    origin.serve("/feed", StubResponse::ok(rss(&["2 | Two"])));
    run_next_poll(&daemon, id).await;
    run_next_poll(&daemon, id).await;
    daemon.stop().await;
    let sent: Vec<_> = origin.requests().iter().map(|request| text(request, "if-none-match")).collect();
    let expected = [None, Some("\"v1\""), Some("\"v2\""), Some("\"v3\""), None];
    assert_eq!(sent, expected.map(|tag| tag.map(str::to_owned)));
}

#[tokio::test]
async fn validators_belong_to_a_url_not_to_a_source() {
    let (mut daemon, origin, id) = start_and_poll_once(StubResponse::redirect("/one")).await;
    let feed = |tag: &[u8]| StubResponse::ok(rss(&["1 | One"])).header("etag", tag);
    origin.serve("/one", feed(b"\"one\""));
    origin.serve("/two", feed(b"\"two\""));
    run_next_poll(&daemon, id).await;
    run_next_poll(&daemon, id).await;
    origin.serve("/feed", StubResponse::redirect("/two"));
    run_next_poll(&daemon, id).await;
    run_next_poll(&daemon, id).await;
    daemon.stop().await;
    let of = |path: &str| {
        let requests = origin.requests();
        let found = requests.iter().filter(|request| request.path == path);
        found.map(|request| text(request, "if-none-match")).collect::<Vec<_>>()
    };
    assert_eq!(of("/feed"), vec![None; 5], "the redirect has no validators");
    assert_eq!(of("/one"), [None, None, Some("\"one\"".to_owned())], "the first response was 404");
    assert_eq!(of("/two"), [None, Some("\"two\"".to_owned())], "another URL starts without validators");
}

#[tokio::test]
async fn response_304_to_an_unconditional_request_is_a_failure() {
    let (mut daemon, _origin, id) = start_and_poll_once(StubResponse::status(304)).await;
    let source = daemon.source(id).await;
    assert_eq!(source.last_outcome, Some(PollOutcome::Failed));
    assert!(source.last_error.contains("304"), "{}", source.last_error);
    daemon.stop().await;
}

#[tokio::test]
async fn credentials_are_sent_only_to_their_own_origin() {
    let origin = OriginServer::start().await;
    let other = OriginServer::start().await;
    origin.serve("/feed", StubResponse::redirect("/same"));
    origin.serve("/same", StubResponse::redirect(&other.url("/feed").replace("http://", "http://eve:evil@")));
    other.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    let mut daemon = TestDaemon::new();
    let url = origin.url("/feed").replace("http://", "http://ann:secret@");
    let id = daemon.add_source(&url, "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    assert_eq!(daemon.source(id).await.last_outcome, Some(PollOutcome::Read));
    let sent: Vec<_> = origin.requests().iter().map(|request| text(request, "authorization")).collect();
    assert_eq!(sent, vec![Some("Basic YW5uOnNlY3JldA==".to_owned()); 2]);
    assert_eq!(text(&other.requests()[0], "authorization"), None);
    for page in ["/feeds/all.atom", "/feeds/all.json", "/sources"] {
        assert!(!daemon.get(page).await.contains("secret"), "{page} contains the password");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_is_used_only_if_configured_and_never_from_the_environment() {
    let cli = CliRunner::new();
    let origin = OriginServer::start().await;
    let proxy = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    proxy.serve("/feed", StubResponse::ok(rss(&["2 | Two"])));
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    let mut poll = cli.command(&["source", "poll", "1"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        poll.env(name, proxy.url(""));
    }
    poll.assert().success();
    assert_eq!((origin.request_count("/feed"), proxy.requests().len()), (1, 0));
    let mut config = std::fs::read_to_string(cli.folder.path().join("config.toml")).unwrap();
    config = config.replace("[fetch]\n", &format!("[fetch]\nproxy = \"{}\"\n", proxy.url("")));
    cli.write_file("config.toml", &config);
    cli.run(&["source", "poll", "1"]);
    assert_eq!((origin.request_count("/feed"), proxy.requests().len()), (1, 1));
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
        // The clock is at noon on a Sunday.
        ("<skipHours><hour>12</hour><hour>13</hour></skipHours>", "", 120, r#""moved_by_feed":true"#),
        ("<skipDays><day>Sunday</day></skipDays>", "", 720, r#""moved_by_feed":true"#),
        ("<ttl>99999999</ttl>", "max-age=99999999", 1440, r#""kind":"feed-ttl""#),
    ];
    for (element, cache, delay, reason) in hints {
        let feed = rss(&["1 | One"])
            .replace("<rss ", "<rss xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\" ")
            .replace("<language>", &format!("{element}<language>"));
        let answer = StubResponse::ok(feed).header("cache-control", cache.as_bytes());
        let (mut daemon, _origin, id) = start_and_poll_once(answer).await;
        let source = daemon.source(id).await;
        let span = source.next_poll_at.duration_since(daemon.now());
        assert!(span >= minutes(delay) && span <= minutes(delay + delay / 10 + 1), "{span:?} for {element} {cache}");
        let stored = serde_json::to_string(&source.next_poll_reason).unwrap();
        assert!(stored.contains(reason), "{stored} for {element} {cache}");
        daemon.stop().await;
    }
}

#[tokio::test]
async fn requests_to_one_origin_are_separated_by_the_minimum_delay() {
    let mut daemon = TestDaemon::new();
    daemon.config.fetch.min_origin_delay = SignedDuration::from_millis(150);
    assert_minimum_delay(daemon, OriginServer::start().await).await;
}

#[tokio::test]
async fn http_2_requests_to_one_origin_are_separated_and_never_concurrent() {
    let mut daemon = TestDaemon::new();
    let (origin, certificate) = OriginServer::start_h2().await;
    let file = daemon.folder.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    daemon.config.fetch.ca_file = Some(file);
    daemon.config.fetch.allowed_networks.push("::1/128".parse().unwrap());
    daemon.config.fetch.min_origin_delay = SignedDuration::from_millis(150);
    let requests = assert_minimum_delay(daemon, origin).await;
    assert!(requests.iter().all(|request| request.version == Version::HTTP_2));
}

/// Polls four sources at one origin, each with a redirect within the origin. Returns the requests.
async fn assert_minimum_delay(mut daemon: TestDaemon, origin: OriginServer) -> Vec<LoggedRequest> {
    let mut ids = Vec::new();
    for n in 0..4 {
        // The minimum delay also applies to redirects within the origin.
        origin.serve(&format!("/{n}"), StubResponse::redirect(&format!("/{n}/feed")));
        origin.serve(&format!("/{n}/feed"), StubResponse::ok(rss(&[&format!("{n} | Title {n}")])));
        ids.push(daemon.add_source(&origin.url(&format!("/{n}")), "a.example").await);
    }
    daemon.start().await;
    daemon.advance(minutes(1));
    // The delay also applies across processes, measured by the clock that the test moves.
    for id in ids {
        wait_until("the source has been polled", async || {
            daemon.advance(SignedDuration::from_millis(20));
            !daemon.polls(id).await.is_empty()
        })
        .await;
    }
    daemon.stop().await;
    let times: Vec<_> = origin.requests().iter().map(|request| request.at).collect();
    assert_eq!(times.len(), 8);
    assert_eq!(origin.max_concurrent(), 1);
    for pair in times.windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap.as_millis() >= 150, "{gap:?} between two requests");
    }
    origin.requests()
}

#[tokio::test]
async fn schedule_survives_a_restart() {
    let (mut daemon, origin, id) =
        start_and_poll_once(StubResponse::ok(rss(&["1 | One"])).header("cache-control", b"max-age=3600")).await;
    let next = daemon.source(id).await.next_poll_at;
    daemon.stop().await;
    daemon.advance(minutes(30));
    daemon.start().await;
    daemon.wait_until_idle().await;
    assert_eq!(daemon.source(id).await.next_poll_at, next);
    assert_eq!(origin.requests().len(), 1);
    daemon.stop().await;
}

#[tokio::test]
async fn cookie_returns_to_its_host_within_one_chain_of_redirects_only() {
    let mut daemon = TestDaemon::new();
    let (origin, other) = (OriginServer::start().await, OriginServer::start_on("127.0.0.2").await);
    daemon.config.fetch.allowed_networks.push("127.0.0.2/32".parse().unwrap());
    let wall = StubResponse::redirect("/gate").header("set-cookie", b"visited=1; Path=/");
    origin.serve("/feed", wall);
    origin.serve("/gate", StubResponse::redirect(&other.url("/feed")).header("set-cookie", b"second=2; Path=/feed"));
    other.serve("/feed", StubResponse::redirect(&origin.url("/feed/end")).header("set-cookie", b"third=3; Path=/"));
    origin.serve("/feed/end", StubResponse::ok(rss(&["1 | One"])));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    run_next_poll(&daemon, id).await;
    daemon.stop().await;
    let sent = |server: &OriginServer| server.requests().iter().map(|r| text(r, "cookie")).collect::<Vec<_>>();
    let one_chain = [None, Some("visited=1".to_owned()), Some("second=2; visited=1".to_owned())];
    assert_eq!(sent(&origin), [one_chain.clone(), one_chain].concat());
    assert_eq!(sent(&other), [None, None]);
}

#[tokio::test]
async fn server_that_answers_only_304_gets_an_unconditional_request_a_week() {
    let feed = StubResponse::ok(rss(&["1 | One"])).header("etag", b"\"v1\"").header("cache-control", b"max-age=86400");
    let (mut daemon, origin) = (TestDaemon::new(), OriginServer::start().await);
    daemon.config.daemon.poll_retention = SignedDuration::from_hours(24 * 60);
    origin.serve("/feed", feed);
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    for _ in 0..30 {
        run_next_poll(&daemon, id).await;
    }
    daemon.stop().await;
    let requests = origin.requests();
    let full: Vec<usize> = (0..requests.len()).filter(|n| text(&requests[*n], "if-none-match").is_none()).collect();
    assert_eq!(full.len(), 4, "the first one, and one in each of the weeks after the second: {full:?}");
    assert!((14..=16).contains(&full[1]) && (6..=8).contains(&(full[2] - full[1])), "{full:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_poll_without_cache_is_unconditional() {
    let cli = CliRunner::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])).header("etag", b"\"v1\""));
    cli.run(&["source", "add", &origin.url("/feed")]);
    let polled = cli.run_json(&["source", "poll", "1", "--no-cache"]);
    assert_eq!(polled[0]["poll"]["outcome"], "read");
    assert_eq!(cli.run_json(&["source", "poll", "1"])[0]["poll"]["outcome"], "not-modified");
    let sent: Vec<_> = origin.requests().iter().map(|request| text(request, "if-none-match")).collect();
    assert_eq!(sent, [None, None, Some("\"v1\"".to_owned())]);
}
