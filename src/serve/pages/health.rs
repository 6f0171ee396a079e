//! The health page: the daemon's tasks, sources with problems, servers on hold, and recent events.
//!
//! The page shows no error messages of tasks and no addresses that are not public.

use super::format::{machine_time, number, remark, status_class};
use super::respond::respond;
use super::site_layout::SiteLayout;
use crate::domain::{OriginHold, RecordedEvent, Source, Timestamp};
use crate::serve::app_state::{AppState, Error};
use crate::serve::health_checks;
use crate::store::row_counts::{self, RowCounts};
use crate::store::{ReadConnection, operator_events, origins, polls, sources};
use crate::wording::{
    Audience, SourceStatus, TimedText, count_of, event_detail, event_phrase, hold_reason_text, last_error,
    next_poll_text, poll_state_text,
};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

/// The maximum number of sources, and of holds, to show.
const MAX_ROWS: usize = 100;
/// The maximum number of events to show.
const MAX_EVENTS: usize = 20;

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage<'a> {
    site: SiteLayout<'a>,
    /// The tasks and resources of the daemon that are down, and the components whose deliveries fail. `None` in a
    /// static file, because they are unknown.
    down: Option<Vec<&'static str>>,
    /// A sentence about the last polls of all sources.
    poll_state: String,
    /// The number of sources whose last poll failed.
    failing_count: u64,
    counts: RowCounts,
    /// The time of the latest poll.
    newest: Option<Timestamp>,
    failing: Vec<(SourceStatus, Source)>,
    /// The number of sources with problems that are not shown.
    others: usize,
    holds: Vec<OriginHold>,
    events: Vec<RecordedEvent>,
}

pub async fn health(State(app): State<AppState>, request: HeaderMap) -> Result<Response, Error> {
    let report = health_checks::report(&app).await;
    let down = report.down.into_keys().chain(report.warnings.into_keys()).collect();
    app.respond(move |app, db| Ok(respond(health_page(db, app.site(), Some(down))?, &request))).await
}

pub fn health_page(db: &ReadConnection, site: SiteLayout, down: Option<Vec<&'static str>>) -> Result<String, Error> {
    let newest = polls::last_poll_at(db)?;
    let problems = sources::SourceFilter { problems: true, ..sources::SourceFilter::default() };
    let mut failing: Vec<(SourceStatus, Source)> =
        sources::list(db, &problems)?.into_iter().map(|source| (SourceStatus::of(&source), source)).collect();
    failing.sort_by_key(|(status, _)| *status);
    let others = failing.len().saturating_sub(MAX_ROWS);
    failing.truncate(MAX_ROWS);
    let polls = sources::poll_counts(db)?;
    let mut events = operator_events::latest(db)?;
    events.truncate(MAX_EVENTS);
    // A hold that ended before the latest poll is certainly over when the page is read.
    let since = newest.unwrap_or(Timestamp::UNIX_EPOCH);
    let page = HealthPage {
        site,
        down,
        poll_state: poll_state_text(&polls),
        failing_count: polls.failing,
        counts: row_counts::count(db)?,
        newest,
        failing,
        others,
        holds: origins::holds_ending_after(db, since, MAX_ROWS as u32)?,
        events,
    };
    Ok(page.render()?)
}

/// Returns the problem of a source: the error of its latest poll, or else the reason for the time of its next poll,
/// such as a hold.
fn problem(source: &Source) -> TimedText {
    match source.last_error.is_empty() {
        true => next_poll_text(&source.next_poll_reason),
        false => last_error(source, Audience::PUBLIC),
    }
}

fn hold_reason(hold: &OriginHold) -> String {
    remark(&hold_reason_text(&hold.reason))
}

/// Returns the event as a predicate. Its subject is the title of the source or newsfold.
fn phrase(event: &RecordedEvent) -> String {
    let subject = if event.source.is_none() { "newsfold " } else { "" };
    format!("{subject}{}", event_phrase(event.kind))
}
