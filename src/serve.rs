//! HTTP for readers and people: feeds, the pages of stories and sources, health.
//!
//! It decides nothing, and writes nothing but since when a feed is as it is: what stands in a feed comes from [`crate::store`], the bytes from
//! [`crate::publish`]. Feeds are rendered once for each change and served from memory. No link is made from the
//! request's `Host`; TLS is the reverse proxy's.

mod announce;
mod coding;
mod conditional;
mod documents;
mod feeds;
mod health;
mod listen;
mod pages;

pub use announce::{FeedBytes, feed_bytes, feed_urls};
pub use documents::{Document, Error, each};
pub use health::Health;
pub use listen::run;

use crate::clock::Clock;
use crate::domain::{PublishedFeed, StoryId};
use crate::publish::{self, Format};
use crate::store::{self, Store};
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ipnet::IpNet;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// Serving.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where to listen; a socket that systemd hands over goes before it.
    pub listen: SocketAddr,
    /// Connections at once; further ones wait until one ends.
    pub max_connections: usize,
    /// Connections at once from one address, or from one /64 of IPv6; further ones are closed.
    pub max_connections_per_ip: usize,
    /// Reverse proxies, through which many people come: their connections are not counted by address.
    pub proxies: Vec<IpNet>,
    /// For the head of a request to come whole, and for the next request on a connection.
    #[serde(with = "crate::domain::duration")]
    pub header_timeout: SignedDuration,
    /// For a client to take an answer, whole.
    #[serde(with = "crate::domain::duration")]
    pub answer_timeout: SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        let loopback = [(IpAddr::from([127, 0, 0, 0]), 8), (IpAddr::from(Ipv6Addr::LOCALHOST), 128)];
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 8686)),
            max_connections: 4096,
            max_connections_per_ip: 64,
            proxies: loopback.into_iter().filter_map(|(ip, length)| IpNet::new(ip, length).ok()).collect(),
            header_timeout: SignedDuration::from_secs(10),
            answer_timeout: SignedDuration::from_secs(60),
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    store: Store,
    options: Arc<publish::Options>,
    feeds: Arc<Vec<PublishedFeed>>,
    /// Those that pages name.
    public_feeds: Arc<Vec<PublishedFeed>>,
    cache: feeds::Cache,
    health: Health,
    clock: Clock,
}

/// All that newsfold answers over HTTP.
pub fn router(store: Store, options: publish::Options, health: Health, clock: Clock) -> Router {
    let app = App {
        store,
        feeds: Arc::new(options.published_feeds()),
        public_feeds: Arc::new(options.public_feeds()),
        options: Arc::new(options),
        cache: feeds::Cache::default(),
        health,
        clock,
    };
    Router::new()
        .route("/", get(pages::front))
        .route("/stories/{file}", get(story))
        .route("/search.atom", get(async |app, query, headers| search(app, query, Format::Atom, headers).await))
        .route("/search.rss", get(async |app, query, headers| search(app, query, Format::Rss, headers).await))
        .route("/search.json", get(async |app, query, headers| search(app, query, Format::Json, headers).await))
        .route("/search", get(pages::search))
        .route("/sources", get(pages::sources))
        .route("/sources/{id}", get(pages::source))
        .route("/health", get(pages::health))
        .route("/feeds", get(pages::feeds))
        .route("/feeds.opml", get(pages::opml))
        .route("/feeds/{file}", get(feeds::feed))
        .route("/style.css", get(pages::style))
        .route("/favicon.svg", get(pages::favicon))
        .route("/healthz", get(health::health))
        .fallback(pages::not_found)
        .layer(axum::middleware::map_response(secure))
        .with_state(app)
}

/// `/stories/ID` is a page, and with a format's ending the feed of the story's items.
async fn story(State(app): State<App>, Path(file): Path<String>, request: HeaderMap) -> Result<Response, Failure> {
    let (id, format) = match file.rsplit_once('.').map(|(id, ending)| (id, Format::from_extension(ending))) {
        Some((id, Some(format))) => (id, Some(format)),
        _ => (file.as_str(), None),
    };
    match (id.parse::<StoryId>(), format) {
        (Ok(id), Some(format)) => feeds::of_story(app, id, format, &request).await,
        (Ok(id), None) => pages::story(app, id, &request).await,
        (Err(_), _) => Ok(pages::not_found(State(app)).await),
    }
}

async fn search(
    State(app): State<App>,
    query: Result<Query<feeds::Search>, QueryRejection>,
    format: Format,
    request: HeaderMap,
) -> Result<Response, Failure> {
    feeds::search(app, query, format, &request).await
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
