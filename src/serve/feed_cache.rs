//! Caches feeds in memory. The first request after a change of the published content renders the feed.

use super::feed_resource::FeedResource;
use super::http_cache::EncodedResponse;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::publish::Options;
use crate::store::{self, ReadConnection, Store, feed_last_modified, publication};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

/// Rendered feeds. Clones share their state.
#[derive(Clone)]
pub struct FeedCache {
    store: Store,
    options: Arc<Options>,
    clock: Clock,
    /// The feeds by file name. The configuration bounds their number, because unknown names are not added.
    feeds: Arc<Mutex<HashMap<String, Arc<CachedFeed>>>>,
}

/// Locked while a request renders the feed. Other requests wait for the result.
type CachedFeed = tokio::sync::Mutex<Option<RenderedFeed>>;

struct RenderedFeed {
    /// The version of the published content from which the response was rendered.
    version: i64,
    response: Arc<EncodedResponse>,
}

impl FeedCache {
    pub fn new(store: Store, options: Arc<Options>, clock: Clock) -> FeedCache {
        FeedCache { store, options, clock, feeds: Arc::default() }
    }

    /// Returns the current response for a document that readers subscribe to.
    pub async fn response(&self, resource: FeedResource) -> store::Result<Arc<EncodedResponse>> {
        let cached = self.entry(resource.file_name());
        let version = self.store.read(publication::feeds_version).await?;
        let mut cached = cached.lock().await;
        // Another request may have rendered a newer version in the meantime.
        if let Some(rendered) = cached.as_ref().filter(|rendered| rendered.version >= version) {
            return Ok(rendered.response.clone());
        }
        let (options, rendered) = (self.options.clone(), resource.clone());
        let render = move |db: &ReadConnection| Ok((publication::feeds_version(db)?, rendered.encoded(db, &options)?));
        let (version, response) = self.store.read(render).await?;
        let mut response = response.unwrap_or_else(|| unreachable!("only archive pages are missing"));
        let modified = self.last_modified(&resource, &response.hash).await?;
        response.last_modified = modified.and_then(|modified| SystemTime::try_from(modified).ok());
        let response = Arc::new(response);
        if modified.is_some() {
            *cached = Some(RenderedFeed { version, response: response.clone() });
        }
        Ok(response)
    }

    /// Returns when the feed got its current content. Records the time if the content is new. Returns `None` if that
    /// fails, for example on a full disk; the feed is then served without `Last-Modified`.
    async fn last_modified(&self, resource: &FeedResource, hash: &str) -> store::Result<Option<Timestamp>> {
        let (stem, extension, hash) = (resource.stem(), resource.format.extension(), hash.to_owned());
        let (known_stem, known_hash) = (stem.clone(), hash.clone());
        let find = self.store.read(move |db| feed_last_modified::find(db, &known_stem, extension, &known_hash));
        if let Some(known) = find.await? {
            return Ok(Some(known));
        }
        let now = self.clock.now();
        let written = self.store.write(move |db| feed_last_modified::record(db, &stem, extension, &hash, now)).await;
        if let Err(error) = &written {
            tracing::warn!(%error, "cannot record the Last-Modified date of a feed");
        }
        Ok(written.ok())
    }

    fn entry(&self, file_name: String) -> Arc<CachedFeed> {
        self.feeds.lock().entry(file_name).or_default().clone()
    }
}
