//! The routes of feeds. Subscribed feeds come from [`super::feed_cache`]; archive pages, private feeds and the feeds of
//! stories and searches are requested rarely and rendered per request.

use super::app_state::{AppState, InternalError};
use super::feed_resource::{FeedContents, FeedResource};
use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL, PRIVATE_CACHE_CONTROL, respond_once};
use super::pages;
use crate::domain::{FeedEntry, StoryId};
use crate::publish::{self, FeedDocument, FeedFormat, Options};
use crate::store::story_search::{self, StorySearch};
use crate::store::{self, ReadConnection, editions, feed_tokens, fts_query, publication, stories};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::cmp::Reverse;

#[derive(serde::Deserialize)]
pub struct TokenQuery {
    token: Option<String>,
}

/// `/feeds/NAME.atom`, `.rss` and `.json` with their variants and archives, and `/feeds/health.atom`.
pub async fn feed(
    State(app): State<AppState>,
    Path(file): Path<String>,
    query: Result<Query<TokenQuery>, QueryRejection>,
    request: HeaderMap,
) -> Result<Response, InternalError> {
    let Some(resource) = FeedResource::from_file_name(&file, &app.feeds) else {
        return Ok(pages::not_found(State(app)).await);
    };
    if resource.private_feed().is_some() {
        let token = query.ok().and_then(|Query(query)| query.token).unwrap_or_default();
        return private_feed(app, resource, token, &request).await;
    }
    if resource.is_current() {
        let links = hub_links(&app.options, &resource);
        let mut response = app.cache.response(resource).await?.respond(&request);
        if let Some(links) = links {
            response.headers_mut().insert(header::LINK, links);
        }
        return Ok(response);
    }
    let (options, content_type) = (app.options.clone(), resource.format.content_type());
    match app.store.read(move |db| resource.render(db, &options, None)).await? {
        Some(bytes) => Ok(respond_once(content_type, FEED_CACHE_CONTROL, bytes, &request)),
        None => Ok(pages::not_found(State(app)).await),
    }
}

/// A private feed. With a wrong token it is not found: its existence is not disclosed either.
async fn private_feed(
    app: AppState,
    resource: FeedResource,
    token: String,
    request: &HeaderMap,
) -> Result<Response, InternalError> {
    let (options, content_type) = (app.options.clone(), resource.format.content_type());
    let read = app.store.read(move |db| {
        let Some(feed) = resource.private_feed() else { return Ok(None) };
        match feed_tokens::find(db, &feed.name)?.filter(|known| is_same_token(known, &token)) {
            Some(token) => resource.render(db, &options, Some(&token)),
            None => Ok(None),
        }
    });
    match read.await? {
        Some(bytes) => Ok(EncodedResponse::uncompressed(content_type, PRIVATE_CACHE_CONTROL, bytes).respond(request)),
        None => Ok(pages::not_found(State(app)).await),
    }
}

/// Compares in constant time, so that the time does not reveal how much of a guess is right.
fn is_same_token(token: &str, given: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(token.as_bytes(), given.as_bytes()).is_ok()
}

/// The `Link` header with the hubs and the feed's own URL (WebSub, section 4).
fn hub_links(options: &Options, resource: &FeedResource) -> Option<HeaderValue> {
    let hubs = options.hub_urls();
    if hubs.is_empty() || matches!(resource.contents, FeedContents::Health) {
        return None;
    }
    let hubs = hubs.iter().map(|hub| format!("<{hub}>; rel=\"hub\""));
    let links: Vec<String> = hubs.chain([format!("<{}>; rel=\"self\"", resource.url(options))]).collect();
    HeaderValue::from_str(&links.join(", ")).ok()
}

/// `/stories/ID` is a page. With a format's extension it is the feed of the story's items.
pub async fn story(
    State(app): State<AppState>,
    Path(file): Path<String>,
    request: HeaderMap,
) -> Result<Response, InternalError> {
    let (id, format) = match file.rsplit_once('.').map(|(id, extension)| (id, FeedFormat::from_extension(extension))) {
        Some((id, Some(format))) => (id, Some(format)),
        _ => (file.as_str(), None),
    };
    match (id.parse::<StoryId>(), format) {
        (Ok(id), Some(format)) => story_feed(app, id, format, &request).await,
        (Ok(id), None) => pages::story(app, id, &request).await,
        (Err(_), _) => Ok(pages::not_found(State(app)).await),
    }
}

/// `/stories/ID.atom`, `.rss` and `.json`.
async fn story_feed(
    app: AppState,
    id: StoryId,
    format: FeedFormat,
    request: &HeaderMap,
) -> Result<Response, InternalError> {
    let found = app.store.read(move |db| Ok(stories::get(db, id)?.zip(Some(publication::instance(db)?)))).await?;
    let Some((story, instance)) = found else {
        return Ok(pages::not_found(State(app)).await);
    };
    if let Some(into) = story.merged_into {
        let target = app.options.url(&format!("stories/{into}.{}", format.extension()));
        return Ok(Redirect::permanent(&target).into_response());
    }
    let bytes = publish::render(&FeedDocument::of_story(&story, &instance, &app.options), format);
    Ok(respond_once(format.content_type(), FEED_CACHE_CONTROL, bytes, request))
}

#[derive(serde::Deserialize)]
pub struct SearchQuery {
    q: Option<String>,
}

/// `/search.atom?q=`, `.rss` and `.json`: the newest stories that match.
pub async fn search(
    State(app): State<AppState>,
    query: Result<Query<SearchQuery>, QueryRejection>,
    request: HeaderMap,
    format: FeedFormat,
) -> Result<Response, InternalError> {
    let typed = query.ok().and_then(|Query(query)| query.q).unwrap_or_default();
    let Some(expression) = fts_query::from_user_input(&typed) else {
        return Ok(pages::not_found(State(app)).await);
    };
    let options = app.options.clone();
    let read = app.store.read(move |db| {
        let (entries, instance) = (search_results(db, expression)?, publication::instance(db)?);
        Ok(publish::render(&FeedDocument::of_search(typed.trim(), &instance, &entries, &options), format))
    });
    Ok(respond_once(format.content_type(), FEED_CACHE_CONTROL, read.await?, &request))
}

/// Maximum number of stories in the feed of a search.
const MAX_SEARCH_RESULTS: u32 = 100;

/// The stories that the page of the same search lists first, newest first.
fn search_results(db: &ReadConnection, expression: String) -> store::Result<Vec<FeedEntry>> {
    let listing = StorySearch { words: Some(expression), limit: MAX_SEARCH_RESULTS, ..StorySearch::default() };
    let ids: Vec<StoryId> = story_search::search(db, &listing)?.stories.iter().map(|story| story.id).collect();
    let mut entries = editions::latest_entries(db, &ids)?;
    entries.sort_by_key(|entry| Reverse((entry.published.at, entry.edition.story)));
    Ok(entries)
}
