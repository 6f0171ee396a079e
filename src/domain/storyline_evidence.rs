//! The reasons why a story belongs to its storyline.

use super::ConstraintId;
use serde::{Deserialize, Serialize};

/// Why a story belongs to its storyline. Stored with the story.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StorylineEvidence {
    /// The probability that the story and the most similar other story belong together, 0 to 1.
    pub score: f32,
    /// The terms that the story shares with the other stories, most unusual first.
    pub terms: Vec<UnusualTerm>,
    /// The cosine of the embeddings of the story and the most similar story in another language; `None` if the
    /// embeddings are not a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine_across_languages: Option<f32>,
    /// The operator's decision that placed the story in the storyline.
    pub constraint: Option<ConstraintId>,
}

/// A term as an item spells it, and the ratio of its current rate to its long-term rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnusualTerm {
    pub term: String,
    /// The current rate divided by the long-term rate.
    pub rate: f32,
}
