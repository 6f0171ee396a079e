//! Tests editions of a growing story: when its entry changes, which properties of the entry never change, and which
//! feeds contain it.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::start_daemon;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll, run_next_poll_after, start_and_poll_once};
use crate::support::{rss, rss_of_today, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{
    CreatedStory, EditionReason, ItemMove, JoinEvidence, OutletProvenance, SourceEdit, SourceId, StoryId,
    StoryRegrouping,
};
use newsfold::store::feed_entries::{self, DocumentVersion};
use newsfold::store::retention::{self, RetentionPolicy};
use newsfold::store::{
    ReadConnection, WriteConnection, constraints, editions, feed_selections, item_revisions, sources, stories,
};
use reqwest::StatusCode;
use std::collections::HashMap;

/// Nine outlets' reports of one event. The words differ, because copies do not count as reports.
const REPORTS: [&str; 9] = [
    "Armoured train derails near Veshna bridge killing three | Three people died when an armoured train came off the \
     rails near the Veshna bridge on Tuesday morning",
    "Three dead as armoured train comes off rails at Veshna | Rescuers work beside the Veshna bridge, where an armoured \
     train left the track",
    "Veshna: armoured train derailment leaves three dead | Officials say that the train was crossing the Veshna bridge",
    "Armoured train crash at the Veshna bridge, three killed | The derailment closed the line across the river Veshna",
    "Derailed armoured train blocks Veshna bridge after three die | Cranes are on their way to the bridge at Veshna",
    "What we know of the armoured train that derailed at Veshna | Three were killed when the train left its rails by \
     the bridge",
    "Veshna bridge closed: armoured train derails, killing three | Engineers inspect the Veshna bridge after the \
     derailment of an armoured train",
    "Investigators at Veshna after armoured train derails | They look at the rails of the bridge, on which three died",
    "President visits Veshna bridge where armoured train derailed | Three people lost their lives as the armoured \
     train derailed",
];
const TITLE: &str = REPORTS[0];

/// A daemon with one source per outlet and one growing story.
struct GrowingStory {
    daemon: TestDaemon,
    origin: OriginServer,
    sources: Vec<SourceId>,
}

impl GrowingStory {
    async fn new(mut daemon: TestDaemon, outlets: usize) -> GrowingStory {
        let origin = OriginServer::start().await;
        let mut sources = Vec::new();
        // Reports of several days remain one story, regardless of the default threshold.
        daemon.config.cluster.threshold = 0.5;
        for n in 0..outlets {
            let path = format!("/{n}");
            origin.serve(&path, StubResponse::ok(rss(&[])));
            sources.push(daemon.add_source(&origin.url(&path), &format!("{n}.example")).await);
        }
        daemon.start().await;
        for id in &sources {
            run_next_poll(&daemon, *id).await;
        }
        GrowingStory { daemon, origin, sources }
    }

    /// Makes outlet `n` report the event, and polls it.
    async fn report(&self, n: usize) {
        self.publish_item(n, REPORTS[n]).await;
    }

    async fn publish_item(&self, n: usize, item: &str) {
        self.origin.serve(&format!("/{n}"), StubResponse::ok(rss(&[&format!("{n} | {item}")])));
        // A poll that was in progress when the document changed still reads the old document.
        for _ in 0..3 {
            run_next_poll_after(&self.daemon, self.sources[n], SignedDuration::from_mins(1)).await;
            let poll = self.daemon.polls(self.sources[n]).await.swap_remove(0);
            if poll.new_items + poll.changed_items > 0 {
                return;
            }
        }
        panic!("the item of outlet {n} was not read");
    }

    async fn pass(&self, time: SignedDuration) {
        self.daemon.advance(time);
        self.daemon.wait_until_idle().await;
    }

    async fn reasons(&self) -> Vec<(EditionReason, u32)> {
        let story = self.story().await;
        let all = self.daemon.store.read(move |db| editions::list_of_story(db, story)).await.unwrap();
        // Editions for a single feed, such as `top`, do not appear in other feeds.
        let all = all.into_iter().filter(|edition| edition.reason != EditionReason::Entered);
        all.map(|edition| (edition.reason, edition.outlet_count)).collect()
    }

    async fn story(&self) -> StoryId {
        let stories = self.daemon.stories().await;
        assert_eq!(stories.len(), 1, "the reports are one story: {stories:?}");
        stories[0].id
    }
}

/// Returns the number of outlets in the list of an entry. The line of the lead's outlet has no headline.
fn listed_outlets(feed: &str) -> usize {
    feed.matches(".example: ").count() + feed.matches(".example&lt;/a&gt;, ").count()
}

fn updated(feed: &str) -> Vec<&str> {
    feed.split("<updated>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect()
}

#[tokio::test]
async fn live_entry_changes_at_powers_of_two_and_the_stable_entry_never() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 9).await;
    growing.report(0).await;
    let stable = growing.daemon.get("/feeds/all.stable.atom").await;
    assert!(stable.contains("https://news.example/0") && !stable.contains("https://news.example/1"));
    let mut seen = vec![growing.daemon.get("/feeds/all.atom").await];
    for n in 1..9 {
        growing.report(n).await;
        let feed = growing.daemon.get("/feeds/all.atom").await;
        assert_eq!(feed.matches("<entry>").count(), 1);
        if *seen.last().unwrap() != feed {
            seen.push(feed);
        }
    }
    let outlets: Vec<usize> = seen.iter().map(|feed| listed_outlets(feed)).collect();
    assert_eq!(outlets, [0, 2, 4, 8], "an entry of one report has no list");
    assert!(seen.windows(2).all(|pair| updated(&pair[0]) < updated(&pair[1])), "each edition has a later date");
    let ids: std::collections::BTreeSet<&str> = seen.iter().map(|feed| feed.split("<id>").nth(2).unwrap()).collect();
    assert_eq!(ids.iter().map(|id| id.split('<').next()).collect::<std::collections::BTreeSet<_>>().len(), 1);
    assert_eq!(growing.daemon.get("/feeds/all.stable.atom").await, stable, "the stable feed is unchanged");
    growing.daemon.stop().await;
}

#[tokio::test]
async fn entry_changes_at_most_once_per_interval_and_not_after_the_update_window() {
    let mut daemon = TestDaemon::new();
    daemon.config.publish.min_update_interval = SignedDuration::from_mins(60);
    let mut growing = GrowingStory::new(daemon, 9).await;
    growing.report(0).await;
    // Polls are ten minutes apart, so all three occur within one hour.
    for n in 1..4 {
        growing.report(n).await;
    }
    assert_eq!(growing.reasons().await, [(EditionReason::First, 1)]);
    growing.pass(SignedDuration::from_mins(60)).await;
    assert_eq!(
        growing.reasons().await,
        [(EditionReason::First, 1), (EditionReason::Grown, 4)],
        "delayed changes become one edition"
    );
    // A fifth outlet does not cause an edition but keeps the story open. After two days without reports, the remaining
    // items would form a new story.
    growing.pass(SignedDuration::from_hours(24)).await;
    growing.report(4).await;
    growing.pass(SignedDuration::from_hours(25)).await;
    for n in 5..9 {
        growing.report(n).await;
    }
    growing.pass(SignedDuration::from_hours(2)).await;
    assert_eq!(growing.reasons().await.len(), 2, "the update window has passed");
    growing.daemon.stop().await;
}

#[tokio::test]
async fn corrected_headline_of_the_lead_makes_an_edition_and_of_others_does_not() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 2).await;
    growing.report(0).await;
    growing.report(1).await;
    let stable = growing.daemon.get("/feeds/all.stable.rss").await;
    growing.publish_item(1, &REPORTS[1].replace("Three dead", "Three people dead")).await;
    assert_eq!(growing.reasons().await.len(), 2);
    growing.publish_item(0, &TITLE.replace("killing three", "killing four")).await;
    assert_eq!(growing.reasons().await.last(), Some(&(EditionReason::Corrected, 2)));
    assert!(growing.daemon.get("/feeds/all.rss").await.contains("killing four"));
    assert_eq!(growing.daemon.get("/feeds/all.stable.rss").await, stable);
    growing.daemon.stop().await;
}

#[tokio::test]
async fn entry_has_the_enclosures_of_its_edition_in_every_format() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 1).await;
    let serve = |title: &str, file: &str| {
        let item = format!(
            "<item><guid isPermaLink=\"false\">1</guid><title>{title}</title><link>https://news.example/1</link>\
             <description>A walk along the quay</description>\
             <enclosure url=\"https://me:secret@files.example/{file}.mp3?a=1&amp;b=2\" type=\"audio/mpeg\" length=\"99\"/>\
             <enclosure url=\"ftp://files.example/{file}.ogg\"/></item>"
        );
        let feed = rss(&[]).replace("</channel>", &format!("{item}</channel>"));
        growing.origin.serve("/0", StubResponse::ok(feed));
    };
    serve("Harbour walk", "one");
    run_next_poll(&growing.daemon, growing.sources[0]).await;
    for (extension, expected) in [
        (
            "atom",
            "href=\"https://files.example/one.mp3?a=1&amp;b=2\" rel=\"enclosure\" type=\"audio/mpeg\" length=\"99\"",
        ),
        ("rss", "<enclosure url=\"https://files.example/one.mp3?a=1&amp;b=2\" length=\"99\" type=\"audio/mpeg\""),
        ("json", "\"url\": \"https://files.example/one.mp3?a=1&b=2\""),
    ] {
        for path in ["feeds/all".to_owned(), format!("stories/{}", growing.story().await)] {
            let feed = growing.daemon.get(&format!("/{path}.{extension}")).await;
            assert!(feed.contains(expected) && !feed.contains("ftp:"), "{path}: {feed}");
        }
    }
    let stable = growing.daemon.get("/feeds/all.stable.atom").await;
    serve("Harbour walk, second version", "two");
    run_next_poll_after(&growing.daemon, growing.sources[0], SignedDuration::from_mins(1)).await;
    let live = growing.daemon.get("/feeds/all.atom").await;
    assert!(live.contains("two.mp3") && !live.contains("one.mp3"), "{live}");
    assert_eq!(growing.daemon.get("/feeds/all.stable.atom").await, stable);
    growing.daemon.stop().await;
}

#[tokio::test]
async fn relative_time_in_a_text_changes_neither_the_entry_nor_the_item() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 1).await;
    let serve = |time: &str| {
        let item = format!(
            "1 | Ferry line reopens after the storm | Veröffentlicht {time} von Mia. Boats sail to all islands"
        );
        growing.origin.serve("/0", StubResponse::ok(rss(&[&item])));
    };
    serve("gerade eben");
    run_next_poll(&growing.daemon, growing.sources[0]).await;
    let feed = growing.daemon.get("/feeds/all.atom").await;
    for time in ["vor 10 Minuten", "vor einer Stunde", "gestern"] {
        serve(time);
        run_next_poll_after(&growing.daemon, growing.sources[0], SignedDuration::from_mins(1)).await;
        assert_eq!(growing.daemon.polls(growing.sources[0]).await[0].changed_items, 0, "{time}");
    }
    assert_eq!(growing.daemon.get("/feeds/all.atom").await, feed);
    let item = growing.daemon.stories().await[0].lead;
    let revisions = growing.daemon.store.read(move |db| item_revisions::revisions(db, item)).await.unwrap();
    assert!(revisions.is_empty(), "{revisions:?}");
    growing.daemon.stop().await;
}

#[tokio::test]
async fn merged_story_leaves_live_feeds_and_stays_in_stable_feeds() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 2).await;
    growing.publish_item(0, "Parliament passes the annual fisheries budget | The vote was ninety to four").await;
    growing.publish_item(1, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let [one, other] = &growing.daemon.stories().await[..] else { panic!("two stories") };
    let (one, other, now) = (one.clone(), other.clone(), growing.daemon.now());
    let merged = growing.daemon.store.write(move |db| constraints::merge_stories(db, &one, &other, now)).await.unwrap();
    merged.expect("they can be merged");
    growing.daemon.wait_until_idle().await;
    wait_until("the live feed has one entry", async || {
        growing.daemon.get("/feeds/all.atom").await.matches("<entry>").count() == 1
    })
    .await;
    assert_eq!(growing.daemon.get("/feeds/all.stable.atom").await.matches("<entry>").count(), 2);
    assert_eq!(growing.reasons().await.last(), Some(&(EditionReason::Merged, 2)));
    growing.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn link_and_title_change_together_when_the_report_is_split_off_and_stable_feeds_keep_theirs() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    cli.write_file(
        "config.toml",
        "[serve]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n\
         [cluster]\nrecluster_interval = \"0s\"\n[publish]\ndelay = \"0s\"\nmin_update_interval = \"0s\"\n",
    );
    for (n, report) in REPORTS[..2].iter().enumerate() {
        origin.serve(&format!("/{n}"), StubResponse::ok(rss_of_today(&[&format!("{n} | {report}")])));
        cli.run(&["source", "add", &origin.url(&format!("/{n}")), "--outlet", &format!("{n}.example")]);
    }
    let daemon = start_daemon(cli.folder.path(), "");
    let entries = async |variant: &str| -> Vec<serde_json::Value> {
        let feed = reqwest::get(format!("{}/feeds/all{variant}.json", daemon.base)).await.unwrap();
        let feed: serde_json::Value = serde_json::from_str(&feed.text().await.unwrap()).unwrap();
        feed["items"].as_array().unwrap().clone()
    };
    wait_until("both reports are in the entry", async || {
        matches!(&entries("").await[..], [entry] if entry["_newsfold"]["reports"].as_array().unwrap().len() == 2)
    })
    .await;
    let (live, stable) = (entries("").await.remove(0), entries(".stable").await.remove(0));
    assert_eq!((&live["title"], &live["url"]), (&stable["title"], &stable["url"]));
    assert_eq!(live["url"], "https://news.example/0");
    let story = cli.run_json(&["story", "list"])[0].clone();
    let lead = story["lead"].to_string();
    cli.run(&["story", "split", story["id"].as_str().unwrap(), &lead]);
    let entry =
        async |variant: &str| entries(variant).await.into_iter().find(|entry| entry["id"] == live["id"]).unwrap();
    wait_until("the entry has another link", async || entry("").await["url"] != live["url"]).await;
    let corrected = entry("").await;
    let title = REPORTS[1].split(" | ").next().unwrap();
    assert_eq!((corrected["title"].as_str(), corrected["url"].as_str()), (Some(title), Some("https://news.example/1")));
    assert_eq!(corrected["date_published"], live["date_published"]);
    assert_eq!(entry(".stable").await, stable);
    // A report that returns does not change the link back.
    cli.run(&["story", "undo", "1"]);
    wait_until("the entry has both reports", async || {
        entry("").await["_newsfold"]["reports"].as_array().unwrap().len() == 2
    })
    .await;
    assert_eq!((&entry("").await["url"], entry(".stable").await), (&corrected["url"], stable));
}

#[tokio::test]
async fn link_changes_when_its_report_is_removed_for_its_age() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 2).await;
    growing.report(0).await;
    growing.report(1).await;
    let stable = growing.daemon.get("/feeds/all.stable.json").await;
    let story = growing.daemon.stories().await.remove(0);
    let (id, lead, now) = (story.id, story.lead, growing.daemon.now());
    growing.daemon.stop().await;
    let store = growing.daemon.store.clone();
    store.write(move |db| constraints::split_story(db, &story, &[lead], now)).await.unwrap().unwrap();
    growing.daemon.advance(SignedDuration::from_hours(24 * 40));
    let now = growing.daemon.now();
    let sql = "UPDATE item SET first_seen_at = ?2 WHERE story_id = ?1";
    growing.daemon.open_sqlite().execute(sql, [id.to_row(), now.as_millisecond()]).unwrap();
    let keep = RetentionPolicy { from: now, newest: 0 };
    assert_eq!(store.write(move |db| retention::delete_old_stories(db, keep, now)).await.unwrap(), 1);
    growing.daemon.start().await;
    growing.daemon.wait_until_idle().await;
    let feed = growing.daemon.get("/feeds/all.json").await;
    let title = REPORTS[1].split(" | ").next().unwrap();
    assert!(feed.contains(title) && feed.contains("\"url\": \"https://news.example/1\""), "{feed}");
    assert_eq!(growing.daemon.get("/feeds/all.stable.json").await, stable);
    growing.daemon.stop().await;
}

#[tokio::test]
async fn removing_the_story_of_a_former_lead_keeps_the_story() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 2).await;
    growing.publish_item(0, "Parliament passes the annual fisheries budget | The vote was ninety to four").await;
    growing.publish_item(1, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let stories = growing.daemon.stories().await;
    let older = stories.iter().min_by_key(|story| story.created_at).unwrap().clone();
    let newer = stories.iter().max_by_key(|story| story.created_at).unwrap().clone();
    let (stays, gone, now) = (older.id, newer.id, growing.daemon.now());
    let write = &growing.daemon.store;
    write.write(move |db| constraints::merge_stories(db, &older, &newer, now)).await.unwrap().unwrap();
    growing.daemon.wait_until_idle().await;
    growing.daemon.advance(SignedDuration::from_hours(1));
    let from = growing.daemon.now();
    growing
        .publish_item(0, "Parliament passes the annual fisheries budget at last | The vote was ninety to four")
        .await;
    growing.daemon.stop().await;
    // Before the merge is undone, the item moves to a third story.
    let merged = growing.daemon.stories().await.remove(0);
    let item = merged.items.iter().find(|report| report.item.id != merged.lead).unwrap().item.clone();
    let split = move |db: &WriteConnection| {
        let (story, item) = (stories::mint_id(db, &item, |_| false)?, item.id);
        let moved = ItemMove { item, from: stays, into: story, copy_of: None, evidence: JoinEvidence::default() };
        let created = vec![CreatedStory { story, first_item: item }];
        stories::apply_regrouping(db, &StoryRegrouping { created, moved: vec![moved], merged: Vec::new() }, now)
    };
    let write = &growing.daemon.store;
    write.write(split).await.unwrap();
    let (keep, now) = (RetentionPolicy { from, newest: 0 }, growing.daemon.now());
    assert_eq!(write.write(move |db| retention::delete_old_stories(db, keep, now)).await.unwrap(), 1);
    let left: Vec<StoryId> = growing.daemon.stories().await.iter().map(|story| story.id).collect();
    assert_eq!(left, [stays]);
    let redirect = write.read(move |db| stories::get(db, gone)).await.unwrap().expect("it redirects");
    assert_eq!(redirect.merged_into, Some(stays));
}

#[tokio::test]
async fn feed_that_already_shows_the_report_does_not_change() {
    let mut daemon = feeds("feeds = [{ name = \"two\", min_outlets = 2 }]");
    daemon.config.publish.min_update_interval = SignedDuration::from_mins(60);
    let mut growing = GrowingStory::new(daemon, 3).await;
    growing.report(0).await;
    growing.report(1).await;
    let two = growing.daemon.get("/feeds/two.atom").await;
    assert_eq!(listed_outlets(&two), 2);
    assert!(!growing.daemon.get("/feeds/all.atom").await.contains("1.example: "));
    growing.pass(SignedDuration::from_mins(90)).await;
    assert!(growing.daemon.get("/feeds/all.atom").await.contains("1.example: "), "other feeds change");
    assert_eq!(growing.daemon.get("/feeds/two.atom").await, two);
    growing.daemon.stop().await;
}

fn feeds(text: &str) -> TestDaemon {
    let mut daemon = TestDaemon::new();
    daemon.config.publish = toml::from_str(text).unwrap();
    daemon.config.publish.delay = SignedDuration::ZERO;
    daemon.config.publish.min_update_interval = SignedDuration::ZERO;
    daemon
}

#[tokio::test]
async fn story_enters_a_feed_when_it_matches_and_shows_its_state_of_that_time() {
    let mut growing = GrowingStory::new(feeds("feeds = [{ name = \"three\", min_outlets = 3 }]"), 5).await;
    for n in 0..2 {
        growing.report(n).await;
    }
    assert!(!growing.daemon.get("/feeds/three.atom").await.contains("<entry>"));
    growing.report(2).await;
    let three = growing.daemon.get("/feeds/three.stable.atom").await;
    assert_eq!(listed_outlets(&three), 3, "{three}");
    let all = growing.daemon.get("/feeds/all.atom").await;
    assert_eq!(
        listed_outlets(&all),
        2,
        "three outlets are not a power of two, so the feed of all stories does not change"
    );
    growing.report(3).await;
    assert_eq!(listed_outlets(&growing.daemon.get("/feeds/three.atom").await), 4);
    assert_eq!(growing.daemon.get("/feeds/three.stable.atom").await, three);
    growing.daemon.stop().await;
}

#[tokio::test]
async fn queries_include_and_exclude_and_a_new_configuration_applies_to_existing_stories() {
    let mut growing = GrowingStory::new(
        feeds("feeds = [{ name = \"ash\", query = \"ash OR fisheries\", exclude_query = \"karsk\" }]"),
        2,
    )
    .await;
    growing.publish_item(0, "Parliament passes the annual fisheries budget | The vote was ninety to four").await;
    growing.publish_item(1, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let feed = growing.daemon.get("/feeds/ash.json").await;
    assert!(feed.contains("fisheries") && !feed.contains("Karsk"), "{feed}");
    growing.daemon.stop().await;
    growing.daemon.config.publish.feeds[0].exclude_query = None;
    growing.daemon.start().await;
    growing.daemon.wait_until_idle().await;
    let feed = growing.daemon.get("/feeds/ash.json").await;
    assert!(feed.contains("fisheries") && feed.contains("Karsk"), "{feed}");
    // If a source gets a tag, its stories enter the feeds that select this tag.
    growing.daemon.stop().await;
    growing.daemon.config.publish.feeds[0].query = None;
    growing.daemon.config.publish.feeds[0].tags = vec!["nature".into()];
    growing.daemon.start().await;
    growing.daemon.wait_until_idle().await;
    assert!(!growing.daemon.get("/feeds/ash.json").await.contains("Karsk"));
    let (id, edit) =
        (growing.sources[1], newsfold::domain::SourceEdit { tags: Some(vec!["nature".into()]), ..Default::default() });
    let now = growing.daemon.now();
    growing.daemon.store.write(move |db| sources::edit(db, id, &edit, now)).await.unwrap();
    growing.daemon.wait_until_idle().await;
    assert!(growing.daemon.get("/feeds/ash.json").await.contains("Karsk"));
    growing.daemon.stop().await;
}

#[tokio::test]
async fn outlet_of_a_source_affects_feeds_only_if_stories_contain_its_items() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 1).await;
    growing.report(0).await;
    let new = growing.daemon.add_source(&growing.origin.url("/new"), "new.example").await;
    growing.daemon.wait_for_polls(new, 1).await;
    growing.daemon.wait_until_idle().await;
    growing.daemon.stop().await;
    let feeds = growing.daemon.config.publish.published_feeds();
    for (source, outdated) in [(new, 0), (growing.sources[0], feeds.len())] {
        let (feeds, now) = (feeds.clone(), growing.daemon.now());
        let outlet = Some(("other.example".to_owned(), OutletProvenance::Site));
        let change = move |db: &WriteConnection| {
            sources::edit(db, source, &SourceEdit { outlet, ..SourceEdit::default() }, now)?;
            feed_selections::count_outdated(db, &feeds)
        };
        assert_eq!(growing.daemon.store.write(change).await.unwrap(), outdated, "{source:?}");
    }
}

#[tokio::test]
async fn new_outlet_name_is_on_pages_and_makes_no_edition() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 2).await;
    growing.report(0).await;
    growing.report(1).await;
    growing.pass(SignedDuration::from_hours(2)).await;
    let (before, feed) = (growing.reasons().await, growing.daemon.get("/feeds/all.atom").await);
    let (id, now) = (growing.sources[0], growing.daemon.now());
    let edit = newsfold::domain::SourceEdit { outlet_name: Some("The Quay Courier".into()), ..Default::default() };
    growing.daemon.store.write(move |db| sources::edit(db, id, &edit, now)).await.unwrap();
    growing.pass(SignedDuration::from_hours(2)).await;
    let page = growing.daemon.get(&format!("/stories/{}", growing.story().await)).await;
    assert!(page.contains("The Quay Courier") && page.contains("1.example"), "{page}");
    assert_eq!(growing.reasons().await, before);
    assert_eq!(growing.daemon.get("/feeds/all.atom").await, feed);
    growing.daemon.stop().await;
}

#[tokio::test]
async fn archive_pages_contain_older_entries_and_never_change() {
    let mut growing = GrowingStory::new(feeds("feeds = [{ name = \"two\", limit = 2 }]"), 1).await;
    let titles = [
        "Parliament passes the annual fisheries budget",
        "Volcano erupts beside the Karsk observatory",
        "Orchestra cancels its tour of the northern islands",
        "Striker Danilo transferred for a record sum",
        "Physicists weigh the lightest neutrino yet",
    ];
    for (n, title) in titles.iter().enumerate() {
        growing.origin.serve("/0", StubResponse::ok(rss(&[&format!("{n} | {title}")])));
        run_next_poll(&growing.daemon, growing.sources[0]).await;
    }
    let get = async |path: &str| growing.daemon.get(path).await;
    let current = get("/feeds/two.atom").await;
    assert!(current.contains(titles[4]) && current.contains(titles[3]) && !current.contains(titles[2]));
    assert!(current.contains("rel=\"prev-archive\"") && current.contains("/feeds/two.archive-2-2.atom"));
    let second = get("/feeds/two.archive-2-2.atom").await;
    assert!(second.contains(titles[3]) && second.contains(titles[2]) && second.contains("two.archive-2-1.atom"));
    let first = get("/feeds/two.archive-2-1.rss").await;
    assert!(first.contains(titles[0]) && first.contains(titles[1]) && !first.contains("prev-archive"), "{first}");
    assert!(first.contains("two.archive-2-2.rss"), "the link to the next page: {first}");
    let status = async |path: &str| reqwest::get(format!("{}{path}", growing.daemon.base)).await.unwrap().status();
    for none in [
        "/feeds/two.archive-2-3.atom",
        "/feeds/two.archive-2-0.atom",
        "/feeds/two.archive-2-01.atom",
        "/feeds/two.archive-3-1.atom",
        "/feeds/two.archive-1.atom",
    ] {
        assert_eq!(status(none).await, StatusCode::NOT_FOUND, "{none}");
    }
    growing.daemon.stop().await;
}

/// Returns the path and the version of each document of the feeds.
async fn document_versions(daemon: &TestDaemon) -> Vec<(String, DocumentVersion)> {
    let feeds = daemon.config.publish.published_feeds();
    let read = move |db: &ReadConnection| {
        let mut versions = Vec::new();
        for feed in &feeds {
            versions.push((format!("/feeds/{}", feed.name), feed_entries::current_version(db, feed)?));
            for page in feed_entries::archive_page_numbers(db, feed)? {
                let path = format!("/feeds/{}.archive-{}-{page}", feed.name, feed.selection.limit);
                versions.push((path, feed_entries::archive_page_version(db, feed, page)?));
            }
        }
        Ok(versions)
    };
    daemon.store.read(read).await.unwrap()
}

#[tokio::test]
async fn documents_with_equal_versions_are_equal_and_a_change_does_not_affect_other_feeds() {
    let feeds = feeds(
        "feeds = [{ name = \"two\", limit = 2 }, { name = \"three\", min_outlets = 3 }, { name = \"none\", tags = [\"x\"] }]",
    );
    let mut growing = GrowingStory::new(feeds, 4).await;
    let mut known: HashMap<(String, String), String> = HashMap::new();
    for n in 0..4 {
        growing.report(n).await;
        growing.publish_item(n, &format!("Unrelated event number {n} happens in town {n}")).await;
        let mut documents = Vec::new();
        wait_until("no document changes while all are read", async || {
            growing.daemon.wait_until_idle().await;
            documents.clear();
            let versions = document_versions(&growing.daemon).await;
            for (path, version) in &versions {
                let document = growing.daemon.get(&format!("{path}.atom")).await;
                documents.push(((path.clone(), format!("{version:?}")), document));
            }
            versions == document_versions(&growing.daemon).await
        })
        .await;
        for (key, document) in documents {
            assert_eq!(known.entry(key.clone()).or_insert_with(|| document.clone()), &document, "{key:?}");
        }
    }
    let versions = |of: &str| known.keys().filter(|(path, _)| path == of).count();
    assert_eq!((versions("/feeds/all"), versions("/feeds/none")), (4, 1), "{:?}", known.keys());
    assert!(versions("/feeds/three") <= 3, "the story enters the feed at three outlets: {:?}", known.keys());
    assert!(versions("/feeds/two.archive-2-1") > 1, "the story on the first page grows: {:?}", known.keys());
    assert!(versions("/feeds/two.archive-2-2") <= 2, "the page gets a next page: {:?}", known.keys());
    growing.daemon.stop().await;
}

#[tokio::test]
async fn top_feed_omits_stories_of_one_outlet() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 3).await;
    growing.report(0).await;
    growing.report(1).await;
    growing.publish_item(2, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let top = growing.daemon.get("/feeds/top.atom").await;
    assert!(top.contains("Veshna") && !top.contains("Karsk"), "a story of one outlet is not a top story: {top}");
    growing.daemon.stop().await;
}

#[tokio::test]
async fn private_feed_requires_its_token() {
    let mut growing = GrowingStory::new(feeds("feeds = [{ name = \"desk\", private = true }]"), 1).await;
    growing.report(0).await;
    let token = async || {
        let name = "desk".to_owned();
        growing
            .daemon
            .store
            .read(move |db| newsfold::store::feed_tokens::find(db, &name))
            .await
            .unwrap()
            .expect("a token")
    };
    let status = async |query: &str| {
        let answer = reqwest::get(format!("{}/feeds/desk.atom{query}", growing.daemon.base)).await.unwrap();
        (answer.status(), answer.headers().get("cache-control").map(|v| v.to_str().unwrap().to_owned()))
    };
    let first = token().await;
    for wrong in ["", "?token=", "?token=x", &format!("?token={}", "0".repeat(first.len())), "?token=%ff&token=1"] {
        assert_eq!(status(wrong).await.0, StatusCode::NOT_FOUND, "{wrong}");
    }
    let (found, kept) = status(&format!("?token={first}")).await;
    assert_eq!(found, StatusCode::OK);
    assert!(kept.unwrap().starts_with("private"), "shared caches do not store it");
    let feed = growing.daemon.get(&format!("/feeds/desk.atom?token={first}")).await;
    assert!(feed.contains("Veshna") && feed.contains(&format!("/feeds/desk.atom?token={first}")), "{feed}");
    assert!(!growing.daemon.get("/").await.contains("desk.atom"), "no page links to it");
    growing.daemon.stop().await;
}

#[tokio::test]
async fn words_inside_runs_of_chinese_and_japanese_are_found_by_pages_searches_and_feeds() {
    let options = "feeds = [{ name = \"storm\", query = \"台風 OR 洪水\", exclude_query = \"訓練\" }]";
    let mut growing = GrowingStory::new(feeds(options), 2).await;
    growing.publish_item(0, "大型台風が港町に接近 | 気象台は高潮に警戒を呼びかけた").await;
    growing.publish_item(1, "市立学校で洪水の避難訓練 | 児童ら二百人が参加した").await;
    for (typed, is_storm, is_drill) in [("高潮", true, false), ("避難", false, true), ("港", true, false)] {
        for path in ["/?q=", "/search.json?q="] {
            let found = growing.daemon.get(&format!("{path}{typed}")).await;
            assert_eq!((found.contains("大型台風"), found.contains("市立学校")), (is_storm, is_drill), "{path}{typed}");
        }
    }
    let feed = growing.daemon.get("/feeds/storm.json").await;
    assert!(feed.contains("大型台風") && !feed.contains("市立学校"), "{feed}");
    growing.daemon.stop().await;
}

#[tokio::test]
async fn stories_and_searches_have_feeds() {
    let mut growing = GrowingStory::new(TestDaemon::new(), 2).await;
    growing.report(0).await;
    growing.report(1).await;
    let story = growing.story().await;
    for extension in ["atom", "rss", "json"] {
        let feed = growing.daemon.get(&format!("/stories/{story}.{extension}")).await;
        let link = feed.matches("https://news.example/").count();
        assert!(link >= 2, "each item has a link: {feed}");
        let found = growing.daemon.get(&format!("/search.{extension}?q=veshna%20bridge")).await;
        assert!(found.contains(&format!("/search.{extension}?q=veshna+bridge")), "its own URL: {found}");
        assert!(found.contains("Armoured train"), "{found}");
        let none = growing.daemon.get(&format!("/search.{extension}?q=volcano")).await;
        assert!(!none.contains("Armoured train"), "{none}");
    }
    let hostile = "/search.atom?q=%22%29%20OR%20NEAR%28%3C%2Ftitle%3E%00";
    assert!(!growing.daemon.get(hostile).await.contains("<title></title>"));
    growing.daemon.stop().await;
}

#[tokio::test]
async fn feed_of_a_search_omits_muted_stories_and_its_page_lists_them() {
    let mut growing = GrowingStory::new(feeds("mute = [{ pattern = \"festival\" }]"), 2).await;
    growing.publish_item(0, "Harbour festival draws a crowd | The boats were lit all night").await;
    growing.publish_item(1, "Harbour crane collapses | Two workers were hurt at the quay").await;
    for extension in ["atom", "rss", "json"] {
        let feed = growing.daemon.get(&format!("/search.{extension}?q=harbour")).await;
        assert!(feed.contains("crane collapses") && !feed.contains("festival draws"), "{feed}");
    }
    let page = growing.daemon.get("/?q=harbour").await;
    assert!(page.contains("crane collapses") && page.contains("festival draws"), "{page}");
    growing.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_sees_what_a_feed_contains_and_why() {
    let cli = CliRunner::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss_of_today(&[&format!("1 | {TITLE}")])));
    cli.write_file(
        "config.toml",
        "[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n[cluster]\nrecluster_interval = \"0s\"\n[publish]\n\
         delay = \"0s\"\nfeeds = [{ name = \"two\", min_outlets = 2 }, { name = \"desk\", private = true }]\n",
    );
    cli.run(&["source", "add", &origin.url("/feed")]);
    let shown = cli.run(&["feed", "show", "two"]);
    assert!(shown.contains("at least 2 outlets") && shown.contains("feeds/two.stable.json"), "{shown}");
    let story = cli.run_json(&["story", "list"])[0]["id"].as_str().unwrap().to_owned();
    let why = cli.run(&["feed", "explain", "two", &story]);
    assert!(why.contains("not in the feed") && why.contains("✗ at least 2 outlets; the story has 1"), "{why}");
    let why = cli.run(&["feed", "explain", "all", &story]);
    assert!(why.contains("in the feed since") && why.contains("✓ published"), "{why}");
    assert!(cli.run(&["feed", "preview", "all"]).contains("Armoured train"));
    assert!(!cli.run(&["feed", "list"]).contains("token="));
    let first = cli.run(&["feed", "token", "desk"]);
    assert_eq!(first, cli.run(&["feed", "token", "desk"]));
    let second = cli.run(&["feed", "token", "desk", "--rotate"]);
    assert!(second.contains("has been revoked") && !second.contains(first.lines().next().unwrap()));
    cli.assert_fails(&["feed", "token", "two"], "is public");
    cli.assert_fails(&["feed", "show", "none"], "newsfold feed list");
}

#[tokio::test(flavor = "multi_thread")]
async fn edition_shares_its_text_with_its_lead_until_the_lead_changes() {
    let feed = |text: &str| {
        let item = format!(
            "<item><guid>1</guid><title>Storm closes ports</title><link>https://a.example/1</link>\
             <description>{text}</description><author>Ann Reed</author><enclosure url=\"https://a.example/1.mp3\" \
             length=\"9\" type=\"audio/mpeg\"/></item>"
        );
        StubResponse::ok(format!("<rss version=\"2.0\"><channel><title>A</title>{item}</channel></rss>"))
    };
    let (mut daemon, origin, id) = start_and_poll_once(feed("Ferries stay in port &amp;amp; wait")).await;
    let story = daemon.stories().await[0].id;
    let list = async || daemon.store.read(move |db| editions::list_of_story(db, story)).await.unwrap();
    let stored = |key: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM edition WHERE number = 1 AND json_type(text, '{key}') IS NOT NULL");
        daemon.open_sqlite().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let first = list().await.remove(0);
    assert_eq!(first.text.summary, "Ferries stay in port & wait");
    assert_eq!(first.text.content.as_deref(), Some("Ferries stay in port &amp; wait"));
    assert_eq!(first.text.reports[0].url.as_deref(), Some("https://a.example/1"));
    assert_eq!(first.text.enclosures.len(), 1);
    let shared = ["$.title", "$.link", "$.summary", "$.content", "$.author", "$.enclosures", "$.reports[0].url"];
    assert_eq!(shared.map(stored), [0; 7], "the database stores these once");

    origin.serve("/feed", feed("All ferries sail again"));
    run_next_poll(&daemon, id).await;
    let later = list().await;
    assert_eq!(later[0], first);
    assert_eq!(later.last().unwrap().text.summary, "All ferries sail again");
    assert_eq!(shared.map(stored), [1; 7]);
    daemon.stop().await;
}
