//! Feeds over HTTP: rendered once for each change of what we publish, then served from memory. What is asked for rarely,
//! the pages of archives, the feeds of stories and of searches, is made for each request.

use super::conditional::{FEED, PRIVATE, Ready, answer_once};
use super::{App, Failure, pages};
use crate::domain::{FeedEntry, FeedVariant, PublishedFeed, StoryId, Timestamp};
use crate::publish::{FeedDocument, FeedPage, Format, HEALTH, Options, render_health};
use crate::store::listing::{self, Listing};
use crate::store::{self, editions, entries, events, renderings, stories, tokens, words};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use rusqlite::Connection;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// The renderings, by the name of the document and its format.
///
/// Bounded by the configuration: a name that is no feed never gets here.
#[derive(Clone, Default)]
pub(super) struct Cache(Arc<Mutex<HashMap<Key, Arc<Slot>>>>);

type Key = (String, Format);

/// One feed in one format, with the version of the publication that it was made from.
#[derive(Default)]
struct Slot {
    made: Mutex<Option<(i64, Arc<Ready>)>>,
    /// Held by the one request that renders; those that come meanwhile wait for what it makes.
    turn: tokio::sync::Mutex<()>,
}

/// A document below `/feeds/`.
#[derive(Debug, Clone)]
pub(super) enum Which {
    Stories(Box<PublishedFeed>, FeedVariant, FeedPage),
    /// The operator's own.
    Health,
}

impl Which {
    /// The document of a file's name, such as `energy.stable.archive-100-3.atom`.
    fn named(file: &str, feeds: &[PublishedFeed]) -> Option<(Which, Format)> {
        let (rest, extension) = file.rsplit_once('.')?;
        let format = Format::from_extension(extension)?;
        if rest == HEALTH {
            return (format == Format::Atom).then_some((Which::Health, format));
        }
        let (rest, page) = match rest.rsplit_once(".archive-") {
            Some((rest, numbers)) => (rest, FeedPage::Archive(numbers.split_once('-')?.1.parse().ok()?)),
            None => (rest, FeedPage::Current),
        };
        let (name, variant) = match rest.strip_suffix(FeedVariant::Stable.suffix()) {
            Some(name) => (name, FeedVariant::Stable),
            None => (rest, FeedVariant::Live),
        };
        let feed = feeds.iter().find(|feed| feed.name == name)?;
        let which = Which::Stories(feed.clone().into(), variant, page);
        // One document has one name: `archive-100-07` is none.
        (format!("{}.{extension}", which.name()) == file).then_some((which, format))
    }

    /// Every document to which people subscribe: no archives.
    pub(super) fn subscribed(feeds: &[PublishedFeed]) -> Vec<(Which, Format)> {
        feeds
            .iter()
            .flat_map(|feed| Which::of(feed, FeedPage::Current))
            .chain([(Which::Health, Format::Atom)])
            .collect()
    }

    /// The pages of archives.
    pub(super) fn archived(db: &Connection, feeds: &[PublishedFeed]) -> store::Result<Vec<(Which, Format)>> {
        let mut all = Vec::new();
        for feed in feeds {
            let pages = entries::archive_pages(db, feed)?.into_iter().map(FeedPage::Archive);
            all.extend(pages.flat_map(|page| Which::of(feed, page)));
        }
        Ok(all)
    }

    fn of(feed: &PublishedFeed, page: FeedPage) -> Vec<(Which, Format)> {
        let in_formats =
            |variant| Format::ALL.map(|format| (Which::Stories(feed.clone().into(), variant, page), format));
        FeedVariant::ALL.into_iter().flat_map(in_formats).collect()
    }

    /// What the file is called, but for the format's ending.
    pub(super) fn name(&self) -> String {
        match self {
            Which::Stories(feed, variant, page) => format!("{}{}{}", feed.name, variant.suffix(), page.suffix(feed)),
            Which::Health => HEALTH.into(),
        }
    }

    /// The document as bytes; `None` for an archive page that is not full yet.
    pub(super) fn render(
        &self,
        db: &Connection,
        format: Format,
        options: &Options,
        token: Option<&str>,
    ) -> store::Result<Option<Vec<u8>>> {
        let instance = stories::instance(db)?;
        let Which::Stories(feed, variant, page) = self else {
            return Ok(Some(render_health(&events::latest(db)?, &instance, options)));
        };
        let held = match page {
            FeedPage::Current => Some(entries::current(db, feed, *variant)?),
            FeedPage::Archive(number) => entries::archive(db, feed, *variant, *number)?,
        };
        Ok(held.map(|held| {
            FeedDocument::of_feed(feed, *variant, *page, &instance, &held.entries, options)
                .beside(feed, *variant, held.previous, held.next)
                .with_token(token)
                .render(format)
        }))
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Token {
    token: Option<String>,
}

/// `/feeds/NAME.atom`, `.rss` and `.json` with their variants and archives, and `/feeds/health.atom`.
pub(super) async fn feed(
    State(app): State<App>,
    Path(file): Path<String>,
    said: Result<Query<Token>, QueryRejection>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let Some((which, format)) = Which::named(&file, &app.feeds) else {
        return Ok(pages::not_found(State(app)).await);
    };
    let mut token = None;
    if let Which::Stories(feed, ..) = &which
        && feed.private
    {
        let said = said.ok().and_then(|Query(query)| query.token).unwrap_or_default();
        let name = feed.name.clone();
        token = app.store.read(move |db| tokens::get(db, &name)).await?.filter(|token| is_same(token, &said));
        if token.is_none() {
            // As if there were no such feed: its name is nobody's business either.
            return Ok(pages::not_found(State(app)).await);
        }
    }
    let subscribed = matches!(which, Which::Health | Which::Stories(_, _, FeedPage::Current)) && token.is_none();
    let links = links(&app.options, &which, format).filter(|_| subscribed);
    let answer = if subscribed {
        ready(&app, which, format).await?.answer(&request)
    } else {
        let (options, said) = (app.options.clone(), token.clone());
        let made = app.store.read(move |db| which.render(db, format, &options, said.as_deref())).await?;
        let Some(bytes) = made else { return Ok(pages::not_found(State(app)).await) };
        match token {
            Some(_) => Ready::secret(format.content_type(), PRIVATE, bytes).answer(&request),
            None => answer_once(format.content_type(), FEED, bytes, &request),
        }
    };
    Ok(with_links(answer, links))
}

/// In a time that says nothing of how much of it is right.
fn is_same(token: &str, said: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(token.as_bytes(), said.as_bytes()).is_ok()
}

/// Where to subscribe, as WebSub wants it in a header too (section 4).
fn links(options: &Options, which: &Which, format: Format) -> Option<HeaderValue> {
    let hubs = options.hub_urls();
    if hubs.is_empty() || matches!(which, Which::Health) {
        return None;
    }
    let itself = options.url(&format!("feeds/{}.{}", which.name(), format.extension()));
    let hubs = hubs.iter().map(|hub| format!("<{hub}>; rel=\"hub\""));
    let all: Vec<String> = hubs.chain([format!("<{itself}>; rel=\"self\"")]).collect();
    HeaderValue::from_str(&all.join(", ")).ok()
}

fn with_links(mut answer: Response, links: Option<HeaderValue>) -> Response {
    if let Some(links) = links {
        answer.headers_mut().insert(header::LINK, links);
    }
    answer
}

/// `/stories/ID.atom`, `.rss` and `.json`: the items of one story.
pub(super) async fn of_story(app: App, id: StoryId, format: Format, request: &HeaderMap) -> Result<Response, Failure> {
    let found = app.store.read(move |db| Ok(stories::get(db, id)?.zip(Some(stories::instance(db)?)))).await?;
    let Some((story, instance)) = found else {
        return Ok(pages::not_found(State(app)).await);
    };
    if let Some(into) = story.merged_into {
        let to = app.options.url(&format!("stories/{into}.{}", format.extension()));
        return Ok(Redirect::permanent(&to).into_response());
    }
    let bytes = FeedDocument::of_story(&story, &instance, &app.options).render(format);
    Ok(answer_once(format.content_type(), FEED, bytes, request))
}

#[derive(serde::Deserialize)]
pub(super) struct Search {
    q: Option<String>,
}

/// `/search.atom?q=`, `.rss` and `.json`: the newest stories that a search finds.
pub(super) async fn search(
    app: App,
    query: Result<Query<Search>, QueryRejection>,
    format: Format,
    request: &HeaderMap,
) -> Result<Response, Failure> {
    let typed = query.ok().and_then(|Query(query)| query.q).unwrap_or_default();
    let Some(words) = words::query(&typed) else {
        return Ok(pages::not_found(State(app)).await);
    };
    let options = app.options.clone();
    let bytes = app
        .store
        .read(move |db| {
            let entries = found(db, words)?;
            Ok(FeedDocument::of_search(typed.trim(), &stories::instance(db)?, &entries, &options).render(format))
        })
        .await?;
    Ok(answer_once(format.content_type(), FEED, bytes, request))
}

/// The stories that the page of the same search shows first, the newest first.
fn found(db: &Connection, words: String) -> store::Result<Vec<FeedEntry>> {
    let listing = Listing { words: Some(words), limit: FOUND, ..Listing::default() };
    let ids: Vec<StoryId> = listing::list(db, &listing)?.stories.iter().map(|story| story.id).collect();
    let mut entries = editions::of_stories(db, &ids)?;
    entries.sort_by_key(|entry| Reverse((entry.published.at, entry.edition.story)));
    Ok(entries)
}

/// Stories in the feed of a search.
const FOUND: u32 = 100;

async fn ready(app: &App, which: Which, format: Format) -> Result<Arc<Ready>, Failure> {
    let key = (which.name(), format);
    let slot = app.cache.slot(&key);
    let version = app.store.read(stories::feeds_version).await?;
    if let Some((_, ready)) = slot.get().filter(|(known, _)| *known == version) {
        return Ok(ready);
    }
    let _turn = slot.turn.lock().await;
    let known = slot.get();
    let known_version = known.as_ref().map(|(version, _)| *version);
    let options = app.options.clone();
    let made = app
        .store
        .read(move |db| {
            let version = stories::feeds_version(db)?;
            if known_version == Some(version) {
                return Ok(None);
            }
            let bytes = which.render(db, format, &options, None)?.unwrap_or_default();
            let ready = Ready::new(format.content_type(), FEED, bytes);
            let since = renderings::modified_at(db, &which.name(), format.extension(), &ready.hash)?;
            Ok(Some((version, ready, since)))
        })
        .await?;
    let (version, mut ready, since) = match (made, known) {
        (None, Some((_, ready))) => return Ok(ready),
        (Some(made), _) => made,
        (None, None) => unreachable!("without a known version a rendering is made"),
    };
    let since = match since {
        Some(since) => Some(since),
        None => first_rendered(app, &key, &ready.hash).await,
    };
    ready.last_modified = since.and_then(|since| SystemTime::try_from(since).ok());
    let ready = Arc::new(ready);
    if since.is_some() {
        slot.put(version, ready.clone());
    }
    Ok(ready)
}

/// Writes down that these bytes are new, and says since when they are. It is the one thing that serving writes; where it
/// can't, on a full disk for one, the feed is served all the same.
async fn first_rendered(app: &App, (feed, format): &Key, hash: &str) -> Option<Timestamp> {
    let (feed, format, hash, now) = (feed.clone(), format.extension(), hash.to_owned(), app.clock.now());
    let written = app.store.write(move |db| renderings::record(db, &feed, format, &hash, now)).await;
    written.inspect_err(|error| tracing::warn!(%error, "since when a feed is as it is could not be written down")).ok()
}

impl Cache {
    fn slot(&self, key: &Key) -> Arc<Slot> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).entry(key.clone()).or_default().clone()
    }
}

impl Slot {
    fn get(&self) -> Option<(i64, Arc<Ready>)> {
        self.made.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn put(&self, version: i64, ready: Arc<Ready>) {
        *self.made.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some((version, ready));
    }
}
