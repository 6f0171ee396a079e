//! Stories: the items that report one event, and why each item is where it is.

use super::{Item, ItemId, StoryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The items that report one event.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    pub id: StoryId,
    pub founded_at: Timestamp,
    /// When its items, or what its lead says, last changed.
    pub updated_at: Timestamp,
    /// Frozen when the story is first published.
    pub published: Option<super::StoryPublication>,
    /// The story that this one was merged into; then it has no items of its own.
    pub merged_into: Option<StoryId>,
    pub lead: ItemId,
    /// In order of [`Item::ranked_at`], then of id.
    pub items: Vec<StoryItem>,
    /// The tags of its items' sources.
    pub tags: Vec<String>,
    /// Published stories that were merged into it.
    pub absorbed: u32,
}

/// An item in its story.
#[derive(Debug, Clone, Serialize)]
pub struct StoryItem {
    #[serde(flatten)]
    pub item: Item,
    /// The item whose text this one repeats.
    pub copy_of: Option<ItemId>,
    pub evidence: JoinEvidence,
    pub assigned_at: Timestamp,
}

impl Story {
    /// The item that stands for the story. A story always has it, unless it was merged away.
    pub fn lead(&self) -> Option<&StoryItem> {
        self.items.iter().find(|i| i.item.id == self.lead).or(self.items.first())
    }

    /// The distinct outlets with a report of their own, in order of their first one. Copies are not counted.
    pub fn outlets(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let own = self.items.iter().filter(|i| i.copy_of.is_none());
        own.map(|i| i.item.outlet.as_str()).filter(|outlet| seen.insert(*outlet)).collect()
    }
}

/// Where the clusterer puts an item.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryAssignment {
    pub item: ItemId,
    pub story: StoryId,
    pub placement: StoryPlacement,
    pub copy_of: Option<ItemId>,
    pub evidence: JoinEvidence,
}

/// What a second look changes, to be carried out in this order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoryRegrouping {
    /// Stories that split off.
    pub founded: Vec<CreatedStory>,
    pub moved: Vec<ItemMove>,
    /// Stories that lost all their items, and where most of them went: from now on the one leads to the other.
    pub emptied: Vec<(StoryId, StoryId)>,
}

/// A story that split off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedStory {
    pub story: StoryId,
    pub by: ItemId,
}

/// An item that moved to another story.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemMove {
    pub item: ItemId,
    pub from: StoryId,
    pub into: StoryId,
    pub evidence: JoinEvidence,
}

impl StoryRegrouping {
    pub fn is_empty(&self) -> bool {
        self.founded.is_empty() && self.moved.is_empty() && self.emptied.is_empty()
    }
}

/// Whether an item joins a story or begins one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryPlacement {
    Joined,
    Founded,
}

/// What made an item join its story: stored with the item and shown in words.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JoinEvidence {
    /// How near the item was to the story that it joined, or to the nearest one if it founded its own; 0 to 1.
    pub score: f32,
    /// The score that joining asked for.
    pub needed: f32,
    pub reasons: Vec<JoinReason>,
}

/// One thing that an item shares, or fails to share, with a story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoinReason {
    /// The same article by its canonical URL.
    SameLink { with: ItemId },
    /// The same text.
    Copy { of: ItemId, likeness: f32 },
    /// Titles that are nearly equal letter by letter.
    NearTitle { with: ItemId, likeness: f32 },
    /// The shared words that weigh most, heaviest first, as the item writes them.
    Terms { terms: Vec<String> },
    /// Numbers that stand where the story's titles have others.
    OtherNumbers { numbers: Vec<String> },
    /// It came with its story, which turned out to be this one.
    Merged { from: StoryId },
    /// A second look moved it here from another story.
    Regrouped { from: StoryId },
    /// The operator put it here.
    Decided { decision: super::ConstraintId },
    /// The company that the item comes into.
    Company { outlets: u32, hours: u32 },
}

impl JoinEvidence {
    /// Whether this made an item join, rather than begin a story of its own.
    pub fn joined(&self) -> bool {
        let certain = |reason: &JoinReason| {
            matches!(
                reason,
                JoinReason::SameLink { .. }
                    | JoinReason::Copy { .. }
                    | JoinReason::Merged { .. }
                    | JoinReason::Regrouped { .. }
                    | JoinReason::Decided { .. }
            )
        };
        !self.reasons.is_empty() && (self.score >= self.needed || self.reasons.iter().any(certain))
    }
}
