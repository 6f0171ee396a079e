//! Tests the commands that show and check the state of newsfold: `status`, `doctor` and `config check`.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, skipped, wait_until};
use predicates::prelude::PredicateBooleanExt;

const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\n\
                      min_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n[daemon]\nshutdown_grace = \"2s\"\n";

fn start(cli: &CliRunner) -> DaemonProcess {
    cli.write_file("config.toml", CONFIG);
    start_daemon(cli.folder.path(), "")
}

/// Returns the finding of one check in the JSON output of `newsfold doctor`.
fn finding<'a>(findings: &'a serde_json::Value, check: &str) -> &'a serde_json::Value {
    let mut findings = findings.as_array().unwrap().iter();
    findings.find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no check {check}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_daemon_sources_and_queues() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North"])));
    let daemon = start(&cli);
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    cli.run(&["source", "add", &origin.url("/missing"), "--no-fetch"]);
    wait_until("both sources are polled and the item is published", async || {
        let stored = cli.run_json(&["status"])["stored"].clone();
        stored["sources"]["failing"] == 1 && stored["counts"]["published"] == 1
    })
    .await;
    let status = cli.run_json(&["status"]);
    assert_eq!(status["daemon"]["process_id"], daemon.process.id());
    assert_eq!(format!("http://{}", status["daemon"]["listen"].as_str().unwrap()), daemon.base);
    assert_eq!((&status["stored"]["sources"]["OK"], &status["problems"]), (&1.into(), &serde_json::json!([])));
    assert!(status["disk"]["database_bytes"].as_u64().unwrap() > 0);
    let text = cli.run(&["status"]);
    assert!(text.contains("1 OK, 1 failing") && text.contains("0 items to group"), "{text}");
    assert!(text.lines().count() < 24, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_names_the_problems() {
    let cli = CliRunner::new();
    let daemon = start(&cli);
    cli.write_file("config.toml", &format!("{CONFIG}[cluster]\nthreshold = 7\n"));
    daemon.signal("HUP");
    wait_until("the file is rejected", async || daemon.log().contains("is not used")).await;
    cli.write_file("config.toml", CONFIG);
    assert!(cli.run(&["status"]).contains("cluster.threshold must be between 0 and 1"));
    drop(daemon);
    let status = cli.run_json(&["status"]);
    assert_eq!(status["daemon"], serde_json::Value::Null);
    assert!(status["problems"][0].as_str().unwrap().contains("the daemon is not running"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_configuration_hides_no_healthy_daemon() {
    let cli = CliRunner::new();
    let daemon = start(&cli);
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    for invalid in [format!("titel = 3\n{CONFIG}"), "titel =".to_owned()] {
        cli.write_file("config.toml", &invalid);
        assert!(cli.run(&["healthcheck"]).contains("\"status\":\"ok\""), "the daemon has recorded its address");
        let status = cli.run_json(&["status"]);
        assert_eq!(status["daemon"]["process_id"], daemon.process.id());
        let problem = status["problems"][0].as_str().unwrap();
        assert!(problem.contains("cannot start with this configuration") && problem.contains("titel"), "{problem}");
        assert_eq!(status["stored"]["feeds_to_fill"], serde_json::Value::Null);
        cli.command(&["db", "check"]).assert().success().stderr(predicates::str::contains("titel"));
        let backup = cli.folder.path().join("backup.db");
        cli.run(&["db", "backup", "--force", backup.to_str().unwrap()]);
        // Commands that need no other setting than the path of the database work too.
        for command in [&["source", "list"][..], &["source", "pause", "1"], &["story", "list"], &["origin", "list"]] {
            let note = predicates::str::contains("titel").and(predicates::str::contains("it continues"));
            cli.command(command).assert().success().stderr(note);
        }
        assert!(cli.run(&["source", "show", "1"]).contains("https://a.example/feed"));
        cli.assert_fails(&["source", "add", "https://b.example/feed", "--no-fetch"], "titel");
        cli.assert_fails(&["feed", "list"], "titel");
        cli.assert_fails(&["config", "check"], "titel");
        let report = cli.run_json_failing(&["config", "check"]);
        assert!(report["valid"] == false && report["error"].as_str().unwrap().contains("titel"), "{report}");
    }
    // The database is in the file only.
    let database = cli.folder.path().join("news.db");
    for invalid in ["titel = 3", "titel ="] {
        cli.write_file("config.toml", &format!("{invalid}\ndatabase = {database:?}\n"));
        let output = cli.command(&["status", "--json"]).env_remove("NEWSFOLD_DATABASE").output().unwrap();
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(status["daemon"]["process_id"], daemon.process.id());
        cli.command(&["source", "list"]).env_remove("NEWSFOLD_DATABASE").assert().success();
    }
    cli.write_file("config.toml", &format!("database = [{database:?}\n"));
    let text = predicates::str::contains("may specify another database; choose it with --database FILE");
    cli.command(&["source", "list"]).env_remove("NEWSFOLD_DATABASE").assert().code(1).stderr(text);
    cli.run(&["source", "list"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_of_feeds_have_the_address_of_the_running_daemon() {
    let cli = CliRunner::new();
    let daemon = start(&cli);
    let url = format!("{}/feeds/all.atom", daemon.base);
    assert!(cli.run(&["feed", "list"]).contains(&url) && cli.run(&["feed", "show", "all"]).contains(&url));
    cli.write_file("config.toml", &CONFIG.replace("[publish]", "[publish]\nbase_url = \"https://news.example/\""));
    assert!(cli.run(&["feed", "list"]).contains("https://news.example/feeds/all.atom"));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_a_stopped_daemon_and_a_deleted_database() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/robots.txt", StubResponse::ok("User-agent: *\n"));
    let free_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    cli.write_file("config.toml", &CONFIG.replace("127.0.0.1:0", &free_port.to_string()));
    let daemon = start_daemon(cli.folder.path(), "");
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    drop(daemon);
    let findings = cli.run_json_failing(&["doctor"]);
    let found = finding(&findings, "daemon");
    assert!(found["verdict"] == "error" && found["detail"].as_str().unwrap().contains("it is not running"), "{found}");
    let _daemon = start_daemon(cli.folder.path(), "");
    assert_eq!(finding(&cli.run_json(&["doctor"]), "daemon")["verdict"], "ok");
    std::fs::remove_file(cli.folder.path().join("news.db")).unwrap();
    let findings = cli.run_json_failing(&["doctor"]);
    let found = finding(&findings, "database");
    let detail = found["detail"].as_str().unwrap();
    assert!(detail.contains("does not exist, but a daemon is using it") && detail.contains("was deleted"), "{found}");
    std::fs::remove_file(cli.folder.path().join("news.db.lock")).unwrap();
    assert_eq!(finding(&cli.run_json_failing(&["doctor"]), "database")["verdict"], "error");
    assert!(cli.run_json_failing(&["healthcheck"])["down"]["database"].is_string());
}

#[test]
fn message_on_a_read_only_file_system_says_so() {
    let cli = CliRunner::new();
    let folder = cli.folder.path().join("state");
    std::fs::create_dir(&folder).unwrap();
    let mount = "mount -t tmpfs -o ro none \"$0\" && exec \"$@\"";
    let run = |program: &std::path::Path, arguments: &[&str]| {
        let mut command = std::process::Command::new("unshare");
        command.args(["-Urm", "sh", "-c", mount]).arg(&folder).arg(program).args(arguments);
        command.env("HOME", cli.folder.path()).env("NEWSFOLD_DATABASE", folder.join("news.db")).output().unwrap()
    };
    if !run("true".as_ref(), &[]).status.success() {
        return skipped("a read-only disk: the current user may not mount a file system in a user namespace");
    }
    for arguments in [&["source", "add", "https://a.example/", "--no-fetch"][..], &["serve"]] {
        let output = run(&assert_cmd::cargo::cargo_bin("newsfold"), arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && message.contains("Its file system is read-only"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_no_fault_in_a_working_installation() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/robots.txt", StubResponse::ok("User-agent: *\n"));
    let _daemon = start(&cli);
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    let findings = cli.run_json(&["doctor"]);
    for check in ["configuration", "database", "daemon", "DNS", "outbound HTTP", "clock"] {
        assert_eq!(finding(&findings, check)["verdict"], "ok", "{findings}");
    }
    for check in ["disk", "permissions", "public URL"] {
        assert_ne!(finding(&findings, check)["verdict"], "error", "{findings}");
    }
    assert_eq!(origin.request_count("/robots.txt"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_suggests_a_fix_for_each_fault() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let old = "Sat, 01 Jan 2000 00:00:00 GMT";
    origin.serve("/old", StubResponse::ok("").header("date", old.as_bytes()));
    origin.serve("/feeds.opml", StubResponse::ok("<opml/>"));
    let fails_with = |arguments: &[&str], check: &str, detail: &str| {
        let findings = cli.run_json_failing(arguments);
        let finding = finding(&findings, check);
        assert!(finding["detail"].as_str().unwrap().contains(detail), "{finding}");
        assert!(finding["verdict"] == "error" && finding["fix"].is_string(), "{finding}");
    };
    cli.write_file("config.toml", "[cluster]\nthreshold = 7\n");
    fails_with(&["doctor"], "configuration", "cluster.threshold must be");
    cli.write_file(
        "config.toml",
        &CONFIG.replace("[publish]", &format!("[publish]\nbase_url = \"{}\"", origin.url("/"))),
    );
    fails_with(&["doctor"], "public URL", "is not the list of feeds");
    fails_with(&["doctor", "--url", &origin.url("/old")], "clock", "ahead of the clock of a server");
    fails_with(&["doctor", "--url", "http://10.0.0.1/"], "outbound HTTP", "10.0.0.1");
    fails_with(&["doctor", "--url", "http://host.invalid/"], "DNS", "host.invalid");
    let text = String::from_utf8(cli.command(&["doctor"]).assert().code(1).get_output().stdout.clone()).unwrap();
    assert!(text.contains("ERROR") && text.contains("fix: check publish.base_url"), "{text}");
}

#[test]
fn config_check_reports_the_first_fault_or_the_changed_settings() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", CONFIG);
    let text = cli.run(&["config", "check"]);
    assert!(text.contains("config.toml is valid") && text.contains("publish.delay, serve.listen"), "{text}");
    assert_eq!(cli.run_json(&["config", "check"])["valid"], true);
    cli.write_file("config.toml", "[poll]\nintervall = \"1h\"\n");
    cli.assert_fails(&["config", "check"], "line 2");
    cli.write_file("config.toml", "[fetch]\nca_file = \"/no/such.pem\"\n");
    cli.assert_fails(&["config", "check"], "cannot read the certificates in /no/such.pem");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_no_fault_if_only_one_of_several_servers_is_down() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/robots.txt", StubResponse::ok("User-agent: *\n"));
    cli.write_file("config.toml", CONFIG);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead = format!("http://{closed}/feed");
    cli.run(&["source", "add", &dead, "--no-fetch", "--outlet", "a.example"]);
    let findings = cli.run_json_failing(&["doctor"]);
    assert_eq!(finding(&findings, "outbound HTTP")["verdict"], "error", "no other server responds");
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch", "--outlet", "b.example"]);
    let findings = cli.run_json(&["doctor"]);
    let http = finding(&findings, "outbound HTTP");
    let detail = http["detail"].as_str().unwrap();
    assert!(http["verdict"] == "warning" && detail.contains(&format!("other servers: http://{closed}")), "{http}");
}

#[test]
fn new_database_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let mode = cli.folder.path().join("news.db").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{mode:o}");
}

#[tokio::test(flavor = "multi_thread")]
async fn symbolic_link_to_a_database_shares_the_lock_of_its_target() {
    let cli = CliRunner::new();
    let _daemon = start(&cli);
    std::os::unix::fs::symlink("news.db", cli.folder.path().join("link.db")).unwrap();
    let link = cli.folder.path().join("link.db");
    let through_link = |arguments: &[&str]| {
        let mut command = cli.command(arguments);
        command.env("NEWSFOLD_DATABASE", &link);
        command
    };
    through_link(&["serve"]).assert().code(1).stderr(predicates::str::contains("another newsfold daemon is using"));
    let output = through_link(&["status", "--json"]).assert().success();
    let status: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert!(status["daemon"]["process_id"].is_u64(), "{status}");
}
