//! LabeledItem items, as `newsfold eval` and training read them, and the stream that the daemon would make of them.

use crate::cluster::Clusterer;
use crate::domain::{Item, ItemId, SourceId, StoryId, Timestamp};
use jiff::SignedDuration;
use serde::Deserialize;

/// One line of a file of labelled items.
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
    /// The label: items with the same one report one event.
    pub story: serde_json::Value,
}

/// A line that is no labelled item.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: no labelled item: {cause}")]
pub struct DatasetError {
    line: usize,
    cause: serde_json::Error,
}

impl LabeledItem {
    /// Reads one JSON object a line, and puts them into the order of their arrival.
    pub fn read(text: &str) -> Result<Vec<LabeledItem>, DatasetError> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = |(n, line)| serde_json::from_str(line).map_err(|cause| DatasetError { line: n + 1, cause });
        let mut items: Vec<LabeledItem> = lines.map(read).collect::<Result<_, _>>()?;
        items.sort_by(|a, b| a.published.cmp(&b.published).then_with(|| a.id.cmp(&b.id)));
        Ok(items)
    }

    /// The item as the store would give it, in place `n`, seen when it was published.
    pub fn item(&self, n: usize, canonical_url: Option<String>) -> Item {
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

/// Runs items through a clusterer in their order, with a second look whenever one is due, as in the daemon, and one at
/// the end. Returns each item's story.
pub fn replay(clusterer: &mut Clusterer, items: &[Item]) -> Vec<StoryId> {
    let pause = clusterer.options.recluster_interval.max(SignedDuration::from_secs(60));
    let mut found: Vec<StoryId> = Vec::with_capacity(items.len());
    let mut minted = 0;
    let mut next_look = items.first().map(|item| item.first_seen_at + pause);
    let first = items.first().map_or(0, |item| item.id.0);
    let mut mint = move || {
        minted += 1;
        StoryId::from_row(minted)
    };
    for item in items {
        // The looks keep to the clock, as in the daemon, whatever comes between them.
        while let Some(due) = next_look.filter(|due| item.first_seen_at >= *due) {
            recluster(clusterer, due, &mut mint, &mut found, first);
            next_look = Some(due + pause);
        }
        found.push(clusterer.assign(item, |_| mint()).story);
    }
    if let Some(last) = items.last() {
        recluster(clusterer, last.first_seen_at + pause, &mut mint, &mut found, first);
    }
    found
}

fn recluster(
    clusterer: &mut Clusterer,
    now: Timestamp,
    mint: &mut impl FnMut() -> StoryId,
    found: &mut [StoryId],
    first: i64,
) {
    for moved in clusterer.recluster(now, |_, _| mint()).moved {
        found[(moved.item.0 - first) as usize] = moved.into;
    }
}
