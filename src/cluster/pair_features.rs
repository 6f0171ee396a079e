//! The features of a pair of items that the pair model weighs.
//!
//! No feature depends on the size of the stream: IDFs are normalized, and similarities are cosines and shares. A model
//! that is trained on three thousand items is therefore valid for a million items.

use super::indexed_item::IndexedItem;
use super::item_seq::fibonacci_hash;
use super::neighbor::LocalDensity;
use super::term_index::TermId;
use super::term_weights::{TermKind, WeightedTerm};

/// The names of the features, in order. The weights file uses the same names.
///
/// The *distinctive* IDF is the IDF minus the part that the neighborhood shares: see [`WeightedTerm::distinctive_idf`].
pub const FEATURE_NAMES: [&str; 14] = [
    "text similarity",
    "title similarity",
    "name similarity",
    "shared-neighbor similarity",
    "shared distinctive IDF",
    "shared distinctive title IDF",
    "unshared distinctive title IDF",
    "rarest shared name",
    "days apart",
    "same outlet",
    "roundup",
    "offer",
    "margin over other neighbors",
    "local density",
];

/// The features of one pair, in the order of [`FEATURE_NAMES`].
pub type PairFeatures = [f32; FEATURE_NAMES.len()];

/// The maximum of the local density. A stream with more outlets than the training data is denser everywhere.
const MAX_LOCAL_DENSITY: f32 = 0.2;

/// Two items and the results of comparing them.
pub(super) struct ItemPair<'a> {
    pub items: [&'a IndexedItem; 2],
    pub cosine: f32,
    pub shared_terms: &'a [SharedTerm],
    pub shared_neighbor_similarity: f32,
    pub densities: [LocalDensity; 2],
}

/// The positions of a shared term in the term lists of the two items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SharedTerm {
    pub first: u8,
    pub second: u8,
}

impl ItemPair<'_> {
    pub(super) fn features(&self) -> PairFeatures {
        let [a, b] = self.items;
        let (mut name_dot, mut max_name_idf, mut title_dot) = (0.0, 0.0f32, 0.0);
        // Three sums of the distinctive IDFs of shared terms: of all shared terms, of those in at least one title, and
        // of those in the first title plus those in the second title.
        let (mut distinctive, mut in_title_distinctive, mut in_each_title) = (0.0, 0.0, 0.0);
        for SharedTerm { first, second } in self.shared_terms {
            let (x, y) = (a.terms[usize::from(*first)], b.terms[usize::from(*second)]);
            let idf = x.idf().max(y.idf());
            let own = idf * (1.0 - x.local_df().max(y.local_df()));
            distinctive += own;
            if x.is(TermKind::Name) || y.is(TermKind::Name) {
                name_dot += idf * idf;
                max_name_idf = max_name_idf.max(idf);
            }
            if x.in_title() || y.in_title() {
                in_title_distinctive += own;
            }
            if x.in_title() && y.in_title() {
                title_dot += idf * idf;
            }
            let in_titles = [x, y].into_iter().filter(|term| term.in_title());
            in_each_title += in_titles.map(WeightedTerm::distinctive_idf).sum::<f32>();
        }
        let titles_distinctive = a.aggregates.title_distinctive_idf + b.aggregates.title_distinctive_idf;
        let name_norms = a.aggregates.name_norm * b.aggregates.name_norm;
        let title_norms = (a.aggregates.title_norm_squared * b.aggregates.title_norm_squared).sqrt();
        let density = |pick: fn(&LocalDensity) -> f32| self.densities.each_ref().map(pick);
        let (next, twentieth) = (density(|density| density.next_cosine), density(|density| density.twentieth_cosine));
        [
            self.cosine.max(0.0).sqrt(),
            root_cosine(title_dot, title_norms),
            root_cosine(name_dot, name_norms),
            self.shared_neighbor_similarity,
            distinctive,
            in_title_distinctive,
            (titles_distinctive - in_each_title).max(0.0),
            max_name_idf,
            (a.ranked_at - b.ranked_at).unsigned_abs() as f32 / 86_400.0,
            f32::from(u8::from(a.outlet == b.outlet)),
            f32::from(u8::from(a.kind.roundup || b.kind.roundup)),
            f32::from(u8::from(a.kind.offer || b.kind.offer)),
            self.cosine - next[0].max(next[1]),
            twentieth[0].min(twentieth[1]).min(MAX_LOCAL_DENSITY),
        ]
    }
}

/// Returns the square root of a cosine, given the dot product and the product of the norms.
fn root_cosine(dot: f32, norms: f32) -> f32 {
    if norms > 0.0 { (dot / norms).max(0.0).sqrt() } else { 0.0 }
}

/// An item's terms behind a Bloom filter with one hash function (Bloom, 1970). The filter rejects most terms of another
/// item without a search.
pub(super) struct BloomPrefilter<'a> {
    terms: &'a [WeightedTerm],
    bits: [u64; 32],
}

impl<'a> BloomPrefilter<'a> {
    pub(super) fn new(terms: &'a [WeightedTerm]) -> BloomPrefilter<'a> {
        let mut bits = [0; 32];
        for term in terms {
            let (word, bit) = Self::bit(term.id);
            bits[word] |= bit;
        }
        BloomPrefilter { terms, bits }
    }

    fn bit(term: TermId) -> (usize, u64) {
        let hash = fibonacci_hash(term.0, 11);
        (hash >> 6, 1 << (hash & 63))
    }

    /// Returns the cosine with another item. Appends the shared terms to `shared`.
    pub(super) fn cosine(&self, other: &[WeightedTerm], shared: &mut Vec<SharedTerm>) -> f32 {
        let mut dot = 0u64;
        for (second, term) in other.iter().enumerate() {
            let (word, bit) = Self::bit(term.id);
            if self.bits[word] & bit != 0
                && let Ok(first) = self.terms.binary_search_by_key(&term.id, |own| own.id)
            {
                dot += u64::from(self.terms[first].weight) * u64::from(term.weight);
                shared.push(SharedTerm { first: first as u8, second: second as u8 });
            }
        }
        dot as f32 / (65535.0 * 65535.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefilter_finds_exactly_the_shared_terms() {
        let term = |id| WeightedTerm::new(TermId(id), 0.5, 0.5, true, TermKind::Word);
        let one: Vec<WeightedTerm> = (0..60).map(|n| term(n * 3)).collect();
        let other: Vec<WeightedTerm> = (0..60).map(|n| term(n * 4)).collect();
        let mut found = Vec::new();
        let cosine = BloomPrefilter::new(&one).cosine(&other, &mut found);
        // The lists share the multiples of 12 from 0 to 168: every fourth term of the first list and every third term
        // of the second.
        let shared: Vec<SharedTerm> = (0..15).map(|n| SharedTerm { first: 4 * n, second: 3 * n }).collect();
        assert_eq!(found, shared);
        assert!((cosine - 15.0 * 0.25).abs() < 0.01);
    }
}
