//! What we publish: which stories, when, and as which bytes.
//!
//! Pure: stories in, bytes out. The same stories give the same bytes on every machine at every time; nothing here
//! looks at a clock, and nothing that changes by itself (an age, a counter) is ever written.

mod atom;
mod entry;
mod health;
mod json;
mod options;
mod policy;
mod rss;

pub use health::{HEALTH, render_health};
pub use options::{FeedOptions, Options};
pub use policy::{choose_lead, first_publication};

use crate::model::{PublishedFeed, Story, Timestamp};

/// The forms in which each feed is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Atom 1.0 (RFC 4287).
    Atom,
    /// RSS 2.0 (rssboard.org/rss-specification).
    Rss,
    /// JSON Feed 1.1 (jsonfeed.org/version/1.1).
    Json,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Atom, Format::Rss, Format::Json];

    /// The ending of a feed's URL.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Atom => "atom",
            Format::Rss => "rss",
            Format::Json => "json",
        }
    }

    pub fn from_extension(extension: &str) -> Option<Format> {
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Atom => "application/atom+xml; charset=utf-8",
            Format::Rss => "application/rss+xml; charset=utf-8",
            Format::Json => "application/feed+json; charset=utf-8",
        }
    }

    /// The media type for autodiscovery links.
    pub fn media_type(self) -> &'static str {
        self.content_type().split(';').next().unwrap_or_default()
    }
}

/// A feed with the stories that it holds, ready to be written in any format.
pub struct FeedDocument<'a> {
    pub feed: &'a PublishedFeed,
    /// What tells this database's feeds from another's.
    pub instance: &'a str,
    pub stories: &'a [Story],
    pub options: &'a Options,
}

impl FeedDocument<'_> {
    /// The feed as bytes.
    pub fn render(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Atom => atom::render(self),
            Format::Rss => rss::render(self),
            Format::Json => json::render(self),
        }
    }

    /// When the feed last changed: the latest change of a story in it, or 1970 for an empty one.
    pub fn updated_at(&self) -> Timestamp {
        self.stories.iter().map(|story| story.updated_at).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn url(&self, format: Format) -> String {
        self.options.url(&format!("feeds/{}.{}", self.feed.name, format.extension()))
    }

    /// A permanent id that holds wherever the feed is served.
    fn id(&self) -> String {
        entry::uuid(&format!("newsfold feed {} {}", self.instance, self.feed.name))
    }
}

#[cfg(test)]
mod tests;
