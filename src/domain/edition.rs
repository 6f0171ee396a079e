//! Editions: immutable snapshots of a story as readers see it.

use super::{Enclosure, ItemId, SourceId, StoryId, StoryRank, StorylineId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A story as readers see it from a given time on. An edition is written once and never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edition {
    #[serde(rename(deserialize = "story_id"))]
    pub story: StoryId,
    /// The sequence number of the edition within the story, from 1.
    pub number: u32,
    pub made_at: Timestamp,
    pub reason: EditionReason,
    /// The language of the entries that show the edition; `None` for an edition of the story itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_language: Option<String>,
    /// The number of distinct outlets, not counting copies.
    pub outlet_count: u32,
    pub text: EditionText,
}

/// The creation times of a story's first and last editions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct EditionTimes {
    pub first: Timestamp,
    pub last: Timestamp,
}

/// Why an edition was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum EditionReason {
    /// The story was published, or it entered the first feed that shows it in another language.
    First,
    /// The number of outlets reached the next power of two.
    Grown,
    /// The lead or its text changed, or reports left the story.
    Corrected,
    /// Another story of the storyline, without its own entry, was added to the list.
    Developed,
    /// Another published story was merged into this one.
    Merged,
    /// The story entered a feed. Only that feed shows this edition, until the next one.
    Entered,
}

/// The content of an edition, without the parts that the configuration adds when a feed is rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditionText {
    pub lead: ItemId,
    pub title: String,
    /// The link of the entry. It leads to the report `linked`, which is the lead of the first edition until that report
    /// leaves the story.
    pub link: Option<String>,
    pub linked: ItemId,
    /// The summary. The summary and the content come from the lead or, if it has no text, from the first report with
    /// text.
    pub summary: String,
    /// The content as sanitized HTML.
    pub content: Option<String>,
    /// The lead's full article, one paragraph per line, if its source allows publication.
    pub article: Option<String>,
    pub lang: Option<String>,
    pub image: Option<String>,
    /// The lead's source. Editions do not store the source's URL, because the URL may contain a secret.
    pub source: SourceId,
    /// The enclosures of the lead.
    #[serde(default)]
    pub enclosures: Vec<Enclosure>,
    pub source_title: String,
    /// The names of the lead's authors in one string.
    pub author: Option<String>,
    /// The home page of the lead's site.
    pub site: Option<String>,
    /// The tags of all reporting sources.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The reports, in order of date.
    #[serde(default)]
    pub reports: Vec<EditionReport>,
    /// The number of published stories merged into this one so far.
    #[serde(default)]
    pub merged_count: u32,
    /// The storyline, if it has several published stories.
    pub storyline: Option<StorylineId>,
    /// Other stories of the storyline: first the stories without their own entry, then the stories with an entry. Each
    /// group is sorted newest first.
    #[serde(default)]
    pub developments: Vec<Development>,
}

/// Another published story of the storyline, as an edition lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Development {
    pub story: StoryId,
    /// The title of the lead or, if the edition is in another language, of a report in that language.
    pub title: String,
    /// The language of this report.
    #[serde(default)]
    pub lang: Option<String>,
    /// The link of this report.
    pub link: Option<String>,
    /// The name of the outlet of this report.
    pub outlet: String,
    pub outlet_count: u32,
    /// The date of the story, which never changes.
    pub at: Timestamp,
    /// Whether the story has its own entry.
    pub has_entry: bool,
}

/// An entry of a storyline's story in the live variant of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorylineEntry {
    pub feed: String,
    pub story: StoryId,
    /// The date of the story.
    pub published_at: Timestamp,
    /// When the first edition of the story was created.
    pub first_edition_at: Timestamp,
    /// The number of entries that entered the feed later, but at most the maximum number in the feed's document.
    pub newer_entries: u32,
}

/// The variants of a feed that show an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum EntryVariants {
    Both,
    Live,
    Stable,
}

impl EntryVariants {
    /// Returns whether a variant shows the entry.
    pub fn include(self, variant: FeedVariant) -> bool {
        match self {
            EntryVariants::Both => true,
            EntryVariants::Live => variant == FeedVariant::Live,
            EntryVariants::Stable => variant == FeedVariant::Stable,
        }
    }
}

/// One report in an edition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditionReport {
    pub item: ItemId,
    pub outlet: String,
    /// The display name of the outlet, if it differs from the outlet. A new name does not cause a new edition.
    #[serde(default)]
    pub outlet_name: Option<String>,
    /// The name of the reporting publication, if the feed names a publication other than the outlet.
    pub reporter: Option<String>,
    pub title: String,
    /// The language of the report if the story has reports in several languages.
    #[serde(default)]
    pub lang: Option<String>,
    pub url: Option<String>,
    pub at: Timestamp,
    /// Whether the item is a near-duplicate of another item.
    #[serde(default)]
    pub is_copy: bool,
    /// A short form of the evidence by which the item joined the story.
    pub reason: Option<String>,
}

/// The two variants in which each feed is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum FeedVariant {
    /// Each entry shows the story's latest edition.
    Live,
    /// Each entry keeps the edition with which the story entered the feed.
    Stable,
}

impl FeedVariant {
    pub const ALL: [FeedVariant; 2] = [FeedVariant::Live, FeedVariant::Stable];

    /// Returns the suffix that follows the feed's name in a URL.
    pub fn suffix(self) -> &'static str {
        match self {
            FeedVariant::Live => "",
            FeedVariant::Stable => ".stable",
        }
    }
}

/// A stored story that may appear in a document of a feed.
#[derive(Debug, Clone)]
pub struct FeedCandidate {
    pub published_at: Timestamp,
    /// The edition to show. A story that entered the feed with a feed-specific edition has that edition and all later
    /// editions, in order.
    pub editions: Vec<Edition>,
    /// The rank of the story if the feed has the `hot` order.
    pub rank: Option<StoryRank>,
}

/// A story in a feed: the edition shown, and the date of the story, which never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedEntry {
    pub published_at: Timestamp,
    pub edition: Edition,
}
