//! What the tests share: origins that log every request, and a world with a daemon, a clock and a database in it.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod desk;
pub mod fake_hub;
pub mod fake_subscriber;
pub mod hub_scene;
pub mod origin;
pub mod process;
pub mod raw;
pub mod websub_scene;
pub mod world;

use std::time::{Duration, Instant};

/// Waits until a condition holds, looking again and again; says what was waited for when it never does.
pub async fn until<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited 90 s, and not yet: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Says that a check is skipped, past the test runner, which keeps to itself what passing tests print.
pub fn skipped(why: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// An RSS feed of items, each `guid | title | description`.
pub fn rss(items: &[&str]) -> String {
    let items: String = items
        .iter()
        .map(|line| {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let (guid, title) = (parts[0], parts[1]);
            let description = parts.get(2).copied().unwrap_or("");
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
                 <link>https://news.example/{guid}</link><description>{description}</description></item>"
            )
        })
        .collect();
    format!("<rss version=\"2.0\"><channel><title>News</title><language>en</language>{items}</channel></rss>")
}
