//! Tests full articles from the web pages of items: they are fetched within all limits, used for grouping, and
//! published if the source allows it.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::TestDaemon;
use crate::support::wait_until;
use jiff::{SignedDuration, Timestamp};
use newsfold::domain::{FullTextMode, NewSource, SourceId};

const RAIN: &str = "<p>The mountain pass above Veshna was closed on Sunday evening after two days of rain, the road office \
    said.</p><p>Mud and stones cover the road, and engineers expect the work to last until Friday.</p>";
const MORE_RAIN: &str = "<p>Rain closed the mountain pass above Veshna on Sunday evening, and the road office expects mud \
    and stones to cover the road until Friday.</p><p>Engineers of the road office began to work in the night.</p>";
const BANK: &str = "<p>The central bank lifted its key rate by half a point on Sunday, more than traders had expected.</p>\
    <p>Inflation stays high, the governor said, and the bank would go on until prices fall.</p>";

fn page(headline: &str, paragraphs: &str, teasers: &[&str]) -> StubResponse {
    let teasers: String = teasers.iter().map(|teaser| format!("<li><a href=\"/x\">{teaser}</a></li>")).collect();
    let boxes = format!("<div><h2>Don’t miss</h2><ul>{teasers}</ul></div>");
    StubResponse::ok(format!(
        "<html><head><title>{headline}</title></head><body><nav>Home World Sport</nav><article><h1>{headline}</h1>\
         {paragraphs}{boxes}</article><aside><h2>Related articles</h2><ul>{teasers}</ul></aside>{boxes}</body></html>"
    ))
    .header("content-type", b"text/html; charset=utf-8")
}

/// Returns a feed with one item that has only a title and a link.
fn feed(origin: &OriginServer, headline: &str) -> StubResponse {
    let link = origin.url("/article");
    StubResponse::ok(format!(
        "<rss version=\"2.0\"><channel><title>N</title><language>en</language><item><guid>{link}</guid>\
         <title>{headline}</title><link>{link}</link></item></channel></rss>"
    ))
}

async fn add(daemon: &TestDaemon, origin: &OriginServer, outlet: &str, full_text: FullTextMode) -> SourceId {
    let new = NewSource { url: origin.url("/feed"), outlet: outlet.into(), full_text, ..NewSource::default() };
    daemon.add_known_source(new).await
}

/// Starts one origin server per headline, with a feed and the page of its item.
async fn start_origins(all: &[(&str, &str, &[&str])]) -> Vec<OriginServer> {
    let mut origins = Vec::new();
    for (headline, paragraphs, teasers) in all {
        let origin = OriginServer::start().await;
        origin.serve("/feed", feed(&origin, headline));
        origin.serve("/article", page(headline, paragraphs, teasers));
        origins.push(origin);
    }
    origins
}

async fn start_and_poll(daemon: &mut TestDaemon, origins: &[OriginServer], full_text: FullTextMode) {
    let mut ids = Vec::new();
    for (n, origin) in origins.iter().enumerate() {
        ids.push(add(daemon, origin, &format!("outlet{n}.example"), full_text).await);
    }
    daemon.start().await;
    for id in ids {
        daemon.advance(SignedDuration::from_secs(1));
        daemon.wait_for_polls(id, 1).await;
    }
}

const HEADLINES: [(&str, &str, &[&str]); 3] = [
    ("Veshna cut off", RAIN, &["Bank lifts its key rate by half a point", "Inflation stays high, says the governor"]),
    (
        "Mud on the road",
        MORE_RAIN,
        &["Bank lifts its key rate by half a point", "Inflation stays high, says the governor"],
    ),
    ("Half a point more", BANK, &["Rain closes the mountain pass above Veshna", "Mud and stones cover the road"]),
];

#[tokio::test]
async fn article_texts_group_items_and_teasers_do_not() {
    let origins = start_origins(&HEADLINES).await;
    for (full_text, expected) in [(FullTextMode::No, 3), (FullTextMode::Group, 2)] {
        let mut daemon = TestDaemon::new();
        start_and_poll(&mut daemon, &origins, full_text).await;
        let stories = daemon.stories().await;
        assert_eq!(stories.len(), expected, "{full_text:?}");
        if full_text == FullTextMode::Group {
            let shared = stories.iter().find(|story| story.items.len() == 2).unwrap();
            assert!(shared.items.iter().all(|report| report.item.title != "Half a point more"));
            let atom = daemon.get("/feeds/all.atom").await;
            assert!(!atom.contains("engineers expect"), "the text is used for grouping only");
        }
        daemon.stop().await;
    }
    for origin in &origins {
        assert_eq!(
            (origin.request_count("/robots.txt"), origin.request_count("/article")),
            (1, 1),
            "only sources with full text send these requests"
        );
        assert_eq!(origin.max_concurrent(), 1);
    }
}

#[tokio::test]
async fn article_is_published_if_the_source_allows_it() {
    let origins = start_origins(&HEADLINES[..1]).await;
    let mut daemon = TestDaemon::new();
    start_and_poll(&mut daemon, &origins, FullTextMode::Publish).await;
    let json = daemon.get("/feeds/all.json").await;
    assert!(json.contains("engineers expect the work to last until Friday"), "{json}");
    assert!(!json.contains("Bank lifts"), "text outside the article is not published");
    daemon.stop().await;
}

#[tokio::test]
async fn robots_txt_is_respected() {
    let origins = start_origins(&HEADLINES[..1]).await;
    origins[0].serve(
        "/robots.txt",
        StubResponse::ok("User-agent: *\nAllow: /\n\nUser-agent: newsfold\nDisallow: /article\n"),
    );
    let mut daemon = TestDaemon::new();
    start_and_poll(&mut daemon, &origins, FullTextMode::Group).await;
    assert_eq!((origins[0].request_count("/robots.txt"), origins[0].request_count("/article")), (1, 0));
    let traffic = daemon.store.read(|db| newsfold::store::origins::traffic(db, Timestamp::MIN, Timestamp::MIN));
    assert_eq!(traffic.await.unwrap()[0].requests, 2, "the feed and robots.txt");
    let item = daemon.stories().await[0].items[0].item.id;
    let state = daemon.store.read(move |db| newsfold::store::article_queue::article_state(db, item)).await.unwrap();
    assert_eq!(state.as_deref(), Some("failed: robots.txt does not allow it"));
    daemon.stop().await;
}

#[tokio::test]
async fn item_is_grouped_without_its_page_after_ten_minutes() {
    let origins = start_origins(&HEADLINES[..1]).await;
    origins[0].serve("/article", StubResponse::ok("").blocked());
    let mut daemon = TestDaemon::new();
    let id = add(&daemon, &origins[0], "a.example", FullTextMode::Group).await;
    daemon.start().await;
    wait_until("the page has been requested", async || origins[0].request_count("/article") == 1).await;
    assert_eq!(daemon.polls(id).await.len(), 1);
    assert_eq!(daemon.stories().await.len(), 0, "the item waits for its page");
    daemon.advance(SignedDuration::from_mins(11));
    wait_until("the item has a story", async || daemon.stories().await.len() == 1).await;
    origins[0].release();
    daemon.stop().await;
}
