//! Tests the operator's settings for individual sources: requests, secrets, intervals and grouping.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::rss_of_today;

fn feed() -> StubResponse {
    StubResponse::ok(rss_of_today(&["1 | Grid fails in the north | Power is out."]))
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_sent_only_to_the_origin_of_the_source() {
    let (cli, origin, other) = (CliRunner::new(), OriginServer::start().await, OriginServer::start().await);
    let redirect = |to: String| StubResponse::redirect(&to);
    origin.serve("/feed", feed());
    let cookie = cli.write_file("cookie", "session=hunter2\n");
    let add = ["--header", "X-Token: swordfish", "--cookie", &format!("@{cookie}"), "--user-agent", "desk/1"];
    cli.run(&[&["source", "add", &origin.url("/feed")][..], &add].concat());
    let sent = |server: &OriginServer, path: &str, name: &str| {
        let requests = server.requests();
        let last = requests.iter().rev().find(|request| request.path == path).unwrap();
        last.header(name).map(|value| String::from_utf8(value).unwrap())
    };
    assert_eq!(sent(&origin, "/feed", "x-token").as_deref(), Some("swordfish"));
    assert_eq!(sent(&origin, "/feed", "cookie").as_deref(), Some("session=hunter2"));
    assert_eq!(sent(&origin, "/feed", "user-agent").as_deref(), Some("desk/1"));

    // The chain of redirects leaves the origin and returns to it. The secrets are not sent again.
    origin.serve("/feed", redirect(other.url("/away")));
    other.serve("/away", redirect(origin.url("/back")));
    origin.serve("/back", feed());
    cli.run(&["source", "poll", "1"]);
    for (server, path) in [(&other, "/away"), (&origin, "/back")] {
        assert_eq!((sent(server, path, "x-token"), sent(server, path, "cookie")), (None, None), "{path}");
    }
    assert_eq!(sent(&origin, "/feed", "x-token").as_deref(), Some("swordfish"));

    // A new URL on another server does not get the secrets of the old URL.
    other.serve("/moved", feed());
    cli.run(&["source", "edit", "1", "--url", &other.url("/moved")]);
    assert_eq!(sent(&other, "/moved", "cookie"), None);

    for arguments in [&["source", "show", "1"][..], &["source", "list"], &["source", "export"]] {
        let (text, json) = (cli.run(arguments), cli.run(&[arguments, &["--json"]].concat()));
        assert!(!format!("{text}{json}").contains("hunter2") && !format!("{text}{json}").contains("swordfish"));
    }
    assert!(cli.run(&["source", "show", "1"]).contains("x-token, cookie, sent only to"));
    cli.run(&["source", "edit", "1", "--header", "", "--cookie", "", "--user-agent", ""]);
    assert_eq!(cli.run_json(&["source", "show", "1"])["request"]["headers"], serde_json::json!([]));
    for header in ["Host: b.example", "X-Token", "a b: c"] {
        cli.assert_fails(&["source", "edit", "1", "--header", header], "header");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn source_with_its_own_proxy_obeys_the_address_policy() {
    let (cli, proxy) = (CliRunner::new(), OriginServer::start().await);
    proxy.serve("/feed", feed());
    cli.run(&["source", "add", "http://news.invalid/feed", "--proxy", &proxy.url("")]);
    assert_eq!(proxy.request_count("/feed"), 1);
    let shown = cli.run(&["source", "show", "1"]);
    assert!(shown.contains("set for this source") && !shown.contains(&proxy.url("")), "{shown}");
    let refused = ["source", "add", "http://10.0.0.1/feed", "--proxy", &proxy.url("")];
    cli.assert_fails(&refused, "10.0.0.1 is not a public address");
    assert_eq!(proxy.request_count("/feed"), 1);
    cli.assert_fails(
        &["source", "edit", "1", "--proxy", "socks5://127.0.0.1:1"],
        "--proxy must be an http or https URL",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn source_has_its_own_interval() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", feed());
    cli.run(&["source", "add", &origin.url("/feed"), "--interval", "3h"]);
    let delay = || cli.run_json(&["source", "show", "1"])["next_poll_reason"]["delay_seconds"].clone();
    assert_eq!(delay(), 3 * 3600);
    cli.run(&["source", "edit", "1", "--interval", "26h"]);
    cli.run(&["source", "poll", "1"]);
    assert_eq!(delay(), 26 * 3600, "the maximum interval does not shorten it");
    assert!(cli.run(&["source", "show", "1"]).contains("1 d 2 h"));
    cli.run(&["source", "edit", "1", "--interval", ""]);
    assert_eq!(cli.run_json(&["source", "show", "1"])["poll_interval"], serde_json::Value::Null);
    cli.assert_fails(&["source", "edit", "1", "--interval", "5s"], "--interval must be between");
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_an_ungrouped_source_are_stories_of_their_own() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    for path in ["/a", "/b", "/c"] {
        origin.serve(path, feed());
    }
    cli.run(&["source", "add", &origin.url("/a"), "--outlet", "a.example", "--tag", "news"]);
    cli.run(&["source", "add", &origin.url("/b"), "--outlet", "b.example", "--no-group", "--tag", "news"]);
    cli.run(&["source", "add", &origin.url("/c"), "--outlet", "c.example", "--tag", "news"]);
    let sizes = |cli: &CliRunner| {
        let stories = cli.run_json(&["story", "list"]);
        let mut sizes: Vec<usize> =
            stories.as_array().unwrap().iter().map(|story| story["items"].as_array().unwrap().len()).collect();
        sizes.sort();
        sizes
    };
    assert_eq!(sizes(&cli), [1, 2]);
    assert!(cli.run(&["source", "show", "2"]).contains("each item is a separate story"));

    let config = std::fs::read_to_string(cli.folder.path().join("config.toml")).unwrap();
    cli.write_file("config.toml", &config.replace("[cluster]\n", "[cluster]\ntags = [\"news\"]\n"));
    origin.serve("/d", feed());
    cli.run(&["source", "add", &origin.url("/d"), "--outlet", "d.example"]);
    assert_eq!(sizes(&cli), [1, 1, 2], "only items of sources with the tag are grouped");
}
