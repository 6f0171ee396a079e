//! The source page: its status, its items per day, its next poll and the reason, its properties and its latest polls.

use super::chart::{CHART_DAYS, DayBar, day_bars, day_number};
use super::format::{machine_time, number, status_class};
use super::respond::{not_found, respond};
use super::site_layout::SiteLayout;
use super::source_list::next_poll;
use crate::domain::{RecordedEvent, Source, SourceId, SourceState, Timestamp};
use crate::publish::probation_until;
use crate::serve::app_state::{AppState, Error};
use crate::store::polls::{self, PollSummary};
use crate::store::{ReadConnection, items, operator_events, sources, websub_subscriptions};
use crate::urls::redact::site_of;
use crate::wording::{
    Audience, SourceContext, SourceStatus, TimedText, count_of, duration, event_detail, next_poll_text, poll_error,
    poll_remarks, source_facts,
};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

/// The maximum number of polls to show.
const MAX_POLLS: u32 = 20;
/// The maximum number of events to show.
const MAX_EVENTS: u32 = 20;

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage<'a> {
    site: SiteLayout<'a>,
    source: &'a Source,
    status: SourceStatus,
    facts: Vec<(&'static str, TimedText)>,
    /// The days up to the latest poll; empty before the first poll.
    bars: Vec<DayBar>,
    polls: Vec<PollSummary>,
    events: Vec<RecordedEvent>,
}

pub async fn source(
    State(app): State<AppState>,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Error> {
    // `+1` and `01` are not found, because a source has only one URL.
    let Some(id) = id.parse::<i64>().ok().filter(|number| number.to_string() == id) else { return not_found(&app) };
    app.respond(move |app, db| match sources::get(db, SourceId(id))? {
        Some(source) if source.state != SourceState::Removed => {
            Ok(respond(source_page(db, app.site(), &source)?, &request))
        }
        _ => not_found(app),
    })
    .await
}

pub fn source_page(db: &ReadConnection, site: SiteLayout, source: &Source) -> Result<String, Error> {
    let bars = match source.last_poll_at.map(day_number) {
        None => Vec::new(),
        // The days are relative to the latest poll instead of now, because the page depends only on the database.
        Some(last) => day_bars(&items::count_per_day(db, source.id, last - CHART_DAYS + 1, last)?, last),
    };
    let hub = websub_subscriptions::get(db, source.id)?;
    let context = SourceContext {
        hub: hub.as_ref(),
        backlog_items: items::count_backlog(db, source.id)?,
        probation_until: probation_until(source, site.options),
    };
    let page = SourcePage {
        site,
        source,
        status: SourceStatus::of(source),
        facts: source_facts(source, context, site.audience()),
        bars,
        polls: polls::latest(db, source.id, MAX_POLLS)?,
        events: operator_events::latest_of_source(db, source.id, MAX_EVENTS)?,
    };
    Ok(page.render()?)
}

impl SourcePage<'_> {
    fn total(&self) -> String {
        count_of(self.bars.iter().map(|bar| bar.items).sum::<u64>() as usize, "item", "items")
    }

    fn max_per_day(&self) -> u64 {
        self.bars.iter().map(|bar| bar.items).max().unwrap_or(0)
    }

    /// Returns the start page of the website. The rest of the URL may contain a secret.
    fn website(&self) -> Option<String> {
        self.source.site_url.as_deref().and_then(site_of)
    }
}

fn remarks(poll: &PollSummary) -> Vec<TimedText> {
    let failure = poll_error(poll.outcome, &poll.detail, poll.detail_time, Audience::PUBLIC);
    poll_remarks(failure, &poll.problems, Audience::PUBLIC)
}

fn poll_duration(poll: &PollSummary) -> String {
    duration(poll.finished_at.duration_since(poll.started_at))
}

fn short_day(at: &Timestamp) -> String {
    at.strftime("%-d %b").to_string()
}
