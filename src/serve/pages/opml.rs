//! The published feeds as OPML 2.0 (opml.org/spec2.opml), for readers that subscribe to all of them at once.

use crate::domain::PublishedFeed;
use crate::opml::FeedOutline;
use crate::opml::write::write_opml;
use crate::publish::{Format, Options, clean};

/// The media type. OPML has no registered one.
pub(in crate::serve) const OPML: &str = "text/x-opml; charset=utf-8";

/// The document. It lists each feed once, as Atom, the format that every reader of OPML supports.
pub(in crate::serve) fn outlines(options: &Options, feeds: &[PublishedFeed]) -> Vec<u8> {
    let outlines: Vec<FeedOutline> = feeds
        .iter()
        .map(|feed| FeedOutline {
            title: Some(clean(&feed.title)),
            xml_url: options.url(&format!("feeds/{}.{}", feed.name, Format::Atom.extension())),
            html_url: Some(options.url("")),
            ..FeedOutline::default()
        })
        .collect();
    write_opml(&clean(&options.title), &outlines).into_bytes()
}
