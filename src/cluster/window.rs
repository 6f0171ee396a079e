//! The sliding window of the items of the last few days, indexed by sequence number, by story and by link.

use super::agglomerative::Constraint;
use super::encoder_model::EmbeddingSimilarity;
use super::indexed_item::{IndexedItem, OutletIndex};
use super::item_seq::ItemSeq;
use super::link_index::LinkIndex;
use super::outlet_quota::quota_admits;
use super::term_index::TermIndex;
use super::term_weights::{TermAggregates, reweight};
use super::vector_index::{CenteredQuery, VectorIndex};
use crate::domain::{ItemId, StoryId};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::ops::{Index, IndexMut};

/// A placeholder for the story of an item that is not assigned yet.
pub(super) const UNASSIGNED: StoryId = StoryId::from_row(0);

#[derive(Default)]
pub(super) struct ItemWindow {
    pub term_index: TermIndex,
    items: VecDeque<IndexedItem>,
    first_seq: ItemSeq,
    stories: FxHashMap<StoryId, StoryMembers>,
    pub links: LinkIndex,
    pub vectors: VectorIndex,
    /// The number of active items per outlet.
    outlets: IndexMap<String, u32, FxBuildHasher>,
    /// The operator's constraints by item. Few items have constraints.
    constraints: FxHashMap<ItemId, Vec<Constraint>>,
}

/// The items of a story that are in the window.
#[derive(Default)]
struct StoryMembers {
    /// The items in order of arrival.
    items: SmallVec<[ItemSeq; 2]>,
    /// The number of items that are not excluded.
    active: u32,
}

impl ItemWindow {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn contains_story(&self, story: StoryId) -> bool {
        self.stories.contains_key(&story)
    }

    /// Returns the sequence number of the first item in the window.
    pub(super) fn first_seq(&self) -> ItemSeq {
        self.first_seq
    }

    /// Returns the sequence number of the next item.
    pub(super) fn next_seq(&self) -> ItemSeq {
        self.first_seq.advance(self.items.len())
    }

    /// Returns the item with a sequence number, unless the item expired.
    pub(super) fn get(&self, seq: ItemSeq) -> Option<&IndexedItem> {
        self.items.get(seq.offset_from(self.first_seq))
    }

    /// Returns the items in the window whose embeddings are most similar to that of an item, the most similar first.
    pub(super) fn find_similar(&mut self, seq: ItemSeq) -> Vec<ItemSeq> {
        let ItemWindow { vectors, items, first_seq, .. } = self;
        let similar = vectors.search(seq.offset_from(*first_seq), |row| !items[row].excluded);
        similar.into_iter().map(|similar| first_seq.advance(similar.row)).collect()
    }

    /// Prepares comparisons of an item's embedding with others; `None` if the item has no embedding.
    pub(super) fn embedding_query(&self, seq: ItemSeq) -> Option<EmbeddingQuery<'_>> {
        let query = self.vectors.query(seq.offset_from(self.first_seq))?;
        Some(EmbeddingQuery { query, first_seq: self.first_seq })
    }

    /// Reweights an item's terms based on the current statistics.
    pub(super) fn reweight(&mut self, seq: ItemSeq) {
        let item = &mut self.items[seq.offset_from(self.first_seq)];
        reweight(&mut item.terms, &self.term_index);
        item.aggregates = TermAggregates::new(&item.terms);
    }

    /// Returns the sequence number of an item. Items arrive in order of their IDs.
    pub(super) fn seq_of(&self, id: ItemId) -> Option<ItemSeq> {
        let index = self.items.binary_search_by_key(&id, |item| item.id).ok()?;
        Some(self.first_seq.advance(index))
    }

    /// Returns the items with the same link, in order of arrival; empty if the link does not identify one event.
    pub(super) fn same_link(&self, seq: ItemSeq) -> &[ItemSeq] {
        let link = self[seq].link.filter(|link| self.links.identifies_event(*link));
        link.map(|link| self.links.items(link)).unwrap_or_default()
    }

    pub(super) fn constraints(&self, id: ItemId) -> &[Constraint] {
        self.constraints.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn add_constraints(&mut self, id: ItemId, constraints: &[Constraint]) {
        self.constraints.entry(id).or_default().extend_from_slice(constraints);
    }

    /// Returns the number of an outlet, and whether its quota permits another active item.
    pub(super) fn register_outlet(&mut self, name: &str) -> (OutletIndex, bool) {
        let known = self.outlets.get_index_of(name);
        let index = known.unwrap_or_else(|| self.outlets.insert_full(name.to_owned(), 0).0);
        let active = self.outlets[index];
        let admits = quota_admits(active, self.outlets.len(), self.term_index.document_count);
        (OutletIndex(index as u32), admits)
    }

    /// Appends an item; [`ItemWindow::assign_story`] adds it to its story.
    pub(super) fn push(&mut self, item: IndexedItem) -> ItemSeq {
        let seq = self.next_seq();
        if !item.excluded {
            self.count_active(item.outlet, 1);
        }
        self.items.push_back(item);
        seq
    }

    /// Excludes an item, which then follows `leader`.
    pub(super) fn exclude(&mut self, seq: ItemSeq, leader: ItemSeq) {
        let item = &mut self.items[seq.offset_from(self.first_seq)];
        item.leader = leader;
        if item.excluded {
            return;
        }
        item.excluded = true;
        item.terms.iter().for_each(|term| self.term_index.remove_from_df(term.id));
        let (outlet, story) = (item.outlet, item.story);
        self.count_active(outlet, -1);
        // An item that was just pushed has no story yet.
        if let Some(members) = self.stories.get_mut(&story).filter(|members| members.items.contains(&seq)) {
            members.active -= 1;
        }
    }

    /// Removes the items first seen before `limit`, in seconds since 1970. Returns the items whose link now identifies
    /// one event and did not before.
    pub(super) fn expire(&mut self, limit: i64) -> Vec<ItemSeq> {
        let mut identifying_again = Vec::new();
        while let Some(item) = self.items.pop_front_if(|item| item.first_seen_at < limit) {
            let seq = self.first_seq;
            self.first_seq = seq.advance(1);
            self.vectors.expire_first();
            if let Some(link) = item.link
                && self.links.remove(link, item.source, seq)
            {
                identifying_again.extend_from_slice(self.links.items(link));
            }
            self.constraints.remove(&item.id);
            self.uncount(seq, &item);
        }
        identifying_again
    }

    /// Removes an item from the indexes of terms and links, from its story and from the lists of its neighbors, but not
    /// from the window. Its vector remains until [`VectorIndex::set`] replaces it.
    pub(super) fn withdraw(&mut self, seq: ItemSeq) {
        let item = self[seq].clone();
        item.terms.iter().for_each(|term| self.term_index.remove_posting(term.id, seq));
        if let Some(link) = item.link {
            self.links.remove(link, item.source, seq);
        }
        self.uncount(seq, &item);
        for neighbor in &item.neighbors {
            if let Some(other) = self.items.get_mut(neighbor.seq.offset_from(self.first_seq)) {
                other.neighbors.retain(|known| known.seq != seq);
            }
        }
    }

    /// Replaces an item that was withdrawn; [`ItemWindow::assign_story`] adds it to its story.
    pub(super) fn replace(&mut self, seq: ItemSeq, item: IndexedItem) {
        if !item.excluded {
            self.count_active(item.outlet, 1);
        }
        self[seq] = item;
    }

    /// Removes an item's terms from the index, and removes the item from its outlet and its story.
    fn uncount(&mut self, seq: ItemSeq, item: &IndexedItem) {
        self.term_index.prefetch_entries(item.terms.iter().map(|term| term.id));
        for term in &item.terms {
            self.term_index.drop_ref(term.id, !item.excluded);
        }
        if !item.excluded {
            self.count_active(item.outlet, -1);
        }
        self.remove_member(seq, item.story, !item.excluded);
    }

    fn count_active(&mut self, outlet: OutletIndex, by: i32) {
        self.term_index.adjust_document_count(by);
        let active = &mut self.outlets[outlet.0 as usize];
        *active = active.saturating_add_signed(by);
    }

    /// Returns the members of a story that are in the window, in order of arrival.
    pub(super) fn members(&self, story: StoryId) -> &[ItemSeq] {
        self.stories.get(&story).map(|members| members.items.as_slice()).unwrap_or_default()
    }

    /// Returns the number of a story's active members in the window.
    pub(super) fn active_members(&self, story: StoryId) -> usize {
        self.stories.get(&story).map_or(0, |members| members.active as usize)
    }

    /// Moves an item from its previous story to another story.
    pub(super) fn assign_story(&mut self, seq: ItemSeq, story: StoryId) {
        let item = &mut self[seq];
        let active = !item.excluded;
        let previous = std::mem::replace(&mut item.story, story);
        if previous != UNASSIGNED {
            self.remove_member(seq, previous, active);
        }
        let members = self.stories.entry(story).or_default();
        let last_before = members.items.iter().rposition(|member| member.precedes(seq));
        members.items.insert(last_before.map_or(0, |position| position + 1), seq);
        members.active += u32::from(active);
    }

    fn remove_member(&mut self, seq: ItemSeq, story: StoryId, active: bool) {
        let Some(members) = self.stories.get_mut(&story) else { return };
        let Some(position) = members.items.iter().position(|member| *member == seq) else { return };
        members.items.remove(position);
        members.active -= u32::from(active);
        if members.items.is_empty() {
            self.stories.remove(&story);
        }
    }
}

/// An item's embedding, prepared for comparison with those of other items.
pub(super) struct EmbeddingQuery<'w> {
    query: CenteredQuery<'w>,
    first_seq: ItemSeq,
}

impl EmbeddingQuery<'_> {
    pub(super) fn similarity(&self, other: ItemSeq) -> Option<EmbeddingSimilarity> {
        self.query.similarity(other.offset_from(self.first_seq))
    }
}

/// Indexing panics if the item is not in the window.
impl Index<ItemSeq> for ItemWindow {
    type Output = IndexedItem;

    fn index(&self, seq: ItemSeq) -> &IndexedItem {
        &self.items[seq.offset_from(self.first_seq)]
    }
}

impl IndexMut<ItemSeq> for ItemWindow {
    fn index_mut(&mut self, seq: ItemSeq) -> &mut IndexedItem {
        &mut self.items[seq.offset_from(self.first_seq)]
    }
}
