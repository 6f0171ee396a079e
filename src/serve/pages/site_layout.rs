//! The content of every page: the title, the navigation and the links to the public feeds.

use crate::domain::{FeedVariant, PublishedFeed, Timestamp};
use crate::publish::{FeedFormat, Options};
use crate::wording::Audience;

#[derive(Clone, Copy)]
pub struct SiteLayout<'a> {
    pub title: &'a str,
    /// The public feeds. Private feeds do not appear on any page.
    pub feeds: &'a [PublishedFeed],
    pub options: &'a Options,
    /// The path of the base URL without a trailing slash, so that links work behind a reverse proxy with a path prefix.
    pub root: &'a str,
    /// Whether the site contains the source pages and the health page.
    pub status_pages: bool,
}

impl<'a> SiteLayout<'a> {
    pub fn new(options: &'a Options, feeds: &'a [PublishedFeed], status_pages: bool) -> SiteLayout<'a> {
        let root = options.base_url.path().trim_end_matches('/');
        SiteLayout { title: &options.title, feeds, options, root, status_pages }
    }

    /// Returns the feeds that lists of stories announce to feed readers: `all` and `top`.
    pub fn main_feeds(&self) -> Vec<&'a PublishedFeed> {
        self.feeds.iter().filter(|feed| matches!(feed.name.as_str(), "all" | "top")).collect()
    }

    pub fn formats(&self) -> [FeedFormat; 3] {
        FeedFormat::ALL
    }

    /// Returns the audience of pages: the public, with times in the configured zone.
    pub fn audience(&self) -> Audience<'a> {
        Audience::Public(&self.options.timezone)
    }

    /// Formats a time as `1 Mar 2026, 12:00 CET`.
    pub fn time(&self, at: &Timestamp) -> String {
        self.options.timezone.time(*at)
    }

    /// Formats a time without the year and the zone: `1 Mar 12:00`.
    pub fn short_time(&self, at: &Timestamp) -> String {
        self.options.timezone.short_time(*at)
    }

    /// Formats a day as `Sunday, 1 March 2026`.
    pub fn day(&self, at: &Timestamp) -> String {
        self.options.timezone.day(*at)
    }

    /// Formats a day for the attribute `datetime`.
    pub fn date(&self, at: &Timestamp) -> String {
        self.options.timezone.date(*at)
    }

    /// Returns the suffixes of the variants of a feed.
    pub fn variants(&self) -> [&'static str; 2] {
        FeedVariant::ALL.map(FeedVariant::suffix)
    }

    /// Returns the URL of a document of a feed.
    pub fn feed_url(&self, feed: &PublishedFeed, suffix: &str, format: FeedFormat) -> String {
        self.options.url(&format!("feeds/{}{suffix}.{}", feed.name, format.extension()))
    }
}
