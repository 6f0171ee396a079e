//! An item's nearest neighbors, and the features of two neighbor lists: shared-nearest-neighbor similarity (Jarvis and
//! Patrick, 1973) and local density.

use super::item_seq::{ItemSeq, OpenAddressTable};
use smallvec::SmallVec;

/// The maximum number of neighbors that an item keeps. Only items on a dominant event have more than 24.
pub(super) const MAX_NEIGHBORS: usize = 96;
/// The number of nearest neighbors by which two items are compared. A longer list would favor large stories.
const PROFILE_NEIGHBORS: usize = 24;

/// The neighbors of an item, nearest first. Twelve neighbors suffice for most items and are stored inline, because
/// almost every access to an item also reads its neighbors.
pub(super) type NeighborList = SmallVec<[Neighbor; 12]>;

/// A neighboring item and its similarity, packed into 8 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbor {
    pub seq: ItemSeq,
    /// The cosine in units of 1/65,535.
    cosine: u16,
    /// The log-odds in units of 1/256.
    log_odds: i16,
}

impl Neighbor {
    /// Creates a neighbor without a score.
    pub(super) fn new(seq: ItemSeq, cosine: f32) -> Neighbor {
        Neighbor { seq, cosine: (cosine.clamp(0.0, 1.0) * 65535.0) as u16, log_odds: i16::MIN }
    }

    pub(super) fn with_log_odds(self, log_odds: f32) -> Neighbor {
        Neighbor { log_odds: (log_odds * 256.0) as i16, ..self }
    }

    /// Returns the same pair as an entry in the other item's list.
    pub(super) fn reversed(self, seq: ItemSeq) -> Neighbor {
        Neighbor { seq, ..self }
    }

    pub(super) fn cosine(&self) -> f32 {
        f32::from(self.cosine) / 65535.0
    }

    /// Returns the log-odds that both items report one event.
    pub(super) fn log_odds(&self) -> f32 {
        f32::from(self.log_odds) / 256.0
    }

    /// Returns the product of two cosines in units of 1/65,535².
    fn cosine_product(&self, other: &Neighbor) -> u64 {
        u64::from(self.cosine) * u64::from(other.cosine)
    }
}

/// The density of an item's neighborhood.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LocalDensity {
    /// The mean cosine of the second to sixth neighbors.
    pub next_cosine: f32,
    /// The cosine of the twentieth neighbor; 0 if there are fewer neighbors.
    pub twentieth_cosine: f32,
}

impl LocalDensity {
    pub(super) fn new(neighbors: &[Neighbor]) -> LocalDensity {
        let cosine = |n: usize| neighbors.get(n).map_or(0.0, Neighbor::cosine);
        LocalDensity { next_cosine: (1..6).map(cosine).sum::<f32>() / 5.0, twentieth_cosine: cosine(19) }
    }
}

/// The [`PROFILE_NEIGHBORS`] nearest neighbors of an item, indexed for comparison with the lists of other items.
pub(super) struct NeighborProfile<'a> {
    neighbors: &'a [Neighbor],
    positions: OpenAddressTable<64>,
    norm_squared: u64,
}

impl<'a> NeighborProfile<'a> {
    pub(super) fn new(neighbors: &'a [Neighbor]) -> NeighborProfile<'a> {
        let neighbors = nearest(neighbors);
        let (positions, norm_squared) = (OpenAddressTable::default(), norm_squared(neighbors));
        let mut profile = NeighborProfile { neighbors, positions, norm_squared };
        for (position, neighbor) in neighbors.iter().enumerate() {
            if let Err(slot) = profile.position(neighbor.seq) {
                profile.positions.insert(slot, position);
            }
        }
        profile
    }

    /// Returns the shared-nearest-neighbor similarity: the cosine of two neighbor lists as sparse vectors of cosines.
    pub(super) fn similarity(&self, other: &[Neighbor]) -> f32 {
        let other = nearest(other);
        let shared = other.iter().filter_map(|neighbor| {
            let own = &self.neighbors[self.position(neighbor.seq).ok()?];
            Some(own.cosine_product(neighbor))
        });
        let dot: u64 = shared.sum();
        if dot > 0 { dot as f32 / (self.norm_squared as f32 * norm_squared(other) as f32).sqrt() } else { 0.0 }
    }

    fn position(&self, seq: ItemSeq) -> Result<usize, usize> {
        self.positions.find(seq, |position| self.neighbors.get(position).map(|neighbor| neighbor.seq))
    }
}

fn nearest(neighbors: &[Neighbor]) -> &[Neighbor] {
    &neighbors[..neighbors.len().min(PROFILE_NEIGHBORS)]
}

/// Returns the squared norm of a neighbor list in units of 1/65,535².
fn norm_squared(neighbors: &[Neighbor]) -> u64 {
    neighbors.iter().map(|neighbor| neighbor.cosine_product(neighbor)).sum()
}
