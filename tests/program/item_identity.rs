//! Tests the identity of items: if a source changes guids, links, titles or dates, no item is duplicated or lost.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll};
use jiff::SignedDuration;
use newsfold::domain::{ItemId, MatchedBy, ProblemKind, SourceId, Timestamp};
use newsfold::store::retention::{self, RetentionPolicy};
use newsfold::store::{item_revisions, items, tombstones};

/// An item of a feed: guid, link, title and date. Empty fields are omitted. Text can follow the title after ` | `.
type FeedItem<'a> = (&'a str, &'a str, &'a str, &'a str);

fn feed(items: &[FeedItem<'_>]) -> StubResponse {
    let element = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<{name}>{text}</{name}>"),
    };
    let items: String = items
        .iter()
        .map(|(guid, link, title, date)| {
            let date = if date.is_empty() { String::new() } else { format!("{date} 2026 10:00:00 GMT") };
            let (title, text) = title.split_once(" | ").unwrap_or((title, ""));
            let link = element("link", &link.replace('&', "&amp;"));
            let parts = [element("title", title), element("description", text), link, element("pubDate", &date)];
            let guid = element("guid", guid).replace("<guid>", "<guid isPermaLink=\"false\">");
            format!("<item>{guid}{}</item>", parts.concat())
        })
        .collect();
    StubResponse::ok(format!(
        "<rss version=\"2.0\"><channel><title>N</title><language>en</language>{items}</channel></rss>"
    ))
}

struct IdentityFixture {
    daemon: TestDaemon,
    origin: OriginServer,
    source: SourceId,
}

impl IdentityFixture {
    async fn new(items: &[FeedItem<'_>]) -> IdentityFixture {
        let mut daemon = TestDaemon::new();
        daemon.config.daemon.poll_retention = SignedDuration::from_hours(365 * 24);
        let origin = OriginServer::start().await;
        origin.serve("/feed", feed(items));
        let source = daemon.add_source(&origin.url("/feed"), "a.example").await;
        daemon.start().await;
        daemon.wait_for_polls(source, 1).await;
        IdentityFixture { daemon, origin, source }
    }

    /// Serves these items in the feed and polls it.
    async fn poll_with(&self, items: &[FeedItem<'_>]) {
        self.origin.serve("/feed", feed(items));
        run_next_poll(&self.daemon, self.source).await;
    }

    /// Returns the titles of all stored items, sorted.
    async fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        for story in self.daemon.stories().await {
            titles.extend(story.items.into_iter().map(|report| report.item.title));
        }
        titles.sort();
        titles
    }

    /// Returns the rules by which the additional guids of an item were recognized.
    async fn matched_by(&self, title: &str) -> Vec<MatchedBy> {
        let stories = self.daemon.stories().await;
        let mut reports = stories.iter().flat_map(|story| &story.items);
        let id: ItemId = reports.find(|report| report.item.title == title).unwrap().item.id;
        let guids = self.daemon.store.read(move |db| items::rewritten_guids(db, id)).await.unwrap();
        guids.into_iter().map(|rewritten| rewritten.matched_by).collect()
    }
}

const RAIN: &str = "Rain closes the mountain pass";
const BANK: &str = "Bank lifts its rates again";

#[tokio::test]
async fn items_keep_their_identity_when_all_guids_are_rewritten_or_dropped() {
    let (rain, bank) = ("https://a.example/rain", "https://a.example/bank");
    let mut fixture = IdentityFixture::new(&[("1", rain, RAIN, "Sun, 01 Mar"), ("2", bank, BANK, "Sun, 01 Mar")]).await;
    fixture.poll_with(&[("x1", rain, RAIN, "Sun, 01 Mar"), ("x2", bank, BANK, "Sun, 01 Mar")]).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    let problem = fixture.daemon.polls(fixture.source).await.remove(0).problems.remove(0);
    assert_eq!((problem.kind, problem.count), (ProblemKind::GuidsRewritten, 2));
    assert_eq!(problem.detail, "recognized: 2 by link");
    fixture.poll_with(&[("", rain, RAIN, "Sun, 01 Mar"), ("", bank, BANK, "Sun, 01 Mar")]).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    assert_eq!(fixture.matched_by(RAIN).await, [MatchedBy::Link], "a derived guid is not recorded");
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn items_with_new_guids_and_links_are_recognized_by_title_and_date() {
    let mut fixture = IdentityFixture::new(&[
        ("1", "https://a.example/1", RAIN, "Sun, 01 Mar"),
        ("2", "https://a.example/2", BANK, ""),
        ("3", "https://a.example/3", "Briefing", "Sun, 01 Mar"),
    ])
    .await;
    fixture
        .poll_with(&[
            ("x1", "https://new.example/posts/rain", RAIN, "Sun, 01 Mar"),
            // This link has the same path on another host.
            ("x2", "https://new.example/2", BANK, ""),
            // A one-word title does not identify an item, and the same title some days later is a different item.
            ("x3", "https://new.example/posts/briefing", "Briefing", "Sun, 01 Mar"),
            ("x4", "https://new.example/posts/vote", "Parliament votes on the budget", "Fri, 27 Feb"),
        ])
        .await;
    assert_eq!(fixture.titles().await, [BANK, "Briefing", "Briefing", "Parliament votes on the budget", RAIN]);
    assert_eq!(fixture.matched_by(RAIN).await, [MatchedBy::Title]);
    assert_eq!(fixture.matched_by(BANK).await, [MatchedBy::Link]);
    fixture.poll_with(&[("y4", "https://new.example/44", "Parliament votes on the budget", "Tue, 24 Feb")]).await;
    assert_eq!(fixture.titles().await.len(), 6, "the same title three days earlier is another item");
    fixture.daemon.stop().await;
}

/// Polls documents with one item each, and checks the number of stored items after the last document.
async fn check_steps(why: &str, expected_items: usize, steps: &[FeedItem<'_>]) {
    let mut fixture = IdentityFixture::new(&steps[..1]).await;
    for step in &steps[1..] {
        fixture.poll_with(std::slice::from_ref(step)).await;
    }
    let titles = fixture.titles().await;
    assert_eq!(titles.len(), expected_items, "{why}: {titles:?}");
    fixture.daemon.stop().await;
}

const CLOSED: &str = "Rain closes the mountain pass | The road over the pass is closed until Friday after heavy rain.";
const LIFTED: &str = "Bank lifts its rates again | Loans cost half a percent more from next month on.";
const FIRE: &str = "Fire at the fish market put out | Two halls burned down, and the stalls move to the quay.";

#[tokio::test]
async fn different_items_with_equal_links_or_titles_are_kept() {
    let page = "https://a.example/latest";
    let of = |n: u32| format!("https://a.example/view?ref={n}");
    let note = |n: u32| format!("https://a.example/notes#{n}");
    check_steps(
        "a constant link",
        3,
        &[("1", page, CLOSED, "Fri, 27 Feb"), ("2", page, LIFTED, "Sat, 28 Feb"), ("3", page, FIRE, "Sun, 01 Mar")],
    )
    .await;
    check_steps(
        "a constant link, without guids",
        2,
        &[("", page, CLOSED, "Sat, 28 Feb"), ("", page, LIFTED, "Sun, 01 Mar")],
    )
    .await;
    check_steps(
        "a parameter that is the number of the article",
        3,
        &[
            ("1", &of(11), CLOSED, "Fri, 27 Feb"),
            ("2", &of(12), LIFTED, "Sat, 28 Feb"),
            ("3", &of(13), FIRE, "Sun, 01 Mar"),
        ],
    )
    .await;
    check_steps(
        "a fragment that is the article, without guids",
        2,
        &[("", &note(41), CLOSED, "Sat, 28 Feb"), ("", &note(42), LIFTED, "Sun, 01 Mar")],
    )
    .await;
    let column = |text: &str| format!("Morning briefing from the harbour | {text}");
    check_steps(
        "a daily column",
        2,
        &[
            ("1", "https://a.example/b/1", &column("Ferries and fish."), "Sat, 28 Feb"),
            ("2", "https://a.example/b/2", &column("The mayor resigns."), "Sun, 01 Mar"),
        ],
    )
    .await;
    check_steps(
        "a daily column at one link, without guids",
        2,
        &[
            ("", page, &column("Ferries and fish."), "Sat, 28 Feb"),
            ("", page, &column("The mayor resigns."), "Sun, 01 Mar"),
        ],
    )
    .await;
}

#[tokio::test]
async fn item_stays_one_item_when_its_source_changes_it() {
    let corrected = CLOSED.replace("closes the", "shuts a");
    check_steps(
        "guid, scheme, tracking parameter and date change one after another",
        1,
        &[
            ("http://a.example/s", "http://a.example/s", CLOSED, "Fri, 27 Feb"),
            ("https://a.example/s?ref=rss", "https://a.example/s?ref=rss", CLOSED, "Fri, 27 Feb"),
            ("https://a.example/s?ref=feed", "https://a.example/s?ref=feed", CLOSED, "Fri, 27 Feb"),
            ("https://a.example/s?ref=feed", "https://a.example/s?ref=feed", CLOSED, "Sun, 01 Mar"),
            ("x", "https://a.example/s", &corrected, "Sun, 01 Mar"),
        ],
    )
    .await;
    check_steps(
        "the title is corrected, without guids",
        1,
        &[
            ("", "https://a.example/s", CLOSED, "Sun, 01 Mar"),
            ("", "https://a.example/s", &corrected, "Sun, 01 Mar"),
            ("", "https://a.example/s", CLOSED, "Sun, 01 Mar"),
        ],
    )
    .await;
    check_steps(
        "the title is corrected, without guids and links",
        1,
        &[("", "", CLOSED, "Sun, 01 Mar"), ("", "", &corrected, "Sun, 01 Mar")],
    )
    .await;
}

#[tokio::test]
async fn two_items_with_the_same_title_in_one_document_are_both_kept() {
    let one = ("1", "https://a.example/1", "Live from the parliament today", "Sun, 01 Mar");
    let mut fixture = IdentityFixture::new(&[one]).await;
    fixture.poll_with(&[one, ("2", "https://a.example/2", "Live from the parliament today", "Sun, 01 Mar")]).await;
    assert_eq!(fixture.titles().await.len(), 2);
    fixture.poll_with(&[("2", "https://a.example/2", "Live from the parliament today", "Sun, 01 Mar"), one]).await;
    assert_eq!(fixture.titles().await.len(), 2);
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn guid_shared_by_several_items_identifies_none_of_them() {
    let shown = [
        ("same", "https://a.example/rain", RAIN, "Sun, 01 Mar"),
        ("same", "https://a.example/bank", BANK, "Sun, 01 Mar"),
        ("same", "https://a.example/front", "First of the front page", "Sun, 01 Mar"),
        ("same", "https://a.example/front", "Second of the front page", "Sun, 01 Mar"),
        ("same", "https://a.example/rain", RAIN, "Sun, 01 Mar"),
    ];
    let mut fixture = IdentityFixture::new(&shown).await;
    let expected = [BANK, "First of the front page", RAIN, "Second of the front page"];
    assert_eq!(fixture.titles().await, expected);
    fixture.poll_with(&shown).await;
    fixture.poll_with(&shown[1..]).await;
    assert_eq!(fixture.titles().await, expected, "after more polls");
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn items_without_guid_that_share_a_link_are_all_kept() {
    let shown = [("", "https://a.example/", RAIN, "Sun, 01 Mar"), ("", "https://a.example/", BANK, "Sun, 01 Mar")];
    let mut fixture = IdentityFixture::new(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.poll_with(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn item_that_reappears_with_a_new_date_stays_in_its_story() {
    let rain = ("1", "https://a.example/rain", RAIN, "Sun, 01 Mar");
    let mut fixture = IdentityFixture::new(&[rain]).await;
    let before = fixture.daemon.stories().await.remove(0);
    fixture.poll_with(&[]).await;
    fixture.poll_with(&[("1", "https://a.example/rain", "Pass closed by rain", "Mon, 02 Mar")]).await;
    let after = fixture.daemon.stories().await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].id, after[0].published_at), (before.id, before.published_at));
    let (old, new) = (&before.items[0].item, &after[0].items[0].item);
    assert_eq!((new.id, new.ranked_at), (old.id, old.ranked_at));
    let id = new.id;
    let revisions = fixture.daemon.store.read(move |db| item_revisions::revisions(db, id)).await.unwrap();
    assert_eq!(revisions[0].title, RAIN, "the previous title is kept");
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn items_stay_separate_when_one_takes_over_the_link_of_the_other() {
    let mut fixture = IdentityFixture::new(&[("1", "https://a.example/a", RAIN, "Sun, 01 Mar")]).await;
    let shown = [("1", "https://a.example/b", RAIN, "Sun, 01 Mar"), ("2", "https://a.example/a", BANK, "Sun, 01 Mar")];
    fixture.poll_with(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.poll_with(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.daemon.stop().await;
}

impl IdentityFixture {
    async fn delete_old_stories(&self, keep: RetentionPolicy) -> usize {
        let now = self.daemon.now();
        self.daemon.store.write(move |db| retention::delete_old_stories(db, keep, now)).await.unwrap()
    }
}

#[tokio::test]
async fn item_removed_for_its_age_is_not_stored_again_while_the_feed_contains_it() {
    let (rain, bank) = (("1", "https://a.example/rain", RAIN, ""), ("2", "https://a.example/bank", BANK, ""));
    let mut fixture = IdentityFixture::new(&[rain, bank]).await;
    let keep_nothing = RetentionPolicy { from: Timestamp::MAX, newest: 0 };
    assert_eq!(
        fixture.delete_old_stories(RetentionPolicy { from: Timestamp::MAX, newest: 2 }).await,
        0,
        "the newest stories are kept"
    );
    assert_eq!(
        fixture.delete_old_stories(RetentionPolicy { from: fixture.daemon.now(), newest: 0 }).await,
        0,
        "no story is old enough"
    );
    let story = fixture.daemon.stories().await.remove(0).id;
    assert_eq!(fixture.delete_old_stories(keep_nothing).await, 2);
    assert_eq!(fixture.delete_old_stories(keep_nothing).await, 0);
    let page = reqwest::get(format!("{}/stories/{story}", fixture.daemon.base)).await.unwrap();
    assert_eq!(page.status(), 404);
    let counts = fixture.daemon.store.read(newsfold::store::row_counts::count).await.unwrap();
    assert_eq!((counts.items, counts.stories), (0, 0));
    assert!(fixture.daemon.store.read(newsfold::store::damage).await.unwrap().is_empty());

    fixture.poll_with(&[rain, bank]).await;
    assert_eq!(fixture.titles().await.len(), 0, "recognized by guid");
    fixture.poll_with(&[("x1", "https://a.example/rain", RAIN, ""), bank]).await;
    assert_eq!(fixture.titles().await.len(), 0, "recognized by link under another guid");
    // The tombstone of an item that appears in the feed each month does not expire.
    for _ in 0..4 {
        fixture.daemon.advance(SignedDuration::from_hours(30 * 24));
        let now = fixture.daemon.now();
        fixture.daemon.store.write(move |db| tombstones::delete_expired(db, now)).await.unwrap();
        fixture.poll_with(&[rain]).await;
    }
    assert_eq!(fixture.titles().await.len(), 0);
    // The tombstone of the other item has expired, because the feed has not listed it for four months.
    fixture.poll_with(&[bank]).await;
    assert_eq!(fixture.titles().await, [BANK]);
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn new_item_at_the_link_of_a_removed_one_is_stored() {
    let page = "https://a.example/latest";
    let mut fixture = IdentityFixture::new(&[("1", page, CLOSED, "Sun, 01 Mar")]).await;
    let keep_nothing = RetentionPolicy { from: Timestamp::MAX, newest: 0 };
    assert_eq!(fixture.delete_old_stories(keep_nothing).await, 1);
    fixture.poll_with(&[("x1", page, CLOSED, "Sun, 01 Mar")]).await;
    assert_eq!(fixture.titles().await.len(), 0, "the removed item under another guid");
    fixture.poll_with(&[("2", page, LIFTED, "Mon, 02 Mar")]).await;
    assert_eq!(fixture.titles().await, [BANK]);
    fixture.daemon.stop().await;
}
