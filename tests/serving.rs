//! Tests the HTTP server over real connections, as feed readers, caches and hostile clients use it.

mod support;

use jiff::SignedDuration;
use reqwest::{Client, Method, Response};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use support::origin_server::{OriginServer, StubResponse};
use support::test_daemon::{TestDaemon, start_and_poll_once};
use support::{rss, skipped, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const FEEDS: [&str; 4] = ["/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/feeds/health.atom"];
const WORDS: &str = "1 | Grid fails in the north | Power went out in Veshna and in all the villages along the coast";

/// Returns a client that does not decode responses or follow redirects.
fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn ask(daemon: &TestDaemon, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = client().request(method, format!("{}{path}", daemon.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn get(daemon: &TestDaemon, path: &str, headers: &[(&str, &str)]) -> Response {
    ask(daemon, Method::GET, path, headers).await
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Returns a daemon with a feed that contains one story.
async fn daemon() -> TestDaemon {
    start_and_poll_once(StubResponse::ok(rss(&[WORDS]))).await.0
}

fn decoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut plain = Vec::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap(),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain).unwrap(),
        _ => return bytes.to_vec(),
    };
    plain
}

#[tokio::test]
async fn every_feed_is_served_in_every_coding_with_its_own_strong_etag() {
    let mut daemon = daemon().await;
    for path in FEEDS.iter().chain(&["/style.css", "/favicon.svg"]) {
        let plain = get(&daemon, path, &[]).await;
        let mut tags = vec![header(&plain, "etag").to_owned()];
        assert_eq!((header(&plain, "content-encoding"), header(&plain, "vary")), ("", "Accept-Encoding"), "{path}");
        let plain = plain.bytes().await.unwrap();
        for coding in ["gzip", "br"] {
            let coded = get(&daemon, path, &[("accept-encoding", coding)]).await;
            assert_eq!((header(&coded, "content-encoding"), header(&coded, "vary")), (coding, "Accept-Encoding"));
            let tag = header(&coded, "etag").to_owned();
            assert!(tag.starts_with('"') && !tags.contains(&tag), "{path} {coding}: {tag}");
            tags.push(tag.clone());
            let length: usize = header(&coded, "content-length").parse().unwrap();
            let bytes = coded.bytes().await.unwrap();
            assert_eq!(length, bytes.len());
            assert_eq!(decoded(coding, &bytes), plain, "{path} in {coding}");
            let again = get(&daemon, path, &[("accept-encoding", coding), ("if-none-match", &tag)]).await;
            assert_eq!(again.status(), 304, "{path} in {coding}");
            // The ETag of one coding does not match another coding.
            assert_eq!(get(&daemon, path, &[("if-none-match", &tag)]).await.status(), 200);
        }
    }
    daemon.stop().await;
}

#[tokio::test]
async fn coding_with_the_highest_weight_is_sent() {
    let mut daemon = daemon().await;
    for (accepted, expected) in [
        ("gzip;q=0.5, zstd;q=0.9, br;q=0.6", "br"),
        ("gzip, br;q=0", "gzip"),
        ("*;q=0.1, gzip;q=1.0", "gzip"),
        ("identity, gzip;q=0.5", ""),
        ("gzip;q=0", ""),
        ("identity;q=0, gzip;q=0.2", "gzip"),
        ("deflate", ""),
    ] {
        let answer = get(&daemon, FEEDS[0], &[("accept-encoding", accepted)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-encoding")), (200, expected), "{accepted}");
    }
    for refused in ["identity;q=0", "*;q=0"] {
        let answer = get(&daemon, FEEDS[0], &[("accept-encoding", refused)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "vary")), (406, "Accept-Encoding"), "{refused}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn responses_without_body_have_the_same_headers() {
    const KEPT: &str = "etag last-modified cache-control vary content-type content-encoding x-content-type-options \
                        content-security-policy referrer-policy access-control-allow-origin";
    let mut daemon = daemon().await;
    for path in FEEDS {
        for accepted in ["identity", "br"] {
            let accept = ("accept-encoding", accepted);
            let whole = get(&daemon, path, &[accept]).await;
            let length = header(&whole, "content-length").to_owned();
            let known = get(&daemon, path, &[accept, ("if-none-match", header(&whole, "etag"))]).await;
            let head = ask(&daemon, Method::HEAD, path, &[accept]).await;
            assert_eq!((known.status().as_u16(), head.status().as_u16()), (304, 200));
            for name in KEPT.split_whitespace() {
                let described = if name.starts_with("content-") && name != "content-security-policy" {
                    ""
                } else {
                    header(&whole, name)
                };
                assert_eq!(header(&known, name), described, "{name} of a 304 for {path}");
                assert_eq!(header(&head, name), header(&whole, name), "{name} of a HEAD for {path}");
                assert!(!header(&whole, name).is_empty() || name == "content-encoding" && accepted == "identity");
            }
            assert!(!header(&known, "date").is_empty());
            assert_eq!(header(&head, "content-length"), length);
            assert!(known.bytes().await.unwrap().is_empty() && head.bytes().await.unwrap().is_empty());
            let cache = header(&whole, "cache-control");
            assert!(cache.contains("max-age=") && cache.contains("stale-if-error="), "{cache}");
        }
    }
    daemon.stop().await;
}

/// The response to a request with these header lines: the status line, the sorted headers, and the body.
async fn raw_response(daemon: &TestDaemon, target: &str, headers: &str) -> (String, Vec<String>, Vec<u8>) {
    let mut stream = connect(Ipv4Addr::LOCALHOST, address(daemon)).await.unwrap();
    stream.write_all(format!("GET {target} {headers}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(response[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n").map(str::to_owned);
    let status = lines.next().unwrap();
    let mut headers: Vec<String> = lines.filter(|line| !line.starts_with("date:")).collect();
    headers.sort();
    (status, headers, response[end + 4..].to_vec())
}

#[tokio::test]
async fn feed_from_memory_equals_the_response_of_the_router() {
    let mut daemon = TestDaemon::new();
    daemon.config.publish.own_hub = true;
    daemon.config.publish.base_url = "https://news.example/".parse().unwrap();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&[WORDS])));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    daemon.wait_until_idle().await;
    let mut statuses = BTreeSet::new();
    for path in FEEDS {
        let tag = header(&get(&daemon, path, &[("accept-encoding", "gzip")]).await, "etag").to_owned();
        let known = format!("if-none-match: {tag}\r\n");
        for (coding, more) in [("identity", ""), ("gzip", ""), ("br", ""), ("identity;q=0", ""), ("gzip", &*known)] {
            for version in ["HTTP/1.1\r\nhost: news.example\r\n", "HTTP/1.1\r\n", "HTTP/1.0\r\n"] {
                let headers = format!("{version}accept-encoding: {coding}\r\n{more}");
                // Requests with a query go through the router.
                let routed = raw_response(&daemon, &format!("{path}?a=b"), &headers).await;
                assert_eq!(raw_response(&daemon, path, &headers).await, routed, "{path}: {headers}");
                statuses.insert(routed.0.split(' ').nth(1).unwrap().to_owned());
            }
        }
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), ["200", "304", "400", "406"]);
    daemon.stop().await;
}

// `tests/program/last_modified.rs` tests that the date changes with the content.
#[tokio::test]
async fn etag_takes_precedence_over_date() {
    let (mut daemon, _origin, _) = start_and_poll_once(StubResponse::ok(rss(&[WORDS]))).await;
    let first = get(&daemon, FEEDS[0], &[]).await;
    let (tag, date) = (header(&first, "etag").to_owned(), header(&first, "last-modified").to_owned());
    let status = async |headers: &[(&str, &str)]| get(&daemon, FEEDS[0], headers).await.status().as_u16();
    assert_eq!(status(&[("if-none-match", "\"other\""), ("if-modified-since", &date)]).await, 200);
    assert_eq!(status(&[("if-none-match", &tag), ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")]).await, 304);
    assert_eq!(status(&[("if-none-match", &format!("\"a\", W/{tag}"))]).await, 304);
    assert_eq!(status(&[("if-none-match", "*")]).await, 304);
    assert_eq!(status(&[("if-modified-since", &date)]).await, 304);
    assert_eq!(status(&[("if-modified-since", "yesterday")]).await, 200);
    daemon.stop().await;
}

#[tokio::test]
async fn links_never_contain_the_host_of_the_request() {
    let mut daemon = daemon().await;
    let story = daemon.stories().await.remove(0).id;
    let forged = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
    for path in FEEDS.iter().copied().chain(["/", "/sources", "/nothing", &format!("/stories/{story}")]) {
        let answer = get(&daemon, path, &forged).await;
        assert!(!format!("{:?}", answer.headers()).contains("evil"), "{path}");
        assert!(!answer.text().await.unwrap().contains("evil"), "{path}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn scripts_of_any_site_may_read_feeds_and_nothing_else() {
    let mut daemon = daemon().await;
    let story = daemon.stories().await.remove(0).id;
    let origin = ("origin", "https://reader.example");
    let preflight =
        [origin, ("access-control-request-method", "GET"), ("access-control-request-headers", "if-none-match")];
    let more = ["/feeds.opml", "/search.json?q=grid", "/feeds/all.json/", "/feeds/none.json"].map(str::to_owned);
    for path in FEEDS.iter().map(|path| path.to_string()).chain(more).chain([format!("/stories/{story}.json")]) {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&daemon, method, &path, &[origin]).await;
            assert_eq!(header(&answer, "access-control-allow-origin"), "*", "{path}");
            assert!(header(&answer, "access-control-expose-headers").contains("ETag"), "{path}");
        }
        if path.ends_with('/') {
            continue;
        }
        let allowed = ask(&daemon, Method::OPTIONS, &path, &preflight).await;
        assert_eq!((allowed.status().as_u16(), header(&allowed, "access-control-allow-origin")), (204, "*"), "{path}");
        assert!(header(&allowed, "access-control-allow-methods").contains("GET"), "{path}");
        assert_eq!(header(&allowed, "access-control-allow-headers"), "*", "{path}");
        let refused = ask(&daemon, Method::PUT, &path, &[origin]).await;
        assert_eq!((refused.status().as_u16(), header(&refused, "allow")), (405, "GET, HEAD, OPTIONS"), "{path}");
    }
    for path in ["/", "/sources", "/health", "/healthz", "/nothing"] {
        assert_eq!(header(&get(&daemon, path, &[origin]).await, "access-control-allow-origin"), "", "{path}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn request_without_exactly_one_valid_host_is_refused() {
    let mut daemon = daemon().await;
    for (request, status) in [
        ("GET /feeds/all.json HTTP/1.1\r\nhost: news.example\r\n", "200"),
        ("GET /feeds/all.json HTTP/1.1\r\nhost: [::1]:80\r\n", "200"),
        ("GET /feeds/all.json HTTP/1.0\r\n", "200"),
        ("GET /feeds/all.json HTTP/1.1\r\n", "400"),
        ("GET /feeds/all.json HTTP/1.1\r\nhost:\r\n", "400"),
        ("HEAD /nothing HTTP/1.1\r\n", "400"),
        ("GET http://news.example/feeds/all.json HTTP/1.1\r\n", "400"),
        ("GET /feeds/all.json HTTP/1.1\r\nhost: a.example\r\nhost: a.example\r\n", "400"),
        ("GET /feeds/all.json HTTP/1.0\r\nhost: a.example\r\nhost: b.example\r\n", "400"),
        ("GET /feeds/all.json HTTP/1.1\r\nhost: a.example b.example\r\n", "400"),
        ("GET /feeds/all.json HTTP/1.1\r\nhost: me@a.example\r\n", "400"),
        ("GET /feeds/all.json HTTP/1.1\r\nhost: a,b\r\n", "400"),
    ] {
        let mut stream = connect(Ipv4Addr::LOCALHOST, address(&daemon)).await.unwrap();
        stream.write_all(format!("{request}connection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{request:?}: {answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn site_below_a_path_answers_requests_with_and_without_it() {
    for base in ["https://news.example/tools/desk/", "https://news.example/desk"] {
        let mut daemon = TestDaemon::new();
        daemon.config.publish.base_url = base.parse().unwrap();
        daemon.config.publish.own_hub = true;
        let origin = OriginServer::start().await;
        origin.serve("/feed", StubResponse::ok(rss(&[WORDS])));
        let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
        daemon.start().await;
        daemon.wait_for_polls(id, 1).await;
        let story = daemon.stories().await.remove(0).id;
        let prefix = daemon.config.publish.base_url.path().trim_end_matches('/').to_owned();
        let paths =
            ["/", "/feeds/all.atom", "/feeds/all.json", "/sources/1", "/feeds.opml", "/search.rss?q=grid", "/health"];
        let more = ["/style.css", "/robots.txt", "/healthz", "/?q=grid"].map(str::to_owned);
        let stories = [format!("/stories/{story}"), format!("/stories/{story}.rss")];
        for path in paths.map(str::to_owned).into_iter().chain(more).chain(stories) {
            let (stripped, whole) =
                (get(&daemon, &path, &[]).await, get(&daemon, &format!("{prefix}{path}"), &[]).await);
            assert_eq!((stripped.status().as_u16(), whole.status().as_u16()), (200, 200), "{base}: {path}");
            assert_eq!(stripped.bytes().await.unwrap(), whole.bytes().await.unwrap(), "{base}: {path}");
        }
        for path in [format!("{prefix}/sources/"), "/sources/".into()] {
            let answer = get(&daemon, &path, &[]).await;
            let expected = format!("https://news.example{prefix}/sources");
            assert_eq!((answer.status().as_u16(), header(&answer, "location")), (308, expected.as_str()), "{path}");
        }
        for path in [format!("{prefix}/hub"), "/hub".into()] {
            let answer = ask(&daemon, Method::POST, &path, &[]).await;
            assert_eq!(answer.status(), 415, "the hub refuses a request without a form: {path}");
        }
        for path in [format!("{prefix}/nothing"), format!("{prefix}{prefix}/health"), format!("{prefix}x/health")] {
            assert_eq!(get(&daemon, &path, &[]).await.status(), 404, "{path}");
        }
        daemon.stop().await;
    }
}

#[tokio::test]
async fn crawlers_find_a_robots_file_that_allows_everything() {
    let mut daemon = daemon().await;
    let answer = get(&daemon, "/robots.txt", &[]).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(answer.text().await.unwrap(), "User-agent: *\nDisallow:\n");
    daemon.stop().await;
}

#[tokio::test]
async fn slash_at_the_end_redirects_to_the_path_without_it() {
    let mut daemon = daemon().await;
    for (path, target) in [
        ("/sources/", "/sources"),
        ("/feeds/", "/feeds"),
        ("/feeds/all.atom/", "/feeds/all.atom"),
        ("//", "/"),
        ("///?q=a", "/?q=a"),
        ("/health//", "/health"),
        ("/search/?q=a%20b", "/search?q=a%20b"),
        ("//other.example/", "/other.example"),
    ] {
        let answer = get(&daemon, path, &[]).await;
        let location = header(&answer, "location").to_owned();
        assert_eq!((answer.status().as_u16(), location), (308, format!("http://127.0.0.1:8686{target}")), "{path}");
    }
    assert_eq!(ask(&daemon, Method::POST, "/sources/", &[]).await.status(), 404);
    daemon.stop().await;
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let mut daemon = daemon().await;
    for path in FEEDS.iter().copied().chain(["/", "/sources", "/style.css", "/favicon.svg", "/healthz", "/nothing"]) {
        for method in [Method::GET, Method::POST] {
            let answer = ask(&daemon, method, path, &[]).await;
            assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
            assert!(header(&answer, "content-security-policy").contains("default-src 'none'"), "{path}");
        }
    }
    let page = get(&daemon, "/", &[]).await;
    let tag = header(&page, "etag").to_owned();
    assert_eq!(get(&daemon, "/", &[("if-none-match", &tag)]).await.status(), 304);
    daemon.stop().await;
}

/// Opens a connection from a loopback address.
async fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

fn address(daemon: &TestDaemon) -> SocketAddr {
    daemon.base.trim_start_matches("http://").parse().unwrap()
}

/// Returns whether the server closes a connection without a response.
async fn is_ended(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.is_err() || rest.is_empty()
}

#[tokio::test]
async fn connections_per_address_are_limited_except_for_proxies() {
    let mut daemon = TestDaemon::new();
    daemon.config.serve.max_connections_per_ip = 2;
    daemon.config.serve.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    daemon.start().await;
    let (to, client) = (address(&daemon), Ipv4Addr::new(127, 0, 7, 1));
    let (mut first, _second) = (connect(client, to).await.unwrap(), connect(client, to).await.unwrap());
    let mut third = connect(client, to).await.unwrap();
    assert!(is_ended(&mut third).await);
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(connect(Ipv4Addr::LOCALHOST, to).await.unwrap());
    }
    let ask = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    for stream in others.iter_mut().chain([&mut first]) {
        stream.write_all(ask).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    // A closed connection releases its permit.
    wait_until("another connection is accepted", async || {
        let mut again = connect(client, to).await.unwrap();
        let mut answer = String::new();
        again.write_all(ask).await.is_ok() && again.read_to_string(&mut answer).await.is_ok() && !answer.is_empty()
    })
    .await;
    daemon.stop().await;
}

#[tokio::test]
async fn connection_above_the_limit_waits_for_a_free_one() {
    let mut daemon = TestDaemon::new();
    daemon.config.serve.max_connections = 2;
    daemon.config.serve.header_timeout = SignedDuration::from_millis(1500);
    daemon.start().await;
    let to = address(&daemon);
    let _silent = (connect(Ipv4Addr::LOCALHOST, to).await.unwrap(), connect(Ipv4Addr::LOCALHOST, to).await.unwrap());
    assert!(daemon.get("/healthz").await.contains("ok"), "the header timeout closes the idle connections");
    daemon.stop().await;
}

#[tokio::test]
async fn response_that_the_client_does_not_read_times_out() {
    let words = "word ".repeat(2000);
    let items: Vec<String> = (0..100).map(|n| format!("{n} | Title {n} of a long feed | {n} {words}")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let mut daemon = TestDaemon::new();
    daemon.config.serve.write_timeout = SignedDuration::from_millis(500);
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&items)));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let size = daemon.get(FEEDS[0]).await.len();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address(&daemon)).await.unwrap();
    // The responses are larger than all buffers between client and server, and the client reads nothing.
    let requests = (16 << 20) / size + 1;
    let one = format!("GET {} HTTP/1.1\r\nhost: a\r\n\r\n", FEEDS[0]);
    let asked = stream.write_all(one.repeat(requests).as_bytes()).await;
    // After the server has closed the connection, writes fail with a reset.
    let hung_up = async || stream.try_write(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
    wait_until(
        &format!("the server closes the connection of a client that does not read ({requests} answers, {asked:?})"),
        hung_up,
    )
    .await;
    let mut taken = Vec::new();
    let _ = stream.read_to_end(&mut taken).await;
    assert!(taken.len() < requests * size, "{size} bytes {requests} times, {} taken, {asked:?}", taken.len());
    daemon.stop().await;
}

#[tokio::test]
async fn shutdown_waits_for_requests_in_flight_and_not_for_idle_connections() {
    let mut daemon = TestDaemon::new();
    daemon.config.daemon.shutdown_grace = SignedDuration::from_secs(60);
    daemon.config.serve.header_timeout = SignedDuration::from_secs(300);
    daemon.start().await;
    let mut begun = connect(Ipv4Addr::LOCALHOST, address(&daemon)).await.unwrap();
    begun.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n").await.unwrap();
    let mut silent = connect(Ipv4Addr::LOCALHOST, address(&daemon)).await.unwrap();
    let mut trickling = connect(Ipv4Addr::LOCALHOST, address(&daemon)).await.unwrap();
    trickling.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
    daemon.get("/healthz").await;
    let before = Instant::now();
    let finish = async {
        begun.write_all(b"\r\n").await.unwrap();
        let mut answer = String::new();
        begun.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (answer, ()) = tokio::join!(finish, daemon.stop());
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(is_ended(&mut silent).await && is_ended(&mut trickling).await);
    assert!(before.elapsed() < Duration::from_secs(50), "{:?}", before.elapsed());
}

/// Sends request headers one byte at a time until the server closes the connection, and repeats this until `enough`.
/// Returns how many times the server closed the connection.
async fn trickle(from: Ipv4Addr, to: SocketAddr, enough: CancellationToken) -> usize {
    let head = b"GET /feeds/all.atom HTTP/1.1\r\nhost: a\r\nx-slow: ";
    let mut closed = 0;
    let repeat = async {
        loop {
            let Ok(mut stream) = connect(from, to).await else { continue };
            let (mut reading, mut writing) = stream.split();
            let send_slowly = async {
                for byte in head.iter().chain(std::iter::repeat(&b'a')) {
                    if writing.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(700)).await;
                }
            };
            let mut any = [0; 64];
            tokio::select! {
                _ = send_slowly => {}
                _ = reading.read(&mut any) => {}
            }
            closed += 1;
        }
    };
    tokio::select! { _ = enough.cancelled() => {}, _ = repeat => {} }
    closed
}

/// Returns the 99th percentile and the maximum of the durations of `times` feed requests, each on a new connection.
async fn time_requests(daemon: &TestDaemon, times: usize) -> (Duration, Duration) {
    let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let mut durations = Vec::new();
    for _ in 0..times {
        let before = Instant::now();
        let answer = client.get(format!("{}{}", daemon.base, FEEDS[0])).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.unwrap().ends_with("</feed>\n"));
        durations.push(before.elapsed());
    }
    durations.sort();
    (durations[times * 99 / 100 - 1], durations[times - 1])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_slow_clients_do_not_delay_feeds() {
    const CLIENTS: u32 = 2000;
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    if getrlimit(Resource::Nofile).current.is_some_and(|files| files < 3 * u64::from(CLIENTS)) {
        return skipped("this machine does not allow 6,000 open files");
    }
    let mut daemon = TestDaemon::new();
    daemon.config.serve.header_timeout = SignedDuration::from_secs(4);
    daemon.config.serve.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&[WORDS])));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let (calm, calm_longest) = time_requests(&daemon, 300).await;

    let (enough, to) = (CancellationToken::new(), address(&daemon));
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        // Fifty clients per address are below the limit.
        let from = Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 100, 1).to_bits() + n / 50);
        clients.spawn(trickle(from, to, enough.clone()));
    }
    let before = Instant::now();
    let (mut rounds, mut longest) = (Vec::new(), Duration::ZERO);
    // Ten seconds are enough for each client to be disconnected and to reconnect.
    while before.elapsed() < Duration::from_secs(10) {
        let (p99, most) = time_requests(&daemon, 300).await;
        rounds.push(p99);
        longest = longest.max(most);
    }
    enough.cancel();
    let closed = clients.join_all().await;
    rounds.sort();
    let (middle, slow) = (rounds[rounds.len() / 2], rounds[rounds.len() - 1]);
    let times: usize = closed.iter().sum();
    let figures = format!(
        "p99 of feed requests without {calm:?} (longest {calm_longest:?}), with {CLIENTS} slow clients {middle:?} in \
         the median and {slow:?} in the worst of {} rounds (longest {longest:?}); closed {times} times",
        rounds.len()
    );
    println!("{figures}");
    assert!(closed.iter().all(|times| *times >= 1), "{figures}");
    assert!(slow < calm * 20 + Duration::from_millis(500), "{figures}");
    daemon.stop().await;
}
