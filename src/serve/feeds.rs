//! Feeds over HTTP: rendered once for each change of what we publish, then served from memory.

use super::conditional::Ready;
use super::{App, Failure, pages};
use crate::model::PublishedFeed;
use crate::publish::{FeedDocument, Format};
use crate::store::stories;
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
            let modified = SystemTime::try_from(document.updated_at()).unwrap_or(SystemTime::UNIX_EPOCH);
            Ok(Some((version, Ready::new(format.content_type(), document.render(format), modified))))
        })
        .await?;
    Ok(match (made, known) {
        (None, Some((_, ready))) => ready,
        (Some((version, ready)), known) => app.cache.put(key, version, ready, known.map(|(_, ready)| ready)),
        (None, None) => unreachable!("without a known version a rendering is made"),
    })
}

impl Cache {
    fn get(&self, key: &Key) -> Option<Versioned> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(key).cloned()
    }

    /// Keeps a rendering. Last-Modified never goes back, even when the latest story leaves the feed.
    fn put(&self, key: Key, version: i64, mut ready: Ready, before: Option<Arc<Ready>>) -> Arc<Ready> {
        if let Some(before) = before {
            ready.last_modified = ready.last_modified.max(before.last_modified);
        }
        let ready = Arc::new(ready);
        let mut all = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        all.insert(key, (version, ready.clone()));
        ready
    }
}
