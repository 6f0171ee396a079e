//! Tests that the feed `top` shows the biggest stories of a day, on captured feeds and on a fictional day.

use crate::clusters::invented_report;
use crate::replay::{ReplayedSource, TopFeed, read_index, replay};
use jiff::{SignedDuration, Timestamp};
use newsfold::store::Store;

/// The minimum share of the stories reported by six or more outlets that `top` shows or lists at each capture time.
const MIN_SHOWN_SHARE: f64 = 0.9;

async fn replay_all(sources: Vec<ReplayedSource>) -> Vec<TopFeed> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("newsfold.db")).unwrap();
    let mut evenings = Vec::new();
    replay(&store, sources, |top| evenings.push(top)).await.unwrap();
    evenings
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ../shared, and takes minutes"]
async fn top_feed_shows_the_biggest_stories_of_four_days() {
    let folder = crate::shared_folder("corpus").join("outlets-2023");
    let evenings = replay_all(read_index(&folder).unwrap()).await;
    assert_eq!(evenings.len(), 4);
    let report = |evening: &TopFeed| {
        let TopFeed { at, big_stories, missing } = evening;
        format!("{at}: {} of {big_stories} are missing: {missing:#?}", missing.len())
    };
    let reports: Vec<String> = evenings.iter().map(report).collect();
    let all_shown = evenings.iter().all(|evening| evening.shown_share() >= MIN_SHOWN_SHARE);
    assert!(all_shown, "{}", reports.join("\n"));
}

const OUTLETS: usize = 9;
/// The number of events in the morning, each reported by six to nine outlets.
const BIG_EVENTS: usize = 12;
/// The number of events in the evening, each reported by two outlets. It exceeds the number of stories that the feed
/// shows.
const SMALL_EVENTS: usize = 60;

/// Returns the number of outlets that report an event, and the hour of the first report.
fn extent(event: usize) -> (usize, i64) {
    if event < BIG_EVENTS { (6 + event % 4, 5 + (event % 4) as i64) } else { (2, 19 + (event % 3) as i64) }
}

/// Returns the document of an outlet at the time `until`, which contains all its reports up to that time. Outlets
/// report an event 20 minutes apart.
fn document(outlet: usize, midnight: Timestamp, until: Timestamp) -> Vec<u8> {
    let mut items = String::new();
    for event in 0..BIG_EVENTS + SMALL_EVENTS {
        let (outlets, hour) = extent(event);
        let report = (outlet + event) % OUTLETS;
        let at = midnight + SignedDuration::from_hours(hour) + SignedDuration::from_mins(20 * report as i64);
        if report >= outlets || at > until {
            continue;
        }
        let (title, summary) = invented_report(event, report);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
        items += &format!(
            "<item><title>{title}</title><link>http://outlet{outlet}.example/{event}</link>\
             <description>{summary}</description><pubDate>{date}</pubDate></item>"
        );
    }
    let title = format!("<title>Outlet {outlet}</title>");
    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel>{title}{items}</channel></rss>").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn top_feed_shows_the_big_stories_of_the_morning_after_many_small_ones_in_the_evening() {
    let midnight: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let captures = [12, 18, 23].map(|hour| midnight + SignedDuration::from_hours(hour));
    let source = |outlet: usize| ReplayedSource {
        outlet: format!("outlet{outlet}.example"),
        versions: captures.iter().map(|at| (*at, document(outlet, midnight, *at))).collect(),
    };
    let evenings = replay_all((0..OUTLETS).map(source).collect()).await;
    for evening in &evenings {
        assert!(evening.shown_share() >= MIN_SHOWN_SHARE, "{}: {:?}", evening.at, evening.missing);
    }
    assert!(evenings.iter().all(|evening| evening.big_stories >= BIG_EVENTS - 1), "the big events are stories");
}
