//! Tests the commands of the real binary.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss, rss_of_today};
use predicates::prelude::*;

#[tokio::test(flavor = "multi_thread")]
async fn source_can_be_added_polled_edited_paused_and_removed() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve(
        "/feed",
        StubResponse::ok(rss(&["1 | Grid fails in the north", "2 | Museum opens"])).header("etag", b"\"a\""),
    );
    let url = origin.url("/feed");
    let added = cli.run_json(&["source", "add", &url, "--tag", "World", "--priority", "-3", "--lang", "en-GB"]);
    assert_eq!(
        (added["tags"][0].as_str(), added["priority"].as_i64(), added["lang"].as_str()),
        (Some("world"), Some(-3), Some("en"))
    );
    assert_eq!(origin.requests().len(), 1, "adding takes one request");
    cli.assert_fails(&["source", "add", &url], "is already source 1");

    // Without a daemon, the command groups and publishes the polled items itself.
    assert_eq!(cli.run_json(&["story", "list"]).as_array().unwrap().len(), 2);
    let polled = cli.run_json(&["source", "poll", "1"]);
    assert_eq!(polled[0]["poll"]["outcome"], "not-modified");
    assert_eq!(origin.requests()[1].header("if-none-match").as_deref(), Some(&b"\"a\""[..]));

    cli.run(&["source", "edit", "1", "--title", "Mine", "--tag", "a", "--tag", "b"]);
    let shown = cli.run_json(&["source", "show", &url]);
    assert_eq!((shown["title"].as_str(), shown["tags"].to_string().as_str()), (Some("Mine"), "[\"a\",\"b\"]"));
    assert_eq!(shown["polls"].as_array().unwrap().len(), 2);
    cli.run(&["source", "edit", "1", "--title", ""]);
    assert_eq!(cli.run_json(&["source", "show", "1"])["title"], "News");

    cli.run(&["source", "pause", "1"]);
    assert_eq!(cli.run_json(&["source", "list"])[0]["state"], "paused");
    cli.run(&["source", "resume", "1"]);
    assert!(cli.run(&["source", "list", "--tag", "a"]).contains("News"));
    assert!(cli.run(&["source", "list", "--tag", "zzz"]).contains("no source has the tag ‘zzz’"));
    cli.assert_fails(&["source", "remove", "1"], "pass --yes to confirm");
    cli.run(&["source", "remove", "1", "--yes"]);
    cli.assert_fails(&["source", "show", "1"], "there is no source ‘1’");

    // When the source is added again, its items are recognized.
    cli.run(&["source", "add", &url]);
    assert_eq!(cli.run_json(&["db", "info"])["counts"]["items"], 2);
    assert!(cli.run(&["db", "check"]).contains("database OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn feed_of_a_web_page_is_found() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let page = "<!doctype html><html><head><title>P</title><link rel=\"alternate\" type=\"application/rss+xml\" \
                href=\"news.xml\"></head><body>Hello</body></html>";
    origin.serve("/", StubResponse::ok(page).header("content-type", b"text/html"));
    origin.serve("/news.xml", StubResponse::ok(rss(&["1 | One"])));
    assert_eq!(cli.run_json(&["source", "add", &origin.url("/")])["url"], origin.url("/news.xml"));
    origin.serve("/empty", StubResponse::ok("<!doctype html><p>nothing here</p>"));
    cli.assert_fails(&["source", "add", &origin.url("/empty")], "no feed found at");
    cli.assert_fails(&["source", "add", &origin.url("/missing")], "404");
    cli.run(&["source", "add", &origin.url("/missing"), "--no-fetch"]);
    cli.assert_fails(&["source", "add", "ftp://example.org/feed"], "is not an http or https URL");
    cli.assert_fails(&["source", "add", "http://10.0.0.1/feed"], "fetch.allowed_networks");
    cli.assert_fails(&["source", "poll", &origin.url("/missing")], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_lists_are_imported_exported_and_synchronized() {
    let cli = CliRunner::new();
    let opml = "<opml version=\"2.0\"><body><outline text=\"World\">\
        <outline type=\"rss\" text=\"A & B\" xmlUrl=\"https://a.example/feed?x=1&y=2\" htmlUrl=\"https://www.a.example/\"/>\
        <outline type=\"rss\" text=\"B\" xmlUrl=\"https://feeds.b.example/rss\"/>\
        <outline type=\"rss\" text=\"Bad\" xmlUrl=\"ftp://c.example/\"/></outline></body></opml>";
    let file = cli.write_file("list.opml", opml);
    let done = cli.run_json_failing(&["source", "import", &file]);
    assert_eq!((done["added"].as_i64(), done["unusable"].as_i64()), (Some(2), Some(1)));
    assert_eq!(cli.run_json_failing(&["source", "import", &file])["known"], 2);
    let all = cli.run_json(&["source", "list"]);
    assert_eq!((all[0]["outlet"].as_str(), all[0]["tags"][0].as_str()), (Some("a.example"), Some("world")));
    assert_eq!(all[1]["outlet"], "b.example");

    let exported = cli.write_file("export.opml", &cli.run(&["source", "export"]));
    assert!(cli.run(&["source", "sync", &exported, "--dry-run"]).contains("0 to add, 0 to change, 0 to remove"));
    let other = cli.write_file(
        "other.opml",
        "<opml version=\"2.0\"><body><outline text=\"New\" xmlUrl=\"https://d.example/feed\"/>\
         <outline text=\"Renamed\" xmlUrl=\"https://feeds.b.example/rss\"/></body></opml>",
    );
    cli.assert_fails(&["source", "sync", &other], "pass --yes to confirm");
    assert!(cli.run(&["source", "sync", &other, "--yes"]).contains("1 to add, 1 to change, 1 to remove"));
    let urls: Vec<String> =
        cli.run_json(&["source", "list"]).as_array().unwrap().iter().map(|s| s["url"].to_string()).collect();
    assert_eq!(urls, ["\"https://feeds.b.example/rss\"", "\"https://d.example/feed\""]);
    cli.assert_fails(&["source", "sync", &cli.write_file("x.opml", "not a list")], "is not an OPML file");
    cli.assert_fails(&["source", "sync", &file], "lines of");
}

#[tokio::test(flavor = "multi_thread")]
async fn story_and_item_commands_show_the_evidence() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve(
        "/feed",
        StubResponse::ok(rss_of_today(&[
            "1 | Marshal Dorn arrives in Veshna by armoured train | Marshal Dorn came to Veshna by armoured train",
            "2 | Armoured train brings Marshal Dorn to Veshna | The armoured train of Marshal Dorn is in Veshna",
            "3 | \u{202e}Esc\u{9b}ape | words",
        ])),
    );
    cli.run(&["source", "add", &origin.url("/feed")]);
    let list = cli.run_json(&["story", "list"]);
    let story = list.as_array().unwrap().iter().find(|s| s["items"].as_array().unwrap().len() == 2).unwrap();
    let id = story["id"].as_str().unwrap();
    let shown = cli.run(&["story", "show", &id[..6]]);
    assert!(shown.contains("shares ‘") && shown.contains("(threshold 0."), "{shown}");
    let item = story["items"][1]["id"].to_string();
    assert!(cli.run(&["item", "show", &item]).contains("why  "));
    assert!(!cli.run(&["story", "list"]).contains('\u{202e}'));
    cli.assert_fails(&["story", "show", "zzzzzzzzzzzz"], "there is no story");
    cli.assert_fails(&["story", "show", "u!"], "is not a story ID");
    cli.assert_fails(&["item", "show", "999"], "there is no item 999");
    assert!(cli.run(&["feed", "list"]).contains("http://127.0.0.1:8686/feeds/all.atom"));
    assert!(cli.run(&["feed", "preview", "all"]).contains("Marshal"));
    assert!(cli.run(&["feed", "preview", "all", "--format", "atom"]).contains("<entry>"));
    cli.assert_fails(&["feed", "preview", "nope"], "there is no feed ‘nope’");
}

#[test]
fn check_reports_on_a_document_without_storing_it() {
    let cli = CliRunner::new();
    let file =
        cli.write_file("feed.xml", "<rss version=\"9\"><channel><title>A & B</title><item><title>T</title></item>");
    let text = cli.run(&["check", &file]);
    assert!(text.contains("rss in UTF-8, 1 items") && text.contains("problem: "), "{text}");
    assert_eq!(cli.run_json(&["check", &file])["feed"]["title"], "A & B");
    cli.assert_fails(&["check", &cli.write_file("page.html", "<html><body>hello</body></html>")], "page.html");
    cli.assert_fails(&["check", "no-such-file"], "cannot read no-such-file");
}

#[test]
fn eval_scores_the_grouping() {
    let cli = CliRunner::new();
    let line = |id: &str, title: &str, story: u32| {
        format!(
            "{{\"id\":\"{id}\",\"outlet\":\"{id}.example\",\"published\":\"2026-01-01T00:00:0{story}Z\",\
             \"title\":\"{title}\",\"summary\":\"\",\"url\":\"https://{id}.example/\",\"story\":{story}}}\n"
        )
    };
    let gold = line("a", "Marshal Dorn reaches Veshna by armoured train", 1)
        + &line("b", "Marshal Dorn reaches Veshna by armoured train today", 1)
        + &line("c", "Museum opens new hall of paintings", 2);
    let (file, out) = (cli.write_file("gold.jsonl", &gold), cli.folder.path().join("out.jsonl"));
    let scores = cli.run_json(&["eval", &file, "--out", out.to_str().unwrap()]);
    assert_eq!((scores["pairs"]["f1"].as_f64(), scores["items"].as_u64()), (Some(1.0), Some(3)));
    assert_eq!(std::fs::read_to_string(out).unwrap().lines().count(), 3);
    let bad = cli.write_file("bad.jsonl", "{\"id\":1}\n");
    let message = "bad.jsonl is not a dataset of labeled items: invalid type: integer `1`, expected a string at line 1";
    cli.assert_fails(&["eval", &bad], message);
}

#[test]
fn configuration_error_names_its_line() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", "[serve]\nlisten = \"127.0.0.1:0\"\nlistn = 1\n");
    cli.assert_fails(&["serve"], "line 3");
    cli.write_file(
        "config.toml",
        "[serve]\nlisten = \"127.0.0.1:0\"\n[[publish.feeds]]\nname = \"x\"\nquery = \"AND AND\"\n",
    );
    cli.assert_fails(&["feed", "list"], "config.toml, line 5: the feed ‘x’ has query");
    cli.write_file("config.toml", "[daemon]\n# poll_retention\npoll_retention = \"5000000d\"\n");
    cli.assert_fails(&["serve"], "line 3");
    cli.write_file("config.toml", "[fetch]\nuser_agent = \"a\\nb\"\n");
    cli.assert_fails(&["source", "list"], "config.toml, line 2: fetch.user_agent");
    cli.command(&["source", "add"]).assert().code(2);
    cli.command(&["no-such-command"]).assert().code(2);
    cli.command(&["--config", "/no/such/file", "source", "list"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("/no/such/file"));
}

#[test]
fn manual_pages_and_completions_are_generated() {
    let cli = CliRunner::new();
    let folder = cli.folder.path().join("man");
    cli.run(&["man", folder.to_str().unwrap()]);
    assert!(folder.join("newsfold.1").exists() && folder.join("newsfold-source-add.1").exists());
    let page = std::fs::read_to_string(folder.join("newsfold.1")).unwrap();
    for section in ["EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
        assert!(page.contains(&format!(".SH \"{section}\"\n.nf\n  ")), "{section} is missing");
    }
    let mut pages = 0;
    for page in std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path()) {
        let text = std::fs::read_to_string(&page).unwrap();
        for section in ["EXIT STATUS", "ENVIRONMENT", "FILES"] {
            assert_eq!(text.matches(&format!(".SH \"{section}\"\n")).count(), 1, "{section} of {}", page.display());
        }
        pages += 1;
    }
    assert!(pages > 50, "{pages}");
    let page = std::fs::read_to_string(folder.join("newsfold-source-add.1")).unwrap();
    assert!(page.contains(".SH \"EXAMPLES\"\n.nf\n  newsfold source add example.org"), "{page}");
    let help = cli.run(&["source", "list", "--help"]);
    assert!(help.contains("Global options:"), "{help}");
    assert!(cli.run(&["source", "--help"]).contains("[alias: ls]"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(cli.run(&["completions", shell]).contains("newsfold"));
    }
    assert!(cli.run(&["--version"]).starts_with("newsfold 0."));
}
