//! Storylines: the stories that report an event and its consequences.

use super::{ItemId, SourceId, Story, StoryId, StorylineEvidence, StorylineId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The stories that report an event and its consequences. Most storylines contain only one story.
#[derive(Debug, Clone, Serialize)]
pub struct Storyline {
    pub id: StorylineId,
    pub created_at: Timestamp,
    /// The storyline to which this one redirects. A merged storyline has no stories.
    pub merged_into: Option<StorylineId>,
    /// The stories, oldest first.
    pub stories: Vec<Story>,
}

impl Storyline {
    /// Returns the story with the most outlets, whose headline represents the storyline. Returns `None` only if the
    /// storyline was merged.
    pub fn main_story(&self) -> Option<&Story> {
        // If several stories have the most outlets, the first of them is used.
        self.stories.iter().rev().max_by_key(|story| story.outlet_count())
    }

    /// Returns the number of distinct outlets.
    pub fn outlet_count(&self) -> usize {
        self.stories.iter().flat_map(Story::outlets).collect::<BTreeSet<_>>().len()
    }
}

/// An item that takes part in the grouping of stories into storylines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct StorylineMember {
    pub item: ItemId,
    pub source: SourceId,
    pub story: StoryId,
    pub storyline: StorylineId,
    /// When the storyline was created. The oldest storyline survives a merge.
    pub storyline_created_at: Timestamp,
    pub first_seen_at: Timestamp,
}

/// The number of documents in a language that contain a term, decayed by their age.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TermFrequency {
    pub language: String,
    /// The hash of the term as a signed number; 0 counts all documents of the language.
    pub term: i64,
    pub documents: f64,
}

/// The changes that grouping makes to storylines. They must be applied in the order of the fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StorylineRegrouping {
    pub created: Vec<CreatedStoryline>,
    pub moved: Vec<StoryMove>,
    /// Storylines that redirect to another storyline, which takes all their stories.
    pub merged: Vec<StorylineMerge>,
}

/// A storyline that a story starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedStoryline {
    pub storyline: StorylineId,
    pub first_story: StoryId,
}

/// A story that moves to another storyline.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryMove {
    pub story: StoryId,
    pub from: StorylineId,
    pub into: StorylineId,
    pub evidence: StorylineEvidence,
}

/// A storyline that redirects to another storyline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorylineMerge {
    pub from: StorylineId,
    pub into: StorylineId,
}

impl StorylineRegrouping {
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.moved.is_empty() && self.merged.is_empty()
    }
}
