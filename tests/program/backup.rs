//! Tests `newsfold db`: backups are complete, restoring keeps the previous database, and commands leave complete files.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::start_daemon;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};
use std::os::unix::fs::PermissionsExt;

const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[poll]\ninterval = \"1s\"\naverage_interval = \"1s\"\n[fetch]\n\
                      min_origin_delay = \"0s\"\nallowed_networks = [\"127.0.0.0/8\"]\n[publish]\ndelay = \"0s\"\n\
                      [daemon]\nshutdown_grace = \"2s\"\n";

/// Runs a command on another database in the same directory.
fn run_json_on(cli: &CliRunner, database: &str, arguments: &[&str]) -> serde_json::Value {
    let mut command = cli.command(arguments);
    let output = command.arg("--json").env("NEWSFOLD_DATABASE", cli.folder.path().join(database)).assert().success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_of_a_running_daemon_is_complete() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North", "2 | Museum opens | Hall"])));
    cli.write_file("config.toml", CONFIG);
    let _daemon = start_daemon(cli.folder.path(), "");
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    wait_until("the items are grouped", async || {
        let counts = cli.run_json(&["db", "info"])["counts"].clone();
        counts["items"] == 2 && counts["unassigned"] == 0
    })
    .await;
    let file = cli.folder.path().join("backup.db");
    let name = file.to_str().unwrap();
    let written = cli.run_json(&["db", "backup", name]);
    assert_eq!(written["bytes"], file.metadata().unwrap().len());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    cli.assert_fails(&["db", "backup", name], "exists; pass --force to replace it");
    cli.run(&["db", "backup", name, "--force"]);
    assert_eq!(run_json_on(&cli, "backup.db", &["db", "info"])["counts"]["items"], 2);
    assert_eq!(run_json_on(&cli, "backup.db", &["db", "check"])["whole"], true);
    cli.assert_fails(&["db", "restore", name, "--yes"], "another newsfold daemon is using");
    cli.assert_fails(&["db", "vacuum"], "another newsfold daemon is using");
    cli.assert_fails(&["db", "backup", "/no/such/folder/x.db"], "/no/such/folder/x.db");
}

#[tokio::test]
async fn interrupted_backup_leaves_no_file() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let database = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
    database.execute_batch("CREATE TABLE filler (text); INSERT INTO filler VALUES (zeroblob(400000000))").unwrap();
    drop(database);
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("newsfold"));
    command.arg("--database").arg(cli.folder.path().join("news.db")).arg("db").arg("backup");
    let mut backup = command.arg(cli.folder.path().join("backup.db")).env("HOME", cli.folder.path()).spawn().unwrap();
    let copies = || {
        let names = std::fs::read_dir(cli.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with("backup.db")).count()
    };
    wait_until("the copy has begun", async || copies() == 1).await;
    let kill = std::process::Command::new("kill").args(["-TERM", &backup.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!((backup.wait().unwrap().code(), copies()), (Some(1), 0));
}

#[test]
fn restored_backup_replaces_the_database_and_keeps_the_previous_one() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let backup = cli.folder.path().join("backup.db");
    cli.run(&["db", "backup", backup.to_str().unwrap()]);
    cli.run(&["source", "add", "https://b.example/feed", "--no-fetch"]);
    cli.assert_fails(&["db", "restore", backup.to_str().unwrap()], "pass --yes to confirm");
    assert_eq!(cli.source_urls().len(), 2);
    let restored = cli.run_json(&["db", "restore", backup.to_str().unwrap(), "--yes"]);
    assert_eq!(cli.source_urls(), ["https://a.example/feed"]);
    let previous = restored["previous"].as_str().unwrap();
    assert_eq!(run_json_on(&cli, previous, &["source", "list"]).as_array().unwrap().len(), 2);
    std::fs::remove_file(cli.folder.path().join("news.db")).unwrap();
    cli.run(&["db", "restore", backup.to_str().unwrap()]);
    assert_eq!(cli.source_urls().len(), 1, "without a database, there is nothing to confirm");
}

#[test]
fn second_restore_keeps_the_database_that_the_first_one_replaced() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let backup = cli.folder.path().join("backup.db");
    let backup = backup.to_str().unwrap();
    cli.run(&["db", "backup", backup]);
    cli.run(&["source", "add", "https://b.example/feed", "--no-fetch"]);
    let restore = || cli.run_json(&["db", "restore", backup, "--yes"])["previous"].as_str().unwrap().to_owned();
    let (first, second, third) = (restore(), restore(), restore());
    assert!(second.ends_with("news.db.before-restore-2") && third.ends_with("news.db.before-restore-3"));
    let source_count = |database: &str| run_json_on(&cli, database, &["source", "list"]).as_array().unwrap().len();
    let leftovers = |ending: &str| {
        let files = std::fs::read_dir(cli.folder.path()).unwrap().map(|file| file.unwrap().file_name());
        files.filter(|name| name.to_str().unwrap().contains(&format!("restore{ending}"))).count()
    };
    assert_eq!((leftovers("-wal"), leftovers("-shm")), (0, 0), "the previous database is one file");
    assert_eq!((source_count(&first), source_count(&second)), (2, 1));
}

#[test]
fn restore_keeps_the_write_ahead_log_of_the_previous_database() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let path = cli.folder.path().join("news.db");
    let backup = cli.folder.path().join("backup.db");
    cli.run(&["db", "backup", backup.to_str().unwrap()]);
    // A program that was killed has left changes in the write-ahead log.
    let killed = rusqlite::Connection::open(&path).unwrap();
    killed.execute("UPDATE source SET url = 'https://changed.example/'", []).unwrap();
    let log = cli.folder.path().join("news.db-wal");
    let (database, bytes) = (std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap());
    drop(killed);
    std::fs::write(&path, database).unwrap();
    std::fs::write(&log, bytes).unwrap();
    let restored = cli.run_json(&["db", "restore", backup.to_str().unwrap(), "--yes"]);
    assert_eq!(cli.source_urls(), ["https://a.example/feed"]);
    let previous = run_json_on(&cli, restored["previous"].as_str().unwrap(), &["source", "list"]);
    assert_eq!(previous[0]["url"], "https://changed.example/");
}

#[test]
fn backup_never_replaces_the_database_and_replaces_the_log_of_an_older_backup() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let folder = cli.folder.path();
    std::os::unix::fs::symlink(folder.join("news.db"), folder.join("link.db")).unwrap();
    for own in ["news.db", "news.db-wal", "link.db"] {
        let file = folder.join(own);
        cli.assert_fails(&["db", "backup", "--force", file.to_str().unwrap()], "is the database or one of its files");
    }
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for other in [folder, &pipe] {
        cli.assert_fails(&["db", "backup", "--force", other.to_str().unwrap()], "is not a regular file");
        cli.assert_fails(&["db", "restore", "--yes", other.to_str().unwrap()], "it is not a regular file");
        cli.assert_fails(&["source", "list", "--database", other.to_str().unwrap()], "it is not a regular file");
    }
    assert!(!pipe.metadata().unwrap().is_file(), "the pipe is not replaced");
    cli.assert_fails(
        &["db", "restore", "--yes", folder.join("news.db").to_str().unwrap()],
        "is the database or one of",
    );
    // A program that was killed has left a write-ahead log beside the old backup.
    let backup = folder.join("backup.db");
    cli.run(&["db", "backup", backup.to_str().unwrap()]);
    let copy = rusqlite::Connection::open(&backup).unwrap();
    copy.pragma_update(None, "journal_mode", "WAL").unwrap();
    copy.execute("DELETE FROM source_tag", []).unwrap();
    copy.execute("UPDATE source SET url = 'https://changed.example/'", []).unwrap();
    let log = folder.join("backup.db-wal");
    let bytes = std::fs::read(&log).unwrap();
    drop(copy);
    std::fs::write(&log, bytes).unwrap();
    cli.run(&["db", "backup", "--force", backup.to_str().unwrap()]);
    assert!(!log.exists());
    // The backup can be read in a directory in which no program can write.
    let immutable = rusqlite::Connection::open_with_flags(&backup, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mode: String = immutable.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
    let url: String = immutable.query_row("SELECT url FROM source", [], |row| row.get(0)).unwrap();
    assert_eq!(url, "https://a.example/feed");
}

#[test]
fn file_that_is_not_a_complete_backup_is_not_restored() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let backup = cli.folder.path().join("backup.db");
    cli.run(&["db", "backup", backup.to_str().unwrap()]);
    let mut bytes = std::fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20_000].fill(0xA5);
    std::fs::write(&backup, bytes).unwrap();
    let refuses = |file: &str, reason: &str| cli.assert_fails(&["db", "restore", file, "--yes"], reason);
    refuses(backup.to_str().unwrap(), "cannot restore");
    refuses(&cli.write_file("notes.txt", &"These are notes and no database. ".repeat(100)), "cannot restore");
    refuses("/no/such/file.db", "the file does not exist");
    let other = cli.folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    refuses(other.to_str().unwrap(), "it is not a newsfold database");
    assert_eq!(cli.source_urls().len(), 1);
}

#[test]
fn command_leaves_a_complete_database_file() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    std::fs::copy(cli.folder.path().join("news.db"), cli.folder.path().join("copy.db")).unwrap();
    let list = run_json_on(&cli, "copy.db", &["source", "list"]);
    assert_eq!(list[0]["url"], "https://a.example/feed", "the copy needs no write-ahead log");
}

#[test]
fn unused_space_is_reported_and_returned_to_the_disk() {
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let database = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
    let fill = "CREATE TABLE filler (text); INSERT INTO filler VALUES (zeroblob(4000000)); DROP TABLE filler";
    database.execute_batch(fill).unwrap();
    drop(database);
    let stats = cli.run_json(&["db", "stats"]);
    assert!(stats["unused_bytes"].as_u64().unwrap() > 3_000_000, "{stats}");
    let source = stats["tables"].as_array().unwrap().iter().find(|table| table["name"] == "source").unwrap();
    assert_eq!(source["rows"], 1);
    assert!(cli.run(&["db", "stats"]).contains("is unused"));
    let sizes = cli.run_json(&["db", "vacuum"]);
    assert!(sizes["bytes_before"].as_u64().unwrap() > sizes["bytes_after"].as_u64().unwrap() + 3_000_000, "{sizes}");
    assert_eq!(cli.run_json(&["db", "stats"])["unused_bytes"], 0);
    assert_eq!(cli.source_urls().len(), 1);
}
