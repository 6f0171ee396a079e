//! Groups the stories that report an event and its consequences into storylines.
//!
//! The module is pure: items and their stories go in, storylines come out. The module accesses no database and no
//! clock. It never moves items between stories, because [`crate::cluster`] decides which story an item belongs to.
//!
//! 1. The terms of the window are counted, and compared with their long-term frequencies ([`term_census`],
//!    [`term_statistics`]). A term that occurs far more often than usual, at several outlets, is a burst.
//! 2. Stories that share rare terms are compared ([`story_text`], [`candidate_pairs`], [`pair_features`]).
//! 3. A learned model estimates the probability that two stories belong to one storyline ([`tree_model`],
//!    [`tree_evaluator`]), for the pairs that affect the groups ([`similarities`]). Stories in different languages are
//!    also compared by the embeddings of their items ([`story_vectors`]).
//! 4. A mixture of average and single linkage groups the stories ([`mixed_linkage`], [`weighted_stories`]).
//! 5. The groups become changes to storylines, whose IDs remain stable ([`regrouping`]).
//!
//! `docs/clustering.md` describes the method and gives its figures.

mod candidate_pairs;
mod grouper;
mod item_terms;
mod mixed_linkage;
mod options;
mod outlet_weights;
mod pair_features;
mod regrouping;
mod similarities;
mod story_text;
mod story_vectors;
mod term_census;
mod term_statistics;
mod tree_evaluator;
mod tree_model;
mod weighted_stories;

pub use grouper::StorylineGrouper;
pub use options::STORYLINE_THRESHOLD;
pub use pair_features::{FEATURE_NAMES, StoryPairFeatures};
pub use regrouping::StoryLookup;
pub use tree_model::{Tree, TreeModel, TreeNode};
pub use weighted_stories::{ComparedPair, StoryLinks, WeightedStories};

#[cfg(test)]
mod tests;
