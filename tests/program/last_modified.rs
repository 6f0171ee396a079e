//! Readers that ask by date: Last-Modified moves whenever the bytes do, never back, and is the same after a restart.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::rss;
use crate::support::test_daemon::TestDaemon;
use jiff::SignedDuration;
use newsfold::domain::Story;
use newsfold::store::{WriteConnection, constraints};
use reqwest::{Client, Response};
use std::time::SystemTime;

/// Makes the two stories one, or takes that back: what is in the feed changes, though no time passes.
async fn merge(daemon: &TestDaemon, merged: bool) {
    let (stories, now) = (daemon.stories().await, daemon.now());
    let lead = |_: &Story| None;
    let decide = move |db: &WriteConnection| match constraints::list(db)?.iter().find(|made| made.undone_at.is_none()) {
        Some(made) if !merged => constraints::undo(db, made.id, now, &lead),
        _ => constraints::merge_stories(db, &stories[0], &stories[1], now, &lead),
    };
    daemon.store.write(decide).await.unwrap().unwrap();
    daemon.wait_until_idle().await;
}

async fn ask(daemon: &TestDaemon, headers: &[(&str, &str)]) -> Response {
    let mut request = Client::new().get(format!("{}/feeds/all.atom", daemon.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

fn date(response: &Response) -> SystemTime {
    httpdate::parse_http_date(&header(response, "last-modified")).unwrap()
}

#[tokio::test]
async fn last_modified_changes_whenever_the_bytes_change() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve(
        "/feed",
        StubResponse::ok(rss(&["1 | Grid fails in the north", "2 | Orchestra cancels its tour of the islands"])),
    );
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let first = ask(&daemon, &[]).await;
    let first_date = header(&first, "last-modified");
    assert_eq!(ask(&daemon, &[("if-modified-since", &first_date)]).await.status(), 304);

    // The clock stands, so that all of this is one second.
    let mut before = date(&first);
    for merged in [true, false, true] {
        merge(&daemon, merged).await;
        let changed = ask(&daemon, &[("if-modified-since", &httpdate::fmt_http_date(before))]).await;
        assert_eq!(changed.status(), 200, "{merged}");
        assert!(date(&changed) > before, "{merged}");
        before = date(&changed);
        assert_eq!(changed.text().await.unwrap().matches("<entry>").count(), if merged { 1 } else { 2 });
    }

    // A tag goes before a date: the right tag with an old date, the wrong tag with the right one.
    let last = ask(&daemon, &[]).await;
    let (etag, modified) = (header(&last, "etag"), header(&last, "last-modified"));
    assert_eq!(ask(&daemon, &[("if-none-match", &etag), ("if-modified-since", &first_date)]).await.status(), 304);
    assert_eq!(ask(&daemon, &[("if-none-match", "\"x\""), ("if-modified-since", &modified)]).await.status(), 200);

    daemon.stop().await;
    daemon.advance(SignedDuration::from_hours(10));
    let body = last.text().await.unwrap();
    origin.serve("/feed", StubResponse::status(304));
    daemon.start().await;
    let after = ask(&daemon, &[]).await;
    assert_eq!((header(&after, "etag"), header(&after, "last-modified")), (etag, modified.clone()));
    assert_eq!(after.text().await.unwrap(), body);
    assert_eq!(ask(&daemon, &[("if-modified-since", &modified)]).await.status(), 304);

    merge(&daemon, false).await;
    let moved = ask(&daemon, &[("if-modified-since", &modified)]).await;
    assert_eq!(moved.status(), 200);
    assert_eq!(
        date(&moved),
        SystemTime::try_from(daemon.now()).unwrap(),
        "it is the time at which it was first rendered"
    );
    daemon.stop().await;
}
