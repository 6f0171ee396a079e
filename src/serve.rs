//! HTTP for feed readers and people: feeds, pages of stories and sources, health.
//!
//! It decides nothing: the contents of feeds come from [`crate::store`], their bytes from [`crate::publish`]. It writes
//! only the `Last-Modified` date of a feed. Feeds are rendered once per change and served from memory. No link is built
//! from the request's `Host` header. TLS belongs to the reverse proxy.

mod app_state;
mod content_negotiation;
mod feed_cache;
mod feed_resource;
mod feed_routes;
mod http_cache;
mod listener;
mod options;
mod pages;
mod static_site;
mod task_health;

pub use app_state::Error;
pub use feed_resource::{FeedSnapshot, feed_snapshots, feed_urls};
pub use http_cache::EncodedResponse;
pub use listener::run;
pub use options::Options;
pub use static_site::write_static_site;
pub use task_health::TaskHealth;

use crate::clock::Clock;
use crate::publish::{self, FeedFormat};
use crate::store::{Store, items};
use app_state::AppState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use feed_routes::search;

/// All routes.
pub fn router(store: Store, options: publish::Options, health: TaskHealth, clock: Clock) -> Router {
    Router::new()
        .route("/", get(pages::index))
        .route("/stories/{file}", get(feed_routes::story))
        .route("/search.atom", get(async |app, query, request| search(app, query, request, FeedFormat::Atom).await))
        .route("/search.rss", get(async |app, query, request| search(app, query, request, FeedFormat::Rss).await))
        .route("/search.json", get(async |app, query, request| search(app, query, request, FeedFormat::Json).await))
        .route("/search", get(pages::search))
        .route("/sources", get(pages::sources))
        .route("/sources/{id}", get(pages::source))
        .route("/health", get(pages::health))
        .route("/feeds", get(pages::feeds))
        .route("/feeds.opml", get(pages::opml))
        .route("/feeds/{file}", get(feed_routes::feed))
        .route("/style.css", get(async |request: HeaderMap| pages::STYLE.respond(&request)))
        .route("/favicon.svg", get(async |request: HeaderMap| pages::FAVICON.respond(&request)))
        .route("/healthz", get(healthz))
        .fallback(async |State(app): State<AppState>| pages::not_found(&app))
        .layer(axum::middleware::map_response(with_security_headers))
        .with_state(AppState::new(store, options, health, clock))
}

async fn with_security_headers(mut response: Response) -> Response {
    const ALL: [(HeaderName, &str); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
    ];
    for (name, value) in ALL {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `/healthz`, for monitoring: 200 if the database can be read and every task runs, else 503, with the number of items
/// that wait for grouping. The cost does not depend on the size of the database.
async fn healthz(State(app): State<AppState>) -> Result<Response, Error> {
    let waiting = app.store.read(items::count_unassigned).await?;
    let down = app.health.reasons();
    let (status, word) =
        if down.is_empty() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "down") };
    let body = serde_json::json!({"status": word, "items_waiting": waiting, "down": down});
    Ok((status, Json(body)).into_response())
}
