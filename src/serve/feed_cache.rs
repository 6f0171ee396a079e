//! Feeds in memory: each is rendered once per change of the publication, by the first request that needs it.

use super::feed_resource::FeedResource;
use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::publish::Options;
use crate::store::{self, Store, feed_last_modified, publication};
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
    /// By file name. The configuration bounds their number: unknown names are not looked up.
    feeds: Arc<Mutex<HashMap<String, Arc<CachedFeed>>>>,
}

#[derive(Default)]
struct CachedFeed {
    rendered: Mutex<Option<RenderedFeed>>,
    /// Held while a request renders the feed. Other requests wait for the result.
    rendering: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct RenderedFeed {
    /// The version of the publication that the response was rendered from.
    version: i64,
    response: Arc<EncodedResponse>,
}

impl FeedCache {
    pub fn new(store: Store, options: Arc<Options>, clock: Clock) -> FeedCache {
        FeedCache { store, options, clock, feeds: Arc::default() }
    }

    /// The current response for a document that readers subscribe to.
    pub async fn response(&self, resource: FeedResource) -> store::Result<Arc<EncodedResponse>> {
        let cached = self.entry(resource.file_name());
        let version = self.store.read(publication::feeds_version).await?;
        if let Some(response) = cached.response_of(version) {
            return Ok(response);
        }
        let _rendering = cached.rendering.lock().await;
        // Another request may have rendered the feed meanwhile.
        let version = self.store.read(publication::feeds_version).await?;
        if let Some(response) = cached.response_of(version) {
            return Ok(response);
        }
        let (version, mut response) = self.render(resource.clone()).await?;
        let modified = self.last_modified(&resource, &response.hash).await?;
        response.last_modified = modified.and_then(|modified| SystemTime::try_from(modified).ok());
        let response = Arc::new(response);
        if modified.is_some() {
            cached.set(RenderedFeed { version, response: response.clone() });
        }
        Ok(response)
    }

    /// The response, and the version of the publication that it was rendered from.
    async fn render(&self, resource: FeedResource) -> store::Result<(i64, EncodedResponse)> {
        let options = self.options.clone();
        let render = self.store.read(move |db| {
            let version = publication::feeds_version(db)?;
            let bytes = resource.render(db, &options, None)?.unwrap_or_default();
            Ok((version, EncodedResponse::new(resource.format.content_type(), FEED_CACHE_CONTROL, bytes)))
        });
        render.await
    }

    /// The time since which the feed has these bytes, which is recorded for new bytes. `None` if that fails, for
    /// example on a full disk: the feed is then served without `Last-Modified`.
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

impl CachedFeed {
    fn response_of(&self, version: i64) -> Option<Arc<EncodedResponse>> {
        let rendered = self.rendered.lock();
        rendered.as_ref().filter(|rendered| rendered.version == version).map(|rendered| rendered.response.clone())
    }

    fn set(&self, rendered: RenderedFeed) {
        *self.rendered.lock() = Some(rendered);
    }
}
