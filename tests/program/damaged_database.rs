//! Tests that the daemon and the commands describe a damaged database, and that a damaged database is never backed up
//! in place of an intact one.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};
use std::io::{Seek, SeekFrom, Write};

const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[metrics]\nenabled = false\n[poll]\ninterval = \"1s\"\n\
                      average_interval = \"1s\"\n[fetch]\nmin_origin_delay = \"0s\"\nallowed_networks = [\"127.0.0.0/8\"]\n\
                      [publish]\ndelay = \"0s\"\n[daemon]\nshutdown_grace = \"2s\"\n";
const NEXT_STEPS: &str =
    "it is damaged; check it with `newsfold db check`, and restore a backup with `newsfold db restore FILE`";

/// Overwrites the pages of a table.
fn damage(cli: &CliRunner, table: &str) {
    let path = database_path(cli.folder.path());
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let page_size: i64 = db.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    let mut statement = db.prepare("SELECT pageno FROM dbstat WHERE name = ?1").unwrap();
    let pages: Vec<i64> = statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(!pages.is_empty());
    drop(statement);
    drop(db);
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for page in pages {
        file.seek(SeekFrom::Start(((page - 1) * page_size) as u64)).unwrap();
        file.write_all(&vec![0xA5; page_size as usize]).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_logged_once_and_makes_the_daemon_neither_healthy_nor_ready() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    cli.write_file("config.toml", CONFIG);
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North", "2 | Museum opens | Hall"])));
    cli.run(&["source", "add", &origin.url("/feed")]);
    let daemon = start_daemon(cli.folder.path(), "");
    damage(&cli, "story");
    // A commit by another program makes the daemon read the pages again.
    let db = rusqlite::Connection::open(database_path(cli.folder.path())).unwrap();
    db.execute_batch("CREATE TABLE other (column); DROP TABLE other").unwrap();
    let get = async |path: &str| {
        let response = reqwest::get(format!("{}{path}", daemon.base)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    wait_until("the daemon has read the damaged pages", async || get("/").await.0 == 500).await;
    // Each of these requests fails, and the tasks fail too.
    for _ in 0..30 {
        assert_eq!(get("/").await.0, 500);
    }
    let (status, ready) = get("/readyz").await;
    assert!(status == 503 && ready.contains(NEXT_STEPS), "{status} {ready}");
    let (status, health) = get("/healthz").await;
    assert!(status == 503 && health.contains(NEXT_STEPS), "{status} {health}");
    assert!(!health.contains("news.db"), "the path is not published: {health}");
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["3 | Storm closes ports | Ferries"])));
    wait_until("the daemon has stored another item", async || {
        db.query_row("SELECT count(*) FROM item", [], |row| row.get::<_, i64>(0)).unwrap() == 3
    })
    .await;
    let log = daemon.log();
    assert_eq!(log.matches("cannot read the database").count(), 1, "{log}");
    assert!(log.contains("news.db") && log.contains(NEXT_STEPS), "{log}");
    assert!(log.lines().count() < 20, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_name_the_damaged_database_and_write_no_backup_of_it() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North", "2 | Museum opens | Hall"])));
    cli.run(&["source", "add", &origin.url("/feed")]);
    let intact = cli.folder.path().join("intact.db");
    cli.run(&["db", "backup", intact.to_str().unwrap()]);
    damage(&cli, "story");
    let database = database_path(cli.folder.path()).display().to_string();
    cli.assert_fails(&["story", "list"], &format!("cannot read the database {database}: {NEXT_STEPS}"));
    let output = cli.command(&["story", "list"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("cannot read the database").count(), 1, "{said}");
    let damaged = format!("the database {database} is damaged. ");
    cli.assert_fails(&["db", "check"], &format!("{damaged}Restore a backup with `newsfold db restore FILE`"));
    assert_eq!(cli.run_json_failing(&["db", "check"])["whole"], false);
    let before = std::fs::read(&intact).unwrap();
    for (file, options) in [("new.db", &[][..]), ("intact.db", &["--force"])] {
        let file = cli.folder.path().join(file);
        let arguments = [&["db", "backup", file.to_str().unwrap()], options].concat();
        cli.assert_fails(&arguments, &format!("{damaged}No backup was written"));
    }
    let names = std::fs::read_dir(cli.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let leftovers: Vec<_> = names
        .filter(|name| name.to_str().is_some_and(|name| name.contains("new.db") || name.ends_with(".tmp")))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
    assert_eq!(std::fs::read(&intact).unwrap(), before, "the intact backup is kept");
    cli.run(&["db", "restore", intact.to_str().unwrap(), "--yes"]);
    assert!(cli.run(&["story", "list"]).contains("Grid fails"));
}
