//! What the remembered items teach of each term: in how many it stands, whether it is a name, and who holds it.

use super::tokenizer::TermHash;
use hashbrown::HashTable;
use smallvec::SmallVec;

/// Where an item stands in the queue of all items since the start. Counts on for ever, and wraps after four billion.
pub(super) type ItemSeq = u32;

/// A term's number in the vocabulary, good for as long as a remembered item holds the term.
pub(super) type TermId = u32;

/// Latest items that are looked at for one term: what more items have in common is too common to tell anything.
pub(super) const MAX_POSTINGS: usize = 64;
/// Items that are taken to have been seen before the first one, so that the first hundred are not all rare words.
const PRIOR_DOCUMENTS: f32 = 1000.0;

#[derive(Default)]
struct TermEntry {
    term: TermHash,
    /// How it was written first, for evidence.
    written: Box<str>,
    /// IndexedItem items that hold it.
    held: u32,
    /// Those of them that teach.
    items: u32,
    capitals: u16,
    smalls: u16,
    /// The items filed under it, the latest last; up to twice as many as are looked at, so that dropping the rest is rare.
    /// Most terms have few, which lie here with the rest.
    postings: SmallVec<[ItemSeq; 4]>,
}

pub(super) struct TermIndex {
    /// Only the numbers: terms are hashes, and stand in `known`.
    by_term: HashTable<TermId>,
    known: Vec<TermEntry>,
    free: Vec<TermId>,
    items: u32,
    /// `ln(N + 1)`, where N is `items` and those taken to have been seen before: asked for as often as the next.
    all: f32,
    /// `ln(n + 0.5)` of small numbers, since every term of every item asks for one.
    logarithms: Vec<f32>,
}

const CACHED_LOGARITHMS: u32 = 4096;

impl Default for TermIndex {
    fn default() -> TermIndex {
        TermIndex {
            by_term: HashTable::new(),
            known: Vec::new(),
            free: Vec::new(),
            items: 0,
            all: TermIndex::all(0),
            logarithms: (0..CACHED_LOGARITHMS).map(|n| libm::logf(n as f32 + 0.5)).collect(),
        }
    }
}

impl TermIndex {
    fn all(items: u32) -> f32 {
        libm::logf(items as f32 + PRIOR_DOCUMENTS + 1.0)
    }

    fn find(&self, term: TermHash) -> Option<TermId> {
        self.by_term.find(term, |entry| self.known[*entry as usize].term == term).copied()
    }

    /// The entries of these terms, where they have one. ItemWindow is asked for all at once, so that taking them in one by one
    /// waits only once.
    pub(super) fn entries(&self, terms: impl Iterator<Item = TermHash>) -> SmallVec<[Option<TermId>; 128]> {
        terms.map(|term| self.find(term)).collect()
    }

    /// Asks memory for what is known of these entries, all at once.
    pub(super) fn call(&self, entries: impl Iterator<Item = TermId>) {
        std::hint::black_box(entries.fold(0, |sum, entry| sum ^ self.known[entry as usize].held));
    }

    /// Takes in a term of an item that is now remembered. `entry` is what [`TermIndex::entries`] gave, `written` how the
    /// item writes it; where `teaches`, the item counts in the frequencies.
    pub(super) fn hold(&mut self, term: TermHash, entry: Option<TermId>, written: &str, teaches: bool) -> TermId {
        let entry = entry.unwrap_or_else(|| {
            let known = TermEntry { term, written: written.into(), ..TermEntry::default() };
            let entry = match self.free.pop() {
                Some(free) => {
                    self.known[free as usize] = known;
                    free
                }
                None => {
                    self.known.push(known);
                    (self.known.len() - 1) as TermId
                }
            };
            self.by_term.insert_unique(term, entry, |entry| self.known[*entry as usize].term);
            entry
        });
        let known = &mut self.known[entry as usize];
        known.held += 1;
        known.items += u32::from(teaches);
        entry
    }

    /// Lets a term go with an item that is forgotten.
    pub(super) fn release(&mut self, entry: TermId, taught: bool) {
        let known = &mut self.known[entry as usize];
        known.held -= 1;
        known.items -= u32::from(taught);
        if known.held == 0 {
            if let Ok(found) = self.by_term.find_entry(known.term, |found| *found == entry) {
                found.remove();
            }
            *known = TermEntry::default();
            self.free.push(entry);
        }
    }

    /// Takes back that a remembered item taught a term.
    pub(super) fn unteach(&mut self, entry: TermId) {
        self.known[entry as usize].items -= 1;
    }

    /// Counts the items that teach.
    pub(super) fn count(&mut self, by: i32) {
        self.items = self.items.saturating_add_signed(by);
        self.all = TermIndex::all(self.items);
    }

    /// How many items teach.
    pub(super) fn items(&self) -> u32 {
        self.items
    }

    /// Notes how a term is written where a capital would tell a name.
    pub(super) fn seen_written(&mut self, entry: TermId, capital: bool) {
        let known = &mut self.known[entry as usize];
        if known.capitals.max(known.smalls) == u16::MAX {
            (known.capitals, known.smalls) = (known.capitals / 2, known.smalls / 2);
        }
        *if capital { &mut known.capitals } else { &mut known.smalls } += 1;
    }

    /// Takes that note back.
    pub(super) fn unsee_written(&mut self, entry: TermId, capital: bool) {
        let known = &mut self.known[entry as usize];
        let count = if capital { &mut known.capitals } else { &mut known.smalls };
        *count = count.saturating_sub(1);
    }

    /// Whether a term is a name: written with a capital in most places where others are not.
    pub(super) fn is_name(&self, entry: TermId) -> bool {
        let known = &self.known[entry as usize];
        let (capitals, smalls) = (f32::from(known.capitals), f32::from(known.smalls));
        capitals > 0.6 * (capitals + smalls + 0.5)
    }

    /// The rarity of a term, 0 to 1: its inverse document frequency over that of a term never seen.
    pub(super) fn rarity(&self, entry: TermId) -> f32 {
        let items = self.known[entry as usize].items;
        // ln((N + 1) / (df + 0.5)) / ln((N + 1) / 0.5)
        let own = self.logarithms.get(items as usize).copied().unwrap_or_else(|| libm::logf(items as f32 + 0.5));
        ((self.all - own) / (self.all + std::f32::consts::LN_2)).max(0.02)
    }

    /// Files an item under one of its strongest terms.
    pub(super) fn file(&mut self, entry: TermId, place: ItemSeq) {
        let postings = &mut self.known[entry as usize].postings;
        if postings.len() >= 2 * MAX_POSTINGS {
            postings.drain(..MAX_POSTINGS);
        }
        postings.push(place);
    }

    /// Asks memory for the lists of these terms, all at once: as many entries as are going to be `read`, and the ends of the
    /// other lists, where the item is going to be filed.
    pub(super) fn call_filed(&self, entries: impl Iterator<Item = TermId>, mut read: usize) {
        let call = |sum: ItemSeq, entry: TermId| {
            let list = &self.known[entry as usize].postings;
            let list = &list[list.len().saturating_sub(read.clamp(1, MAX_POSTINGS))..];
            read = read.saturating_sub(list.len());
            list.iter().step_by(16).chain(list.last()).fold(sum, |sum, place| sum ^ place)
        };
        std::hint::black_box(entries.fold(0, call));
    }

    /// The remembered items filed under a term, the latest last. `first` is the first place that is remembered.
    pub(super) fn filed(&self, entry: TermId, first: ItemSeq) -> &[ItemSeq] {
        let all = &self.known[entry as usize].postings;
        let latest = &all[all.len().saturating_sub(MAX_POSTINGS)..];
        match latest.first() {
            Some(oldest) if before(*oldest, first) => &latest[latest.partition_point(|place| before(*place, first))..],
            _ => latest,
        }
    }

    pub(super) fn written(&self, entry: TermId) -> &str {
        &self.known[entry as usize].written
    }
}

/// Whether a place comes before another, over the wrap.
pub(super) fn before(one: ItemSeq, other: ItemSeq) -> bool {
    (one.wrapping_sub(other) as i32) < 0
}

/// Spreads places, or entries, over 2^`bits` numbers (Fibonacci hashing; Knuth, The Art of Computer Programming, 6.4).
pub(super) fn fibonacci_hash(number: u32, bits: u32) -> usize {
    (number.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_remembered_items_are_filed_over_the_wrap_too() {
        let mut vocabulary = TermIndex::default();
        let entry = vocabulary.hold(1, None, "word", true);
        let start = ItemSeq::MAX - 200;
        for n in 0..300 {
            let place = start.wrapping_add(n);
            vocabulary.file(entry, place);
            let filed = vocabulary.filed(entry, start);
            assert_eq!(filed.last(), Some(&place));
            assert_eq!(filed.len(), MAX_POSTINGS.min(n as usize + 1), "the latest are there, whatever was dropped");
        }
        let latest: Vec<ItemSeq> = (260..300).map(|n| start.wrapping_add(n)).collect();
        assert_eq!(vocabulary.filed(entry, start.wrapping_add(260)), latest, "what is forgotten is not found");
        assert!(vocabulary.filed(entry, start.wrapping_add(300)).is_empty());
    }
}
