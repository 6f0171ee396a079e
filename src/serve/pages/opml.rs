//! The published feeds as OPML 2.0 (opml.org/spec2.opml), for readers that subscribe to all of them at once.

use crate::domain::PublishedFeed;
use crate::opml::FeedOutline;
use crate::opml::write::write_opml;
use crate::publish::{FeedFormat, Options, strip_invalid_chars};

/// The media type. OPML has no registered one.
pub const OPML_CONTENT_TYPE: &str = "text/x-opml; charset=utf-8";

/// The document. It lists each feed once, as Atom, the format that every reader of OPML supports.
pub fn feeds_opml(options: &Options, feeds: &[PublishedFeed]) -> Vec<u8> {
    let outlines: Vec<FeedOutline> = feeds
        .iter()
        .map(|feed| FeedOutline {
            title: Some(strip_invalid_chars(&feed.title)),
            xml_url: options.url(&format!("feeds/{}.{}", feed.name, FeedFormat::Atom.extension())),
            html_url: Some(options.url("")),
            ..FeedOutline::default()
        })
        .collect();
    write_opml(&strip_invalid_chars(&options.title), &outlines).into_bytes()
}
