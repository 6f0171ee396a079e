//! Tests source management with the real binary: outlets, and the import and export of subscription lists.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::skipped;

/// Returns a feed with a link to a site.
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
    assert!(cli.run(&["source", "show", "1"]).contains("guessed from the feed's URL"));
    cli.run(&["source", "poll", "1"]);
    assert_eq!(outlet("1"), "bbc.co.uk");
    assert!(cli.run(&["source", "show", "1"]).contains("bbc.co.uk (from the feed's link)"));
    assert_eq!(cli.run_json(&["story", "list"])[0]["items"][0]["outlet"], "bbc.co.uk", "its items get the new outlet");

    // The outlet changes only once, not with every poll.
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

#[test]
fn feed_in_two_folders_gets_the_tags_of_both() {
    let cli = CliRunner::new();
    let outline = |attributes: &str| format!("<outline xmlUrl=\"{attributes}/>");
    let list = format!(
        "<opml><outline text=\"Sea\">{}</outline><outline text=\"Food &amp;amp; Drink\">{}</outline>{}</opml>",
        outline("https://a.example/feed\" text=\"A\""),
        outline("HTTPS://A.example:443/feed#top\" text=\"Other\" newsfold:priority=\"4\""),
        outline("https://a.example/feed\" category=\"/ports,fish\" language=\"fi\""),
    );
    let file = cli.write_file("folders.opml", &list);
    let done = cli.run_json(&["source", "import", &file, "--tag", "new"]);
    assert_eq!((done["added"].as_i64(), done["repeated"].as_i64()), (Some(1), Some(2)));
    let shown = cli.run_json(&["source", "show", "1"]);
    assert_eq!(shown["tags"].to_string(), "[\"fish\",\"food & drink\",\"new\",\"ports\",\"sea\"]");
    assert_eq!((shown["title"].as_str(), shown["lang"].as_str()), (Some("A"), Some("fi")));
    assert_eq!(shown["priority"].as_i64(), Some(4));
    assert!(cli.run(&["source", "sync", &file, "--yes"]).contains("0 to add, 1 to change, 0 to remove"));
    assert_eq!(
        cli.run_json(&["source", "show", "1"])["tags"].to_string(),
        "[\"fish\",\"food & drink\",\"ports\",\"sea\"]"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_with_the_schemes_of_feed_readers_are_read_everywhere() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(feed_of_site("https://a.example/")));
    origin.serve("/moved", StubResponse::ok(feed_of_site("https://a.example/")));
    let host = origin.url("/").trim_start_matches("http://").trim_end_matches('/').to_owned();
    cli.run(&["source", "add", &format!("feed://{host}/feed")]);
    cli.assert_fails(&["source", "add", &format!("FEED:http://{host}/feed")], "is already source 1");
    assert_eq!(cli.run_json(&["source", "show", &format!("feed:http://{host}/feed")])["id"], 1);
    assert!(cli.run(&["check", &format!("feed:{}", origin.url("/feed"))]).contains("1 items"));
    cli.run(&["source", "edit", "1", "--url", &format!("feed://{host}/moved")]);
    assert_eq!(cli.source_urls(), [origin.url("/moved")]);
    let list = "<opml><outline xmlUrl=\"feed:https://b.example/rss\"/><outline xmlUrl=\"Feed://c.example/rss\"/>\
                <outline xmlUrl=\"itpc://d.example/rss\"/></opml>";
    cli.run(&["source", "sync", &cli.write_file("feed.opml", list), "--yes"]);
    assert_eq!(cli.source_urls(), ["http://c.example/rss", "http://d.example/rss", "https://b.example/rss"]);
}

#[test]
fn addresses_that_probably_serve_the_same_feed_are_reported() {
    let cli = CliRunner::new();
    let stderr = |arguments: &[&str]| {
        let assert = cli.command(arguments).assert().success();
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let list = "<opml>\n<outline xmlUrl=\"https://a.example/feed\"/>\n<outline xmlUrl=\"http://a.example/feed\"/>\n\
                <outline xmlUrl=\"https://www.a.example/feed/\"/>\n<outline xmlUrl=\"https://a.example/feed?x=1\"/></opml>";
    let file = cli.write_file("both.opml", list);
    let done = cli.run_json(&["source", "import", &file]);
    assert_eq!(done["added"], 4, "only the operator knows whether they are equal");
    let lines: Vec<_> = done["similar"].as_array().unwrap().iter().map(|similar| similar["line"].as_i64()).collect();
    assert_eq!(lines, [Some(3), Some(4)]);
    let message = "both.opml:3: http://a.example/feed may be the same feed as https://a.example/feed";
    assert!(stderr(&["source", "sync", &file]).contains(message));
    let known = cli.write_file("known.opml", "<opml><outline xmlUrl=\"http://a.example/feed?x=1\"/></opml>");
    assert!(stderr(&["source", "import", &known]).contains("may be the same feed as https://a.example/feed?x=1"));
    cli.run(&["source", "add", "https://b.example/rss", "--no-fetch"]);
    let message = "may be the same feed as source 6 (https://b.example/rss)";
    assert!(stderr(&["source", "add", "http://b.example/rss/", "--no-fetch"]).contains(message));
    let other = "https://b.example/other";
    assert!(!stderr(&["source", "edit", "7", "--url", other, "--no-fetch"]).contains("may be the same feed"));
    assert!(stderr(&["source", "edit", "7", "--url", "http://b.example/rss", "--no-fetch"]).contains(message));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_url_of_a_source_is_checked_like_the_url_of_a_new_source() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/old", StubResponse::ok(feed_of_site("https://a.example/")));
    origin.serve("/other", StubResponse::ok(feed_of_site("https://b.example/")));
    for path in ["/old", "/other"] {
        cli.run(&["source", "add", &origin.url(path)]);
    }
    let edit = |path: &str, more: &[&str]| {
        let url = origin.url(path);
        cli.command(&[&["source", "edit", "1", "--title", "Mine", "--url", &url], more].concat()).output().unwrap()
    };
    origin.serve("/page", StubResponse::ok("<!doctype html><p>Hello"));
    for (path, reason) in
        [("/page", "no feed found at"), ("/missing", "404"), ("/other", "source 2 already has the URL")]
    {
        let refused = edit(path, &[]);
        let message = String::from_utf8(refused.stderr).unwrap();
        assert!(refused.status.code() == Some(1) && message.contains(reason), "{path}: {message}");
    }
    let shown = cli.run_json(&["source", "show", "1"]);
    assert_eq!((shown["url"].as_str(), shown["title"].as_str()), (Some(&*origin.url("/old")), Some("News")));

    let requests = origin.requests().len();
    origin.serve("/home", StubResponse::ok("<!doctype html><link rel=alternate type='application/rss+xml' href=/new>"));
    origin.serve("/new", StubResponse::ok(feed_of_site("https://a.example/")).header("etag", b"\"n\""));
    assert!(edit("/home", &[]).status.success());
    assert_eq!(origin.requests().len() - requests, 2, "the page and its feed");
    let shown = cli.run_json(&["source", "show", "1"]);
    assert_eq!((shown["url"].as_str(), shown["title"].as_str()), (Some(&*origin.url("/new")), Some("Mine")));
    assert_eq!(shown["polls"][0]["outcome"], "read", "the request is recorded as a poll");
    assert_eq!(cli.run_json(&["db", "info"])["counts"]["items"], 2, "the item of the source keeps its identity");
    let polled = cli.run_json(&["source", "poll", "1"]);
    assert_eq!(polled[0]["poll"]["outcome"], "not-modified");

    let requests = origin.requests().len();
    assert!(edit("/new", &[]).status.success(), "the same URL is not fetched again");
    assert!(edit("/missing", &["--no-fetch"]).status.success());
    assert_eq!(origin.requests().len(), requests);
    assert_eq!(cli.run_json(&["source", "show", "1"])["url"], origin.url("/missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn page_that_redirects_browsers_is_followed_once() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let refresh = |target: &str| {
        StubResponse::ok(format!("<html><head><meta http-equiv=\"refresh\" content=\"0; url={target}\"></head></html>"))
    };
    origin.serve("/", refresh("/en/"));
    origin.serve("/en/", StubResponse::ok("<!doctype html><link rel=feed href=/en/rss>"));
    origin.serve("/en/rss", StubResponse::ok(feed_of_site("https://a.example/")));
    origin.serve("/short", refresh("/direct"));
    origin.serve("/direct", StubResponse::ok(feed_of_site("https://a.example/")));
    origin.serve("/loop", refresh("/loop/loop"));
    origin.serve("/loop/loop", refresh("/loop"));
    assert_eq!(cli.run_json(&["source", "add", &origin.url("/")])["url"], origin.url("/en/rss"));
    assert_eq!(cli.run_json(&["source", "add", &origin.url("/short")])["url"], origin.url("/direct"));
    let requests = origin.requests().len();
    let target = format!("redirects browsers to {}", origin.url("/loop"));
    cli.assert_fails(&["source", "add", &origin.url("/loop")], &target);
    assert_eq!(origin.requests().len() - requests, 2);
    cli.assert_fails(&["check", &origin.url("/")], &format!("redirects browsers to {}", origin.url("/en/")));
}

#[test]
fn dash_reads_stdin() {
    let cli = CliRunner::new();
    let run = |arguments: &[&str], input: &str, code| {
        let assert = cli.command(arguments).write_stdin(input).assert().code(code);
        let output = assert.get_output();
        String::from_utf8([&*output.stdout, &*output.stderr].concat()).unwrap()
    };
    let list = "<opml>\n<outline xmlUrl=\"https://a.example/feed\"/>\n<outline text=\"B\" xmlUrl=\"\"/></opml>";
    assert!(run(&["source", "import", "-"], list, 1).contains("stdin:3: ‘B’ has no address"));
    assert_eq!(cli.source_urls(), ["https://a.example/feed"]);
    let other = "<opml><outline xmlUrl=\"https://b.example/feed\"/></opml>";
    assert!(run(&["source", "sync", "-"], other, 1).contains("pass --yes to confirm"));
    assert!(run(&["source", "sync", "-", "--yes"], other, 0).contains("1 to add, 0 to change, 1 to remove"));
    assert!(run(&["source", "import", "-"], "no list", 1).contains("stdin is not an OPML file"));
    assert!(run(&["check", "-"], &feed_of_site("https://a.example/"), 0).contains("1 items"));
}

#[tokio::test(flavor = "multi_thread")]
async fn publication_of_an_item_is_shown_and_counts_as_an_outlet_for_aggregators_only() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let rss = "<rss version='2.0'><channel><title>Picks</title><item><guid>1</guid><title>Lamp lit again</title>\
               <link>https://picks.example/1</link><source url='https://quay.example/feed'>Quay &amp; Mole</source>\
               </item></channel></rss>";
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><title>Gleanings</title><entry><id>urn:x:2</id>\
                <title>Tide gates close</title><link href='https://gleanings.example/2'/>\
                <source><id>urn:x:9</id><title>Basin News</title><link href='https://basin.example/'/></source>\
                </entry></feed>";
    for (path, body, own) in [("/rss", rss, "picks.example"), ("/atom", atom, "gleanings.example")] {
        origin.serve(path, StubResponse::ok(body.to_owned()));
        cli.run(&["source", "add", &origin.url(path), "--outlet", own]);
    }
    let outlet = |item: &str| cli.run_json(&["item", "show", item])["item"]["outlet"].as_str().unwrap().to_owned();
    assert!(cli.run(&["item", "show", "1"]).contains("Quay & Mole via Picks"));
    assert!(cli.run(&["item", "show", "2"]).contains("Basin News via Gleanings"));
    assert_eq!((outlet("1"), outlet("2")), ("picks.example".into(), "gleanings.example".into()));
    cli.run(&["source", "edit", "1", "--aggregator", "true"]);
    assert_eq!((outlet("1"), outlet("2")), ("quay.example".into(), "gleanings.example".into()));
    assert!(cli.run(&["source", "export"]).contains("newsfold:aggregator=\"true\""));
}

#[test]
fn interval_and_grouping_of_a_source_survive_export_import_and_sync() {
    let (one, two) = (CliRunner::new(), CliRunner::new());
    let url = "https://a.example/feed";
    one.run(&["source", "add", url, "--no-fetch", "--interval", "3h", "--no-group", "--header", "X-Key: hidden"]);
    let list = one.run(&["source", "export"]);
    assert!(list.contains("newsfold:interval=\"3h\"") && list.contains("newsfold:grouped=\"false\""), "{list}");
    assert!(!list.contains("hidden"), "{list}");
    let file = two.write_file("list.opml", &list);
    two.run(&["source", "import", &file]);
    let settings = || {
        let source = two.run_json(&["source", "show", "1"]);
        (source["poll_interval"].clone(), source["is_grouped"].clone())
    };
    assert_eq!(settings(), ("3h".into(), false.into()));
    two.run(&["source", "edit", "1", "--interval", "5h", "--group", "true"]);
    assert_eq!(settings(), ("5h".into(), true.into()));
    two.run(&["source", "sync", &file, "--yes"]);
    assert_eq!(settings(), ("3h".into(), false.into()));
    let fast = two.write_file("fast.opml", &list.replace("\"3h\"", "\"1s\""));
    two.assert_fails(&["source", "sync", &fast, "--yes"], "newsfold:interval must be between");
}

#[test]
fn source_is_found_by_its_title_or_outlet() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch", "--title", "Morning Post"]);
    cli.run(&["source", "add", "https://b.example/1", "--no-fetch", "--title", "B one"]);
    cli.run(&["source", "add", "https://b.example/2", "--no-fetch", "--title", "B two"]);
    assert_eq!(cli.run_json(&["source", "show", "morning post"])["id"], 1);
    assert_eq!(cli.run_json(&["source", "show", "a.example"])["id"], 1);
    cli.run(&["source", "edit", "B ONE", "--priority", "3"]);
    assert_eq!(cli.run_json(&["source", "show", "2"])["priority"], 3);
    cli.assert_fails(&["source", "pause", "b.example"], "matches 2 sources; pass the number of one of them: 2, 3");
    cli.assert_fails(&["source", "show", "evening post"], "there is no source ‘evening post’");
}

#[test]
fn tag_that_is_too_long_is_an_error() {
    let cli = CliRunner::new();
    let (long, fits) = ("x".repeat(61), "é".repeat(60));
    cli.assert_fails(
        &["source", "add", "https://a.example/", "--no-fetch", "--tag", &long],
        "longer than 60 characters",
    );
    cli.run(&["source", "add", "https://a.example/", "--no-fetch", "--tag", &fits]);
    cli.assert_fails(&["source", "edit", "1", "--tag", &long], "longer than 60 characters");
    assert_eq!(cli.run_json(&["source", "show", "1"])["tags"][0], fits.as_str());
}

#[test]
fn terminal_cuts_titles_but_neither_ids_nor_domains() {
    let cli = CliRunner::new();
    let title = "The Morning Post of the Northern Harbours";
    cli.run(&["source", "add", "https://morning-post.example/feed", "--no-fetch", "--title", title]);
    let newsfold = assert_cmd::cargo::cargo_bin("newsfold").display().to_string();
    // `script` gives the program a terminal.
    let in_terminal = |columns: u32| {
        let database = cli.folder.path().join("news.db").display().to_string();
        let command = format!("stty cols {columns} rows 24; {newsfold} --database {database} source list");
        let output = std::process::Command::new("script").args(["-qec", &command, "/dev/null"]).output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (Some(narrow), Some(unknown)) = (in_terminal(80), in_terminal(0)) else {
        return skipped("tables in a terminal: `script` is not installed");
    };
    let rows = |table: &str| table.lines().filter(|line| line.contains("morning-post.example")).count();
    assert_eq!((rows(&narrow), rows(&unknown)), (1, 1), "{narrow}{unknown}");
    assert!(narrow.contains("The Morning") && narrow.contains('…') && narrow.contains("never"), "{narrow}");
    assert!(narrow.lines().all(|line| line.trim_end().chars().count() <= 80), "{narrow}");
    assert!(!narrow.contains("tags"), "columns without content are left out: {narrow}");
    assert!(unknown.contains(title), "a terminal without a width cuts nothing: {unknown}");
    assert!(cli.run(&["source", "list"]).contains(title), "other programs get the whole title");
}
