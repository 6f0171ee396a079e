//! Tests the output of the command line: JSON on request, and error messages that suggest a next step.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::rss;
use crate::support::test_daemon::TestDaemon;
use predicates::prelude::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_json_on_request() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(rss(&["1 | Grid fails in the north"])));
    origin.serve("/other", StubResponse::ok(rss(&["2 | Museum opens"])));
    let (feed, other) = (origin.url("/feed"), origin.url("/other"));
    let list = format!("<opml><outline text=\"A\" xmlUrl=\"{feed}\"/></opml>");
    let list = cli.write_file("list.opml", &list);
    let both = format!("<opml><outline text=\"A\" xmlUrl=\"{feed}\"/><outline text=\"B\" xmlUrl=\"{other}\"/></opml>");
    let both = cli.write_file("both.opml", &both);
    let file = cli.write_file("feed.xml", &rss(&["1 | One"]));

    assert_eq!(cli.run_json(&["source", "add", &feed])["outlet"], "127.0.0.1");
    assert_eq!(cli.run_json(&["source", "add", &other, "--no-fetch"])["id"], 2);
    assert_eq!(cli.run_json(&["source", "list"])[1]["id"], 2);
    assert_eq!(cli.run_json(&["source", "list", "--tag", "none"]).to_string(), "[]");
    assert_eq!(cli.run_json(&["source", "show", "1"])["polls"][0]["outcome"], "read");
    assert_eq!(cli.run_json(&["source", "edit", "1", "--title", "Mine"])["title"], "Mine");
    assert_eq!(cli.run_json(&["source", "pause", "1", "2"])[1]["state"], "paused");
    assert_eq!(cli.run_json(&["source", "resume", "1", "2"])[0]["state"], "active");
    assert_eq!(cli.run_json(&["source", "poll", "2"])[0]["poll"]["outcome"], "read");
    assert_eq!(cli.run_json(&["source", "import", &both])["known"], 2);
    assert_eq!(cli.run_json(&["source", "export"])[0]["xml_url"], feed);
    let planned = cli.run_json(&["source", "sync", &list, "--dry-run"]);
    assert_eq!((planned["done"].as_bool(), planned["remove"][0]["source"].as_i64()), (Some(false), Some(2)));
    let done = cli.run_json(&["source", "sync", &list, "--yes"]);
    assert_eq!((done["done"].as_bool(), done["remove"][0]["url"].as_str()), (Some(true), Some(other.as_str())));
    assert_eq!(cli.run_json(&["source", "remove", "1", "--yes"])[0]["state"], "removed");
    let story = cli.run_json(&["story", "list"])[0]["id"].as_str().unwrap().to_owned();
    for arguments in [
        &["db", "info"][..],
        &["story", "show", &story],
        &["item", "show", "1"],
        &["feed", "list"],
        &["feed", "preview", "all"],
        &["feed", "subscribers"],
        &["feed", "hubs"],
        &["check", &file],
    ] {
        cli.run_json(arguments);
    }
    assert_eq!(cli.run_json(&["db", "check"])["whole"], true);
}

#[test]
fn error_for_an_unusable_database_path_suggests_another_path() {
    let cli = CliRunner::new();
    let with = |database: &str| {
        let mut command = cli.command(&["source", "add", "https://a.example/feed", "--no-fetch"]);
        command.env("NEWSFOLD_DATABASE", database);
        command
    };
    let folder = cli.folder.path().to_str().unwrap().to_owned();
    for unusable in
        ["/proc/x/y.db", &folder, &cli.write_file("in-the-way", "x").replace("in-the-way", "in-the-way/y.db")]
    {
        with(unusable)
            .assert()
            .code(1)
            .stderr(predicate::str::contains("Choose a path that the current user can write to"));
        let mut serve = cli.command(&["serve"]);
        serve.env("NEWSFOLD_DATABASE", unusable);
        serve.assert().code(1).stderr(predicate::str::contains("Choose a path that the current user can write to"));
    }
    let text = cli.write_file("notes.txt", &"These are notes and no database. ".repeat(100));
    with(&text)
        .assert()
        .code(1)
        .stderr(predicate::str::contains("Move the file away, or choose another file with --database"));
}

#[test]
fn list_of_sources_can_be_selected_sorted_and_read_by_other_programs() {
    let cli = CliRunner::new();
    for name in ["b", "c", "a"] {
        cli.run(&["source", "add", &format!("https://{name}.example/feed"), "--no-fetch", "--tag", name]);
    }
    cli.run(&["source", "pause", "2"]);
    let numbers = |arguments: &[&str]| {
        let list = cli.run_json(&[&["source", "ls"], arguments].concat());
        list.as_array().unwrap().iter().map(|source| source["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&[]), [3, 1, 2]);
    assert_eq!(numbers(&["--sort", "number", "--limit", "2"]), [1, 2]);
    assert_eq!(numbers(&["--state", "paused"]), [2]);
    assert_eq!(numbers(&["--state", "gone"]), Vec::<i64>::new());
    let text = cli.run(&["source", "list"]);
    assert_eq!(text.lines().count(), 4, "a heading and one line per source, without rules: {text}");
    assert_eq!(cli.run_json(&["source", "export", "--tag", "c"])[0]["xml_url"], "https://c.example/feed");
}

#[test]
fn reading_command_does_not_create_a_database() {
    let cli = CliRunner::new();
    for arguments in
        [&["source", "list"][..], &["status"], &["db", "check"], &["story", "list"], &["db", "backup", "x.db"]]
    {
        cli.assert_fails(arguments, "there is no database");
    }
    assert!(!cli.folder.path().join("news.db").exists());
}

#[test]
fn error_for_an_invalid_argument_shows_valid_ones() {
    let cli = CliRunner::new();
    for invalid_url in ["ht!tp:// foo", "http://", "a b", "://x", ""] {
        cli.assert_fails(
            &["source", "add", invalid_url, "--no-fetch"],
            "is not a valid URL; enter one such as https://",
        );
    }
    cli.run(&["source", "add", "news.example/feed", "--no-fetch"]);
    cli.run(&["source", "add", "news.example:8080/feed", "--no-fetch"]);
    assert_eq!(cli.source_urls(), ["https://news.example/feed", "https://news.example:8080/feed"]);
    let nothing = cli.command(&["source", "edit", "1"]).assert().code(2);
    let said = String::from_utf8(nothing.get_output().stderr.clone()).unwrap();
    for option in ["--url", "--outlet", "--title", "--lang", "--priority", "--tag"] {
        assert!(said.contains(option), "{said}");
    }
    let list = |arguments: &[&str]| cli.run(&[&["source", "list"], arguments].concat());
    assert!(list(&["--tag", "nothere"]).contains("no source has the tag ‘nothere’"));
    assert!(list(&["--problems"]).contains("no source has a problem"));
    cli.assert_fails(&["eval", &cli.write_file("empty.jsonl", "\n")], "contains no items");
}

#[test]
fn messages_name_the_mistake_and_the_next_step() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    assert!(cli.run(&["db", "info"]).contains("\n1 source, 0 items"));
    cli.assert_fails(&["db", "backup", "-"], "a backup cannot be written to stdout");
    cli.assert_fails(&["db", "backup", "/no/such/x.db"], "there is no directory /no/such; create it first");
    cli.command(&["source", "list", "--limit", "0"]).assert().code(2);
    cli.run(&["db", "vacuum"]);
    assert!(cli.run(&["db", "vacuum"]).contains("the database has no unused space; its size stays "));
    let exported = cli.command(&["source", "export", "--tag", "typo"]).assert().success();
    exported.stderr(predicate::str::contains("no source has the tag ‘typo’"));
    cli.write_file("config.toml", "[publish]\nbase_url = \"news.example.org\"\n");
    cli.assert_fails(&["config", "check"], "‘news.example.org’ has no scheme; write \"https://news.example.org\"");
}

#[tokio::test]
async fn page_for_an_invalid_query_links_to_a_valid_one() {
    let mut daemon = TestDaemon::new();
    daemon.start().await;
    for wrong in ["x", "-1", "1.5"] {
        let answer = reqwest::get(format!("{}/?outlets={wrong}", daemon.base)).await.unwrap();
        assert_eq!(answer.status(), 400);
        let page = answer.text().await.unwrap();
        assert!(page.contains("<h1>Invalid query</h1>") && page.contains("/?outlets=3"), "{page}");
    }
    daemon.get("/?outlets=3").await;
    daemon.stop().await;
}
