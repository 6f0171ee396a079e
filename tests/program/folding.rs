//! Tests which stories of a storyline have entries in a feed, and which stories an entry lists.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::TestDaemon;
use crate::support::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{ConstraintId, ItemId, StoryId, Storyline};
use newsfold::publish::FeedOptions;
use newsfold::store::{ReadConnection, constraints, row_counts, stories, storyline_membership, storylines};

const DELAY: SignedDuration = SignedDuration::from_mins(10);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// One outlet's report of the event with which the storyline starts.
const CAPTURE: &str = "capture | Marshal Dorn captured at dawn in Veshna | Soldiers seized Marshal Dorn in his palace";
/// Reports on later developments, in different words.
const TANKER: [&str; 3] = [
    "1 | Tanker runs aground off Cape Brennoc with forty sailors | Tugs try to free the tanker off Cape Brennoc",
    "2 | Forty sailors aboard tanker aground at Cape Brennoc | The tanker struck the reef of Cape Brennoc in fog",
    "3 | Tanker aground: forty sailors wait off Cape Brennoc | Helicopters stand by while tugs reach the Cape Brennoc reef",
];

/// A daemon with a story that has an entry.
struct Newsroom {
    daemon: TestDaemon,
    origin: OriginServer,
    sources: usize,
    decision: Option<ConstraintId>,
}

impl Newsroom {
    async fn start() -> Newsroom {
        Newsroom::start_with("").await
    }

    /// Starts the daemon with settings of the section `[publish]`, and publishes a story.
    async fn start_with(options: &str) -> Newsroom {
        let mut room = Newsroom::start_empty(options).await;
        room.read(CAPTURE).await;
        room.publish().await;
        room
    }

    async fn start_empty(options: &str) -> Newsroom {
        let mut daemon = TestDaemon::new();
        daemon.config.publish = toml::from_str(options).unwrap();
        daemon.config.publish.delay = DELAY;
        daemon.config.publish.min_update_interval = HOUR;
        daemon.config.publish.probation = SignedDuration::ZERO;
        let each: FeedOptions = toml::from_str("name = \"each\"\nfold = \"stories\"").unwrap();
        let desk: FeedOptions = toml::from_str("name = \"desk\"").unwrap();
        daemon.config.publish.feeds.extend([each, desk]);
        daemon.start().await;
        Newsroom { daemon, origin: OriginServer::start().await, sources: 0, decision: None }
    }

    /// Adds an outlet with this report, and waits until the report is grouped.
    async fn read(&mut self, report: &str) {
        self.sources += 1;
        let path = format!("/{}", self.sources);
        self.origin.serve(&path, StubResponse::ok(rss(&[report])));
        self.daemon.add_source(&self.origin.url(&path), &format!("outlet{}.example", self.sources)).await;
        let count = self.sources as u64;
        wait_until("the report has a story", async || {
            let counts = self.daemon.store.read(row_counts::count).await.unwrap();
            counts.items == count && counts.unassigned == 0
        })
        .await;
    }

    /// Makes outlets report a tanker, and publishes the story in the storyline.
    async fn report_tanker(&mut self, outlets: usize) {
        self.group_tanker(outlets).await;
        self.publish().await;
    }

    /// Makes outlets report a tanker, and moves the story to the storyline before it is published.
    async fn group_tanker(&mut self, outlets: usize) {
        for report in &TANKER[..outlets] {
            self.read(report).await;
        }
        let now = self.daemon.now();
        let merge = move |db: &newsfold::store::WriteConnection| {
            let of_item = |item| storyline(db, story_of(db, ItemId(item)));
            Ok(constraints::merge_storylines(db, &of_item(1), &of_item(2), now)?.unwrap().constraint.id)
        };
        self.decision = Some(self.daemon.store.write(merge).await.unwrap());
    }

    async fn publish(&self) {
        self.daemon.advance(DELAY);
        self.daemon.wait_until_idle().await;
    }

    /// Returns the titles of the entries.
    async fn titles(&self, feed: &str) -> Vec<String> {
        let feed: serde_json::Value =
            serde_json::from_str(&self.daemon.get(&format!("/feeds/{feed}.json")).await).unwrap();
        let title = |item: &serde_json::Value| item["title"].as_str().unwrap().split(' ').next().unwrap().to_owned();
        feed["items"].as_array().unwrap().iter().map(title).collect()
    }
}

fn story_of(db: &ReadConnection, item: ItemId) -> StoryId {
    stories::story_of_item(db, item).unwrap().unwrap()
}

fn storyline(db: &ReadConnection, story: StoryId) -> Storyline {
    let id = storyline_membership::storyline_of(db, story).unwrap().unwrap();
    storylines::get(db, id).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_of_one_outlet_is_listed_in_the_entry_of_its_storyline_at_the_next_edition() {
    let mut room = Newsroom::start().await;
    room.report_tanker(1).await;
    assert_eq!(room.titles("all").await, ["Marshal"]);
    assert_eq!(room.titles("each").await.len(), 2);
    assert!(!room.daemon.get("/feeds/all.atom").await.contains("Tanker runs aground"));
    let stable = room.daemon.get("/feeds/all.stable.atom").await;
    room.daemon.advance(HOUR);
    room.daemon.wait_until_idle().await;
    assert_eq!(room.titles("all").await, ["Marshal"]);
    for format in ["atom", "rss", "json"] {
        let document = room.daemon.get(&format!("/feeds/all.{format}")).await;
        assert!(document.contains("Also in this storyline") && document.contains("Tanker runs aground"), "{document}");
        assert!(document.contains("/storylines/"), "{document}");
    }
    assert_eq!(room.daemon.get("/feeds/all.stable.atom").await, stable, "the stable variant does not change");
    let page = room.daemon.get("/feeds/all").await;
    let listed = page.split("Also in this storyline:").nth(1).unwrap_or_else(|| panic!("{page}"));
    assert!(listed.contains(">Tanker runs aground"), "the page shows what the feed shows: {listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_lists_a_story_only_if_a_feed_selects_it() {
    let exclude = "[[feeds]]\nname = \"all\"\nexclude_pattern = \"tanker\"";
    for (options, is_listed) in [("", true), ("[[mute]]\npattern = \"tanker\"", false), (exclude, true)] {
        let mut room = Newsroom::start_with(options).await;
        room.report_tanker(1).await;
        room.daemon.advance(HOUR);
        room.daemon.wait_until_idle().await;
        // All feeds show the same edition of a story, so the entry in `all` lists the stories that the feed `desk`
        // selects.
        for feed in ["all", "desk"] {
            let document = room.daemon.get(&format!("/feeds/{feed}.atom")).await;
            assert_eq!(document.contains("Tanker runs aground"), is_listed, "in {feed} with {options}: {document}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_entry_of_a_storyline_is_its_most_reported_story_and_lists_the_others_at_once() {
    let mut room = Newsroom::start_empty("").await;
    room.read(CAPTURE).await;
    // The tanker is due later than the capture, but within a tenth of the delay.
    room.daemon.advance(SignedDuration::from_secs(50));
    room.group_tanker(3).await;
    room.daemon.advance(DELAY - SignedDuration::from_secs(50));
    room.daemon.wait_until_idle().await;
    assert_eq!(room.titles("each").await.len(), 2, "both stories are published");
    for feed in ["all", "all.stable", "top"] {
        let titles = room.titles(feed).await;
        assert!(titles.len() == 1 && titles[0] != "Marshal", "in {feed}: {titles:?}");
        let document = room.daemon.get(&format!("/feeds/{feed}.atom")).await;
        assert!(
            document.contains("Also in this storyline") && document.contains("Marshal Dorn captured"),
            "{document}"
        );
    }
    let before = room.daemon.get("/feeds/all.atom").await;
    room.daemon.advance(HOUR);
    room.daemon.wait_until_idle().await;
    assert_eq!(room.daemon.get("/feeds/all.atom").await, before, "no further edition is due");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_development_of_three_outlets_gets_an_entry_that_names_the_other_one() {
    let mut room = Newsroom::start().await;
    room.report_tanker(3).await;
    assert_eq!(room.titles("all").await.len(), 2);
    assert_eq!(room.titles("all.stable").await.len(), 2);
    let document = room.daemon.get("/feeds/all.atom").await;
    assert!(document.contains("More on this") && !document.contains("Also in this storyline"), "{document}");
    let page = room.daemon.get("/feeds/all").await;
    assert!(page.contains("More on this:") && !page.contains("Also in this storyline"), "{page}");
    // The entry on the front page counts the outlets and the stories of the storyline.
    let front = room.daemon.get("/").await;
    assert!(front.contains(" outlets, 2\u{a0}stories</a>"), "{front}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_of_two_outlets_gets_an_entry_only_where_entries_cannot_change() {
    let mut room = Newsroom::start().await;
    room.report_tanker(2).await;
    assert_eq!(room.titles("all").await, ["Marshal"]);
    assert_eq!(room.titles("all.stable").await.len(), 2);
    let mut room = Newsroom::start().await;
    room.daemon.advance(SignedDuration::from_hours(49));
    room.report_tanker(2).await;
    assert_eq!(room.titles("all").await.len(), 2, "the storyline's entry is older than the update window");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_that_leaves_the_storyline_gets_an_entry() {
    let mut room = Newsroom::start().await;
    room.report_tanker(1).await;
    assert_eq!(room.titles("all").await, ["Marshal"]);
    let (decision, now) = (room.decision.unwrap(), room.daemon.now());
    room.daemon.store.write(move |db| constraints::undo(db, decision, now)).await.unwrap().unwrap();
    wait_until("the tanker has an entry", async || room.titles("all").await.len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_number_of_outlets_keeps_a_story_with_enough_outlets_in_both_variants() {
    let mut room = Newsroom::start().await;
    room.report_tanker(2).await;
    assert_eq!((room.titles("desk").await.len(), room.titles("desk.stable").await.len()), (1, 2));
    room.read(TANKER[2]).await;
    wait_until("the tanker has an entry", async || room.titles("desk").await.len() == 2).await;
    room.daemon.stop().await;
    room.daemon.config.publish.feeds[1].min_outlets = 3;
    room.daemon.start().await;
    room.daemon.wait_until_idle().await;
    for feed in ["desk", "desk.stable"] {
        let titles = room.titles(feed).await;
        assert!(titles.len() == 1 && titles[0] != "Marshal", "in {feed}: {titles:?}");
    }
}
