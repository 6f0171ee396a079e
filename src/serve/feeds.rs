//! Feeds over HTTP: rendered once for each change of what we publish, then served from memory.

use super::conditional::{FEED, Ready};
use super::{App, Failure, pages};
use crate::model::{PublishedFeed, Timestamp};
use crate::publish::{FeedDocument, Format, HEALTH, Options, render_health};
use crate::store::{self, events, renderings, stories};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// The renderings, by feed and format.
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

/// `/feeds/NAME.atom`, `.rss` and `.json`, and `/feeds/health.atom`.
pub(super) async fn feed(
    State(app): State<App>,
    Path(file): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let named = file.rsplit_once('.').and_then(|(name, extension)| {
        let format = Format::from_extension(extension)?;
        if name == HEALTH {
            return (format == Format::Atom).then_some((Which::Health, format));
        }
        let feed = app.feeds.iter().find(|feed| feed.name == name)?;
        Some((Which::Stories(feed.clone()), format))
    });
    let Some((which, format)) = named else {
        return Ok(pages::not_found(State(app)).await);
    };
    Ok(ready(&app, which, format).await?.answer(&request))
}

/// A feed of stories, or the operator's.
pub(super) enum Which {
    Stories(PublishedFeed),
    Health,
}

impl Which {
    /// Every document of a feed that there is.
    pub(super) fn all(feeds: &[PublishedFeed]) -> Vec<(Which, Format)> {
        let of = |feed: &PublishedFeed| Format::ALL.map(|format| (Which::Stories(feed.clone()), format));
        feeds.iter().flat_map(of).chain([(Which::Health, Format::Atom)]).collect()
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Which::Stories(feed) => &feed.name,
            Which::Health => HEALTH,
        }
    }

    pub(super) fn render(&self, db: &Connection, format: Format, options: &Options) -> store::Result<Vec<u8>> {
        let instance = stories::instance(db)?;
        Ok(match self {
            Which::Health => render_health(&events::latest(db)?, &instance, options),
            Which::Stories(feed) => {
                let stories = stories::select(db, &feed.selection)?;
                FeedDocument { feed, instance: &instance, stories: &stories, options }.render(format)
            }
        })
    }
}

async fn ready(app: &App, which: Which, format: Format) -> Result<Arc<Ready>, Failure> {
    let key = (which.name().to_owned(), format);
    let slot = app.cache.slot(&key);
    let version = app.store.read(stories::version).await?;
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
            let version = stories::version(db)?;
            if known_version == Some(version) {
                return Ok(None);
            }
            let ready = Ready::new(format.content_type(), FEED, which.render(db, format, &options)?);
            let since = renderings::modified_at(db, which.name(), format.extension(), &ready.hash)?;
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
