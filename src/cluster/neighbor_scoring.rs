//! Finds the neighbors of an item, scores each pair, and keeps the lists of both sides up to date.

use super::candidates::NeighborSearch;
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::neighbor::{LocalDensity, MAX_NEIGHBORS, Neighbor, NeighborList, NeighborProfile};
use super::numbered_series::is_numbered_series;
use super::pair_features::{ItemPair, PairFeatures};
use super::pair_model::PairModel;
use super::weighted_term::TermAggregates;
use super::window::ItemWindow;
use smallvec::SmallVec;

/// The log-odds of two items of a numbered series, whatever the model says.
const CANNOT_LINK_LOG_ODDS: f32 = -20.0;
/// Titles of fewer terms are equal by chance.
const MIN_REPEATED_TITLE_TERMS: usize = 2;

type ScoredNeighbors = SmallVec<[Neighbor; MAX_NEIGHBORS]>;

/// Finds and scores the neighbors of an item, and adds the item to their lists. Excludes it if it repeats another one's
/// headline. `on_pair` receives the features of every pair.
pub(super) fn score_neighbors(
    window: &mut ItemWindow,
    seq: ItemSeq,
    model: &PairModel,
    search: &mut NeighborSearch,
    on_pair: impl FnMut(ItemSeq, &PairFeatures),
) {
    search.run(window, seq);
    if let Some(leader) = find_leader(window, seq, search) {
        window.exclude(seq, leader);
    }
    let Some(item) = window.get_mut(seq) else { return };
    for (term, local_df) in item.terms.iter_mut().zip(search.local_dfs()) {
        term.set_local_df(local_df);
    }
    item.aggregates = TermAggregates::new(&item.terms);
    item.new_neighbors = 0;
    let scored = score_pairs(window, seq, model, search, on_pair);
    replace_neighbors(window, seq, &scored);
}

/// The item that this one follows, if it is excluded: the first one with the same headline, or, for an item above its
/// outlet's quota, the nearest one.
fn find_leader(window: &ItemWindow, seq: ItemSeq, search: &NeighborSearch) -> Option<ItemSeq> {
    let item = window.get(seq)?;
    let title_terms = item.terms.iter().filter(|term| term.in_title()).count();
    let repeated = search.found.iter().find(|found| {
        // Only earlier items: an item that is scored again must not follow its own follower.
        title_terms >= MIN_REPEATED_TITLE_TERMS
            && found.seq.precedes(seq)
            && window.get(found.seq).is_some_and(|other| other.has_same_title(item) && !other.excluded)
    });
    let nearest = search.found.first().filter(|_| item.excluded);
    repeated.or(nearest).map(|found| found.seq)
}

fn score_pairs(
    window: &ItemWindow,
    seq: ItemSeq,
    model: &PairModel,
    search: &NeighborSearch,
    mut on_pair: impl FnMut(ItemSeq, &PairFeatures),
) -> ScoredNeighbors {
    let Some(item) = window.get(seq) else { return ScoredNeighbors::new() };
    let neighbors: ScoredNeighbors = search.found.iter().map(|found| Neighbor::new(found.seq, found.cosine)).collect();
    let (density, profile) = (LocalDensity::new(&neighbors), NeighborProfile::new(&neighbors));
    prefetch_neighbor_lists(window, &neighbors);
    let mut scored = ScoredNeighbors::new();
    for (found, neighbor) in search.found.iter().zip(&neighbors) {
        let Some(other) = window.get(found.seq) else { continue };
        let pair = ItemPair {
            items: [item, other],
            cosine: found.cosine,
            shared_terms: search.shared_terms(found),
            shared_neighbor_similarity: profile.similarity(&other.neighbors),
            densities: [density, LocalDensity::new(&other.neighbors)],
        };
        let features = pair.features();
        on_pair(found.seq, &features);
        let cannot_link = is_numbered_series(item, other);
        scored.push(neighbor.with_log_odds(if cannot_link { CANNOT_LINK_LOG_ODDS } else { model.log_odds(&features) }));
    }
    scored
}

/// Loads the lists of all neighbors into the cache before the first is read, so that the cache misses overlap.
fn prefetch_neighbor_lists(window: &ItemWindow, neighbors: &[Neighbor]) {
    let others = neighbors.iter().filter_map(|neighbor| window.get(neighbor.seq));
    std::hint::black_box(others.fold(0, |sum, other: &IndexedItem| {
        other.neighbors.iter().step_by(8).fold(sum, |sum, neighbor| sum ^ neighbor.seq.0)
    }));
}

/// Stores an item's neighbors and, unless it is excluded, adds it to their lists.
fn replace_neighbors(window: &mut ItemWindow, seq: ItemSeq, scored: &[Neighbor]) {
    let Some(item) = window.get_mut(seq) else { return };
    let excluded = item.excluded;
    let previous = std::mem::replace(&mut item.neighbors, NeighborList::from_slice(scored));
    for neighbor in scored.iter().filter(|_| !excluded) {
        let is_new = !previous.iter().any(|known| known.seq == neighbor.seq);
        if let Some(other) = window.get_mut(neighbor.seq) {
            insert_neighbor(other, neighbor.reversed(seq), is_new);
        }
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
            // Doubling the capacity would waste memory, because the list never grows further.
            neighbors.reserve_exact(MAX_NEIGHBORS - neighbors.len());
        }
        neighbors.insert(position, neighbor);
        item.new_neighbors = item.new_neighbors.saturating_add(u8::from(is_new));
    }
}
