//! The invented news: what each outlet shows so long after the start.

use crate::domain::Timestamp;
use anyhow::Context as _;
use jiff::SignedDuration;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    #[serde(rename = "outlet")]
    pub outlets: Vec<Outlet>,
    #[serde(rename = "item")]
    pub items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlet {
    pub key: String,
    pub name: String,
    pub domain: String,
    pub format: Format,
    pub tags: Vec<String>,
    pub priority: i32,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Rss2,
    Rss1,
    Atom,
    Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub outlet: String,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub body: Option<String>,
    pub author: Option<String>,
    #[serde(default)]
    pub minutes_ago: i64,
    /// Which invented event it reports; for the tests.
    #[serde(rename = "event")]
    _event: Option<String>,
    #[serde(rename = "copy_of")]
    _copy_of: Option<String>,
    /// Seconds after the start at which it first shows up.
    #[serde(default)]
    pub appears_after: i64,
    pub later: Option<Later>,
}

/// What the outlet makes of an item later.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    pub after: i64,
    pub title: String,
    pub minutes_ago: i64,
}

/// An item as it stands in its feed at some time.
pub struct Shown<'a> {
    pub item: &'a Item,
    pub title: &'a str,
    pub at: Timestamp,
}

impl Content {
    pub fn read() -> anyhow::Result<Content> {
        toml::from_str(include_str!("../../../demo/news.toml")).context("the demo's own news")
    }

    /// What an outlet shows at `now`, the newest first.
    pub fn shown(&self, outlet: &Outlet, start: Timestamp, now: Timestamp) -> Vec<Shown<'_>> {
        let elapsed = now.duration_since(start).as_secs();
        let own = self.items.iter().filter(|item| item.outlet == outlet.key && item.appears_after <= elapsed);
        let mut shown: Vec<Shown<'_>> = own.map(|item| item.shown(start, elapsed)).collect();
        shown.sort_by(|a, b| b.at.cmp(&a.at).then(a.item.slug.cmp(&b.item.slug)));
        shown
    }
}

impl Item {
    fn shown(&self, start: Timestamp, elapsed: i64) -> Shown<'_> {
        let at = |seconds: i64, minutes: i64| {
            start + SignedDuration::from_secs(seconds) - SignedDuration::from_mins(minutes)
        };
        match self.later.as_ref().filter(|later| later.after <= elapsed) {
            Some(later) => Shown { item: self, title: &later.title, at: at(later.after, later.minutes_ago) },
            None => Shown { item: self, title: &self.title, at: at(self.appears_after, self.minutes_ago) },
        }
    }

    pub fn body_html(&self) -> Option<String> {
        let body = self.body.as_deref()?;
        let paragraphs = body.split("\n\n").map(str::trim).filter(|p| !p.is_empty());
        Some(paragraphs.map(|p| format!("<p>{}</p>", crate::markup::entities::escape_html(p))).collect())
    }
}
