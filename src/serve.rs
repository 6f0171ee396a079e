//! The HTTP server for feed readers and browsers: feeds, story pages, source pages, and health.
//!
//! This module makes no decisions: [`crate::store`] provides the contents of feeds, and [`crate::publish`] renders
//! them. The only value that it writes is the `Last-Modified` date of a feed. Feeds are rendered once per change and
//! served from memory. No link is derived from the request's `Host` header. TLS is left to the reverse proxy.

mod app_state;
mod base_path;
mod content_coding;
mod cross_origin;
mod feed_cache;
mod feed_resource;
mod feed_routes;
mod health_checks;
mod host_header;
mod http_cache;
mod listener;
mod metrics_endpoint;
mod options;
mod shared_read;
mod site_options;
mod pages;
mod security_headers;
mod site;
mod static_site;
mod task_health;

pub use app_state::Error;
pub use feed_resource::{FeedSnapshot, feed_snapshots, feed_urls};
pub use http_cache::EncodedResponse;
pub use listener::run;
pub use metrics_endpoint::metrics_router;
pub use options::Options;
pub use site::Site;
pub use site_options::SiteOptions;
pub use static_site::{ExportedVersions, SiteDocument, SiteFiles, write_static_site};
pub use task_health::TaskHealth;

use crate::clock::Clock;
use crate::publish::FeedFormat;
use crate::store::Store;
use app_state::AppState;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use base_path::also_below_base_path;
use cross_origin::{allow_any_origin, insert_allowed_origin};
use feed_routes::search;
use health_checks::{healthz, readyz};
use host_header::require_one_host;
use security_headers::with_security_headers;

/// Returns the site with all routes, including the WebSub routes, both below the path of the base URL and without it.
pub fn site(store: Store, options: SiteOptions, health: TaskHealth, clock: Clock, websub_routes: Router) -> Site {
    let base_url = options.publish.base_url.clone();
    let app = AppState::new(store, options, health, clock);
    let feeds = app.cache.clone();
    let routes = routes(app).merge(websub_routes);
    let routes = routes.layer(axum::middleware::from_fn(metrics_endpoint::measure));
    let router = Router::new()
        .fallback_service(also_below_base_path(routes, &base_url))
        .layer(axum::middleware::from_fn(require_one_host))
        .layer(axum::middleware::map_response(with_security_headers));
    Site::new(router, feeds)
}

fn routes(app: AppState) -> Router {
    let feeds = Router::new()
        .route("/stories/{file}", get(feed_routes::story))
        .route("/storylines/{file}", get(feed_routes::storyline))
        .route("/search.atom", get(async |app, query, request| search(app, query, request, FeedFormat::Atom).await))
        .route("/search.rss", get(async |app, query, request| search(app, query, request, FeedFormat::Rss).await))
        .route("/search.json", get(async |app, query, request| search(app, query, request, FeedFormat::Json).await))
        .route("/feeds.opml", get(pages::opml))
        .route("/feeds/{file}", get(feed_routes::feed))
        .route_layer(axum::middleware::from_fn(allow_any_origin));
    let mut status_pages = Router::new();
    if app.status_pages {
        status_pages = status_pages
            .route("/sources", get(pages::sources))
            .route("/sources/{id}", get(pages::source))
            .route("/health", get(pages::health));
    }
    Router::new()
        .route("/", get(pages::index))
        .route("/search", get(pages::search))
        .route("/feeds", get(pages::feeds))
        .route("/style.css", get(async |request: HeaderMap| pages::STYLE.respond(&request)))
        .route("/favicon.svg", get(async |request: HeaderMap| pages::FAVICON.respond(&request)))
        .route("/robots.txt", get(async |request: HeaderMap| pages::ROBOTS.respond(&request)))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .merge(feeds)
        .merge(status_pages)
        .fallback(other_path)
        .with_state(app)
}

/// Redirects a path with a trailing slash to the same path without it. Responds to any other path with 404.
async fn other_path(State(app): State<AppState>, method: Method, uri: Uri) -> Result<Response, Error> {
    let path = uri.path().trim_matches('/');
    if !uri.path().ends_with('/') || !matches!(method, Method::GET | Method::HEAD) {
        return pages::not_found(&app);
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut response = Redirect::permanent(&app.options.url(&format!("{path}{query}"))).into_response();
    // A browser lets a script follow a redirect only if the script may also read the redirect.
    insert_allowed_origin(response.headers_mut());
    Ok(response)
}
