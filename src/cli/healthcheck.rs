//! `newsfold healthcheck`: checks whether the running daemon is healthy, for containers and scripts.

use super::Context;
use super::running_daemon::recorded_address;
use crate::config::site_at;
use crate::store::daemon_state::DaemonState;
use anyhow::{Context as _, anyhow};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// The time limit for the response.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub struct Healthcheck {
    /// URL of the daemon [default: the address of the running daemon, or else `serve.listen`].
    #[arg(long, value_name = "URL")]
    url: Option<url::Url>,
}

impl Healthcheck {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let base = match self.url {
            Some(url) => url.to_string(),
            None => site_at(daemon_address(context)).to_string(),
        };
        let (is_healthy, body) = query(&base).await?;
        super::output::print(body.trim_end())?;
        Ok(if is_healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Returns the address that the running daemon has recorded, or else the configured one. A configuration that the
/// daemon does not use must not make the daemon look unhealthy.
fn daemon_address(context: &Context) -> SocketAddr {
    let (config, _) = context.lenient_config();
    recorded_address(&config.database_path()).unwrap_or(config.serve.listen)
}

/// Queries `/healthz` of the daemon at `base`. Also returns the body of the response.
async fn query(base: &str) -> anyhow::Result<(bool, String)> {
    let url = format!("{}/healthz", base.trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let no_response = |error: reqwest::Error| {
        let error = anyhow::Error::new(error);
        let cause = error.root_cause();
        anyhow!(
            "the daemon does not respond at {url}: {cause}; start it with `newsfold serve` or systemctl, or choose \
             another address with --url URL"
        )
    };
    let response = client.get(&url).send().await.map_err(no_response)?;
    let is_healthy = response.status().is_success();
    Ok((is_healthy, response.text().await.map_err(no_response)?))
}

/// The problems that a daemon reports.
#[derive(Default)]
pub struct DaemonProblems {
    /// The reasons why the daemon is not healthy; empty if it is healthy.
    pub faults: Vec<String>,
    /// The problems that do not make the daemon unhealthy.
    pub warnings: Vec<String>,
}

/// Returns the problems of a running daemon. A daemon that does not respond is not healthy.
pub async fn problems_of(daemon: &DaemonState) -> DaemonProblems {
    let fault = |fault| DaemonProblems { faults: vec![fault], ..DaemonProblems::default() };
    match daemon.listen.parse() {
        Ok(address) => problems(address).await.unwrap_or_else(|error| fault(format!("{error:#}"))),
        Err(_) => fault(format!("the daemon has recorded an invalid address: {}", daemon.listen)),
    }
}

/// Returns the problems of the daemon at an address.
pub async fn problems(address: SocketAddr) -> anyhow::Result<DaemonProblems> {
    #[derive(serde::Deserialize)]
    struct Report {
        down: BTreeMap<String, String>,
        #[serde(default)]
        warnings: BTreeMap<String, String>,
    }
    let (_, body) = query(site_at(address).as_str()).await?;
    let report: Report = serde_json::from_str(&body).context("the response of the daemon is not valid")?;
    let lines = |reasons: BTreeMap<String, String>| {
        reasons.into_iter().map(|(part, reason)| format!("{part}: {reason}")).collect()
    };
    Ok(DaemonProblems { faults: lines(report.down), warnings: lines(report.warnings) })
}
