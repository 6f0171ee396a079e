//! The items of the last days, by place, by story and by link.

use super::near_duplicates::ShingleSketch;
use super::term_index::{ItemSeq, TermId, TermIndex, before};
use crate::domain::{ItemId, StoryId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::VecDeque;

/// What is kept of an item: about 700 bytes. What is asked of each neighbour comes first, in this order, so that it is one
/// line of a cache, and the neighbours' neighbours are the next two.
#[repr(C, align(64))]
pub(super) struct IndexedItem {
    /// In order of entry.
    pub terms: Box<[WeightedTerm]>,
    /// Seconds since 1970.
    pub ranked_at: i64,
    pub sums: TermAggregates,
    /// The outlet's number in [`ItemWindow`].
    pub outlet: u32,
    /// The numbers of its title.
    pub numbers: Box<[TitleNumber]>,
    /// The hash of its title.
    pub title_hash: u32,
    pub form: HeadlineKind,
    /// Repeats another's headline, or is one of too many of its outlet: it neither teaches, nor is it found, nor has it a
    /// say in its story.
    pub passive: bool,
    /// Items that came near since this one was scored.
    pub news: u8,
    pub near: NeighborList,
    /// Where it is passive, the item with which it goes from story to story; else itself.
    pub follows: ItemSeq,
    pub story: StoryId,
    pub id: ItemId,
    pub copy_of: Option<ItemId>,
    pub first_seen_at: i64,
    /// The hash of its canonical link; 0 where it has none.
    pub link: u64,
    pub title: Box<str>,
    pub sketch: ShingleSketch,
}

impl IndexedItem {
    /// Whether both have the same title.
    pub(super) fn is_titled_as(&self, other: &IndexedItem) -> bool {
        self.title_hash == other.title_hash && self.title == other.title
    }

    /// Whether it holds a term.
    pub(super) fn holds(&self, entry: TermId) -> bool {
        self.terms.binary_search_by_key(&entry, |term| term.entry).is_ok()
    }
}

/// What an item's terms add up to, so that of a pair only what both hold must be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermAggregates {
    /// The length of the vector of its names alone.
    pub names: f32,
    /// The square of the length of its title's vector.
    pub title: f32,
    /// How much of its title's rarity is not shared by the neighbourhood anyway.
    pub fresh_title: f32,
}

impl TermAggregates {
    pub(super) fn of(terms: &[WeightedTerm]) -> TermAggregates {
        let mut sums = TermAggregates { names: 0.0, title: 0.0, fresh_title: 0.0 };
        for term in terms {
            let square = term.rarity() * term.rarity();
            if term.is(TermKind::Name) {
                sums.names += square;
            }
            if term.in_title() {
                sums.title += square;
                sums.fresh_title += term.fresh();
            }
        }
        sums.names = sums.names.sqrt();
        sums
    }
}

/// A number of a title with the word before it: "Lumen 9".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TitleNumber {
    pub of: TermId,
    pub number: TermId,
    /// Whether the word is written as a name.
    pub named: bool,
}

/// What kind of item a title announces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct HeadlineKind {
    /// Many events in one item.
    pub roundup: bool,
    /// Something to buy.
    pub offer: bool,
}

/// A term of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightedTerm {
    pub entry: TermId,
    /// Its part in the unit vector, in 65,535ths.
    pub weight: u16,
    /// Its rarity, in 255ths.
    pub rarity: u8,
    /// From the lowest bit: whether it stands in the title; its kind, two bits; the share of the nearest items that hold
    /// it too, in 31sts.
    marks: u8,
}

/// What kind of term it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TermKind {
    Word,
    Name,
    Number,
}

/// The items nearest to one, nearest first. So many as most items have lie with the item, because every look at an item is
/// one at its neighbours too.
pub(super) type NeighborList = SmallVec<[Neighbor; 12]>;

/// Another item, and how near it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbor {
    pub place: ItemSeq,
    /// In 65,535ths.
    cosine: u16,
    /// Log-odds that both report one event, in 256ths.
    score: i16,
}

/// A decision of the operator's that concerns an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Constraint {
    /// Stays with all items of this tag.
    MustLink(i64),
    /// Stays away from items that this decision put on another side.
    CannotLink(i64, u8),
}

impl WeightedTerm {
    pub(super) fn new(entry: TermId, weight: f32, rarity: f32, in_title: bool, kind: TermKind) -> WeightedTerm {
        let (weight, rarity) = ((weight * 65535.0) as u16, (rarity * 255.0).min(255.0) as u8);
        WeightedTerm { entry, weight, rarity, marks: u8::from(in_title) | (kind as u8) << 1 }
    }

    pub(super) fn in_title(self) -> bool {
        self.marks & 1 == 1
    }

    /// The same term at another weight.
    pub(super) fn set(&mut self, weight: f32, rarity: f32, kind: TermKind) {
        let local = self.marks & 0xf8;
        *self = WeightedTerm::new(self.entry, weight, rarity, self.in_title(), kind);
        self.marks |= local;
    }

    pub(super) fn is(self, kind: TermKind) -> bool {
        self.marks >> 1 & 3 == kind as u8
    }

    /// The share of the nearest items that hold the term, 0 to 1.
    pub(super) fn local(self) -> f32 {
        f32::from(self.marks >> 3) / 31.0
    }

    pub(super) fn set_local(&mut self, share: f32) {
        self.marks = ((share * 31.0).round() as u8).min(31) << 3 | self.marks & 7;
    }

    pub(super) fn rarity(self) -> f32 {
        f32::from(self.rarity) / 255.0
    }

    /// How much of its rarity is not shared by the neighbourhood anyway.
    pub(super) fn fresh(self) -> f32 {
        self.rarity() * (1.0 - self.local())
    }

    pub(super) fn weight(self) -> f32 {
        f32::from(self.weight) / 65535.0
    }
}

impl Neighbor {
    /// A neighbour that has not been judged yet.
    pub(super) fn new(place: ItemSeq, cosine: f32) -> Neighbor {
        Neighbor { place, cosine: (cosine.clamp(0.0, 1.0) * 65535.0) as u16, score: i16::MIN }
    }

    pub(super) fn judged(self, score: f32) -> Neighbor {
        Neighbor { score: (score * 256.0) as i16, ..self }
    }

    /// The same nearness as the neighbour sees it.
    pub(super) fn seen_from(self, place: ItemSeq) -> Neighbor {
        Neighbor { place, ..self }
    }

    pub(super) fn cosine(&self) -> f32 {
        f32::from(self.cosine) / 65535.0
    }

    /// The cosines of two multiplied, in 65,535²ths.
    pub(super) fn product(&self, other: &Neighbor) -> u64 {
        u64::from(self.cosine) * u64::from(other.cosine)
    }

    pub(super) fn score(&self) -> f32 {
        f32::from(self.score) / 256.0
    }
}

/// The items of a story.
#[derive(Default)]
struct StoryMembers {
    places: SmallVec<[ItemSeq; 2]>,
    /// Those of them that are not passive.
    voices: u32,
}

#[derive(Default)]
pub(super) struct ItemWindow {
    pub vocabulary: TermIndex,
    items: VecDeque<IndexedItem>,
    /// The place of the first item in `items`.
    first: ItemSeq,
    stories: FxHashMap<StoryId, StoryMembers>,
    links: FxHashMap<u64, ItemSeq>,
    outlets: FxHashMap<String, u32>,
    /// Items of each outlet that teach.
    teaching: Vec<u32>,
    /// The operator's decisions, for the few items that there are any about.
    pub tags: FxHashMap<ItemId, Vec<Constraint>>,
}

/// The story of an item that is in none yet.
pub(super) const UNASSIGNED: StoryId = StoryId::from_row(0);

/// Items of one outlet that always teach; more only while the outlet's share of all stays below [`MAX_OUTLET_SHARE`].
const MIN_OUTLET_ITEMS: u32 = 60;
/// One of so many teaching items may be of one outlet; where there are few outlets, twice its even share.
const MAX_OUTLET_SHARE: u32 = 5;

impl ItemWindow {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn knows(&self, story: StoryId) -> bool {
        self.stories.contains_key(&story)
    }

    /// The place of the first item that is remembered.
    pub(super) fn first(&self) -> ItemSeq {
        self.first
    }

    /// The place that the next item gets.
    pub(super) fn next(&self) -> ItemSeq {
        self.first.wrapping_add(self.items.len() as ItemSeq)
    }

    /// The number of an outlet, and whether a further item of it may teach.
    pub(super) fn outlet(&mut self, name: &str) -> (u32, bool) {
        let number = match self.outlets.get(name) {
            Some(number) => *number,
            None => {
                let number = self.teaching.len() as u32;
                self.outlets.insert(name.to_owned(), number);
                self.teaching.push(0);
                number
            }
        };
        let own = self.teaching[number as usize];
        let share = u64::from(MAX_OUTLET_SHARE).min(self.teaching.len() as u64 / 2).max(1);
        (number, own < MIN_OUTLET_ITEMS || u64::from(own) * share <= u64::from(self.vocabulary.items()))
    }

    /// Takes an item in; [`ItemWindow::put`] puts it into its story.
    pub(super) fn remember(&mut self, item: IndexedItem) -> ItemSeq {
        let place = self.next();
        if item.link != 0 {
            self.links.entry(item.link).or_insert(place);
        }
        if !item.passive {
            self.vocabulary.count(1);
            self.teaching[item.outlet as usize] += 1;
        }
        self.items.push_back(item);
        place
    }

    /// Makes an item passive: it goes where another one goes, and has no voice in its story any more.
    pub(super) fn make_passive(&mut self, place: ItemSeq, follows: ItemSeq) {
        let index = place.wrapping_sub(self.first) as usize;
        let Some(item) = self.items.get_mut(index) else { return };
        item.follows = follows;
        if !item.passive {
            item.passive = true;
            item.terms.iter().for_each(|term| self.vocabulary.unteach(term.entry));
            self.vocabulary.count(-1);
            self.teaching[item.outlet as usize] -= 1;
            // An item that has just been remembered is in no story yet.
            let story = self.stories.get_mut(&item.story).filter(|members| members.places.contains(&place));
            story.into_iter().for_each(|members| members.voices -= 1);
        }
    }

    /// Forgets what was first seen before `limit`, in seconds since 1970.
    pub(super) fn expire(&mut self, limit: i64) {
        while self.items.front().is_some_and(|item| item.first_seen_at < limit) {
            let Some(old) = self.items.pop_front() else { break };
            let place = self.first;
            self.first = place.wrapping_add(1);
            if self.links.get(&old.link) == Some(&place) {
                self.links.remove(&old.link);
            }
            self.tags.remove(&old.id);
            self.vocabulary.call(old.terms.iter().map(|term| term.entry));
            for term in &old.terms {
                self.vocabulary.release(term.entry, !old.passive);
            }
            if !old.passive {
                self.vocabulary.count(-1);
                self.teaching[old.outlet as usize] -= 1;
            }
            self.leave(place, old.story, !old.passive);
        }
    }

    /// Where an item stands. Items come in order of their ids.
    pub(super) fn place_of(&self, id: ItemId) -> Option<ItemSeq> {
        let index = self.items.binary_search_by_key(&id, |item| item.id).ok()?;
        Some(self.first.wrapping_add(index as ItemSeq))
    }

    /// What the operator decided about an item.
    pub(super) fn tags(&self, id: ItemId) -> &[Constraint] {
        self.tags.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The item that first had this link.
    pub(super) fn by_link(&self, link: u64) -> Option<ItemSeq> {
        self.links.get(&link).copied()
    }

    /// The remembered members of a story, in order.
    pub(super) fn members(&self, story: StoryId) -> &[ItemSeq] {
        self.stories.get(&story).map(|members| members.places.as_slice()).unwrap_or_default()
    }

    /// How many remembered members of a story are not passive.
    pub(super) fn voices(&self, story: StoryId) -> usize {
        self.stories.get(&story).map_or(0, |members| members.voices as usize)
    }

    /// Puts an item into a story, out of the one where it was.
    pub(super) fn put(&mut self, place: ItemSeq, story: StoryId) {
        let Some(item) = self.at_mut(place) else { return };
        let voice = !item.passive;
        let old = std::mem::replace(&mut item.story, story);
        if old != UNASSIGNED {
            self.leave(place, old, voice);
        }
        let members = self.stories.entry(story).or_default();
        let after = members.places.iter().rev().position(|member| before(*member, place));
        let at = after.map_or(0, |after| members.places.len() - after);
        members.places.insert(at, place);
        members.voices += u32::from(voice);
    }

    fn leave(&mut self, place: ItemSeq, story: StoryId, voice: bool) {
        let Some(members) = self.stories.get_mut(&story) else { return };
        let Some(at) = members.places.iter().position(|member| *member == place) else { return };
        members.places.remove(at);
        members.voices -= u32::from(voice);
        if members.places.is_empty() {
            self.stories.remove(&story);
        }
    }

    /// The item at a place, unless it is forgotten.
    pub(super) fn at(&self, place: ItemSeq) -> Option<&IndexedItem> {
        self.items.get(place.wrapping_sub(self.first) as usize)
    }

    pub(super) fn at_mut(&mut self, place: ItemSeq) -> Option<&mut IndexedItem> {
        self.items.get_mut(place.wrapping_sub(self.first) as usize)
    }
}
