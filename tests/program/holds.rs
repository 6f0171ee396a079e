//! Tests servers that throttle, refuse, move, disappear or stop responding. A real server logs every request, and the
//! test moves the clock. `docs/etiquette.md` lists the tests for each rule.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll, run_next_poll_after, start_and_poll_once};
use crate::support::{rss, wait_until};
use jiff::{SignedDuration, Timestamp};
use newsfold::domain::{
    DelayCause, HoldScope, NewSource, NextPollReason, OperatorEventKind, PollOutcome, SourceEdit, SourceId, SourceState,
};
use newsfold::store::{operator_events, origins, sources};

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

async fn event_kinds(daemon: &TestDaemon) -> Vec<OperatorEventKind> {
    let mut all = daemon.store.read(operator_events::latest).await.unwrap();
    all.reverse();
    all.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn response_429_holds_the_origin_and_503_only_the_source() {
    for (status, others) in [(429, 0), (503, 1)] {
        let mut daemon = TestDaemon::new();
        let origin = OriginServer::start().await;
        origin.serve("/a", StubResponse::status(status).header("retry-after", b"7200"));
        origin.serve("/b", StubResponse::ok(rss(&["1 | One"])));
        let a = daemon.add_source(&origin.url("/a"), "a.example").await;
        let b = daemon.add_source(&origin.url("/b"), "a.example").await;
        daemon.start().await;
        daemon.wait_for_polls(a, 1).await;
        daemon.advance(minutes(1));
        let decided = async || {
            let source = daemon.source(b).await;
            source.last_poll_at.is_some() || matches!(source.next_poll_reason, NextPollReason::OriginHold { .. })
        };
        wait_until("the next poll of the other source has been decided", decided).await;
        daemon.advance(minutes(118));
        daemon.wait_until_idle().await;
        assert_eq!(origin.request_count("/b").min(1), others, "during the hold after a {status}");
        assert_eq!(origin.request_count("/a"), 1);
        if status == 429 {
            // The hold also applies to manual polls.
            let now = daemon.now();
            let held = origin.url("").trim_end_matches('/').to_owned();
            let hold = daemon
                .store
                .read(move |db| origins::active_hold(db, &held, HoldScope::Content, now))
                .await
                .unwrap()
                .unwrap();
            assert!(hold.until >= now + minutes(1), "{hold:?}");
            origin.serve("/a", StubResponse::ok(rss(&["2 | Two"])));
            daemon.advance(minutes(30));
            daemon.wait_for_polls(a, 2).await;
            daemon.wait_for_polls(b, 1).await;
        }
        daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_lists_and_ends_a_hold() {
    let cli = CliRunner::new();
    let origin = OriginServer::start().await;
    origin.serve("/a", StubResponse::status(429).header("retry-after", b"7200"));
    origin.serve("/b", StubResponse::ok(rss(&["1 | One"])).header("etag", b"\"1\""));
    cli.run(&["source", "add", &origin.url("/a"), "--no-fetch"]);
    cli.run(&["source", "add", &origin.url("/b"), "--no-fetch"]);
    cli.run(&["source", "poll", "2"]);
    cli.run(&["source", "poll", "2"]);
    cli.run_json_failing(&["source", "poll", "1"]);
    let skipped = cli.run_json_failing(&["source", "poll", "2"]);
    assert!(skipped[0]["skipped"].as_str().unwrap().contains("origin unhold"), "{skipped}");
    cli.assert_fails(&["source", "add", &origin.url("/c")], "is on hold until");
    cli.assert_fails(&["check", &origin.url("/c")], "is on hold until");
    let list = cli.run_json(&["origin", "list"]);
    let row = &list[0];
    assert_eq!(row["origin"].as_str().unwrap(), origin.url(""));
    let number = |name: &str| row[name].as_u64().unwrap();
    assert_eq!((number("sources"), number("requests"), number("not_modified")), (2, 3, 1));
    assert_eq!((number("throttled"), number("errors")), (1, 0));
    assert_eq!(number("bytes"), rss(&["1 | One"]).len() as u64);
    assert!(row["held_until"].is_string() && row["hold_text"].as_str().unwrap().contains("retry later"));
    assert!(cli.run(&["origin", "list"]).contains("33%"), "the share of 304");
    cli.run(&["origin", "unhold", &origin.url("/whatever")]);
    cli.assert_fails(&["origin", "unhold", &origin.url("")], "is not on hold");
    cli.run(&["source", "poll", "2"]);
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.request_count("/c")), (1, 3, 0));
}

#[tokio::test]
async fn redirect_to_an_origin_on_hold_is_not_followed() {
    let (mut daemon, origin, id) = start_and_poll_once(StubResponse::ok(rss(&["1 | One"]))).await;
    let other = OriginServer::start().await;
    other.serve("/feed", StubResponse::status(429).header("retry-after", b"36000"));
    let throttled = daemon.add_source(&other.url("/feed"), "b.example").await;
    daemon.wait_for_polls(throttled, 1).await;
    origin.serve("/feed", StubResponse::redirect(&other.url("/elsewhere")));
    run_next_poll(&daemon, id).await;
    let source = daemon.source(id).await;
    assert_eq!((source.last_outcome, source.failures), (Some(PollOutcome::Held), 0), "{}", source.last_error);
    assert!(source.next_poll_at >= daemon.now() + hours(9), "{:?}", source.next_poll_reason);
    let (page, end) = (daemon.get(&format!("/sources/{id}")).await, source.last_error_time.unwrap());
    let remark = format!("{}, which is on hold until {}</td>", other.url("").replace("http://", ""), time_element(end));
    assert!(page.contains(&remark), "{remark}\n{page}");
    assert_eq!(other.request_count("/elsewhere"), 0);
    daemon.stop().await;
}

#[tokio::test]
async fn refusals_and_bot_challenges_hold_the_source_for_hours() {
    let refused = StubResponse::status(403);
    let challenge = StubResponse::status(403).header("cf-mitigated", b"challenge");
    let page = StubResponse::ok("<!doctype html><html><script>window._cf_chl_opt={}</script></html>");
    for (answer, outcome) in
        [(refused, PollOutcome::Refused), (challenge, PollOutcome::Challenged), (page, PollOutcome::Challenged)]
    {
        let (mut daemon, origin, id) = start_and_poll_once(answer).await;
        for wait in [4, 8, 16, 24, 24] {
            let source = daemon.source(id).await;
            assert_eq!(source.last_outcome, Some(outcome));
            let least = daemon.now() + hours(wait);
            assert_eq!(source.hold_until, Some(least), "{wait} h");
            assert!(source.next_poll_at >= least, "{:?}", source.next_poll_reason);
            run_next_poll(&daemon, id).await;
        }
        assert_eq!(origin.requests().len(), 6);
        daemon.stop().await;
    }
}

#[tokio::test]
async fn gone_feed_is_polled_once_more_after_a_day_and_then_never() {
    let (mut daemon, origin, id) = start_and_poll_once(StubResponse::status(410)).await;
    assert_eq!(daemon.source(id).await.state, SourceState::Active);
    assert!(daemon.source(id).await.next_poll_at >= daemon.now() + hours(24));
    run_next_poll(&daemon, id).await;
    assert_eq!(daemon.source(id).await.state, SourceState::Gone);
    assert_eq!(event_kinds(&daemon).await, [OperatorEventKind::Gone]);
    let other = OriginServer::start().await;
    other.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    daemon.advance(hours(24 * 30));
    let second = daemon.add_source(&other.url("/feed"), "b.example").await;
    wait_until("the other source has been polled", async || !daemon.polls(second).await.is_empty()).await;
    assert_eq!(origin.requests().len(), 2);
    let health = daemon.get("/feeds/health.atom").await;
    assert!(health.contains("the feed is gone permanently (410)"), "{health}");
    daemon.stop().await;
}

#[tokio::test]
async fn permanent_redirect_is_adopted_after_ten_polls_in_seven_days_and_a_temporary_one_never() {
    let (mut daemon, origin, id) = start_and_poll_once(StubResponse::ok(rss(&["1 | One"]))).await;
    origin.serve("/new", StubResponse::ok(rss(&["1 | One", "2 | Two"])));
    // These polls take twelve days, and poll records are kept for two weeks.
    for (status, polls) in [(302, 3), (307, 3), (308, 9)] {
        origin.serve("/feed", StubResponse::redirect_with_status(status, "/new"));
        for _ in 0..polls {
            run_next_poll_after(&daemon, id, hours(20)).await;
        }
        assert_eq!(daemon.source(id).await.url, origin.url("/feed"), "after {polls} times {status}");
    }
    let pending = daemon.source(id).await.pending_redirect.unwrap();
    assert_eq!((pending.to, pending.times), (origin.url("/new"), 9));
    run_next_poll_after(&daemon, id, hours(20)).await;
    let moved = daemon.source(id).await;
    assert_eq!((moved.url, moved.pending_redirect), (origin.url("/new"), None));
    assert_eq!(event_kinds(&daemon).await, [OperatorEventKind::Moved]);
    let asked = origin.request_count("/feed");
    run_next_poll(&daemon, id).await;
    assert_eq!(origin.request_count("/feed"), asked, "the old URL gets no more requests");
    daemon.stop().await;
}

/// Returns the element in which pages show a time.
fn time_element(at: Timestamp) -> String {
    at.strftime("<time datetime=\"%Y-%m-%dT%H:%M:%SZ\">%-d %b %Y, %H:%M UTC</time>").to_string()
}

/// A server that no packet reaches, as during an outage of our own network. Its accept queue is full, so the system
/// drops new connections.
struct UnreachableServer {
    listener: std::net::TcpListener,
    _queued: Vec<std::net::TcpStream>,
}

impl UnreachableServer {
    fn new() -> UnreachableServer {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(100));
        let queued = std::iter::from_fn(|| connect().ok()).collect();
        UnreachableServer { listener, _queued: queued }
    }

    fn url(&self) -> String {
        format!("http://{}/feed", self.listener.local_addr().unwrap())
    }

    /// Makes the server reachable.
    async fn recover(self) -> OriginServer {
        drop(self._queued);
        rustix::net::listen(&self.listener, 128).unwrap();
        let origin = OriginServer::start_with(self.listener).await;
        origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
        origin
    }
}

/// Returns a daemon that is not started yet, with twelve sources that no packet reaches.
async fn daemon_with_unreachable_servers() -> (TestDaemon, Vec<UnreachableServer>, Vec<SourceId>) {
    let mut daemon = TestDaemon::new();
    daemon.config.fetch.connect_timeout = SignedDuration::from_millis(200);
    let unreachable: Vec<UnreachableServer> = (0..12).map(|_| UnreachableServer::new()).collect();
    let now = daemon.now();
    let mut ids = Vec::new();
    for (n, server) in unreachable.iter().enumerate() {
        let new = NewSource { url: server.url(), outlet: format!("outlet{n}.example"), ..NewSource::default() };
        let add = daemon.store.write(move |db| sources::add(db, &new, now, now));
        ids.push(add.await.unwrap().unwrap());
    }
    (daemon, unreachable, ids)
}

#[tokio::test]
async fn network_outage_is_reported_once_counts_no_failures_and_ends_without_a_burst() {
    let (mut daemon, unreachable, ids) = daemon_with_unreachable_servers().await;
    daemon.start().await;
    let is_reported = async || event_kinds(&daemon).await == [OperatorEventKind::Offline];
    for _ in 0..12 {
        daemon.advance(SignedDuration::from_millis(250));
    }
    wait_until("the outage has been recognized", is_reported).await;
    // During the following hours, only one source at a time is polled, and no failure is counted.
    for _ in 0..12 {
        daemon.advance(minutes(15));
        let is_polled = async || {
            let last = daemon.store.read(newsfold::store::polls::last_poll_at).await.unwrap();
            last.is_some_and(|last| last >= daemon.now())
        };
        wait_until("a source is polled again", is_polled).await;
    }
    for id in &ids {
        let source = daemon.source(*id).await;
        assert_eq!(source.failures, 0, "{}: {}", source.url, source.last_error);
    }
    assert_eq!(event_kinds(&daemon).await, [OperatorEventKind::Offline], "one event");
    let since = daemon.store.read(operator_events::offline_since).await.unwrap().unwrap();
    let offline = format!("no server has been reachable since {}", time_element(since));
    let page = daemon.get("/health").await;
    assert!(page.contains(&format!("{offline}; the last error: ")), "the event: {page}");
    assert!(page.contains(&format!("<td class=\"remark\">{offline}: ")), "the source: {page}");
    // The network is up again.
    let mut origins = Vec::new();
    for server in unreachable {
        origins.push(server.recover().await);
    }
    let request_count = || origins.iter().map(|origin| origin.requests().len()).sum::<usize>();
    wait_until("a server has responded", async || {
        if request_count() == 0 {
            daemon.advance(minutes(1));
        }
        event_kinds(&daemon).await == [OperatorEventKind::Offline, OperatorEventKind::Online]
    })
    .await;
    wait_until("the first responses have been recorded", async || {
        let mut known = 0;
        for id in &ids {
            known += usize::from(daemon.source(*id).await.last_outcome == Some(PollOutcome::Read));
        }
        known == request_count()
    })
    .await;
    let page = daemon.get("/health").await;
    let recovered = format!("servers respond again; no server had been reachable since {}", time_element(since));
    assert!(page.contains(&recovered), "{page}");
    assert!(request_count() <= 2, "{} simultaneous requests after the outage", request_count());
    for _ in 0..120 {
        daemon.advance(SignedDuration::from_secs(5));
        daemon.wait_until_idle().await;
    }
    wait_until("all sources have been polled", async || {
        daemon.advance(SignedDuration::from_secs(5));
        origins.iter().all(|origin| !origin.requests().is_empty())
    })
    .await;
    daemon.stop().await;
}

#[tokio::test]
async fn health_feed_reports_a_source_that_fails_and_recovers() {
    let (mut daemon, origin, id) =
        start_and_poll_once(StubResponse::ok(rss(&["1 | One"])).header("etag", b"\"1\"")).await;
    let empty = daemon.get("/feeds/health.atom").await;
    assert!(!empty.contains("<entry>"));
    origin.serve("/feed", StubResponse::status(500));
    for _ in 0..7 {
        run_next_poll(&daemon, id).await;
    }
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    run_next_poll(&daemon, id).await;
    assert_eq!(event_kinds(&daemon).await, [OperatorEventKind::Broken, OperatorEventKind::Recovered]);
    let health = daemon.get("/feeds/health.atom").await;
    assert_eq!(health.matches("<entry>").count(), 2, "{health}");
    assert!(health.contains("is failing") && health.contains("500 Internal Server Error"), "{health}");
    assert!(health.contains("has recovered"));
    assert_eq!(daemon.get("/feeds/health.atom").await, health, "the bytes are the same");
    daemon.stop().await;
}

#[tokio::test]
async fn failures_double_the_delay_up_to_a_day() {
    let (mut daemon, _origin, id) = start_and_poll_once(StubResponse::status(500)).await;
    for delay in [20, 40, 80, 160, 320, 640, 1280, 1440, 1440] {
        let source = daemon.source(id).await;
        let span = source.next_poll_at.duration_since(daemon.now());
        assert!(span >= minutes(delay) && span <= minutes(delay + delay / 10 + 1), "{span:?} for {delay} min");
        let NextPollReason::Delay { cause, .. } = &source.next_poll_reason else { panic!("{source:?}") };
        assert!(matches!(cause, DelayCause::Backoff { .. }), "{cause:?}");
        run_next_poll(&daemon, id).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn response_429_to_source_add_holds_the_origin() {
    let cli = CliRunner::new();
    let origin = OriginServer::start().await;
    origin.serve("/a", StubResponse::status(429).header("retry-after", b"7200"));
    cli.assert_fails(&["source", "add", &origin.url("/a")], "asked newsfold to retry later");
    cli.assert_fails(&["source", "add", &origin.url("/a")], "is on hold until");
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn poll_of_the_old_url_does_not_affect_the_new_one() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/old", StubResponse::status(503).header("retry-after", b"86400").blocked());
    origin.serve("/new", StubResponse::ok(rss(&["1 | One"])));
    let id = daemon.add_source(&origin.url("/old"), "a.example").await;
    daemon.start().await;
    wait_until("the old URL has been requested", async || origin.request_count("/old") == 1).await;
    let edit = SourceEdit { url: Some(origin.url("/new")), ..SourceEdit::default() };
    let now = daemon.now();
    daemon.store.write(move |db| sources::edit(db, id, &edit, now)).await.unwrap();
    origin.release();
    wait_until("the new URL has been read", async || daemon.source(id).await.last_outcome == Some(PollOutcome::Read))
        .await;
    let source = daemon.source(id).await;
    assert_eq!((source.hold_until, source.failures), (None, 0));
    assert_eq!(daemon.polls(id).await.len(), 2, "both polls are recorded");
    daemon.stop().await;
}

/// The test uses server names, which require a proxy that responds for all servers.
#[tokio::test(flavor = "multi_thread")]
async fn response_429_holds_the_registrable_domain_if_configured() {
    for hold_by in ["origin", "domain"] {
        let cli = CliRunner::new();
        let proxy = OriginServer::start().await;
        proxy.serve("/ann", StubResponse::status(429).header("retry-after", b"7200"));
        proxy.serve("/ben", StubResponse::ok(rss(&["1 | One"])));
        proxy.serve("/eve", StubResponse::ok(rss(&["2 | Two"])));
        let config = std::fs::read_to_string(cli.folder.path().join("config.toml")).unwrap();
        let config = config.replace("[fetch]\n", &format!("[fetch]\nproxy = \"{}\"\n", proxy.url("")));
        cli.write_file("config.toml", &format!("{config}\n[poll]\nhold_by = \"{hold_by}\"\n"));
        for url in ["http://ann.blogs.example/ann", "http://ben.blogs.example/ben", "http://other.example/eve"] {
            cli.run(&["source", "add", url, "--no-fetch"]);
        }
        cli.run_json_failing(&["source", "poll", "1"]);
        if hold_by == "origin" {
            cli.run(&["source", "poll", "2", "3"]);
            continue;
        }
        let held = cli.run_json_failing(&["source", "poll", "2", "3"]);
        assert!(held[0]["skipped"].as_str().unwrap().contains("on hold until"), "{held}");
        assert_eq!(held[1]["poll"]["outcome"], "read");
        assert_eq!((proxy.request_count("/ben"), proxy.request_count("/eve")), (0, 1));
        assert!(cli.run(&["origin", "unhold", "http://ben.blogs.example"]).contains("2 sources were waiting"));
        cli.run(&["source", "poll", "2"]);
    }
}
