//! Items over time: whatever a source does to its guids, links, titles and dates, none is doubled and none is lost.

use crate::support::origin::{Answer, Origin};
use crate::support::world::{World, next_poll};
use jiff::SignedDuration;
use newsfold::domain::{ItemId, MatchedBy, ProblemKind, SourceId, Timestamp};
use newsfold::store::retention::{self, RetentionPolicy};
use newsfold::store::{items, tombstones};

/// An item as its source shows it: guid, link, title, date; what is empty is left out.
type Shown<'a> = (&'a str, &'a str, &'a str, &'a str);

fn feed(items: &[Shown<'_>]) -> Answer {
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
    Answer::ok(format!("<rss version=\"2.0\"><channel><title>N</title><language>en</language>{items}</channel></rss>"))
}

struct Scene {
    world: World,
    origin: Origin,
    source: SourceId,
}

impl Scene {
    async fn new(items: &[Shown<'_>]) -> Scene {
        let mut world = World::new();
        world.config.daemon.poll_retention = SignedDuration::from_hours(365 * 24);
        let origin = Origin::start().await;
        origin.serve("/feed", feed(items));
        let source = world.add(&origin.url("/feed"), "a.example").await;
        world.start().await;
        world.polled(source, 1).await;
        Scene { world, origin, source }
    }

    /// The source shows these items from now on, and is polled.
    async fn shows(&self, items: &[Shown<'_>]) {
        self.origin.serve("/feed", feed(items));
        next_poll(&self.world, self.source).await;
    }

    /// All items that are kept, by their titles.
    async fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        for story in self.world.stories().await {
            titles.extend(story.items.into_iter().map(|report| report.item.title));
        }
        titles.sort();
        titles
    }

    async fn rules(&self, title: &str) -> Vec<MatchedBy> {
        let stories = self.world.stories().await;
        let mut reports = stories.iter().flat_map(|story| &story.items);
        let id: ItemId = reports.find(|report| report.item.title == title).unwrap().item.id;
        let guids = self.world.store.read(move |db| items::rewritten_guids(db, id)).await.unwrap();
        guids.into_iter().map(|(_, rule)| rule).collect()
    }
}

const RAIN: &str = "Rain closes the mountain pass";
const BANK: &str = "Bank lifts its rates again";

#[tokio::test]
async fn a_source_that_rewrites_or_drops_all_its_guids_shows_the_same_items() {
    let (rain, bank) = ("https://a.example/rain", "https://a.example/bank");
    let mut scene = Scene::new(&[("1", rain, RAIN, "Sun, 01 Mar"), ("2", bank, BANK, "Sun, 01 Mar")]).await;
    scene.shows(&[("x1", rain, RAIN, "Sun, 01 Mar"), ("x2", bank, BANK, "Sun, 01 Mar")]).await;
    assert_eq!(scene.titles().await, [BANK, RAIN]);
    let problem = scene.world.polls(scene.source).await.remove(0).problems.remove(0);
    assert_eq!((problem.kind, problem.count), (ProblemKind::GuidsRewritten, 2));
    assert_eq!(problem.detail, "recognized: 2 by link");
    scene.shows(&[("", rain, RAIN, "Sun, 01 Mar"), ("", bank, BANK, "Sun, 01 Mar")]).await;
    assert_eq!(scene.titles().await, [BANK, RAIN]);
    assert_eq!(scene.rules(RAIN).await, [MatchedBy::Link, MatchedBy::Link]);
    scene.world.stop().await;
}

#[tokio::test]
async fn a_source_that_moves_to_other_guids_and_links_is_recognized_by_title_and_day() {
    let mut scene = Scene::new(&[
        ("1", "https://a.example/1", RAIN, "Sun, 01 Mar"),
        ("2", "https://a.example/2", BANK, ""),
        ("3", "https://a.example/3", "Briefing", "Sun, 01 Mar"),
    ])
    .await;
    scene
        .shows(&[
            ("x1", "https://new.example/1", RAIN, "Sun, 01 Mar"),
            ("x2", "https://new.example/2", BANK, ""),
            // A rubric's name says nothing, and the same headline days later is another item.
            ("x3", "https://new.example/3", "Briefing", "Sun, 01 Mar"),
            ("x4", "https://new.example/4", "Parliament votes on the budget", "Fri, 27 Feb"),
        ])
        .await;
    assert_eq!(scene.titles().await, [BANK, "Briefing", "Briefing", "Parliament votes on the budget", RAIN]);
    assert_eq!(scene.rules(RAIN).await, [MatchedBy::Title]);
    scene.shows(&[("y4", "https://new.example/44", "Parliament votes on the budget", "Tue, 24 Feb")]).await;
    assert_eq!(scene.titles().await.len(), 6, "the same headline three days earlier is another item");
    scene.world.stop().await;
}

#[tokio::test]
async fn two_items_of_one_title_in_one_document_stay_two() {
    let one = ("1", "https://a.example/1", "Live from the parliament today", "Sun, 01 Mar");
    let mut scene = Scene::new(&[one]).await;
    scene.shows(&[one, ("2", "https://a.example/2", "Live from the parliament today", "Sun, 01 Mar")]).await;
    assert_eq!(scene.titles().await.len(), 2);
    scene.shows(&[("2", "https://a.example/2", "Live from the parliament today", "Sun, 01 Mar"), one]).await;
    assert_eq!(scene.titles().await.len(), 2);
    scene.world.stop().await;
}

#[tokio::test]
async fn a_guid_that_all_items_share_is_no_ones() {
    let shown = [
        ("same", "https://a.example/rain", RAIN, "Sun, 01 Mar"),
        ("same", "https://a.example/bank", BANK, "Sun, 01 Mar"),
        ("same", "https://a.example/front", "First of the front page", "Sun, 01 Mar"),
        ("same", "https://a.example/front", "Second of the front page", "Sun, 01 Mar"),
        ("same", "https://a.example/rain", RAIN, "Sun, 01 Mar"),
    ];
    let mut scene = Scene::new(&shown).await;
    let expected = [BANK, "First of the front page", RAIN, "Second of the front page"];
    assert_eq!(scene.titles().await, expected);
    scene.shows(&shown).await;
    scene.shows(&shown[1..]).await;
    assert_eq!(scene.titles().await, expected, "polled again");
    scene.world.stop().await;
}

#[tokio::test]
async fn items_that_share_a_link_and_have_no_guid_are_all_kept() {
    let shown = [("", "https://a.example/", RAIN, "Sun, 01 Mar"), ("", "https://a.example/", BANK, "Sun, 01 Mar")];
    let mut scene = Scene::new(&shown).await;
    assert_eq!(scene.titles().await, [BANK, RAIN]);
    scene.shows(&shown).await;
    assert_eq!(scene.titles().await, [BANK, RAIN]);
    scene.world.stop().await;
}

#[tokio::test]
async fn what_is_purged_and_shown_again_or_redated_is_no_news() {
    let rain = ("1", "https://a.example/rain", RAIN, "Sun, 01 Mar");
    let mut scene = Scene::new(&[rain]).await;
    let before = scene.world.stories().await.remove(0);
    scene.shows(&[]).await;
    scene.shows(&[("1", "https://a.example/rain", "Pass closed by rain", "Mon, 02 Mar")]).await;
    let after = scene.world.stories().await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].id, &after[0].published), (before.id, &before.published));
    let (was, is) = (&before.items[0].item, &after[0].items[0].item);
    assert_eq!((is.id, is.ranked_at), (was.id, was.ranked_at));
    let id = is.id;
    let said = scene.world.store.read(move |db| items::revisions(db, id)).await.unwrap();
    assert_eq!(said[0].title, RAIN, "what it said before is kept");
    scene.world.stop().await;
}

#[tokio::test]
async fn an_item_whose_link_became_anothers_is_not_both() {
    let mut scene = Scene::new(&[("1", "https://a.example/a", RAIN, "Sun, 01 Mar")]).await;
    let shown = [("1", "https://a.example/b", RAIN, "Sun, 01 Mar"), ("2", "https://a.example/a", BANK, "Sun, 01 Mar")];
    scene.shows(&shown).await;
    assert_eq!(scene.titles().await, [BANK, RAIN]);
    scene.shows(&shown).await;
    assert_eq!(scene.titles().await, [BANK, RAIN]);
    scene.world.stop().await;
}

impl Scene {
    async fn forgets(&self, keep: RetentionPolicy) -> usize {
        let now = self.world.now();
        self.world.store.write(move |db| retention::delete_old_stories(db, keep, now)).await.unwrap()
    }
}

#[tokio::test]
async fn what_was_removed_for_its_age_and_is_still_shown_is_no_news() {
    let (rain, bank) = (("1", "https://a.example/rain", RAIN, ""), ("2", "https://a.example/bank", BANK, ""));
    let mut scene = Scene::new(&[rain, bank]).await;
    let nothing_stays = RetentionPolicy { from: Timestamp::MAX, newest: 0 };
    assert_eq!(scene.forgets(RetentionPolicy { from: Timestamp::MAX, newest: 2 }).await, 0, "the newest stay");
    assert_eq!(scene.forgets(RetentionPolicy { from: scene.world.now(), newest: 0 }).await, 0, "nothing is old yet");
    let story = scene.world.stories().await.remove(0).id;
    assert_eq!(scene.forgets(nothing_stays).await, 2);
    assert_eq!(scene.forgets(nothing_stays).await, 0);
    let page = reqwest::get(format!("{}/stories/{story}", scene.world.base)).await.unwrap();
    assert_eq!(page.status(), 404);
    let counts = scene.world.store.read(newsfold::store::statistics::row_counts).await.unwrap();
    assert_eq!((counts.items, counts.stories), (0, 0));
    assert!(scene.world.store.read(newsfold::store::damage).await.unwrap().is_empty());

    scene.shows(&[rain, bank]).await;
    assert_eq!(scene.titles().await.len(), 0, "under their guids");
    scene.shows(&[("x1", "https://a.example/rain", RAIN, ""), bank]).await;
    assert_eq!(scene.titles().await.len(), 0, "under another guid, by the link");
    // Shown each month, a tombstone lasts.
    for _ in 0..4 {
        scene.world.pass(SignedDuration::from_hours(30 * 24));
        let now = scene.world.now();
        scene.world.store.write(move |db| tombstones::delete_expired(db, now)).await.unwrap();
        scene.shows(&[rain]).await;
    }
    assert_eq!(scene.titles().await.len(), 0);
    // The other one has not been shown for so long that nobody remembers it.
    scene.shows(&[bank]).await;
    assert_eq!(scene.titles().await, [BANK]);
    scene.world.stop().await;
}
