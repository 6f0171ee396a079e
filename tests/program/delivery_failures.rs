//! Tests that failures of webhooks and of the export are reported to the operator, and that settings with which they
//! must fail are found before the daemon uses them.

use crate::metrics::measurements;
use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};
use std::os::unix::fs::PermissionsExt;

const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n[fetch]\n\
                      min_origin_delay = \"0s\"\nallowed_networks = [\"127.0.0.0/8\"]\n[daemon]\nshutdown_grace = \"2s\"\n\
                      [publish]\ndelay = \"0s\"\n";

async fn get(daemon: &DaemonProcess, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("{}{path}", daemon.base)).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Checks that `/healthz`, the health page and `newsfold status` report this failure of a component, and that the
/// daemon is healthy.
async fn assert_reported(cli: &CliRunner, daemon: &DaemonProcess, component: &str, failure: &str) {
    let (status, body) = get(daemon, "/healthz").await;
    let report: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &report["status"]), (200, &"ok".into()), "{body}");
    assert!(report["warnings"][component].as_str().unwrap().contains(failure), "{body}");
    let (_, page) = get(daemon, "/health").await;
    assert!(page.contains("1 problem:") && page.contains(component), "{page}");
    let problem = format!("{component}: ");
    let problems = cli.run_json(&["status"])["problems"].clone();
    let is_reported =
        |line: &serde_json::Value| line.as_str().is_some_and(|line| line.contains(&problem) && line.contains(failure));
    assert!(problems.as_array().unwrap().iter().any(is_reported), "{problems}");
    assert!(cli.run(&["status"]).contains(failure));
    let doctor = cli.command(&["doctor"]).output().unwrap();
    let doctor = String::from_utf8_lossy(&doctor.stdout);
    assert!(doctor.contains(failure), "{doctor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_webhook_is_reported_with_its_host_until_it_succeeds() {
    let (cli, origin, hook) = (CliRunner::new(), OriginServer::start().await, OriginServer::start().await);
    hook.serve("/secret", StubResponse::status(500));
    let notify = format!("{CONFIG}[[notify]]\nurl = \"{}\"\nfeed = \"all\"\n", hook.url("/secret"));
    cli.write_file("config.toml", &notify);
    let daemon = start_daemon(cli.folder.path(), "");
    let count = async |daemon: &DaemonProcess, outcome: &str| {
        let label = format!("newsfold_webhook_requests_total{{feed=\"all\",outcome=\"{outcome}\"}} ");
        let text = measurements(daemon).await;
        let line = text.lines().find_map(|line| line.strip_prefix(&label)).map(|count| count.parse::<u32>().unwrap());
        line.unwrap_or_else(|| panic!("{label} is missing in\n{text}"))
    };
    let is_known = || {
        let db = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
        db.query_row("SELECT count(*) FROM webhook", [], |row| row.get::<_, i64>(0)).unwrap() == 1
    };
    wait_until("the webhook is known", async || is_known()).await;
    assert_eq!(count(&daemon, "failed").await, 0);
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North"])));
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    wait_until("the failure is measured", async || count(&daemon, "failed").await == 1).await;
    let failure = "the webhook of the feed all at 127.0.0.1 failed: ";
    assert_reported(&cli, &daemon, "webhooks", failure).await;
    let log = daemon.log();
    let line = log.lines().find(|line| line.contains("a webhook failed; retrying")).unwrap();
    assert!(line.contains("feed=\"all\"") && line.contains("host=\"127.0.0.1\""), "{line}");
    assert!(!log.contains("secret"), "{log}");
    // A daemon that is killed before it has recorded the failure announces the entry again.
    let is_recorded = || {
        let db = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
        let statement = "SELECT count(*) FROM webhook WHERE failures = 1";
        db.query_row(statement, [], |row| row.get::<_, i64>(0)).unwrap() == 1
    };
    wait_until("the failure is recorded", async || is_recorded()).await;
    drop(daemon);
    let daemon = start_daemon(cli.folder.path(), "");
    wait_until("the failure is recalled", async || get(&daemon, "/healthz").await.1.contains(failure)).await;
    assert_reported(&cli, &daemon, "webhooks", "1 attempt failed; the next one is at").await;
    drop(daemon);
    hook.serve("/secret", StubResponse::ok(""));
    let db = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
    db.execute("UPDATE webhook SET next_attempt_at = 0", []).unwrap();
    drop(db);
    let daemon = start_daemon(cli.folder.path(), "");
    wait_until("the webhook succeeds", async || count(&daemon, "delivered").await == 1).await;
    wait_until("nothing is reported", async || !get(&daemon, "/healthz").await.1.contains(failure)).await;
    assert_eq!(cli.run_json(&["status"])["problems"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_export_is_reported() {
    let cli = CliRunner::new();
    let file = cli.write_file("taken", "");
    cli.write_file("config.toml", &format!("{CONFIG}export_dir = \"{file}\"\n"));
    let daemon = start_daemon(cli.folder.path(), "");
    wait_until("the failure is measured", async || {
        measurements(&daemon).await.contains("newsfold_exports_total{outcome=\"failed\"} 1\n")
    })
    .await;
    wait_until("the failure is reported", async || get(&daemon, "/healthz").await.1.contains("export")).await;
    assert_reported(&cli, &daemon, "export", "the site could not be exported to publish.export_dir: ").await;
    assert!(daemon.log().contains("the site could not be exported; retrying"));
    let folder = cli.folder.path().join("public");
    cli.write_file("config.toml", &format!("{CONFIG}export_dir = \"{}\"\n", folder.display()));
    daemon.signal("HUP");
    wait_until("the site is exported", async || folder.join("current").exists()).await;
    wait_until("nothing is reported", async || !get(&daemon, "/healthz").await.1.contains("export")).await;
    let text = measurements(&daemon).await;
    assert!(text.contains("newsfold_exports_total{outcome=\"succeeded\"} 1\n"), "{text}");
    assert!(!text.contains("newsfold_last_export_timestamp_seconds 0\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn url_file_that_cannot_be_read_is_logged_once_although_the_database_changes() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let missing = cli.folder.path().join("missing");
    cli.write_file("config.toml", &format!("{CONFIG}[[notify]]\nurl_file = {missing:?}\nfeed = \"all\"\n"));
    let daemon = start_daemon(cli.folder.path(), "");
    for source in 0..5 {
        cli.run(&["source", "add", &origin.url(&format!("/{source}")), "--no-fetch"]);
        wait_until("the daemon has seen the new source", async || {
            let polls = format!("newsfold_polls_total{{outcome=\"failed\"}} {}\n", source + 1);
            measurements(&daemon).await.contains(&polls)
        })
        .await;
    }
    let failure = "the webhook of the feed all failed: its URL cannot be read: cannot read";
    assert_reported(&cli, &daemon, "webhooks", failure).await;
    assert_eq!(daemon.log().matches("the URL of a webhook cannot be read").count(), 1, "{}", daemon.log());
}

#[test]
fn config_check_and_doctor_find_files_that_cannot_be_used() {
    let cli = CliRunner::new();
    let closed = cli.folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o500)).unwrap();
    // The permissions do not apply to root.
    let is_root = rustix::process::geteuid().is_root();
    let unwritable = (!is_root).then(|| {
        (format!("[publish]\nexport_dir = {closed:?}\n"), 2, "publish.export_dir: the current user cannot write to")
    });
    let (empty, taken) = (cli.write_file("empty", "\n"), cli.write_file("taken", ""));
    let missing = cli.folder.path().join("missing").display().to_string();
    let unusable = [
        ("[publish]\nexport_dir = \"\"\n".into(), 2, "publish.export_dir is empty"),
        ("[[notify]]\nurl_file = \"\"\nfeed = \"all\"\n".into(), 2, "notify.0.url_file is empty"),
        (format!("[[notify]]\nurl_file = \"{missing}\"\nfeed = \"all\"\n"), 2, "notify.0.url_file: cannot read"),
        (format!("[[notify]]\nurl_file = \"{empty}\"\nfeed = \"all\"\n"), 2, "does not contain an http or https URL"),
        (format!("[publish]\nexport_dir = \"{taken}\"\n"), 2, "taken is not a directory"),
        (format!("[publish]\nexport_dir = \"{taken}/below\"\n"), 2, "taken is not a directory"),
    ];
    for (setting, line, problem) in unusable.into_iter().chain(unwritable) {
        let file = cli.write_file("config.toml", &setting);
        let place = format!("{file}, line {line}: ");
        for command in [&["config", "check"][..], &["doctor", "--json"]] {
            let output = cli.command(command).output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(
                output.status.code() == Some(1) && said.contains(&place) && said.contains(problem),
                "{command:?}: {said}"
            );
        }
    }
    let (url, new) = (cli.write_file("url", "https://chat.example/secret\n"), cli.folder.path().join("a/b/public"));
    let valid = format!("[publish]\nexport_dir = {new:?}\n[[notify]]\nurl_file = \"{url}\"\nfeed = \"all\"\n");
    cli.write_file("config.toml", &valid);
    cli.run(&["config", "check"]);
    assert!(!new.exists(), "the check creates nothing");
    // systemd passes this file only to the daemon.
    cli.write_file("config.toml", "[[notify]]\nurl_file = \"chat-hook\"\nfeed = \"all\"\n");
    cli.command(&["config", "check"]).env_remove("CREDENTIALS_DIRECTORY").assert().success();
    let credentials = cli.folder.path().display().to_string();
    let check = || cli.command(&["config", "check"]).env("CREDENTIALS_DIRECTORY", &credentials).assert();
    check().success();
    cli.write_file("chat-hook", "not a URL\n");
    check().code(1);
}

#[test]
fn config_check_finds_unknown_placeholders_of_a_template() {
    let cli = CliRunner::new();
    let check = |template: &str| {
        let text = format!("[[notify]]\nurl = \"https://a.example/\"\nfeed = \"all\"\ntemplate = '{template}'\n");
        cli.write_file("config.toml", &text);
        let output = cli.command(&["config", "check"]).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for template in ["{titel}", "{\"text\": \"{title} {Url}\"}", "{title} {url} {x_1}"] {
        let (is_valid, said) = check(template);
        let unknown = template[template.rfind('{').unwrap()..].split('}').next().unwrap();
        assert!(!is_valid && said.contains("line 4: notify.0.template has the unknown placeholder"), "{said}");
        assert!(said.contains(&format!("{unknown}}};")) && said.contains("{title}, {url}, {page}"), "{said}");
    }
    for template in [
        "{title}: {url} {page} {summary} {outlets} {published_at} {id} {feed}",
        "{\"a\": {\"b\": {}}}",
        "a { b } {c d}",
    ] {
        let (is_valid, said) = check(template);
        assert!(is_valid, "{template}: {said}");
    }
}
