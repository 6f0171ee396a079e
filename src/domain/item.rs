//! Items: the entries of sources, as newsfold stores them.

use super::{ItemId, SourceId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An item that [`crate::ingest`] made from a document and that is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// The feed's own id of the item, else a hash of its title and of its link or date. Never empty.
    pub guid: String,
    /// The link as given in the feed.
    pub url: Option<String>,
    /// The link in canonical form, which is equal for all links to one article.
    pub canonical_url: Option<String>,
    /// Plain text.
    pub title: String,
    /// Plain text: the summary, else the start of the content.
    pub summary: String,
    /// Sanitized HTML: the content, else the summary.
    pub content: Option<String>,
    pub author: Option<String>,
    pub lang: Option<String>,
    pub image: Option<String>,
    pub enclosures: Vec<Enclosure>,
    /// The date that the feed claims, if it is readable and plausible.
    pub published_at: Option<Timestamp>,
    /// Whether that date names a day without a time. If the day is today, the item ranks at the time it is first seen.
    pub is_day_only: bool,
    /// The publication from which the feed says that it took the item.
    pub reporter: Option<Reporter>,
    /// Why the item is backlog if it is new; `None` for news. [`crate::ingest`] decides it when the document is stored.
    pub backlog_reason: Option<BacklogReason>,
}

/// A file that belongs to an item, such as a recording (RSS 2.0, `enclosure`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Absolute, http or https.
    pub url: String,
    /// As declared, else by the file name.
    pub media_type: String,
    /// In bytes, as declared.
    pub length: Option<u64>,
}

/// Why an item is backlog: it was old when its source first showed it. It is stored and found, but it is not news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum BacklogReason {
    /// In the first document of its source, and older than the grouping window.
    OldInFirstDocument,
    /// In the first document of its source, without a date.
    UndatedInFirstDocument,
    /// Dated before the last successful poll of its source minus the grouping window.
    OlderThanLastPoll,
}

/// The publication from which a feed took an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// Plain text.
    pub name: String,
    pub outlet: Option<String>,
}

/// An entry of a source, identified by (source, guid).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    pub id: ItemId,
    #[serde(rename(deserialize = "source_id"))]
    pub source: SourceId,
    pub source_title: String,
    pub source_url: String,
    /// The outlet of the source; of an aggregator's item, the outlet that reports it.
    pub outlet: String,
    /// The name of the publication that reports it, if the feed names one other than the outlet.
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
    /// The earlier of the claimed date and `first_seen_at`. Fixed when the item is first seen, so that a later change
    /// of the claimed date moves nothing.
    pub ranked_at: Timestamp,
    /// Why the item is backlog; `None` for news. Fixed when the item is first seen.
    pub backlog_reason: Option<BacklogReason>,
    /// How long the source had been known when the item was first seen; `None` for sources added on the database's first
    /// day.
    #[serde(skip_serializing, deserialize_with = "super::duration::optional::from_milliseconds")]
    pub source_age: Option<SignedDuration>,
    /// The full article, if the source's settings ask for it and it was fetched.
    pub article: Option<ArticleText>,
}

/// The full article of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleText {
    /// Plain text, one paragraph per line. If it is not publishable, only its beginning.
    pub text: String,
    pub publishable: bool,
}

/// A summary with fewer words is extended from the article for grouping.
const MIN_GROUPING_WORDS: usize = 40;

impl Item {
    /// The outlet as people read it, with the publication that the feed names: `Harbour Ledger via news.example`.
    pub fn byline(&self) -> String {
        match &self.reporter {
            Some(reporter) => format!("{reporter} via {}", self.outlet),
            None => self.outlet.clone(),
        }
    }

    /// The text that represents the item in grouping, besides its title: the summary, extended from the beginning of the
    /// article if it is short.
    pub fn grouping_text(&self) -> Cow<'_, str> {
        let word_count = |text: &str| text.split_whitespace().count();
        let Some(article) = self.article.as_ref().filter(|_| word_count(&self.summary) < MIN_GROUPING_WORDS) else {
            return Cow::Borrowed(&self.summary);
        };
        let mut text = self.summary.clone();
        // Most feeds take their summary from the article's first paragraph.
        let start = self.summary.trim_end_matches(['.', '…', ' ']);
        for paragraph in article.text.lines().filter(|paragraph| start.is_empty() || !paragraph.starts_with(start)) {
            if word_count(&text) >= MIN_GROUPING_WORDS {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(paragraph);
        }
        Cow::Owned(text)
    }
}

/// How storing the items of one document changed the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IngestResult {
    pub new: Vec<ItemId>,
    /// The number of new items that are backlog.
    pub backlog: u32,
    pub changed: Vec<ItemChange>,
    /// The number of items that had a new guid and were recognized by other means.
    pub recognized: BTreeMap<MatchedBy, u32>,
}

/// How an item was recognized when its source showed it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum MatchedBy {
    Guid,
    /// By its link, and by a title, text or date that agrees with it.
    Link,
    /// By its title, and by a text or date that agrees with it.
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
