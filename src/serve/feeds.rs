//! Feeds over HTTP: rendered once for each change of what we publish, then served from memory.

use super::conditional::Ready;
use super::{App, Failure, pages};
use crate::model::{PublishedFeed, Timestamp};
use crate::publish::{FeedDocument, Format};
use crate::store::{renderings, stories};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// The renderings, by feed and format, each with the version of the publication that it was made from.
///
/// Bounded by the configuration: a name that is no feed never gets here.
#[derive(Clone, Default)]
pub(super) struct Cache(Arc<Mutex<HashMap<Key, Versioned>>>);

type Key = (String, Format);
type Versioned = (i64, Arc<Ready>);

/// `/feeds/NAME.atom`, `.rss` and `.json`.
pub(super) async fn feed(
    State(app): State<App>,
    Path(file): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let named = file.rsplit_once('.').and_then(|(name, extension)| {
        let feed = app.feeds.iter().find(|feed| feed.name == name)?;
        Some((feed.clone(), Format::from_extension(extension)?))
    });
    let Some((feed, format)) = named else {
        return Ok(pages::not_found(State(app)).await);
    };
    Ok(ready(&app, feed, format).await?.answer(&request))
}

async fn ready(app: &App, feed: PublishedFeed, format: Format) -> Result<Arc<Ready>, Failure> {
    let key = (feed.name.clone(), format);
    let known = app.cache.get(&key);
    let known_version = known.as_ref().map(|(version, _)| *version);
    let options = app.options.clone();
    let made = app
        .store
        .read(move |db| {
            let version = stories::version(db)?;
            if known_version == Some(version) {
                return Ok(None);
            }
            let (instance, stories) = (stories::instance(db)?, stories::select(db, &feed.selection)?);
            let document = FeedDocument { feed: &feed, instance: &instance, stories: &stories, options: &options };
            let ready = Ready::new(format.content_type(), document.render(format));
            let since = renderings::modified_at(db, &feed.name, format.extension(), &ready.hash)?;
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
        app.cache.put(key, version, ready.clone());
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
    fn get(&self, key: &Key) -> Option<Versioned> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(key).cloned()
    }

    fn put(&self, key: Key, version: i64, ready: Arc<Ready>) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(key, (version, ready));
    }
}
