//! How newsfold is, for people: its tasks, the sources that are not well, servers that are left alone, what happened last.
//!
//! It names no reason of a task's fall and no address that is not shown elsewhere.

use super::sources::Condition;
use super::words::{counted, machine_time, number, public, time};
use super::{Found, Rendered, Site, answer};
use crate::domain::{OperatorEventKind, OriginHold, RecordedEvent, Source, Timestamp};
use crate::serve::{App, Failure};
use crate::store::stories::{self, Counts};
use crate::store::{self, events, origins, polls, sources};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::Connection;

/// Sources, holds and events that are shown.
const SHOWN: usize = 100;
const EVENTS: usize = 20;

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage<'a> {
    site: Site<'a>,
    /// The daemon's tasks that are down; `None` where the page is written into a file, and nobody knows.
    down: Option<Vec<&'static str>>,
    counts: Counts,
    /// When the database heard of the world last.
    newest: Option<Timestamp>,
    unwell: Vec<(Condition, Source)>,
    others: usize,
    holds: Vec<OriginHold>,
    events: Vec<RecordedEvent>,
}

pub(in crate::serve) async fn health(State(app): State<App>, request: HeaderMap) -> Result<Response, Failure> {
    let down = app.health.tasks_down();
    answer(app, request, |db, site| Ok(Found::Page(health_page(db, site, Some(down))?))).await
}

pub(in crate::serve) fn health_page(
    db: &Connection,
    site: Site,
    down: Option<Vec<&'static str>>,
) -> store::Result<Rendered> {
    let newest = polls::newest(db)?;
    let problems = sources::Filter { problems: true, ..sources::Filter::default() };
    let mut unwell: Vec<(Condition, Source)> =
        sources::list(db, &problems)?.into_iter().map(|source| (Condition::of(&source), source)).collect();
    unwell.sort_by_key(|(condition, _)| *condition);
    let others = unwell.len().saturating_sub(SHOWN);
    unwell.truncate(SHOWN);
    let mut events = events::latest(db)?;
    events.truncate(EVENTS);
    // A hold that the newest poll came after is over, at any time at which this is read.
    let since = newest.unwrap_or(Timestamp::UNIX_EPOCH);
    let page = HealthPage {
        site,
        down,
        counts: stories::counts(db)?,
        newest,
        unwell,
        others,
        holds: origins::holds_after(db, since, SHOWN as u32)?,
        events,
    };
    Ok(page.render())
}

/// Why a source is not well.
fn why(source: &Source) -> String {
    public(if source.last_problem.is_empty() { &source.next_reason } else { &source.last_problem })
}

fn happened(event: &RecordedEvent) -> &'static str {
    match event.kind {
        OperatorEventKind::Broken => "is broken",
        OperatorEventKind::Recovered => "works again",
        OperatorEventKind::Moved => "has moved",
        OperatorEventKind::Gone => "is gone for good",
        OperatorEventKind::Offline => "newsfold can reach no server",
        OperatorEventKind::Online => "newsfold reaches servers again",
    }
}
