//! The pages for people: plain HTML made here, readable without a script, on a phone, in the dark and on paper.
//!
//! Strangers' words are escaped by the templates, and their links are http or https. A page depends on the database alone,
//! never on the time at which it is asked for; the only exception is which tasks of the daemon are down.

mod evidence;
mod feeds;
mod filters;
mod front;
mod health;
mod opml;
mod plot;
mod source;
mod sources;
mod story;
mod words;

pub(super) use feeds::{feeds, feeds_page, opml};
pub(super) use front::{front, front_page, search};
pub(super) use health::{health, health_page};
pub(super) use opml::{OPML, outlines};
pub(super) use source::{source, source_page};
pub(super) use sources::{sources, sources_page};
pub(super) use story::{story, story_page};

use super::conditional::{ASSET, PAGE, Ready, answer_once};
use super::{App, Failure};
use crate::domain::PublishedFeed;
use crate::publish::{Format, Options};
use crate::store;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use rusqlite::Connection;
use std::sync::LazyLock;

/// The type of every page.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// A page, as far as the template is concerned.
pub(super) type Rendered = askama::Result<String>;

/// What stands on every page.
pub(super) struct Site<'a> {
    title: &'a str,
    /// The feeds that may be told of: private ones never get here.
    feeds: &'a [PublishedFeed],
    options: &'a Options,
    /// The path part of the base URL, without its last slash: links work below a reverse proxy's prefix.
    root: &'a str,
}

impl<'a> Site<'a> {
    pub(super) fn new(options: &'a Options, feeds: &'a [PublishedFeed]) -> Site<'a> {
        let root = options.base_url.path().trim_end_matches('/');
        Site { title: &options.title, feeds, options, root }
    }

    fn formats(&self) -> [Format; 3] {
        Format::ALL
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    site: Site<'a>,
    title: &'static str,
    text: &'static str,
}

pub(super) async fn not_found(State(app): State<App>) -> Response {
    message(StatusCode::NOT_FOUND, &nowhere(Site::new(&app.options, &app.public_feeds)))
}

pub(super) fn not_found_page(site: Site) -> Rendered {
    nowhere(site).render()
}

fn nowhere(site: Site) -> Message {
    let text = "There is no such page. Stories and feeds keep their addresses, so the link may have been cut short.";
    Message { site, title: "Not found", text }
}

/// A page that says what is wrong.
fn message(status: StatusCode, message: &Message) -> Response {
    match message.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-cache")], Html(html)).into_response(),
        Err(error) => unrendered(&error),
    }
}

/// What there is at an address.
enum Found {
    Page(Rendered),
    /// It is at another path.
    Elsewhere(String),
    Nothing,
}

/// Answers with what `find` makes of the database; reading, rendering and coding keep no other request waiting.
async fn answer(
    app: App,
    request: HeaderMap,
    find: impl FnOnce(&Connection, Site) -> store::Result<Found> + Send + 'static,
) -> Result<Response, Failure> {
    let shared = app.clone();
    let read = app.store.read(move |db| {
        Ok(match find(db, Site::new(&shared.options, &shared.public_feeds))? {
            Found::Page(Ok(html)) => answer_once(HTML, PAGE, html.into_bytes(), &request),
            Found::Page(Err(error)) => unrendered(&error),
            Found::Elsewhere(path) => Redirect::permanent(&shared.options.url(&path)).into_response(),
            Found::Nothing => {
                message(StatusCode::NOT_FOUND, &nowhere(Site::new(&shared.options, &shared.public_feeds)))
            }
        })
    });
    Ok(read.await?)
}

fn unrendered(error: &askama::Error) -> Response {
    tracing::error!(%error, "a page could not be rendered");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

pub(super) async fn style(request: HeaderMap) -> Response {
    STYLE.answer(&request)
}

pub(super) async fn favicon(request: HeaderMap) -> Response {
    FAVICON.answer(&request)
}

pub(super) static STYLE: LazyLock<Ready> =
    LazyLock::new(|| Ready::new("text/css; charset=utf-8", ASSET, include_bytes!("pages/style.css").to_vec()));
pub(super) static FAVICON: LazyLock<Ready> =
    LazyLock::new(|| Ready::new("image/svg+xml", ASSET, include_bytes!("pages/favicon.svg").to_vec()));
