//! `newsfold origin`: the polled servers with their traffic, their responses and their holds.

use super::Context;
use super::output::{json, maybe_time, print, table};
use crate::crawl;
use crate::domain::display_text::one_line;
use crate::domain::duration::before;
use crate::http_client;
use crate::store::origins::{self, OriginTraffic};
use crate::wording::hold_reason_text;
use anyhow::{Context as _, bail};
use jiff::SignedDuration;
use std::process::ExitCode;
use url::Url;

#[derive(clap::Subcommand)]
pub enum Origin {
    /// List the servers with requests in the last 24 hours, busiest first, and servers on hold.
    List,
    /// Resume polling a server that is on hold (429, 503 or 403).
    Unhold {
        /// Origin as printed by `newsfold origin list`, or any URL on that server.
        origin: String,
    },
}

/// The period that the list covers.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Origin {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Origin::List => list(context).await,
            Origin::Unhold { origin } => unhold(context, &origin).await,
        }
    }
}

async fn list(context: &Context) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let now = context.clock.now();
    let all = store.read(move |db| origins::traffic(db, before(now, DAY), now)).await?;
    if context.json() {
        let rows: Vec<TrafficJson> = all
            .iter()
            .map(|traffic| TrafficJson { traffic, hold_text: traffic.hold_reason.as_ref().map(hold_reason_text) })
            .collect();
        json(&rows)?;
    } else if all.is_empty() {
        print("no requests in the last 24 hours, and no servers on hold")?;
    } else {
        table(
            ["origin", "sources", "requests", "304", "KiB", "throttled", "errors", "on hold until", "reason"],
            all.iter().map(|t| {
                [
                    one_line(&t.origin, 80),
                    t.sources.to_string(),
                    t.requests.to_string(),
                    share(t),
                    t.bytes.div_ceil(1024).to_string(),
                    t.throttled.to_string(),
                    t.errors.to_string(),
                    t.held_until.map_or_else(String::new, |until| maybe_time(Some(until))),
                    one_line(&t.hold_reason.as_ref().map(hold_reason_text).unwrap_or_default(), 80),
                ]
            }),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The traffic of an origin as JSON, with the reason of its hold as data and in words.
#[derive(serde::Serialize)]
struct TrafficJson<'a> {
    #[serde(flatten)]
    traffic: &'a OriginTraffic,
    hold_text: Option<String>,
}

/// The share of 304 responses.
fn share(traffic: &OriginTraffic) -> String {
    match (traffic.not_modified * 100).checked_div(traffic.requests) {
        Some(percent) => format!("{percent}%"),
        None => String::new(),
    }
}

async fn unhold(context: &Context, origin: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let url = Url::parse(origin)
        .with_context(|| format!("‘{origin}’ is not a valid URL; write one such as https://news.example"))?;
    let (name, now) = (http_client::Origin::from_url(&url).to_string(), context.clock.now());
    let Some(waiting) = crawl::clear_hold(&store, name.clone(), config.poll, now).await? else {
        bail!("{name} is not on hold; `newsfold origin list` lists servers on hold");
    };
    print(&format!("{name} is no longer on hold; {waiting} sources were waiting for it"))?;
    Ok(ExitCode::SUCCESS)
}
