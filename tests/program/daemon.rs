//! Tests scenarios with the daemon over real HTTP, a real database and a clock that the test moves. Also tests
//! invariants that need no second process.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::TestDaemon;
use crate::support::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{FeedVariant, PollOutcome, SourceState};
use newsfold::publish::{DocumentPage, FeedDocument, FeedFormat, FeedPart, Options, arrange_entries, render};
use newsfold::store::{Store, constraints, feed_entries, publication};

const TRAIN: [&str; 3] = [
    "t1 | Marshal Dorn arrives in Veshna by armoured train for parade | Marshal Dorn crossed the border into Veshna",
    "t2 | Armoured train brings Marshal Dorn to Veshna before parade | Marshal Dorn was met by the mayor of Veshna",
    "t3 | Marshal Dorn in Veshna: armoured train rolls in for parade | Marshal Dorn will watch the Veshna parade",
];

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

#[tokio::test]
async fn reports_of_several_outlets_become_one_entry() {
    let mut daemon = TestDaemon::new();
    let mut ids = Vec::new();
    let others = ["x0 | Storm closes the ports", "x1 | Bank lifts rates", "x2 | Orchestra names a conductor"];
    for (n, (line, other)) in TRAIN.iter().zip(others).enumerate() {
        let origin = OriginServer::start().await;
        origin.serve("/feed", StubResponse::ok(rss(&[line, other])));
        ids.push(daemon.add_source(&origin.url("/feed"), &format!("outlet{n}.example")).await);
    }
    daemon.start().await;
    daemon.advance(SignedDuration::from_secs(1));
    for id in ids {
        daemon.wait_for_polls(id, 1).await;
    }
    let atom = daemon.get("/feeds/all.atom").await;
    assert_eq!(atom.matches("<entry>").count(), 4, "one story of three outlets, and three stories of one");
    for n in 0..3 {
        assert!(atom.contains(&format!("outlet{n}.example")));
    }
    let front = daemon.get("/").await;
    assert!(front.contains("3 outlets"), "{front}");
    let (top, latest) = front.split_once("<h2>Latest</h2>").unwrap();
    for (train, other) in TRAIN.iter().zip(others) {
        let headline = |line: &str| line.split(" | ").nth(1).unwrap().to_owned();
        assert!(top.contains(&headline(train)) && latest.contains(&headline(other)), "{front}");
    }
    assert_eq!(latest.matches("<li class=\"single-line\">").count(), 3, "{latest}");
    let shared = daemon.stories().await.into_iter().find(|story| story.items.len() == 3).unwrap();
    let page = daemon.get(&format!("/stories/{}", shared.id)).await;
    assert!(page.contains("shares ‘") && page.contains("threshold"), "{page}");
    daemon.stop().await;
}

#[tokio::test]
async fn source_is_not_polled_before_its_max_age_ends() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])).header("cache-control", b"max-age=3600"));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    assert!(daemon.source(id).await.next_poll_at >= daemon.now() + minutes(60));
    daemon.advance(minutes(59));
    // The poll of another source proves that the daemon has processed its schedule in the meantime.
    let other = OriginServer::start().await;
    other.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    let second = daemon.add_source(&other.url("/feed"), "b.example").await;
    daemon.wait_for_polls(second, 1).await;
    assert_eq!(origin.request_count("/feed"), 1);
    daemon.advance(minutes(10));
    daemon.wait_for_polls(id, 2).await;
    daemon.stop().await;
}

#[tokio::test]
async fn validators_are_sent_back_byte_for_byte_even_after_a_restart() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    let etag = b"W/\"caf\xe9 \\ x\"";
    let modified = b"Sun, 01 Mar 2026 09:00:00 GMT ";
    let document =
        StubResponse::ok(rss(&["1 | One"])).header("etag", etag).header("last-modified", modified.trim_ascii());
    origin.serve("/feed", document);
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    daemon.stop().await;
    daemon.advance(minutes(30));
    daemon.start().await;
    daemon.wait_for_polls(id, 2).await;
    daemon.stop().await;
    let requests = origin.requests();
    assert_eq!(requests[0].header("if-none-match"), None, "the first request is unconditional");
    assert_eq!(requests[1].header("if-none-match").as_deref(), Some(&etag[..]));
    assert_eq!(requests[1].header("if-modified-since").as_deref(), Some(&b"Sun, 01 Mar 2026 09:00:00 GMT"[..]));
    assert_eq!(daemon.polls(id).await[0].outcome, PollOutcome::NotModified);
    for name in ["cookie", "referer", "authorization"] {
        assert_eq!(requests[1].header(name), None);
    }
}

#[tokio::test]
async fn new_sources_are_polled_at_once_and_overdue_ones_are_spread_over_time() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        origin.serve(&format!("/{n}"), StubResponse::ok(rss(&[&format!("g{n} | Title {n}")])));
        ids.push(daemon.add_source(&origin.url(&format!("/{n}")), "a.example").await);
    }
    daemon.start().await;
    // The clock does not move.
    for id in &ids {
        daemon.wait_for_polls(*id, 1).await;
    }
    assert_eq!(origin.requests().len(), 20);
    daemon.stop().await;
    daemon.start().await;
    daemon.wait_until_idle().await;
    assert_eq!(origin.requests().len(), 20, "a restart polls nothing that is not due");
    daemon.stop().await;
    // All sources become due while the daemon is stopped. At its start, the daemon polls only the first source.
    daemon.advance(SignedDuration::from_hours(48));
    daemon.start().await;
    for count in 21..=40 {
        wait_until("the next source is polled", async || origin.requests().len() >= count).await;
        daemon.wait_until_idle().await;
        assert_eq!(origin.requests().len(), count);
        daemon.advance(SignedDuration::from_millis(250));
    }
    daemon.stop().await;
}

#[tokio::test]
async fn retry_after_is_respected() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::status(429).header("retry-after", b"7200"));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let source = daemon.source(id).await;
    assert_eq!(source.last_outcome, Some(PollOutcome::Throttled));
    assert!(source.next_poll_at >= daemon.now() + minutes(120), "{:?}", source.next_poll_reason);
    assert_eq!(source.hold_until, Some(daemon.now() + minutes(120)));
    daemon.stop().await;
}

#[tokio::test]
async fn item_with_a_new_title_date_and_guid_keeps_its_identity_by_link_and_text() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    let feed = |guid: &str, title: &str, date: &str| {
        format!(
            "<rss version=\"2.0\"><channel><title>N</title><language>en</language><item><guid isPermaLink=\"false\">\
             {guid}</guid><title>{title}</title><link>https://news.example/one</link><pubDate>{date}</pubDate>\
             <description>Seven boats reached the harbour before the storm</description></item></channel></rss>"
        )
    };
    origin.serve("/feed", StubResponse::ok(feed("a", "First headline", "Sun, 01 Mar 2026 10:00:00 GMT")));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let before = daemon.stories().await.remove(0);

    origin.serve("/feed", StubResponse::ok(feed("b", "Second headline", "Sun, 01 Mar 2026 12:00:00 GMT")));
    daemon.advance(minutes(15));
    daemon.wait_for_polls(id, 2).await;
    let stories = daemon.stories().await;
    assert_eq!(stories.len(), 1, "there is no second story");
    let after = &stories[0];
    assert_eq!((after.id, after.items.len(), after.published_at), (before.id, 1, before.published_at));
    let (old, new) = (&before.items[0].item, &after.items[0].item);
    assert_eq!((new.id, new.ranked_at, new.title.as_str()), (old.id, old.ranked_at, "Second headline"));
    let item = new.id;
    let revisions = daemon.store.read(move |db| newsfold::store::item_revisions::revisions(db, item)).await.unwrap();
    assert_eq!(revisions[0].title, "First headline");
    daemon.stop().await;
}

#[tokio::test]
async fn growing_story_keeps_its_id_link_and_date() {
    let mut daemon = TestDaemon::new();
    let mut origins = Vec::new();
    for n in 0..3 {
        origins.push(OriginServer::start().await);
        origins[n].serve("/feed", StubResponse::ok(rss(&[])));
    }
    origins[0].serve("/feed", StubResponse::ok(rss(&[TRAIN[0]])));
    let mut ids = Vec::new();
    for (n, origin) in origins.iter().enumerate() {
        ids.push(daemon.add_source(&origin.url("/feed"), &format!("o{n}.example")).await);
    }
    daemon.start().await;
    daemon.wait_for_polls(ids[0], 1).await;
    let facts = |json: &str| {
        let feed: serde_json::Value = serde_json::from_str(json).unwrap();
        let entry = feed["items"][0].clone();
        assert_eq!(feed["items"].as_array().unwrap().len(), 1, "{json}");
        (entry["id"].clone(), entry["url"].clone(), entry["date_published"].clone())
    };
    let first = facts(&daemon.get("/feeds/all.json").await);
    for n in 1..3 {
        origins[n].serve("/feed", StubResponse::ok(rss(&[TRAIN[n]])));
        daemon.advance(minutes(25));
        wait_until("the report of the other outlet has arrived", async || {
            daemon.stories().await.iter().any(|story| story.items.len() == n + 1)
        })
        .await;
        assert_eq!(facts(&daemon.get("/feeds/all.json").await), first);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn merged_story_redirects_to_the_surviving_story() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve(
        "/feed",
        StubResponse::ok(rss(&["1 | Harvest is late | Farmers wait", "2 | Museum opens | Paintings return"])),
    );
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let stories = daemon.stories().await;
    let (from, into) = (stories[0].clone(), stories[1].clone());
    let (into, from) =
        if (from.created_at, from.id) < (into.created_at, into.id) { (from, into) } else { (into, from) };
    let (now, one, other) = (daemon.now(), from.clone(), into.clone());
    daemon.store.write(move |db| constraints::merge_stories(db, &one, &other, now)).await.unwrap().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(format!("{}/stories/{}", daemon.base, from.id)).send().await.unwrap();
    assert_eq!(answer.status(), 307, "a merge can be undone");
    assert!(answer.headers()["location"].to_str().unwrap().ends_with(&into.id.to_string()));
    let feed = daemon.get("/feeds/all.atom").await;
    assert_eq!(feed.matches("<entry>").count(), 1);
    let surviving = daemon.stories().await.remove(0);
    assert_eq!((surviving.id, surviving.items.len(), surviving.published_at), (into.id, 2, into.published_at));
    daemon.stop().await;
}

#[tokio::test]
async fn feed_bytes_depend_on_the_database_only() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&TRAIN)));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let served = daemon.get("/feeds/all.atom").await;
    daemon.stop().await;
    daemon.advance(SignedDuration::from_hours(1000));

    // A read that the stop has cancelled may end later, and keeps changes in the write-ahead log until then.
    let log = newsfold::store::with_suffix(daemon.store.path(), "-wal");
    wait_until("the file is complete", async || {
        daemon.store.checkpoint().await.unwrap();
        log.metadata().unwrap().len() == 0
    })
    .await;
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("other.db");
    std::fs::copy(daemon.store.path(), &copy).unwrap();
    let store = Store::open(&copy).unwrap();
    let options = Options::default();
    let feed = options.published_feeds().remove(0);
    let selected = feed.clone();
    let (instance, page) = store
        .read(move |db| Ok((publication::instance(db)?, feed_entries::current_page(db, &selected, FeedVariant::Live)?)))
        .await
        .unwrap();
    let entries = arrange_entries(&feed.selection, page.candidates);
    let part = FeedPart { feed: &feed, variant: FeedVariant::Live, page: DocumentPage::Current };
    let document = FeedDocument::of_feed(part, &instance, &entries, &options);
    assert_eq!(String::from_utf8(render(&document, FeedFormat::Atom)).unwrap(), served);
}

#[tokio::test]
async fn forbidden_address_gets_no_request_on_any_hop() {
    let mut daemon = TestDaemon::new();
    // Only 127.0.0.1 is allowed. The second origin listens on another address of this machine.
    let (first, forbidden) = (OriginServer::start().await, OriginServer::start_on("127.0.0.2").await);
    forbidden.serve("/feed", StubResponse::ok(rss(&["1 | Secret"])));
    first.serve("/hop", StubResponse::redirect(&first.url("/hop2")));
    first.serve("/hop2", StubResponse::redirect(&forbidden.url("/feed")));
    let direct = daemon.add_source(&forbidden.url("/feed"), "a.example").await;
    let hopped = daemon.add_source(&first.url("/hop"), "b.example").await;
    let mapped = forbidden.url("/feed").replace("127.0.0.2", "[::ffff:127.0.0.2]");
    let mapped = daemon.add_source(&mapped, "c.example").await;
    daemon.start().await;
    for id in [direct, hopped, mapped] {
        daemon.advance(SignedDuration::from_millis(250));
        daemon.wait_for_polls(id, 1).await;
        let poll = &daemon.polls(id).await[0];
        assert_eq!(poll.outcome, PollOutcome::PrivateAddress);
        assert!(poll.detail.contains("127.0.0.2 is not a public address"), "{}", poll.detail);
    }
    assert_eq!(forbidden.requests().len(), 0);
    assert_eq!(first.request_count("/hop2"), 1);
    daemon.stop().await;
}

#[tokio::test]
async fn hanging_source_does_not_delay_other_sources() {
    let mut daemon = TestDaemon::new();
    let mut bad = Vec::new();
    let hanging = OriginServer::start().await;
    hanging.serve("/feed", StubResponse::never());
    bad.push(daemon.add_source(&hanging.url("/feed"), "hangs.example").await);
    let garbage = OriginServer::start().await;
    garbage.serve("/feed", StubResponse::ok(vec![0xff; 100_000]));
    bad.push(daemon.add_source(&garbage.url("/feed"), "garbage.example").await);
    let missing = OriginServer::start().await;
    bad.push(daemon.add_source(&missing.url("/nothing"), "missing.example").await);
    bad.push(daemon.add_source("http://127.0.0.1:1/refused", "refused.example").await);
    let good = OriginServer::start().await;
    good.serve("/feed", StubResponse::ok(rss(&TRAIN)));
    let id = daemon.add_source(&good.url("/feed"), "good.example").await;
    daemon.start().await;
    daemon.advance(SignedDuration::from_secs(2));
    daemon.wait_for_polls(id, 1).await;
    assert!(daemon.get("/feeds/all.atom").await.contains("armoured train"));
    for id in bad {
        daemon.wait_for_polls(id, 1).await;
        let source = daemon.source(id).await;
        assert!(!source.last_error.is_empty() && source.failures == 1, "{source:?}");
        assert_eq!(source.state, SourceState::Active);
        assert!(source.next_poll_at > daemon.now());
    }
    daemon.stop().await;
}

#[tokio::test]
async fn scripts_and_trackers_are_not_published() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    let hostile = "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>N \
        &lt;script&gt;alert(1)&lt;/script&gt;</title><item><guid>1</guid><title>T &lt;img src=x onerror=alert(2)&gt; \
        \u{202e}]]&gt;</title><link>javascript:alert(3)</link><description>&lt;p style=\"x\"&gt;S&lt;/p&gt;</description>\
        <content:encoded>&lt;p onclick=\"alert(4)\"&gt;Body&lt;/p&gt;&lt;script&gt;alert(5)&lt;/script&gt;&lt;iframe \
        src=\"https://t.example/f\"&gt;&lt;/iframe&gt;&lt;img src=\"https://t.example/p.gif\" width=\"1\" \
        height=\"1\"&gt;&lt;a href=\"data:text/html,x\"&gt;a&lt;/a&gt;&lt;style&gt;p{}&lt;/style&gt;</content:encoded>\
        </item></channel></rss>";
    origin.serve("/feed", StubResponse::ok(hostile));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let story = daemon.stories().await.remove(0);
    let page = format!("/stories/{}", story.id);
    for path in ["/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/", &page, "/sources"] {
        let text = daemon.get(path).await;
        let html = text.replace("&lt;", "<").replace("&quot;", "\"").replace("&gt;", ">").replace("\\\"", "\"");
        for bad in ["<script", "onerror=alert", "onclick=", "javascript:", "<iframe", "p.gif", "data:text", "<style"] {
            // Feeds contain escaped markup. The markup must be harmless after it is unescaped.
            assert!(
                !html.contains(bad) || bad == "onerror=alert" && !html.contains("<img"),
                "{bad} in {path}:\n{text}"
            );
        }
    }
    for path in ["/feeds/all.atom", "/feeds/all.rss"] {
        assert_well_formed(&daemon.get(path).await);
    }
    daemon.stop().await;
}

fn assert_well_formed(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return,
            Ok(_) => {}
            Err(error) => panic!("{error} in\n{xml}"),
        }
    }
}

#[tokio::test]
async fn configured_feeds_select_matching_stories() {
    let mut daemon = TestDaemon::new();
    let feed_options = |name: &str, set: &dyn Fn(&mut newsfold::publish::FeedOptions)| {
        let mut feed: newsfold::publish::FeedOptions = toml::from_str(&format!("name = \"{name}\"")).unwrap();
        set(&mut feed);
        feed
    };
    daemon.config.publish.feeds = vec![
        feed_options("train", &|feed| feed.query = Some("train OR locomotive".into())),
        feed_options("two", &|feed| feed.min_outlets = 2),
        feed_options("b", &|feed| feed.outlets = vec!["b.example".into()]),
        feed_options("german", &|feed| feed.languages = vec!["de".into()]),
        feed_options("fresh", &|feed| feed.max_age = Some(SignedDuration::from_hours(1))),
    ];
    let (a, b) = (OriginServer::start().await, OriginServer::start().await);
    a.serve(
        "/feed",
        StubResponse::ok(rss(&[TRAIN[0], "m | Museum opens its doors | Paintings return to the old hall"])),
    );
    b.serve("/feed", StubResponse::ok(rss(&[TRAIN[1], "h | Harvest is late this year | Farmers wait for rain"])));
    let first = daemon.add_source(&a.url("/feed"), "a.example").await;
    let second = daemon.add_source(&b.url("/feed"), "b.example").await;
    daemon.start().await;
    daemon.advance(SignedDuration::from_secs(1));
    daemon.wait_for_polls(first, 1).await;
    daemon.wait_for_polls(second, 1).await;
    for (feed, entries) in [("all", 3), ("train", 1), ("two", 1), ("b", 2), ("german", 0), ("fresh", 3)] {
        let rss = daemon.get(&format!("/feeds/{feed}.rss")).await;
        assert_eq!(rss.matches("<item>").count(), entries, "in {feed}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn unchanged_feed_is_answered_with_304() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&TRAIN)));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let client = reqwest::Client::builder().no_gzip().no_brotli().no_zstd().no_deflate().build().unwrap();
    let url = format!("{}/feeds/all.atom", daemon.base);
    let first = client.get(&url).send().await.unwrap();
    let etag = first.headers()["etag"].clone();
    let again = client.get(&url).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["etag"], etag);
    let zipped = client.get(&url).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    assert_ne!(zipped.headers()["etag"], etag);
    let head = client.head(&url).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["etag"].clone()), (200, etag.clone()));
    let missing = client.get(format!("{}/feeds/none.atom", daemon.base)).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.headers()["x-content-type-options"], "nosniff");
    daemon.stop().await;
}
