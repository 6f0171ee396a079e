//! `newsfold doctor`: checks what newsfold needs to work, and suggests a fix for each problem.
//!
//! An error is something that keeps newsfold from working. If there is one, the exit code is 1. A warning is something
//! that an operator should know. The checks change nothing, and send at most two requests.

mod local;
mod network;

use super::Context;
use std::process::ExitCode;
use url::Url;

#[derive(clap::Args)]
pub struct Doctor {
    /// URL to request for the check of outbound HTTP [default: robots.txt on the server of an active source].
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
}

/// The result of one check.
#[derive(serde::Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    detail: String,
    /// What the operator can do; `None` if nothing is wrong.
    fix: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Ok,
    Warning,
    Error,
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Ok, detail: detail.into(), fix: None }
    }

    fn warning(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Warning, detail: detail.into(), fix: Some(fix.into()) }
    }

    fn error(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Error, detail: detail.into(), fix: Some(fix.into()) }
    }

    fn text(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "OK",
            Verdict::Warning => "WARNING",
            Verdict::Error => "ERROR",
        };
        let fix = self.fix.as_ref().map_or_else(String::new, |fix| format!("\n{:>25}{fix}", "fix: "));
        format!("{verdict:>7}  {:>13}  {}{fix}", self.check, self.detail)
    }
}

impl Doctor {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let findings = self.findings(context).await;
        let lines: Vec<String> = findings.iter().map(Finding::text).collect();
        context.print(&findings, lines.join("\n"))?;
        let has_error = findings.iter().any(|finding| finding.verdict == Verdict::Error);
        Ok(ExitCode::from(u8::from(has_error)))
    }

    async fn findings(&self, context: &Context) -> Vec<Finding> {
        let (finding, config) = local::configuration(context);
        let mut findings = vec![finding];
        // The other checks need the settings.
        let Some(config) = config else { return findings };
        findings.extend(local::encoder(&config));
        findings.extend(local::files(context, &config));
        let (finding, store) = local::database(context, &config).await;
        findings.push(finding);
        if let Some(store) = &store {
            findings.extend([local::disk(store), local::permissions(store), local::daemon(store).await]);
        }
        findings.extend(network::checks(context, &config, store.as_ref(), self.url.clone()).await);
        findings
    }
}
