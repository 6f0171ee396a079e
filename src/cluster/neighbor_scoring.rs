//! Finds the neighbors of an item, scores each pair, and updates the neighbor lists of both items.

use super::candidates::FoundNeighbor;
use super::clusterer::{Clusterer, RecordedPair};
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::neighbor::{LocalDensity, MAX_NEIGHBORS, Neighbor, NeighborList, NeighborProfile};
use super::pair_features::ItemPair;
use super::term_weights::TermAggregates;
use super::window::ItemWindow;
use smallvec::SmallVec;

/// The log-odds of two items that a rule separates, regardless of the model.
const CANNOT_LINK_LOG_ODDS: f32 = -20.0;
/// The minimum number of terms in a repeated title. Titles with fewer terms may be equal by chance.
const MIN_REPEATED_TITLE_TERMS: usize = 2;

type ScoredNeighbors = SmallVec<[Neighbor; MAX_NEIGHBORS]>;

impl Clusterer {
    /// Finds and scores the neighbors of an item, and adds the item to the neighbors' lists. Excludes the item if it
    /// repeats another item's headline.
    pub(super) fn score_neighbors(&mut self, seq: ItemSeq) {
        self.search.run(&self.window, seq);
        if let Some(leader) = self.find_leader(seq) {
            self.window.exclude(seq, leader);
        }
        let item = &mut self.window[seq];
        for (term, local_df) in item.terms.iter_mut().zip(self.search.local_dfs()) {
            term.set_local_df(local_df);
        }
        item.aggregates = TermAggregates::new(&item.terms);
        item.new_neighbors = 0;
        let similar = self.window.find_similar(seq);
        if !similar.is_empty() {
            self.search.add_similar(&self.window, seq, &similar);
        }
        let scored = self.score_pairs(seq);
        replace_neighbors(&mut self.window, seq, &scored);
        self.lead_same_link(seq);
    }

    /// Returns the item that an excluded item follows. In order of preference, this is an item with the same link, the
    /// first item with the same headline, or, for an item above its outlet's quota, the nearest item.
    fn find_leader(&self, seq: ItemSeq) -> Option<ItemSeq> {
        let item = &self.window[seq];
        let title_terms = item.terms.iter().filter(|term| term.in_title()).count();
        let repeated = self.search.found.iter().find(|found| {
            // Only earlier items qualify, because a rescored item must not follow its own follower.
            title_terms >= MIN_REPEATED_TITLE_TERMS
                && found.seq.precedes(seq)
                && self.window[found.seq].has_same_title(item)
                && !self.window[found.seq].excluded
                && !self.window.are_separate(item, &self.window[found.seq])
        });
        if repeated.is_none() && !item.excluded {
            return None;
        }
        let may_follow = |found: &&FoundNeighbor| !self.window.are_separate(item, &self.window[found.seq]);
        let nearest = || self.search.found.iter().find(may_follow);
        self.leader_by_link(seq).or_else(|| repeated.or_else(nearest).map(|found| found.seq))
    }

    /// Returns the item that an excluded item follows because of an equal link: an active item with the link, or else
    /// the leader of the first item with the link.
    fn leader_by_link(&self, seq: ItemSeq) -> Option<ItemSeq> {
        let same_link = self.window.same_link(seq);
        let active = same_link.iter().find(|other| **other != seq && !self.window[**other].excluded);
        let first = || same_link.first().filter(|first| first.precedes(seq));
        active.copied().or_else(|| first().map(|first| self.window[*first].leader))
    }

    /// Makes the excluded items with the link of an item follow that item, if it is the first active item with the
    /// link.
    fn lead_same_link(&mut self, seq: ItemSeq) {
        let window = &self.window;
        let same_link = window.same_link(seq);
        if same_link.len() > 1 && same_link.iter().find(|other| !window[**other].excluded) == Some(&seq) {
            let excluded: Vec<ItemSeq> = same_link.iter().copied().filter(|other| window[*other].excluded).collect();
            for other in excluded {
                self.window[other].leader = seq;
            }
        }
    }

    fn score_pairs(&mut self, seq: ItemSeq) -> ScoredNeighbors {
        let mut scored = ScoredNeighbors::new();
        let item = &self.window[seq];
        let found = &self.search.found;
        let neighbors: ScoredNeighbors = found.iter().map(|found| Neighbor::new(found.seq, found.cosine)).collect();
        let (density, profile) = (LocalDensity::new(&neighbors), NeighborProfile::new(&neighbors));
        let query = self.window.embedding_query(seq);
        prefetch_neighbor_lists(&self.window, &neighbors);
        for (found, neighbor) in found.iter().zip(&neighbors) {
            let other = &self.window[found.seq];
            let pair = ItemPair {
                items: [item, other],
                cosine: found.cosine,
                shared_terms: &self.search.shared_terms[found.shared_terms.clone()],
                shared_neighbor_similarity: profile.similarity(&other.neighbors),
                densities: [density, LocalDensity::new(&other.neighbors)],
            };
            let features = pair.features();
            let similarity = query.as_ref().and_then(|query| query.similarity(found.seq));
            if let Some(recorded) = &mut self.recorded_pairs {
                let pair = RecordedPair { features, similarity };
                recorded.insert([item.id.min(other.id), item.id.max(other.id)], pair);
            }
            let cannot_link = self.window.are_separate(item, other);
            let lexical = self.model.log_odds(&features);
            let log_odds = match similarity {
                _ if cannot_link => CANNOT_LINK_LOG_ODDS,
                Some(similarity) => self.encoder_model.log_odds(lexical, &similarity),
                None => lexical,
            };
            scored.push(neighbor.with_log_odds(log_odds));
        }
        scored
    }
}

/// Prefetches the lists of all neighbors, so that the cache misses overlap.
fn prefetch_neighbor_lists(window: &ItemWindow, neighbors: &[Neighbor]) {
    let others = neighbors.iter().flat_map(|neighbor| window[neighbor.seq].neighbors.iter().step_by(8));
    std::hint::black_box(others.fold(0, |sum, neighbor| sum ^ neighbor.seq.0));
}

/// Stores an item's neighbors and, unless it is excluded, adds it to their lists.
fn replace_neighbors(window: &mut ItemWindow, seq: ItemSeq, scored: &[Neighbor]) {
    let item = &mut window[seq];
    let excluded = item.excluded;
    let previous = std::mem::replace(&mut item.neighbors, NeighborList::from_slice(scored));
    for neighbor in scored.iter().filter(|_| !excluded) {
        let is_new = !previous.iter().any(|known| known.seq == neighbor.seq);
        insert_neighbor(&mut window[neighbor.seq], neighbor.reversed(seq), is_new);
    }
}

/// Inserts or updates a neighbor in an item's list, which is sorted by cosine.
fn insert_neighbor(item: &mut IndexedItem, neighbor: Neighbor, is_new: bool) {
    let neighbors = &mut item.neighbors;
    neighbors.retain(|known| known.seq != neighbor.seq);
    let position = neighbors.partition_point(|known| known.cosine() >= neighbor.cosine());
    if position < MAX_NEIGHBORS {
        neighbors.truncate(MAX_NEIGHBORS - 1);
        if neighbors.len() == neighbors.capacity() {
            // Doubling the capacity would waste memory, because the list never exceeds [`MAX_NEIGHBORS`].
            neighbors.reserve_exact(MAX_NEIGHBORS - neighbors.len());
        }
        neighbors.insert(position, neighbor);
        item.new_neighbors = item.new_neighbors.saturating_add(u8::from(is_new));
    }
}
