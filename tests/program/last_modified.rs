//! Tests revalidation by date: `Last-Modified` increases with every change of the content and survives a restart.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::rss;
use crate::support::test_daemon::TestDaemon;
use jiff::SignedDuration;
use newsfold::store::{WriteConnection, constraints};
use reqwest::{Client, Response};
use std::time::SystemTime;

/// Merges the two stories or undoes the merge. The feed changes, but the clock does not move.
async fn set_merged(daemon: &TestDaemon, merged: bool) {
    let (stories, now) = (daemon.stories().await, daemon.now());
    let change = move |db: &WriteConnection| match constraints::list(db)?.iter().find(|made| made.undone_at.is_none()) {
        Some(made) if !merged => constraints::undo(db, made.id, now),
        _ => constraints::merge_stories(db, &stories[0], &stories[1], now),
    };
    daemon.store.write(change).await.unwrap().unwrap();
    daemon.wait_until_idle().await;
}

async fn request(daemon: &TestDaemon, headers: &[(&str, &str)]) -> Response {
    let mut builder = Client::new().get(format!("{}/feeds/all.atom", daemon.base));
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.send().await.unwrap()
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
    let first = request(&daemon, &[]).await;
    let first_date = header(&first, "last-modified");
    assert_eq!(request(&daemon, &[("if-modified-since", &first_date)]).await.status(), 304);

    // The clock does not move, so all changes happen in the same second.
    let mut before = date(&first);
    for merged in [true, false, true] {
        set_merged(&daemon, merged).await;
        let changed = request(&daemon, &[("if-modified-since", &httpdate::fmt_http_date(before))]).await;
        assert_eq!(changed.status(), 200, "{merged}");
        assert!(date(&changed) > before, "{merged}");
        before = date(&changed);
        assert_eq!(changed.text().await.unwrap().matches("<entry>").count(), if merged { 1 } else { 2 });
    }

    // An ETag takes precedence over a date. The test sends a matching ETag with an old date, and an old ETag with a
    // matching date.
    let last = request(&daemon, &[]).await;
    let (etag, modified) = (header(&last, "etag"), header(&last, "last-modified"));
    assert_eq!(request(&daemon, &[("if-none-match", &etag), ("if-modified-since", &first_date)]).await.status(), 304);
    assert_eq!(request(&daemon, &[("if-none-match", "\"x\""), ("if-modified-since", &modified)]).await.status(), 200);

    daemon.stop().await;
    daemon.advance(SignedDuration::from_hours(10));
    let body = last.text().await.unwrap();
    origin.serve("/feed", StubResponse::status(304));
    daemon.start().await;
    let after = request(&daemon, &[]).await;
    assert_eq!((header(&after, "etag"), header(&after, "last-modified")), (etag, modified.clone()));
    assert_eq!(after.text().await.unwrap(), body);
    assert_eq!(request(&daemon, &[("if-modified-since", &modified)]).await.status(), 304);

    set_merged(&daemon, false).await;
    let moved = request(&daemon, &[("if-modified-since", &modified)]).await;
    assert_eq!(moved.status(), 200);
    assert_eq!(date(&moved), SystemTime::try_from(daemon.now()).unwrap(), "the time of the first rendering");
    daemon.stop().await;
}
