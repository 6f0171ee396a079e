//! The routes of feeds. [`super::feed_cache`] serves subscribed feeds. Archive pages, private feeds and the feeds of
//! stories, storylines and searches are rarely requested and therefore rendered per request.

use super::app_state::{AppState, Error};
use super::feed_resource::{FeedResource, MAX_STORYLINE_STORIES, ResourceContents, storyline_feed};
use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL, PRIVATE_CACHE_CONTROL, not_acceptable, respond_once};
use super::pages;
use crate::domain::{FeedEntry, FeedSelection, StoryId, StorylineId};
use crate::publish::{self, FeedDocument, FeedFormat, Options};
use crate::store::story_search::{self, StorySearch};
use crate::store::{
    self, ReadConnection, editions, feed_selections, feed_tokens, fts_query, publication, stories, story_selection,
    storylines,
};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use std::cmp::Reverse;
use std::collections::HashMap;
use subtle::ConstantTimeEq;

/// Serves `/feeds/NAME`, which is a page, `/feeds/NAME.atom`, `.rss` and `.json` with their variants and archives, and
/// `/feeds/health.atom`.
pub async fn feed(
    State(app): State<AppState>,
    Path(file): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    request: HeaderMap,
) -> Result<Response, Error> {
    let Some(resource) = FeedResource::from_file_name(&file, &app.feeds) else {
        let Some(feed) = app.public_feeds.iter().find(|feed| feed.name == file).cloned() else {
            return pages::not_found(&app);
        };
        let page = move |app: &AppState, db: &ReadConnection| {
            Ok(pages::respond(pages::feed_page(db, app.site(), &feed)?, &request))
        };
        return app.respond(page).await;
    };
    if matches!(resource.contents, ResourceContents::Health) && !app.status_pages {
        return pages::not_found(&app);
    }
    if resource.private_feed().is_none() && resource.is_current() {
        return Ok(app.cache.response(resource).await?.respond(&request).unwrap_or_else(not_acceptable));
    }
    let token = query.get("token").cloned().unwrap_or_default();
    app.respond(move |app, db| uncached_feed(app, db, &resource, &token, &request)).await
}

/// Serves an archive page or a private feed. Responds to a wrong token with 404, so that the existence of a private
/// feed is not disclosed.
fn uncached_feed(
    app: &AppState,
    db: &ReadConnection,
    resource: &FeedResource,
    given_token: &str,
    request: &HeaderMap,
) -> Result<Response, Error> {
    let content_type = resource.format.content_type();
    let Some(feed) = resource.private_feed() else {
        return match resource.render(db, &app.options, None)? {
            Some(bytes) => Ok(respond_once(content_type, FEED_CACHE_CONTROL, bytes, request)),
            None => pages::not_found(app),
        };
    };
    let token = feed_tokens::find(db, &feed.name)?.filter(|token| is_same_token(token, given_token));
    let Some(token) = token else { return pages::not_found(app) };
    match resource.render(db, &app.options, Some(&token))? {
        Some(bytes) => Ok(EncodedResponse::uncompressed(content_type, PRIVATE_CACHE_CONTROL, bytes).respond(request)),
        None => pages::not_found(app),
    }
}

/// Compares two tokens in constant time, so that the duration does not reveal how much of a guess is correct.
fn is_same_token(token: &str, given: &str) -> bool {
    token.as_bytes().ct_eq(given.as_bytes()).into()
}

/// Serves the page `/stories/ID` or, with the extension of a format, the feed of the story's items.
pub async fn story(
    State(app): State<AppState>,
    Path(file): Path<String>,
    request: HeaderMap,
) -> Result<Response, Error> {
    let (id, format) = id_and_format(&file);
    let Ok(id) = id.parse::<StoryId>() else { return pages::not_found(&app) };
    app.respond(move |app, db| story_response(app, db, id, format, &request)).await
}

/// Splits the name of a story or storyline from the extension of a feed's format, which a page does not have.
fn id_and_format(file: &str) -> (&str, Option<FeedFormat>) {
    let feed = file.rsplit_once('.').and_then(|(id, extension)| Some((id, FeedFormat::from_extension(extension)?)));
    feed.map_or((file, None), |(id, format)| (id, Some(format)))
}

/// Redirects to the story or storyline into which the requested story or storyline was merged. The redirect is
/// temporary, because browsers would follow a permanent redirect even after the operator has undone the merge.
fn merge_redirect(app: &AppState, path: &str, format: Option<FeedFormat>) -> Response {
    let suffix = format.map_or_else(String::new, |format| format!(".{}", format.extension()));
    Redirect::temporary(&app.options.url(&format!("{path}{suffix}"))).into_response()
}

fn story_response(
    app: &AppState,
    db: &ReadConnection,
    id: StoryId,
    format: Option<FeedFormat>,
    request: &HeaderMap,
) -> Result<Response, Error> {
    let Some(story) = stories::get(db, id)? else { return pages::not_found(app) };
    if let Some(into) = story.merged_into {
        return Ok(merge_redirect(app, &format!("stories/{into}"), format));
    }
    if let Some(format) = format {
        // A story that contains only backlog has no entry in any feed.
        if story.news().next().is_none() && story.published_at.is_none() {
            return pages::not_found(app);
        }
        let bytes = publish::render(&FeedDocument::of_story(&story, &publication::instance(db)?, &app.options), format);
        return Ok(respond_once(format.content_type(), FEED_CACHE_CONTROL, bytes, request));
    }
    match pages::story_page(db, app.site(), &story)? {
        Some(html) => Ok(pages::respond(html, request)),
        None => pages::not_found(app),
    }
}

/// Serves the page `/storylines/ID` or, with the extension of a format, the feed of the storyline's stories.
pub async fn storyline(
    State(app): State<AppState>,
    Path(file): Path<String>,
    request: HeaderMap,
) -> Result<Response, Error> {
    let (id, format) = id_and_format(&file);
    let Ok(id) = id.parse::<StorylineId>() else { return pages::not_found(&app) };
    app.respond(move |app, db| storyline_response(app, db, id, format, &request)).await
}

/// Responds with 404 for a storyline without published stories.
fn storyline_response(
    app: &AppState,
    db: &ReadConnection,
    id: StorylineId,
    format: Option<FeedFormat>,
    request: &HeaderMap,
) -> Result<Response, Error> {
    let Some(storyline) = storylines::with_published(db, id, MAX_STORYLINE_STORIES)? else {
        return pages::not_found(app);
    };
    if let Some(into) = storyline.merged_into {
        return Ok(merge_redirect(app, &format!("storylines/{into}"), format));
    }
    if storyline.stories.is_empty() {
        return pages::not_found(app);
    }
    let Some(format) = format else {
        return Ok(pages::respond(pages::storyline_page(db, app.site(), &storyline)?, request));
    };
    let bytes = storyline_feed(db, &storyline, format, &app.options)?;
    Ok(respond_once(format.content_type(), FEED_CACHE_CONTROL, bytes, request))
}

/// Serves `/search.atom?q=`, `.rss` and `.json`: the newest stories that match.
pub async fn search(
    State(app): State<AppState>,
    Query(query): Query<HashMap<String, String>>,
    request: HeaderMap,
    format: FeedFormat,
) -> Result<Response, Error> {
    let typed = query.get("q").cloned().unwrap_or_default();
    let Some(expression) = fts_query::from_user_input(&typed) else { return pages::not_found(&app) };
    app.respond(move |app, db| {
        let (entries, instance) = (search_results(db, expression, &app.options)?, publication::instance(db)?);
        let document = FeedDocument::of_search(typed.trim(), &instance, &entries, &app.options)
            .known_since(feed_selections::known_since(db, None)?);
        Ok(respond_once(format.content_type(), FEED_CACHE_CONTROL, publish::render(&document, format), &request))
    })
    .await
}

/// The maximum number of stories in a search feed.
const MAX_SEARCH_RESULTS: u32 = 100;

/// Returns the first stories on the page of the same search, newest first. Unlike the page, a feed contains no muted
/// stories.
fn search_results(db: &ReadConnection, expression: String, options: &Options) -> store::Result<Vec<FeedEntry>> {
    let listing = StorySearch { words: Some(expression), limit: MAX_SEARCH_RESULTS, ..StorySearch::default() };
    let unmuted = FeedSelection { excluded: options.mute.clone(), ..FeedSelection::default() };
    let found = story_selection::passing_filters(db, &unmuted, story_search::find(db, &listing)?)?;
    let mut entries = editions::latest_entries(db, &found)?;
    entries.sort_by_key(|entry| Reverse((entry.published_at, entry.edition.story)));
    Ok(entries)
}
