//! Finds the nearest neighbors of an item: an inverted index over each item's strongest terms yields candidates, and
//! the best candidates are compared in full.

use super::item_seq::{ItemSeq, OpenAddressTable};
use super::neighbor::MAX_NEIGHBORS;
use super::pair_features::{BloomPrefilter, SharedTerm};
use super::term_weights::WeightedTerm;
use super::window::ItemWindow;
use smallvec::SmallVec;
use std::ops::Range;

/// The number of an item's strongest terms that are indexed and looked up to find neighbors.
const INDEXED_TERMS: usize = 16;
/// The maximum number of postings that are read for one item. Postings of the strongest terms are read first.
const MAX_POSTINGS_READ: usize = 2000;
/// The maximum number of candidates that are compared in full.
const MAX_COMPARED: usize = 160;
/// The minimum cosine over the indexed terms for a candidate to be compared in full: 0.06, in units of 1/65,535².
const MIN_INDEXED_COSINE: u32 = 65_535 * 65_535 / 100 * 6;
/// The minimum number of postings of a common term. A single shared common term does not justify a comparison: of the
/// candidates that share only one term with an item, one in thirty is a neighbor.
const COMMON_TERM_POSTINGS: usize = 32;
/// The minimum cosine of a neighbor.
const MIN_NEIGHBOR_COSINE: f32 = 0.14;
/// The number of neighbors over which local document frequencies are computed, and the number of additional documents
/// without the term that the estimate assumes.
const LOCAL_DF_NEIGHBORS: usize = 24;
const LOCAL_DF_PRIOR: usize = 5;

/// The neighbors found for one item, and buffers that are reused between items.
#[derive(Default)]
pub(super) struct NeighborSearch {
    accumulator: ScoreAccumulator,
    /// The found neighbors, nearest first.
    pub found: Vec<FoundNeighbor>,
    /// The terms that the item shares with each candidate, grouped by candidate.
    pub shared_terms: Vec<SharedTerm>,
    /// For each term of the item, the number of neighbors that contain it.
    local_counts: Vec<u16>,
}

/// A neighbor that a search found.
pub(super) struct FoundNeighbor {
    pub seq: ItemSeq,
    pub cosine: f32,
    /// The neighbor's range of [`NeighborSearch::shared_terms`].
    pub shared_terms: Range<usize>,
}

impl NeighborSearch {
    /// Finds the neighbors of an item and replaces the results of the previous search.
    pub(super) fn run(&mut self, window: &ItemWindow, seq: ItemSeq) {
        self.found.clear();
        self.shared_terms.clear();
        self.local_counts.clear();
        let item = &window[seq];
        self.local_counts.resize(item.terms.len(), 0);
        self.accumulate(window, seq, &item.terms);
        let candidates: SmallVec<[(ItemSeq, &[WeightedTerm]); MAX_COMPARED]> =
            self.accumulator.drain_best().map(|seq| (seq, &*window[seq].terms)).collect();
        prefetch_terms(&candidates);
        let filter = BloomPrefilter::new(&item.terms);
        for (seq, terms) in candidates {
            let start = self.shared_terms.len();
            let cosine = filter.cosine(terms, &mut self.shared_terms);
            if cosine > MIN_NEIGHBOR_COSINE {
                let shared_terms = start..self.shared_terms.len();
                self.found.push(FoundNeighbor { seq, cosine, shared_terms });
            }
        }
        self.sort_found();
        self.found.truncate(MAX_NEIGHBORS);
        for found in self.found.iter().take(LOCAL_DF_NEIGHBORS) {
            for term in &self.shared_terms[found.shared_terms.clone()] {
                self.local_counts[usize::from(term.first)] += 1;
            }
        }
    }

    /// Adds items with similar embeddings to the neighbors, regardless of their shared terms.
    pub(super) fn add_similar(&mut self, window: &ItemWindow, seq: ItemSeq, similar: &[ItemSeq]) {
        let filter = BloomPrefilter::new(&window[seq].terms);
        for other in similar {
            if !self.found.iter().any(|found| found.seq == *other) {
                let start = self.shared_terms.len();
                let cosine = filter.cosine(&window[*other].terms, &mut self.shared_terms);
                self.found.push(FoundNeighbor { seq: *other, cosine, shared_terms: start..self.shared_terms.len() });
            }
        }
        self.sort_found();
    }

    fn sort_found(&mut self) {
        self.found.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine).then(b.seq.0.cmp(&a.seq.0)));
    }

    /// Accumulates the partial cosines of all items that share an indexed term.
    fn accumulate(&mut self, window: &ItemWindow, seq: ItemSeq, terms: &[WeightedTerm]) {
        let strongest = strongest_terms(terms);
        window.term_index.prefetch_postings(strongest.iter().map(|term| term.id), MAX_POSTINGS_READ);
        let mut limit = MAX_POSTINGS_READ;
        for term in strongest {
            if limit == 0 {
                break;
            }
            // The other item's weight has not been read yet, so this item's weight serves as an estimate.
            let product = u32::from(term.weight) * u32::from(term.weight);
            let postings = window.term_index.postings(term.id, window.first_seq());
            let suffices_alone = postings.len() < COMMON_TERM_POSTINGS;
            let latest = &postings[postings.len().saturating_sub(limit)..];
            limit -= latest.len();
            for other in latest.iter().rev().filter(|other| **other != seq) {
                self.accumulator.add(*other, product, suffices_alone);
            }
        }
    }

    /// Returns the local document frequency of each of the item's terms, 0 to 1.
    pub(super) fn local_dfs(&self) -> impl Iterator<Item = f32> {
        let documents = (self.found.len().min(LOCAL_DF_NEIGHBORS) + LOCAL_DF_PRIOR) as f32;
        self.local_counts.iter().map(move |count| f32::from(*count) / documents)
    }
}

/// Prefetches the terms of all candidates, so that the cache misses overlap.
fn prefetch_terms(candidates: &[(ItemSeq, &[WeightedTerm])]) {
    let terms = candidates.iter().flat_map(|(_, terms)| terms.iter().step_by(8).chain(terms.last()));
    std::hint::black_box(terms.fold(0, |sum, term| sum ^ term.id.0));
}

/// Adds an item to the postings of its strongest terms.
pub(super) fn add_postings(window: &mut ItemWindow, seq: ItemSeq) {
    let is_latest = window.next_seq() == seq.advance(1);
    for term in strongest_terms(&window[seq].terms) {
        match is_latest {
            true => window.term_index.add_posting(term.id, seq),
            false => window.term_index.insert_posting(term.id, seq),
        }
    }
}

/// Returns the [`INDEXED_TERMS`] terms with the largest weights, in descending order.
fn strongest_terms(terms: &[WeightedTerm]) -> SmallVec<[WeightedTerm; 64]> {
    let mut strongest: SmallVec<[WeightedTerm; 64]> = terms.iter().copied().collect();
    strongest.sort_unstable_by(|a, b| b.weight.cmp(&a.weight).then(a.id.cmp(&b.id)));
    strongest.truncate(INDEXED_TERMS);
    strongest
}

/// The sums of the partial cosines of candidates.
#[derive(Default)]
struct ScoreAccumulator {
    positions: Box<OpenAddressTable<{ ScoreAccumulator::SLOTS }>>,
    /// The upper half of each value holds a sum in units of 1/65,535², which is less than 1; the lower half holds a
    /// sequence number. The values therefore sort by sum.
    scores: Vec<u64>,
}

impl ScoreAccumulator {
    /// The number of slots. The table is at most an eighth full, so that almost every lookup hits its first slot.
    const SLOTS: usize = (8 * MAX_POSTINGS_READ).next_power_of_two();
    /// The lowest bit of a sum. It marks candidates that may be compared.
    const ELIGIBLE: u64 = 1 << 32;

    /// Adds a product of weights to an item's sum. The item becomes eligible if it has several products, or one product
    /// for which `suffices_alone` is true.
    fn add(&mut self, seq: ItemSeq, product: u32, suffices_alone: bool) {
        let product = u64::from(product) << 32 & !Self::ELIGIBLE;
        match self.positions.find(seq, |position| self.scores.get(position).map(|score| ItemSeq(*score as u32))) {
            Ok(position) => self.scores[position] = (self.scores[position] + product) | Self::ELIGIBLE,
            Err(slot) => {
                self.positions.insert(slot, self.scores.len());
                let eligible = if suffices_alone { Self::ELIGIBLE } else { 0 };
                self.scores.push(product | eligible | u64::from(seq.0));
            }
        }
    }

    /// Removes all items and returns the [`MAX_COMPARED`] items with the largest sums, in descending order. If sums are
    /// equal, the later item comes first.
    fn drain_best(&mut self) -> impl Iterator<Item = ItemSeq> {
        self.positions.clear();
        self.scores.retain(|score| score & Self::ELIGIBLE > 0 && (score >> 32) as u32 > MIN_INDEXED_COSINE);
        if self.scores.len() > MAX_COMPARED {
            self.scores.select_nth_unstable_by(MAX_COMPARED, |a, b| b.cmp(a));
            self.scores.truncate(MAX_COMPARED);
        }
        self.scores.sort_unstable_by(|a, b| b.cmp(a));
        self.scores.drain(..).map(|score| ItemSeq(score as u32))
    }
}
