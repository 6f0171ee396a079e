//! Tests several programs on one database: no concurrent requests to an origin, and no concurrent polls of a source.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::TestDaemon;
use crate::support::{rss, wait_until};
use newsfold::store::Store;
use newsfold::store::poll_leases::{self, LeaseTerm, PollLease};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// A command that runs in the background.
struct RunningCommand {
    process: Child,
    stderr: BufReader<std::process::ChildStderr>,
}

impl RunningCommand {
    fn start(cli: &CliRunner, arguments: &[&str]) -> RunningCommand {
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
        RunningCommand { process, stderr }
    }

    /// Reads stderr until a line contains `text`.
    fn wait_for_message(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "the command ended without the message ‘{text}’");
        }
        line
    }

    /// Waits for the command to end. The command must succeed.
    fn wait_for_success(mut self) {
        let mut stdout = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        assert!(self.process.wait().unwrap().success(), "{stdout}{stderr}");
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Kills a command, which cannot release its leases, once it has sent a request.
async fn kill_during_request(mut command: RunningCommand, origin: &OriginServer, path: &str) {
    wait_until("the command has sent its request", async || origin.request_count(path) > 0).await;
    command.process.kill().unwrap();
    command.process.wait().unwrap();
}

/// Adds sources at these paths of an origin server that blocks its responses.
async fn add_blocked_sources(cli: &CliRunner, paths: &[&str]) -> OriginServer {
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
    let origin = add_blocked_sources(&cli, &["/a", "/b"]).await;
    let first = RunningCommand::start(&cli, &["source", "poll", "1"]);
    wait_until("the first request has been sent", async || origin.request_count("/a") == 1).await;

    // A second poll of the same source sends no request.
    let again = cli.command(&["source", "poll", "1"]).assert().code(1);
    let said = String::from_utf8(again.get_output().stdout.clone()).unwrap();
    assert!(said.contains("it is being polled by newsfold source poll (process"), "{said}");

    // A second source at the same origin, and a source that is being added.
    let mut second = RunningCommand::start(&cli, &["source", "poll", "2"]);
    second.wait_for_message("source 2 is waiting: its server is in use by newsfold source poll (process");
    origin.serve("/c", StubResponse::ok(rss(&["c | Title of c"])));
    let mut third = RunningCommand::start(&cli, &["source", "add", &origin.url("/c")]);
    third.wait_for_message("is in use by newsfold source poll (process");
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.request_count("/c")), (1, 0, 0));

    origin.release();
    for command in [first, second, third] {
        command.wait_for_success();
    }
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.request_count("/c")), (1, 1, 1));
    assert_eq!(origin.max_concurrent(), 1);
    assert_eq!(cli.run_json(&["db", "info"])["counts"]["items"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_and_command_wait_for_each_other_at_one_origin() {
    let cli = CliRunner::new();
    let origin = add_blocked_sources(&cli, &["/a", "/b"]).await;
    cli.run(&["source", "pause", "2"]);
    let mut daemon = RunningCommand::start(&cli, &["serve", "--listen", "127.0.0.1:0"]);
    daemon.wait_for_message("newsfold is running");
    wait_until("the daemon has sent its request", async || origin.request_count("/a") == 1).await;
    let mut command = RunningCommand::start(&cli, &["source", "poll", "2"]);
    command.wait_for_message("source 2 is waiting: its server is in use by the daemon");
    cli.command(&["source", "poll", "1"])
        .assert()
        .code(1)
        .stdout(predicates::str::contains("it is being polled by the daemon"));
    assert_eq!((origin.request_count("/a"), origin.request_count("/b")), (1, 0));
    origin.release();
    command.wait_for_success();
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.max_concurrent()), (1, 1, 1));

    // Conversely, the daemon does not poll an origin that a command has leased.
    let origin = add_blocked_sources(&cli, &["/c"]).await;
    wait_until("the daemon has sent its request", async || origin.request_count("/c") == 1).await;
    origin.release();
    let leased = OriginServer::start().await;
    leased.serve("/page", StubResponse::ok(rss(&["p | Title of p"])).blocked());
    leased.serve("/d", StubResponse::ok(rss(&["d | Title of d"])));
    let adding = RunningCommand::start(&cli, &["source", "add", &leased.url("/page")]);
    wait_until("the command has sent its request", async || leased.request_count("/page") == 1).await;
    cli.run(&["source", "add", &leased.url("/d"), "--no-fetch"]);
    let other = add_blocked_sources(&cli, &["/e"]).await;
    wait_until("the daemon has looked at its schedule since", async || other.request_count("/e") == 1).await;
    assert_eq!(leased.request_count("/d"), 0);
    leased.release();
    adding.wait_for_success();
    wait_until("the daemon has sent its request to the released origin", async || leased.request_count("/d") == 1)
        .await;
    assert_eq!(leased.max_concurrent(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_waits_for_the_lease_of_the_next_origin() {
    let cli = CliRunner::new();
    let leased = add_blocked_sources(&cli, &["/a", "/b"]).await;
    let redirecting = OriginServer::start().await;
    redirecting.serve("/hop", StubResponse::redirect(&leased.url("/b")));
    cli.run(&["source", "add", &redirecting.url("/hop"), "--no-fetch"]);
    let first = RunningCommand::start(&cli, &["source", "poll", "1"]);
    wait_until("the first request has been sent", async || leased.request_count("/a") == 1).await;
    let second = RunningCommand::start(&cli, &["source", "poll", "3"]);
    let store = Store::open(&cli.folder.path().join("news.db")).unwrap();
    let own = redirecting.url("");
    wait_until("the second command has followed the redirect and released the first origin", async || {
        let now = newsfold::domain::Timestamp::now();
        let origins = store.read(move |db| Ok(poll_leases::active_leases(db, now)?.origins)).await.unwrap();
        redirecting.request_count("/hop") == 1 && !origins.contains(&own)
    })
    .await;
    assert_eq!(leased.request_count("/b"), 0);
    leased.release();
    first.wait_for_success();
    second.wait_for_success();
    assert_eq!((leased.request_count("/b"), leased.max_concurrent()), (1, 1));
}

#[tokio::test]
async fn lease_that_is_never_released_expires() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | One"])));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    let mut lease = PollLease::new("a program that hangs");
    lease.origin = Some(origin.url(""));
    let now = daemon.now();
    let term = LeaseTerm { from: now, until: now + jiff::SignedDuration::from_secs(60), origin_free_at: now };
    assert!(daemon.store.write(move |db| poll_leases::acquire(db, &lease, id, term)).await.unwrap().is_none());
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
async fn leases_of_a_killed_command_end_at_once() {
    let cli = CliRunner::new();
    let origin = add_blocked_sources(&cli, &["/a", "/b"]).await;
    kill_during_request(RunningCommand::start(&cli, &["source", "poll", "1"]), &origin, "/a").await;
    origin.release();
    // The first command needs the source and its server, the others only the server.
    origin.serve("/c", StubResponse::ok(rss(&["c | Title of c"])));
    for arguments in [["source", "poll", "1"], ["source", "poll", "2"], ["source", "add", &origin.url("/c")]] {
        RunningCommand::start(&cli, &arguments).wait_for_success();
    }
    assert_eq!((origin.request_count("/a"), origin.request_count("/b"), origin.request_count("/c")), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_polls_a_server_once_the_command_that_leased_it_is_killed() {
    let cli = CliRunner::new();
    let origin = add_blocked_sources(&cli, &["/a"]).await;
    cli.run(&["source", "pause", "1"]);
    let command = RunningCommand::start(&cli, &["source", "poll", "1"]);
    wait_until("the command has sent its request", async || origin.request_count("/a") == 1).await;
    origin.serve("/b", StubResponse::ok(rss(&["b | Title of b"])));
    cli.run(&["source", "add", &origin.url("/b"), "--no-fetch"]);
    let mut daemon = RunningCommand::start(&cli, &["serve", "--listen", "127.0.0.1:0"]);
    daemon.wait_for_message("newsfold is running");
    let other = add_blocked_sources(&cli, &["/c"]).await;
    wait_until("the daemon polls other servers", async || other.request_count("/c") == 1).await;
    assert_eq!(origin.request_count("/b"), 0);
    kill_during_request(command, &origin, "/a").await;
    wait_until("the daemon polls the server", async || origin.request_count("/b") == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn source_shows_that_its_poll_was_killed() {
    let cli = CliRunner::new();
    let origin = add_blocked_sources(&cli, &["/a"]).await;
    kill_during_request(RunningCommand::start(&cli, &["source", "poll", "1"]), &origin, "/a").await;
    let text = cli.run(&["source", "show", "1"]);
    let next_poll = text.lines().find(|line| line.contains("the poll that started at")).expect(&text);
    assert!(next_poll.contains("is still running or was interrupted"), "{text}");
    let reason = cli.run_json(&["source", "show", "1"])["next_poll_reason"].clone();
    assert_eq!((&reason["kind"], &reason["planned"]["kind"]), (&"poll-started".into(), &"added".into()), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_command_releases_its_leases() {
    let cli = CliRunner::new();
    let origin = add_blocked_sources(&cli, &["/a"]).await;
    for (times, signal) in ["-INT", "-TERM"].into_iter().enumerate() {
        for arguments in [&["source", "poll", "1"][..], &["source", "add", &origin.url("/b")]] {
            origin.serve("/b", StubResponse::ok(rss(&["b | Title of b"])).blocked());
            let before = origin.requests().len();
            let mut command = RunningCommand::start(&cli, arguments);
            wait_until("the command has sent its request", async || origin.requests().len() > before).await;
            assert!(Command::new("kill").args([signal, &command.process.id().to_string()]).status().unwrap().success());
            assert_eq!(command.process.wait().unwrap().code(), Some(1), "{arguments:?} after {signal}");
        }
        let polls = cli.run_json(&["source", "show", "1"])["polls"].clone();
        assert_eq!((polls.as_array().unwrap().len(), polls[0]["outcome"].as_str()), (times + 1, Some("abandoned")));
        assert_eq!(
            (origin.request_count("/a"), origin.request_count("/b")),
            (times + 1, times + 1),
            "no command waited for the previous one"
        );
    }
}
