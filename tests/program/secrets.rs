//! Tests that no secret in a source's URL appears in a document, a page, a header, an exported file or the log,
//! regardless of the response of the source. The credentials, the path and the query of a URL may contain a secret.

use crate::support::daemon_process::{database_path, start_daemon};
use crate::support::fake_hub::FakeHub;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::raw_server::{RawResponse, RawServer, head};
use crate::support::{rss_of_today, wait_until};
use newsfold::domain::{FullTextMode, NewSource, PollOutcome, SourceId, Timestamp};
use newsfold::store::{Store, operator_events, polls, row_counts, sources};
use reqwest::redirect::Policy;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tempfile::TempDir;

/// A placeholder for the URL of a feed in its own document.
const OWN_ADDRESS: &str = "OWN-ADDRESS";
/// The word that every secret part of a URL contains.
const CANARY: &str = "canary";
const SECRET_PATH: &str = "/canary4f9Qx7Lm2Zk8T/feed";
const BASE_URL: &str = "https://desk.example/news/";

/// Returns a URL in which only the scheme, the host and the port are public.
fn secret_url(base: &str) -> String {
    let url = format!("{base}{SECRET_PATH}?auth=canary-query");
    url.replacen("://", "://canary-user:canary-password@", 1)
}

/// Returns a directory with the settings of a daemon that polls as fast as it can, acts as a hub, and exports its
/// feeds.
fn folder_with_configuration() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    let config = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\n[poll]\ninterval = \"1s\"\naverage_interval = \"1s\"\n[fetch]\n\
         min_origin_delay = \"0s\"\ntotal_timeout = \"2s\"\nallowed_networks = [\"127.0.0.0/8\"]\n[publish]\ndelay = \"0s\"\n\
         own_hub = true\nbase_url = \"{BASE_URL}\"\nexport_dir = \"{}\"\n[daemon]\nshutdown_grace = \"2s\"\n\
         [[publish.feeds]]\nname = \"short\"\ntitle = \"Short\"\nlimit = 2\n",
        export.display()
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    folder
}

/// Servers, each with a secret URL of one kind. They stop when they are dropped.
#[derive(Default)]
struct CanarySources {
    origins: Vec<OriginServer>,
    raw: Vec<RawServer>,
    urls: Vec<String>,
}

impl CanarySources {
    async fn serve(&mut self, response: StubResponse) -> &OriginServer {
        let origin = OriginServer::start().await;
        origin.serve(SECRET_PATH, response);
        self.urls.push(secret_url(&origin.url("")));
        self.origins.push(origin);
        self.origins.last().unwrap()
    }

    async fn serve_raw(&mut self, bytes: Vec<u8>) {
        let server = RawServer::start(RawResponse::Bytes(bytes)).await;
        self.urls.push(secret_url(&server.base));
        self.raw.push(server);
    }

    async fn start(hub: &FakeHub) -> CanarySources {
        let mut all = CanarySources::default();
        let target = OriginServer::start().await;
        target.serve(SECRET_PATH, StubResponse::ok(rss_of_today(&["m | Museum opens its doors | Old hall"])));
        let target_url = secret_url(&target.url(""));
        all.origins.push(target);
        for document in readable_documents(&target_url) {
            let origin = OriginServer::start().await;
            let own = secret_url(&origin.url(""));
            origin.serve(SECRET_PATH, StubResponse::ok(document.replace(OWN_ADDRESS, &own.replace('&', "&amp;"))));
            all.urls.push(own);
            all.origins.push(origin);
        }
        // These sources fail in different ways.
        for status in [400, 401, 403, 404, 410, 429, 500, 503] {
            all.serve(StubResponse::status(status)).await;
        }
        all.serve(StubResponse::never()).await;
        all.serve(StubResponse::ok(vec![0x1f, 0x8b, 1, 2]).header("content-encoding", b"gzip")).await;
        all.serve_raw(Vec::new()).await;
        all.serve_raw([head("content-length: 900\r\n"), b"<rss><channel>".to_vec()].concat()).await;
        // These sources redirect.
        for status in [301, 302] {
            all.serve(StubResponse::redirect_with_status(status, &target_url)).await;
        }
        for to in [
            "http://10.9.8.7/canary-path/feed?auth=canary-query",
            "ftp://canary-user@a.example/canary-path",
            "http://[canary-path",
        ] {
            all.serve(StubResponse::redirect(to)).await;
        }
        let looping = all.serve(StubResponse::redirect(SECRET_PATH)).await.url("");
        // These documents are not feeds.
        all.serve(StubResponse::ok("Neither XML nor JSON")).await;
        all.serve(StubResponse::ok(format!("<!doctype html><link rel=feed href='{target_url}'>"))).await;
        let refresh = format!("<html><meta http-equiv=refresh content=\"0; url={target_url}\"></html>");
        all.serve(StubResponse::ok(refresh)).await;
        // These servers cannot be reached: no TLS, no listener, no such host.
        all.urls.push(secret_url(&looping.replace("http://", "https://")));
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        all.urls.push(secret_url(&format!("http://{closed}")));
        all.urls.push(secret_url("https://missing.invalid"));
        // This feed declares a hub.
        let secret = |base: &str| format!("{}{SECRET_PATH}?auth=canary-query", base.trim_end_matches('/'));
        let (hub_url, topic) = (secret(hub.url()), secret("https://news.example"));
        let links = format!("<{hub_url}>; rel=\"hub\", <{topic}>; rel=\"self\"");
        let pushed = StubResponse::ok(rss_of_today(&["p | Storm closes every port | Ferries stay in harbour"]));
        all.serve(pushed.header("link", links.as_bytes())).await;
        all
    }
}

/// Feeds whose text and links refer to the feed itself. `other` is another secret URL.
fn readable_documents(other: &str) -> Vec<String> {
    let now = jiff::Timestamp::now();
    let rss = |channel: &str, item: &str| {
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let item = format!("<item>{item}<pubDate>{date}</pubDate></item>");
        format!("<rss version=\"2.0\"><channel>{channel}{item}</channel></rss>")
    };
    let relative = "<a href='#note'>1</a> <a href=''>all</a> <img src='/a.png' width=90> <a href='/b'>b</a>";
    let content = format!("<description><![CDATA[<p>Power went out in Veshna {relative}</p>]]></description>");
    let elsewhere = "https://b.example/canary4f9Qx7Lm2Zk8T/feed.xml?auth=canary-query";
    let own = format!(
        "<description><![CDATA[<p>Read {OWN_ADDRESS} in Veshna, <a href='{OWN_ADDRESS}'>1</a> <a href='{OWN_ADDRESS}#2'>2</a> \
         <a href='3'>3</a> <a href='?p=4'>4</a> <img src='i/5.jpg'> <img data-src='6.jpg'> <iframe src='v/7'></iframe> \
         <a href='https://b.example/?to=canary-query'>8</a> <video src='9.mp4'></video> or {elsewhere}, \
         <a href='{elsewhere}'>10</a> <a href='https://b.example/?to=canary-password'>11</a></p>]]></description>"
    );
    vec![
        rss("", &format!("<guid>a</guid><title>Grid fails in the north</title><link>/a/1</link>{content}")),
        rss("", &format!("<guid>b</guid><title>Bank lifts its rates again</title><link>#1</link>{content}")),
        rss(
            "",
            &format!(
                "<guid>c</guid><title>Harvest is late this year</title>{content}<enclosure url='/c.mp3' type='audio/mpeg' length='9'/>"
            ),
        ),
        rss(
            &format!("<title>News {other}</title><link>{other}</link>"),
            "<guid>d</guid><title>Pier burns down at night</title>",
        ),
        rss(
            "",
            &format!("<guid>g</guid><title>Ferry runs aground again</title><link>{OWN_ADDRESS}&amp;page=2</link>{own}"),
        ),
        rss(
            "<link>/</link>",
            &format!(
                "<guid>h</guid><title>Canal is closed for repairs</title><link>7</link>{own}<enclosure url='c.mp3' \
                 type='audio/mpeg' length='9'/><enclosure url='https://b.example/1.mp3?token=canary-query' type='audio/mpeg' \
                 length='9'/><media:thumbnail xmlns:media='http://search.yahoo.com/mrss/' url='t.jpg'/>"
            ),
        ),
        format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>{other}</id><title>Atom</title><link rel=\"self\" href=\"{other}\"/>\
             <entry><id>e</id><title>Tram line opens on Monday</title><link href=\"\"/><updated>{now}</updated></entry></feed>"
        ),
        format!(
            "{{\"version\": \"https://jsonfeed.org/version/1.1\", \"title\": \"JSON\", \"feed_url\": \"{other}\", \
             \"home_page_url\": \"https://json.example/\", \"items\": [{{\"id\": \"f\", \"title\": \"Lake freezes over early\", \
             \"url\": \"#f\", \"date_published\": \"{now}\", \"content_html\": \"<p>{relative}</p>\"}}]}}"
        ),
    ]
}

async fn add_sources(folder: &Path, urls: &[String]) -> Vec<SourceId> {
    let store = Store::open(&database_path(folder)).unwrap();
    let mut ids = Vec::new();
    for (n, url) in urls.iter().enumerate() {
        let new = NewSource {
            url: url.clone(),
            outlet: format!("outlet{n}.example"),
            full_text: if n == 0 { FullTextMode::Publish } else { FullTextMode::default() },
            ..NewSource::default()
        };
        let now = Timestamp::now();
        ids.push(store.write(move |db| sources::add(db, &new, now, now)).await.unwrap().unwrap());
    }
    ids
}

/// Returns every document that can be reached from the start page and from a list of URLs, with its headers, by path.
async fn crawl(base: &str, seeds: Vec<String>) -> BTreeMap<String, String> {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let (mut waiting, mut seen) = (seeds.clone(), BTreeSet::from_iter(seeds));
    let mut documents = BTreeMap::new();
    while let Some(path) = waiting.pop() {
        let answer = client.get(format!("{base}{path}")).send().await.unwrap();
        let head = format!("{} {:?}\n", answer.status(), answer.headers());
        let text = head + &answer.text().await.unwrap();
        for link in text.replace("&amp;", "&").split(['"', '<', '>', ' ', '\n']) {
            let link = link.split('#').next().unwrap();
            let local = link.strip_prefix(BASE_URL.trim_end_matches('/')).or(link.strip_prefix("/news"));
            if let Some(path) = local.filter(|path| path.starts_with('/') && !path.starts_with("/hub"))
                && seen.insert(path.to_owned())
            {
                waiting.push(path.to_owned());
            }
        }
        documents.insert(path, text);
    }
    documents
}

/// Panics if the text contains a part of a secret, and shows where.
fn assert_no_canary(name: &str, text: &str) {
    if let Some(at) = text.find(CANARY) {
        let start = text[..at].char_indices().rev().nth(400).map_or(0, |(start, _)| start);
        let end = text.ceil_char_boundary(at + 100);
        panic!("{name} contains a part of an address: {}", &text[start..end]);
    }
}

fn assert_no_canary_in_files(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += assert_no_canary_in_files(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert_no_canary(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
            files += 1;
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "includes a table of addresses")]
async fn only_the_host_of_an_address_is_public() {
    let folder = folder_with_configuration();
    let hub = FakeHub::start().await;
    hub.respond_with(500, &[], "the topic https://a.example/canary-path/feed?auth=canary-query is unknown");
    let canaries = CanarySources::start(&hub).await;
    let ids = add_sources(folder.path(), &canaries.urls).await;
    let daemon = start_daemon(folder.path(), "export NEWSFOLD_LOG=trace;");
    let store = Store::open(&database_path(folder.path())).unwrap();
    for id in ids.clone() {
        wait_until(&format!("source {id} has been polled"), async || {
            !store.read(move |db| polls::latest(db, id, 1)).await.unwrap().is_empty()
        })
        .await;
    }
    wait_until("the hub has answered", async || !hub.requests().is_empty()).await;
    wait_until("a source is reported as failing", async || {
        !store.read(operator_events::latest).await.unwrap().is_empty()
    })
    .await;
    wait_until("all news is published", async || {
        let counts = store.read(row_counts::count).await.unwrap();
        counts.unassigned == 0 && counts.stories >= 9 && counts.published + counts.backlog_stories == counts.stories
    })
    .await;
    wait_until("the site is exported", async || folder.path().join("export/current/feeds/all.atom").exists()).await;

    let mut seeds: Vec<String> =
        ["", "health", "healthz", "robots.txt", "search", "search.atom?q=grid", "search.rss?q=grid"]
            .into_iter()
            .chain([
                "search.json?q=veshna",
                "?q=veshna",
                "nowhere",
                "sources/99999",
                "sources/",
                "stories/0",
                "feeds/no.atom",
            ])
            .map(|path| format!("/{path}"))
            .collect();
    seeds.extend(["atom", "rss", "json"].iter().flat_map(|format| {
        ["all", "all.stable", "top", "short", "short.archive-2-1", "health"]
            .map(|name| format!("/feeds/{name}.{format}"))
    }));
    seeds.extend(ids.iter().map(|id| format!("/sources/{id}")));
    let documents = crawl(&daemon.base, seeds).await;
    for part in ["/stories/", "/feeds/all.atom", ".archive-2-", "/feeds/health.atom", "/search.json"] {
        let found = documents.iter().any(|(path, text)| path.contains(part) && text.starts_with("200"));
        assert!(found, "{part} in {:?}", documents.keys());
    }
    for (path, text) in &documents {
        assert_no_canary(path, text);
    }
    assert!(assert_no_canary_in_files(&folder.path().join("export")) > 5);
    let log = daemon.log();
    for (line, text) in log.lines().enumerate() {
        assert_no_canary(&format!("line {} of the log", line + 1), text);
    }
    let outcomes: BTreeSet<&str> = log.split_whitespace().filter_map(|word| word.strip_prefix("outcome=")).collect();
    for outcome in
        [PollOutcome::Read, PollOutcome::Failed, PollOutcome::NotAFeed, PollOutcome::Gone, PollOutcome::Refused]
    {
        assert!(outcomes.contains(format!("{:?}", outcome.into_str()).as_str()), "{outcome:?} in {outcomes:?}");
    }
}
