//! The current documents of the public feeds, for the daemon's WebSub publisher.
//!
//! It handles no request and keeps no state: the daemon knows which hub was notified of which document.

use super::feed_resource::FeedResource;
use super::http_cache::content_hash;
use crate::publish::Options;
use crate::store::{self, ReadConnection};
use axum::body::Bytes;

/// The current bytes of a feed document.
pub struct FeedSnapshot {
    /// The document's URL, which is also its WebSub topic.
    pub url: String,
    pub content_type: &'static str,
    /// The hash of `bytes`, by which a change is detected.
    pub hash: String,
    pub bytes: Bytes,
}

/// The URLs of all documents that one can subscribe to. Private feeds are left out.
pub fn feed_urls(options: &Options) -> Vec<String> {
    let feeds = options.public_feeds();
    FeedResource::subscribable(&feeds).iter().map(|resource| resource.url(options)).collect()
}

/// The documents whose URLs `is_wanted` accepts.
pub fn feed_snapshots(
    db: &ReadConnection,
    options: &Options,
    is_wanted: impl Fn(&str) -> bool,
) -> store::Result<Vec<FeedSnapshot>> {
    let mut snapshots = Vec::new();
    for resource in FeedResource::subscribable(&options.public_feeds()) {
        let url = resource.url(options);
        if is_wanted(&url) {
            let bytes = resource.render(db, options, None)?.unwrap_or_default();
            let (hash, content_type) = (content_hash(&bytes), resource.format.content_type());
            snapshots.push(FeedSnapshot { url, content_type, hash, bytes: bytes.into() });
        }
    }
    Ok(snapshots)
}
