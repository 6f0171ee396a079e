//! Editions: what readers are given of a story at one time.

use super::{ItemId, StoryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What readers are given of a story from one time on. It is written down as it was then, and never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edition {
    pub story: StoryId,
    /// 1, 2, 3 … within the story.
    pub number: u32,
    pub made_at: Timestamp,
    pub cause: EditionReason,
    /// The distinct outlets with a report of their own.
    pub outlets: u32,
    pub text: EditionText,
}

impl Edition {
    /// What a text tells that readers of this edition do not know; `None` where that is nothing. `items` are those of the
    /// text's story, and `outlets` the distinct ones among them.
    pub fn news(&self, text: &EditionText, outlets: u32, items: &BTreeSet<ItemId>) -> Option<EditionReason> {
        let known = &self.text;
        let corrected = (text.lead, &text.title, &text.summary) != (known.lead, &known.title, &known.summary);
        if text.absorbed > known.absorbed {
            Some(EditionReason::Merged)
        } else if corrected || known.reports.iter().any(|report| !items.contains(&report.item)) {
            Some(EditionReason::Corrected)
        } else if outlets.max(1).ilog2() > self.outlets.max(1).ilog2() {
            Some(EditionReason::Grown)
        } else {
            None
        }
    }

    /// Whether readers of another edition learn anything from this one.
    pub fn tells_more_than(&self, known: &Edition) -> bool {
        let items = self.text.reports.iter().map(|report| report.item).collect();
        known.news(&self.text, self.outlets, &items).is_some()
    }
}

/// Why an edition was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditionReason {
    /// The story was published.
    First,
    /// The number of its outlets reached another power of two.
    Grown,
    /// Its lead says something else, or is another one, or reports have left it.
    Corrected,
    /// Another published story was merged into it.
    Merged,
    /// It came into a feed. That feed alone shows it, until the next edition.
    Entered,
}

impl EditionReason {
    const ALL: [(EditionReason, &str); 5] = [
        (EditionReason::First, "first"),
        (EditionReason::Grown, "grown"),
        (EditionReason::Corrected, "corrected"),
        (EditionReason::Merged, "merged"),
        (EditionReason::Entered, "entered"),
    ];

    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(cause, _)| *cause == self).map_or("", |(_, word)| word)
    }

    pub fn parse(word: &str) -> Option<EditionReason> {
        Self::ALL.into_iter().find(|(_, known)| *known == word).map(|(cause, _)| cause)
    }
}

/// The texts of an edition, without what the configuration adds when it is written into a feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditionText {
    pub lead: ItemId,
    pub title: String,
    pub summary: String,
    /// The lead's own text as sanitised HTML.
    pub content: Option<String>,
    /// What was read on the lead's page, a paragraph a line, where it may be published.
    pub article: Option<String>,
    pub lang: Option<String>,
    pub image: Option<String>,
    pub source_title: String,
    pub source_url: String,
    /// The tags of all sources that report.
    pub tags: Vec<String>,
    /// In order of their dates.
    pub reports: Vec<EditionReport>,
    /// Published stories that were merged into this one by then.
    pub absorbed: u32,
}

/// One outlet's item, as an edition lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditionReport {
    pub item: ItemId,
    pub outlet: String,
    pub title: String,
    pub url: Option<String>,
    pub at: Timestamp,
    /// Whether its text is another's.
    pub copy: bool,
    /// Why it is in the story, in short.
    pub why: Option<String>,
}

/// The two ways in which each feed is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedVariant {
    /// Each entry is the story's latest edition.
    Live,
    /// Each entry stays as it was when it came into the feed.
    Stable,
}

impl FeedVariant {
    pub const ALL: [FeedVariant; 2] = [FeedVariant::Live, FeedVariant::Stable];

    /// What follows the feed's name in a URL.
    pub fn suffix(self) -> &'static str {
        match self {
            FeedVariant::Live => "",
            FeedVariant::Stable => ".stable",
        }
    }
}

/// A story in a feed: the edition that is shown, with what was frozen at the story's first publication.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedEntry {
    pub published: super::StoryPublication,
    pub edition: Edition,
}
