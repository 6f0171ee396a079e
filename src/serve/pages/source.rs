//! The page of a source: its condition, its items per day, its next poll and the reason, its facts and its last polls.

use super::chart::{CHART_DAYS, DayBar, day_bars, day_number};
use super::format::{condition_class, link, machine_time, number, remark, time};
use super::respond::{PageLookup, respond};
use super::site_layout::{RenderedPage, SiteLayout};
use super::sources::next_poll;
use crate::domain::{RecordedEvent, Source, SourceId, SourceState, Timestamp};
use crate::serve::app_state::{AppState, InternalError};
use crate::store::polls::{self, PollSummary};
use crate::store::{self, ReadConnection, items, operator_events, sources, websub_subscriptions};
use crate::urls::redact::redact_url;
use crate::wording::{Audience, SourceCondition, count_of, duration, next_poll_text, poll_remarks, source_facts};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

/// Maximum number of polls shown.
const MAX_POLLS: u32 = 20;
/// Maximum number of events shown.
const MAX_EVENTS: u32 = 20;

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage<'a> {
    site: SiteLayout<'a>,
    source: &'a Source,
    condition: SourceCondition,
    facts: Vec<(&'static str, String)>,
    /// The days up to the last poll; empty before the first poll.
    bars: Vec<DayBar>,
    polls: Vec<PollSummary>,
    events: Vec<RecordedEvent>,
}

pub async fn source(
    State(app): State<AppState>,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, InternalError> {
    respond(app, request, move |db, site| {
        // `+1` and `01` are not found: a source has one URL.
        let Some(id) = id.parse::<i64>().ok().filter(|number| number.to_string() == id) else {
            return Ok(PageLookup::NotFound);
        };
        let source = sources::get(db, SourceId(id))?.filter(|source| source.state != SourceState::Removed);
        let Some(source) = source else { return Ok(PageLookup::NotFound) };
        Ok(PageLookup::Found(source_page(db, site, &source)?))
    })
    .await
}

pub fn source_page(db: &ReadConnection, site: SiteLayout, source: &Source) -> store::Result<RenderedPage> {
    let bars = match source.last_poll_at.map(day_number) {
        None => Vec::new(),
        // Relative to the last poll rather than to now: the page depends on the database only.
        Some(last) => day_bars(&items::count_per_day(db, source.id, last - CHART_DAYS + 1, last)?, last),
    };
    let page = SourcePage {
        site,
        source,
        condition: SourceCondition::of(source),
        facts: source_facts(source, websub_subscriptions::get(db, source.id)?.as_ref(), Audience::Public),
        bars,
        polls: polls::latest(db, source.id, MAX_POLLS)?,
        events: operator_events::latest_of_source(db, source.id, MAX_EVENTS)?,
    };
    Ok(page.render())
}

impl SourcePage<'_> {
    fn total(&self) -> String {
        count_of(self.bars.iter().map(|bar| bar.items).sum::<u64>() as usize, "item", "items")
    }

    fn max_per_day(&self) -> u64 {
        self.bars.iter().map(|bar| bar.items).max().unwrap_or(0)
    }

    /// The website, unless its URL has parts that are not public.
    fn website(&self) -> Option<&str> {
        link(self.source.site_url.as_deref()).filter(|url| redact_url(url) == *url)
    }
}

fn remarks(poll: &PollSummary) -> Vec<String> {
    poll_remarks(poll.outcome, &poll.detail, &poll.problems, Audience::Public)
}

fn poll_duration(poll: &PollSummary) -> String {
    duration(poll.finished_at.duration_since(poll.started_at))
}

fn short_day(at: &Timestamp) -> String {
    at.strftime("%-d %b").to_string()
}
