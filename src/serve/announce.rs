//! The documents of feeds as they are now, for those who are told of their changes: hubs and subscribers.
//!
//! It answers no request and remembers nothing: who was told of what is the daemon's to know.

use super::conditional;
use super::feeds::Which;
use crate::publish::{Format, Options};
use crate::store;
use axum::body::Bytes;
use rusqlite::Connection;

/// A document of a feed.
pub struct FeedBytes {
    /// Where it is, which is its topic too.
    pub url: String,
    pub content_type: &'static str,
    /// The hash by which it is known whether it has changed.
    pub hash: String,
    pub bytes: Bytes,
}

/// The URLs of all documents to which one can subscribe: not those of private feeds.
pub fn feed_urls(options: &Options) -> Vec<String> {
    let feeds = options.public_feeds();
    Which::subscribed(&feeds).iter().map(|(which, format)| url(which, *format, options)).collect()
}

/// Those documents whose URLs are wanted, as they are now.
pub fn feed_bytes(db: &Connection, options: &Options, wanted: impl Fn(&str) -> bool) -> store::Result<Vec<FeedBytes>> {
    let feeds = options.public_feeds();
    let mut documents = Vec::new();
    for (which, format) in Which::subscribed(&feeds) {
        let url = url(&which, format, options);
        if wanted(&url) {
            let bytes = which.render(db, format, options, None)?.unwrap_or_default();
            let (hash, content_type) = (conditional::hash(&bytes), format.content_type());
            documents.push(FeedBytes { url, content_type, hash, bytes: bytes.into() });
        }
    }
    Ok(documents)
}

fn url(which: &Which, format: Format, options: &Options) -> String {
    options.url(&format!("feeds/{}.{}", which.name(), format.extension()))
}
