//! Tests that the cost of frequent work does not grow with the number of sources.

use crate::support::daemon_process::{database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};
use jiff::{SignedDuration, Timestamp};
use newsfold::domain::NewSource;
use newsfold::store::{Store, WriteConnection, sources};

/// The minimum number of SQLite virtual machine steps of an expensive statement.
const EXPENSIVE_STEPS: u64 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_a_poll_reads_all_of_twenty_thousand_sources() {
    let (folder, origin) = (tempfile::tempdir().unwrap(), OriginServer::start().await);
    let config = "[serve]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n\
                  [poll]\ninterval = \"1s\"\naverage_interval = \"1s\"\n[publish]\ndelay = \"0s\"\n";
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let url = origin.url("/feed");
    let add_all = move |db: &WriteConnection| {
        let now = Timestamp::now();
        let later = now + SignedDuration::from_hours(24);
        for n in 0..20_000 {
            let new = NewSource {
                url: format!("https://{n}.example/feed"),
                outlet: format!("{n}.example"),
                tags: vec![format!("tag-{}", n % 10)],
                ..NewSource::default()
            };
            sources::add(db, &new, later, now)?;
        }
        sources::add(db, &NewSource { url, outlet: "a.example".into(), ..NewSource::default() }, now, now)
    };
    Store::open(&database_path(folder.path())).unwrap().write(add_all).await.unwrap().unwrap();
    let serve = |n: usize| {
        let item = format!("{n} | Storm number {n} closes ports | Ferries stay in port {n}");
        origin.serve("/feed", StubResponse::ok(rss_of_today(&[&item])));
    };
    serve(0);
    let daemon = start_daemon(folder.path(), "export NEWSFOLD_LOG=newsfold=info,newsfold::store=trace;");
    wait_until("the source has been polled", async || origin.request_count("/feed") > 1).await;
    let before = daemon.log().len();
    for n in 1..=3 {
        serve(n);
        let polls = origin.request_count("/feed");
        wait_until("the source has been polled again", async || origin.request_count("/feed") > polls + 1).await;
        wait_until("the item is published", async || {
            let feed = reqwest::get(format!("{}/feeds/all.atom", daemon.base)).await.unwrap().text().await.unwrap();
            feed.contains(&format!("Storm number {n} closes ports"))
        })
        .await;
    }
    let expensive = expensive_statements(&daemon.log()[before..]);
    assert!(expensive.is_empty(), "{expensive:#?}");
    // The page with all sources executes an expensive statement, which shows that the log would contain one.
    reqwest::get(format!("{}/sources", daemon.base)).await.unwrap();
    wait_until("the log has the statement", async || !expensive_statements(&daemon.log()[before..]).is_empty()).await;
}

/// Returns the lines of a log that report an expensive statement.
fn expensive_statements(log: &str) -> Vec<String> {
    let is_expensive = |line: &&str| {
        let steps = line.split_once(" steps=").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        steps.is_some_and(|steps: u64| steps >= EXPENSIVE_STEPS)
    };
    log.lines().filter(is_expensive).map(str::to_owned).collect()
}
