//! What the operator sets of publishing.

use crate::domain::{FeedOrder, FeedSelection, PublishedFeed};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use url::Url;

/// The name of the operator's feed, which no other feed may have.
pub const HEALTH_FEED_NAME: &str = "health";

/// The maximum age of stories in the feed `top`.
const TOP_MAX_AGE: SignedDuration = SignedDuration::from_hours(48);

/// Publishing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where readers find this newsfold; every link that it publishes begins with it.
    pub base_url: Url,
    /// The title of the front page and of the feed of all stories.
    pub title: String,
    /// How long a story waits before it is published, so that its first items can find each other.
    #[serde(with = "crate::domain::duration")]
    pub delay: SignedDuration,
    /// The shortest time between two editions of a story: what a reader is told of it does not change sooner.
    #[serde(with = "crate::domain::duration")]
    pub min_update_interval: SignedDuration,
    /// How long after its first edition a story has further ones.
    #[serde(with = "crate::domain::duration")]
    pub update_window: SignedDuration,
    /// How long a source is new. Until then its items join stories, and neither lead one nor have one published by
    /// themselves. The sources of a database's first day are never new.
    #[serde(with = "crate::domain::duration")]
    pub probation: SignedDuration,
    /// Whether entries say of each report why it is in the story.
    pub show_evidence: bool,
    /// Where all that is served is written to as files as well, whenever it changes.
    pub export_dir: Option<PathBuf>,
    /// Hubs (WebSub) that are told of every change of a feed, and that the feeds name.
    pub hubs: Vec<Url>,
    /// Whether newsfold is a hub for its feeds itself.
    pub own_hub: bool,
    /// The feeds besides `all` and `top`.
    pub feeds: Vec<FeedOptions>,
}

/// One feed in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedOptions {
    /// Stands in the URL: letters, digits, `-` and `_`.
    #[serde(deserialize_with = "feed_name")]
    pub name: String,
    pub title: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub outlets: Vec<String>,
    #[serde(default)]
    pub languages: Vec<String>,
    /// An FTS5 expression over titles and summaries.
    pub query: Option<String>,
    /// An FTS5 expression over titles and summaries; a story with an item that matches is left out.
    pub exclude_query: Option<String>,
    #[serde(default = "one")]
    pub min_outlets: u32,
    #[serde(default, with = "crate::domain::duration::optional")]
    pub max_age: Option<SignedDuration>,
    #[serde(default = "hundred")]
    pub limit: u32,
    #[serde(default)]
    pub order: FeedOrder,
    /// Whether a reader has to say the feed's token: `newsfold feed token NAME` prints it.
    #[serde(default)]
    pub private: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base_url: Url::parse("http://127.0.0.1:8686/").unwrap_or_else(|_| unreachable!("a constant URL")),
            title: "newsfold".into(),
            delay: SignedDuration::from_mins(10),
            min_update_interval: SignedDuration::from_mins(60),
            update_window: SignedDuration::from_hours(48),
            probation: SignedDuration::from_hours(6),
            show_evidence: false,
            export_dir: None,
            hubs: Vec::new(),
            own_hub: false,
            feeds: Vec::new(),
        }
    }
}

impl Options {
    /// All feeds: `all` and `top`, unless the operator describes them otherwise, and those of the configuration.
    pub fn published_feeds(&self) -> Vec<PublishedFeed> {
        let all = PublishedFeed {
            name: "all".into(),
            title: self.title.clone(),
            private: false,
            selection: FeedSelection::default(),
        };
        let top = PublishedFeed {
            name: "top".into(),
            title: format!("{}: top stories", self.title),
            private: false,
            selection: FeedSelection {
                min_outlets: 2,
                max_age: Some(TOP_MAX_AGE),
                limit: 30,
                order: FeedOrder::Hot,
                ..FeedSelection::default()
            },
        };
        let configured: Vec<PublishedFeed> = self.feeds.iter().map(FeedOptions::feed).collect();
        let free = |feed: &PublishedFeed| !configured.iter().any(|other| other.name == feed.name);
        let built_in: Vec<PublishedFeed> = [all, top].into_iter().filter(free).collect();
        built_in.into_iter().chain(configured).collect()
    }

    /// The feeds that everybody may know of.
    pub fn public_feeds(&self) -> Vec<PublishedFeed> {
        self.published_feeds().into_iter().filter(|feed| !feed.private).collect()
    }

    /// The hubs that the feeds name: those of the configuration, and our own after them.
    pub fn hub_urls(&self) -> Vec<String> {
        let mut urls: Vec<String> = Vec::new();
        for url in self.hubs.iter().map(Url::to_string).chain(self.own_hub.then(|| self.own_hub_url())) {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }

    /// Where our own hub is, whether or not it is open.
    pub fn own_hub_url(&self) -> String {
        self.url("hub")
    }

    /// An absolute URL under the base.
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.as_str().trim_end_matches('/'))
    }
}

impl FeedOptions {
    fn feed(&self) -> PublishedFeed {
        PublishedFeed {
            name: self.name.clone(),
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            private: self.private,
            selection: FeedSelection {
                tags: self.tags.clone(),
                outlets: self.outlets.clone(),
                languages: self.languages.clone(),
                query: self.query.clone(),
                exclude_query: self.exclude_query.clone(),
                min_outlets: self.min_outlets,
                max_age: self.max_age,
                limit: self.limit,
                order: self.order,
            },
        }
    }
}

fn one() -> u32 {
    1
}

fn hundred() -> u32 {
    100
}

fn feed_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name == HEALTH_FEED_NAME {
        return Err(serde::de::Error::custom("‘health’ is the name of the feed of the sources' health; take another"));
    }
    if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
        let said = format!("‘{name}’ can't stand in a URL; a feed's name has letters, digits, - and _, at most 64");
        return Err(serde::de::Error::custom(said));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_of_the_configuration_go_before_our_own_and_none_is_named_twice() {
        let base_url = Url::parse("https://news.example/desk/").unwrap();
        let mut options = Options { base_url, ..Options::default() };
        assert_eq!(options.hub_urls(), Vec::<String>::new());
        options.own_hub = true;
        assert_eq!(options.hub_urls(), ["https://news.example/desk/hub"]);
        options.hubs = ["https://hub.example", "https://news.example/desk/hub", "https://hub.example/"]
            .map(|url| Url::parse(url).unwrap())
            .into();
        assert_eq!(options.hub_urls(), ["https://hub.example/", "https://news.example/desk/hub"]);
        options.own_hub = false;
        options.hubs.truncate(1);
        assert_eq!(options.hub_urls(), ["https://hub.example/"]);
    }
}
