//! The pages for people: plain HTML made here, readable without a script, on a phone, in the dark and on paper.

use super::conditional::{ASSET, PAGE, Ready};
use super::{App, Failure};
use crate::model::{PublishedFeed, Source, Story, StoryId, StoryItem, Timestamp};
use crate::publish::{Format, Options};
use crate::store::stories::Recent;
use crate::store::{self, sources, stories};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use rusqlite::Connection;
use std::sync::LazyLock;

/// Stories on the front page.
const SHOWN: u32 = 60;

#[derive(Template)]
#[template(path = "front.html")]
struct Front<'a> {
    site: Site<'a>,
    stories: Vec<Story>,
    min_outlets: u32,
}

#[derive(Template)]
#[template(path = "story.html")]
struct StoryPage<'a> {
    site: Site<'a>,
    story: Story,
    title: String,
}

#[derive(Template)]
#[template(path = "sources.html")]
struct Sources<'a> {
    site: Site<'a>,
    sources: Vec<Source>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    site: Site<'a>,
    title: &'static str,
    text: &'static str,
}

/// What stands on every page.
pub(super) struct Site<'a> {
    title: &'a str,
    feeds: &'a [PublishedFeed],
    /// The path part of the base URL, without its last slash: links work below a reverse proxy's prefix.
    root: &'a str,
}

impl<'a> Site<'a> {
    fn of(app: &'a App) -> Site<'a> {
        Site::new(&app.options, &app.public_feeds)
    }

    pub(super) fn new(options: &'a Options, feeds: &'a [PublishedFeed]) -> Site<'a> {
        Site { title: &options.title, feeds, root: options.base_url.path().trim_end_matches('/') }
    }

    fn formats(&self) -> [Format; 3] {
        Format::ALL
    }
}

#[derive(serde::Deserialize)]
pub(super) struct FrontQuery {
    #[serde(default)]
    outlets: Option<u32>,
}

pub(super) async fn front(
    State(app): State<App>,
    query: Result<Query<FrontQuery>, QueryRejection>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let Ok(Query(query)) = query else {
        let text =
            "After ?outlets= this page takes a whole number, as in /?outlets=3: how many outlets must report a story.";
        let page = &Message { site: Site::of(&app), title: "No such selection", text };
        return Ok(self::page(StatusCode::BAD_REQUEST, page));
    };
    let min_outlets = query.outlets.unwrap_or(1).clamp(1, 99);
    let stories = app.store.read(move |db| shown(db, min_outlets)).await?;
    Ok(known_page(&request, front_page(Site::of(&app), stories, min_outlets)))
}

pub(super) async fn story(app: App, id: StoryId, request: &HeaderMap) -> Result<Response, Failure> {
    let Some(story) = app.store.read(move |db| stories::get(db, id)).await? else {
        return Ok(not_found(State(app)).await);
    };
    if let Some(into) = story.merged_into {
        return Ok(Redirect::permanent(&app.options.url(&format!("stories/{into}"))).into_response());
    }
    match story_page(Site::of(&app), story) {
        Some(page) => Ok(known_page(request, page)),
        None => Ok(not_found(State(app)).await),
    }
}

pub(super) async fn sources(State(app): State<App>, request: HeaderMap) -> Result<Response, Failure> {
    let sources = app.store.read(|db| sources::list(db, &sources::Filter::default())).await?;
    Ok(known_page(&request, sources_page(Site::of(&app), sources)))
}

pub(super) async fn not_found(State(app): State<App>) -> Response {
    page(StatusCode::NOT_FOUND, &nowhere(Site::of(&app)))
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

/// The stories of the front page.
pub(super) fn shown(db: &Connection, min_outlets: u32) -> store::Result<Vec<Story>> {
    stories::recent(db, Recent { min_outlets, published_only: true, limit: SHOWN })
}

pub(super) fn front_page(site: Site, stories: Vec<Story>, min_outlets: u32) -> askama::Result<String> {
    Front { site, stories, min_outlets }.render()
}

/// `None` for a story without a report.
pub(super) fn story_page(site: Site, story: Story) -> Option<askama::Result<String>> {
    let title = story.lead()?.item.title.clone();
    Some(StoryPage { site, story, title }.render())
}

pub(super) fn sources_page(site: Site, sources: Vec<Source>) -> askama::Result<String> {
    Sources { site, sources }.render()
}

pub(super) fn not_found_page(site: Site) -> askama::Result<String> {
    nowhere(site).render()
}

fn nowhere(site: Site) -> Message {
    let text = "There is no such page. Stories and feeds keep their addresses, so the link may have been cut short.";
    Message { site, title: "Not found", text }
}

/// A page that the client may hold already.
fn known_page(request: &HeaderMap, page: askama::Result<String>) -> Response {
    match page {
        Ok(html) => Ready::once(HTML, PAGE, html.into_bytes()).answer(request),
        Err(error) => unrendered(&error),
    }
}

/// The type of every page.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// A page that says what is wrong.
fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-cache")], Html(html)).into_response(),
        Err(error) => unrendered(&error),
    }
}

fn unrendered(error: &askama::Error) -> Response {
    tracing::error!(%error, "a page could not be rendered");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// A time for people, in UTC; pages carry no ages, which would be wrong a minute later.
fn time(at: &Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// A time for machines (RFC 3339).
fn machine_time(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The link of an item, if it has one that may stand in a page.
fn link(item: &StoryItem) -> Option<&str> {
    item.item.url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

fn outlets_in_words(story: &Story) -> String {
    match story.outlets().len() {
        1 => "1 outlet".into(),
        n => format!("{n} outlets"),
    }
}
