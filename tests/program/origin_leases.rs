//! Several programs on one database: never two requests at once to an origin, never one source twice at once.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::TestDaemon;
use crate::support::{rss, wait_until};
use newsfold::store::Store;
use newsfold::store::leases::{self, PollLease};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// A command that runs while the test goes on.
struct Running {
    process: Child,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Running {
    fn start(cli: &CliRunner, arguments: &[&str]) -> Running {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin("newsfold"))
            .env("HOME", cli.folder.path())
            .env("NEWSFOLD_DATABASE", cli.folder.path().join("news.db"))
            .env("NEWSFOLD_CONFIG", cli.folder.path().join("config.toml"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        Running { process, stderr }
    }

    /// Reads on until it says something.
    fn says(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "it ended without saying ‘{words}’");
        }
        line
    }

    fn succeeds(mut self) -> String {
        let mut said = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let mut complaint = String::new();
        self.stderr.read_to_string(&mut complaint).unwrap();
        assert!(self.process.wait().unwrap().success(), "{said}{complaint}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sources at these paths of an origin, each of which holds its answer until it is let go.
async fn held(cli: &CliRunner, paths: &[&str]) -> OriginServer {
    let origin = OriginServer::start().await;
    for path in paths {
        origin.serve(path, StubResponse::ok(rss(&[&format!("{path} | Title of {path}")])).blocked());
        cli.run(&["source", "add", &origin.url(path), "--no-fetch"]);
    }
    origin
}

#[tokio::test(flavor = "multi_thread")]
async fn two_commands_wait_for_each_other_at_one_origin() {
    let cli = CliRunner::new();
    let origin = held(&cli, &["/a", "/b"]).await;
    let first = Running::start(&cli, &["source", "poll", "1"]);
    wait_until("the first is under way", async || origin.request_count("/a") == 1).await;

    // The very source: nothing is asked twice.
    let again = cli.command(&["source", "poll", "1"]).assert().code(1);
    let said = String::from_utf8(again.get_output().stdout.clone()).unwrap();
    assert!(said.contains("it is being polled by newsfold source poll (process"), "{said}");

    // Another source of the same server, and one that is only being added.
    let mut second = Running::start(&cli, &["source", "poll", "2"]);
    second.says("source 2 waits: its server is in use by newsfold source poll (process");
    origin.serve("/c", StubResponse::ok(rss(&["c | Title of c"])));
    let mut third = Running::start(&cli, &["source", "add", &origin.url("/c")]);
    third.says("is in use by newsfold source poll (process");
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.request_count("/c")), (1, 0, 0));

    origin.release();
    for command in [first, second, third] {
        command.succeeds();
    }
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.request_count("/c")), (1, 1, 1));
    assert_eq!(origin.max_concurrent(), 1);
    assert_eq!(cli.run_json(&["db", "info"])["counts"]["items"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_and_command_wait_for_each_other_at_one_origin() {
    let cli = CliRunner::new();
    let origin = held(&cli, &["/a", "/b"]).await;
    cli.run(&["source", "pause", "2"]);
    let mut daemon = Running::start(&cli, &["serve", "--listen", "127.0.0.1:0"]);
    daemon.says("newsfold is running");
    wait_until("the daemon's poll is under way", async || origin.request_count("/a") == 1).await;
    let mut command = Running::start(&cli, &["source", "poll", "2"]);
    command.says("source 2 waits: its server is in use by the daemon");
    cli.command(&["source", "poll", "1"])
        .assert()
        .code(1)
        .stdout(predicates::str::contains("it is being polled by the daemon"));
    assert_eq!((origin.request_count("/a"), origin.request_count("/b")), (1, 0));
    origin.release();
    command.succeeds();
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.max_concurrent()), (1, 1, 1));

    // And the other way about: what a command asks, the daemon passes over until it is free.
    let origin = held(&cli, &["/c"]).await;
    wait_until("the daemon polls it", async || origin.request_count("/c") == 1).await;
    origin.release();
    let busy = OriginServer::start().await;
    busy.serve("/page", StubResponse::ok(rss(&["p | Title of p"])).blocked());
    busy.serve("/d", StubResponse::ok(rss(&["d | Title of d"])));
    let adding = Running::start(&cli, &["source", "add", &busy.url("/page")]);
    wait_until("the command asks", async || busy.request_count("/page") == 1).await;
    cli.run(&["source", "add", &busy.url("/d"), "--no-fetch"]);
    let other = held(&cli, &["/e"]).await;
    wait_until("the daemon has looked at its schedule since", async || other.request_count("/e") == 1).await;
    assert_eq!(busy.request_count("/d"), 0);
    busy.release();
    adding.succeeds();
    wait_until("it is the daemon's turn", async || busy.request_count("/d") == 1).await;
    assert_eq!(busy.max_concurrent(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_waits_for_the_lease_of_the_next_origin() {
    let cli = CliRunner::new();
    let busy = held(&cli, &["/a", "/b"]).await;
    let door = OriginServer::start().await;
    door.serve("/hop", StubResponse::redirect(&busy.url("/b")));
    cli.run(&["source", "add", &door.url("/hop"), "--no-fetch"]);
    let first = Running::start(&cli, &["source", "poll", "1"]);
    wait_until("the first is under way", async || busy.request_count("/a") == 1).await;
    let hopping = Running::start(&cli, &["source", "poll", "3"]);
    let store = Store::open(&cli.folder.path().join("news.db")).unwrap();
    let own = door.url("");
    wait_until("the second was led on and gave the first server back", async || {
        let now = newsfold::domain::Timestamp::now();
        let origins = store.read(move |db| Ok(leases::active_leases(db, now)?.origins)).await.unwrap();
        door.request_count("/hop") == 1 && !origins.contains(&own)
    })
    .await;
    assert_eq!(busy.request_count("/b"), 0);
    busy.release();
    first.succeeds();
    hopping.succeeds();
    assert_eq!((busy.request_count("/b"), busy.max_concurrent()), (1, 1));
}

#[tokio::test]
async fn lease_of_a_killed_program_expires() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    let mut left = PollLease::new("a program that was killed");
    left.origin = Some(origin.url(""));
    let (now, until) = (daemon.now(), daemon.now() + jiff::SignedDuration::from_secs(60));
    assert!(daemon.store.write(move |db| leases::acquire(db, &left, id, now, until)).await.unwrap().is_none());
    daemon.start().await;
    let other = OriginServer::start().await;
    other.serve("/feed", StubResponse::ok(rss(&["2 | Two"])));
    let second = daemon.add_source(&other.url("/feed"), "b.example").await;
    daemon.wait_for_polls(second, 1).await;
    assert_eq!(origin.requests().len(), 0);
    daemon.advance(jiff::SignedDuration::from_secs(61));
    daemon.wait_for_polls(id, 1).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_command_releases_its_leases() {
    let cli = CliRunner::new();
    let origin = held(&cli, &["/a"]).await;
    for (times, signal) in ["-INT", "-TERM"].into_iter().enumerate() {
        for arguments in [&["source", "poll", "1"][..], &["source", "add", &origin.url("/b")]] {
            origin.serve("/b", StubResponse::ok(rss(&["b | Title of b"])).blocked());
            let asked = origin.requests().len();
            let mut command = Running::start(&cli, arguments);
            wait_until("it asks", async || origin.requests().len() > asked).await;
            assert!(Command::new("kill").args([signal, &command.process.id().to_string()]).status().unwrap().success());
            assert_eq!(command.process.wait().unwrap().code(), Some(1), "{arguments:?} after {signal}");
        }
        let polls = cli.run_json(&["source", "show", "1"])["polls"].clone();
        assert_eq!((polls.as_array().unwrap().len(), polls[0]["outcome"].as_str()), (times + 1, Some("abandoned")));
        assert_eq!(
            (origin.request_count("/a"), origin.request_count("/b")),
            (times + 1, times + 1),
            "none had to wait for the other"
        );
    }
}
