//! Tests the limits on the size and duration of responses from hostile servers, on the number of their header fields
//! and redirects, and the reasons for failed requests.

use crate::support::daemon_process::{database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::raw_server::{RawResponse, RawServer, head};
use crate::support::{count_polls, rss, wait_until};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use newsfold::http_client::{DocumentRequest, FetchResult, Fetcher, NoDocument, Options};
use std::io::Write;
use std::time::{Duration, Instant};

fn options() -> Options {
    Options {
        allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
        min_origin_delay: SignedDuration::ZERO,
        ..Options::default()
    }
}

async fn fetch(options: Options, url: &str) -> FetchResult {
    let fetcher = Fetcher::new(options).unwrap();
    let allow_all = |_| std::future::ready(Ok(())).boxed();
    fetcher.fetch(&url.parse().unwrap(), DocumentRequest::plain(Timestamp::UNIX_EPOCH), &allow_all).await
}

/// Returns the reason why receiving or decoding a document fails.
async fn failure_reason(options: Options, url: &str) -> String {
    match fetch(options, url).await.outcome {
        Err(NoDocument::Failed { detail } | NoDocument::Unreachable { detail }) => detail,
        Err(NoDocument::Blocked { reason }) => reason.to_string(),
        Ok(document) => {
            document.body.decode().map(|bytes| bytes.len()).expect_err("no document is expected").to_string()
        }
        other => panic!("{other:?}"),
    }
}

const SHORT: SignedDuration = SignedDuration::from_millis(300);

#[tokio::test]
async fn silent_server_times_out() {
    let silent = RawServer::start(RawResponse::Silence).await;
    let reason = failure_reason(Options { header_timeout: SHORT, ..options() }, &silent.base).await;
    assert_eq!(reason, "no response within 300ms");
}

#[tokio::test]
async fn body_that_stalls_times_out() {
    let trickle = RawResponse::Trickle { head: head(""), pause: Duration::from_secs(3600) };
    let reason =
        failure_reason(Options { read_timeout: SHORT, ..options() }, &RawServer::start(trickle).await.base).await;
    assert!(reason.contains("the body is incomplete"), "{reason}");
}

#[tokio::test]
async fn occasional_bytes_do_not_extend_the_timeouts() {
    let trickle = RawResponse::Trickle { head: head(""), pause: Duration::from_millis(20) };
    let reason =
        failure_reason(Options { total_timeout: SHORT, ..options() }, &RawServer::start(trickle).await.base).await;
    assert_eq!(reason, "no complete response within 300ms");
    // A response header that never ends does not extend the timeout.
    let slow_head = RawResponse::Trickle { head: b"HTTP/1.1 200 OK\r\nx: ".to_vec(), pause: Duration::from_millis(20) };
    let reason =
        failure_reason(Options { header_timeout: SHORT, ..options() }, &RawServer::start(slow_head).await.base).await;
    assert_eq!(reason, "no response within 300ms");
}

#[tokio::test]
async fn endless_body_is_refused_at_the_size_limit() {
    let endless =
        RawServer::start(RawResponse::Endless { head: head(""), bytes: b"<item>news</item>".repeat(4096) }).await;
    let reason = failure_reason(Options { max_body_bytes: 2 << 20, ..options() }, &endless.base).await;
    assert_eq!(reason, "the body is larger than 2 MiB");
    assert!(endless.sent_bytes() < 32 << 20, "{} bytes were sent", endless.sent_bytes());
    // A large Content-Length without a body is also refused.
    let claimed = RawResponse::Bytes(head("content-length: 99999999999\r\n"));
    let reason = failure_reason(options(), &RawServer::start(claimed).await.base).await;
    assert!(reason.contains("the body is incomplete"), "{reason}");
}

#[tokio::test]
async fn too_many_or_too_large_header_fields_are_refused() {
    let endless =
        RawResponse::Endless { head: b"HTTP/1.1 200 OK\r\n".to_vec(), bytes: b"x-field: value\r\n".repeat(512) };
    let reason = failure_reason(options(), &RawServer::start(endless).await.base).await;
    assert!(reason.contains("request failed"), "{reason}");
    let one = format!("x-field: {}\r\n", "x".repeat(100 * 1024));
    let large = RawResponse::Bytes([head(&one), rss(&["1 | One"]).into_bytes()].concat());
    let reason = failure_reason(options(), &RawServer::start(large).await.base).await;
    assert_eq!(reason, "the header of the response is larger than 64 KiB");
}

#[tokio::test]
async fn decompression_bomb_is_refused() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; 8 << 20]).unwrap();
    let bomb = OriginServer::start().await;
    bomb.serve("/", StubResponse::ok(gzip.finish().unwrap()).header("content-encoding", b"gzip"));
    let reason = failure_reason(options(), &bomb.url("/")).await;
    assert!(reason.contains("compressed by more than a factor of 200"), "{reason}");
}

#[tokio::test]
async fn bodies_of_redirects_and_errors_are_not_read() {
    for head in ["HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n", "HTTP/1.1 500 Internal Server Error\r\n\r\n"] {
        let endless = RawServer::start(RawResponse::Endless { head: head.into(), bytes: vec![b'x'; 64 * 1024] }).await;
        let reason = failure_reason(options(), &endless.base).await;
        assert!(reason.contains("more than 10 redirects") || reason.contains("responded with status 500"), "{reason}");
        assert!(endless.sent_bytes() < endless.requests() * (16 << 20), "{} bytes were sent", endless.sent_bytes());
    }
}

#[tokio::test]
async fn at_most_ten_redirects_are_followed() {
    let origin = OriginServer::start().await;
    for n in 0..12 {
        origin.serve(&format!("/{n}"), StubResponse::redirect(&format!("/{}", n + 1)));
    }
    origin.serve("/12", StubResponse::ok(rss(&["1 | One"])));
    let fetched = fetch(options(), &origin.url("/2")).await;
    assert!(fetched.outcome.is_ok(), "{fetched:?}");
    assert_eq!(fetched.requests.len(), 11);
    let reason = failure_reason(options(), &origin.url("/1")).await;
    assert_eq!(reason, "more than 10 redirects");
    for (location, expect) in
        [("http://", "invalid URL"), ("ftp://a.example/", "use http or https"), ("http://a.example:25/", "port 25")]
    {
        origin.serve("/odd", StubResponse::redirect(location));
        let reason = failure_reason(options(), &origin.url("/odd")).await;
        assert!(reason.contains(expect), "{location}: {reason}");
    }
}

#[tokio::test]
async fn redirect_out_of_the_allowed_network_is_refused_in_every_spelling() {
    let origin = OriginServer::start().await;
    let neighbor = OriginServer::start_on("127.0.0.2").await;
    neighbor.serve("/", StubResponse::ok(rss(&["1 | One"])));
    let port = neighbor.url("").rsplit_once(':').unwrap().1.to_owned();
    for host in ["127.0.0.2", "2130706434", "0x7f000002", "0177.0.0.2", "127.2", "[::ffff:127.0.0.2]"] {
        origin.serve("/", StubResponse::redirect(&format!("http://{host}:{port}/")));
        let reason = failure_reason(options(), &origin.url("/")).await;
        assert!(reason.contains("is not a public address"), "{host}: {reason}");
    }
    assert_eq!(neighbor.requests().len(), 0);
}

/// Returns the peak memory of a process, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Polls two hundred servers that send the maximum in different ways and one well-behaved server, all concurrently.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_with_two_hundred_hostile_servers_at_once() {
    const SERVERS: usize = 200;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&rss(&["1 | One"]).repeat(200_000).into_bytes()[..15 << 20]).unwrap();
    let compressed = gzip.finish().unwrap();
    let compressed_head = head(&format!("content-encoding: gzip\r\ncontent-length: {}\r\n", compressed.len()));
    let many = format!("<rss><channel>{}", "<item><title>Storm</title></item>".repeat(480_000));
    let endless = [
        RawResponse::Endless { head: head(""), bytes: vec![b'<'; 64 * 1024] },
        RawResponse::Endless { head: b"HTTP/1.1 200 OK\r\n".to_vec(), bytes: b"x: y\r\n".repeat(1024) },
    ];
    // Complete documents are parsed, which takes seconds per document in a debug build.
    let complete = [
        RawResponse::Bytes([compressed_head, compressed].concat()),
        RawResponse::Bytes([head(""), many.into_bytes()].concat()),
        RawResponse::Bytes([head(""), b"<rss><channel>".to_vec(), b"<a>".repeat(4 << 20)].concat()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\n[daemon]\nconcurrency = {}\n",
        SERVERS + 1
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let mut servers = Vec::new();
    let store = newsfold::store::Store::open(&database_path(folder.path())).unwrap();
    let well_behaved = OriginServer::start().await;
    well_behaved.serve("/", StubResponse::ok(rss(&["1 | One"])));
    let mut urls = vec![well_behaved.url("/")];
    for n in 0..SERVERS {
        let response = if n % 20 == 0 { &complete[n / 20 % complete.len()] } else { &endless[n % endless.len()] };
        servers.push(RawServer::start(response.clone()).await);
        urls.push(servers[n].base.clone());
    }
    let now = Timestamp::now();
    for url in urls {
        let new = newsfold::domain::NewSource { url, outlet: "a.example".into(), ..Default::default() };
        store.write(move |db| newsfold::store::sources::add(db, &new, now, now)).await.unwrap();
    }
    let daemon = start_daemon(folder.path(), "");
    let start = Instant::now();
    wait_until("every server has been polled and every poll recorded", async || {
        count_polls(store.path(), Timestamp::UNIX_EPOCH) == SERVERS as i64 + 1
    })
    .await;
    let peak = peak_memory(daemon.process.id());
    println!("{SERVERS} servers in {:?}: peak memory {} MiB", start.elapsed(), peak >> 20);
    // The bound is 200 bodies of 1 MiB, 16 bodies of 16 MiB, and twelve times the size of one document per core for
    // parsing.
    let cores = std::thread::available_parallelism().unwrap().get();
    let bound = (SERVERS + 16 * 16 + cores * 12 * 16) << 20;
    assert!(peak < bound as u64, "{} MiB", peak >> 20);
}
