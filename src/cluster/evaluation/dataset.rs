//! Labeled items, as `newsfold eval` and training read them.

use crate::domain::{Item, ItemId, SourceId, Timestamp};
use serde::Deserialize;

/// One line of a dataset.
#[derive(Debug, Clone, Deserialize)]
pub struct LabeledItem {
    pub id: String,
    pub outlet: String,
    pub published: Timestamp,
    pub title: String,
    #[serde(default)]
    pub summary: String,
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub lang: Option<String>,
    /// The label: items with the same label report one event.
    pub story: serde_json::Value,
}

/// A line that is not a labeled item.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is not a labeled item: {cause}")]
pub struct DatasetError {
    line: usize,
    cause: serde_json::Error,
}

/// Parses a dataset of one JSON object per line, and sorts the items by publication time.
///
/// # Errors
///
/// Fails on the first line that is not a labeled item. Blank lines are skipped.
pub fn parse_dataset(text: &str) -> Result<Vec<LabeledItem>, DatasetError> {
    let mut items: Vec<LabeledItem> = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        items.push(serde_json::from_str(line).map_err(|cause| DatasetError { line: n + 1, cause })?);
    }
    items.sort_by(|a, b| a.published.cmp(&b.published).then_with(|| a.id.cmp(&b.id)));
    Ok(items)
}

impl LabeledItem {
    /// The item as the store returns it, with id `n`, first seen when it was published. English unless `lang` is given.
    pub fn to_item(&self, n: usize, canonical_url: Option<String>) -> Item {
        Item {
            id: ItemId(n as i64),
            source: SourceId(0),
            source_title: self.outlet.clone(),
            source_url: self.outlet.clone(),
            outlet: self.outlet.clone(),
            priority: 0,
            guid: self.id.clone(),
            url: self.url.clone(),
            canonical_url,
            title: self.title.clone(),
            summary: self.summary.clone(),
            content: None,
            author: None,
            lang: self.lang.clone().or_else(|| Some("en".into())),
            image: None,
            published_at: Some(self.published),
            first_seen_at: self.published,
            ranked_at: self.published,
            source_age: None,
            article: None,
        }
    }
}
