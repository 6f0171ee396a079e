//! HTTP for readers and people: feeds, the pages of stories and sources, health.
//!
//! It decides nothing, and writes nothing but since when a feed is as it is: what stands in a feed comes from [`crate::store`], the bytes from
//! [`crate::publish`]. Feeds are rendered once for each change and served from memory. No link is made from the
//! request's `Host`; TLS is the reverse proxy's.

mod conditional;
mod feeds;
mod health;
mod pages;

pub use health::Health;

use crate::clock::Clock;
use crate::model::PublishedFeed;
use crate::publish;
use crate::store::{self, Store};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;

/// Serving.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where to listen; a socket that systemd hands over goes before it.
    pub listen: SocketAddr,
}

impl Default for Options {
    fn default() -> Self {
        Options { listen: SocketAddr::from(([127, 0, 0, 1], 8686)) }
    }
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    store: Store,
    options: Arc<publish::Options>,
    feeds: Arc<Vec<PublishedFeed>>,
    cache: feeds::Cache,
    health: Health,
    clock: Clock,
}

/// All that newsfold answers over HTTP.
pub fn router(store: Store, options: publish::Options, health: Health, clock: Clock) -> Router {
    let app = App {
        store,
        feeds: Arc::new(options.published_feeds()),
        options: Arc::new(options),
        cache: feeds::Cache::default(),
        health,
        clock,
    };
    Router::new()
        .route("/", get(pages::front))
        .route("/stories/{id}", get(pages::story))
        .route("/sources", get(pages::sources))
        .route("/feeds/{file}", get(feeds::feed))
        .route("/style.css", get(pages::style))
        .route("/favicon.svg", get(pages::favicon))
        .route("/healthz", get(health::health))
        .fallback(pages::not_found)
        .layer(axum::middleware::map_response(secure))
        .with_state(app)
}

/// The headers that every answer carries.
async fn secure(mut response: Response) -> Response {
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

/// Our own fault while answering: logged here, told to the client without its details.
struct Failure(store::Error);

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Failure(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "a request could not be answered");
        (StatusCode::INTERNAL_SERVER_ERROR, "newsfold cannot read its database right now; see its log.\n")
            .into_response()
    }
}
