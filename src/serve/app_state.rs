//! What all request handlers share, and their one kind of failure.

use super::feed_cache::FeedCache;
use super::health_check::TaskHealth;
use crate::clock::Clock;
use crate::domain::PublishedFeed;
use crate::publish;
use crate::store::{self, Store};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub options: Arc<publish::Options>,
    pub feeds: Arc<Vec<PublishedFeed>>,
    /// The feeds that pages may name: those that are not private.
    pub public_feeds: Arc<Vec<PublishedFeed>>,
    pub cache: FeedCache,
    pub health: TaskHealth,
    pub clock: Clock,
}

impl AppState {
    pub fn new(store: Store, options: publish::Options, health: TaskHealth, clock: Clock) -> AppState {
        AppState {
            store,
            feeds: Arc::new(options.published_feeds()),
            public_feeds: Arc::new(options.public_feeds()),
            options: Arc::new(options),
            cache: FeedCache::default(),
            health,
            clock,
        }
    }
}

/// A database error while a request was handled. It is logged here; the client gets a 500 without details.
pub struct InternalError(store::Error);

impl From<store::Error> for InternalError {
    fn from(error: store::Error) -> Self {
        InternalError(error)
    }
}

impl IntoResponse for InternalError {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "request failed");
        (StatusCode::INTERNAL_SERVER_ERROR, "newsfold cannot read its database; see the log.\n").into_response()
    }
}
