//! The page of the published feeds, and the same list as OPML.

use super::opml::{OPML_CONTENT_TYPE, feeds_opml};
use super::respond::{PageLookup, respond};
use super::site_layout::{RenderedPage, SiteLayout};
use crate::domain::{FeedVariant, PublishedFeed};
use crate::publish::{FeedFormat, HEALTH_FEED_NAME};
use crate::serve::app_state::{AppState, InternalError};
use crate::serve::http_cache::{PAGE_CACHE_CONTROL, respond_once};
use crate::wording::selection_text;
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

#[derive(Template)]
#[template(path = "feeds.html")]
struct FeedsPage<'a> {
    site: SiteLayout<'a>,
}

pub async fn feeds(State(app): State<AppState>, request: HeaderMap) -> Result<Response, InternalError> {
    respond(app, request, |_, site| Ok(PageLookup::Found(feeds_page(site)))).await
}

pub fn feeds_page(site: SiteLayout) -> RenderedPage {
    FeedsPage { site }.render()
}

/// `/feeds.opml`.
pub async fn opml(State(app): State<AppState>, request: HeaderMap) -> Response {
    respond_once(OPML_CONTENT_TYPE, PAGE_CACHE_CONTROL, feeds_opml(&app.options, &app.public_feeds), &request)
}

impl FeedsPage<'_> {
    fn stable_suffix(&self) -> &'static str {
        FeedVariant::Stable.suffix()
    }

    fn url(&self, feed: &str, format: &FeedFormat) -> String {
        self.site.options.url(&format!("feeds/{feed}.{}", format.extension()))
    }

    fn health_feed_url(&self) -> String {
        self.url(HEALTH_FEED_NAME, &FeedFormat::Atom)
    }
}

fn format_name(format: &FeedFormat) -> &'static str {
    match format {
        FeedFormat::Atom => "Atom",
        FeedFormat::Rss => "RSS",
        FeedFormat::Json => "JSON Feed",
    }
}

fn selection(feed: &PublishedFeed) -> String {
    selection_text(&feed.selection)
}
