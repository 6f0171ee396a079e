//! Sources as an operator keeps them, with the real binary: whose a feed is, and lists that go in and out.

use crate::support::desk::Desk;
use crate::support::origin::{Answer, Origin};

/// A feed that calls a site its own.
fn feed_of_site(site: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>News</title><link>{site}</link><language>en</language>\
         <item><guid>1</guid><title>Grid fails in the north</title></item></channel></rss>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outlet_follows_the_feeds_own_site_unless_the_operator_named_one() {
    let (desk, origin) = (Desk::new(), Origin::start().await);
    origin.serve("/bbc", Answer::ok(feed_of_site("https://www.bbc.co.uk/news")));
    origin.serve("/burner", Answer::ok(feed_of_site("http://feeds.feedburner.com/x")));
    desk.run(&["source", "add", &origin.url("/bbc"), "--no-fetch"]);
    let outlet = |source: &str| desk.json(&["source", "show", source])["outlet"].as_str().unwrap().to_owned();
    assert_eq!(outlet("1"), "127.0.0.1");
    assert!(desk.run(&["source", "show", "1"]).contains("guessed from its URL"));
    desk.run(&["source", "poll", "1"]);
    assert_eq!(outlet("1"), "bbc.co.uk");
    assert!(desk.run(&["source", "show", "1"]).contains("bbc.co.uk (from the feed's link)"));
    assert_eq!(desk.json(&["story", "list"])[0]["items"][0]["outlet"], "bbc.co.uk", "its items follow");

    // It moves once and not with every poll.
    origin.serve("/bbc", Answer::ok(feed_of_site("https://elsewhere.example/")));
    desk.run(&["source", "poll", "1"]);
    assert_eq!(outlet("1"), "bbc.co.uk");

    desk.run(&["source", "add", &origin.url("/burner")]);
    assert_eq!(outlet("2"), "127.0.0.1", "a service that serves feeds is no outlet");
    desk.run(&["source", "edit", "2", "--outlet", "mine.example"]);
    origin.serve("/burner", Answer::ok(feed_of_site("https://other.example/")));
    desk.run(&["source", "poll", "2"]);
    assert_eq!(outlet("2"), "mine.example");
    desk.run(&["source", "edit", "2", "--outlet", ""]);
    assert_eq!(outlet("2"), "other.example");
}

const THREE: &str = "<opml version=\"2.0\">\n<body>\n<outline text=\"A\" xmlUrl=\"https://a.example/feed\"/>\n\
    <outline text=\"B\" xmlUrl=\"https://b.example/feed\"/>\n<outline text=\"C\" xmlUrl=\"https://c.example/feed\"/>\n\
    </body>\n</opml>\n";

#[test]
fn a_file_that_was_cut_off_never_removes_a_source() {
    let desk = Desk::new();
    desk.run(&["source", "import", &desk.file("three.opml", THREE)]);
    let all = desk.urls();
    for cut in ["</opml>", "</body>", "<outline text=\"C\"", "c.example", "ample/feed\"/>\n</body>"] {
        let file = desk.file("cut.opml", &THREE[..THREE.find(cut).unwrap()]);
        for arguments in [&["source", "sync", &file, "--yes"][..], &["source", "sync", &file, "--dry-run"]] {
            desk.fails(arguments, "cut.opml:");
            desk.fails(arguments, "Nothing was changed");
            desk.fails(arguments, "--lenient");
        }
        desk.newsfold(&["source", "sync", &file, "--lenient"]).assert().code(1);
        assert_eq!(desk.urls(), all, "after a cut before {cut}");
    }
    let quote = THREE.replace("b.example/feed\"", "b.example/feed");
    desk.fails(&["source", "sync", &desk.file("quote.opml", &quote), "--yes"], "quote.opml:4: ");
    let nowhere = THREE.replace("https://b.example/feed", "");
    desk.fails(&["source", "sync", &desk.file("empty.opml", &nowhere), "--yes"], "empty.opml:4: ‘B’ has no address");
    assert_eq!(desk.urls(), all);

    // A bare ampersand loses nothing.
    let ampersand = THREE.replace("text=\"B\"", "text=\"B & B\"");
    desk.run(&["source", "sync", &desk.file("ampersand.opml", &ampersand), "--yes"]);
    assert_eq!(desk.urls(), all);
    assert_eq!(desk.json(&["source", "show", "https://b.example/feed"])["title"], "B & B");
}

#[test]
fn import_takes_what_it_can_and_says_what_it_could_not() {
    let desk = Desk::new();
    let list = "<opml>\n<outline text=\"A & A\" xmlUrl=\"https://a.example/?x=1&y=2\"/>\n\
        <outline text=\"Nowhere\" xmlUrl=\"\"/>\n<outline text=\"B\" xmlUrl=\"ht!tp:// foo\"/>\n\
        <outline text=\"C\" xmlUrl=\"https://c.example/fe";
    let file = desk.file("half.opml", list);
    let done = desk.json_of_failure(&["source", "import", &file]);
    assert_eq!((done["added"].as_u64(), done["unusable"].as_u64()), (Some(1), Some(3)));
    let lines: Vec<_> = done["unusable_lines"].as_array().unwrap().iter().map(|l| l["line"].as_u64()).collect();
    assert_eq!(lines, [Some(3), Some(4), Some(5)]);
    assert_eq!(done["ampersand_lines"].to_string(), "[2]");
    assert_eq!(desk.urls(), ["https://a.example/?x=1&y=2"], "and no half of a URL");

    let said = desk.newsfold(&["source", "import", &file]).assert().code(1);
    let said = String::from_utf8(said.get_output().stderr.clone()).unwrap();
    for expected in [
        "half.opml:2: repaired: an unescaped & was read as a literal & on line 2",
        "half.opml:3: ‘Nowhere’ has no address",
        "half.opml:5: the file ends in the middle of this outline",
        "outlines may be missing",
    ] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let good = desk.file("good.opml", "<opml>\n<outline text=\"A & A\" xmlUrl=\"https://d.example/\"/></opml>");
    assert_eq!(desk.json(&["source", "import", &good])["ampersand_lines"].to_string(), "[2]", "a repair is no failure");
}

#[test]
fn a_list_that_goes_out_comes_in_with_all_that_the_operator_said() {
    let (from, to) = (Desk::new(), Desk::new());
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
    let exported = to.file("list.opml", &from.run(&["source", "export"]));
    to.run(&["source", "import", &exported]);
    for url in ["https://feeds.b.example/rss", "https://feeds.c.example/rss"] {
        let facts = |desk: &Desk| {
            let shown = desk.json(&["source", "show", url]);
            ["title", "lang", "priority", "outlet", "outlet_provenance", "tags", "full_text"]
                .map(|name| shown[name].to_string())
        };
        assert_eq!(facts(&to), facts(&from));
    }
    assert!(to.run(&["source", "sync", &exported, "--dry-run"]).contains("0 to add, 0 to change, 0 to remove"));
    let mine = "https://feeds.b.example/rss";
    to.run(&["source", "edit", mine, "--outlet", "other.example", "--lang", "en", "--priority", "1"]);
    to.run(&["source", "sync", &exported]);
    let shown = to.json(&["source", "show", mine]);
    let facts = (shown["outlet"].as_str(), shown["lang"].as_str(), shown["priority"].as_i64());
    assert_eq!(facts, (Some("mine.example"), Some("de"), Some(-7)));
}
