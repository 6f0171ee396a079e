//! `newsfold healthcheck`: asks the running daemon whether it is healthy, for containers and scripts.

use super::Context;
use crate::config::site_at;
use crate::store::daemon_state::DaemonState;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// The time limit for the response.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub struct Healthcheck {
    /// URL of the daemon [default: the address of `serve.listen`].
    #[arg(long, value_name = "URL")]
    url: Option<url::Url>,
}

impl Healthcheck {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let base = match self.url {
            Some(url) => url.to_string(),
            None => site_at(context.config()?.serve.listen).to_string(),
        };
        let (is_healthy, body) = query(&base).await?;
        super::output::print(body.trim_end())?;
        Ok(if is_healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Asks the daemon at `base` whether it is healthy. Also returns the body of the response.
async fn query(base: &str) -> anyhow::Result<(bool, String)> {
    let url = format!("{}/healthz", base.trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let no_response = || format!("the daemon does not respond at {url}");
    let response = client.get(&url).send().await.with_context(no_response)?;
    let is_healthy = response.status().is_success();
    Ok((is_healthy, response.text().await.with_context(no_response)?))
}

/// Returns the reasons why a daemon is not healthy; empty if it is healthy.
pub async fn faults_of(daemon: &DaemonState) -> Vec<String> {
    match daemon.listen.parse() {
        Ok(address) => faults(address).await.unwrap_or_else(|error| vec![format!("{error:#}")]),
        Err(_) => vec![format!("the daemon has recorded an invalid address: {}", daemon.listen)],
    }
}

async fn faults(address: SocketAddr) -> anyhow::Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Report {
        down: BTreeMap<String, String>,
    }
    let (_, body) = query(site_at(address).as_str()).await?;
    let report: Report = serde_json::from_str(&body).context("the response of the daemon is not valid")?;
    Ok(report.down.into_iter().map(|(part, reason)| format!("{part}: {reason}")).collect())
}
