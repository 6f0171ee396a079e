//! Several programs on one database: never two requests at once to an origin, never one source twice at once.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Origin};
use crate::support::world::World;
use crate::support::{rss, until};
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
    fn start(desk: &Desk, arguments: &[&str]) -> Running {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin("newsfold"))
            .env("HOME", desk.folder.path())
            .env("NEWSFOLD_DATABASE", desk.folder.path().join("news.db"))
            .env("NEWSFOLD_CONFIG", desk.folder.path().join("config.toml"))
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
async fn held(desk: &Desk, paths: &[&str]) -> Origin {
    let origin = Origin::start().await;
    for path in paths {
        origin.serve(path, Answer::ok(rss(&[&format!("{path} | Title of {path}")])).held());
        desk.run(&["source", "add", &origin.url(path), "--no-fetch"]);
    }
    origin
}

#[tokio::test(flavor = "multi_thread")]
async fn two_commands_wait_for_each_other_at_one_server() {
    let desk = Desk::new();
    let origin = held(&desk, &["/a", "/b"]).await;
    let first = Running::start(&desk, &["source", "poll", "1"]);
    until("the first is under way", async || origin.count("/a") == 1).await;

    // The very source: nothing is asked twice.
    let again = desk.newsfold(&["source", "poll", "1"]).assert().code(1);
    let said = String::from_utf8(again.get_output().stdout.clone()).unwrap();
    assert!(said.contains("it is being polled by newsfold source poll (process"), "{said}");

    // Another source of the same server, and one that is only being added.
    let mut second = Running::start(&desk, &["source", "poll", "2"]);
    second.says("source 2 waits: its server is in use by newsfold source poll (process");
    origin.serve("/c", Answer::ok(rss(&["c | Title of c"])));
    let mut third = Running::start(&desk, &["source", "add", &origin.url("/c")]);
    third.says("is in use by newsfold source poll (process");
    assert_eq!((origin.count("/a"), origin.count("/b"), origin.count("/c")), (1, 0, 0));

    origin.let_go();
    for command in [first, second, third] {
        command.succeeds();
    }
    assert_eq!((origin.count("/a"), origin.count("/b"), origin.count("/c")), (1, 1, 1));
    assert_eq!(origin.most_at_once(), 1);
    assert_eq!(desk.json(&["db", "info"])["counts"]["items"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_and_a_command_wait_for_each_other_at_one_server() {
    let desk = Desk::new();
    let origin = held(&desk, &["/a", "/b"]).await;
    desk.run(&["source", "pause", "2"]);
    let mut daemon = Running::start(&desk, &["serve", "--listen", "127.0.0.1:0"]);
    daemon.says("newsfold is running");
    until("the daemon's poll is under way", async || origin.count("/a") == 1).await;
    let mut command = Running::start(&desk, &["source", "poll", "2"]);
    command.says("source 2 waits: its server is in use by the daemon");
    desk.newsfold(&["source", "poll", "1"])
        .assert()
        .code(1)
        .stdout(predicates::str::contains("it is being polled by the daemon"));
    assert_eq!((origin.count("/a"), origin.count("/b")), (1, 0));
    origin.let_go();
    command.succeeds();
    assert_eq!((origin.count("/a"), origin.count("/b"), origin.most_at_once()), (1, 1, 1));

    // And the other way about: what a command asks, the daemon passes over until it is free.
    let origin = held(&desk, &["/c"]).await;
    until("the daemon polls it", async || origin.count("/c") == 1).await;
    origin.let_go();
    let busy = Origin::start().await;
    busy.serve("/page", Answer::ok(rss(&["p | Title of p"])).held());
    busy.serve("/d", Answer::ok(rss(&["d | Title of d"])));
    let adding = Running::start(&desk, &["source", "add", &busy.url("/page")]);
    until("the command asks", async || busy.count("/page") == 1).await;
    desk.run(&["source", "add", &busy.url("/d"), "--no-fetch"]);
    let other = held(&desk, &["/e"]).await;
    until("the daemon has looked at its schedule since", async || other.count("/e") == 1).await;
    assert_eq!(busy.count("/d"), 0);
    busy.let_go();
    adding.succeeds();
    until("it is the daemon's turn", async || busy.count("/d") == 1).await;
    assert_eq!(busy.most_at_once(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_waits_its_turn_at_the_server_to_which_it_leads() {
    let desk = Desk::new();
    let busy = held(&desk, &["/a", "/b"]).await;
    let door = Origin::start().await;
    door.serve("/hop", Answer::redirect(&busy.url("/b")));
    desk.run(&["source", "add", &door.url("/hop"), "--no-fetch"]);
    let first = Running::start(&desk, &["source", "poll", "1"]);
    until("the first is under way", async || busy.count("/a") == 1).await;
    let hopping = Running::start(&desk, &["source", "poll", "3"]);
    let store = Store::open(&desk.folder.path().join("news.db")).unwrap();
    let own = door.url("");
    until("the second was led on and gave the first server back", async || {
        let now = newsfold::domain::Timestamp::now();
        let origins = store.read(move |db| Ok(leases::active_leases(db, now)?.origins)).await.unwrap();
        door.count("/hop") == 1 && !origins.contains(&own)
    })
    .await;
    assert_eq!(busy.count("/b"), 0);
    busy.let_go();
    first.succeeds();
    hopping.succeeds();
    assert_eq!((busy.count("/b"), busy.most_at_once()), (1, 1));
}

#[tokio::test]
async fn what_a_killed_program_held_is_free_again_after_a_while() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve("/feed", Answer::ok(rss(&["1 | One"])));
    let id = world.add(&origin.url("/feed"), "a.example").await;
    let mut left = PollLease::new("a program that was killed");
    left.origin = Some(origin.url(""));
    let (now, until) = (world.now(), world.now() + jiff::SignedDuration::from_secs(60));
    assert!(world.store.write(move |db| leases::acquire(db, &left, id, now, until)).await.unwrap().is_none());
    world.start().await;
    let other = Origin::start().await;
    other.serve("/feed", Answer::ok(rss(&["2 | Two"])));
    let second = world.add(&other.url("/feed"), "b.example").await;
    world.polled(second, 1).await;
    assert_eq!(origin.requests().len(), 0);
    world.pass(jiff::SignedDuration::from_secs(61));
    world.polled(id, 1).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_told_to_end_holds_nobody_up() {
    let desk = Desk::new();
    let origin = held(&desk, &["/a"]).await;
    for (times, signal) in ["-INT", "-TERM"].into_iter().enumerate() {
        for arguments in [&["source", "poll", "1"][..], &["source", "add", &origin.url("/b")]] {
            origin.serve("/b", Answer::ok(rss(&["b | Title of b"])).held());
            let asked = origin.requests().len();
            let mut command = Running::start(&desk, arguments);
            until("it asks", async || origin.requests().len() > asked).await;
            assert!(Command::new("kill").args([signal, &command.process.id().to_string()]).status().unwrap().success());
            assert_eq!(command.process.wait().unwrap().code(), Some(1), "{arguments:?} after {signal}");
        }
        let polls = desk.json(&["source", "show", "1"])["polls"].clone();
        assert_eq!((polls.as_array().unwrap().len(), polls[0]["outcome"].as_str()), (times + 1, Some("abandoned")));
        assert_eq!((origin.count("/a"), origin.count("/b")), (times + 1, times + 1), "none had to wait for the other");
    }
}
