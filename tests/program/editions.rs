//! What readers are given of a growing story: when it changes, what never changes, and which feeds hold it.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Origin};
use crate::support::world::{World, next_poll, poll_after};
use crate::support::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{CreatedStory, EditionReason, ItemMove, JoinEvidence, SourceId, StoryId, StoryRegrouping};
use newsfold::store::retention::{self, RetentionPolicy};
use newsfold::store::{WriteConnection, constraints, editions, sources, stories};
use reqwest::StatusCode;

/// One event in the words of nine outlets; the same words would be copies, which are no further outlets.
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

/// A world in which one story grows: so many outlets, of which the first reports at once.
struct Growing {
    world: World,
    origin: Origin,
    sources: Vec<SourceId>,
}

impl Growing {
    async fn new(mut world: World, outlets: usize) -> Growing {
        let origin = Origin::start().await;
        let mut sources = Vec::new();
        for n in 0..outlets {
            let path = format!("/{n}");
            origin.serve(&path, Answer::ok(rss(&[])));
            sources.push(world.add(&origin.url(&path), &format!("{n}.example")).await);
        }
        world.start().await;
        for id in &sources {
            next_poll(&world, *id).await;
        }
        Growing { world, origin, sources }
    }

    /// Another outlet reports, and is polled.
    async fn report(&self, n: usize) {
        self.says(n, REPORTS[n]).await;
    }

    async fn says(&self, n: usize, item: &str) {
        self.origin.serve(&format!("/{n}"), Answer::ok(rss(&[&format!("{n} | {item}")])));
        poll_after(&self.world, self.sources[n], SignedDuration::from_mins(1)).await;
    }

    async fn pass(&self, time: SignedDuration) {
        self.world.pass(time);
        self.world.settled().await;
    }

    async fn causes(&self) -> Vec<(EditionReason, u32)> {
        let story = self.story().await;
        let all = self.world.store.read(move |db| editions::list_of_story(db, story)).await.unwrap();
        // Those for one feed alone, such as `top`, are no news to others.
        let all = all.into_iter().filter(|edition| edition.cause != EditionReason::Entered);
        all.map(|edition| (edition.cause, edition.outlets)).collect()
    }

    async fn story(&self) -> StoryId {
        let stories = self.world.stories().await;
        assert_eq!(stories.len(), 1, "the reports are one story: {stories:?}");
        stories[0].id
    }
}

fn updated(feed: &str) -> Vec<&str> {
    feed.split("<updated>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect()
}

#[tokio::test]
async fn an_entry_changes_at_powers_of_two_and_stays_as_it_was_in_the_stable_feed() {
    let mut growing = Growing::new(World::new(), 9).await;
    growing.report(0).await;
    let stable = growing.world.get("/feeds/all.stable.atom").await;
    assert!(stable.contains("0.example") && !stable.contains("1.example"));
    let mut seen = vec![growing.world.get("/feeds/all.atom").await];
    for n in 1..9 {
        growing.report(n).await;
        let feed = growing.world.get("/feeds/all.atom").await;
        assert_eq!(feed.matches("<entry>").count(), 1);
        if *seen.last().unwrap() != feed {
            seen.push(feed);
        }
    }
    let outlets: Vec<usize> = seen.iter().map(|feed| feed.matches(".example, 20").count()).collect();
    assert_eq!(outlets, [1, 2, 4, 8]);
    assert!(seen.windows(2).all(|pair| updated(&pair[0]) < updated(&pair[1])), "each has a later date");
    let ids: std::collections::BTreeSet<&str> = seen.iter().map(|feed| feed.split("<id>").nth(2).unwrap()).collect();
    assert_eq!(ids.iter().map(|id| id.split('<').next()).collect::<std::collections::BTreeSet<_>>().len(), 1);
    assert_eq!(growing.world.get("/feeds/all.stable.atom").await, stable, "the stable feed stays as it was");
    growing.world.stop().await;
}

#[tokio::test]
async fn an_entry_changes_at_most_once_an_hour_and_not_after_two_days() {
    let mut world = World::new();
    world.config.publish.pause = SignedDuration::from_mins(60);
    let mut growing = Growing::new(world, 9).await;
    growing.report(0).await;
    // Polls are ten minutes apart, so that all of this is within the hour.
    for n in 1..4 {
        growing.report(n).await;
    }
    assert_eq!(growing.causes().await, [(EditionReason::First, 1)]);
    growing.pass(SignedDuration::from_mins(60)).await;
    assert_eq!(
        growing.causes().await,
        [(EditionReason::First, 1), (EditionReason::Grown, 4)],
        "what waited is told as one"
    );
    // A fifth outlet is no edition, and keeps the story alive: after two silent days the rest would be another one.
    growing.pass(SignedDuration::from_hours(24)).await;
    growing.report(4).await;
    growing.pass(SignedDuration::from_hours(25)).await;
    for n in 5..9 {
        growing.report(n).await;
    }
    growing.pass(SignedDuration::from_hours(2)).await;
    assert_eq!(growing.causes().await.len(), 2, "it is frozen");
    growing.world.stop().await;
}

#[tokio::test]
async fn a_corrected_headline_is_an_edition_and_what_others_correct_is_none() {
    let mut growing = Growing::new(World::new(), 2).await;
    growing.report(0).await;
    growing.report(1).await;
    let stable = growing.world.get("/feeds/all.stable.rss").await;
    growing.says(1, &REPORTS[1].replace("Three dead", "Three people dead")).await;
    assert_eq!(growing.causes().await.len(), 2);
    growing.says(0, &TITLE.replace("killing three", "killing four")).await;
    assert_eq!(growing.causes().await.last(), Some(&(EditionReason::Corrected, 2)));
    assert!(growing.world.get("/feeds/all.rss").await.contains("killing four"));
    assert_eq!(growing.world.get("/feeds/all.stable.rss").await, stable);
    growing.world.stop().await;
}

#[tokio::test]
async fn a_story_that_is_merged_away_leaves_live_feeds_and_stays_in_stable_ones() {
    let mut growing = Growing::new(World::new(), 2).await;
    growing.says(0, "Parliament passes the annual fisheries budget | The vote was ninety to four").await;
    growing.says(1, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let [one, other] = &growing.world.stories().await[..] else { panic!("two stories") };
    let (one, other, now) = (one.clone(), other.clone(), growing.world.now());
    let lead = |_: &newsfold::domain::Story| None;
    let merged =
        growing.world.store.write(move |db| constraints::merge_stories(db, &one, &other, now, &lead)).await.unwrap();
    merged.expect("they can be merged");
    growing.world.settled().await;
    until("the live feed has one entry", async || {
        growing.world.get("/feeds/all.atom").await.matches("<entry>").count() == 1
    })
    .await;
    assert_eq!(growing.world.get("/feeds/all.stable.atom").await.matches("<entry>").count(), 2);
    assert_eq!(growing.causes().await.last(), Some(&(EditionReason::Merged, 2)));
    growing.world.stop().await;
}

#[tokio::test]
async fn a_story_that_stays_may_have_been_led_by_what_is_removed() {
    let mut growing = Growing::new(World::new(), 2).await;
    growing.says(0, "Parliament passes the annual fisheries budget | The vote was ninety to four").await;
    growing.says(1, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let stories = growing.world.stories().await;
    let older = stories.iter().min_by_key(|story| story.founded_at).unwrap().clone();
    let newer = stories.iter().max_by_key(|story| story.founded_at).unwrap().clone();
    let (stays, gone, now) = (older.id, newer.id, growing.world.now());
    let lead = |_: &newsfold::domain::Story| None;
    let write = &growing.world.store;
    write.write(move |db| constraints::merge_stories(db, &older, &newer, now, &lead)).await.unwrap().unwrap();
    growing.world.settled().await;
    growing.world.pass(SignedDuration::from_hours(1));
    let from = growing.world.now();
    growing.says(0, "Parliament passes the annual fisheries budget at last | The vote was ninety to four").await;
    growing.world.stop().await;
    // Its item had moved on before that, and what led it stands in a third story.
    let merged = growing.world.stories().await.remove(0);
    let item = merged.items.iter().find(|report| report.item.id != merged.lead).unwrap().item.clone();
    let split = move |db: &WriteConnection| {
        let (story, item) = (stories::mint_id(db, &item, |_| false)?, item.id);
        let moved = ItemMove { item, from: stays, into: story, evidence: JoinEvidence::default() };
        let founded = vec![CreatedStory { story, by: item }];
        stories::apply_regrouping(db, &StoryRegrouping { founded, moved: vec![moved], emptied: Vec::new() }, now, &lead)
    };
    let write = &growing.world.store;
    write.write(split).await.unwrap();
    let (keep, now) = (RetentionPolicy { from, newest: 0 }, growing.world.now());
    assert_eq!(write.write(move |db| retention::delete_old_stories(db, keep, now)).await.unwrap(), 1);
    let left: Vec<StoryId> = growing.world.stories().await.iter().map(|story| story.id).collect();
    assert_eq!(left, [stays]);
    let redirect = write.read(move |db| stories::get(db, gone)).await.unwrap().expect("it leads on");
    assert_eq!(redirect.merged_into, Some(stays));
}

#[tokio::test]
async fn a_feed_that_knew_is_not_told_again() {
    let mut world = feeds("feeds = [{ name = \"two\", min_outlets = 2 }]");
    world.config.publish.pause = SignedDuration::from_mins(60);
    let mut growing = Growing::new(world, 3).await;
    growing.report(0).await;
    growing.report(1).await;
    let two = growing.world.get("/feeds/two.atom").await;
    assert_eq!(two.matches(".example, 20").count(), 2);
    assert!(!growing.world.get("/feeds/all.atom").await.contains("1.example, 20"));
    growing.pass(SignedDuration::from_mins(90)).await;
    assert!(growing.world.get("/feeds/all.atom").await.contains("1.example, 20"), "the others are told");
    assert_eq!(growing.world.get("/feeds/two.atom").await, two);
    growing.world.stop().await;
}

fn feeds(text: &str) -> World {
    let mut world = World::new();
    world.config.publish = toml::from_str(text).unwrap();
    world.config.publish.settle = SignedDuration::ZERO;
    world.config.publish.pause = SignedDuration::ZERO;
    world
}

#[tokio::test]
async fn a_story_comes_into_a_feed_when_it_meets_it_and_shows_there_what_it_was_then() {
    let mut growing = Growing::new(feeds("feeds = [{ name = \"three\", min_outlets = 3 }]"), 5).await;
    for n in 0..2 {
        growing.report(n).await;
    }
    assert!(!growing.world.get("/feeds/three.atom").await.contains("<entry>"));
    growing.report(2).await;
    let three = growing.world.get("/feeds/three.stable.atom").await;
    assert_eq!(three.matches(".example, 20").count(), 3, "{three}");
    let all = growing.world.get("/feeds/all.atom").await;
    assert_eq!(all.matches(".example, 20").count(), 2, "in the feed of all stories three is no step");
    growing.report(3).await;
    assert_eq!(growing.world.get("/feeds/three.atom").await.matches(".example, 20").count(), 4);
    assert_eq!(growing.world.get("/feeds/three.stable.atom").await, three);
    growing.world.stop().await;
}

#[tokio::test]
async fn words_include_and_exclude_and_a_new_configuration_chooses_anew() {
    let mut growing =
        Growing::new(feeds("feeds = [{ name = \"ash\", words = \"ash OR fisheries\", without = \"karsk\" }]"), 2).await;
    growing.says(0, "Parliament passes the annual fisheries budget | The vote was ninety to four").await;
    growing.says(1, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let feed = growing.world.get("/feeds/ash.json").await;
    assert!(feed.contains("fisheries") && !feed.contains("Karsk"), "{feed}");
    growing.world.stop().await;
    growing.world.config.publish.feeds[0].without = None;
    growing.world.start().await;
    growing.world.settled().await;
    let feed = growing.world.get("/feeds/ash.json").await;
    assert!(feed.contains("fisheries") && feed.contains("Karsk"), "{feed}");
    // A tag that the operator gives changes what a feed of that tag holds.
    growing.world.stop().await;
    growing.world.config.publish.feeds[0].words = None;
    growing.world.config.publish.feeds[0].tags = vec!["nature".into()];
    growing.world.start().await;
    growing.world.settled().await;
    assert!(!growing.world.get("/feeds/ash.json").await.contains("Karsk"));
    let (id, edit) =
        (growing.sources[1], newsfold::domain::SourceEdit { tags: Some(vec!["nature".into()]), ..Default::default() });
    let now = growing.world.now();
    growing.world.store.write(move |db| sources::edit(db, id, &edit, now)).await.unwrap();
    growing.world.settled().await;
    assert!(growing.world.get("/feeds/ash.json").await.contains("Karsk"));
    growing.world.stop().await;
}

#[tokio::test]
async fn archive_pages_hold_what_the_feed_holds_no_more_and_never_change() {
    let mut growing = Growing::new(feeds("feeds = [{ name = \"two\", limit = 2 }]"), 1).await;
    let titles = [
        "Parliament passes the annual fisheries budget",
        "Volcano erupts beside the Karsk observatory",
        "Orchestra cancels its tour of the northern islands",
        "Striker Danilo transferred for a record sum",
        "Physicists weigh the lightest neutrino yet",
    ];
    for (n, title) in titles.iter().enumerate() {
        growing.origin.serve("/0", Answer::ok(rss(&[&format!("{n} | {title}")])));
        next_poll(&growing.world, growing.sources[0]).await;
    }
    let get = async |path: &str| growing.world.get(path).await;
    let current = get("/feeds/two.atom").await;
    assert!(current.contains(titles[4]) && current.contains(titles[3]) && !current.contains(titles[2]));
    assert!(current.contains("rel=\"prev-archive\"") && current.contains("/feeds/two.archive-2-2.atom"));
    let second = get("/feeds/two.archive-2-2.atom").await;
    assert!(second.contains(titles[3]) && second.contains(titles[2]) && second.contains("two.archive-2-1.atom"));
    let first = get("/feeds/two.archive-2-1.rss").await;
    assert!(first.contains(titles[0]) && first.contains(titles[1]) && !first.contains("prev-archive"), "{first}");
    assert!(first.contains("two.archive-2-2.rss"), "its neighbour that came later: {first}");
    let status = async |path: &str| reqwest::get(format!("{}{path}", growing.world.base)).await.unwrap().status();
    for none in [
        "/feeds/two.archive-2-3.atom",
        "/feeds/two.archive-2-0.atom",
        "/feeds/two.archive-2-01.atom",
        "/feeds/two.archive-3-1.atom",
        "/feeds/two.archive-1.atom",
    ] {
        assert_eq!(status(none).await, StatusCode::NOT_FOUND, "{none}");
    }
    growing.world.stop().await;
}

#[tokio::test]
async fn the_top_stories_come_by_weight() {
    let mut growing = Growing::new(World::new(), 3).await;
    growing.report(0).await;
    growing.report(1).await;
    growing.says(2, "Volcano erupts beside the Karsk observatory | Ash fell on the town").await;
    let top = growing.world.get("/feeds/top.atom").await;
    assert!(top.contains("Veshna") && !top.contains("Karsk"), "one outlet is no top story: {top}");
    growing.world.stop().await;
}

#[tokio::test]
async fn a_private_feed_is_read_with_its_token_alone() {
    let mut growing = Growing::new(feeds("feeds = [{ name = \"desk\", private = true }]"), 1).await;
    growing.report(0).await;
    let token = async || {
        let name = "desk".to_owned();
        growing
            .world
            .store
            .read(move |db| newsfold::store::feed_tokens::find(db, &name))
            .await
            .unwrap()
            .expect("a token")
    };
    let status = async |query: &str| {
        let answer = reqwest::get(format!("{}/feeds/desk.atom{query}", growing.world.base)).await.unwrap();
        (answer.status(), answer.headers().get("cache-control").map(|v| v.to_str().unwrap().to_owned()))
    };
    let first = token().await;
    for wrong in ["", "?token=", "?token=x", &format!("?token={}", "0".repeat(first.len())), "?token=%ff&token=1"] {
        assert_eq!(status(wrong).await.0, StatusCode::NOT_FOUND, "{wrong}");
    }
    let (found, kept) = status(&format!("?token={first}")).await;
    assert_eq!(found, StatusCode::OK);
    assert!(kept.unwrap().starts_with("private"), "no shared cache keeps it");
    let feed = growing.world.get(&format!("/feeds/desk.atom?token={first}")).await;
    assert!(feed.contains("Veshna") && feed.contains(&format!("/feeds/desk.atom?token={first}")), "{feed}");
    assert!(!growing.world.get("/").await.contains("desk.atom"), "nothing leads to it");
    growing.world.stop().await;
}

#[tokio::test]
async fn a_story_and_a_search_have_feeds_of_their_own() {
    let mut growing = Growing::new(World::new(), 2).await;
    growing.report(0).await;
    growing.report(1).await;
    let story = growing.story().await;
    for extension in ["atom", "rss", "json"] {
        let feed = growing.world.get(&format!("/stories/{story}.{extension}")).await;
        let link = feed.matches("https://news.example/").count();
        assert!(link >= 2, "each of its items has a link: {feed}");
        let found = growing.world.get(&format!("/search.{extension}?q=veshna%20bridge")).await;
        assert!(found.contains(&format!("/search.{extension}?q=veshna+bridge")), "its own address: {found}");
        assert!(found.contains("Armoured train"), "{found}");
        let none = growing.world.get(&format!("/search.{extension}?q=volcano")).await;
        assert!(!none.contains("Armoured train"), "{none}");
    }
    let hostile = "/search.atom?q=%22%29%20OR%20NEAR%28%3C%2Ftitle%3E%00";
    assert!(!growing.world.get(hostile).await.contains("<title></title>"));
    growing.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_what_a_feed_holds_and_why() {
    let desk = Desk::new();
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&[&format!("1 | {TITLE}")])));
    desk.file(
        "config.toml",
        "[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\norigin_gap = \"0s\"\n[cluster]\nlook = \"0s\"\n[publish]\n\
         settle = \"0s\"\nfeeds = [{ name = \"two\", min_outlets = 2 }, { name = \"desk\", private = true }]\n",
    );
    desk.run(&["source", "add", &origin.url("/feed")]);
    let shown = desk.run(&["feed", "show", "two"]);
    assert!(shown.contains("at least 2 outlets") && shown.contains("feeds/two.stable.json"), "{shown}");
    let story = desk.json(&["story", "list"])[0]["id"].as_str().unwrap().to_owned();
    let why = desk.run(&["feed", "why", "two", &story]);
    assert!(why.contains("not in it") && why.contains("✗ at least 2 outlets; it has 1"), "{why}");
    let why = desk.run(&["feed", "why", "all", &story]);
    assert!(why.contains("in it since") && why.contains("✓ it is published"), "{why}");
    assert!(desk.run(&["feed", "preview", "all"]).contains("Armoured train"));
    assert!(!desk.run(&["feed", "list"]).contains("token="));
    let first = desk.run(&["feed", "token", "desk"]);
    assert_eq!(first, desk.run(&["feed", "token", "desk"]));
    let second = desk.run(&["feed", "token", "desk", "--rotate"]);
    assert!(second.contains("opens nothing any more") && !second.contains(first.lines().next().unwrap()));
    desk.fails(&["feed", "token", "two"], "is for everybody");
    desk.fails(&["feed", "show", "none"], "newsfold feed list");
}
