//! The content of every page: the title, the navigation and the links to the public feeds.

use crate::domain::{FeedVariant, PublishedFeed};
use crate::publish::{FeedFormat, Options};

pub struct SiteLayout<'a> {
    pub title: &'a str,
    /// The public feeds. Private feeds do not appear on any page.
    pub feeds: &'a [PublishedFeed],
    pub options: &'a Options,
    /// The path of the base URL without a trailing slash, so that links work behind a reverse proxy with a path prefix.
    pub root: &'a str,
}

impl<'a> SiteLayout<'a> {
    pub fn new(options: &'a Options, feeds: &'a [PublishedFeed]) -> SiteLayout<'a> {
        let root = options.base_url.path().trim_end_matches('/');
        SiteLayout { title: &options.title, feeds, options, root }
    }

    pub fn formats(&self) -> [FeedFormat; 3] {
        FeedFormat::ALL
    }

    /// Returns the suffixes of the variants of a feed.
    pub fn variants(&self) -> [&'static str; 2] {
        FeedVariant::ALL.map(FeedVariant::suffix)
    }

    /// Returns the address of a document of a feed.
    pub fn feed_url(&self, feed: &PublishedFeed, suffix: &str, format: FeedFormat) -> String {
        self.options.url(&format!("feeds/{}{suffix}.{}", feed.name, format.extension()))
    }
}
