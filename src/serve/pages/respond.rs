//! Responses with pages: found, moved, not found, and messages.

use super::site_layout::{RenderedPage, SiteLayout};
use crate::serve::app_state::{AppState, InternalError};
use crate::serve::http_cache::{PAGE_CACHE_CONTROL, respond_once};
use crate::store::{self, ReadConnection};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

pub const HTML_CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// The result of looking up a page.
pub enum PageLookup {
    Found(RenderedPage),
    /// It has another path.
    MovedTo(String),
    NotFound,
}

/// Responds with the page that `lookup` makes from the database. It runs, with compression, on a thread for blocking
/// work.
pub async fn respond(
    app: AppState,
    request: HeaderMap,
    lookup: impl FnOnce(&ReadConnection, SiteLayout) -> store::Result<PageLookup> + Send + 'static,
) -> Result<Response, InternalError> {
    let shared = app.clone();
    let read = app.store.read(move |db| {
        Ok(match lookup(db, SiteLayout::new(&shared.options, &shared.public_feeds))? {
            PageLookup::Found(Ok(html)) => {
                respond_once(HTML_CONTENT_TYPE, PAGE_CACHE_CONTROL, html.into_bytes(), &request)
            }
            PageLookup::Found(Err(error)) => render_failed(&error),
            PageLookup::MovedTo(path) => Redirect::permanent(&shared.options.url(&path)).into_response(),
            PageLookup::NotFound => not_found_response(&shared),
        })
    });
    Ok(read.await?)
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    site: SiteLayout<'a>,
    title: &'static str,
    text: &'static str,
}

pub async fn not_found(State(app): State<AppState>) -> Response {
    not_found_response(&app)
}

fn not_found_response(app: &AppState) -> Response {
    html_response(StatusCode::NOT_FOUND, not_found_page(SiteLayout::new(&app.options, &app.public_feeds)))
}

pub fn not_found_page(site: SiteLayout) -> RenderedPage {
    let text = "This page does not exist. The URLs of stories and feeds are permanent, so the link may be incomplete.";
    MessagePage { site, title: "Not found", text }.render()
}

/// 400, for a query that cannot be read.
pub fn invalid_query(app: &AppState) -> Response {
    let text = "The parameters outlets and page must be whole numbers, for example /?outlets=3: the minimum number of \
                outlets that report a story.";
    let site = SiteLayout::new(&app.options, &app.public_feeds);
    html_response(StatusCode::BAD_REQUEST, MessagePage { site, title: "Invalid query", text }.render())
}

fn html_response(status: StatusCode, page: RenderedPage) -> Response {
    match page {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-cache")], Html(html)).into_response(),
        Err(error) => render_failed(&error),
    }
}

fn render_failed(error: &askama::Error) -> Response {
    tracing::error!(%error, "cannot render a page");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
