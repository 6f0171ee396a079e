//! The checks of `/healthz`: the tasks, the database, its disk, and whether work makes progress.
//!
//! The cost does not depend on the size of the database. The checks change nothing.

use super::app_state::AppState;
use crate::domain::Timestamp;
use crate::domain::duration::before;
use crate::publish::{Options, first_publication};
use crate::store::{self, ReadConnection, items, sources, stories};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// The maximum time for which work may wait without progress.
const MAX_STALL: SignedDuration = SignedDuration::from_mins(1);
/// The maximum time without a successful poll while sources are polled or due.
const MAX_TIME_WITHOUT_SUCCESS: SignedDuration = SignedDuration::from_hours(1);
/// The maximum number of unpublished stories that are examined.
const MAX_EXAMINED_STORIES: u32 = 50;

/// The facts that the checks read from the database.
struct StoredFacts {
    items_waiting: u64,
    /// When the oldest item that can be grouped was first seen.
    oldest_item: Option<Timestamp>,
    has_overdue_story: bool,
    polling: sources::PollingHealth,
}

/// The state of the daemon.
pub struct HealthReport {
    pub items_waiting: Option<u64>,
    /// The reasons why the daemon is not healthy, by task or resource.
    pub down: BTreeMap<&'static str, String>,
    /// The problems that do not make the daemon unhealthy, by component.
    pub warnings: BTreeMap<&'static str, String>,
}

/// Serves `/healthz`, for monitoring: 200 if the daemon works, otherwise 503 with the reasons. Failed webhooks and
/// exports are warnings.
pub async fn healthz(State(app): State<AppState>) -> Response {
    let HealthReport { items_waiting, down, warnings } = report(&app).await;
    let (status, word) =
        if down.is_empty() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "down") };
    let body = serde_json::json!({"status": word, "items_waiting": items_waiting, "down": down, "warnings": warnings});
    (status, Json(body)).into_response()
}

/// Serves `/readyz`, for load balancers: 200 if the database can be read, otherwise 503 with the reason. A daemon that
/// cannot write or poll still serves the stored content.
pub async fn readyz(State(app): State<AppState>) -> Response {
    let read = app.store.read(store::publication::version).await;
    match app.store.file_fault().or_else(|| Some(read_fault(&app, &read.err()?))) {
        None => (StatusCode::OK, "ready\n").into_response(),
        Some(fault) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the database cannot be used: {fault}\n")).into_response()
        }
    }
}

/// Describes a failed read, without the path of the database.
fn read_fault(app: &AppState, error: &store::Error) -> String {
    let cause = app.store.read_failure().unwrap_or_else(|| error.to_string());
    format!("it cannot be read: {cause}")
}

/// Checks the daemon.
pub async fn report(app: &AppState) -> HealthReport {
    let (mut down, warnings) = (app.health.reasons(), app.health.warnings());
    down.extend(app.store.file_fault().map(|fault| ("database", fault)));
    if let Some(cause) = app.store.write_failure() {
        down.insert("writes", format!("writing failed: {cause}"));
    }
    down.extend(app.store.disk_shortage().map(|shortage| ("disk", shortage)));
    let (now, options) = (app.clock.now(), app.options.clone());
    let facts = match app.store.read(move |db| stored_facts(db, now, &options)).await {
        Ok(facts) => facts,
        Err(error) => {
            down.entry("database").or_insert_with(|| app.store.file_fault().unwrap_or_else(|| read_fault(app, &error)));
            return HealthReport { items_waiting: None, down, warnings };
        }
    };
    let is_stalled = |task| app.health.last_progress(task).is_some_and(|at| at < before(now, MAX_STALL));
    if facts.oldest_item.is_some_and(|at| at < before(now, MAX_STALL)) && is_stalled("grouping") {
        down.entry("grouping").or_insert_with(|| "items have been waiting for more than a minute".into());
    }
    if facts.has_overdue_story && is_stalled("publisher") {
        down.entry("publisher").or_insert_with(|| "stories have been waiting for more than a minute".into());
    }
    let has_started = app.health.last_progress("start").is_some_and(|at| at >= before(now, MAX_TIME_WITHOUT_SUCCESS));
    if facts.polling.has_attempts && !facts.polling.has_succeeded && !has_started {
        down.insert("polling", "no poll has succeeded for an hour, even though sources were due".into());
    }
    HealthReport { items_waiting: Some(facts.items_waiting), down, warnings }
}

fn stored_facts(db: &ReadConnection, now: Timestamp, options: &Options) -> store::Result<StoredFacts> {
    let created_until = before(before(now, options.delay), MAX_STALL);
    let unpublished = stories::unpublished(db, created_until, None, MAX_EXAMINED_STORIES)?;
    Ok(StoredFacts {
        items_waiting: items::count_unassigned(db)?,
        oldest_item: items::unassigned(db, 1, now)?.first().map(|item| item.first_seen_at),
        has_overdue_story: unpublished.iter().any(|story| first_publication(story, now, options).is_some()),
        polling: sources::polling_health(db, before(now, MAX_TIME_WITHOUT_SUCCESS), before(now, MAX_STALL))?,
    })
}
