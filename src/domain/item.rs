//! Items: the entries of sources, as newsfold stores them.

use super::{Embedding, ItemId, SourceId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An item that [`crate::ingest`] created from a document and that is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// The ID that the feed gives the item, or else a hash of its title and of its link or date. Never empty.
    pub guid: String,
    /// The link as it appears in the feed.
    pub url: Option<String>,
    /// The link in canonical form, which is the same for all links to one article.
    pub canonical_url: Option<String>,
    /// The title as plain text.
    pub title: String,
    /// Plain text: the summary, or else the beginning of the content.
    pub summary: String,
    /// Sanitized HTML: the content, or else the summary.
    pub content: Option<String>,
    pub author: Option<String>,
    /// The categories that the feed gives the item.
    pub categories: Vec<String>,
    pub lang: Option<String>,
    pub image: Option<String>,
    pub enclosures: Vec<Enclosure>,
    /// The date that the feed claims, if it can be parsed and is plausible.
    pub published_at: Option<Timestamp>,
    /// Whether the date names a day without a time. If the day is today, the item is sorted by the time at which it is
    /// first seen.
    pub is_day_only: bool,
    /// Whether the document ends within the item.
    pub is_incomplete: bool,
    /// The publication that the feed names as the origin of the item.
    pub reporter: Option<Reporter>,
    /// Why the item is in the backlog; `None` for news. [`crate::ingest`] sets the reason for every item of a document,
    /// but the reason has an effect only if the item is not stored yet.
    pub backlog_reason: Option<BacklogReason>,
}

/// A file attached to an item, such as a recording (RSS 2.0, `enclosure`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// An absolute http or https URL.
    pub url: String,
    /// The declared media type, or else the type that the file name implies.
    pub media_type: String,
    /// The declared length in bytes.
    pub length: Option<u64>,
}

/// Why an item is in the backlog: it was published, or may have been published, long before newsfold first read it.
/// Such items are searchable, but not news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum BacklogReason {
    /// The item is in the first document of its source and is older than the grouping window.
    OldInFirstDocument,
    /// The item is in the first document of its source and has no date.
    UndatedInFirstDocument,
    /// The item's date is before the last successful poll of its source minus the grouping window.
    OlderThanLastPoll,
}

/// The publication from which a feed took an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// The name as plain text.
    pub name: String,
    pub outlet: Option<String>,
}

/// An entry of a source, identified by the pair (source, guid).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    pub id: ItemId,
    #[serde(rename(deserialize = "source_id"))]
    pub source: SourceId,
    pub source_title: String,
    pub source_url: String,
    /// The outlet of the source. For an item of an aggregator, the outlet that reports it.
    pub outlet: String,
    /// The display name of the outlet.
    pub outlet_name: String,
    /// The name of the reporting publication, if the feed names a publication other than the outlet.
    pub reporter: Option<String>,
    /// The priority of the item's source.
    pub priority: i32,
    pub guid: String,
    pub url: Option<String>,
    pub canonical_url: Option<String>,
    pub title: String,
    pub summary: String,
    pub content: Option<String>,
    pub author: Option<String>,
    pub lang: Option<String>,
    pub image: Option<String>,
    pub enclosures: Vec<Enclosure>,
    pub published_at: Option<Timestamp>,
    pub first_seen_at: Timestamp,
    /// The earlier of the claimed date and `first_seen_at`. It is fixed when the item is first seen, so that a later
    /// change of the claimed date does not move the item.
    pub ranked_at: Timestamp,
    /// Why the item is in the backlog; `None` for news. It is fixed when the item is first seen.
    pub backlog_reason: Option<BacklogReason>,
    /// The time from the addition of the source until the item was first seen; `None` for sources that were added
    /// within 24 hours after the first source.
    #[serde(skip_serializing, deserialize_with = "super::duration::optional::from_milliseconds")]
    pub source_age: Option<SignedDuration>,
    /// The full article, if the source's settings request it and newsfold fetched it.
    pub article: Option<ArticleText>,
    /// The embedding of the item's text. Only grouping reads it; `None` elsewhere, and without an encoder.
    #[serde(skip_serializing, default)]
    pub embedding: Option<Embedding>,
}

/// The full article of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleText {
    /// The plain text, one paragraph per line. If the article must not be published, this is only its beginning.
    pub text: String,
    pub publishable: bool,
}

impl Item {
    /// Returns the name of the outlet, with the publication that the feed names: `Harbour Ledger via Coast News`.
    pub fn byline(&self) -> String {
        match &self.reporter {
            Some(reporter) => format!("{reporter} via {}", self.outlet_name),
            None => self.outlet_name.clone(),
        }
    }
}

/// The changes that storing the items of one document made to the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IngestResult {
    pub new: Vec<ItemId>,
    /// The number of new items that are in the backlog.
    pub backlog: u32,
    pub changed: Vec<ItemChange>,
    /// The number of items that had a new guid but were recognized by other properties.
    pub recognized: BTreeMap<MatchedBy, u32>,
}

/// The property by which an item was recognized when its source listed it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum MatchedBy {
    Guid,
    /// By its link, together with a matching title, text or date.
    Link,
    /// By its title, together with a matching text or date.
    Title,
    /// By its text and date.
    Text,
}

/// An item whose title, text or date the source changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemChange {
    pub item: ItemId,
    pub title_changed: bool,
}
