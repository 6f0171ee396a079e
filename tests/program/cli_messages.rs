//! What the command line says: JSON wherever it is asked for, and a next step wherever something is wrong.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Origin};
use crate::support::rss;
use crate::support::world::World;
use predicates::prelude::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_command_answers_in_json_when_it_is_asked_to() {
    let (desk, origin) = (Desk::new(), Origin::start().await);
    origin.serve("/feed", Answer::ok(rss(&["1 | Grid fails in the north"])));
    origin.serve("/other", Answer::ok(rss(&["2 | Museum opens"])));
    let (feed, other) = (origin.url("/feed"), origin.url("/other"));
    let list = format!("<opml><outline text=\"A\" xmlUrl=\"{feed}\"/></opml>");
    let list = desk.file("list.opml", &list);
    let both = format!("<opml><outline text=\"A\" xmlUrl=\"{feed}\"/><outline text=\"B\" xmlUrl=\"{other}\"/></opml>");
    let both = desk.file("both.opml", &both);
    let file = desk.file("feed.xml", &rss(&["1 | One"]));

    assert_eq!(desk.json(&["source", "add", &feed])["outlet"], "127.0.0.1");
    assert_eq!(desk.json(&["source", "add", &other, "--no-fetch"])["id"], 2);
    assert_eq!(desk.json(&["source", "list"])[1]["id"], 2);
    assert_eq!(desk.json(&["source", "list", "--tag", "none"]).to_string(), "[]");
    assert_eq!(desk.json(&["source", "show", "1"])["polls"][0]["outcome"], "read");
    assert_eq!(desk.json(&["source", "edit", "1", "--title", "Mine"])["title"], "Mine");
    assert_eq!(desk.json(&["source", "pause", "1", "2"])[1]["state"], "paused");
    assert_eq!(desk.json(&["source", "resume", "1", "2"])[0]["state"], "active");
    assert_eq!(desk.json(&["source", "poll", "2"])[0]["poll"]["outcome"], "read");
    assert_eq!(desk.json(&["source", "import", &both])["known"], 2);
    assert_eq!(desk.json(&["source", "export"])[0]["xml_url"], feed);
    let planned = desk.json(&["source", "sync", &list, "--dry-run"]);
    assert_eq!((planned["done"].as_bool(), planned["remove"][0]["source"].as_i64()), (Some(false), Some(2)));
    let done = desk.json(&["source", "sync", &list, "--yes"]);
    assert_eq!((done["done"].as_bool(), done["remove"][0]["url"].as_str()), (Some(true), Some(other.as_str())));
    assert_eq!(desk.json(&["source", "remove", "1", "--yes"])[0]["state"], "removed");
    let story = desk.json(&["story", "list"])[0]["id"].as_str().unwrap().to_owned();
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
        desk.json(arguments);
    }
    assert_eq!(desk.json(&["db", "check"])["whole"], true);
}

#[test]
fn a_database_that_cannot_be_says_where_another_may_be() {
    let desk = Desk::new();
    let with = |database: &str| {
        let mut command = desk.newsfold(&["source", "list"]);
        command.env("NEWSFOLD_DATABASE", database);
        command
    };
    let folder = desk.folder.path().to_str().unwrap().to_owned();
    for nowhere in ["/proc/x/y.db", &folder, &desk.file("in-the-way", "x").replace("in-the-way", "in-the-way/y.db")] {
        with(nowhere).assert().code(1).stderr(predicate::str::contains("Choose a place that this user may write"));
        let mut serve = desk.newsfold(&["serve"]);
        serve.env("NEWSFOLD_DATABASE", nowhere);
        serve.assert().code(1).stderr(predicate::str::contains("Choose a place that this user may write"));
    }
    let text = desk.file("notes.txt", &"These are notes and no database. ".repeat(100));
    with(&text)
        .assert()
        .code(1)
        .stderr(predicate::str::contains("Move the file away, or choose another one with --database"));
}

#[test]
fn a_wrong_argument_is_told_what_would_be_right() {
    let desk = Desk::new();
    for no_url in ["ht!tp:// foo", "http://", "a b", "://x", ""] {
        desk.fails(&["source", "add", no_url, "--no-fetch"], "is not a valid URL; write one such as https://");
    }
    desk.run(&["source", "add", "news.example/feed", "--no-fetch"]);
    desk.run(&["source", "add", "news.example:8080/feed", "--no-fetch"]);
    assert_eq!(desk.urls(), ["https://news.example/feed", "https://news.example:8080/feed"]);
    let nothing = desk.newsfold(&["source", "edit", "1"]).assert().code(2);
    let said = String::from_utf8(nothing.get_output().stderr.clone()).unwrap();
    for option in ["--url", "--outlet", "--title", "--lang", "--priority", "--tag"] {
        assert!(said.contains(option), "{said}");
    }
    let list = |arguments: &[&str]| desk.run(&[&["source", "list"], arguments].concat());
    assert!(list(&["--tag", "nothere"]).contains("no source has the tag ‘nothere’"));
    assert!(list(&["--problems"]).contains("no source has a problem"));
    desk.fails(&["eval", &desk.file("empty.jsonl", "\n")], "contains no items");
}

#[tokio::test]
async fn a_wrong_selection_in_an_address_is_told_what_would_be_right() {
    let mut world = World::new();
    world.start().await;
    for wrong in ["x", "-1", "1.5"] {
        let answer = reqwest::get(format!("{}/?outlets={wrong}", world.base)).await.unwrap();
        assert_eq!(answer.status(), 400);
        let page = answer.text().await.unwrap();
        assert!(page.contains("<h1>Invalid query</h1>") && page.contains("/?outlets=3"), "{page}");
    }
    world.get("/?outlets=3").await;
    world.stop().await;
}
