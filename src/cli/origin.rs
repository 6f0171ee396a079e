//! `newsfold origin`: the polled servers with their traffic, responses and holds.

use super::Context;
use super::output::print;
use super::table::table_time;
use crate::crawl;
use crate::domain::display_text::one_line;
use crate::domain::duration::before;
use crate::http_client::origin_of;
use crate::store::origins::{self, OriginTraffic};
use crate::wording::hold_reason_text;
use anyhow::{Context as _, bail};
use jiff::SignedDuration;
use std::process::ExitCode;
use url::Url;

#[derive(clap::Subcommand)]
pub enum OriginCommand {
    /// List the servers with requests in the last 24 hours, busiest first, and servers on hold.
    #[command(visible_alias = "ls")]
    List,
    /// Resume polling a server that is on hold (429, 503 or 403).
    Unhold {
        /// Origin as printed by `newsfold origin list`, or any URL on that server.
        origin: String,
    },
}

/// The time span of the statistics in the list.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl OriginCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            OriginCommand::List => list(context).await,
            OriginCommand::Unhold { origin } => unhold(context, &origin).await,
        }
    }
}

async fn list(context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let now = context.clock.now();
    let traffic = store.read(move |db| origins::traffic(db, before(now, DAY), now)).await?;
    let rows: Vec<TrafficRow> = traffic
        .iter()
        .map(|traffic| TrafficRow { traffic, hold_text: traffic.hold_reason.as_ref().map(hold_reason_text) })
        .collect();
    context.print_rows(
        &rows,
        "no requests in the last 24 hours, and no servers on hold",
        &[
            ("origin", |row| one_line(&row.traffic.origin, 80)),
            ("sources", |row| row.traffic.sources.to_string()),
            ("requests", |row| row.traffic.requests.to_string()),
            ("304", |row| not_modified_percentage(row.traffic)),
            ("KiB", |row| row.traffic.bytes.div_ceil(1024).to_string()),
            ("throttled", |row| row.traffic.throttled.to_string()),
            ("errors", |row| row.traffic.errors.to_string()),
            ("on hold until", |row| row.traffic.held_until.map_or_else(String::new, table_time)),
            ("reason", |row| one_line(row.hold_text.as_deref().unwrap_or_default(), 80)),
        ],
    )
}

/// The traffic of an origin. The reason for its hold is given both as data and as text.
#[derive(serde::Serialize)]
struct TrafficRow<'a> {
    #[serde(flatten)]
    traffic: &'a OriginTraffic,
    hold_text: Option<String>,
}

fn not_modified_percentage(traffic: &OriginTraffic) -> String {
    let percentage = (traffic.not_modified * 100).checked_div(traffic.requests);
    percentage.map_or_else(String::new, |percentage| format!("{percentage}%"))
}

async fn unhold(context: &Context, origin: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let url = Url::parse(origin)
        .with_context(|| format!("‘{origin}’ is not a valid URL; enter one such as https://news.example"))?;
    let (name, now) = (origin_of(&url), context.clock.now());
    let Some(waiting) = crawl::clear_hold(&store, name.clone(), config.poll, now).await? else {
        bail!("{name} is not on hold; `newsfold origin list` lists servers on hold");
    };
    print(&format!("{name} is no longer on hold; {waiting} sources were waiting for it"))?;
    Ok(ExitCode::SUCCESS)
}
