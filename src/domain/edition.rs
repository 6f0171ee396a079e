//! Editions: a story as readers see it from one time on.

use super::{Enclosure, ItemId, SourceId, StoryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A story as readers see it from a given time on. It is written once and never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edition {
    #[serde(rename(deserialize = "story_id"))]
    pub story: StoryId,
    /// 1, 2, 3 … within the story.
    pub number: u32,
    pub made_at: Timestamp,
    pub reason: EditionReason,
    /// The number of distinct outlets, not counting copies.
    pub outlet_count: u32,
    pub text: EditionText,
}

/// When the first and the last edition of a story were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct EditionTimes {
    pub first: Timestamp,
    pub last: Timestamp,
}

/// Why an edition was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum EditionReason {
    /// The story was published.
    First,
    /// The number of outlets reached the next power of two.
    Grown,
    /// The lead or its text changed, or reports left the story.
    Corrected,
    /// Another published story was merged into this one.
    Merged,
    /// The story entered a feed. Only that feed shows this edition, until the next one.
    Entered,
}

/// The texts of an edition, without what the configuration adds when a feed is rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditionText {
    pub lead: ItemId,
    pub title: String,
    /// The link of the entry, and the report to which it leads: the lead of the first edition until that leaves the story.
    pub link: Option<String>,
    pub linked: ItemId,
    /// Summary and content are those of the first report with text if the lead has none.
    pub summary: String,
    /// Sanitized HTML.
    pub content: Option<String>,
    /// The lead's full article, one paragraph per line, if its source allows it to be published.
    pub article: Option<String>,
    pub lang: Option<String>,
    pub image: Option<String>,
    /// The lead's source. Its address may contain a secret, so an edition does not have it.
    pub source: SourceId,
    /// Those of the lead.
    pub enclosures: Vec<Enclosure>,
    pub source_title: String,
    /// The start page of the lead's site.
    pub site: Option<String>,
    /// The tags of all reporting sources.
    pub tags: Vec<String>,
    /// By date.
    pub reports: Vec<EditionReport>,
    /// The number of published stories merged into this one so far.
    pub merged_count: u32,
}

/// One report in an edition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditionReport {
    pub item: ItemId,
    pub outlet: String,
    /// The name of the publication that reports it, if the feed names one other than the outlet.
    #[serde(default)]
    pub reporter: Option<String>,
    pub title: String,
    pub url: Option<String>,
    pub at: Timestamp,
    /// Whether the item is a near-duplicate of another one.
    pub is_copy: bool,
    /// Short form of the evidence by which the item joined the story.
    pub reason: Option<String>,
}

/// The two variants in which each feed is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedVariant {
    /// Each entry shows the story's latest edition.
    Live,
    /// Each entry keeps the edition with which the story entered the feed.
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

/// A story that may appear in a document of a feed, as stored.
#[derive(Debug, Clone)]
pub struct FeedCandidate {
    pub published_at: Timestamp,
    /// The edition to show. If the story entered the feed with an edition of the feed's own: that one and the later ones,
    /// in order.
    pub editions: Vec<Edition>,
    /// The priority of the lead's source.
    pub priority: i32,
}

/// A story in a feed: the edition shown, and the story's date, which never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedEntry {
    pub published_at: Timestamp,
    pub edition: Edition,
}
