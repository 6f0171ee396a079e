//! Tests that backlog, which consists of the items that were published before their source was added, is stored and
//! searchable but not published.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::rss;
use crate::support::test_daemon::{TestDaemon, run_next_poll, run_next_poll_after};
use jiff::{SignedDuration, Timestamp};
use newsfold::domain::{BacklogReason, NewSource, SourceId, SourceState};
use newsfold::store::{items, sources};

const QUARRY: &str = "Quarry at Helm reopens after nine years | Lorries return to the quarry at Helm on Monday";
const FERRY: &str = "Ferry to Ansel runs at night | The council pays for four crossings between dusk and dawn";
const VIOLIN: &str = "Violin found in a river is three centuries old | A diver brought the instrument to a museum";

/// Returns a feed of items with their ages in hours; `None` omits the date.
fn feed(now: Timestamp, items: &[(&str, Option<i64>)]) -> StubResponse {
    let item = |(line, age): &(&str, Option<i64>)| {
        let (title, text) = line.split_once(" | ").unwrap();
        let date = age.map_or_else(String::new, |hours| {
            let at = now - SignedDuration::from_hours(hours);
            format!("<pubDate>{}</pubDate>", at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        });
        let guid = title.replace(' ', "-");
        format!(
            "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><link>https://news.example/{guid}</link>\
             <description>{text}</description>{date}</item>"
        )
    };
    let items: String = items.iter().map(item).collect();
    StubResponse::ok(format!(
        "<rss version=\"2.0\"><channel><title>News</title><language>en</language>{items}</channel></rss>"
    ))
}

/// A daemon that polls one source, which it has not read before.
struct Newsroom {
    daemon: TestDaemon,
    origin: OriginServer,
    source: SourceId,
}

impl Newsroom {
    async fn reading(items: &[(&str, Option<i64>)], publish_backlog: bool) -> Newsroom {
        let (mut daemon, origin) = (TestDaemon::new(), OriginServer::start().await);
        origin.serve("/feed", feed(daemon.now(), items));
        let new =
            NewSource { url: origin.url("/feed"), outlet: "a.example".into(), publish_backlog, ..NewSource::default() };
        let source = daemon.add_unread_source(new).await;
        daemon.start().await;
        daemon.wait_for_polls(source, 1).await;
        Newsroom { daemon, origin, source }
    }

    /// Serves these items, with their ages at the next poll, and polls the source after `wait`.
    async fn poll_after(&self, wait: SignedDuration, items: &[(&str, Option<i64>)]) {
        let now = self.daemon.now() + wait;
        self.origin.serve("/feed", feed(now, items));
        run_next_poll_after(&self.daemon, self.source, wait).await;
    }

    /// Returns the titles in the `all` feed, newest first.
    async fn entries(&self) -> Vec<String> {
        let feed: serde_json::Value = serde_json::from_str(&self.daemon.get("/feeds/all.json").await).unwrap();
        feed["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
    }

    async fn count_backlog(&self) -> u64 {
        let source = self.source;
        self.daemon.store.read(move |db| items::count_backlog(db, source)).await.unwrap()
    }

    async fn backlog_reasons(&self) -> Vec<BacklogReason> {
        let stories = self.daemon.stories().await;
        stories.iter().flat_map(|story| &story.items).filter_map(|report| report.item.backlog_reason).collect()
    }
}

fn title(line: &str) -> &str {
    line.split(" | ").next().unwrap()
}

#[tokio::test]
async fn old_and_undated_items_of_a_first_document_are_searchable_but_not_published() {
    let room = Newsroom::reading(&[(QUARRY, Some(2)), (FERRY, Some(24 * 365)), (VIOLIN, None)], false).await;
    assert_eq!(room.entries().await, [title(QUARRY)]);
    assert_eq!(room.count_backlog().await, 2);
    for word in ["crossings", "diver"] {
        let page = room.daemon.get(&format!("/?q={word}")).await;
        assert!(page.contains("backlog: "), "a search for {word} finds the backlog and says what it is: {page}");
        let feed = room.daemon.get(&format!("/search.json?q={word}")).await;
        assert!(feed.contains("\"items\": []"), "the feed of the search has no entry for it: {feed}");
    }
    assert!(!room.daemon.get("/").await.contains("Ferry to Ansel"), "the front page lists published stories");
    let stories = room.daemon.stories().await;
    let old = stories.iter().find(|story| story.items[0].item.title == title(FERRY)).unwrap();
    assert!(old.published_at.is_none());
    assert!(
        room.daemon
            .get(&format!("/stories/{}", old.id))
            .await
            .contains("backlog: published before the source was added")
    );
    let its_feed = reqwest::get(format!("{}/stories/{}.atom", room.daemon.base, old.id)).await.unwrap();
    assert_eq!(its_feed.status(), 404, "a story with only backlog has no feed");
}

#[tokio::test]
async fn an_undated_item_of_a_later_document_is_news() {
    let room = Newsroom::reading(&[(FERRY, None)], false).await;
    assert_eq!(room.entries().await, Vec::<String>::new());
    room.poll_after(SignedDuration::from_mins(30), &[(VIOLIN, None), (FERRY, None)]).await;
    assert_eq!(room.entries().await, [title(VIOLIN)]);
    // A new date, title or text of a stored item has no effect.
    room.poll_after(SignedDuration::from_mins(30), &[(VIOLIN, None), (FERRY, Some(0))]).await;
    assert_eq!(room.entries().await, [title(VIOLIN)]);
}

#[tokio::test]
async fn an_archive_that_appears_later_is_backlog() {
    let room = Newsroom::reading(&[(QUARRY, Some(1))], false).await;
    room.poll_after(SignedDuration::from_mins(30), &[(FERRY, Some(24 * 4)), (VIOLIN, Some(24 * 2)), (QUARRY, Some(1))])
        .await;
    assert_eq!(room.entries().await, [title(QUARRY), title(VIOLIN)]);
    assert_eq!(room.backlog_reasons().await, [BacklogReason::OlderThanLastPoll]);
}

#[tokio::test]
async fn news_delayed_by_a_pause_is_published() {
    let room = Newsroom::reading(&[], false).await;
    let (store, source) = (&room.daemon.store, room.source);
    store.write(move |db| sources::set_state(db, source, SourceState::Paused)).await.unwrap();
    room.daemon.advance(SignedDuration::from_hours(24 * 20));
    store.write(move |db| sources::set_state(db, source, SourceState::Active)).await.unwrap();
    room.origin.serve("/feed", feed(room.daemon.now(), &[(FERRY, Some(24 * 15)), (VIOLIN, Some(24 * 40))]));
    room.daemon.advance(SignedDuration::from_mins(1));
    room.daemon.wait_for_polls(source, 2).await;
    assert_eq!(room.entries().await, [title(FERRY)]);
}

#[tokio::test]
async fn source_with_the_flag_publishes_the_backlog_of_its_first_document_only() {
    let room = Newsroom::reading(&[(QUARRY, Some(24 * 365)), (VIOLIN, None)], true).await;
    assert_eq!(room.entries().await.len(), 2);
    assert!(!room.daemon.source(room.source).await.publish_backlog, "the flag ends with the first document");
    room.poll_after(SignedDuration::from_mins(30), &[(FERRY, Some(24 * 300))]).await;
    assert_eq!(room.entries().await.len(), 2);
}

#[tokio::test]
async fn story_of_backlog_is_published_with_the_date_and_the_text_of_its_first_news() {
    let mut room = Newsroom::reading(&[(FERRY, None)], false).await;
    let other = OriginServer::start().await;
    let report = "Night ferry to Ansel starts | Four crossings run between dusk and dawn, the council of Ansel says";
    other.serve("/feed", StubResponse::ok(rss(&[])));
    let source = room.daemon.add_source(&other.url("/feed"), "b.example").await;
    run_next_poll(&room.daemon, source).await;
    room.daemon.advance(SignedDuration::from_hours(5));
    // Both items have the same link, so they belong to one story.
    let link = format!("https://news.example/{}", title(FERRY).replace(' ', "-"));
    let document = rss(&[&format!("n | {report}")]).replace("https://news.example/n", &link);
    other.serve("/feed", StubResponse::ok(document));
    run_next_poll(&room.daemon, source).await;
    let story = room.daemon.stories().await.remove(0);
    assert_eq!(story.items.len(), 2);
    let first_news = &story.items[1].item;
    assert_eq!(story.published_at.unwrap(), first_news.first_seen_at, "not the date of the backlog");
    assert_eq!(room.entries().await, ["Night ferry to Ansel starts"]);
    let entry = room.daemon.get("/feeds/all.atom").await;
    assert!(entry.contains("a.example") && entry.contains("b.example"), "the backlog counts as a report: {entry}");
    room.daemon.stop().await;
}

#[tokio::test]
async fn a_source_that_moves_is_not_new() {
    let room = Newsroom::reading(&[(QUARRY, Some(1))], false).await;
    room.origin.serve("/moved", feed(room.daemon.now(), &[(VIOLIN, None), (QUARRY, Some(1))]));
    let edit = newsfold::domain::SourceEdit { url: Some(room.origin.url("/moved")), ..Default::default() };
    let (source, now) = (room.source, room.daemon.now());
    room.daemon.store.write(move |db| sources::edit(db, source, &edit, now)).await.unwrap();
    room.daemon.advance(SignedDuration::from_mins(1));
    room.daemon.wait_for_polls(source, 2).await;
    assert_eq!(room.entries().await.len(), 2, "its undated item is news");
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line_says_what_is_backlog_and_publishes_it_on_request() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let items = [(QUARRY, Some(1)), (FERRY, Some(24 * 200)), (VIOLIN, None)];
    for path in ["/default", "/flag", "/later", "/listed"] {
        origin.serve(path, feed(Timestamp::now(), &items));
    }
    let added = cli.run(&["source", "add", &origin.url("/default")]);
    assert!(
        added.contains("3 items") && added.contains("backlog: 2 of the items are undated or older than 3 d"),
        "{added}"
    );
    let shown = cli.run(&["source", "show", "1"]);
    assert!(shown.contains("2 items, searchable but not published"), "{shown}");
    assert_eq!(cli.run_json(&["source", "show", "1"])["backlog_items"], 2);
    assert_eq!(cli.run_json(&["feed", "preview", "all"]).as_array().unwrap().len(), 1);
    let stories = cli.run_json(&["story", "list"]);
    let old = stories.as_array().unwrap().iter().find(|story| story["published_at"].is_null()).unwrap();
    let (story, item) = (old["id"].as_str().unwrap(), old["items"][0]["id"].to_string());
    for command in [
        &["story", "show", story][..],
        &["item", "show", &item],
        &["item", "explain", &item, "1"],
        &["feed", "explain", "all", story],
    ] {
        let text = cli.run(command);
        assert!(text.contains("backlog: "), "{command:?}: {text}");
    }
    assert!(cli.run_json(&["item", "show", &item])["item"]["backlog_reason"].is_string());

    cli.run(&["source", "remove", "1", "--yes"]);
    assert_eq!(cli.run_json(&["source", "add", &origin.url("/flag"), "--backlog"])["backlog_items"], 0);
    cli.run(&["source", "add", &origin.url("/later"), "--backlog", "--no-fetch"]);
    assert!(cli.run(&["source", "show", "3"]).contains("all items of its first document will be published"));
    let list = format!("<opml><outline text=\"A\" xmlUrl=\"{}\"/></opml>", origin.url("/listed"));
    cli.run(&["source", "import", &cli.write_file("list.opml", &list), "--backlog"]);
    for source in ["3", "4"] {
        cli.run(&["source", "poll", source]);
        assert_eq!(cli.run_json(&["source", "show", source])["backlog_items"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn source_add_prints_the_end_of_probation() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/first", feed(Timestamp::now(), &[(QUARRY, Some(1))]));
    origin.serve("/second", feed(Timestamp::now(), &[(VIOLIN, Some(1))]));
    let first = cli.run(&["source", "add", &origin.url("/first")]);
    assert!(!first.contains("probation"), "{first}");
    assert!(cli.run_json(&["source", "show", "1"])["probation_until"].is_null());
    let database = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
    database.execute("UPDATE source SET added_at = added_at - 2 * 86400000", []).unwrap();
    let second = cli.run(&["source", "add", &origin.url("/second")]);
    assert!(second.contains("probation: until 20"), "{second}");
    assert!(cli.run_json(&["source", "show", "2"])["probation_until"].is_string());
    assert_eq!(cli.run_json(&["feed", "preview", "all"]).as_array().unwrap().len(), 1);
}
