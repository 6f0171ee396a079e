//! The constants for grouping stories into storylines.

/// The maximum number of distinct terms of an item.
pub(super) const MAX_REPORT_TERMS: usize = 64;
/// The number of documents to which document frequencies are scaled, so that weights do not depend on the size of the
/// window.
pub(super) const REFERENCE_DOCUMENTS: f64 = 20_000.0;
/// The minimum number of outlets, and the minimum ratio of the current rate to the long-term rate, at which a term is a
/// burst.
pub(super) const MIN_BURST_OUTLETS: f64 = 3.0;
pub(super) const MIN_BURST_RATIO: f64 = 3.0;
/// The number of outlets at which a burst reaches its full strength.
pub(super) const FULL_BURST_OUTLETS: f64 = 6.0;
/// The rate, and the share of all outlets, at which a burst fully dominates the news.
pub(super) const FULL_DOMINANCE_RATE: f64 = 100.0;
pub(super) const FULL_DOMINANCE_OUTLETS: f64 = 0.3;
/// The cohesion at which a burst fully dominates the news. Items that share only a topic have less in common.
pub(super) const FULL_DOMINANCE_COHESION: f64 = 0.1;
/// An outlet has full weight if the number of its items does not exceed one of these limits: a share of the items of
/// all other outlets together, or a multiple of their mean number of items. One of the limits suffices. In the labeled
/// sets, the largest outlet has 15% as many items as all other outlets together.
pub(super) const FULL_OUTLET_SHARE: f64 = 0.15;
pub(super) const FULL_OUTLET_MULTIPLE: f64 = 8.0;
/// The maximum number of stories that share a term. A more common term does not make two stories candidates.
pub(super) const MAX_TERM_STORIES: usize = 600;
/// The minimum cosine of two stories that are compared.
pub(super) const MIN_COSINE: f64 = 0.04;
/// The minimum cosine of the embeddings of two stories in different languages that are compared because of their
/// embeddings.
pub(super) const MIN_EMBEDDING_COSINE: f32 = 0.3;
/// The maximum number of stories in each other language with which a story is compared because of its embedding.
/// Without separate limits, the stories of a big event in one language would displace stories in other languages.
pub(super) const MAX_SIMILAR_STORIES: usize = 16;
/// The cosine of the embeddings of two stories in different languages at which they belong to one storyline with a
/// probability of one half, and the increase of the log-odds with the cosine.
pub(super) const EMBEDDING_COSINE_MIDPOINT: f32 = 0.55;
pub(super) const EMBEDDING_COSINE_SLOPE: f32 = 12.0;
/// The maximum number of stories of a storyline with which a story is compared to explain why it belongs there.
pub(super) const MAX_COMPARED_STORIES: usize = 40;
/// The maximum number of terms in the explanation.
pub(super) const MAX_UNUSUAL_TERMS: usize = 4;
/// The minimum similarity of two groups of stories that merge, as [`super::mixed_linkage`] defines it.
pub const STORYLINE_THRESHOLD: f64 = 0.2;
