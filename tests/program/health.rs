//! Tests what the daemon reports about itself: `/healthz`, `/readyz`, `newsfold healthcheck` and the log.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll, start_and_poll_once};
use crate::support::{rss, skipped, wait_until};
use jiff::SignedDuration;
use newsfold::store::{publication, row_counts};
use predicates::prelude::PredicateBooleanExt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const CONFIG: &str =
    "[serve]\nlisten = \"127.0.0.1:0\"\n[metrics]\nenabled = false\n[daemon]\nshutdown_grace = \"2s\"\n";

/// Returns the status and the body of a response.
async fn get(base: &str, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("{base}{path}")).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_database_is_reported_and_makes_the_daemon_unhealthy() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", CONFIG);
    let daemon = start_daemon(cli.folder.path(), "");
    assert_eq!(get(&daemon.base, "/healthz").await.0, 200);
    assert_eq!(get(&daemon.base, "/readyz").await, (200, "ready\n".into()));
    std::fs::remove_file(database_path(cli.folder.path())).unwrap();
    let (status, body) = get(&daemon.base, "/healthz").await;
    assert!(status == 503 && body.contains("its file was deleted"), "{body}");
    get(&daemon.base, "/healthz").await;
    wait_until("the problem is logged", async || daemon.log().contains("its file was deleted")).await;
    let errors = daemon.log().lines().filter(|line| line.contains("ERROR") && line.contains("was deleted")).count();
    assert_eq!(errors, 1, "each problem is logged once: {}", daemon.log());
    cli.assert_fails(&["status"], "was deleted while a daemon uses it; stop the daemon, and restore a backup");
    assert!(cli.run_json_failing(&["healthcheck", "--url", &daemon.base])["down"]["database"].is_string());
    drop(daemon);
    let daemon = start_daemon(cli.folder.path(), "");
    let log = daemon.log();
    let warning = log.lines().find(|line| line.contains("created a new database")).expect("a warning");
    assert!(warning.contains("WARN") && warning.contains("news.db"), "{log}");
    drop(daemon);
    assert!(!start_daemon(cli.folder.path(), "").log().contains("created a new database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn command_returns_the_health_of_the_daemon() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", CONFIG);
    let daemon = start_daemon(cli.folder.path(), "");
    assert!(cli.run(&["healthcheck", "--url", &daemon.base]).contains("\"status\":\"ok\""));
    std::fs::remove_file(database_path(cli.folder.path())).unwrap();
    let failed = cli.command(&["healthcheck", "--url", &daemon.base]).output().unwrap();
    let body = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(failed.status.code() == Some(1) && body.contains("its file was deleted"), "{body}");
    let base = daemon.base.clone();
    drop(daemon);
    cli.assert_fails(&["healthcheck", "--url", &base], "the daemon does not respond at");
    cli.assert_fails(&["healthcheck", "--url", &base], "start it with `newsfold serve`");
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_wait_although_grouping_is_due_are_reported() {
    let mut daemon = TestDaemon::new();
    let mut lock = daemon.store.path().as_os_str().to_owned();
    lock.push(".grouping.lock");
    let lock = std::fs::File::create(lock).unwrap();
    lock.lock().unwrap();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | Grid fails | North"])));
    daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    wait_until("the item is stored", async || daemon.store.read(row_counts::count).await.unwrap().unassigned == 1)
        .await;
    assert_eq!(get(&daemon.base, "/healthz").await.0, 200);
    daemon.advance(SignedDuration::from_mins(2));
    let (status, body) = get(&daemon.base, "/healthz").await;
    assert!(status == 503 && body.contains("items have been waiting for more than a minute"), "{body}");
    drop(lock);
    daemon.store.write(publication::touch).await.unwrap();
    wait_until("the daemon is healthy again", async || get(&daemon.base, "/healthz").await.0 == 200).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_a_successful_poll_is_reported() {
    let (mut daemon, origin, id) = start_and_poll_once(StubResponse::ok(rss(&["1 | Grid fails | North"]))).await;
    origin.serve("/feed", StubResponse::status(500));
    let start = daemon.now();
    while daemon.now().duration_since(start) < SignedDuration::from_hours(1) {
        run_next_poll(&daemon, id).await;
    }
    let (status, body) = get(&daemon.base, "/healthz").await;
    assert!(status == 503 && body.contains("no poll has succeeded for an hour"), "{body}");
    assert_eq!(get(&daemon.base, "/readyz").await.0, 200);
    origin.serve("/feed", StubResponse::ok(rss(&["1 | Grid fails | North"])));
    run_next_poll(&daemon, id).await;
    assert_eq!(get(&daemon.base, "/healthz").await.0, 200);
    daemon.stop().await;
}

#[test]
fn log_lines_have_the_priorities_of_the_journal_only_if_the_journal_reads_them() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", CONFIG);
    let journal = "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2);";
    let log = start_daemon(cli.folder.path(), journal).log();
    assert!(log.lines().any(|line| line.starts_with("<6>") && line.contains("newsfold is running")), "{log}");
    let log = start_daemon(cli.folder.path(), "export JOURNAL_STREAM=1:1;").log();
    assert!(!log.contains("<6>"), "{log}");
}

#[test]
fn log_lines_are_json_on_request() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", CONFIG);
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let mut daemon = Command::new(assert_cmd::cargo::cargo_bin("newsfold"))
        .args(["serve", "--log-format", "json", "--config"])
        .arg(cli.folder.path().join("config.toml"))
        .arg("--database")
        .arg(database_path(cli.folder.path()))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stderr.take().unwrap()).read_line(&mut line).unwrap();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((line["level"].as_str(), line["fields"]["message"].is_string()), (Some("INFO"), true), "{line}");
}

#[test]
fn filter_that_is_not_valid_is_reported_and_ignored() {
    let cli = CliRunner::new();
    let text = predicates::str::contains("NEWSFOLD_LOG is ignored, because \"newsfold=loud\" is not a valid filter")
        .and(predicates::str::contains("such as newsfold=debug"));
    cli.command(&["config", "check"]).env("NEWSFOLD_LOG", "newsfold=loud").assert().success().stderr(text);
}

#[test]
fn log_is_colored_only_on_a_terminal_without_no_color() {
    let cli = CliRunner::new();
    let newsfold = assert_cmd::cargo::cargo_bin("newsfold").display().to_string();
    // `script` gives the program a terminal.
    let run = |setup: &str| {
        let command = format!("{setup} NEWSFOLD_LOG=newsfold=loud {newsfold} --database x.db config check");
        let output = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .current_dir(cli.folder.path())
            .env_remove("NO_COLOR")
            .output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (Some(colored), Some(plain)) = (run(""), run("NO_COLOR=1")) else {
        return skipped("colors of the log: `script` is not installed");
    };
    assert!(colored.contains("\u{1b}[") && colored.contains("NEWSFOLD_LOG is ignored"), "{colored}");
    assert!(!plain.contains("\u{1b}[") && plain.contains("NEWSFOLD_LOG is ignored"), "{plain}");
}
