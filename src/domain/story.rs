//! Stories: the items that report one event, with the evidence that each item belongs to the story.

use super::{ConstraintId, Item, ItemId, StoryId, StorylineEvidence, StorylineId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum length of a chain of copies that is followed.
const MAX_COPY_CHAIN: usize = 64;

/// The items that report one event.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    pub id: StoryId,
    pub created_at: Timestamp,
    /// When the items of the story or the headline of its lead last changed.
    pub updated_at: Timestamp,
    /// The date that readers see: the date of the first news item. It is fixed when the story is first published.
    pub published_at: Option<Timestamp>,
    /// The story to which this one redirects. A merged story has no items.
    pub merged_into: Option<StoryId>,
    /// The storyline to which the story belongs.
    pub storyline: StorylineId,
    pub storyline_evidence: StorylineEvidence,
    /// The item that represents the story.
    pub lead: ItemId,
    /// The items, ordered by [`Item::ranked_at`], then by ID.
    pub items: Vec<StoryItem>,
    /// The tags of the items' sources.
    pub tags: Vec<String>,
    /// The number of published stories that were merged into this one.
    pub merged_count: u32,
}

/// An item in its story.
#[derive(Debug, Clone, Serialize)]
pub struct StoryItem {
    #[serde(flatten)]
    pub item: Item,
    /// The original, if this item is a near-duplicate.
    pub copy_of: Option<ItemId>,
    pub evidence: JoinEvidence,
    pub assigned_at: Timestamp,
}

/// An item and the story to which it is assigned.
#[derive(Debug, Clone)]
pub struct AssignedItem {
    pub item: Item,
    pub story: StoryId,
}

impl Story {
    /// Returns the item that represents the story. Returns `None` only if the story was merged.
    pub fn lead(&self) -> Option<&StoryItem> {
        self.items.iter().find(|i| i.item.id == self.lead).or(self.items.first())
    }

    /// Returns the report whose headline is shown if these languages are preferred: a report in the first of these
    /// languages in which the story has a report, or else the lead. Among several such reports, prefers originals over
    /// copies, then the lead, then the earliest report.
    pub fn lead_in_languages(&self, preferred: &[String]) -> Option<&StoryItem> {
        let lead = self.lead()?;
        let in_language = |language: &String| {
            let reports = std::iter::once(lead).chain(&self.items);
            let matching = reports.filter(|report| report.item.lang.as_ref() == Some(language));
            matching.min_by_key(|report| report.copy_of.is_some())
        };
        Some(preferred.iter().find_map(in_language).unwrap_or(lead))
    }

    /// Returns the corrected originals where they differ from `copy_of`: the original of each copy must be an item of
    /// the story that is not a copy. If the original left the story, its first copy replaces it.
    pub fn corrected_copies(&self) -> Vec<(ItemId, Option<ItemId>)> {
        let copy_of: BTreeMap<ItemId, Option<ItemId>> = self.items.iter().map(|i| (i.item.id, i.copy_of)).collect();
        // Maps each original outside the story to its first copy.
        let mut substitutes: BTreeMap<ItemId, ItemId> = BTreeMap::new();
        let mut corrected = Vec::new();
        for StoryItem { item, copy_of: known, .. } in &self.items {
            let mut original = item.id;
            let mut outside = None;
            // The number of steps is limited in case copies refer to each other in a cycle.
            for _ in 0..MAX_COPY_CHAIN {
                match copy_of.get(&original) {
                    Some(Some(next)) => original = *next,
                    Some(None) => break,
                    None => {
                        outside = Some(original);
                        break;
                    }
                }
            }
            if let Some(outside) = outside {
                original = *substitutes.entry(outside).or_insert(item.id);
            }
            let original = Some(original).filter(|original| *original != item.id);
            if original != *known {
                corrected.push((item.id, original));
            }
        }
        corrected
    }

    /// Returns the items that were news when they were first seen, in chronological order.
    pub fn news(&self) -> impl Iterator<Item = &StoryItem> {
        self.items.iter().filter(|report| report.item.backlog_reason.is_none())
    }

    /// Returns the first news item, or the first item if there is no news. Backlog may be years older than the event.
    pub fn first_report(&self) -> Option<&StoryItem> {
        self.news().next().or(self.items.first())
    }

    /// Returns the number of distinct outlets, at least 1.
    pub fn outlet_count(&self) -> u32 {
        u32::try_from(self.outlets().len()).unwrap_or(u32::MAX).max(1)
    }

    /// Returns the distinct outlets, in order of their first report. Copies do not count.
    pub fn outlets(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let originals = self.items.iter().filter(|i| i.copy_of.is_none());
        originals.map(|i| i.item.outlet.as_str()).filter(|outlet| seen.insert(*outlet)).collect()
    }
}

/// The clusterer's decision about one item.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryAssignment {
    pub item: ItemId,
    pub story: StoryId,
    pub placement: StoryPlacement,
    /// The original in the story, if this item is a near-duplicate.
    pub copy_of: Option<ItemId>,
    pub evidence: JoinEvidence,
}

/// The state of a published story that readers can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PublishedStory {
    pub created_at: Timestamp,
    /// The item to which the story's entry links.
    pub linked: ItemId,
}

/// The way in which an item gets its story: it joins a story or starts a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryPlacement {
    Joined,
    Created,
}

/// The changes that reclustering makes. They must be applied in the order of the fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoryRegrouping {
    /// Stories that were split off.
    pub created: Vec<CreatedStory>,
    pub moved: Vec<ItemMove>,
    /// Stories that lost all their items. Each one redirects to the story that most of its items joined.
    pub merged: Vec<StoryMerge>,
}

/// A story that was split off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedStory {
    pub story: StoryId,
    pub first_item: ItemId,
}

/// An item that moves to another story.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemMove {
    pub item: ItemId,
    pub from: StoryId,
    pub into: StoryId,
    /// The original in the story, if this item is a near-duplicate; `None` if the original has not changed.
    pub copy_of: Option<ItemId>,
    pub evidence: JoinEvidence,
}

/// A story that redirects to another story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoryMerge {
    pub from: StoryId,
    pub into: StoryId,
}

impl StoryRegrouping {
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.moved.is_empty() && self.merged.is_empty()
    }
}

/// Why an item joined its story or started a new one. Stored with the item.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JoinEvidence {
    /// The similarity to the story that the item joined, or to the nearest story if the item started its own; 0 to 1.
    pub score: f32,
    /// The minimum score at which an item joins a story; 0 if the item was not compared with any story.
    pub threshold: f32,
    pub reasons: Vec<JoinReason>,
}

/// One property that an item shares, or does not share, with a story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoinReason {
    /// The same canonical URL as another item.
    SameLink { item: ItemId },
    /// A near-duplicate text. The similarity ranges from 0 to 1.
    Copy { item: ItemId, similarity: f32 },
    /// A title that differs from another item's title only in a few characters.
    SimilarTitle { item: ItemId, similarity: f32 },
    /// The shared terms with the highest weights, as the item spells them.
    SharedTerms { terms: Vec<String> },
    /// Numbers in the item's title where the story's titles have different numbers.
    DifferentNumbers { numbers: Vec<String> },
    /// The item's story was merged into this one.
    Merged { from: StoryId },
    /// Reclustering moved the item here from another story.
    Regrouped { from: StoryId },
    /// The operator moved the item here.
    Constrained { constraint: ConstraintId },
    /// The size of the story when the item joined it.
    StorySize { outlets: u32, hours: u32 },
}

impl JoinEvidence {
    /// Returns whether the item joined a story rather than starting one.
    pub fn joined(&self) -> bool {
        let is_sufficient = |reason: &JoinReason| {
            matches!(
                reason,
                JoinReason::SameLink { .. }
                    | JoinReason::Copy { .. }
                    | JoinReason::Merged { .. }
                    | JoinReason::Regrouped { .. }
                    | JoinReason::Constrained { .. }
            )
        };
        !self.reasons.is_empty() && (self.score >= self.threshold || self.reasons.iter().any(is_sufficient))
    }
}
