//! Readers that ask by date: Last-Modified moves whenever the bytes do, never back, and is the same after a restart.

use crate::support::origin::{Answer, Origin};
use crate::support::rss;
use crate::support::world::World;
use jiff::SignedDuration;
use newsfold::domain::Story;
use newsfold::store::{WriteConnection, constraints};
use reqwest::{Client, Response};
use std::time::SystemTime;

/// Makes the two stories one, or takes that back: what is in the feed changes, though no time passes.
async fn merge(world: &World, merged: bool) {
    let (stories, now) = (world.stories().await, world.now());
    let lead = |_: &Story| None;
    let decide = move |db: &WriteConnection| match constraints::list(db)?.iter().find(|made| made.undone_at.is_none()) {
        Some(made) if !merged => constraints::undo(db, made.id, now, &lead),
        _ => constraints::merge_stories(db, &stories[0], &stories[1], now, &lead),
    };
    world.store.write(decide).await.unwrap().unwrap();
    world.settled().await;
}

async fn ask(world: &World, headers: &[(&str, &str)]) -> Response {
    let mut request = Client::new().get(format!("{}/feeds/all.atom", world.base));
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
async fn the_date_of_a_feed_moves_whenever_its_bytes_do() {
    let mut world = World::new();
    let origin = Origin::start().await;
    origin.serve(
        "/feed",
        Answer::ok(rss(&["1 | Grid fails in the north", "2 | Orchestra cancels its tour of the islands"])),
    );
    let id = world.add(&origin.url("/feed"), "a.example").await;
    world.start().await;
    world.polled(id, 1).await;
    let first = ask(&world, &[]).await;
    let first_date = header(&first, "last-modified");
    assert_eq!(ask(&world, &[("if-modified-since", &first_date)]).await.status(), 304);

    // The clock stands, so that all of this is one second.
    let mut before = date(&first);
    for merged in [true, false, true] {
        merge(&world, merged).await;
        let changed = ask(&world, &[("if-modified-since", &httpdate::fmt_http_date(before))]).await;
        assert_eq!(changed.status(), 200, "{merged}");
        assert!(date(&changed) > before, "{merged}");
        before = date(&changed);
        assert_eq!(changed.text().await.unwrap().matches("<entry>").count(), if merged { 1 } else { 2 });
    }

    // A tag goes before a date: the right tag with an old date, the wrong tag with the right one.
    let last = ask(&world, &[]).await;
    let (etag, modified) = (header(&last, "etag"), header(&last, "last-modified"));
    assert_eq!(ask(&world, &[("if-none-match", &etag), ("if-modified-since", &first_date)]).await.status(), 304);
    assert_eq!(ask(&world, &[("if-none-match", "\"x\""), ("if-modified-since", &modified)]).await.status(), 200);

    world.stop().await;
    world.pass(SignedDuration::from_hours(10));
    let body = last.text().await.unwrap();
    origin.serve("/feed", Answer::status(304));
    world.start().await;
    let after = ask(&world, &[]).await;
    assert_eq!((header(&after, "etag"), header(&after, "last-modified")), (etag, modified.clone()));
    assert_eq!(after.text().await.unwrap(), body);
    assert_eq!(ask(&world, &[("if-modified-since", &modified)]).await.status(), 304);

    merge(&world, false).await;
    let moved = ask(&world, &[("if-modified-since", &modified)]).await;
    assert_eq!(moved.status(), 200);
    assert_eq!(
        date(&moved),
        SystemTime::try_from(world.now()).unwrap(),
        "it is the time at which it was first rendered"
    );
    world.stop().await;
}
