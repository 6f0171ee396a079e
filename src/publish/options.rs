//! The publishing settings, and the feeds that they define.

use super::mute_rules::add_mute_rules;
use crate::domain::{FeedFold, FeedOrder, FeedSelection, ItemFilter, PublishedFeed};
use crate::urls::outlet::readable_outlet;
use crate::wording::DisplayZone;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use url::Url;

/// The name of the operator's feed. No other feed may have this name.
pub const HEALTH_FEED_NAME: &str = "health";

/// The `[publish]` section of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The public URL of this newsfold instance. All published links start with it.
    #[serde(deserialize_with = "base_url")]
    pub base_url: Url,
    /// The title of the pages and of the `all` feed.
    pub title: String,
    /// The time zone for times on pages and in entries.
    pub timezone: DisplayZone,
    /// The preferred languages of leads, in order of preference. If the list is empty, all languages are equally
    /// preferred.
    pub languages: Vec<String>,
    /// The sections of the front page. If the list is empty, the main tags are the sections.
    pub sections: Vec<SectionOptions>,
    /// The delay between the creation of a story and its publication. It allows the first items to be grouped.
    #[serde(with = "crate::domain::duration")]
    pub delay: SignedDuration,
    /// The minimum interval between two editions of a story, and therefore between changes of its entry.
    #[serde(with = "crate::domain::duration")]
    pub min_update_interval: SignedDuration,
    /// The time after the first edition of a story during which new editions are written.
    #[serde(with = "crate::domain::duration")]
    pub update_window: SignedDuration,
    /// How long a source counts as new. Items of a new source join stories but do not lead them, and a story needs an
    /// item of another source to be published. Sources that were added within 24 hours after the first source are never
    /// new.
    #[serde(with = "crate::domain::duration")]
    pub probation: SignedDuration,
    /// The minimum number of outlets for a story to get its own entry if its storyline already has an entry.
    pub development_outlets: u32,
    /// The age at which a report counts half as much in feeds with `hot` order.
    #[serde(with = "crate::domain::duration")]
    pub hot_half_life: SignedDuration,
    /// Whether entries show the reason for including each report.
    pub show_evidence: bool,
    /// The directory for the static export, which is updated after each change.
    pub export_dir: Option<PathBuf>,
    /// WebSub hubs. Feeds declare these hubs, and each hub is notified when a feed changes.
    pub hubs: Vec<Url>,
    /// Whether newsfold runs its own WebSub hub.
    pub own_hub: bool,
    /// A story with an item that matches one of these filters does not appear in any feed.
    pub mute: Vec<ItemFilter>,
    /// Feeds in addition to `all` and `top`.
    pub feeds: Vec<FeedOptions>,
}

/// The `[[publish.feeds]]` section of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedOptions {
    /// The part of the URL that identifies the feed: letters, digits, `-` and `_`.
    #[serde(deserialize_with = "feed_name")]
    pub name: String,
    pub title: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub outlets: Vec<String>,
    /// A story needs a report in one of these languages.
    #[serde(default)]
    pub languages: Vec<String>,
    /// An FTS5 expression over titles and summaries. At least one item must match.
    pub query: Option<String>,
    /// An FTS5 expression over titles and summaries. Stories with a matching item are excluded.
    pub exclude_query: Option<String>,
    /// The names of the authors of an item contain one of these texts.
    #[serde(default)]
    pub authors: Vec<String>,
    /// The source's feed assigns one of these categories to an item.
    #[serde(default)]
    pub categories: Vec<String>,
    /// A regular expression that matches the URL of an item.
    pub url_pattern: Option<String>,
    /// A regular expression that matches the title or the summary of an item.
    pub pattern: Option<String>,
    /// A regular expression for the title or the summary of an item. Stories with a matching item are excluded.
    pub exclude_pattern: Option<String>,
    #[serde(default = "default_min_outlets")]
    pub min_outlets: u32,
    #[serde(default, with = "crate::domain::duration::optional")]
    pub max_age: Option<SignedDuration>,
    #[serde(default = "default_limit")]
    pub limit: u32,
    #[serde(default)]
    pub order: FeedOrder,
    /// Whether the stories of a storyline share an entry.
    #[serde(default)]
    pub fold: FeedFold,
    /// Whether the feed requires a token. `newsfold feed token NAME` prints it.
    #[serde(default)]
    pub private: bool,
}

/// The `[[publish.sections]]` section of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionOptions {
    /// The tag of the sources.
    pub tag: String,
    /// The title. Default: the tag.
    pub title: Option<String>,
    /// The languages of the stories. If the list is empty, the section contains stories in all languages.
    #[serde(default)]
    pub languages: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base_url: Url::parse("http://127.0.0.1:8686/").unwrap_or_else(|_| unreachable!("a constant URL")),
            title: "newsfold".into(),
            timezone: DisplayZone::UTC,
            languages: Vec::new(),
            sections: Vec::new(),
            delay: SignedDuration::from_mins(10),
            min_update_interval: SignedDuration::from_mins(60),
            update_window: SignedDuration::from_hours(48),
            probation: SignedDuration::from_hours(6),
            development_outlets: 3,
            hot_half_life: SignedDuration::from_hours(48),
            show_evidence: false,
            export_dir: None,
            hubs: Vec::new(),
            own_hub: false,
            mute: Vec::new(),
            feeds: Vec::new(),
        }
    }
}

impl Options {
    /// Returns the built-in feeds `all` and `top`, unless the configuration redefines them, followed by the configured
    /// feeds.
    pub fn published_feeds(&self) -> Vec<PublishedFeed> {
        let all = PublishedFeed {
            name: "all".into(),
            title: self.title.clone(),
            private: false,
            selection: FeedSelection::default(),
            half_life: self.hot_half_life,
        };
        let top = PublishedFeed {
            name: "top".into(),
            title: format!("{}: top stories", self.title),
            private: false,
            selection: FeedSelection { min_outlets: 2, limit: 50, order: FeedOrder::Hot, ..FeedSelection::default() },
            half_life: self.hot_half_life,
        };
        let configured: Vec<PublishedFeed> = self.feeds.iter().map(|feed| feed.feed(self.hot_half_life)).collect();
        let is_unchanged = |feed: &PublishedFeed| !configured.iter().any(|other| other.name == feed.name);
        let built_in: Vec<PublishedFeed> = [all, top].into_iter().filter(is_unchanged).collect();
        let mut feeds: Vec<PublishedFeed> = built_in.into_iter().chain(configured).collect();
        add_mute_rules(&self.mute, &mut feeds);
        feeds
    }

    /// Returns the feeds that are not private.
    pub fn public_feeds(&self) -> Vec<PublishedFeed> {
        self.published_feeds().into_iter().filter(|feed| !feed.private).collect()
    }

    /// Returns the hubs that feeds declare: first the configured hubs, then our own, without duplicates.
    pub fn hub_urls(&self) -> Vec<String> {
        let mut urls: Vec<String> = Vec::new();
        for url in self.hubs.iter().map(Url::to_string).chain(self.own_hub.then(|| self.own_hub_url())) {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }

    /// Returns the URL of our own hub, whether or not it is enabled.
    pub fn own_hub_url(&self) -> String {
        self.url("hub")
    }

    /// Returns the absolute URL of a path under `base_url`.
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.as_str().trim_end_matches('/'))
    }
}

impl FeedOptions {
    /// Returns the filter that at least one item of a story must match.
    pub fn item_filter(&self) -> ItemFilter {
        ItemFilter {
            authors: self.authors.clone(),
            categories: self.categories.clone(),
            url_pattern: self.url_pattern.clone(),
            pattern: self.pattern.clone(),
        }
    }

    /// Returns the filter that excludes a story if an item matches it.
    pub fn exclude_filter(&self) -> Option<ItemFilter> {
        let pattern = self.exclude_pattern.clone()?;
        Some(ItemFilter { pattern: Some(pattern), ..ItemFilter::default() })
    }

    fn feed(&self, half_life: SignedDuration) -> PublishedFeed {
        PublishedFeed {
            name: self.name.clone(),
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            private: self.private,
            selection: FeedSelection {
                tags: self.tags.clone(),
                outlets: self.outlets.iter().map(|outlet| readable_outlet(outlet)).collect(),
                languages: self.languages.clone(),
                query: self.query.clone(),
                exclude_query: self.exclude_query.clone(),
                items: self.item_filter(),
                excluded: self.exclude_filter().into_iter().collect(),
                min_outlets: self.min_outlets,
                max_age: self.max_age,
                limit: self.limit,
                order: self.order,
                fold: self.fold,
            },
            half_life,
        }
    }
}

fn default_min_outlets() -> u32 {
    1
}

fn default_limit() -> u32 {
    100
}

fn base_url<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    Url::parse(&text).map_err(|error| {
        serde::de::Error::custom(match error {
            url::ParseError::RelativeUrlWithoutBase => format!("‘{text}’ has no scheme; write \"https://{text}\""),
            error => format!("‘{text}’ is not a valid URL ({error}); write one such as \"https://news.example/\""),
        })
    })
}

fn feed_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name == HEALTH_FEED_NAME {
        return Err(serde::de::Error::custom(
            "the name ‘health’ is reserved for the feed of source health; choose another name",
        ));
    }
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_valid) {
        let message = format!("‘{name}’ is not a valid feed name; use letters, digits, - and _, at most 64 characters");
        return Err(serde::de::Error::custom(message));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configured_hubs_precede_our_own_without_duplicates() {
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
