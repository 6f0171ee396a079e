//! How the operator manages sources with the real binary: outlets, and the import and export of subscription lists.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};

/// A feed whose link is the URL of a site.
fn feed_of_site(site: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>News</title><link>{site}</link><language>en</language>\
         <item><guid>1</guid><title>Grid fails in the north</title></item></channel></rss>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn outlet_is_taken_from_the_feeds_site_unless_the_operator_set_one() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/bbc", StubResponse::ok(feed_of_site("https://www.bbc.co.uk/news")));
    origin.serve("/burner", StubResponse::ok(feed_of_site("http://feeds.feedburner.com/x")));
    cli.run(&["source", "add", &origin.url("/bbc"), "--no-fetch"]);
    let outlet = |source: &str| cli.run_json(&["source", "show", source])["outlet"].as_str().unwrap().to_owned();
    assert_eq!(outlet("1"), "127.0.0.1");
    assert!(cli.run(&["source", "show", "1"]).contains("guessed from its URL"));
    cli.run(&["source", "poll", "1"]);
    assert_eq!(outlet("1"), "bbc.co.uk");
    assert!(cli.run(&["source", "show", "1"]).contains("bbc.co.uk (from the feed's link)"));
    assert_eq!(cli.run_json(&["story", "list"])[0]["items"][0]["outlet"], "bbc.co.uk", "its items get the new outlet");

    // The outlet changes once, not with every poll.
    origin.serve("/bbc", StubResponse::ok(feed_of_site("https://elsewhere.example/")));
    cli.run(&["source", "poll", "1"]);
    assert_eq!(outlet("1"), "bbc.co.uk");

    cli.run(&["source", "add", &origin.url("/burner")]);
    assert_eq!(outlet("2"), "127.0.0.1", "a feed hosting service is not an outlet");
    cli.run(&["source", "edit", "2", "--outlet", "mine.example"]);
    origin.serve("/burner", StubResponse::ok(feed_of_site("https://other.example/")));
    cli.run(&["source", "poll", "2"]);
    assert_eq!(outlet("2"), "mine.example");
    cli.run(&["source", "edit", "2", "--outlet", ""]);
    assert_eq!(outlet("2"), "other.example");
}

const THREE: &str = "<opml version=\"2.0\">\n<body>\n<outline text=\"A\" xmlUrl=\"https://a.example/feed\"/>\n\
    <outline text=\"B\" xmlUrl=\"https://b.example/feed\"/>\n<outline text=\"C\" xmlUrl=\"https://c.example/feed\"/>\n\
    </body>\n</opml>\n";

#[test]
fn truncated_list_never_removes_a_source() {
    let cli = CliRunner::new();
    cli.run(&["source", "import", &cli.write_file("three.opml", THREE)]);
    let all = cli.source_urls();
    for cut in ["</opml>", "</body>", "<outline text=\"C\"", "c.example", "ample/feed\"/>\n</body>"] {
        let file = cli.write_file("cut.opml", &THREE[..THREE.find(cut).unwrap()]);
        for arguments in [&["source", "sync", &file, "--yes"][..], &["source", "sync", &file, "--dry-run"]] {
            cli.assert_fails(arguments, "cut.opml:");
            cli.assert_fails(arguments, "Nothing was changed");
            cli.assert_fails(arguments, "--lenient");
        }
        cli.command(&["source", "sync", &file, "--lenient"]).assert().code(1);
        assert_eq!(cli.source_urls(), all, "after a cut before {cut}");
    }
    let quote = THREE.replace("b.example/feed\"", "b.example/feed");
    cli.assert_fails(&["source", "sync", &cli.write_file("quote.opml", &quote), "--yes"], "quote.opml:4: ");
    let without_url = THREE.replace("https://b.example/feed", "");
    cli.assert_fails(
        &["source", "sync", &cli.write_file("empty.opml", &without_url), "--yes"],
        "empty.opml:4: ‘B’ has no address",
    );
    assert_eq!(cli.source_urls(), all);

    // An unescaped ampersand causes no loss.
    let ampersand = THREE.replace("text=\"B\"", "text=\"B & B\"");
    cli.run(&["source", "sync", &cli.write_file("ampersand.opml", &ampersand), "--yes"]);
    assert_eq!(cli.source_urls(), all);
    assert_eq!(cli.run_json(&["source", "show", "https://b.example/feed"])["title"], "B & B");
}

#[test]
fn import_adds_valid_outlines_and_reports_invalid_ones() {
    let cli = CliRunner::new();
    let list = "<opml>\n<outline text=\"A & A\" xmlUrl=\"https://a.example/?x=1&y=2\"/>\n\
        <outline text=\"Nowhere\" xmlUrl=\"\"/>\n<outline text=\"B\" xmlUrl=\"ht!tp:// foo\"/>\n\
        <outline text=\"C\" xmlUrl=\"https://c.example/fe";
    let file = cli.write_file("half.opml", list);
    let done = cli.run_json_failing(&["source", "import", &file]);
    assert_eq!((done["added"].as_u64(), done["unusable"].as_u64()), (Some(1), Some(3)));
    let lines: Vec<_> = done["unusable_lines"].as_array().unwrap().iter().map(|l| l["line"].as_u64()).collect();
    assert_eq!(lines, [Some(3), Some(4), Some(5)]);
    assert_eq!(done["ampersand_lines"].to_string(), "[2]");
    assert_eq!(cli.source_urls(), ["https://a.example/?x=1&y=2"], "the truncated URL is not added");

    let assert = cli.command(&["source", "import", &file]).assert().code(1);
    let stderr = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    for expected in [
        "half.opml:2: repaired: an unescaped & was read as a literal & on line 2",
        "half.opml:3: ‘Nowhere’ has no address",
        "half.opml:5: the file ends in the middle of this outline",
        "outlines may be missing",
    ] {
        assert!(stderr.contains(expected), "{expected} in {stderr}");
    }
    let good = cli.write_file("good.opml", "<opml>\n<outline text=\"A & A\" xmlUrl=\"https://d.example/\"/></opml>");
    assert_eq!(
        cli.run_json(&["source", "import", &good])["ampersand_lines"].to_string(),
        "[2]",
        "a repair is not a failure"
    );
}

#[test]
fn exported_list_is_imported_with_all_settings() {
    let (from, to) = (CliRunner::new(), CliRunner::new());
    let add = [
        "--tag",
        "x",
        "--title",
        "Mine",
        "--lang",
        "de",
        "--priority",
        "-7",
        "--outlet",
        "mine.example",
        "--full-text",
        "group",
    ];
    from.run(&[&["source", "add", "https://feeds.b.example/rss", "--no-fetch"][..], &add].concat());
    from.run(&["source", "add", "https://feeds.c.example/rss", "--no-fetch"]);
    let exported = to.write_file("list.opml", &from.run(&["source", "export"]));
    to.run(&["source", "import", &exported]);
    for url in ["https://feeds.b.example/rss", "https://feeds.c.example/rss"] {
        let facts = |cli: &CliRunner| {
            let shown = cli.run_json(&["source", "show", url]);
            ["title", "lang", "priority", "outlet", "outlet_provenance", "tags", "full_text"]
                .map(|name| shown[name].to_string())
        };
        assert_eq!(facts(&to), facts(&from));
    }
    assert!(to.run(&["source", "sync", &exported, "--dry-run"]).contains("0 to add, 0 to change, 0 to remove"));
    let mine = "https://feeds.b.example/rss";
    to.run(&["source", "edit", mine, "--outlet", "other.example", "--lang", "en", "--priority", "1"]);
    to.run(&["source", "sync", &exported]);
    let shown = to.run_json(&["source", "show", mine]);
    let facts = (shown["outlet"].as_str(), shown["lang"].as_str(), shown["priority"].as_i64());
    assert_eq!(facts, (Some("mine.example"), Some("de"), Some(-7)));
}
