//! Editions: what readers are given of a story at one time.

use super::{ItemId, StoryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

/// A story that may appear in a document of a feed, as the database has it.
#[derive(Debug, Clone)]
pub struct FeedCandidate {
    pub published: super::StoryPublication,
    /// The edition to show. Where the story entered the feed with an edition of the feed's own: that one, and the later
    /// ones in their order.
    pub editions: Vec<Edition>,
    /// The priority of the lead's source.
    pub priority: i32,
}

/// A story in a feed: the edition that is shown, with what was frozen at the story's first publication.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedEntry {
    pub published: super::StoryPublication,
    pub edition: Edition,
}
