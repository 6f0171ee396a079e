//! `/metrics`, for Prometheus. The endpoint has its own listen address, so that a reverse proxy for the site never
//! publishes the metrics.

use super::app_state::{AppState, Error};
use super::health_checks;
use super::site_options::SiteOptions;
use super::task_health::TaskHealth;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::metrics::{METRICS, seconds_since};
use crate::store::queue_lengths::{self, QueueLengths};
use crate::store::row_counts::{self, RowCounts};
use crate::store::sources::{self, SourceFilter};
use crate::store::{self, ReadConnection, Store, polls};
use crate::wording::SourceStatus;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::BTreeMap;
use std::time::Instant;

/// The media type of the Prometheus text format.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the routes of the metrics server.
pub fn metrics_router(store: Store, options: SiteOptions, health: TaskHealth, clock: Clock) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(AppState::new(store, options, health, clock))
}

async fn metrics(State(app): State<AppState>) -> Result<Response, Error> {
    let now = app.clock.now();
    let down = health_checks::report(&app).await.down;
    METRICS.faults.reset();
    down.keys().for_each(|part| METRICS.faults.with_label_values(&[part]).set(1));
    match app.store.read(move |db| stored_facts(db, now)).await {
        Ok(facts) => facts.set(),
        // A metric already reports this failure.
        Err(error) => error.log("cannot read the database metrics"),
    }
    if let Ok(usage) = app.store.disk_usage() {
        METRICS.database_bytes.set(usage.database_bytes as i64);
        METRICS.write_ahead_log_bytes.set(usage.write_ahead_log_bytes as i64);
        METRICS.disk_free_bytes.set(usage.free_bytes as i64);
    }
    let text = METRICS.text().map_err(std::io::Error::other)?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// The values that are read from the database.
struct StoredFacts {
    sources: BTreeMap<&'static str, u64>,
    counts: RowCounts,
    queues: QueueLengths,
    last_poll_at: Option<Timestamp>,
}

fn stored_facts(db: &ReadConnection, now: Timestamp) -> store::Result<StoredFacts> {
    Ok(StoredFacts {
        sources: SourceStatus::count(&sources::list(db, &SourceFilter::default())?),
        counts: row_counts::count(db)?,
        queues: queue_lengths::count(db, now)?,
        last_poll_at: polls::last_poll_at(db)?,
    })
}

impl StoredFacts {
    fn set(&self) {
        let StoredFacts { sources, counts, queues, last_poll_at } = self;
        METRICS.sources.reset();
        for (status, count) in sources {
            METRICS.sources.with_label_values(&[status.replace(' ', "_").to_lowercase()]).set(*count as i64);
        }
        METRICS.items.set(counts.items as i64);
        METRICS.stories.set(counts.stories as i64);
        METRICS.published_stories.set(counts.published as i64);
        METRICS.storylines.set(counts.storylines as i64);
        METRICS.subscribers.set(counts.subscribers as i64);
        METRICS.last_poll_at.set(last_poll_at.map_or(0, |at| at.as_second()));
        for (queue, length) in [
            ("due_sources", queues.due_sources),
            ("items_to_group", queues.items_to_group),
            ("items_to_encode", queues.items_to_encode),
            ("stories_to_review", queues.stories_to_review),
            ("pending_deliveries", queues.pending_deliveries),
        ] {
            METRICS.queue_length.with_label_values(&[queue]).set(length as i64);
        }
    }
}

/// Counts and measures a request to the site.
pub async fn measure(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    // All paths without a route have one label, because clients can request any number of such paths.
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    count_request(route, &response, start);
    response
}

/// Counts a request to a route that started at `start`.
pub fn count_request(route: &str, response: &Response, start: Instant) {
    METRICS.http_requests.with_label_values(&[route, response.status().as_str()]).inc();
    METRICS.http_duration.with_label_values(&[route]).observe(seconds_since(start));
}
