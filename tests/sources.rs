//! Sources as an operator keeps them, with the real binary: whose a feed is, and lists that go in and out.

mod support;

use support::desk::Desk;
use support::origin::{Answer, Origin};

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
    desk.run(&["source", "add", &origin.url("/bbc"), "--unchecked"]);
    let outlet = |source: &str| desk.json(&["source", "show", source])["outlet"].as_str().unwrap().to_owned();
    assert_eq!(outlet("1"), "127.0.0.1");
    assert!(desk.run(&["source", "show", "1"]).contains("a guess from its address"));
    desk.run(&["source", "poll", "1"]);
    assert_eq!(outlet("1"), "bbc.co.uk");
    assert!(desk.run(&["source", "show", "1"]).contains("bbc.co.uk (by the site that the feed calls its own)"));
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
