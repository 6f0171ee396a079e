//! What the operator sets of publishing.

use crate::model::{FeedSelection, PublishedFeed};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use url::Url;

/// Publishing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where readers find this newsfold; every link that it publishes begins with it.
    pub base_url: Url,
    /// The title of the front page and of the feed of all stories.
    pub title: String,
    /// How long a story waits before it is published, so that its first items can find each other.
    #[serde(with = "crate::model::duration")]
    pub settle: SignedDuration,
    /// How long a source is new. Until then its items join stories, and neither lead one nor have one published by
    /// themselves. The sources of a database's first day are never new.
    #[serde(with = "crate::model::duration")]
    pub probation: SignedDuration,
    /// Whether entries say of each report why it is in the story.
    pub evidence: bool,
    /// Where all that is served is written to as files as well, whenever it changes.
    pub dir: Option<PathBuf>,
    /// Hubs (WebSub) that are told of every change of a feed, and that the feeds name.
    pub hubs: Vec<Url>,
    /// Whether newsfold is a hub for its feeds itself.
    pub own_hub: bool,
    /// The feeds besides `all`.
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
    pub words: Option<String>,
    #[serde(default = "one")]
    pub min_outlets: u32,
    #[serde(default, with = "crate::model::duration::optional")]
    pub max_age: Option<SignedDuration>,
    #[serde(default = "hundred")]
    pub limit: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base_url: Url::parse("http://127.0.0.1:8686/").unwrap_or_else(|_| unreachable!("a constant URL")),
            title: "newsfold".into(),
            settle: SignedDuration::from_mins(10),
            probation: SignedDuration::from_hours(6),
            evidence: false,
            dir: None,
            hubs: Vec::new(),
            own_hub: false,
            feeds: Vec::new(),
        }
    }
}

impl Options {
    /// All feeds: `all`, unless the operator describes it otherwise, and those of the configuration.
    pub fn published_feeds(&self) -> Vec<PublishedFeed> {
        let mut feeds: Vec<PublishedFeed> = self.feeds.iter().map(FeedOptions::feed).collect();
        if !feeds.iter().any(|feed| feed.name == "all") {
            let selection = FeedSelection::default();
            feeds.insert(0, PublishedFeed { name: "all".into(), title: self.title.clone(), selection });
        }
        feeds
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
            selection: FeedSelection {
                tags: self.tags.clone(),
                outlets: self.outlets.clone(),
                languages: self.languages.clone(),
                words: self.words.clone(),
                min_outlets: self.min_outlets,
                max_age: self.max_age,
                limit: self.limit,
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
    if name == super::HEALTH {
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
