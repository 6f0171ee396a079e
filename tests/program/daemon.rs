//! The daemon over real HTTP and a real database, with a clock that the test moves: scenarios and the standing
//! invariants that need no second process.

use crate::support::origin::{Answer, Origin};
use crate::support::world::World;
use crate::support::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{FeedVariant, PollOutcome, SourceState};
use newsfold::publish::{FeedDocument, FeedFormat, FeedPage, Options, arrange_entries, render};
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
async fn many_outlets_become_one_entry() {
    let mut world = World::new();
    let mut ids = Vec::new();
    let others = ["x0 | Storm closes the ports", "x1 | Bank lifts rates", "x2 | Orchestra names a conductor"];
    for (n, (line, other)) in TRAIN.iter().zip(others).enumerate() {
        let origin = Origin::start().await;
        origin.serve("/feed", Answer::ok(rss(&[line, other])));
        ids.push(world.add(&origin.url("/feed"), &format!("outlet{n}.example")).await);
    }
    world.start().await;
    world.pass(SignedDuration::from_secs(1));
    for id in ids {
        world.polled(id, 1).await;
    }
    let atom = world.get("/feeds/all.atom").await;
    assert_eq!(atom.matches("<entry>").count(), 4, "one story of three outlets and three alone");
    for n in 0..3 {
        assert!(atom.contains(&format!("outlet{n}.example")));
    }
    let front = world.get("/").await;
    assert!(front.contains("3 outlets"), "{front}");
    let shared = world.stories().await.into_iter().find(|story| story.items.len() == 3).unwrap();
    let page = world.get(&format!("/stories/{}", shared.id)).await;
    assert!(page.contains("shares ‘") && page.contains("threshold"), "{page}");
    world.stop().await;
}

#[tokio::test]
async fn a_source_is_never_polled_sooner_than_its_rules_allow() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&["1 | One"])).header("cache-control", b"max-age=3600"));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    assert!(world.source(id).await.next_poll_at >= world.now() + minutes(60));
    world.pass(minutes(59));
    // The daemon looks at its schedule at least twice in this time, and another source shows that it does.
    let other = Origin::start().await;
    other.serve("/feed", Answer::ok(rss(&["1 | One"])));
    let second = world.add(&other.url("/feed"), "b.example").await;
    world.polled(second, 1).await;
    assert_eq!(origin.count("/feed"), 1);
    world.pass(minutes(10));
    world.polled(id, 2).await;
    world.stop().await;
}

#[tokio::test]
async fn validators_come_back_byte_for_byte_also_after_a_restart() {
    let mut world = World::new();
    let origin = Origin::start().await;
    let etag = b"W/\"caf\xe9 \\ x\"";
    let modified = b"Sun, 01 Mar 2026 09:00:00 GMT ";
    let document = Answer::ok(rss(&["1 | One"])).header("etag", etag).header("last-modified", modified.trim_ascii());
    origin.serve("/feed", document);
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    world.stop().await;
    world.pass(minutes(30));
    world.start().await;
    world.polled(id, 2).await;
    world.stop().await;
    let requests = origin.requests();
    assert_eq!(requests[0].header("if-none-match"), None, "the first request is unconditional");
    assert_eq!(requests[1].header("if-none-match").as_deref(), Some(&etag[..]));
    assert_eq!(requests[1].header("if-modified-since").as_deref(), Some(&b"Sun, 01 Mar 2026 09:00:00 GMT"[..]));
    assert_eq!(world.polls(id).await[0].outcome, PollOutcome::NotModified);
    for name in ["cookie", "referer", "authorization"] {
        assert_eq!(requests[1].header(name), None);
    }
}

#[tokio::test]
async fn a_restart_makes_no_burst() {
    let mut world = World::new();
    let origin = Origin::start().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        origin.serve(&format!("/{n}"), Answer::ok(rss(&[&format!("g{n} | Title {n}")])));
        ids.push(world.add(&origin.url(&format!("/{n}")), "a.example").await);
    }
    world.start().await;
    // While the clock stands, only the first of the sources that came due together is polled.
    world.polled(ids[0], 1).await;
    assert_eq!(origin.requests().len(), 1);
    for (n, id) in ids.iter().enumerate().skip(1) {
        world.pass(SignedDuration::from_millis(250));
        world.polled(*id, 1).await;
        assert_eq!(origin.requests().len(), n + 1);
    }
    world.stop().await;
    world.start().await;
    world.settled().await;
    assert_eq!(origin.requests().len(), 20, "a restart polls nothing that is not due");
    world.stop().await;
}

#[tokio::test]
async fn retry_after_is_kept() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::status(429).header("retry-after", b"7200"));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    let source = world.source(id).await;
    assert_eq!(source.last_outcome, Some(PollOutcome::Throttled));
    assert!(source.next_poll_at >= world.now() + minutes(120), "{:?}", source.next_poll_reason);
    assert_eq!(source.hold_until, Some(world.now() + minutes(120)));
    world.stop().await;
}

#[tokio::test]
async fn a_retitled_redated_or_reguided_item_is_still_that_item() {
    let mut world = World::new();
    let origin = Origin::start().await;
    let feed = |guid: &str, title: &str, date: &str| {
        format!(
            "<rss version=\"2.0\"><channel><title>N</title><language>en</language><item><guid isPermaLink=\"false\">\
             {guid}</guid><title>{title}</title><link>https://news.example/one</link><pubDate>{date}</pubDate></item>\
             </channel></rss>"
        )
    };
    origin.serve("/feed", Answer::ok(feed("a", "First headline", "Sun, 01 Mar 2026 10:00:00 GMT")));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    let before = world.stories().await.remove(0);

    origin.serve("/feed", Answer::ok(feed("b", "Second headline", "Sun, 01 Mar 2026 12:00:00 GMT")));
    world.pass(minutes(15));
    world.polled(id, 2).await;
    let stories = world.stories().await;
    assert_eq!(stories.len(), 1, "no second story");
    let after = &stories[0];
    assert_eq!((after.id, after.items.len(), &after.published), (before.id, 1, &before.published));
    let (was, is) = (&before.items[0].item, &after.items[0].item);
    assert_eq!((is.id, is.ranked_at, is.title.as_str()), (was.id, was.ranked_at, "Second headline"));
    let item = is.id;
    let revisions = world.store.read(move |db| newsfold::store::items::revisions(db, item)).await.unwrap();
    assert_eq!(revisions[0].title, "First headline");
    world.stop().await;
}

#[tokio::test]
async fn what_is_published_of_a_story_never_changes() {
    let mut world = World::new();
    let mut origins = Vec::new();
    for n in 0..3 {
        origins.push(Origin::start().await);
        origins[n].serve("/feed", Answer::ok(rss(&[])));
    }
    origins[0].serve("/feed", Answer::ok(rss(&[TRAIN[0]])));
    let mut ids = Vec::new();
    for (n, origin) in origins.iter().enumerate() {
        ids.push(world.add(&origin.url("/feed"), &format!("o{n}.example")).await);
    }
    world.start().await;
    world.polled(ids[0], 1).await;
    let facts = |json: &str| {
        let feed: serde_json::Value = serde_json::from_str(json).unwrap();
        let entry = feed["items"][0].clone();
        assert_eq!(feed["items"].as_array().unwrap().len(), 1, "{json}");
        (entry["id"].clone(), entry["url"].clone(), entry["date_published"].clone())
    };
    let first = facts(&world.get("/feeds/all.json").await);
    for n in 1..3 {
        origins[n].serve("/feed", Answer::ok(rss(&[TRAIN[n]])));
        world.pass(minutes(25));
        until("the other outlets' reports have come", async || {
            world.stories().await.iter().any(|story| story.items.len() == n + 1)
        })
        .await;
        assert_eq!(facts(&world.get("/feeds/all.json").await), first);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_story_that_was_merged_away_leads_to_the_other() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve(
        "/feed",
        Answer::ok(rss(&["1 | Harvest is late | Farmers wait", "2 | Museum opens | Paintings return"])),
    );
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    let stories = world.stories().await;
    let (from, into) = (stories[0].clone(), stories[1].clone());
    let (into, from) =
        if (from.created_at, from.id) < (into.created_at, into.id) { (from, into) } else { (into, from) };
    let (now, one, other) = (world.now(), from.clone(), into.clone());
    world.store.write(move |db| constraints::merge_stories(db, &one, &other, now, &|_| None)).await.unwrap().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(format!("{}/stories/{}", world.base, from.id)).send().await.unwrap();
    assert_eq!(answer.status(), 308);
    assert!(answer.headers()["location"].to_str().unwrap().ends_with(&into.id.to_string()));
    let feed = world.get("/feeds/all.atom").await;
    assert_eq!(feed.matches("<entry>").count(), 1);
    let surviving = world.stories().await.remove(0);
    assert_eq!((surviving.id, surviving.items.len(), &surviving.published), (into.id, 2, &into.published));
    world.stop().await;
}

#[tokio::test]
async fn the_same_database_gives_the_same_bytes_at_any_time_in_any_place() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&TRAIN)));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    let served = world.get("/feeds/all.atom").await;
    world.stop().await;
    world.pass(SignedDuration::from_hours(1000));

    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("other.db");
    std::fs::copy(world.store.path(), &copy).unwrap();
    let store = Store::open(&copy).unwrap();
    let options = Options::default();
    let feed = options.published_feeds().remove(0);
    let selected = feed.clone();
    let (instance, page) = store
        .read(move |db| Ok((publication::instance(db)?, feed_entries::current_page(db, &selected, FeedVariant::Live)?)))
        .await
        .unwrap();
    let entries = arrange_entries(&feed.selection, page.candidates);
    let document = FeedDocument::of_feed(&feed, FeedVariant::Live, FeedPage::Current, &instance, &entries, &options);
    assert_eq!(String::from_utf8(render(&document, FeedFormat::Atom)).unwrap(), served);
}

#[tokio::test]
async fn no_request_leaves_for_a_forbidden_address_on_any_hop() {
    let mut world = World::new();
    // Only 127.0.0.1 is allowed; the second origin listens on another address of this machine.
    let (first, forbidden) = (Origin::start().await, Origin::start_on("127.0.0.2").await);
    forbidden.serve("/feed", Answer::ok(rss(&["1 | Secret"])));
    first.serve("/hop", Answer::redirect(&first.url("/hop2")));
    first.serve("/hop2", Answer::redirect(&forbidden.url("/feed")));
    let direct = world.add(&forbidden.url("/feed"), "a.example").await;
    let hopped = world.add(&first.url("/hop"), "b.example").await;
    let mapped = forbidden.url("/feed").replace("127.0.0.2", "[::ffff:127.0.0.2]");
    let mapped = world.add(&mapped, "c.example").await;
    world.start().await;
    for id in [direct, hopped, mapped] {
        world.pass(SignedDuration::from_millis(250));
        world.polled(id, 1).await;
        let poll = &world.polls(id).await[0];
        assert_eq!(poll.outcome, PollOutcome::PrivateAddress);
        assert!(poll.detail.contains("127.0.0.2 is not a public address"), "{}", poll.detail);
    }
    assert_eq!(forbidden.requests().len(), 0);
    assert_eq!(first.count("/hop2"), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_source_that_hangs_holds_up_no_other() {
    let mut world = World::new();
    let mut bad = Vec::new();
    let hanging = Origin::start().await;
    hanging.serve("/feed", Answer::hangs());
    bad.push(world.add(&hanging.url("/feed"), "hangs.example").await);
    let garbage = Origin::start().await;
    garbage.serve("/feed", Answer::ok(vec![0xff; 100_000]));
    bad.push(world.add(&garbage.url("/feed"), "garbage.example").await);
    let missing = Origin::start().await;
    bad.push(world.add(&missing.url("/nothing"), "missing.example").await);
    bad.push(world.add("http://127.0.0.1:1/refused", "refused.example").await);
    let good = Origin::start().await;
    good.serve("/feed", Answer::ok(rss(&TRAIN)));
    let id = world.add(&good.url("/feed"), "good.example").await;
    world.start().await;
    world.pass(SignedDuration::from_secs(2));
    world.polled(id, 1).await;
    assert!(world.get("/feeds/all.atom").await.contains("armoured train"));
    for id in bad {
        world.polled(id, 1).await;
        let source = world.source(id).await;
        assert!(!source.last_error.is_empty() && source.failures == 1, "{source:?}");
        assert_eq!(source.state, SourceState::Active);
        assert!(source.next_poll_at > world.now());
    }
    world.stop().await;
}

#[tokio::test]
async fn nothing_that_runs_or_tracks_is_published() {
    let mut world = World::new();
    let origin = Origin::start().await;
    let hostile = "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>N \
        &lt;script&gt;alert(1)&lt;/script&gt;</title><item><guid>1</guid><title>T &lt;img src=x onerror=alert(2)&gt; \
        \u{202e}]]&gt;</title><link>javascript:alert(3)</link><description>&lt;p style=\"x\"&gt;S&lt;/p&gt;</description>\
        <content:encoded>&lt;p onclick=\"alert(4)\"&gt;Body&lt;/p&gt;&lt;script&gt;alert(5)&lt;/script&gt;&lt;iframe \
        src=\"https://t.example/f\"&gt;&lt;/iframe&gt;&lt;img src=\"https://t.example/p.gif\" width=\"1\" \
        height=\"1\"&gt;&lt;a href=\"data:text/html,x\"&gt;a&lt;/a&gt;&lt;style&gt;p{}&lt;/style&gt;</content:encoded>\
        </item></channel></rss>";
    origin.serve("/feed", Answer::ok(hostile));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    let story = world.stories().await.remove(0);
    let page = format!("/stories/{}", story.id);
    for path in ["/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/", &page, "/sources"] {
        let text = world.get(path).await;
        let html = text.replace("&lt;", "<").replace("&quot;", "\"").replace("&gt;", ">").replace("\\\"", "\"");
        for bad in ["<script", "onerror=alert", "onclick=", "javascript:", "<iframe", "p.gif", "data:text", "<style"] {
            // Feeds carry markup escaped once; unescaping must not bring anything to life.
            assert!(
                !html.contains(bad) || bad == "onerror=alert" && !html.contains("<img"),
                "{bad} in {path}:\n{text}"
            );
        }
    }
    for path in ["/feeds/all.atom", "/feeds/all.rss"] {
        well_formed(&world.get(path).await);
    }
    world.stop().await;
}

fn well_formed(xml: &str) {
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
async fn feeds_select_by_what_the_operator_says() {
    let mut world = World::new();
    let words = |name: &str, set: &dyn Fn(&mut newsfold::publish::FeedOptions)| {
        let mut feed: newsfold::publish::FeedOptions = toml::from_str(&format!("name = \"{name}\"")).unwrap();
        set(&mut feed);
        feed
    };
    world.config.publish.feeds = vec![
        words("train", &|feed| feed.query = Some("train OR locomotive".into())),
        words("two", &|feed| feed.min_outlets = 2),
        words("b", &|feed| feed.outlets = vec!["b.example".into()]),
        words("german", &|feed| feed.languages = vec!["de".into()]),
        words("fresh", &|feed| feed.max_age = Some(SignedDuration::from_hours(1))),
    ];
    let (a, b) = (Origin::start().await, Origin::start().await);
    a.serve("/feed", Answer::ok(rss(&[TRAIN[0], "m | Museum opens its doors | Paintings return to the old hall"])));
    b.serve("/feed", Answer::ok(rss(&[TRAIN[1], "h | Harvest is late this year | Farmers wait for rain"])));
    let first = world.add(&a.url("/feed"), "a.example").await;
    let second = world.add(&b.url("/feed"), "b.example").await;
    world.start().await;
    world.pass(SignedDuration::from_secs(1));
    world.polled(first, 1).await;
    world.polled(second, 1).await;
    for (feed, entries) in [("all", 3), ("train", 1), ("two", 1), ("b", 2), ("german", 0), ("fresh", 3)] {
        let rss = world.get(&format!("/feeds/{feed}.rss")).await;
        assert_eq!(rss.matches("<item>").count(), entries, "in {feed}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_reader_is_told_when_nothing_has_changed() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&TRAIN)));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    let client = reqwest::Client::builder().no_gzip().no_brotli().no_zstd().no_deflate().build().unwrap();
    let url = format!("{}/feeds/all.atom", world.base);
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
    let missing = client.get(format!("{}/feeds/none.atom", world.base)).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.headers()["x-content-type-options"], "nosniff");
    world.stop().await;
}
