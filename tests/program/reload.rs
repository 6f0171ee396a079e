//! Tests that on SIGHUP, the running daemon applies a changed configuration file or keeps its settings.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{count_polls, rss_of_today, wait_until};
use newsfold::domain::{NewSource, PollOutcome, Timestamp};
use newsfold::store::{Store, polls, sources};
use std::time::Duration;

const BASE: &str = "[poll]\ninterval = \"1s\"\naverage_interval = \"1s\"\n[fetch]\nmin_origin_delay = \"0s\"\n\
                    allowed_networks = [\"127.0.0.0/8\"]\ntotal_timeout = \"10m\"\nheader_timeout = \"10m\"\n\
                    read_timeout = \"10m\"\n[daemon]\nshutdown_grace = \"2s\"\n";

/// Returns a configuration with a title and a listen address.
fn config(title: &str, listen: &str) -> String {
    format!("{BASE}[publish]\ndelay = \"0s\"\ntitle = \"{title}\"\n[serve]\nlisten = \"{listen}\"\n")
}

/// Writes the configuration and starts a daemon.
fn start(cli: &CliRunner, title: &str) -> DaemonProcess {
    cli.write_file("config.toml", &config(title, "127.0.0.1:0"));
    start_daemon(cli.folder.path(), "")
}

/// Replaces the configuration and waits until the log contains `message` once more than before.
async fn reload(cli: &CliRunner, daemon: &DaemonProcess, text: &str, message: &str) {
    cli.write_file("config.toml", text);
    let before = daemon.log().matches(message).count();
    daemon.signal("HUP");
    wait_until(&format!("the daemon logs {message}"), async || daemon.log().matches(message).count() > before).await;
}

async fn front_page(daemon: &DaemonProcess) -> String {
    let page = reqwest::get(format!("{}/", daemon.base)).await.unwrap();
    assert_eq!(page.status(), 200);
    page.text().await.unwrap()
}

/// Returns the output of a command on stderr.
fn notes(cli: &CliRunner) -> String {
    let output = cli.command(&["source", "list"]).assert().success();
    String::from_utf8(output.get_output().stderr.clone()).unwrap()
}

/// Adds a source whose response is blocked, and waits until its poll is in progress.
async fn start_blocked_poll(cli: &CliRunner, origin: &OriginServer) {
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North"])).blocked());
    let store = Store::open(&database_path(cli.folder.path())).unwrap();
    let new = NewSource { url: origin.url("/feed"), outlet: "a.example".into(), ..NewSource::default() };
    let now = Timestamp::now();
    store.write(move |db| sources::add(db, &new, now, now)).await.unwrap();
    wait_until("a poll is in progress", async || origin.request_count("/feed") > 0).await;
}

/// Returns the outcomes of all polls, oldest first.
async fn outcomes(cli: &CliRunner) -> Vec<PollOutcome> {
    let store = Store::open(&database_path(cli.folder.path())).unwrap();
    let id = newsfold::domain::SourceId(1);
    let mut all = store.read(move |db| polls::latest(db, id, 1000)).await.unwrap();
    all.reverse();
    all.into_iter().map(|poll| poll.outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_applies_the_changed_configuration() {
    let cli = CliRunner::new();
    let mut daemon = start(&cli, "Morning desk");
    assert!(front_page(&daemon).await.contains("Morning desk"));
    assert_eq!(notes(&cli), "");
    let changed = config("Evening desk", "127.0.0.1:0");
    cli.write_file("config.toml", &changed);
    let note = notes(&cli);
    assert!(note.contains("an earlier version of") && note.contains("`kill -HUP "), "{note}");

    reload(&cli, &daemon, &changed, "applied the new configuration").await;
    assert!(daemon.log().contains("changed=\"publish.title\""), "{}", daemon.log());
    wait_until("the new server responds", async || front_page(&daemon).await.contains("Evening desk")).await;
    assert_eq!(notes(&cli), "");
    reload(&cli, &daemon, &changed, "the configuration has not changed").await;
    assert!(daemon.process.try_wait().unwrap().is_none(), "the process remains");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_reloaded_are_named() {
    let cli = CliRunner::new();
    let daemon = start(&cli, "Desk");
    let changed = config("New desk", "127.0.0.1:9");
    reload(&cli, &daemon, &changed, "take effect after a restart").await;
    assert!(daemon.log().contains("settings=\"serve.listen\""), "{}", daemon.log());
    wait_until("the new server responds", async || front_page(&daemon).await.contains("New desk")).await;
    // The server keeps its address from startup, regardless of later configuration files.
    reload(&cli, &daemon, &config("Newer desk", "127.0.0.1:9"), "take effect after a restart").await;
    let applied = daemon.log().matches("applied the new configuration").count();
    cli.write_file("config.toml", &config("Newest desk", "127.0.0.1:0"));
    daemon.signal("HUP");
    wait_until("the daemon applies it", async || {
        daemon.log().matches("applied the new configuration").count() > applied
    })
    .await;
    wait_until("the newest server responds", async || front_page(&daemon).await.contains("Newest desk")).await;
    assert_eq!(daemon.log().matches("take effect after a restart").count(), 2, "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_survives_a_reload_while_another_program_has_locked_the_database() {
    let cli = CliRunner::new();
    let daemon = start(&cli, "Desk");
    let other_program = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
    other_program.execute_batch("BEGIN IMMEDIATE").unwrap();
    reload(&cli, &daemon, &config("New desk", "127.0.0.1:0"), "locked").await;
    other_program.execute_batch("ROLLBACK").unwrap();
    cli.write_file("config.toml", &config("Newer desk", "127.0.0.1:0"));
    // After failed writes, the daemon refuses further writes for up to a minute.
    wait_until("a later reload succeeds", async || {
        daemon.signal("HUP");
        tokio::time::sleep(Duration::from_millis(500)).await;
        front_page(&daemon).await.contains("Newer desk")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_that_cannot_be_used_is_rejected_with_the_reason() {
    let cli = CliRunner::new();
    let daemon = start(&cli, "Desk");
    let rejected = "the new configuration is not used";
    let good = config("Desk", "127.0.0.1:0");
    for (wrong, reason) in [
        (format!("{good}[cluster]\nthreshold = 7\n"), "cluster.threshold must be between 0 and 1"),
        (good.replace("[publish]", "[publish"), "config.toml"),
        (good.replace("[fetch]", "[fetch]\nca_file = \"/no/such/file.pem\""), "/no/such/file.pem"),
    ] {
        reload(&cli, &daemon, &wrong, rejected).await;
        assert!(daemon.log().contains(reason), "{}", daemon.log());
        assert!(front_page(&daemon).await.contains("Desk"));
    }
    let note = notes(&cli);
    assert!(note.contains("does not use the new configuration") && note.contains("/no/such/file.pem"), "{note}");
    reload(&cli, &daemon, &config("Other desk", "127.0.0.1:0"), "applied the new configuration").await;
    assert_eq!(notes(&cli), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_in_progress_finishes_during_reloads_while_pages_are_served() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let daemon = start(&cli, "Desk 0");
    start_blocked_poll(&cli, &origin).await;
    for n in 1..20 {
        cli.write_file("config.toml", &config(&format!("Desk {n}"), "127.0.0.1:0"));
        daemon.signal("HUP");
        assert!(front_page(&daemon).await.contains("Desk"));
    }
    assert_eq!(outcomes(&cli).await, Vec::<PollOutcome>::new());
    origin.release();
    wait_until("the last configuration is applied", async || front_page(&daemon).await.contains("Desk 19")).await;
    wait_until("the source is polled again", async || outcomes(&cli).await.len() > 1).await;
    let outcomes = outcomes(&cli).await;
    assert!(!outcomes.contains(&PollOutcome::Abandoned) && outcomes[0] == PollOutcome::Read, "{outcomes:?}");
    assert_eq!(origin.max_concurrent(), 1);
    wait_until("the item is published", async || front_page(&daemon).await.contains("Grid fails")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_during_a_reload_ends_the_daemon_within_the_grace_period() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let mut daemon = start(&cli, "Desk");
    start_blocked_poll(&cli, &origin).await;
    cli.write_file("config.toml", &config("Other desk", "127.0.0.1:0"));
    daemon.signal("HUP");
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.signal("TERM");
    wait_until("the daemon has ended", async || daemon.process.try_wait().unwrap().is_some()).await;
    assert!(daemon.process.wait().unwrap().success());
    assert_eq!(count_polls(&database_path(cli.folder.path()), Timestamp::UNIX_EPOCH), 1);
    assert_eq!(outcomes(&cli).await, [PollOutcome::Abandoned]);
}

/// The daemon notifies systemd when a reload begins and ends.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_notified_of_a_reload() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", &config("Desk", "127.0.0.1:0"));
    let path = cli.folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let daemon = start_daemon(cli.folder.path(), &format!("export NOTIFY_SOCKET='{}';", path.display()));
    reload(&cli, &daemon, "[publish", "the new configuration is not used").await;
    let mut received = String::new();
    let mut buffer = [0; 4096];
    while received.matches("READY=1").count() < 2 {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{error}; {received}"));
        received.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        received.push('\n');
    }
    let reloading = received.find("RELOADING=1").expect("the reload is announced");
    assert!(received[reloading..].contains("MONOTONIC_USEC="), "{received}");
    assert!(
        received[reloading..].contains("READY=1") && received.contains("STATUS=The new configuration"),
        "{received}"
    );
}
