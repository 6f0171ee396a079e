//! Feeds in memory: each is rendered once per change of the publication, by the first request that needs it.

use super::app_state::{AppState, InternalError};
use super::feed_resource::FeedResource;
use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL};
use crate::domain::Timestamp;
use crate::store::{feed_last_modified, publication};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// Rendered feeds by file name. The configuration bounds their number: unknown names are not looked up.
#[derive(Clone, Default)]
pub struct FeedCache(Arc<Mutex<HashMap<String, Arc<CachedFeed>>>>);

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

/// The current response for a document that readers subscribe to.
pub async fn cached_response(app: &AppState, resource: FeedResource) -> Result<Arc<EncodedResponse>, InternalError> {
    let cached = app.cache.entry(resource.file_name());
    let version = app.store.read(publication::feeds_version).await?;
    if let Some(rendered) = cached.get().filter(|rendered| rendered.version == version) {
        return Ok(rendered.response);
    }
    let _rendering = cached.rendering.lock().await;
    // Another request may have rendered the feed meanwhile.
    let version = app.store.read(publication::feeds_version).await?;
    if let Some(rendered) = cached.get().filter(|rendered| rendered.version == version) {
        return Ok(rendered.response);
    }
    let (options, to_render) = (app.options.clone(), resource.clone());
    let (version, mut response, recorded) = app
        .store
        .read(move |db| {
            let version = publication::feeds_version(db)?;
            let bytes = to_render.render(db, &options, None)?.unwrap_or_default();
            let response = EncodedResponse::new(to_render.format.content_type(), FEED_CACHE_CONTROL, bytes);
            let extension = to_render.format.extension();
            let recorded = feed_last_modified::find(db, &to_render.stem(), extension, &response.hash)?;
            Ok((version, response, recorded))
        })
        .await?;
    let modified = match recorded {
        Some(modified) => Some(modified),
        None => record_change(app, &resource, &response.hash).await,
    };
    response.last_modified = modified.and_then(|modified| SystemTime::try_from(modified).ok());
    let response = Arc::new(response);
    if modified.is_some() {
        cached.set(RenderedFeed { version, response: response.clone() });
    }
    Ok(response)
}

/// Records the time since which the feed has these bytes. If that fails, for example on a full disk, the feed is served
/// without `Last-Modified`.
async fn record_change(app: &AppState, resource: &FeedResource, hash: &str) -> Option<Timestamp> {
    let (stem, extension) = (resource.stem(), resource.format.extension());
    let (hash, now) = (hash.to_owned(), app.clock.now());
    let written = app.store.write(move |db| feed_last_modified::record(db, &stem, extension, &hash, now)).await;
    written.inspect_err(|error| tracing::warn!(%error, "cannot record the Last-Modified date of a feed")).ok()
}

impl FeedCache {
    fn entry(&self, file_name: String) -> Arc<CachedFeed> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).entry(file_name).or_default().clone()
    }
}

impl CachedFeed {
    fn get(&self) -> Option<RenderedFeed> {
        self.rendered.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn set(&self, rendered: RenderedFeed) {
        *self.rendered.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(rendered);
    }
}
