//! The inverted index: the document frequency, the capitalization and the items of each term.
//!
//! The index covers only items in the window. A term's entry is freed when the last item with the term expires.

use super::inverse_document_frequency::IdfFormula;
use super::item_seq::ItemSeq;
use super::name_detection::SpellingCounts;
use super::tokenizer::TermHash;
use hashbrown::HashTable;
use slab::Slab;
use smallvec::SmallVec;

/// A term's number in the index. It is valid while an item in the window contains the term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TermId(pub u32);

/// The maximum number of postings that are read for one term, latest first. A term that more items share is not
/// selective enough.
const MAX_POSTINGS: usize = 512;

#[derive(Default)]
struct TermEntry {
    hash: TermHash,
    /// The first spelling seen, for evidence.
    surface_form: Box<str>,
    /// The number of items in the window that contain the term.
    refs: u32,
    /// The number of these items that count in document frequencies.
    document_frequency: u32,
    spellings: SpellingCounts,
    /// The items indexed under the term, latest last. The list grows to twice [`MAX_POSTINGS`] before it is trimmed, so
    /// that trimming is rare. Most lists are short and are stored inline.
    postings: SmallVec<[ItemSeq; 4]>,
}

#[derive(Default)]
pub(super) struct TermIndex {
    /// The term numbers by hash. The hashes themselves are in `entries`.
    by_hash: HashTable<TermId>,
    entries: Slab<TermEntry>,
    /// The number of items that count in document frequencies.
    pub document_count: u32,
    idf_formula: IdfFormula,
}

impl TermIndex {
    /// Returns the numbers of the known terms. A separate pass lets the cache misses of all lookups overlap.
    pub(super) fn lookup(&self, terms: impl Iterator<Item = TermHash>) -> SmallVec<[Option<TermId>; 128]> {
        terms.map(|hash| self.by_hash.find(hash.0, |id| self.entry(*id).hash == hash).copied()).collect()
    }

    /// Prefetches the entries of these terms.
    pub(super) fn prefetch_entries(&self, terms: impl Iterator<Item = TermId>) {
        std::hint::black_box(terms.fold(0, |sum, id| sum ^ self.entry(id).refs));
    }

    /// Counts an item that contains a term. `id` is the result of [`TermIndex::lookup`]; `surface_form` is the spelling
    /// in the item.
    pub(super) fn add_ref(
        &mut self,
        hash: TermHash,
        id: Option<TermId>,
        surface_form: &str,
        counts_in_df: bool,
    ) -> TermId {
        let id = id.unwrap_or_else(|| self.insert(hash, surface_form));
        let entry = self.entry_mut(id);
        entry.refs += 1;
        entry.document_frequency += u32::from(counts_in_df);
        id
    }

    fn insert(&mut self, hash: TermHash, surface_form: &str) -> TermId {
        let entry = TermEntry { hash, surface_form: surface_form.into(), ..TermEntry::default() };
        let id = TermId(self.entries.insert(entry) as u32);
        self.by_hash.insert_unique(hash.0, id, |id| self.entries[id.0 as usize].hash.0);
        id
    }

    /// Removes a term's reference to an expired item. Removes the term's entry if this was its last reference.
    pub(super) fn drop_ref(&mut self, id: TermId, counted_in_df: bool) {
        let entry = self.entry_mut(id);
        entry.refs -= 1;
        entry.document_frequency -= u32::from(counted_in_df);
        if entry.refs == 0 {
            let hash = self.entries.remove(id.0 as usize).hash;
            if let Ok(found) = self.by_hash.find_entry(hash.0, |found| *found == id) {
                found.remove();
            }
        }
    }

    /// Removes an item that stays in the window from a term's document frequency.
    pub(super) fn remove_from_df(&mut self, id: TermId) {
        self.entry_mut(id).document_frequency -= 1;
    }

    /// Adds to the number of items that count in document frequencies.
    pub(super) fn adjust_document_count(&mut self, by: i32) {
        self.document_count = self.document_count.saturating_add_signed(by);
        self.idf_formula.set_document_count(self.document_count);
    }

    /// Returns the spellings of a term that were counted.
    pub(super) fn spellings(&self, id: TermId) -> SpellingCounts {
        self.entry(id).spellings
    }

    pub(super) fn spellings_mut(&mut self, id: TermId) -> &mut SpellingCounts {
        &mut self.entry_mut(id).spellings
    }

    /// Returns the normalized inverse document frequency of a term.
    pub(super) fn idf(&self, id: TermId) -> f32 {
        self.idf_formula.idf(self.entry(id).document_frequency)
    }

    /// Appends an item to a term's postings.
    pub(super) fn add_posting(&mut self, id: TermId, item: ItemSeq) {
        let postings = &mut self.entry_mut(id).postings;
        if postings.len() >= 2 * MAX_POSTINGS {
            postings.drain(..MAX_POSTINGS);
        }
        postings.push(item);
    }

    /// Inserts an item that arrived earlier into a term's postings, in order of arrival.
    pub(super) fn insert_posting(&mut self, id: TermId, item: ItemSeq) {
        let postings = &mut self.entry_mut(id).postings;
        let position = postings.partition_point(|other| other.precedes(item));
        postings.insert(position, item);
    }

    /// Removes an item from a term's postings.
    pub(super) fn remove_posting(&mut self, id: TermId, item: ItemSeq) {
        self.entry_mut(id).postings.retain(|other| *other != item);
    }

    /// Prefetches the postings of these terms: at most `limit` postings that will be read, and the ends of the other
    /// lists, to which the item will be appended.
    pub(super) fn prefetch_postings(&self, terms: impl Iterator<Item = TermId>, mut limit: usize) {
        let touch = |sum: u32, id: TermId| {
            let list = &self.entry(id).postings;
            let list = &list[list.len().saturating_sub(limit.clamp(1, MAX_POSTINGS))..];
            limit = limit.saturating_sub(list.len());
            list.iter().step_by(16).chain(list.last()).fold(sum, |sum, item| sum ^ item.0)
        };
        std::hint::black_box(terms.fold(0, touch));
    }

    /// Returns the latest items in the window that are indexed under a term, latest last. `first` is the first item in
    /// the window.
    pub(super) fn postings(&self, id: TermId, first: ItemSeq) -> &[ItemSeq] {
        let all = &self.entry(id).postings;
        let latest = &all[all.len().saturating_sub(MAX_POSTINGS)..];
        match latest.first() {
            Some(oldest) if oldest.precedes(first) => &latest[latest.partition_point(|item| item.precedes(first))..],
            _ => latest,
        }
    }

    pub(super) fn surface_form(&self, id: TermId) -> &str {
        &self.entry(id).surface_form
    }

    fn entry(&self, id: TermId) -> &TermEntry {
        &self.entries[id.0 as usize]
    }

    fn entry_mut(&mut self, id: TermId) -> &mut TermEntry {
        &mut self.entries[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_are_the_latest_items_in_the_window_across_the_wrap() {
        let mut index = TermIndex::default();
        let id = index.add_ref(TermHash(1), None, "word", true);
        let start = ItemSeq(u32::MAX - 200);
        for n in 0..300 {
            let item = start.advance(n);
            index.add_posting(id, item);
            let postings = index.postings(id, start);
            assert_eq!(postings.last(), Some(&item));
            assert_eq!(postings.len(), MAX_POSTINGS.min(n + 1), "trimming keeps the latest items");
        }
        let latest: Vec<ItemSeq> = (260..300).map(|n| start.advance(n)).collect();
        assert_eq!(index.postings(id, start.advance(260)), latest, "expired items are not returned");
        assert!(index.postings(id, start.advance(300)).is_empty());
    }
}
