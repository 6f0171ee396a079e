//! Renders feed documents in each format.

pub mod atom;
pub mod document;
mod entry;
mod json_feed;
mod report_list;
mod rss;
pub mod value_format;

use super::feed_format::FeedFormat;
use document::FeedDocument;

/// Renders the document in a format.
pub fn render(document: &FeedDocument<'_>, format: FeedFormat) -> Vec<u8> {
    match format {
        FeedFormat::Atom => atom::render(document),
        FeedFormat::Rss => rss::render(document),
        FeedFormat::Json => json_feed::render(document),
    }
}
