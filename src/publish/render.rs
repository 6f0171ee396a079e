//! Feed documents as bytes, in each format.

pub mod atom;
pub mod document;
mod entry;
mod json_feed;
mod rss;
pub mod value_format;

use super::feed_format::FeedFormat;
use document::FeedDocument;

/// The document as bytes.
pub fn render(document: &FeedDocument<'_>, format: FeedFormat) -> Vec<u8> {
    match format {
        FeedFormat::Atom => atom::render(document),
        FeedFormat::Rss => rss::render(document),
        FeedFormat::Json => json_feed::render(document),
    }
}
