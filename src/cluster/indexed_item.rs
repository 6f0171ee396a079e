//! The data that the window keeps about an item: about 700 bytes.

use super::headline_kind::HeadlineKind;
use super::item_seq::ItemSeq;
use super::link_index::LinkKey;
use super::near_duplicates::ShingleSketch;
use super::neighbor::NeighborList;
use super::term_index::TermId;
use super::term_weights::{TermAggregates, TitleNumber, WeightedTerm};
use super::title_profile::TitleProfile;
use crate::domain::{ItemId, SourceId, StoryId};

/// An item in the window.
///
/// The fields that are read for every neighbor come first, in this order. They fill one cache line, and the list of
/// neighbors fills the next two.
#[repr(C, align(64))]
#[derive(Clone)]
pub(super) struct IndexedItem {
    /// The terms, sorted by term number.
    pub terms: Box<[WeightedTerm]>,
    /// The ranking time in seconds since 1970.
    pub ranked_at: i64,
    pub aggregates: TermAggregates,
    pub outlet: OutletIndex,
    pub title_numbers: Box<[TitleNumber]>,
    pub title_hash: u32,
    pub kind: HeadlineKind,
    /// Whether the item repeats another item's headline or exceeds its outlet's quota. An excluded item does not count
    /// in document frequencies, is not found as a neighbor and does not contribute to the links of its story.
    pub excluded: bool,
    /// The number of neighbors gained since the item was last scored.
    pub new_neighbors: u8,
    pub neighbors: NeighborList,
    /// The item that this item follows from story to story if it is excluded; otherwise the item itself.
    pub leader: ItemSeq,
    pub story: StoryId,
    pub id: ItemId,
    /// The time when the item was first seen, in seconds since 1970.
    pub first_seen_at: i64,
    pub source: SourceId,
    pub link: Option<LinkKey>,
    /// The normalized title in lowercase.
    pub title: Box<str>,
    pub sketch: ShingleSketch,
    pub title_profile: TitleProfile,
}

impl IndexedItem {
    pub(super) fn has_same_title(&self, other: &IndexedItem) -> bool {
        self.title_hash == other.title_hash && self.title == other.title
    }

    pub(super) fn contains(&self, term: TermId) -> bool {
        self.terms.binary_search_by_key(&term, |own| own.id).is_ok()
    }

    /// Returns whether the scores are outdated because many neighbors were added since the last scoring.
    pub(super) fn is_stale(&self) -> bool {
        usize::from(self.new_neighbors) * 2 > self.neighbors.len().max(1)
    }
}

/// An outlet's number in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OutletIndex(pub u32);
