//! The state that all request handlers share, and their error type.

use super::feed_cache::FeedCache;
use super::pages::SiteLayout;
use super::site_options::SiteOptions;
use super::task_health::TaskHealth;
use crate::clock::Clock;
use crate::domain::PublishedFeed;
use crate::publish;
use crate::store::story_search::{self, SearchFacets};
use crate::store::{self, ReadConnection, Store, publication};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

/// The last facets that were read, with their version.
type FacetCache = Arc<Mutex<Option<(i64, Arc<SearchFacets>)>>>;

#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub options: Arc<publish::Options>,
    /// Whether the site contains the source pages, the health page and the health feed.
    pub status_pages: bool,
    pub feeds: Arc<Vec<PublishedFeed>>,
    /// The feeds that pages may mention: all feeds that are not private.
    pub public_feeds: Arc<Vec<PublishedFeed>>,
    pub cache: FeedCache,
    facets: FacetCache,
    pub health: TaskHealth,
    pub clock: Clock,
}

impl AppState {
    pub fn new(store: Store, options: SiteOptions, health: TaskHealth, clock: Clock) -> AppState {
        let SiteOptions { publish: options, status_pages } = options;
        let (feeds, public_feeds) = (options.published_feeds(), options.public_feeds());
        let options = Arc::new(options);
        AppState {
            cache: FeedCache::new(store.clone(), options.clone(), clock.clone()),
            facets: FacetCache::default(),
            clock,
            store,
            options,
            feeds: Arc::new(feeds),
            public_feeds: Arc::new(public_feeds),
            health,
            status_pages,
        }
    }

    pub fn site(&self) -> SiteLayout<'_> {
        SiteLayout::new(&self.options, &self.public_feeds, self.status_pages)
    }

    /// Returns the values by which readers can filter. Reads the sources only if these values have changed.
    pub fn facets(&self, db: &ReadConnection) -> store::Result<Arc<SearchFacets>> {
        let version = publication::facets_version(db)?;
        if let Some((known, facets)) = &*self.facets.lock()
            && *known == version
        {
            return Ok(facets.clone());
        }
        let facets = Arc::new(story_search::facets(db)?);
        *self.facets.lock() = Some((version, facets.clone()));
        Ok(facets)
    }

    /// Calls `respond` with the database on a blocking thread.
    pub async fn respond(
        &self,
        respond: impl FnOnce(&AppState, &ReadConnection) -> Result<Response, Error> + Send + 'static,
    ) -> Result<Response, Error> {
        let app = self.clone();
        self.store.read(move |db| Ok(respond(&app, db))).await?
    }
}

/// The reason why a document cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("cannot render a page: {0}")]
    Page(#[from] askama::Error),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Logs the error. The client gets a 500 response without details.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Error::Store(error) => error.log("request failed"),
            error => tracing::error!(%error, "request failed"),
        }
        (StatusCode::INTERNAL_SERVER_ERROR, "newsfold cannot process this request.\n").into_response()
    }
}
