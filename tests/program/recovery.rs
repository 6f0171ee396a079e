//! Tests that the daemon recovers by itself: from a full or faulty disk, a wrong clock, a locked database and a killed
//! poll.

use crate::support::daemon_process::{DaemonProcess, database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll, run_next_poll_after, start_and_poll_once};
use crate::support::{rss, rss_of_today, skipped, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{NewSource, Timestamp};
use newsfold::store::{Store, publication, row_counts, sources};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn folder_with_configuration() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = "[serve]\nlisten = \"127.0.0.1:0\"\n[poll]\ninterval = \"1s\"\naverage_interval = \"1s\"\n[fetch]\nmin_origin_delay = \"0s\"\n\
                  allowed_networks = [\"127.0.0.0/8\"]\n[publish]\ndelay = \"0s\"\n[daemon]\nshutdown_grace = \"8s\"\n";
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    folder
}

async fn add_sources(folder: &Path, origin: &OriginServer, count: usize) {
    let store = Store::open(&database_path(folder)).unwrap();
    for source in 0..count {
        let (url, outlet) = (origin.url(&format!("/{source}")), format!("{source}.example"));
        let (new, now) = (NewSource { url, outlet, ..NewSource::default() }, Timestamp::now());
        store.write(move |db| sources::add(db, &new, now, now)).await.unwrap();
    }
    // A test copies the file, so the file must be complete.
    store.checkpoint().await.unwrap();
}

fn serve_feeds(origin: &OriginServer, count: usize, items: usize) {
    for source in 0..count {
        let text = |n: usize| format!("words{n} ").repeat(40);
        let lines: Vec<String> =
            (0..items).map(|n| format!("{source}-{n} | Title{n} of {source} | {}", text(n))).collect();
        let document = rss(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        origin.serve(&format!("/{source}"), StubResponse::ok(document));
    }
}

async fn count_items(database: &Path) -> u64 {
    Store::open(database).unwrap().read(row_counts::count).await.unwrap().items
}

/// Returns the number of items on the health page, without separators.
async fn items_on_health_page(daemon: &DaemonProcess) -> String {
    let page = reqwest::get(format!("{}/health", daemon.base)).await.unwrap().text().await.unwrap();
    let (_, rest) = page.split_once("<dt>Items</dt><dd>").unwrap();
    rest.split('<').next().unwrap().chars().filter(char::is_ascii_digit).collect()
}

/// Runs a shell command and returns whether it succeeded.
fn succeeds(command: &str) -> bool {
    Command::new("sh").args(["-c", command]).output().is_ok_and(|output| output.status.success())
}

/// Waits until the daemon logs a failed write, and then for some more attempts. Returns the log.
async fn log_of_failed_writes(daemon: &DaemonProcess) -> String {
    wait_until("a write has failed", async || daemon.log().contains("cannot write to the database")).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    daemon.log()
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_is_logged_once_and_polling_continues_when_there_is_space_again() {
    if !succeeds("unshare -Urm mount -t tmpfs -o size=1m none /mnt") {
        return skipped("a full disk: the current user may not mount a file system in a user namespace");
    }
    let (folder, origin) = (folder_with_configuration(), OriginServer::start().await);
    add_sources(folder.path(), &origin, 6).await;
    (0..6).for_each(|source| origin.serve(&format!("/{source}"), StubResponse::status(503)));
    // The daemon sees a file system of 8 MiB instead of the directory.
    let mount = format!(
        "exec unshare -Urm sh -c 'cp -r {0} {0}.copy && mount -t tmpfs -o size=8m none {0} && cp {0}.copy/* {0}/ && \
         rm -r {0}.copy; exec \"$0\" \"$@\"' \"$0\" \"$@\";",
        folder.path().display()
    );
    let daemon = start_daemon(folder.path(), &mount);
    let mounted = PathBuf::from(format!("/proc/{}/root{}", daemon.process.id(), folder.path().display()));
    wait_until("the health feed reports the small disk", async || {
        let feed = reqwest::get(format!("{}/feeds/health.atom", daemon.base)).await.unwrap().text().await.unwrap();
        feed.contains("newsfold has little space left on its disk")
    })
    .await;
    // The write fails when the disk is full.
    let _ = std::fs::write(mounted.join("filler"), vec![0; 8 << 20]);
    serve_feeds(&origin, 6, 200);
    let log = log_of_failed_writes(&daemon).await;
    assert!(log.lines().count() < 60, "{log}");
    assert_eq!(log.matches("cannot write to the database").count(), 1, "{log}");
    let health = reqwest::get(format!("{}/healthz", daemon.base)).await.unwrap();
    assert_eq!(health.status(), 503);
    let reasons = health.text().await.unwrap();
    assert!(reasons.contains("the disk is full") && reasons.contains("MiB is free on the disk"), "{reasons}");
    std::fs::remove_file(mounted.join("filler")).unwrap();
    assert!(succeeds(&format!(
        "nsenter -t {} -U -m mount -o remount,size=64m {}",
        daemon.process.id(),
        folder.path().display()
    )));
    wait_until("the daemon has written again", async || daemon.log().contains("the database can be written again"))
        .await;
    wait_until("all items are stored", async || items_on_health_page(&daemon).await == "1200").await;
}

#[test]
fn daemon_that_starts_on_a_full_disk_says_that_the_disk_may_be_full() {
    if !succeeds("unshare -Urm mount -t tmpfs -o size=1m none /mnt") {
        return skipped("a full disk: the current user may not mount a file system in a user namespace");
    }
    let folder = folder_with_configuration();
    let mount = format!(
        "mount -t tmpfs -o size=1m none {0} && dd if=/dev/zero of={0}/filler bs=1k count=1020 status=none; \
         {1} --database {0}/news.db serve --listen 127.0.0.1:0",
        folder.path().display(),
        env!("CARGO_BIN_EXE_newsfold")
    );
    let output = Command::new("unshare").args(["-Urm", "sh", "-c", &mount]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("disk"), "{error}");
    assert!(error.contains("disk is full") && error.to_lowercase().contains("free up space on it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_that_reports_errors_is_logged_once_and_loses_nothing() {
    if !succeeds("strace -D -f -qq -o /dev/null true") {
        return skipped("errors of the disk: strace is not installed or may not trace");
    }
    let (folder, origin) = (folder_with_configuration(), OriginServer::start().await);
    add_sources(folder.path(), &origin, 2).await;
    serve_feeds(&origin, 2, 20);
    let inject = "exec strace -D -f -qq -o /dev/null -e trace=fsync,fdatasync \
                  -e inject=fsync,fdatasync:error=EIO:when=12..14 \"$0\" \"$@\";";
    let daemon = start_daemon(folder.path(), inject);
    let log = log_of_failed_writes(&daemon).await;
    assert_eq!(log.matches("cannot write to the database").count(), 1, "{log}");
    assert!(log.contains("the disk reports an error"), "{log}");
    wait_until("the daemon has written again", async || daemon.log().contains("the database can be written again"))
        .await;
    drop(daemon);
    let store = Store::open(&database_path(folder.path())).unwrap();
    assert_eq!(store.read(newsfold::store::damage).await.unwrap(), Vec::<String>::new());
    assert_eq!(count_items(&database_path(folder.path())).await, 40);
}

#[tokio::test]
async fn polling_continues_after_the_clock_was_ahead() {
    for ahead in [SignedDuration::from_hours(2), 75 * 365 * DAY] {
        let (mut daemon, _origin, id) = start_and_poll_once(StubResponse::ok(rss(&["1 | Grid fails | North"]))).await;
        let start = daemon.now();
        run_next_poll_after(&daemon, id, ahead).await;
        let polls = daemon.polls(id).await.len();
        daemon.advance(start.duration_since(daemon.now()));
        // The manual clock does not wake the scheduler when it is set back, so a change of the database wakes it. With
        // the system clock, the scheduler wakes when its sleep ends.
        daemon.store.write(publication::touch).await.unwrap();
        wait_until("the source is polled", async || daemon.polls(id).await.len() > polls).await;
        daemon.advance(ahead);
        run_next_poll(&daemon, id).await;
        daemon.stop().await;
        let polls = daemon.polls(id).await.len();
        daemon.advance(-ahead);
        daemon.start().await;
        wait_until("the source is polled after a restart", async || daemon.polls(id).await.len() > polls).await;
        daemon.stop().await;
    }
}

#[tokio::test]
async fn retention_deletes_nothing_after_a_jump_of_the_clock_until_a_day_has_passed() {
    let mut daemon = TestDaemon::new();
    // The story is never published, so it is not among the newest published stories, which are always kept.
    daemon.config.publish.delay = 1000 * DAY;
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | Grid fails | North"])));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    let store = daemon.store.clone();
    let items = async || store.read(row_counts::count).await.unwrap().items;
    daemon.start().await;
    wait_until("the item is grouped", async || !daemon.stories().await.is_empty()).await;
    origin.serve("/feed", StubResponse::ok(rss(&[])));
    for jump in [400 * DAY, SignedDuration::from_hours(1)] {
        let polls = daemon.polls(id).await.len();
        daemon.advance(jump);
        wait_until("the source is polled", async || daemon.polls(id).await.len() > polls).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(items().await, 1, "after {jump:#}");
    }
    daemon.advance(DAY + SignedDuration::from_hours(1));
    wait_until("the old item is deleted", async || items().await == 0).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_feed_is_served_while_another_program_has_locked_the_database() {
    let (mut daemon, origin, id) = start_and_poll_once(StubResponse::ok(rss(&["1 | Grid fails | North"]))).await;
    daemon.get("/feeds/all.atom").await;
    origin.serve("/feed", StubResponse::ok(rss(&["1 | Grid fails | North", "2 | Storm closes ports | Ferries"])));
    run_next_poll(&daemon, id).await;
    let other_program = daemon.open_sqlite();
    other_program.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    for format in ["atom", "rss", "json"] {
        let response = reqwest::get(format!("{}/feeds/all.{format}", daemon.base)).await.unwrap();
        assert!(response.text().await.unwrap().contains("Storm closes ports"), "in {format}");
    }
    // A response that waits for the lock takes at least 20 s.
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    other_program.execute_batch("ROLLBACK").unwrap();
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_modified_is_never_in_the_future() {
    let (mut daemon, origin, id) = start_and_poll_once(StubResponse::ok(rss(&["1 | Grid fails | North"]))).await;
    let modified = async |daemon: &TestDaemon| {
        let response = reqwest::get(format!("{}/feeds/all.atom", daemon.base)).await.unwrap();
        response.headers().get("last-modified").map(|value| httpdate::parse_http_date(value.to_str().unwrap()).unwrap())
    };
    let first = modified(&daemon).await;
    assert!(first.is_some_and(|date| date <= SystemTime::try_from(daemon.now()).unwrap()));
    let ahead = 365 * DAY;
    daemon.advance(ahead);
    origin.serve("/feed", StubResponse::ok(rss(&["1 | Grid fails | North", "2 | Storm closes ports | Ferries"])));
    run_next_poll_after(&daemon, id, SignedDuration::ZERO).await;
    assert!(modified(&daemon).await > first);
    daemon.advance(-ahead);
    assert_eq!(modified(&daemon).await, None);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_that_is_never_recorded_is_not_repeated_before_ttl_and_freshness_allow_it() {
    for (ttl, max_age) in [("<ttl>180</ttl>", "max-age=60"), ("", "max-age=10800")] {
        let document = rss(&["1 | Grid fails | North"]).replacen("<channel>", &format!("<channel>{ttl}"), 1);
        let response = StubResponse::ok(document).header("cache-control", max_age.as_bytes());
        let (mut daemon, origin, id) = start_and_poll_once(response).await;
        origin.serve("/feed", StubResponse::never());
        let requests = origin.request_count("/feed");
        daemon.advance(daemon.source(id).await.next_poll_at.duration_since(daemon.now()));
        wait_until("the next poll has started", async || origin.request_count("/feed") > requests).await;
        let delay = daemon.source(id).await.next_poll_at.duration_since(daemon.now());
        assert!(delay >= SignedDuration::from_hours(3), "{delay:#} for {ttl} {max_age}");
        daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_stops_without_waiting_for_an_export() {
    let folder = folder_with_configuration();
    let (config, export) = (folder.path().join("config.toml"), folder.path().join("export"));
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("[publish]\n", &format!("[publish]\nexport_dir = \"{}\"\n", export.display()));
    std::fs::write(&config, text).unwrap();
    // The export waits for this lock, which the test never releases.
    std::fs::create_dir(&export).unwrap();
    let lock = std::fs::File::create(export.join(".lock")).unwrap();
    lock.lock().unwrap();
    let mut daemon = start_daemon(folder.path(), "");
    let opens_lock = format!("readlink /proc/{}/fd/* | grep -q '/export/.lock$'", daemon.process.id());
    wait_until("the export waits for the lock", async || succeeds(&opens_lock)).await;
    assert!(succeeds(&format!("kill -TERM {}", daemon.process.id())));
    wait_until("the daemon has ended", async || daemon.process.try_wait().unwrap().is_some()).await;
    assert!(daemon.process.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_ends_within_a_second_during_an_export_and_during_grouping() {
    let (folder, origin) = (folder_with_configuration(), OriginServer::start().await);
    let items: Vec<String> =
        (0..800).map(|n| format!("{n} | Title{n} about matter{n} | Words{n} and more{n}")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    origin.serve("/0", StubResponse::ok(rss_of_today(&items)).header("etag", b"\"1\""));
    add_sources(folder.path(), &origin, 1).await;
    let config = folder.path().join("config.toml");
    let poll = ["--database", database_path(folder.path()).to_str().unwrap(), "source", "poll", "1"].map(str::to_owned);
    let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
    command.arg("--config").arg(&config).args(poll).env("HOME", folder.path()).assert().success();
    let text = std::fs::read_to_string(&config).unwrap();
    let export = folder.path().join("export");
    let text = text.replace("[publish]\n", &format!("[publish]\nexport_dir = \"{}\"\n", export.display()));
    std::fs::write(&config, text.replace("interval = \"1s\"", "interval = \"1h\"")).unwrap();
    let is_exporting = || {
        let pages = export.join("generation-00000001.tmp/stories");
        std::fs::read_dir(pages).is_ok_and(|pages| pages.count() > 10)
    };
    // The first round ends the daemon while it reads the items to group, the second round during the export.
    for wait_for_export in [false, true] {
        let mut daemon = start_daemon(folder.path(), "");
        wait_until("the daemon exports", async || !wait_for_export || is_exporting()).await;
        let start = Instant::now();
        daemon.signal("TERM");
        let status = daemon.process.wait().unwrap();
        let elapsed = start.elapsed();
        assert!(status.success() && elapsed < Duration::from_secs(1), "{status} after {elapsed:?}: {}", daemon.log());
        assert!(!export.join("current").exists(), "the export was not complete");
    }
}

#[test]
fn copies_to_a_full_disk_name_the_disk() {
    if !succeeds("unshare -Urm mount -t tmpfs -o size=1m none /mnt") {
        return skipped("a full disk: the current user may not mount a file system in a user namespace");
    }
    let folder = folder_with_configuration();
    let database = database_path(folder.path());
    drop(Store::open(&database).unwrap());
    let run = |script: &str| {
        let script = format!("cd {} && {script}", folder.path().display());
        let newsfold = env!("CARGO_BIN_EXE_newsfold");
        let output = Command::new("unshare").args(["-Urm", "sh", "-c", &script, newsfold]).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    std::fs::create_dir(folder.path().join("small")).unwrap();
    let error = run("mount -t tmpfs -o size=100k none small && \"$0\" --database news.db db backup small/backup.db; \
                     code=$?; ls small >&2; exit $code");
    assert!(error.contains("the disk of small/backup.db is full; free up space on it"), "{error}");
    assert!(!error.contains(".tmp"), "the incomplete file is deleted: {error}");
    // The disk has space for the files that SQLite needs, but not for a second database.
    let older = rusqlite::Connection::open(&database).unwrap();
    let version: u32 = older.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    older.pragma_update(None, "user_version", version - 1).unwrap();
    older.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let size =
        older.query_row("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", [], |row| {
            row.get::<_, i64>(0)
        });
    drop(older);
    let error = run(&format!(
        "mount -t tmpfs -o size={}k none small && cp news.db small && \"$0\" --database small/news.db source list",
        size.unwrap() / 1024 + 200
    ));
    let backup = format!("small/news.db.v{}-backup", version - 1);
    assert!(error.contains(&format!("cannot copy the database small/news.db to {backup}")), "{error}");
    assert!(error.contains(&format!("the disk of {backup} is full; free up space on it")), "{error}");
    assert!(error.contains("The database was not changed"), "{error}");
}

#[test]
fn daemon_refuses_to_start_with_too_few_open_files() {
    let folder = folder_with_configuration();
    let newsfold = assert_cmd::cargo::cargo_bin("newsfold");
    let mut command = assert_cmd::Command::new("sh");
    command.args(["-c", "ulimit -n 100; exec \"$0\" \"$@\""]).arg(newsfold).args(["serve", "--config"]);
    command.arg(folder.path().join("config.toml")).arg("--database").arg(database_path(folder.path()));
    let text = predicates::str::contains("may open only 100 files, but needs 256");
    command.env("HOME", folder.path()).assert().code(1).stderr(text);
}
