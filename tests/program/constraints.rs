//! What the operator decides about stories holds: at once, at every later pass, over restarts, until it is taken back.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Origin};
use crate::support::world::World;
use crate::support::{rss, until};
use jiff::SignedDuration;
use newsfold::domain::{ConstraintKind, ItemId, Story};
use newsfold::publish::Options;
use newsfold::store::{constraints, stories};

const TRAIN: [&str; 3] = [
    "t1 | Marshal Dorn arrives in Veshna by armoured train for parade | Marshal Dorn crossed the border into Veshna",
    "t2 | Armoured train brings Marshal Dorn to Veshna before parade | Marshal Dorn was met by the mayor of Veshna",
    "t3 | Marshal Dorn in Veshna: armoured train rolls in for parade | Marshal Dorn will watch the Veshna parade",
];
const STORM: &str = "s1 | Storm closes the northern ports | Ferries stay in harbour until Tuesday";

/// A feed of items in the order in which they were written: feeds show the newest first.
fn feed(items: &[&str]) -> Answer {
    Answer::ok(rss(&items.iter().rev().copied().collect::<Vec<_>>()))
}

/// Which of the feed's items stand with which, by item number, in order of the story's first one.
fn groups(desk: &Desk) -> Vec<Vec<i64>> {
    let list = desk.json(&["story", "list"]);
    let mut groups: Vec<Vec<i64>> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|story| {
            let mut items: Vec<i64> =
                story["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect();
            items.sort_unstable();
            items
        })
        .collect();
    groups.sort();
    groups
}

fn story_of(desk: &Desk, item: i64) -> String {
    desk.json(&["item", "show", &item.to_string()])["story"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_splits_merges_and_undoes_stories() {
    let (desk, origin) = (Desk::new(), Origin::start().await);
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], TRAIN[2], STORM]));
    desk.run(&["source", "add", &origin.url("/feed")]);
    assert_eq!(groups(&desk), [vec![1, 2, 3], vec![4]]);
    let (train, storm) = (story_of(&desk, 1), story_of(&desk, 4));

    // A split mints a new id; the old story keeps its own.
    let split = desk.json(&["story", "split", &train, "3"]);
    assert_eq!((split["kind"].as_str(), split["moved"].to_string().as_str()), (Some("split"), "[3]"));
    assert_eq!(groups(&desk), [vec![1, 2], vec![3], vec![4]]);
    assert_eq!(story_of(&desk, 1), train);
    let left = story_of(&desk, 3);
    assert!(left != train && left != storm);
    assert!(desk.run(&["story", "show", &left]).contains("placed here by decision 1 of the operator"));
    assert!(desk.run(&["story", "show", &train]).contains("decision 1: items 3 are a different story from items 1, 2"));
    desk.fails(&["story", "merge", &train, &left], "decision 1 conflicts with this; undo it first");

    // Whatever comes and is grouped later, it holds.
    let more = "t4 | Marshal Dorn leaves Veshna after parade in his armoured train | Marshal Dorn waved to Veshna";
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], TRAIN[2], STORM, more]));
    desk.run(&["source", "poll", "1"]);
    let grouped = groups(&desk);
    assert!(
        !grouped.iter().any(|items| items.contains(&3) && (items.contains(&1) || items.contains(&2))),
        "{grouped:?}"
    );

    // Taken back, its items return.
    desk.run(&["story", "undo", "1"]);
    desk.fails(&["story", "undo", "1"], "is already undone");
    desk.fails(&["story", "undo", "77"], "there is no decision 77");
    assert_eq!(story_of(&desk, 3), train);

    // The oldest id survives a merge, and the other leads to it.
    desk.run(&["story", "merge", &storm, &train]);
    assert_eq!(story_of(&desk, 4), story_of(&desk, 1));
    let survivor = story_of(&desk, 1);
    let other = if survivor == train { &storm } else { &train };
    assert!(desk.run(&["story", "show", other]).contains(&format!("merged into {survivor}")));
    desk.fails(&["item", "separate", "1", "4"], "decision 2 conflicts with this");
    desk.fails(&["story", "split", &survivor, "4"], "decision 2 conflicts with this");
    desk.run(&["story", "undo", "2"]);
    assert_eq!((story_of(&desk, 1), story_of(&desk, 4)), (train.clone(), storm.clone()));
    assert_eq!(desk.json(&["story", "decisions"]).as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_items_are_separated_and_explained() {
    let (desk, origin) = (Desk::new(), Origin::start().await);
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], STORM]));
    desk.run(&["source", "add", &origin.url("/feed")]);
    let why = desk.run(&["item", "explain", "1", "2"]);
    assert!(why.contains("Both are in story") && why.contains("‘armoured’") && why.contains("score"), "{why}");
    let why = desk.run(&["item", "explain", "1", "3"]);
    assert!(why.contains("in different stories") && why.contains("No significant words in common"), "{why}");
    desk.run(&["item", "separate", "1", "2"]);
    assert_eq!(groups(&desk), [vec![1], vec![2], vec![3]]);
    assert!(desk.run(&["item", "explain", "1", "2"]).contains("the operator separated them"));
    assert_eq!(desk.json(&["item", "explain", "1", "2"])["explanation"]["rule"], "operator");
    desk.fails(&["item", "separate", "1", "1"], "two different items");
    desk.fails(&["item", "separate", "1", "99"], "there is no item 99");
    desk.fails(&["story", "split", &story_of(&desk, 1), "1"], "leave at least one");
    desk.fails(&["story", "split", &story_of(&desk, 1), "2"], "item 2 is not in story");
}

#[tokio::test]
async fn running_daemon_respects_a_constraint_across_restarts() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1]]));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    assert_eq!(world.stories().await.len(), 1);
    let now = world.now();
    let lead = |story: &Story| newsfold::publish::choose_lead(story, &Options::default()).map(|lead| lead.item.id);
    let decided =
        world.store.write(move |db| constraints::separate_items(db, ItemId(1), ItemId(2), now, &lead)).await.unwrap();
    assert_eq!(decided.unwrap().kind, ConstraintKind::CannotLink);

    for round in 2..4 {
        // What comes next resembles both, and must not bring them together.
        let more = TRAIN[2].replace("t3 | ", &format!("n{round} | Report {round}: "));
        origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], &more]));
        world.pass(SignedDuration::from_mins(60));
        world.polled(id, round).await;
        let home = |item: i64| world.store.read(move |db| stories::story_of_item(db, ItemId(item)));
        until("the new item is placed", async || home(round as i64 + 1).await.unwrap().is_some()).await;
        assert_ne!(home(1).await.unwrap(), home(2).await.unwrap(), "in round {round}");
        world.stop().await;
        world.start().await;
    }
    world.stop().await;
}
