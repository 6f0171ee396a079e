//! The real binary, as an operator types it.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Origin};
use crate::support::rss;
use predicates::prelude::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_source_lives_from_add_to_remove() {
    let (desk, origin) = (Desk::new(), Origin::start().await);
    origin
        .serve("/feed", Answer::ok(rss(&["1 | Grid fails in the north", "2 | Museum opens"])).header("etag", b"\"a\""));
    let url = origin.url("/feed");
    let added = desk.json(&["source", "add", &url, "--tag", "World", "--priority", "-3", "--lang", "en-GB"]);
    assert_eq!(
        (added["tags"][0].as_str(), added["priority"].as_i64(), added["lang"].as_str()),
        (Some("world"), Some(-3), Some("en"))
    );
    assert_eq!(origin.requests().len(), 1, "adding costs one request");
    desk.fails(&["source", "add", &url], "is already source 1");

    // Without a daemon the command line groups and publishes what it polled.
    assert_eq!(desk.json(&["story", "list"]).as_array().unwrap().len(), 2);
    let polled = desk.json(&["source", "poll", "1"]);
    assert_eq!(polled[0]["poll"]["outcome"], "not-modified");
    assert_eq!(origin.requests()[1].header("if-none-match").as_deref(), Some(&b"\"a\""[..]));

    desk.run(&["source", "edit", "1", "--title", "Mine", "--tag", "a", "--tag", "b"]);
    let shown = desk.json(&["source", "show", &url]);
    assert_eq!((shown["title"].as_str(), shown["tags"].to_string().as_str()), (Some("Mine"), "[\"a\",\"b\"]"));
    assert_eq!(shown["polls"].as_array().unwrap().len(), 2);
    desk.run(&["source", "edit", "1", "--title", ""]);
    assert_eq!(desk.json(&["source", "show", "1"])["title"], "News");

    desk.run(&["source", "pause", "1"]);
    assert_eq!(desk.json(&["source", "list"])[0]["state"], "paused");
    desk.run(&["source", "resume", "1"]);
    assert!(desk.run(&["source", "list", "--tag", "a"]).contains("News"));
    assert!(desk.run(&["source", "list", "--tag", "zzz"]).contains("no source has the tag ‘zzz’"));
    desk.fails(&["source", "remove", "1"], "pass --yes to confirm");
    desk.run(&["source", "remove", "1", "--yes"]);
    desk.fails(&["source", "show", "1"], "there is no source ‘1’");

    // Its items keep their identity when it comes back.
    desk.run(&["source", "add", &url]);
    assert_eq!(desk.json(&["db", "info"])["counts"]["items"], 2);
    assert!(desk.run(&["db", "check"]).contains("database OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_finds_its_feed() {
    let (desk, origin) = (Desk::new(), Origin::start().await);
    let page = "<!doctype html><html><head><title>P</title><link rel=\"alternate\" type=\"application/rss+xml\" \
                href=\"news.xml\"></head><body>Hello</body></html>";
    origin.serve("/", Answer::ok(page).header("content-type", b"text/html"));
    origin.serve("/news.xml", Answer::ok(rss(&["1 | One"])));
    assert_eq!(desk.json(&["source", "add", &origin.url("/")])["url"], origin.url("/news.xml"));
    origin.serve("/empty", Answer::ok("<!doctype html><p>nothing here</p>"));
    desk.fails(&["source", "add", &origin.url("/empty")], "no feed found at");
    desk.fails(&["source", "add", &origin.url("/missing")], "404");
    desk.run(&["source", "add", &origin.url("/missing"), "--no-fetch"]);
    desk.fails(&["source", "add", "ftp://example.org/feed"], "newsfold polls http and https");
    desk.fails(&["source", "add", "http://10.0.0.1/feed"], "fetch.allowed_networks");
    desk.fails(&["source", "poll", &origin.url("/missing")], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_in_and_out_as_opml() {
    let desk = Desk::new();
    let opml = "<opml version=\"2.0\"><body><outline text=\"World\">\
        <outline type=\"rss\" text=\"A & B\" xmlUrl=\"https://a.example/feed?x=1&y=2\" htmlUrl=\"https://www.a.example/\"/>\
        <outline type=\"rss\" text=\"B\" xmlUrl=\"https://feeds.b.example/rss\"/>\
        <outline type=\"rss\" text=\"Bad\" xmlUrl=\"ftp://c.example/\"/></outline></body></opml>";
    let file = desk.file("list.opml", opml);
    let done = desk.json_of_failure(&["source", "import", &file]);
    assert_eq!((done["added"].as_i64(), done["unusable"].as_i64()), (Some(2), Some(1)));
    assert_eq!(desk.json_of_failure(&["source", "import", &file])["known"], 2);
    let all = desk.json(&["source", "list"]);
    assert_eq!((all[0]["outlet"].as_str(), all[0]["tags"][0].as_str()), (Some("a.example"), Some("world")));
    assert_eq!(all[1]["outlet"], "b.example");

    let exported = desk.file("export.opml", &desk.run(&["source", "export"]));
    assert!(desk.run(&["source", "sync", &exported, "--dry-run"]).contains("0 to add, 0 to change, 0 to remove"));
    let other = desk.file(
        "other.opml",
        "<opml version=\"2.0\"><body><outline text=\"New\" xmlUrl=\"https://d.example/feed\"/>\
         <outline text=\"Renamed\" xmlUrl=\"https://feeds.b.example/rss\"/></body></opml>",
    );
    desk.fails(&["source", "sync", &other], "pass --yes to confirm");
    assert!(desk.run(&["source", "sync", &other, "--yes"]).contains("1 to add, 1 to change, 1 to remove"));
    let urls: Vec<String> =
        desk.json(&["source", "list"]).as_array().unwrap().iter().map(|s| s["url"].to_string()).collect();
    assert_eq!(urls, ["\"https://feeds.b.example/rss\"", "\"https://d.example/feed\""]);
    desk.fails(&["source", "sync", &desk.file("x.opml", "not a list")], "is not an OPML file");
    desk.fails(&["source", "sync", &file], "lines of");
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_and_items_say_why() {
    let (desk, origin) = (Desk::new(), Origin::start().await);
    origin.serve(
        "/feed",
        Answer::ok(rss(&[
            "1 | Marshal Dorn arrives in Veshna by armoured train | Marshal Dorn came to Veshna by armoured train",
            "2 | Armoured train brings Marshal Dorn to Veshna | The armoured train of Marshal Dorn is in Veshna",
            "3 | \u{202e}Esc\u{9b}ape | words",
        ])),
    );
    desk.run(&["source", "add", &origin.url("/feed")]);
    let list = desk.json(&["story", "list"]);
    let story = list.as_array().unwrap().iter().find(|s| s["items"].as_array().unwrap().len() == 2).unwrap();
    let id = story["id"].as_str().unwrap();
    let shown = desk.run(&["story", "show", &id[..6]]);
    assert!(shown.contains("shares ‘") && shown.contains("(threshold 0."), "{shown}");
    let item = story["items"][1]["id"].to_string();
    assert!(desk.run(&["item", "show", &item]).contains("why  "));
    assert!(!desk.run(&["story", "list"]).contains('\u{202e}'));
    desk.fails(&["story", "show", "zzzzzzzzzzzz"], "there is no story");
    desk.fails(&["story", "show", "u!"], "is not a story id");
    desk.fails(&["item", "show", "999"], "there is no item 999");
    assert!(desk.run(&["feed", "list"]).contains("http://127.0.0.1:8686/feeds/all.atom"));
    assert!(desk.run(&["feed", "preview", "all"]).contains("Marshal"));
    assert!(desk.run(&["feed", "preview", "all", "--format", "atom"]).contains("<entry>"));
    desk.fails(&["feed", "preview", "nope"], "there is no feed ‘nope’");
}

#[test]
fn a_document_can_be_checked_without_storing_it() {
    let desk = Desk::new();
    let file = desk.file("feed.xml", "<rss version=\"9\"><channel><title>A & B</title><item><title>T</title></item>");
    let text = desk.run(&["check", &file]);
    assert!(text.contains("rss in UTF-8, 1 items") && text.contains("problem: "), "{text}");
    assert_eq!(desk.json(&["check", &file])["feed"]["title"], "A & B");
    desk.fails(&["check", &desk.file("page.html", "<html><body>hello</body></html>")], "page.html");
    desk.fails(&["check", "no-such-file"], "cannot read no-such-file");
}

#[test]
fn grouping_can_be_scored() {
    let desk = Desk::new();
    let line = |id: &str, title: &str, story: u32| {
        format!(
            "{{\"id\":\"{id}\",\"outlet\":\"{id}.example\",\"published\":\"2026-01-01T00:00:0{story}Z\",\
             \"title\":\"{title}\",\"summary\":\"\",\"url\":\"https://{id}.example/\",\"story\":{story}}}\n"
        )
    };
    let gold = line("a", "Marshal Dorn reaches Veshna by armoured train", 1)
        + &line("b", "Marshal Dorn reaches Veshna by armoured train today", 1)
        + &line("c", "Museum opens new hall of paintings", 2);
    let (file, out) = (desk.file("gold.jsonl", &gold), desk.folder.path().join("out.jsonl"));
    let scores = desk.json(&["eval", &file, "--out", out.to_str().unwrap()]);
    assert_eq!((scores["pairs"]["f1"].as_f64(), scores["items"].as_u64()), (Some(1.0), Some(3)));
    assert_eq!(std::fs::read_to_string(out).unwrap().lines().count(), 3);
    desk.fails(&["eval", &desk.file("bad.jsonl", "{\"id\":1}\n")], "bad.jsonl: line 1");
}

#[test]
fn a_bad_configuration_points_at_its_line() {
    let desk = Desk::new();
    desk.file("config.toml", "[serve]\nlisten = \"127.0.0.1:0\"\nlistn = 1\n");
    desk.fails(&["serve"], "line 3");
    desk.file(
        "config.toml",
        "[serve]\nlisten = \"127.0.0.1:0\"\n[[publish.feeds]]\nname = \"x\"\nquery = \"AND AND\"\n",
    );
    desk.fails(&["feed", "list"], "config.toml, line 5: the feed ‘x’ has query");
    desk.file("config.toml", "[daemon]\n# poll_retention\npoll_retention = \"5000000d\"\n");
    desk.fails(&["serve"], "line 3");
    desk.file("config.toml", "[fetch]\nuser_agent = \"a\\nb\"\n");
    desk.fails(&["source", "list"], "config.toml, line 2: fetch.user_agent");
    desk.newsfold(&["source", "add"]).assert().code(2);
    desk.newsfold(&["no-such-command"]).assert().code(2);
    desk.newsfold(&["--config", "/no/such/file", "source", "list"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("/no/such/file"));
}

#[test]
fn manual_pages_and_completions_are_made() {
    let desk = Desk::new();
    let folder = desk.folder.path().join("man");
    desk.run(&["man", folder.to_str().unwrap()]);
    assert!(folder.join("newsfold.1").exists() && folder.join("newsfold-source-add.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        assert!(desk.run(&["completions", shell]).contains("newsfold"));
    }
    assert!(desk.run(&["--version"]).starts_with("newsfold 0."));
}
