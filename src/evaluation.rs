//! Evaluates grouping on labeled items: reads them, replays them on the daemon's schedule, and scores the result.

pub mod metrics;
pub mod simulated_feed;

use crate::cluster::Clusterer;
use crate::domain::{Item, ItemId, SourceId, StoryId, Timestamp};
use crate::storyline::{STORYLINE_THRESHOLD, StoryLinks, StorylineGrouper, TreeModel};
use crate::urls::canonical::canonical_url_from_str;
use jiff::SignedDuration;
use serde::Deserialize;
use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use xxhash_rust::xxh3::xxh3_64;

/// The minimum time between two passes. A shorter interval would take time but would hardly change the result.
const MIN_RECLUSTER_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

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
    /// The label of the storyline; `None` if it contains only this story.
    #[serde(default)]
    pub storyline: Option<serde_json::Value>,
}

/// Parses a dataset of JSON objects and sorts the items by publication time.
///
/// # Errors
///
/// Fails on the first object that is not a labeled item. The error contains the line of the object.
pub fn parse_dataset(text: &str) -> serde_json::Result<Vec<LabeledItem>> {
    let mut items: Vec<LabeledItem> = serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>()?;
    items.sort_by(|a, b| a.published.cmp(&b.published).then_with(|| a.id.cmp(&b.id)));
    Ok(items)
}

impl LabeledItem {
    /// Returns the label of the item's storyline, or the label of its story if the storyline contains no other story.
    pub fn storyline_label(&self) -> String {
        match &self.storyline {
            Some(storyline) => format!("storyline {storyline}"),
            None => format!("story {}", self.story),
        }
    }

    /// Returns the item as the store returns it, first seen when it was published. `lang` defaults to English.
    pub fn to_item(&self, id: i64, canonical_url: Option<String>) -> Item {
        Item {
            id: ItemId(id),
            source: SourceId(xxh3_64(self.outlet.as_bytes()) as i64),
            outlet_name: self.outlet.clone(),
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
            enclosures: Vec::new(),
            published_at: Some(self.published),
            first_seen_at: self.published,
            ranked_at: self.published,
            backlog_reason: None,
            source_age: None,
            reporter: None,
            article: None,
            embedding: None,
        }
    }
}

/// Runs items through a clusterer in order, reclusters on schedule and at the end, and returns each item's story.
pub fn replay(clusterer: &mut Clusterer, items: &[Item]) -> Vec<StoryId> {
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return Vec::new() };
    let interval = clusterer.options().recluster_interval.max(MIN_RECLUSTER_INTERVAL);
    let mut stories: Vec<StoryId> = Vec::with_capacity(items.len());
    let minted = Cell::new(0);
    let mint = || {
        minted.update(|minted| minted + 1);
        Ok::<_, Infallible>(StoryId::from_row(minted.get()))
    };
    let recluster = |clusterer: &mut Clusterer, stories: &mut [StoryId], now| {
        let Ok(regrouping) = clusterer.recluster(now, |_, _| mint(), |_| Ok(None));
        for moved in regrouping.moved {
            stories[(moved.item.0 - first.id.0) as usize] = moved.into;
        }
    };
    let mut next_pass = first.first_seen_at + interval;
    for item in items {
        while item.first_seen_at >= next_pass {
            recluster(clusterer, &mut stories, next_pass);
            next_pass += interval;
        }
        let Ok(assignment) = clusterer.assign(item, |_| mint());
        stories.push(assignment.story);
    }
    recluster(clusterer, &mut stories, last.first_seen_at + interval);
    stories
}

/// Returns the items of a dataset as the store returns them, with IDs in order from 0.
pub fn items_of_dataset(labeled: &[LabeledItem]) -> Vec<Item> {
    let canonical_url = |item: &LabeledItem| item.url.as_deref().and_then(canonical_url_from_str);
    labeled.iter().zip(0..).map(|(item, id)| item.to_item(id, canonical_url(item))).collect()
}

/// Returns a grouper with all items in their stories.
pub fn storyline_grouper(items: &[Item], stories: &[StoryId]) -> StorylineGrouper {
    let mut grouper = StorylineGrouper::default();
    for (item, story) in items.iter().zip(stories) {
        grouper.add(item, *story);
    }
    grouper
}

/// Returns the storyline of each item, as the learned model groups them.
pub fn group_into_storylines(items: &[Item], stories: &[StoryId]) -> Vec<StoryId> {
    let weighed = storyline_grouper(items, stories).weigh();
    storylines(weighed.group(&TreeModel::learned(), STORYLINE_THRESHOLD, &StoryLinks::default()), stories)
}

/// Returns the storyline of each item, identified by its first story. `groups` contains each story with the first story
/// of its storyline.
pub fn storylines(groups: Vec<(StoryId, StoryId)>, stories: &[StoryId]) -> Vec<StoryId> {
    let groups: HashMap<StoryId, StoryId> = groups.into_iter().collect();
    stories.iter().map(|story| groups[story]).collect()
}
