//! Tests that commands group the items of the database again only if something has changed since the last complete pass,
//! and that a program that is killed leaves nothing ungrouped.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::database_path;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};
use jiff::Timestamp;
use newsfold::domain::{JoinEvidence, StoryAssignment, StoryPlacement};
use newsfold::store::{Store, WriteConnection, items, stories};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const TANKER: [&str; 3] = [
    "1 | Tanker Aurora runs aground off Cape Lorne with forty sailors | Tugs try to free the tanker Aurora off Cape Lorne",
    "2 | Forty sailors aboard tanker Aurora aground at Cape Lorne | The tanker Aurora struck the reef of Cape Lorne",
    "3 | Tanker Aurora aground: forty sailors wait off Cape Lorne | Tugs reach the tanker Aurora at Cape Lorne",
];
const PANDAS: &str = "4 | Zoo of Belmont opens a panda house | Two pandas from Chengdu moved to the zoo of Belmont";

/// The log messages that show that a pass was made, and that a pass was skipped.
const MADE: &str = "restored the clusterer";
const SKIPPED: &str = "nothing has changed since the last grouping pass";

/// Two sources whose items have been grouped.
struct Site {
    cli: CliRunner,
    origin: OriginServer,
}

impl Site {
    async fn with_grouped_items() -> Site {
        let site = Site { cli: CliRunner::new(), origin: OriginServer::start().await };
        site.serve("/a", &TANKER[..1]);
        site.serve("/b", &[PANDAS]);
        for (path, outlet) in [("/a", "a.example"), ("/b", "b.example")] {
            site.cli.run(&["source", "add", &site.origin.url(path), "--outlet", outlet]);
        }
        assert_eq!(site.stories(), [vec![1], vec![2]]);
        site
    }

    /// Serves a document with an ETag, so that the next poll receives a 304 response unless the document changes.
    fn serve(&self, path: &str, items: &[&str]) {
        let document = rss_of_today(items);
        let etag = format!("\"{:x}\"", xxhash_rust::xxh3::xxh3_64(document.as_bytes()));
        self.origin.serve(path, StubResponse::ok(document).header("etag", etag.as_bytes()));
    }

    /// Polls all sources and asserts whether a grouping pass was made.
    fn poll_and_expect(&self, expected: &str) {
        let assert = self.cli.command(&["source", "poll", "--all"]).env("NEWSFOLD_LOG", "newsfold=debug").assert();
        let log = String::from_utf8(assert.success().get_output().stderr.clone()).unwrap();
        let made = [MADE, SKIPPED].map(|message| log.contains(message));
        assert_eq!(made, [MADE, SKIPPED].map(|message| message == expected), "{log}");
    }

    /// Returns the item IDs of each story, sorted.
    fn stories(&self) -> Vec<Vec<i64>> {
        let list = self.cli.run_json(&["story", "list"]);
        let items = |story: &serde_json::Value| {
            let items = story["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap());
            items.collect::<BTreeSet<i64>>().into_iter().collect()
        };
        let mut stories: Vec<Vec<i64>> = list.as_array().unwrap().iter().map(items).collect();
        stories.sort();
        stories
    }

    /// Polls all sources with a program that is killed after it has stored their items and before it groups them.
    async fn poll_and_kill_before_grouping(&self, stored_items: i64) {
        let lock = File::create(self.cli.folder.path().join("news.db.grouping.lock")).unwrap();
        lock.lock().unwrap();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("newsfold"));
        command.args(["source", "poll", "--all", "--config"]).arg(self.cli.folder.path().join("config.toml"));
        command.arg("--database").arg(database_path(self.cli.folder.path())).env("HOME", self.cli.folder.path());
        let start = Timestamp::now().as_millisecond();
        let _program = Killed(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let db = Connection::open(database_path(self.cli.folder.path())).unwrap();
        db.busy_timeout(Duration::from_secs(20)).unwrap();
        let count = |sql: &str| db.query_one(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        // The program polls one source after the other, because both sources have the same server.
        let unpolled = format!("SELECT count(*) FROM source WHERE last_poll_at < {start}");
        wait_until("both sources have been polled", async || {
            count(&unpolled) == 0 && count("SELECT count(*) FROM lease") == 0
        })
        .await;
        assert_eq!(count("SELECT count(*) FROM item"), stored_items);
    }

    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&WriteConnection) -> newsfold::store::Result<T> + Send + 'static,
    ) -> T {
        Store::open(&database_path(self.cli.folder.path())).unwrap().write(write).await.unwrap()
    }
}

/// A program that is killed when the value is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_without_news_group_nothing_again() {
    let site = Site::with_grouped_items().await;
    site.poll_and_expect(SKIPPED);
    assert!(site.origin.requests().last().unwrap().header("if-none-match").is_some());
    site.serve("/b", &[TANKER[1], PANDAS]);
    site.poll_and_expect(MADE);
    assert_eq!(site.stories(), [vec![1, 3], vec![2]]);
    site.poll_and_expect(SKIPPED);
    assert_eq!(site.stories(), [vec![1, 3], vec![2]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_affect_grouping_cause_a_pass_without_news() {
    let site = Site::with_grouped_items().await;
    let story = site.cli.run_json(&["item", "show", "1"])["story"].as_str().unwrap().to_owned();
    let other = site.cli.run_json(&["item", "show", "2"])["story"].as_str().unwrap().to_owned();
    let config = std::fs::read_to_string(site.cli.folder.path().join("config.toml")).unwrap();
    let changes: [(&str, &dyn Fn()); 4] = [
        ("a decision", &|| _ = site.cli.run(&["story", "merge", &story, &other])),
        ("a tag", &|| _ = site.cli.run(&["source", "edit", "1", "--tag", "sea"])),
        ("a source that is no longer grouped", &|| _ = site.cli.run(&["source", "edit", "1", "--group", "false"])),
        ("a setting", &|| _ = site.cli.write_file("config.toml", &config.replace("\"0s\"", "\"1s\""))),
    ];
    for (description, change) in changes {
        site.poll_and_expect(SKIPPED);
        change();
        eprintln!("{description}");
        site.poll_and_expect(MADE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_a_program_that_was_killed_before_grouping_are_grouped_by_the_next_command() {
    let site = Site::with_grouped_items().await;
    site.serve("/b", &[TANKER[1], PANDAS]);
    site.poll_and_kill_before_grouping(3).await;
    assert_eq!(site.stories(), [vec![1], vec![2]]);
    site.poll_and_expect(MADE);
    assert_eq!(site.stories(), [vec![1, 3], vec![2]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_was_interrupted_after_the_assignment_is_made_again() {
    let site = Site::with_grouped_items().await;
    site.serve("/b", &[TANKER[1], PANDAS]);
    site.poll_and_kill_before_grouping(3).await;
    // The killed program had assigned the item to its own story, but had not compared it with other items.
    let assign = |db: &WriteConnection| {
        let item = items::unassigned(db, 1, Timestamp::now())?.remove(0);
        let (story, evidence) = (stories::mint_id(db, &item, |_| false)?, JoinEvidence::default());
        let assignment =
            StoryAssignment { item: item.id, story, placement: StoryPlacement::Created, copy_of: None, evidence };
        stories::assign_items(db, &[assignment], Timestamp::now())
    };
    site.write(assign).await;
    site.poll_and_expect(MADE);
    assert_eq!(site.stories(), [vec![1, 3], vec![2]]);
    site.poll_and_expect(SKIPPED);
}
