//! Caches feeds in memory. The first request after a change of the published content renders the feed.

use super::cross_origin::insert_allowed_origin;
use super::feed_resource::{FeedResource, ResourceContents};
use super::http_cache::PreparedResponse;
use super::security_headers::insert_security_headers;
use super::shared_read::SharedRead;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::metrics::{METRICS, seconds_since};
use crate::publish::Options;
use crate::store::feed_entries::DocumentVersion;
use crate::store::feed_last_modified::MAX_AHEAD;
use crate::store::{self, DataVersion, ReadConnection, Store, WriteConnection, feed_last_modified};
use axum::http::{HeaderMap, HeaderValue, header};
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
    /// The last rendered feed, with the version of the database before it was found to be current.
    checked: Mutex<Option<(DataVersion, RenderedFeed)>>,
}

#[derive(Clone)]
struct RenderedFeed {
    version: DocumentVersion,
    modified: Timestamp,
    /// The hash of the unencoded document.
    hash: String,
    response: Arc<PreparedResponse>,
}

impl RenderedFeed {
    /// Returns the response. Omits its date if the date is in the future, because the clock was wrong.
    fn response_at(&self, now: Timestamp) -> Arc<PreparedResponse> {
        match self.modified <= after(now, MAX_AHEAD) {
            true => self.response.clone(),
            false => Arc::new((*self.response).clone().without_date()),
        }
    }
}

impl FeedCache {
    pub fn new(store: Store, options: Arc<Options>, clock: Clock) -> FeedCache {
        FeedCache { store, options, clock, feeds: Arc::default() }
    }

    /// Returns the response for the file of this name if it is known to be current, because nothing in the database has
    /// changed since it was found to be current. This takes a few microseconds.
    pub fn current(&self, file_name: &str) -> Option<Arc<PreparedResponse>> {
        let cached = self.feeds.lock().get(file_name)?.clone();
        let checked = cached.checked.lock();
        let (version, rendered) = checked.as_ref()?;
        (self.store.data_version()? == *version).then(|| rendered.response_at(self.clock.now()))
    }

    /// Returns the current response for a document that readers subscribe to.
    pub async fn response(&self, resource: FeedResource) -> store::Result<Arc<PreparedResponse>> {
        let cached = self.entry(resource.file_name());
        let data_version = self.store.data_version();
        let rendered = self.rendered(&cached, resource).await?;
        let response = rendered.response_at(self.clock.now());
        *cached.checked.lock() = data_version.map(|version| (version, rendered));
        Ok(response)
    }

    /// Returns the current rendering of a document.
    async fn rendered(&self, cached: &CachedFeed, resource: FeedResource) -> store::Result<RenderedFeed> {
        let read_version = async || {
            let resource = resource.clone();
            self.store.read(move |db| resource.version(db)).await
        };
        let version = cached.current_version.get(read_version).await?;
        let mut cached = cached.rendered.lock().await;
        // Another request may have rendered a newer version in the meantime.
        if let Some(rendered) = cached.as_ref().filter(|rendered| rendered.version == version) {
            return Ok(rendered.clone());
        }
        let (options, rendered, start) = (self.options.clone(), resource.clone(), Instant::now());
        let render = move |db: &ReadConnection| Ok((rendered.version(db)?, rendered.encoded(db, &options)?));
        let (version, response) = self.store.read(render).await?;
        METRICS.render_duration.observe(seconds_since(start));
        let mut response = response.unwrap_or_else(|| unreachable!("only archive pages are missing"));
        let previous = cached.as_ref().map(|rendered| (rendered.hash == response.hash, rendered.modified));
        let modified = match previous {
            Some((true, modified)) => modified,
            _ => self.last_modified(&resource, &response.hash, previous.map(|(_, modified)| modified)).await?,
        };
        response.last_modified = SystemTime::try_from(modified).ok();
        let prepared = response.prepare(&self.headers(&resource)).into();
        Ok(cached.insert(RenderedFeed { version, modified, hash: response.hash, response: prepared }).clone())
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

    /// Returns the headers that do not depend on the content.
    fn headers(&self, resource: &FeedResource) -> HeaderMap {
        let mut headers = HeaderMap::new();
        insert_allowed_origin(&mut headers);
        insert_security_headers(&mut headers);
        headers.extend(self.hub_links(resource).map(|links| (header::LINK, links)));
        headers
    }

    /// Returns the `Link` header with the hubs and the feed's own URL (WebSub, section 4).
    fn hub_links(&self, resource: &FeedResource) -> Option<HeaderValue> {
        let hubs = self.options.hub_urls();
        if hubs.is_empty() || matches!(resource.contents, ResourceContents::Health) {
            return None;
        }
        let hubs = hubs.iter().map(|hub| format!("<{hub}>; rel=\"hub\""));
        let links: Vec<String> = hubs.chain([format!("<{}>; rel=\"self\"", resource.url(&self.options))]).collect();
        HeaderValue::from_str(&links.join(", ")).ok()
    }

    fn entry(&self, file_name: String) -> Arc<CachedFeed> {
        self.feeds.lock().entry(file_name).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::Options;
    use crate::store::publication;

    #[tokio::test]
    async fn feed_is_known_to_be_current_until_any_program_commits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let (store, other_program) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        let options = Arc::new(Options::default());
        let all = FeedResource::from_file_name("all.atom", &options.published_feeds()).unwrap();
        let cache = FeedCache::new(store.clone(), options, Clock::system());
        let is_current = || cache.current("all.atom").is_some();
        assert!(!is_current(), "the feed has not been rendered");
        cache.response(all.clone()).await.unwrap();
        for writer in [&store, &other_program] {
            writer.write(publication::touch).await.unwrap();
            assert!(!is_current());
            // The date of the feed is recorded in the background, which is another commit.
            let mut requests = 0;
            while !is_current() && requests < 100 {
                cache.response(all.clone()).await.unwrap();
                requests += 1;
            }
            assert!(is_current() && cache.current("top.atom").is_none(), "after {requests} requests");
        }
    }
}
