//! Items over time: whatever a source does to its guids, links, titles and dates, none is doubled and none is lost.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll};
use jiff::SignedDuration;
use newsfold::domain::{ItemId, MatchedBy, ProblemKind, SourceId, Timestamp};
use newsfold::store::retention::{self, RetentionPolicy};
use newsfold::store::{items, tombstones};

/// An item as its source shows it: guid, link, title, date; what is empty is left out.
type Shown<'a> = (&'a str, &'a str, &'a str, &'a str);

fn feed(items: &[Shown<'_>]) -> StubResponse {
    let element = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<{name}>{text}</{name}>"),
    };
    let items: String = items
        .iter()
        .map(|(guid, link, title, date)| {
            let date = if date.is_empty() { String::new() } else { format!("{date} 2026 10:00:00 GMT") };
            let parts = [element("title", title), element("link", link), element("pubDate", &date)];
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
    async fn new(items: &[Shown<'_>]) -> IdentityFixture {
        let mut daemon = TestDaemon::new();
        daemon.config.daemon.poll_retention = SignedDuration::from_hours(365 * 24);
        let origin = OriginServer::start().await;
        origin.serve("/feed", feed(items));
        let source = daemon.add_source(&origin.url("/feed"), "a.example").await;
        daemon.start().await;
        daemon.wait_for_polls(source, 1).await;
        IdentityFixture { daemon, origin, source }
    }

    /// The source shows these items from now on, and is polled.
    async fn shows(&self, items: &[Shown<'_>]) {
        self.origin.serve("/feed", feed(items));
        run_next_poll(&self.daemon, self.source).await;
    }

    /// All items that are kept, by their titles.
    async fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        for story in self.daemon.stories().await {
            titles.extend(story.items.into_iter().map(|report| report.item.title));
        }
        titles.sort();
        titles
    }

    async fn rules(&self, title: &str) -> Vec<MatchedBy> {
        let stories = self.daemon.stories().await;
        let mut reports = stories.iter().flat_map(|story| &story.items);
        let id: ItemId = reports.find(|report| report.item.title == title).unwrap().item.id;
        let guids = self.daemon.store.read(move |db| items::rewritten_guids(db, id)).await.unwrap();
        guids.into_iter().map(|(_, rule)| rule).collect()
    }
}

const RAIN: &str = "Rain closes the mountain pass";
const BANK: &str = "Bank lifts its rates again";

#[tokio::test]
async fn items_keep_their_identity_when_all_guids_are_rewritten_or_dropped() {
    let (rain, bank) = ("https://a.example/rain", "https://a.example/bank");
    let mut fixture = IdentityFixture::new(&[("1", rain, RAIN, "Sun, 01 Mar"), ("2", bank, BANK, "Sun, 01 Mar")]).await;
    fixture.shows(&[("x1", rain, RAIN, "Sun, 01 Mar"), ("x2", bank, BANK, "Sun, 01 Mar")]).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    let problem = fixture.daemon.polls(fixture.source).await.remove(0).problems.remove(0);
    assert_eq!((problem.kind, problem.count), (ProblemKind::GuidsRewritten, 2));
    assert_eq!(problem.detail, "recognized: 2 by link");
    fixture.shows(&[("", rain, RAIN, "Sun, 01 Mar"), ("", bank, BANK, "Sun, 01 Mar")]).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    assert_eq!(fixture.rules(RAIN).await, [MatchedBy::Link, MatchedBy::Link]);
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn items_with_new_guids_and_links_are_recognized_by_title_and_day() {
    let mut fixture = IdentityFixture::new(&[
        ("1", "https://a.example/1", RAIN, "Sun, 01 Mar"),
        ("2", "https://a.example/2", BANK, ""),
        ("3", "https://a.example/3", "Briefing", "Sun, 01 Mar"),
    ])
    .await;
    fixture
        .shows(&[
            ("x1", "https://new.example/1", RAIN, "Sun, 01 Mar"),
            ("x2", "https://new.example/2", BANK, ""),
            // A rubric's name says nothing, and the same headline days later is another item.
            ("x3", "https://new.example/3", "Briefing", "Sun, 01 Mar"),
            ("x4", "https://new.example/4", "Parliament votes on the budget", "Fri, 27 Feb"),
        ])
        .await;
    assert_eq!(fixture.titles().await, [BANK, "Briefing", "Briefing", "Parliament votes on the budget", RAIN]);
    assert_eq!(fixture.rules(RAIN).await, [MatchedBy::Title]);
    fixture.shows(&[("y4", "https://new.example/44", "Parliament votes on the budget", "Tue, 24 Feb")]).await;
    assert_eq!(fixture.titles().await.len(), 6, "the same headline three days earlier is another item");
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn two_items_with_the_same_title_in_one_document_are_both_kept() {
    let one = ("1", "https://a.example/1", "Live from the parliament today", "Sun, 01 Mar");
    let mut fixture = IdentityFixture::new(&[one]).await;
    fixture.shows(&[one, ("2", "https://a.example/2", "Live from the parliament today", "Sun, 01 Mar")]).await;
    assert_eq!(fixture.titles().await.len(), 2);
    fixture.shows(&[("2", "https://a.example/2", "Live from the parliament today", "Sun, 01 Mar"), one]).await;
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
    fixture.shows(&shown).await;
    fixture.shows(&shown[1..]).await;
    assert_eq!(fixture.titles().await, expected, "polled again");
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn items_without_guid_that_share_a_link_are_all_kept() {
    let shown = [("", "https://a.example/", RAIN, "Sun, 01 Mar"), ("", "https://a.example/", BANK, "Sun, 01 Mar")];
    let mut fixture = IdentityFixture::new(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.shows(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn item_that_reappears_with_a_new_date_stays_in_its_story() {
    let rain = ("1", "https://a.example/rain", RAIN, "Sun, 01 Mar");
    let mut fixture = IdentityFixture::new(&[rain]).await;
    let before = fixture.daemon.stories().await.remove(0);
    fixture.shows(&[]).await;
    fixture.shows(&[("1", "https://a.example/rain", "Pass closed by rain", "Mon, 02 Mar")]).await;
    let after = fixture.daemon.stories().await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].id, &after[0].published), (before.id, &before.published));
    let (was, is) = (&before.items[0].item, &after[0].items[0].item);
    assert_eq!((is.id, is.ranked_at), (was.id, was.ranked_at));
    let id = is.id;
    let said = fixture.daemon.store.read(move |db| items::revisions(db, id)).await.unwrap();
    assert_eq!(said[0].title, RAIN, "what it said before is kept");
    fixture.daemon.stop().await;
}

#[tokio::test]
async fn items_stay_separate_when_one_takes_over_the_link_of_the_other() {
    let mut fixture = IdentityFixture::new(&[("1", "https://a.example/a", RAIN, "Sun, 01 Mar")]).await;
    let shown = [("1", "https://a.example/b", RAIN, "Sun, 01 Mar"), ("2", "https://a.example/a", BANK, "Sun, 01 Mar")];
    fixture.shows(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.shows(&shown).await;
    assert_eq!(fixture.titles().await, [BANK, RAIN]);
    fixture.daemon.stop().await;
}

impl IdentityFixture {
    async fn forgets(&self, keep: RetentionPolicy) -> usize {
        let now = self.daemon.now();
        self.daemon.store.write(move |db| retention::delete_old_stories(db, keep, now)).await.unwrap()
    }
}

#[tokio::test]
async fn item_removed_for_its_age_is_not_stored_again_while_the_feed_contains_it() {
    let (rain, bank) = (("1", "https://a.example/rain", RAIN, ""), ("2", "https://a.example/bank", BANK, ""));
    let mut fixture = IdentityFixture::new(&[rain, bank]).await;
    let nothing_stays = RetentionPolicy { from: Timestamp::MAX, newest: 0 };
    assert_eq!(fixture.forgets(RetentionPolicy { from: Timestamp::MAX, newest: 2 }).await, 0, "the newest stay");
    assert_eq!(
        fixture.forgets(RetentionPolicy { from: fixture.daemon.now(), newest: 0 }).await,
        0,
        "nothing is old yet"
    );
    let story = fixture.daemon.stories().await.remove(0).id;
    assert_eq!(fixture.forgets(nothing_stays).await, 2);
    assert_eq!(fixture.forgets(nothing_stays).await, 0);
    let page = reqwest::get(format!("{}/stories/{story}", fixture.daemon.base)).await.unwrap();
    assert_eq!(page.status(), 404);
    let counts = fixture.daemon.store.read(newsfold::store::statistics::row_counts).await.unwrap();
    assert_eq!((counts.items, counts.stories), (0, 0));
    assert!(fixture.daemon.store.read(newsfold::store::damage).await.unwrap().is_empty());

    fixture.shows(&[rain, bank]).await;
    assert_eq!(fixture.titles().await.len(), 0, "under their guids");
    fixture.shows(&[("x1", "https://a.example/rain", RAIN, ""), bank]).await;
    assert_eq!(fixture.titles().await.len(), 0, "under another guid, by the link");
    // Shown each month, a tombstone lasts.
    for _ in 0..4 {
        fixture.daemon.advance(SignedDuration::from_hours(30 * 24));
        let now = fixture.daemon.now();
        fixture.daemon.store.write(move |db| tombstones::delete_expired(db, now)).await.unwrap();
        fixture.shows(&[rain]).await;
    }
    assert_eq!(fixture.titles().await.len(), 0);
    // The other one has not been shown for so long that nobody remembers it.
    fixture.shows(&[bank]).await;
    assert_eq!(fixture.titles().await, [BANK]);
    fixture.daemon.stop().await;
}
