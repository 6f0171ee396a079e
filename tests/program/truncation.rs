//! Tests documents that end too early. The incomplete last item is held back until the next document is complete or is
//! truncated at the same point.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::raw_server::{RawResponse, RawServer, head};
use crate::support::test_daemon::{TestDaemon, run_next_poll};
use newsfold::domain::{PollOutcome, SourceId};
use std::io::Write;

const WHOLE_RSS: &str = "<rss version=\"2.0\"><channel><title>Coast News</title>\
    <item><guid>1</guid><title>Lighthouse is repaired</title><description>Divers mend the base of it.</description></item>\
    <item><guid>2</guid><title>Ferry line reopens</title><description>The first boat leaves at noon, the last one at \
    night.</description></item>\
    <item><guid>3</guid><title>Harbour fees fall</title><description>Owners of small boats pay less.</description></item>\
    </channel></rss>";
const WHOLE_JSON: &str = "{\"version\": \"https://jsonfeed.org/version/1.1\", \"title\": \"Coast News\", \"items\": [\
    {\"id\": \"1\", \"title\": \"Lighthouse is repaired\", \"content_text\": \"Divers mend the base of it.\"}, \
    {\"id\": \"2\", \"title\": \"Ferry line reopens\", \"summary\": \"The first boat leaves at noon, the last one at night.\", \
    \"content_text\": \"Tickets are sold at the pier.\"}, \
    {\"id\": \"3\", \"title\": \"Harbour fees fall\", \"content_text\": \"Owners of small boats pay less.\"}]}";

/// Returns the beginning of a document, up to the end of the given string in it.
fn up_to<'a>(document: &'a str, text: &str) -> &'a str {
    &document[..document.find(text).unwrap() + text.len()]
}

/// Returns the stored titles with their summaries, sorted.
async fn stored(daemon: &TestDaemon) -> Vec<(String, String)> {
    let items = daemon.stories().await.into_iter().flat_map(|story| story.items);
    let mut texts: Vec<_> = items.map(|report| (report.item.title.clone(), report.item.summary.clone())).collect();
    texts.sort();
    texts
}

async fn titles(daemon: &TestDaemon) -> Vec<String> {
    stored(daemon).await.into_iter().map(|(title, _)| title).collect()
}

/// Returns a daemon that has polled a source with this document once.
async fn polled(document: &str) -> (TestDaemon, OriginServer, SourceId) {
    crate::support::test_daemon::start_and_poll_once(with_etag(document, "\"v1\"")).await
}

/// Returns a response with an ETag. A request that contains this ETag receives a 304 response.
fn with_etag(document: &str, etag: &str) -> StubResponse {
    StubResponse::ok(document).header("etag", etag.as_bytes())
}

#[tokio::test]
async fn incomplete_item_waits_for_the_complete_document() {
    for (whole, end) in [
        (WHOLE_RSS, "leaves at noon"),
        (WHOLE_RSS, "<title>Ferry"),
        (WHOLE_RSS, "night.</description>"),
        (WHOLE_JSON, "leaves at noon"),
        (WHOLE_JSON, "last one at night.\", \"content"),
        (WHOLE_JSON, "\"id\": \"2\", \"ti"),
    ] {
        let (mut daemon, origin, id) = polled(up_to(whole, end)).await;
        assert_eq!(titles(&daemon).await, ["Lighthouse is repaired"], "cut after {end}");
        let end_of_document = daemon.source(id).await.truncated_end.unwrap();
        assert!(!end_of_document.is_confirmed, "{end_of_document:?}");
        // The server responds as if its document were unchanged.
        origin.serve("/feed", with_etag(whole, "\"v1\""));
        run_next_poll(&daemon, id).await;
        assert_eq!(daemon.polls(id).await[0].outcome, PollOutcome::Read, "the request had no condition");
        assert_eq!(titles(&daemon).await, ["Ferry line reopens", "Harbour fees fall", "Lighthouse is repaired"]);
        let ferry = "The first boat leaves at noon, the last one at night.";
        assert_eq!(stored(&daemon).await[0].1, ferry, "cut after {end}");
        assert_eq!(daemon.source(id).await.truncated_end, None);
        run_next_poll(&daemon, id).await;
        assert_eq!(daemon.polls(id).await[0].outcome, PollOutcome::NotModified, "the request was conditional again");
        daemon.stop().await;
    }
}

#[tokio::test]
async fn item_that_is_cut_twice_at_one_place_is_stored() {
    for (whole, end) in [(WHOLE_RSS, "leaves at noon"), (WHOLE_JSON, "at night.\", \"content")] {
        let (mut daemon, origin, id) = polled(up_to(whole, end)).await;
        run_next_poll(&daemon, id).await;
        assert_eq!(titles(&daemon).await, ["Ferry line reopens", "Lighthouse is repaired"]);
        assert!(daemon.source(id).await.truncated_end.unwrap().is_confirmed);
        run_next_poll(&daemon, id).await;
        assert_eq!(daemon.polls(id).await[0].outcome, PollOutcome::NotModified);
        origin.serve("/feed", with_etag(whole, "\"v2\""));
        run_next_poll(&daemon, id).await;
        assert_eq!(stored(&daemon).await[0].1, "The first boat leaves at noon, the last one at night.");
        assert_eq!(titles(&daemon).await.len(), 3);
        daemon.stop().await;
    }
}

#[tokio::test]
async fn text_of_a_stored_item_is_not_replaced_by_its_beginning() {
    let (mut daemon, origin, id) = polled(WHOLE_RSS).await;
    let before = stored(&daemon).await;
    for etag in ["\"v2\"", "\"v3\"", "\"v4\""] {
        origin.serve("/feed", with_etag(up_to(WHOLE_RSS, "leaves at noon"), etag));
        run_next_poll(&daemon, id).await;
        assert_eq!(stored(&daemon).await, before);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn item_that_ends_elsewhere_in_the_next_document_is_held_back_again() {
    let (mut daemon, origin, id) = polled(up_to(WHOLE_RSS, "leaves at noon")).await;
    origin.serve("/feed", with_etag(up_to(WHOLE_RSS, "Owners of small"), "\"v1\""));
    run_next_poll(&daemon, id).await;
    assert_eq!(titles(&daemon).await, ["Ferry line reopens", "Lighthouse is repaired"]);
    assert!(!daemon.source(id).await.truncated_end.unwrap().is_confirmed);
    // A document that ends between two items has no incomplete item, but the remaining items are missing.
    origin.serve("/feed", with_etag(up_to(WHOLE_RSS, "night.</description></item>"), "\"v2\""));
    run_next_poll(&daemon, id).await;
    origin.serve("/feed", with_etag(WHOLE_RSS, "\"v2\""));
    run_next_poll(&daemon, id).await;
    assert_eq!(titles(&daemon).await.len(), 3);
    daemon.stop().await;
}

#[tokio::test]
async fn items_missing_from_a_truncated_first_document_are_backlog() {
    let mut daemon = TestDaemon::new();
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(up_to(WHOLE_RSS, "leaves at noon")));
    let id = daemon
        .add_unread_source(newsfold::domain::NewSource {
            url: origin.url("/feed"),
            outlet: "coast.example".into(),
            ..Default::default()
        })
        .await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    origin.serve("/feed", StubResponse::ok(WHOLE_RSS));
    run_next_poll(&daemon, id).await;
    let items: Vec<_> = daemon.stories().await.into_iter().flat_map(|story| story.items).collect();
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|report| report.item.backlog_reason.is_some()), "{items:?}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_broken_transfer_is_stored() {
    let cut = up_to(WHOLE_RSS, "leaves at noon");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(WHOLE_RSS.as_bytes()).unwrap();
    let mut gzip = gzip.finish().unwrap();
    gzip.truncate(gzip.len() * 2 / 3);
    let short = [head(&format!("content-length: {}\r\n", WHOLE_RSS.len())), cut.into()].concat();
    let chunked = [head("transfer-encoding: chunked\r\n"), format!("{:x}\r\n{cut}\r\n", cut.len()).into()].concat();
    let coded = [head(&format!("content-encoding: gzip\r\ncontent-length: {}\r\n", gzip.len())), gzip].concat();
    for bytes in [short, chunked, coded] {
        let server = RawServer::start(RawResponse::Bytes(bytes)).await;
        let mut daemon = TestDaemon::new();
        let id = daemon.add_source(&format!("{}/feed", server.base), "coast.example").await;
        daemon.start().await;
        daemon.wait_for_polls(id, 1).await;
        assert_eq!(daemon.polls(id).await[0].outcome, PollOutcome::Failed);
        assert!(titles(&daemon).await.is_empty());
        daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line_shows_that_the_last_document_is_truncated() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let date = jiff::Timestamp::now().strftime("<pubDate>%a, %d %b %Y %H:%M:%S GMT</pubDate></item>").to_string();
    let document = WHOLE_RSS.replace("</item>", &date);
    origin.serve("/feed", with_etag(up_to(&document, "leaves at noon"), "\"v1\""));
    cli.run(&["source", "add", &origin.url("/feed")]);
    assert!(cli.run(&["source", "show", "1"]).contains("an incomplete last item is stored if"));
    assert_eq!(cli.run_json(&["source", "show", "1"])["truncated_end"]["last_guid"], "2");
    let shown = cli.run(&["check", &cli.write_file("cut.xml", up_to(&document, "leaves at noon")), "--json"]);
    assert!(shown.contains("\"is_incomplete\": true"), "{shown}");
}
