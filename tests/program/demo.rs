//! Tests the demo as a new user runs it. A story grows, and the train story becomes one entry with all its outlets.

use crate::support::wait_until;
use jiff::SignedDuration;
use newsfold::cluster::Clusterer;
use newsfold::config::Config;
use newsfold::domain::Timestamp;
use newsfold::evaluation::metrics::{false_merges, misses};
use newsfold::evaluation::{LabeledItem, group_into_storylines, items_of_dataset, replay};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn demo_groups_the_growing_train_story_into_one_entry() {
    let start = Instant::now();
    newsfold::http_client::install_tls_provider();
    let mut process = Command::new(assert_cmd::cargo::cargo_bin("newsfold"))
        .args(["demo", "--listen", "127.0.0.1:0", "--seconds", "120"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let base = lines.by_ref().find_map(|line| Some(line.split_once("front page")?.1.trim().to_owned())).unwrap();
    let command = lines.by_ref().find_map(|line| Some(line.split_once("on the command line")?.1.to_owned())).unwrap();
    let grown = lines.by_ref().find(|line| line.contains("outlets, now with")).unwrap();
    let took = start.elapsed();
    let reports = async || {
        let feed = reqwest::get(format!("{base}feeds/all.json")).await.unwrap().text().await.unwrap();
        let feed: serde_json::Value = serde_json::from_str(&feed).unwrap();
        let entries = feed["items"].as_array().unwrap().clone();
        let train: Vec<_> = entries.into_iter().filter(is_about_the_train).collect();
        (train.len(), train.iter().map(|entry| entry["_newsfold"]["reports"].as_array().unwrap().len()).max())
    };
    wait_until("all eight outlets are in one entry about the train", async || reports().await == (1, Some(8))).await;
    let arguments = command.trim().strip_prefix("newsfold ").unwrap().split(' ');
    let list = Command::new(assert_cmd::cargo::cargo_bin("newsfold")).args(arguments).output().unwrap();
    assert!(String::from_utf8_lossy(&list.stdout).lines().count() > 10, "{list:?}");
    assert_eq!(String::from_utf8_lossy(&list.stderr), "");
    let kill = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(kill.success() && process.wait().unwrap().success());
    // The third report appears six seconds after the start and is polled within two seconds.
    println!("first growth after {took:?}: {grown}");
}

/// Groups the items of the demo in the order in which the daemon sees them if it polls `first` before the other outlets.
/// `titles_are_final` gives items the titles that they have after their change.
fn assert_groups_match_labels(news: &toml::Table, first: usize, titles_are_final: bool) {
    let mut outlets: Vec<&str> =
        news["outlet"].as_array().unwrap().iter().map(|outlet| outlet["key"].as_str().unwrap()).collect();
    outlets.rotate_left(first);
    let start: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
    let mut items: Vec<&toml::Value> = news["item"].as_array().unwrap().iter().collect();
    let number = |item: &toml::Value, key: &str| item.get(key).map_or(0, |value| value.as_integer().unwrap());
    let outlet_of = |item: &toml::Value| outlets.iter().position(|key| item["outlet"].as_str() == Some(key)).unwrap();
    items.sort_by_key(|item| (number(item, "appears_after"), outlet_of(item), number(item, "minutes_ago")));
    let title = |item: &toml::Value| match item.get("later").filter(|_| titles_are_final) {
        Some(later) => later["title"].as_str().unwrap().to_owned(),
        None => item["title"].as_str().unwrap().to_owned(),
    };
    let label = |item: &toml::Value, key: &str| item.get(key).map(|label| label.as_str().unwrap().to_owned());
    let labeled: Vec<LabeledItem> = items
        .iter()
        .map(|item| LabeledItem {
            id: item["slug"].as_str().unwrap().to_owned(),
            outlet: item["outlet"].as_str().unwrap().to_owned(),
            published: start - SignedDuration::from_mins(number(item, "minutes_ago")),
            title: title(item),
            summary: item["summary"].as_str().unwrap().to_owned(),
            url: None,
            lang: Some("en".into()),
            story: label(item, "event").unwrap_or_else(|| format!("{} {}", item["outlet"], item["slug"])).into(),
            storyline: label(item, "storyline").map(Into::into),
        })
        .collect();
    let mut seen = items_of_dataset(&labeled);
    for (seen, item) in seen.iter_mut().zip(&items) {
        seen.first_seen_at = start + SignedDuration::from_secs(number(item, "appears_after"));
    }
    let stories = replay(&mut Clusterer::new(Config::default().cluster), &seen);
    let storylines = group_into_storylines(&seen, &stories);
    let by_story: Vec<_> = labeled.iter().map(|item| item.story.to_string()).zip(stories).collect();
    let by_storyline: Vec<_> = labeled.iter().map(LabeledItem::storyline_label).zip(storylines).collect();
    for groups in [&by_story, &by_storyline] {
        let wrong: Vec<String> = misses(groups)
            .iter()
            .chain(&false_merges(groups))
            .map(|error| {
                error.parts.iter().flatten().map(|index| labeled[*index].id.as_str()).collect::<Vec<_>>().join(", ")
            })
            .collect();
        assert_eq!(wrong, Vec::<String>::new(), "polled first: {}, final titles: {titles_are_final}", outlets[0]);
    }
}

#[test]
fn every_labeled_event_of_the_demo_is_one_story_in_its_storyline() {
    let news: toml::Table = include_str!("../../demo/news.toml").parse().unwrap();
    for first in 0..news["outlet"].as_array().unwrap().len() {
        for titles_are_final in [false, true] {
            assert_groups_match_labels(&news, first, titles_are_final);
        }
    }
}

/// Returns whether an entry contains a report that belongs to the train story in the demo's data.
fn is_about_the_train(entry: &serde_json::Value) -> bool {
    let news: toml::Table = include_str!("../../demo/news.toml").parse().unwrap();
    let items = news["item"].as_array().unwrap();
    let train =
        items.iter().filter(|item| item.get("event").is_some_and(|event| event.as_str() == Some("armoured-train")));
    let slugs: Vec<&str> = train.map(|item| item["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs.len(), 8);
    let reports = entry["_newsfold"]["reports"].as_array().unwrap();
    reports.iter().any(|report| slugs.iter().any(|slug| report["url"].as_str().unwrap().ends_with(slug)))
}

/// Starts a demo with its temporary files in a directory of the test.
fn start_demo(folder: &TempDir) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin("newsfold"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn assert_clean_exit(mut process: Child, folder: &TempDir) {
    wait_until("the demo has ended", async || process.try_wait().unwrap().is_some()).await;
    assert!(process.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_exits_when_its_output_pipe_closes() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = start_demo(&folder);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    lines.by_ref().find(|line| line.as_ref().unwrap().contains("Ctrl-C ends the demo")).unwrap().unwrap();
    drop(lines);
    assert_clean_exit(process, &folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_removes_its_files_after_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = start_demo(&folder);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    lines.by_ref().find(|line| line.as_ref().unwrap().contains("outlets form")).unwrap().unwrap();
    assert!(Command::new("kill").args(["-HUP", &process.id().to_string()]).status().unwrap().success());
    assert_clean_exit(process, &folder).await;
}
