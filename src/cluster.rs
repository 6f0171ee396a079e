//! Groups the items that report the same event into stories.
//!
//! The module is pure: items go in, assignments come out. The same sequence of inputs produces the same result on every
//! machine. The module accesses no database and no clock; [`crate::daemon`] passes items in, stores the assignments and
//! restores the clusterer after a restart.
//!
//! 1. Each item becomes a unit vector of weighted terms ([`tokenizer`], [`term_weights`], [`term_index`],
//!    [`inverse_document_frequency`], [`name_detection`]).
//! 2. An inverted index finds its nearest neighbors ([`candidates`]).
//! 3. A learned model scores each pair ([`pair_features`], [`pair_model`]).
//!    If both items have an embedding, their similarity refines the score ([`vector_index`], [`encoder_model`]).
//! 4. The item joins the story with the best link ([`linkage`], [`story_match`]).
//! 5. Every few minutes, recent items are regrouped from scratch, so that the order of arrival is irrelevant
//!    ([`recluster`], [`agglomerative`]).
//!
//! `docs/clustering.md` describes the method and its results.

mod agglomerative;
mod article_link;
mod candidates;
mod clusterer;
mod encoder_model;
mod equal_titles;
mod explain;
pub mod headline_kind;
mod indexed_item;
mod inverse_document_frequency;
mod item_seq;
pub mod language;
mod link_index;
mod linkage;
mod name_detection;
mod near_duplicates;
mod neighbor;
mod neighbor_scoring;
mod numbered_series;
mod options;
mod outlet_quota;
mod pair_features;
mod pair_model;
mod quadratic_regression;
mod recluster;
mod rules;
mod story_match;
mod surviving_story;
mod term_index;
mod term_weights;
mod title_profile;
pub mod tokenizer;
mod vector_index;
mod window;

pub use clusterer::{Clusterer, RecordedPair};
pub use encoder_model::{ENCODER_INPUT_NAMES, EmbeddingSimilarity, EncoderModel};
pub use explain::PairExplanation;
pub use linkage::Linkage;
pub use options::Options;
pub use pair_features::{FEATURE_NAMES, PairFeatures};
pub use pair_model::{PairModel, sigmoid};
pub use quadratic_regression::QuadraticRegression;
pub use rules::{GroupingRule, IgnoredLink};

#[cfg(test)]
mod tests;
