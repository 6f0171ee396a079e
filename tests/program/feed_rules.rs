//! Tests rules for feeds: maximum age, number of outlets after a new selection, the time of the first entry, and the
//! date of an empty feed.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::rss;
use crate::support::test_daemon::{TestDaemon, run_next_poll};
use jiff::SignedDuration;
use newsfold::domain::{NewSource, SourceId};
use newsfold::publish::FeedOptions;

/// Three outlets' reports of one event, in different words.
const REPORTS: [&str; 3] = [
    "1 | Tanker runs aground off Cape Brennoc with forty sailors | Tugs try to free the tanker off Cape Brennoc",
    "2 | Forty sailors aboard tanker aground at Cape Brennoc | The tanker struck the reef of Cape Brennoc in fog",
    "3 | Tanker aground: forty sailors wait off Cape Brennoc | Helicopters stand by while tugs reach the Cape Brennoc reef",
];

fn feed_options(text: &str) -> FeedOptions {
    toml::from_str(text).unwrap()
}

/// A running daemon to which tests add sources.
struct Newsroom {
    daemon: TestDaemon,
    origin: OriginServer,
    sources: usize,
}

impl Newsroom {
    async fn start(daemon: TestDaemon) -> Newsroom {
        let mut daemon = daemon;
        daemon.start().await;
        Newsroom { daemon, origin: OriginServer::start().await, sources: 0 }
    }

    /// Adds a source for another outlet with this document, and polls it.
    async fn read(&mut self, document: String, publish_backlog: bool) -> SourceId {
        self.sources += 1;
        let path = format!("/{}", self.sources);
        self.origin.serve(&path, StubResponse::ok(document));
        let (url, outlet) = (self.origin.url(&path), format!("{}.example", self.sources));
        let source =
            self.daemon.add_unread_source(NewSource { url, outlet, publish_backlog, ..NewSource::default() }).await;
        run_next_poll(&self.daemon, source).await;
        source
    }

    async fn restart_with(&mut self, feeds: &[&str]) {
        self.daemon.stop().await;
        self.daemon.config.publish.feeds = feeds.iter().map(|feed| feed_options(feed)).collect();
        self.daemon.start().await;
        self.daemon.wait_until_idle().await;
    }

    /// Returns the title and the number of reports of each entry.
    async fn entries(&self, feed: &str) -> Vec<(String, usize)> {
        let feed: serde_json::Value =
            serde_json::from_str(&self.daemon.get(&format!("/feeds/{feed}.json")).await).unwrap();
        let entry = |item: &serde_json::Value| {
            let reports = item["_newsfold"]["reports"].as_array().unwrap().len();
            (item["title"].as_str().unwrap().to_owned(), reports)
        };
        feed["items"].as_array().unwrap().iter().map(entry).collect()
    }
}

/// Returns a document with items, each with its age in days.
fn dated(daemon: &TestDaemon, items: &[(&str, i64)]) -> String {
    let item = |(title, age): &(&str, i64)| {
        let at = daemon.now() - SignedDuration::from_hours(24 * age);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let guid = title.replace(' ', "-");
        format!("<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><pubDate>{date}</pubDate></item>")
    };
    let items: String = items.iter().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>News</title><language>en</language>{items}</channel></rss>")
}

#[tokio::test]
async fn maximum_age_counts_from_the_newest_entry_of_the_feed() {
    let mut daemon = TestDaemon::new();
    daemon.config.publish.feeds = vec![feed_options("name = \"week\"\nmax_age = \"7d\"\nlimit = 3")];
    let mut room = Newsroom::start(daemon).await;
    let today = dated(&room.daemon, &[("Wheat prices fall again", 0), ("Bishop blesses new bells", 2)]);
    room.read(today, true).await;
    // Last year's stories enter the feed after today's stories and exceed its limit.
    let titles =
        ["Otters return to Merrow", "Tunnel under Gant opens", "Actor buys a vineyard", "Comet seen over Pell"];
    let archive: Vec<(&str, i64)> = titles.iter().enumerate().map(|(n, title)| (*title, 300 + n as i64)).collect();
    let archive = dated(&room.daemon, &archive);
    room.read(archive, true).await;
    assert_eq!(room.entries("all").await.len(), 6);
    for feed in ["week", "week.stable"] {
        let titles: Vec<String> = room.entries(feed).await.into_iter().map(|(title, _)| title).collect();
        assert_eq!(titles, ["Wheat prices fall again", "Bishop blesses new bells"], "in {feed}");
    }
}

#[tokio::test]
async fn feed_that_is_added_later_shows_all_outlets_that_it_requires() {
    let mut room = Newsroom::start(TestDaemon::new()).await;
    for report in REPORTS {
        room.read(rss(&[report]), true).await;
    }
    // The third outlet does not cause an edition.
    assert_eq!(room.entries("all").await.iter().map(|(_, reports)| *reports).collect::<Vec<_>>(), [2]);
    let all = room.daemon.get("/feeds/all.atom").await;
    room.restart_with(&["name = \"three\"\nmin_outlets = 3"]).await;
    for feed in ["three", "three.stable"] {
        assert_eq!(room.entries(feed).await.iter().map(|(_, reports)| *reports).collect::<Vec<_>>(), [3], "in {feed}");
    }
    assert_eq!(room.daemon.get("/feeds/all.atom").await, all, "other feeds do not change");
    let before = room.daemon.get("/feeds/three.atom").await;
    room.restart_with(&["name = \"three\"\nmin_outlets = 3"]).await;
    assert_eq!(room.daemon.get("/feeds/three.atom").await, before);
}

#[tokio::test]
async fn feed_with_a_new_number_of_outlets_shows_that_number() {
    let mut daemon = TestDaemon::new();
    daemon.config.publish.feeds = vec![feed_options("name = \"desk\"\nmin_outlets = 2")];
    let mut room = Newsroom::start(daemon).await;
    for report in REPORTS {
        room.read(rss(&[report]), true).await;
    }
    room.read(rss(&["4 | Pianist of Orlo gives a concert in a mine | The mine of Orlo seats ninety"]), true).await;
    assert_eq!(room.entries("desk.stable").await.iter().map(|(_, reports)| *reports).collect::<Vec<_>>(), [2]);
    room.restart_with(&["name = \"desk\"\nmin_outlets = 3"]).await;
    for feed in ["desk", "desk.stable"] {
        assert_eq!(room.entries(feed).await.iter().map(|(_, reports)| *reports).collect::<Vec<_>>(), [3], "in {feed}");
    }
    room.restart_with(&["name = \"desk\"\nmin_outlets = 4"]).await;
    assert!(room.entries("desk").await.is_empty() && room.entries("desk.stable").await.is_empty());
}

#[tokio::test]
async fn story_without_a_delay_does_not_wait_for_the_next_regrouping() {
    let mut daemon = TestDaemon::new();
    daemon.config.cluster.recluster_interval = SignedDuration::from_hours(1);
    let mut room = Newsroom::start(daemon).await;
    // The clock does not move between the polls.
    for (count, report) in (1..).zip(["1 | Baker of Tull wins a regatta", "2 | Snow closes the road to Fenn"]) {
        room.read(rss(&[report]), true).await;
        assert_eq!(room.entries("all").await.len(), count);
    }
}

#[tokio::test]
async fn empty_feed_has_the_date_at_which_it_became_known() {
    let mut room = Newsroom::start(TestDaemon::new()).await;
    let first = "2026-03-01T12:00:00";
    let documents =
        ["/feeds/all.atom", "/feeds/all.rss", "/feeds/top.stable.atom", "/feeds/health.atom", "/search.atom?q=fog"];
    let mut before = Vec::new();
    for path in documents {
        let text = room.daemon.get(path).await;
        let date = if path.ends_with(".rss") { "Sun, 01 Mar 2026 12:00:00 +0000" } else { first };
        assert!(text.contains(date) && !text.contains("1970"), "{path}: {text}");
        before.push(text);
    }
    room.daemon.advance(SignedDuration::from_hours(30));
    room.restart_with(&["name = \"later\"\ntags = [\"none\"]"]).await;
    for (path, before) in documents.iter().zip(before) {
        assert_eq!(room.daemon.get(path).await, before, "{path} has the same bytes after a restart");
    }
    assert!(room.daemon.get("/feeds/later.atom").await.contains("2026-03-02T18:00:00"));
}

#[tokio::test]
async fn top_feed_ranks_stories_by_recent_reports_and_not_by_their_start() {
    let parade =
        "t4 | Veshna parade: Marshal Dorn steps off armoured train | Marshal Dorn waved from the armoured train";
    let train = [
        "t1 | Marshal Dorn arrives in Veshna by armoured train for parade | Marshal Dorn crossed the border into Veshna",
        "t2 | Armoured train brings Marshal Dorn to Veshna before parade | Marshal Dorn was met by the mayor of Veshna",
        "t3 | Marshal Dorn in Veshna: armoured train rolls in for parade | Marshal Dorn will watch the Veshna parade",
        parade,
    ];
    let mut daemon = TestDaemon::new();
    daemon.config.publish.hot_half_life = SignedDuration::from_hours(24);
    let origin = OriginServer::start().await;
    daemon.start().await;
    let add = async |daemon: &TestDaemon, report: &str, outlet: &str| {
        origin.serve(&format!("/{outlet}"), StubResponse::ok(rss(&[report])));
        let id = daemon.add_source(&origin.url(&format!("/{outlet}")), &format!("{outlet}.example")).await;
        daemon.wait_for_polls(id, 1).await;
    };
    add(&daemon, train[0], "a").await;
    add(&daemon, train[1], "b").await;
    daemon.advance(SignedDuration::from_hours(20));
    for (report, outlet) in [(train[2], "c"), (train[3], "d"), (REPORTS[0], "e"), (REPORTS[1], "f")] {
        add(&daemon, report, outlet).await;
    }
    daemon.advance(SignedDuration::from_hours(2));
    daemon.wait_until_idle().await;
    let sizes: Vec<usize> = daemon.stories().await.iter().map(|story| story.items.len()).collect();
    assert_eq!(sizes.len(), 2, "{sizes:?}");
    let position = |document: &str, text: &str| document.find(text).unwrap_or_else(|| panic!("{text}: {document}"));
    let top = daemon.get("/feeds/top.atom").await;
    assert!(
        position(&top, "armoured train") < position(&top, "Cape Brennoc"),
        "four outlets, two of them lately: {top}"
    );
    // A day later, one more outlet reports the other event.
    daemon.advance(SignedDuration::from_hours(22));
    add(&daemon, REPORTS[2], "g").await;
    daemon.advance(SignedDuration::from_hours(2));
    daemon.wait_until_idle().await;
    let top = daemon.get("/feeds/top.atom").await;
    assert!(position(&top, "Cape Brennoc") < position(&top, "armoured train"), "{top}");
    daemon.stop().await;
}
