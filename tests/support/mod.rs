//! Shared test support: servers that record their requests, a daemon with a manual clock, and the command line.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod cli_runner;
pub mod daemon_process;
pub mod fake_hub;
pub mod fake_subscriber;
pub mod hub_fixture;
pub mod origin_server;
pub mod raw_server;
pub mod shared_database;
pub mod subscription_fixture;
pub mod test_daemon;
pub mod tiny_encoder;

use jiff::Timestamp;
use std::path::Path;
use std::time::{Duration, Instant};

/// Polls a condition until it is true. Panics with the description after 4 minutes: even a debug build on a loaded
/// machine needs less time.
pub async fn wait_until<F: AsyncFnMut() -> bool>(description: &str, mut condition: F) {
    let deadline = Instant::now() + Duration::from_secs(240);
    while !condition().await {
        assert!(Instant::now() < deadline, "timeout after 240 s, waiting until {description}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Returns the number of polls that a database has recorded since a time.
pub fn count_polls(database: &Path, since: Timestamp) -> i64 {
    let sqlite = rusqlite::Connection::open(database).unwrap();
    sqlite.busy_timeout(Duration::from_secs(20)).unwrap();
    let count = "SELECT count(*) FROM poll WHERE started_at >= ?1";
    sqlite.query_one(count, [since.as_millisecond()], |row| row.get(0)).unwrap()
}

/// Reports a skipped check on stderr. Bypasses the test runner, which captures the output of successful tests.
pub fn skipped(reason: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}

/// Returns an RSS feed with undated items, each given as `guid | title | description`.
pub fn rss(items: &[&str]) -> String {
    rss_with_date(items, "")
}

/// Returns a feed like [`rss`], but each item has the current time as its date, so that the items of a first document
/// are news.
pub fn rss_of_today(items: &[&str]) -> String {
    rss_at(items, Timestamp::now())
}

/// Returns a feed like [`rss`], but each item has the given date.
pub fn rss_at(items: &[&str], date: Timestamp) -> String {
    rss_with_date(items, &date.strftime("<pubDate>%a, %d %b %Y %H:%M:%S GMT</pubDate>").to_string())
}

fn rss_with_date(items: &[&str], date: &str) -> String {
    let items: String = items
        .iter()
        .map(|line| {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let (guid, title) = (parts[0], parts[1]);
            let description = parts.get(2).copied().unwrap_or("");
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
                 <link>https://news.example/{guid}</link><description>{description}</description>{date}</item>"
            )
        })
        .collect();
    format!("<rss version=\"2.0\"><channel><title>News</title><language>en</language>{items}</channel></rss>")
}
