//! Tests that no stored item is lost, duplicated or given a new identity if the daemon is killed or stopped, the disk
//! is full, or a second process uses the database.

use crate::support::daemon_process::{database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{count_polls, rss, wait_until};
use newsfold::domain::{NewSource, Timestamp};
use newsfold::store::{Store, items, row_counts, sources, stories};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn folder_with_configuration() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = "[serve]\nlisten = \"127.0.0.1:0\"\n[poll]\ninterval = \"1s\"\naverage_interval = \"1s\"\n[fetch]\nmin_origin_delay = \"0s\"\n\
                  allowed_networks = [\"127.0.0.0/8\"]\n[publish]\ndelay = \"0s\"\n[daemon]\nshutdown_grace = \"2s\"\n";
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    folder
}

async fn add(folder: &Path, url: &str) {
    let store = Store::open(&database_path(folder)).unwrap();
    let new = NewSource { url: url.into(), outlet: "a.example".into(), ..NewSource::default() };
    let now = Timestamp::now();
    store.write(move |db| sources::add(db, &new, now, now)).await.unwrap();
}

/// Returns the item ID and story ID of every item in the database, by guid.
async fn item_and_story_ids(folder: &Path) -> BTreeMap<String, (i64, String)> {
    let store = Store::open(&database_path(folder)).unwrap();
    store
        .read(|db| {
            let mut all = BTreeMap::new();
            for story in stories::recent(db, 1, 100_000)? {
                for report in story.items {
                    let known = all.insert(report.item.guid.clone(), (report.item.id.0, story.id.to_string()));
                    assert_eq!(known, None, "{} is stored twice", report.item.guid);
                }
            }
            assert_eq!(items::unassigned(db, 10, Timestamp::now())?.len(), 0);
            Ok(all)
        })
        .await
        .unwrap()
}

fn feed_of(first: usize, last: usize) -> String {
    let lines: Vec<String> =
        (first..last).map(|n| format!("g{n} | Title{n} about matter{n} | Words{n} and more{n}")).collect();
    rss(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_daemon_loses_and_duplicates_no_item() {
    let (folder, origin) = (folder_with_configuration(), OriginServer::start().await);
    add(folder.path(), &origin.url("/feed")).await;
    let mut known = BTreeMap::new();
    for round in 0..6 {
        // The feed shows a window of fifty items that moves by twenty, so a lost item never reappears.
        let (first, last) = (round * 20, round * 20 + 50);
        origin.serve("/feed", StubResponse::ok(feed_of(first, last)).header("etag", format!("\"{round}\"").as_bytes()));
        let before = origin.request_count("/feed");
        let daemon = start_daemon(folder.path(), "");
        wait_until("the source has been requested", async || origin.request_count("/feed") > before).await;
        // Kill the process at a different moment in each round: immediately, while storing, or while grouping.
        for _ in 0..round * 3 {
            tokio::task::yield_now().await;
        }
        drop(daemon);
        let daemon = start_daemon(folder.path(), "");
        wait_until("all items are stored and grouped", async || {
            let store = Store::open(&database_path(folder.path())).unwrap();
            let counts = store.read(row_counts::count).await.unwrap();
            counts.items == last as u64 && counts.unassigned == 0
        })
        .await;
        drop(daemon);
        let now = item_and_story_ids(folder.path()).await;
        assert_eq!(now.len(), last);
        for (guid, identity) in &known {
            assert_eq!(now.get(guid), Some(identity), "{guid} has another identity after round {round}");
        }
        known = now;
    }
    let store = Store::open(&database_path(folder.path())).unwrap();
    assert_eq!(store.read(newsfold::store::damage).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_loses_no_item_permanently() {
    let (folder, origin) = (folder_with_configuration(), OriginServer::start().await);
    add(folder.path(), &origin.url("/feed")).await;
    origin.serve("/feed", StubResponse::ok(feed_of(0, 1500)).header("etag", b"\"1\""));
    // Files cannot grow beyond 400 KiB (ulimit counts blocks of 512 or 1024 bytes), so SQLite sees a full disk.
    let daemon = start_daemon(folder.path(), "trap '' XFSZ; ulimit -f 400;");
    wait_until("the source is requested again, because nothing could be stored", async || {
        origin.request_count("/feed") >= 2
    })
    .await;
    assert!(origin.requests().iter().all(|request| request.header("if-none-match").is_none()));
    let page = reqwest::get(format!("{}/readyz", daemon.base)).await.unwrap();
    assert_eq!(page.status(), 200, "the daemon still serves");
    let health = reqwest::get(format!("{}/healthz", daemon.base)).await.unwrap();
    assert_eq!(health.status(), 503);
    assert!(health.text().await.unwrap().contains("writing failed"));
    drop(daemon);
    let daemon = start_daemon(folder.path(), "");
    wait_until("all items are stored after the disk has space again", async || {
        let store = Store::open(&database_path(folder.path())).unwrap();
        let counts = store.read(row_counts::count).await.unwrap();
        counts.items == 1500 && counts.unassigned == 0
    })
    .await;
    drop(daemon);
    assert_eq!(item_and_story_ids(folder.path()).await.len(), 1500);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_one_database() {
    let (folder, origin) = (folder_with_configuration(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(feed_of(0, 40)));
    let daemon = start_daemon(folder.path(), "");
    let newsfold = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
        command.env("HOME", folder.path()).arg("--config").arg(folder.path().join("config.toml"));
        command.arg("--database").arg(database_path(folder.path())).args(arguments);
        command
    };
    newsfold(&["source", "add", &origin.url("/feed"), "--no-fetch"]).assert().success();
    wait_until("the daemon has polled the new source", async || origin.request_count("/feed") > 0).await;
    for n in 1..8 {
        origin.serve("/feed", StubResponse::ok(feed_of(0, 40 + n * 10)));
        // Either process may poll. A command skips and reports a source that the daemon has leased.
        let _ = newsfold(&["source", "poll", "1"]).output().unwrap();
    }
    wait_until("all items are stored and grouped", async || {
        let store = Store::open(&database_path(folder.path())).unwrap();
        let counts = store.read(row_counts::count).await.unwrap();
        counts.items == 110 && counts.unassigned == 0
    })
    .await;
    newsfold(&["serve"]).assert().code(1).stderr(predicates::str::contains("another newsfold daemon is using"));
    drop(daemon);
    assert_eq!(item_and_story_ids(folder.path()).await.len(), 110);
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_shuts_down_cleanly_on_sigterm() {
    let (folder, origin) = (folder_with_configuration(), OriginServer::start().await);
    let config = folder.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace("\"2s\"", "\"3s\"");
    std::fs::write(&config, text).unwrap();
    origin.serve("/hangs", StubResponse::never());
    origin.serve("/feed", StubResponse::ok(feed_of(0, 5)));
    add(folder.path(), &origin.url("/hangs")).await;
    let mut daemon = start_daemon(folder.path(), "");
    wait_until("a poll is in progress", async || origin.request_count("/hangs") > 0).await;
    // The connection of a client with an incomplete request does not extend the shutdown beyond the end of the poll.
    let mut client = std::net::TcpStream::connect(daemon.base.strip_prefix("http://").unwrap()).unwrap();
    std::io::Write::write_all(&mut client, b"GET / HTTP/1.1\r\nHost: a").unwrap();
    let start = Timestamp::now();
    let kill = Command::new("kill").args(["-TERM", &daemon.process.id().to_string()]).status().unwrap();
    assert!(kill.success());
    wait_until("the daemon has ended", async || daemon.process.try_wait().unwrap().is_some()).await;
    assert!(daemon.process.try_wait().unwrap().unwrap().success());
    let elapsed = Timestamp::now().duration_since(start);
    assert!(elapsed.as_millis() < 5000, "{elapsed:#} with a grace of 3 s");
    assert!(
        !database_path(folder.path()).with_extension("db-wal").exists() || {
            std::fs::metadata(database_path(folder.path()).with_extension("db-wal")).unwrap().len() == 0
        }
    );
    assert_eq!(count_polls(&database_path(folder.path()), Timestamp::UNIX_EPOCH), 1);
    let store = Store::open(&database_path(folder.path())).unwrap();
    let source = store.read(|db| Ok(sources::list(db, &sources::SourceFilter::default())?.remove(0))).await.unwrap();
    assert_eq!(source.last_outcome, Some(newsfold::domain::PollOutcome::Abandoned));
}

/// Receives the notifications from `sd_notify` as systemd does.
#[cfg(target_os = "linux")]
#[test]
fn systemd_is_notified_of_start_watchdog_and_stop() {
    use std::os::unix::net::UnixDatagram;
    let folder = folder_with_configuration();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let notify = format!("export NOTIFY_SOCKET='{}' WATCHDOG_USEC=3000000;", path.display());
    let mut daemon = start_daemon(folder.path(), &notify);
    let mut received = String::new();
    let mut buffer = [0; 4096];
    for wanted in ["READY=1", "WATCHDOG=1", "STOPPING=1"] {
        if wanted == "STOPPING=1" {
            Command::new("kill").args(["-TERM", &daemon.process.id().to_string()]).status().unwrap();
        }
        while !received.contains(wanted) {
            let length =
                socket.recv(&mut buffer).unwrap_or_else(|e| panic!("{wanted} was not received: {e}; {received}"));
            received.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            received.push('\n');
        }
    }
    assert!(daemon.process.wait().unwrap().success());
}
