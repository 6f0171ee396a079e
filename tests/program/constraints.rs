//! Tests that grouping constraints apply immediately, in later passes and after restarts, until they are undone.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::TestDaemon;
use crate::support::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{ConstraintKind, ItemId, SourceId, StoryId};
use newsfold::store::{constraints, editions, stories};

const TRAIN: [&str; 3] = [
    "t1 | Marshal Dorn arrives in Veshna by armoured train for parade | Marshal Dorn crossed the border into Veshna",
    "t2 | Armoured train brings Marshal Dorn to Veshna before parade | Marshal Dorn was met by the mayor of Veshna",
    "t3 | Marshal Dorn in Veshna: armoured train rolls in for parade | Marshal Dorn will watch the Veshna parade",
];
const STORM: &str = "s1 | Storm closes the northern ports | Ferries stay in harbour until Tuesday";

/// Returns a feed of items in reverse order, because feeds show the newest item first.
fn feed(items: &[&str]) -> StubResponse {
    StubResponse::ok(rss(&items.iter().rev().copied().collect::<Vec<_>>()))
}

/// Returns the item IDs of each story, sorted.
fn groups(cli: &CliRunner) -> Vec<Vec<i64>> {
    let list = cli.run_json(&["story", "list"]);
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

fn story_of(cli: &CliRunner, item: i64) -> String {
    cli.run_json(&["item", "show", &item.to_string()])["story"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_splits_merges_and_undoes_stories() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], TRAIN[2], STORM]));
    cli.run(&["source", "add", &origin.url("/feed")]);
    assert_eq!(groups(&cli), [vec![1, 2, 3], vec![4]]);
    let (train, storm) = (story_of(&cli, 1), story_of(&cli, 4));

    // A split creates a new story ID. The old story keeps its ID.
    let split = cli.run_json(&["story", "split", &train, "3"]);
    assert_eq!((split["kind"].as_str(), split["moved"].to_string().as_str()), (Some("split"), "[3]"));
    assert_eq!(groups(&cli), [vec![1, 2], vec![3], vec![4]]);
    assert_eq!(story_of(&cli, 1), train);
    let left = story_of(&cli, 3);
    assert!(left != train && left != storm);
    assert!(cli.run(&["story", "show", &left]).contains("placed here by operator decision 1"));
    let shown = cli.run(&["story", "show", &train]);
    assert!(shown.contains("decision 1: items 3 belong to a different story from items 1, 2"));
    cli.assert_fails(&["story", "merge", &train, &left], "this conflicts with decision 1; undo that decision first");

    // The constraint applies to later grouping passes.
    let more = "t4 | Marshal Dorn leaves Veshna after parade in his armoured train | Marshal Dorn waved to Veshna";
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], TRAIN[2], STORM, more]));
    cli.run(&["source", "poll", "1"]);
    let grouped = groups(&cli);
    assert!(
        !grouped.iter().any(|items| items.contains(&3) && (items.contains(&1) || items.contains(&2))),
        "{grouped:?}"
    );

    // After the undo, the items return.
    cli.run(&["story", "undo", "1"]);
    cli.assert_fails(&["story", "undo", "1"], "is already undone");
    cli.assert_fails(&["story", "undo", "77"], "there is no decision 77");
    assert_eq!(story_of(&cli, 3), train);

    // The oldest ID survives a merge, and the other ID redirects to it.
    cli.run(&["story", "merge", &storm, &train]);
    assert_eq!(story_of(&cli, 4), story_of(&cli, 1));
    let survivor = story_of(&cli, 1);
    let other = if survivor == train { &storm } else { &train };
    assert!(cli.run(&["story", "show", other]).contains(&format!("merged into {survivor}")));
    cli.assert_fails(&["item", "separate", "1", "4"], "this conflicts with decision 2");
    cli.assert_fails(&["story", "split", &survivor, "4"], "this conflicts with decision 2");
    cli.run(&["story", "undo", "2"]);
    assert_eq!((story_of(&cli, 1), story_of(&cli, 4)), (train.clone(), storm.clone()));
    assert_eq!(cli.run_json(&["story", "decisions"]).as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_items_are_separated_and_explained() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], STORM]));
    cli.run(&["source", "add", &origin.url("/feed")]);
    let why = cli.run(&["item", "explain", "1", "2"]);
    assert!(why.contains("Both items are in story") && why.contains("‘armoured’") && why.contains("score"), "{why}");
    let why = cli.run(&["item", "explain", "1", "3"]);
    assert!(why.contains("in different stories") && why.contains("No significant words in common"), "{why}");
    cli.run(&["item", "separate", "1", "2"]);
    assert_eq!(groups(&cli), [vec![1], vec![2], vec![3]]);
    assert!(cli.run(&["item", "explain", "1", "2"]).contains("the operator separated them"));
    assert_eq!(cli.run_json(&["item", "explain", "1", "2"])["explanation"]["rule"], "operator");
    cli.assert_fails(&["item", "separate", "1", "1"], "two different items");
    cli.assert_fails(&["item", "separate", "1", "99"], "there is no item 99");
    cli.assert_fails(&["story", "split", &story_of(&cli, 1), "1"], "leave at least one");
    cli.assert_fails(&["story", "split", &story_of(&cli, 1), "2"], "item 2 is not in story");
}

#[tokio::test]
async fn running_daemon_respects_a_constraint_across_restarts() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1]]));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    assert_eq!(daemon.stories().await.len(), 1);
    let now = daemon.now();
    let decided =
        daemon.store.write(move |db| constraints::separate_items(db, ItemId(1), ItemId(2), now)).await.unwrap();
    assert_eq!(decided.unwrap().constraint.kind, ConstraintKind::CannotLink);

    for round in 2..4 {
        // The next item resembles both stories and must not merge them.
        let more = TRAIN[2].replace("t3 | ", &format!("n{round} | Report {round}: "));
        origin.serve("/feed", feed(&[TRAIN[0], TRAIN[1], &more]));
        daemon.advance(SignedDuration::from_mins(60));
        daemon.wait_for_polls(id, round).await;
        let home = |item: i64| daemon.store.read(move |db| stories::story_of_item(db, ItemId(item)));
        wait_until("the new item is placed", async || home(round as i64 + 1).await.unwrap().is_some()).await;
        assert_ne!(home(1).await.unwrap(), home(2).await.unwrap(), "in round {round}");
        daemon.stop().await;
        daemon.start().await;
    }
    daemon.stop().await;
}

async fn story_holding(daemon: &TestDaemon, item: i64) -> StoryId {
    daemon.store.read(move |db| stories::story_of_item(db, ItemId(item))).await.unwrap().unwrap()
}

/// Returns the item to which the entry of a story links.
async fn linked_item(daemon: &TestDaemon, story: StoryId) -> i64 {
    daemon.store.read(move |db| editions::published_story(db, story)).await.unwrap().unwrap().linked.0
}

/// Returns a stopped daemon that has read these documents one after the other and published their stories.
async fn stopped_daemon_with(items: &[&[&str]]) -> (TestDaemon, OriginServer, SourceId) {
    let (mut daemon, origin) = (TestDaemon::new(), OriginServer::start().await);
    origin.serve("/feed", feed(items[0]));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    for (round, more) in items.iter().enumerate().skip(1) {
        origin.serve("/feed", feed(more));
        daemon.advance(SignedDuration::from_mins(60));
        daemon.wait_for_polls(id, round + 1).await;
    }
    daemon.stop().await;
    (daemon, origin, id)
}

#[tokio::test]
async fn regrouping_leaves_the_id_with_the_report_to_which_the_entry_links() {
    let more = "s2 | Northern ports closed by storm | Ferries stay in harbour until Tuesday, the storm warning says";
    let (mut daemon, _origin, _) = stopped_daemon_with(&[&TRAIN[..1], &[STORM, more]]).await;
    let (train, storm) = (story_holding(&daemon, 1).await, story_holding(&daemon, 2).await);
    assert_eq!(story_holding(&daemon, 3).await, storm);
    // In this state, an earlier pass has grouped the reports of both events. Most of the reports concern the storm.
    let sqlite = daemon.open_sqlite();
    sqlite.execute("UPDATE item SET story_id = ?1", [train.to_row()]).unwrap();
    sqlite.execute("DELETE FROM edition WHERE story_id = ?1", [storm.to_row()]).unwrap();
    sqlite.execute("UPDATE story SET merged_into = ?1 WHERE id = ?2", [train.to_row(), storm.to_row()]).unwrap();
    daemon.start().await;
    wait_until("the events are separate again", async || {
        story_holding(&daemon, 1).await != story_holding(&daemon, 2).await
    })
    .await;
    assert_eq!((story_holding(&daemon, 1).await, linked_item(&daemon, train).await), (train, 1));
    daemon.stop().await;
}

#[tokio::test]
async fn oldest_published_story_survives_a_merge() {
    let (mut daemon, _origin, _) = stopped_daemon_with(&[&[STORM], &TRAIN]).await;
    let (storm, train) = (story_holding(&daemon, 1).await, story_holding(&daemon, 2).await);
    assert_eq!([story_holding(&daemon, 3).await, story_holding(&daemon, 4).await], [train, train]);
    // A story that was just created contains the earliest report, as after a split.
    let sqlite = daemon.open_sqlite();
    let newer = storm.to_row() ^ 1;
    let create = "INSERT INTO story (id, created_at, updated_at, lead_item_id, storyline_id)
                  SELECT ?1, created_at + 7200000, updated_at, 2, storyline_id FROM story WHERE id = ?2";
    sqlite.execute(create, [newer, train.to_row()]).unwrap();
    sqlite.execute("UPDATE item SET story_id = ?1 WHERE id = 2", [newer]).unwrap();
    daemon.start().await;
    wait_until("the reports of one event are together", async || {
        story_holding(&daemon, 2).await == story_holding(&daemon, 3).await
    })
    .await;
    assert_eq!(story_holding(&daemon, 2).await, train);
    daemon.stop().await;

    // The operator's merge also keeps the published story, even if the unpublished story was created first.
    let create = "INSERT INTO story (id, created_at, updated_at, lead_item_id, storyline_id)
                  SELECT ?1, 0, updated_at, 3, storyline_id FROM story WHERE id = ?2";
    sqlite.execute(create, [newer ^ 2, train.to_row()]).unwrap();
    sqlite.execute("UPDATE item SET story_id = ?1 WHERE id = 3", [newer ^ 2]).unwrap();
    let now = daemon.now();
    let merge = daemon.store.write(move |db| {
        let get = |id| stories::get(db, id).map(Option::unwrap);
        constraints::merge_stories(db, &get(StoryId::from_row(newer ^ 2))?, &get(train)?, now)
    });
    merge.await.unwrap().unwrap();
    assert_eq!(story_holding(&daemon, 3).await, train);
}
