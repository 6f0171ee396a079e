//! What all request handlers share, and their one kind of failure.

use super::feed_cache::FeedCache;
use super::task_health::TaskHealth;
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
}

impl AppState {
    pub fn new(store: Store, options: publish::Options, health: TaskHealth, clock: Clock) -> AppState {
        let (feeds, public_feeds) = (options.published_feeds(), options.public_feeds());
        let options = Arc::new(options);
        AppState {
            cache: FeedCache::new(store.clone(), options.clone(), clock),
            store,
            options,
            feeds: Arc::new(feeds),
            public_feeds: Arc::new(public_feeds),
            health,
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
