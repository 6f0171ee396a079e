//! Items: the entries of sources, as we keep them.

use super::{ItemId, SourceId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An item as [`crate::ingest`] makes it from a document, before it has a place in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// The feed's own id of the item, else its canonical URL, else a hash of title and date. Never empty.
    pub guid: String,
    /// The link as the feed gives it.
    pub url: Option<String>,
    /// The link in canonical form: what two links to one article have in common.
    pub canonical_url: Option<String>,
    /// Plain text.
    pub title: String,
    /// Plain text: the summary, else the start of the content.
    pub summary: String,
    /// Sanitised HTML: the content, else the summary.
    pub content: Option<String>,
    pub author: Option<String>,
    pub lang: Option<String>,
    pub image: Option<String>,
    /// The date that the source claims, if it could be read and is not absurd.
    pub published_at: Option<Timestamp>,
}

/// One entry of one source, identified by (source, guid).
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    pub id: ItemId,
    pub source: SourceId,
    pub source_title: String,
    pub source_url: String,
    pub outlet: String,
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
    pub published_at: Option<Timestamp>,
    pub first_seen_at: Timestamp,
    /// min(claimed, first seen), fixed when the item is first seen: re-dating moves nothing.
    pub ranked_at: Timestamp,
    /// How long its source had been known when it was first seen; nothing for the sources of a database's first day.
    #[serde(skip)]
    pub source_age: Option<SignedDuration>,
    /// What was read on its page, where its source wants that.
    pub article: Option<ArticleText>,
}

/// What was read on an item's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArticleText {
    /// Plain text, a paragraph a line. Where it may not be published, its beginning.
    pub text: String,
    pub may_be_published: bool,
}

/// Words by which an item can be told; a summary that has fewer is helped out by the article.
const TELLING: usize = 40;

impl Item {
    /// What the item says beside its title, for grouping: its summary, and where that is short the beginning of its
    /// article.
    pub fn telling_text(&self) -> Cow<'_, str> {
        let words = |text: &str| text.split_whitespace().count();
        let Some(article) = self.article.as_ref().filter(|_| words(&self.summary) < TELLING) else {
            return Cow::Borrowed(&self.summary);
        };
        let mut text = self.summary.clone();
        // Feeds mostly take their summary from the article's first paragraph.
        let start = self.summary.trim_end_matches(['.', '…', ' ']);
        for paragraph in article.text.lines().filter(|paragraph| start.is_empty() || !paragraph.starts_with(start)) {
            if words(&text) >= TELLING {
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

/// What became of a document's items in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IngestResult {
    pub new: Vec<ItemId>,
    pub changed: Vec<ItemChange>,
    /// How many items came under a guid that was not theirs, and were recognized all the same.
    pub recognized: BTreeMap<MatchedBy, u32>,
}

/// By what an item that its source shows again is recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    Guid,
    /// Its canonical URL, which is no other item's of its source.
    Link,
    /// Its title, which is no other item's of its source within a day.
    Title,
}

impl MatchedBy {
    pub fn as_str(self) -> &'static str {
        match self {
            MatchedBy::Guid => "guid",
            MatchedBy::Link => "link",
            MatchedBy::Title => "title",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [MatchedBy::Guid, MatchedBy::Link, MatchedBy::Title].into_iter().find(|rule| rule.as_str() == text)
    }
}

/// An item whose title, text or date the source changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemChange {
    pub item: ItemId,
    pub retitled: bool,
}
