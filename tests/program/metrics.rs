//! Tests `/metrics`, and the dashboard and the alert rules in `contrib/`.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, skipped, wait_until};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n[fetch]\n\
                      min_origin_delay = \"0s\"\nallowed_networks = [\"127.0.0.0/8\"]\n[publish]\ndelay = \"0s\"\n\
                      [daemon]\nshutdown_grace = \"2s\"\n";

fn contrib(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(file)
}

/// Returns the metrics of a daemon, as text.
pub async fn measurements(daemon: &DaemonProcess) -> String {
    let log = daemon.log();
    let address = log.split_once("listen=").expect("the log names the address").1.split_whitespace().next().unwrap();
    let response = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    response.text().await.unwrap()
}

/// Starts a daemon and waits until it has polled two sources and published a story.
async fn start(cli: &CliRunner, origin: &OriginServer) -> DaemonProcess {
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North", "2 | Museum opens | Hall"])));
    cli.write_file("config.toml", CONFIG);
    let daemon = start_daemon(cli.folder.path(), "");
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    cli.run(&["source", "add", &origin.url("/missing"), "--no-fetch"]);
    wait_until("both sources are polled and both stories are published", async || {
        let text = measurements(&daemon).await;
        text.contains("newsfold_published_stories 2\n") && text.contains("newsfold_sources{status=\"failing\"} 1\n")
    })
    .await;
    daemon
}

/// Returns the names of the metrics that a text mentions.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("newsfold_")).map(str::to_owned).collect()
}

/// Runs promtool with input. Returns its output, or `None` if promtool is not installed.
fn promtool(arguments: &[&str], input: &str) -> Option<String> {
    let command = Command::new("promtool")
        .args(arguments)
        .current_dir(contrib("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = command else {
        skipped(&format!("promtool {arguments:?}: promtool is not installed (Debian package prometheus)"));
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {text}");
    Some(text)
}

#[tokio::test(flavor = "multi_thread")]
pub async fn measurements_describe_polls_items_requests_and_the_database() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let daemon = start(&cli, &origin).await;
    for path in ["/feeds/all.atom", "/", "/no/such/page"] {
        reqwest::get(format!("{}{path}", daemon.base)).await.unwrap();
    }
    let text = measurements(&daemon).await;
    for line in [
        "newsfold_polls_total{outcome=\"read\"} 1",
        "newsfold_polls_total{outcome=\"failed\"} 1",
        "newsfold_poll_duration_seconds_count 2",
        "newsfold_new_items_total 2",
        "newsfold_items 2",
        "newsfold_sources{status=\"ok\"} 1",
        "newsfold_queue_length{queue=\"items_to_group\"} 0",
        "newsfold_http_requests_total{route=\"/feeds/{file}\",status=\"200\"} 1",
        "newsfold_http_requests_total{route=\"other\",status=\"404\"} 1",
        "newsfold_config_reload_successful 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert_eq!(
        reqwest::get(format!("{}/metrics", daemon.base)).await.unwrap().status(),
        404,
        "the site has no /metrics"
    );
    promtool(&["check", "metrics"], &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_configuration_and_faults_are_measured() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let daemon = start(&cli, &origin).await;
    cli.write_file("config.toml", "[publish");
    daemon.signal("HUP");
    wait_until("the rejection is measured", async || {
        measurements(&daemon).await.contains("newsfold_config_reload_successful 0\n")
    })
    .await;
    std::fs::remove_file(cli.folder.path().join("news.db")).unwrap();
    assert!(measurements(&daemon).await.contains("newsfold_faults{part=\"database\"} 1\n"));
}

#[test]
fn address_in_use_does_not_keep_the_daemon_from_starting() {
    let cli = CliRunner::new();
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap().to_string();
    cli.write_file(
        "config.toml",
        &CONFIG.replace("[metrics]\nlisten = \"127.0.0.1:0\"", &format!("[metrics]\nlisten = \"{address}\"")),
    );
    let log = start_daemon(cli.folder.path(), "").log();
    assert!(log.contains(&format!("cannot listen on {address} for /metrics")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_and_alert_rules_use_only_measurements_that_exist() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let daemon = start(&cli, &origin).await;
    reqwest::get(format!("{}/feeds/all.atom", daemon.base)).await.unwrap();
    std::fs::remove_file(cli.folder.path().join("news.db")).unwrap();
    let known = names(&measurements(&daemon).await);
    let dashboard = std::fs::read_to_string(contrib("grafana/newsfold.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    let rules = std::fs::read_to_string(contrib("prometheus/newsfold.rules.yml")).unwrap();
    assert_eq!(rules.matches("- alert:").count(), 5);
    for text in [dashboard, rules] {
        let unknown: Vec<String> = names(&text).difference(&known).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new());
    }
}

#[test]
fn alert_rules_are_valid_and_fire_as_described() {
    promtool(&["check", "rules", "newsfold.rules.yml"], "");
    promtool(&["test", "rules", "newsfold.rules.test.yml"], "");
}
