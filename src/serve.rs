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
mod feed_snapshot;
mod health_check;
mod http_cache;
mod listener;
mod options;
mod pages;
mod static_site;
mod task_health;

pub use feed_snapshot::{FeedSnapshot, feed_snapshots, feed_urls};
pub use listener::run;
pub use options::Options;
pub use static_site::{Error, StaticDocument, write_static_site};
pub use task_health::TaskHealth;

use crate::clock::Clock;
use crate::publish::{self, FeedFormat};
use crate::store::Store;
use app_state::AppState;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
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
        .route("/style.css", get(pages::style))
        .route("/favicon.svg", get(pages::favicon))
        .route("/healthz", get(health_check::healthz))
        .fallback(pages::not_found)
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
