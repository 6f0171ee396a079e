//! Responses with pages: found, not found, and messages.

use super::site_layout::SiteLayout;
use crate::serve::app_state::{AppState, Error};
use crate::serve::http_cache::{PAGE_CACHE_CONTROL, respond_once};
use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

pub const HTML_CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// Returns the response with a page that was rendered for this request.
pub fn respond(html: String, request: &HeaderMap) -> Response {
    respond_once(HTML_CONTENT_TYPE, PAGE_CACHE_CONTROL, html.into_bytes(), request)
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    site: SiteLayout<'a>,
    title: &'static str,
    text: &'static str,
}

pub fn not_found(app: &AppState) -> Result<Response, Error> {
    Ok(html_response(StatusCode::NOT_FOUND, not_found_page(app.site())?))
}

pub fn not_found_page(site: SiteLayout) -> Result<String, Error> {
    let text = "This page does not exist. The URLs of stories and feeds are permanent, so the link may be incomplete.";
    Ok(MessagePage { site, title: "Not found", text }.render()?)
}

/// Returns a 400 response for an invalid query.
pub fn invalid_query(app: &AppState) -> Result<Response, Error> {
    let text = "The parameters outlets and page must be whole numbers. For example, /?outlets=3 shows stories that at \
                least three outlets report.";
    let page = MessagePage { site: app.site(), title: "Invalid query", text };
    Ok(html_response(StatusCode::BAD_REQUEST, page.render()?))
}

fn html_response(status: StatusCode, html: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-cache")], Html(html)).into_response()
}
