//! Caches feeds in memory. The first request after a change of the published content renders the feed.

use super::feed_resource::FeedResource;
use super::http_cache::EncodedResponse;
use super::shared_read::SharedRead;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::metrics::{METRICS, seconds_since};
use crate::publish::Options;
use crate::store::feed_entries::DocumentVersion;
use crate::store::feed_last_modified::MAX_AHEAD;
use crate::store::{self, ReadConnection, Store, WriteConnection, feed_last_modified};
use jiff::SignedDuration;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// Rendered feeds. Clones share their state.
#[derive(Clone)]
pub struct FeedCache {
    store: Store,
    options: Arc<Options>,
    clock: Clock,
    /// The feeds by file name. The configuration bounds their number, because unknown names are not added.
    feeds: Arc<Mutex<HashMap<String, Arc<CachedFeed>>>>,
}

#[derive(Default)]
struct CachedFeed {
    current_version: SharedRead<DocumentVersion>,
    /// Locked while a request renders the feed. Other requests wait for the result.
    rendered: tokio::sync::Mutex<Option<RenderedFeed>>,
}

struct RenderedFeed {
    version: DocumentVersion,
    modified: Timestamp,
    response: Arc<EncodedResponse>,
}

impl RenderedFeed {
    /// Returns the response. Omits its date if the date is in the future, because the clock was wrong.
    fn response_at(&self, now: Timestamp) -> Arc<EncodedResponse> {
        match self.modified <= after(now, MAX_AHEAD) {
            true => self.response.clone(),
            false => Arc::new(EncodedResponse { last_modified: None, ..(*self.response).clone() }),
        }
    }
}

impl FeedCache {
    pub fn new(store: Store, options: Arc<Options>, clock: Clock) -> FeedCache {
        FeedCache { store, options, clock, feeds: Arc::default() }
    }

    /// Returns the current response for a document that readers subscribe to.
    pub async fn response(&self, resource: FeedResource) -> store::Result<Arc<EncodedResponse>> {
        let cached = self.entry(resource.file_name());
        let read_version = async || {
            let resource = resource.clone();
            self.store.read(move |db| resource.version(db)).await
        };
        let version = cached.current_version.get(read_version).await?;
        let mut cached = cached.rendered.lock().await;
        // Another request may have rendered a newer version in the meantime.
        if let Some(rendered) = cached.as_ref().filter(|rendered| rendered.version == version) {
            return Ok(rendered.response_at(self.clock.now()));
        }
        let (options, rendered, start) = (self.options.clone(), resource.clone(), Instant::now());
        let render = move |db: &ReadConnection| Ok((rendered.version(db)?, rendered.encoded(db, &options)?));
        let (version, response) = self.store.read(render).await?;
        METRICS.render_duration.observe(seconds_since(start));
        let mut response = response.unwrap_or_else(|| unreachable!("only archive pages are missing"));
        let previous = cached.as_ref().map(|rendered| (rendered.response.hash == response.hash, rendered.modified));
        let modified = match previous {
            Some((true, modified)) => modified,
            _ => self.last_modified(&resource, &response.hash, previous.map(|(_, modified)| modified)).await?,
        };
        response.last_modified = SystemTime::try_from(modified).ok();
        let rendered = cached.insert(RenderedFeed { version, modified, response: response.into() });
        Ok(rendered.response_at(self.clock.now()))
    }

    /// Returns the time at which the feed got its current content. If the content is new, the time is recorded later: a
    /// request never waits for a write, because another program may have locked the database. `previous` is the time of
    /// the content that this content replaces, which may not be recorded yet.
    async fn last_modified(
        &self,
        resource: &FeedResource,
        hash: &str,
        previous: Option<Timestamp>,
    ) -> store::Result<Timestamp> {
        let (stem, extension, hash) = (resource.stem(), resource.format.extension(), hash.to_owned());
        let (name, content, now) = (stem.clone(), hash.clone(), self.clock.now());
        let determine = move |db: &ReadConnection| {
            let known = feed_last_modified::find(db, &name, extension, &content)?;
            Ok((known.is_some(), feed_last_modified::determine(db, &name, extension, &content, now)?))
        };
        let (is_known, mut modified) = self.store.read(determine).await?;
        if is_known {
            return Ok(modified);
        }
        let previous = previous.filter(|time| *time <= after(now, MAX_AHEAD));
        modified = modified.max(previous.map_or(modified, |previous| previous + SignedDuration::from_secs(1)));
        let store = self.store.clone();
        tokio::spawn(async move {
            let record = move |db: &WriteConnection| feed_last_modified::record(db, &stem, extension, &hash, modified);
            if let Err(error) = store.write(record).await {
                error.log("cannot record the Last-Modified date of a feed");
            }
        });
        Ok(modified)
    }

    fn entry(&self, file_name: String) -> Arc<CachedFeed> {
        self.feeds.lock().entry(file_name).or_default().clone()
    }
}
