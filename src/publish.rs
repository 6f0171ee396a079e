//! What we publish: which stories, when, and as which bytes.
//!
//! Pure: stories in, bytes out. The same stories give the same bytes on every machine at every time; nothing here
//! looks at a clock, and nothing that changes by itself (an age, a counter) is ever written.

mod atom;
mod document;
mod entry;
mod health;
mod json;
mod options;
mod policy;
mod rss;
mod selection;

pub use document::{FeedDocument, FeedPage};
pub use entry::clean;
pub use health::{HEALTH, render_health};
pub use options::{FeedOptions, Options};
pub use policy::{Step, choose_lead, compose, first_publication, on_entering, outlets, step};
pub use selection::{Condition, conditions};

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

#[cfg(test)]
mod tests;
