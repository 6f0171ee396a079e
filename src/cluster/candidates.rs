//! Finds the items nearest to one, and judges each of them.
//!
//! Candidates come from an inverted index over every item's strongest terms; they are compared in full, and the
//! nearest are judged by the learned model, which also hears what the neighbours of both have in common.

use super::pair_features::{BloomPrefilter, LocalDensity, PairFeatures, SharedTerm, features};
use super::pair_model::PairModel;
use super::term_index::{ItemSeq, MAX_POSTINGS, fibonacci_hash};
use super::window::{IndexedItem, ItemWindow, Neighbor, NeighborList, TermAggregates, TermKind, WeightedTerm};
use smallvec::SmallVec;

/// Terms of an item by which others find it, and by which it looks for others.
const INDEXED_TERMS: usize = 16;
/// Entries of the index that are read for one item, the strongest terms first.
const MAX_POSTINGS_READ: usize = 320;
/// Items that are compared in full.
const MAX_CANDIDATES: usize = 32;
/// The part of a cosine that the indexed terms must make for an item to be compared in full, in 65,535²ths: 0.06.
const MIN_INDEXED_COSINE: u32 = 65_535 * 65_535 / 100 * 6;
/// A term under which so many items are filed is by itself no reason to compare them: of all that one term alone brings, one
/// in thirty is near.
const COMMON_TERM_POSTINGS: usize = MAX_POSTINGS / 2;
/// Neighbours that an item keeps.
pub(super) const MAX_NEIGHBORS: usize = 24;
/// The cosine below which an item is no neighbour.
const MIN_NEIGHBOR_COSINE: f32 = 0.14;
/// Log-odds of a pair that a rule keeps apart, whatever else it shares.
const CANNOT_LINK_LOG_ODDS: f32 = -20.0;

/// What is used again for each item.
#[derive(Default)]
pub(super) struct SearchBuffers {
    tally: ScoreAccumulator,
    found: Vec<Found>,
    /// What the item and each found one both hold, one after the other.
    both: Vec<SharedTerm>,
    local: Vec<u16>,
}

/// Where places stand in a list of less than half as many: an open table, because each is looked up for many items.
struct OpenAddressTable<const SLOTS: usize>([u16; SLOTS]);

impl<const SLOTS: usize> OpenAddressTable<SLOTS> {
    const NONE: u16 = u16::MAX;

    fn new() -> Self {
        OpenAddressTable([Self::NONE; SLOTS])
    }

    /// The position of a place, else the slot into which it goes. `listed` is the place at a position, if the list is so long.
    fn find(&self, place: ItemSeq, listed: impl Fn(usize) -> Option<ItemSeq>) -> Result<usize, usize> {
        let mut slot = fibonacci_hash(place, SLOTS.ilog2());
        loop {
            let position = usize::from(self.0[slot]);
            match listed(position) {
                Some(other) if other == place => return Ok(position),
                Some(_) => slot = (slot + 1) % SLOTS,
                None => return Err(slot),
            }
        }
    }
}

/// Adds up by place what candidates share with one item.
struct ScoreAccumulator {
    positions: Box<OpenAddressTable<{ ScoreAccumulator::SLOTS }>>,
    /// A sum in 65,535²ths, which is less than 1, and below it a place: they are in order as numbers.
    found: Vec<u64>,
}

impl ScoreAccumulator {
    /// Never more than an eighth full, so that almost all is found where it is looked for first.
    const SLOTS: usize = (8 * MAX_POSTINGS_READ).next_power_of_two();
    /// The lowest bit of a sum: the place is worth comparing.
    const ELIGIBLE: u64 = 1 << 32;

    /// `alone`: an item is worth comparing for this part, even where nothing else is shared.
    fn add(&mut self, place: ItemSeq, part: u32, alone: bool) {
        let part = u64::from(part) << 32 & !ScoreAccumulator::ELIGIBLE;
        match self.positions.find(place, |position| self.found.get(position).map(|sum| *sum as ItemSeq)) {
            Ok(position) => self.found[position] = (self.found[position] + part) | ScoreAccumulator::ELIGIBLE,
            Err(slot) => {
                self.positions.0[slot] = self.found.len() as u16;
                let worth = if alone { ScoreAccumulator::ELIGIBLE } else { 0 };
                self.found.push(part | worth | u64::from(place));
            }
        }
    }

    /// Gives out the [`MAX_CANDIDATES`] places with the greatest sums, the greatest first and of equals the later place; and is
    /// empty.
    fn best(&mut self) -> impl Iterator<Item = ItemSeq> {
        self.positions.0.fill(OpenAddressTable::<{ ScoreAccumulator::SLOTS }>::NONE);
        self.found.retain(|sum| sum & ScoreAccumulator::ELIGIBLE > 0 && (sum >> 32) as u32 > MIN_INDEXED_COSINE);
        if self.found.len() > MAX_CANDIDATES {
            self.found.select_nth_unstable_by(MAX_CANDIDATES, |a, b| b.cmp(a));
            self.found.truncate(MAX_CANDIDATES);
        }
        self.found.sort_unstable_by(|a, b| b.cmp(a));
        self.found.drain(..).map(|sum| sum as ItemSeq)
    }
}

impl Default for ScoreAccumulator {
    fn default() -> ScoreAccumulator {
        ScoreAccumulator { positions: Box::new(OpenAddressTable::new()), found: Vec::with_capacity(MAX_POSTINGS_READ) }
    }
}

struct Found {
    place: ItemSeq,
    cosine: f32,
    /// Where in [`SearchBuffers::both`] it stands.
    both: std::ops::Range<u16>,
}

impl Found {
    fn both<'a>(&self, all: &'a [SharedTerm]) -> &'a [SharedTerm] {
        &all[usize::from(self.both.start)..usize::from(self.both.end)]
    }
}

/// An item's terms, the strongest first, as many as are indexed.
fn strongest(terms: &[WeightedTerm]) -> impl Iterator<Item = WeightedTerm> {
    let mut order: SmallVec<[WeightedTerm; 64]> = terms.iter().copied().collect();
    order.sort_unstable_by(|a, b| b.weight.cmp(&a.weight).then(a.entry.cmp(&b.entry)));
    order.truncate(INDEXED_TERMS);
    order.into_iter()
}

/// Files an item under its strongest terms.
pub(super) fn file(window: &mut ItemWindow, place: ItemSeq) {
    let Some(item) = window.at(place) else { return };
    for term in strongest(&item.terms).collect::<SmallVec<[WeightedTerm; INDEXED_TERMS]>>() {
        window.vocabulary.file(term.entry, place);
    }
}

/// Weighs an item's terms anew, by what was learned of them since it came.
pub(super) fn refresh(window: &mut ItemWindow, place: ItemSeq) {
    let Some(item) = window.at(place) else { return };
    let mut anew = SmallVec::<[(f32, f32, TermKind); 64]>::new();
    let mut square = 0.0;
    for term in &item.terms {
        let rarity = window.vocabulary.rarity(term.entry);
        let weight = term.weight() / term.rarity().max(1.0 / 255.0) * rarity;
        square += weight * weight;
        let kind = match term.is(TermKind::Number) {
            true => TermKind::Number,
            false if window.vocabulary.is_name(term.entry) => TermKind::Name,
            false => TermKind::Word,
        };
        anew.push((weight, rarity, kind));
    }
    let length = square.sqrt().max(1e-6);
    let Some(item) = window.at_mut(place) else { return };
    for (term, (weight, rarity, kind)) in item.terms.iter_mut().zip(anew) {
        term.set(weight / length, rarity, kind);
    }
    item.sums = TermAggregates::of(&item.terms);
}

/// Finds an item's neighbours anew, judges them, and tells those that are new to it. `seen` is shown every pair.
pub(super) fn judge(
    window: &mut ItemWindow,
    place: ItemSeq,
    model: &PairModel,
    scratch: &mut SearchBuffers,
    mut seen: impl FnMut(ItemSeq, &PairFeatures),
) {
    find(window, place, scratch);
    if let Some(leader) = leader(window, place, scratch) {
        window.make_passive(place, leader);
    }
    let SearchBuffers { found, both, local, .. } = scratch;
    let Some(item) = window.at_mut(place) else { return };
    for (term, count) in item.terms.iter_mut().zip(local) {
        term.set_local(f32::from(*count) / (found.len().min(LOCAL_DF_NEIGHBORS) + LOCAL_DF_PRIOR) as f32);
    }
    item.sums = TermAggregates::of(&item.terms);
    item.news = 0;
    let near: SmallVec<[Neighbor; MAX_NEIGHBORS]> =
        found.iter().map(|found| Neighbor::new(found.place, found.cosine)).collect();
    let Some(item) = window.at(place) else { return };
    let (crowd, company) = (LocalDensity::of(&near), NeighborProfile::of(&near));
    // As above: all neighbours' neighbours are asked for before the first is read.
    let others = found.iter().filter_map(|found| window.at(found.place));
    std::hint::black_box(
        others.fold(0, |sum, other| other.near.iter().step_by(8).fold(sum, |sum, near| sum ^ near.place)),
    );
    let mut judged = SmallVec::<[Neighbor; MAX_NEIGHBORS]>::new();
    for (found, near) in found.iter().zip(&near) {
        let Some(other) = window.at(found.place) else { continue };
        let crowds = [crowd, LocalDensity::of(&other.near)];
        let company = company.with(&other.near);
        let features = features((item, other), found.cosine, found.both(both), company, crowds);
        seen(found.place, &features);
        judged.push(near.judged(if is_cannot_link(item, other) {
            CANNOT_LINK_LOG_ODDS
        } else {
            model.score(&features)
        }));
    }
    let passive = item.passive;
    let Some(item) = window.at_mut(place) else { return };
    let known = std::mem::replace(&mut item.near, NeighborList::from_slice(&judged));
    for near in judged.into_iter().filter(|_| !passive) {
        let new = !known.iter().any(|known| known.place == near.place);
        if let Some(other) = window.at_mut(near.place) {
            tell(other, near.seen_from(place), new);
        }
    }
}

/// Terms of a title from which nobody else writes the same one by chance.
const MIN_TITLE_TERMS: usize = 2;

/// The item with which this one goes, where it has nothing to say of its own: the one whose headline it repeats; for one
/// of too many of its outlet, the nearest.
fn leader(window: &ItemWindow, place: ItemSeq, scratch: &SearchBuffers) -> Option<ItemSeq> {
    let item = window.at(place)?;
    let telling = item.terms.iter().filter(|term| term.in_title()).count() >= MIN_TITLE_TERMS;
    let repeats = |found: &&Found| {
        let other = window.at(found.place);
        // The first to say it leads; a repetition that was judged again must not become its own leader's.
        let first = super::term_index::before(found.place, place);
        telling && first && other.is_some_and(|other| other.is_titled_as(item) && !other.passive)
    };
    let repeated = scratch.found.iter().find(repeats).map(|found| found.place);
    repeated.or_else(|| scratch.found.first().filter(|_| item.passive).map(|found| found.place))
}

/// An item's neighbours, ready to be compared with another's.
struct NeighborProfile<'a> {
    near: &'a [Neighbor],
    positions: OpenAddressTable<256>,
    square: u64,
}

impl<'a> NeighborProfile<'a> {
    fn of(near: &'a [Neighbor]) -> NeighborProfile<'a> {
        let mut company = NeighborProfile { near, positions: OpenAddressTable::new(), square: square(near) };
        for (position, near) in near.iter().enumerate() {
            if let Err(slot) = company.find(near.place) {
                company.positions.0[slot] = position as u16;
            }
        }
        company
    }

    fn find(&self, place: ItemSeq) -> Result<usize, usize> {
        self.positions.find(place, |position| self.near.get(position).map(|near| near.place))
    }

    /// The cosine of the two lists of neighbours.
    fn with(&self, other: &[Neighbor]) -> f32 {
        let dot: u64 = other.iter().filter_map(|near| Some(self.near[self.find(near.place).ok()?].product(near))).sum();
        if dot > 0 { dot as f32 / (self.square as f32 * square(other) as f32).sqrt() } else { 0.0 }
    }
}

/// The square of the length of a list of neighbours, in 65,535²ths.
fn square(near: &[Neighbor]) -> u64 {
    near.iter().map(|near| near.product(near)).sum()
}

/// The cosine of two lists of neighbours.
pub(super) fn company(one: &[Neighbor], other: &[Neighbor]) -> f32 {
    NeighborProfile::of(one).with(other)
}

/// NeighborList items in which a term's local share is counted, and how many are taken to lie beside them without it.
const LOCAL_DF_NEIGHBORS: usize = 24;
const LOCAL_DF_PRIOR: usize = 5;

fn find(window: &ItemWindow, place: ItemSeq, scratch: &mut SearchBuffers) {
    let SearchBuffers { tally, found, both, local } = scratch;
    found.clear();
    both.clear();
    local.clear();
    let Some(item) = window.at(place) else { return };
    local.resize(item.terms.len(), 0);
    let mut left = MAX_POSTINGS_READ;
    let strongest: SmallVec<[WeightedTerm; INDEXED_TERMS]> = strongest(&item.terms).collect();
    window.vocabulary.call_filed(strongest.iter().map(|term| term.entry), MAX_POSTINGS_READ);
    for term in strongest {
        if left == 0 {
            break;
        }
        // What the other item gives the term is not known yet; as much as this one is a good guess.
        let part = u32::from(term.weight) * u32::from(term.weight);
        let filed = window.vocabulary.filed(term.entry, window.first());
        let alone = filed.len() < COMMON_TERM_POSTINGS;
        let latest = filed.iter().rev().take(left);
        left -= latest.len();
        latest.filter(|other| **other != place).for_each(|other| tally.add(*other, part, alone));
    }
    // The terms of all candidates are asked for before the first is read: memory answers many calls at once as fast as one.
    let candidates: SmallVec<[(ItemSeq, &[WeightedTerm]); MAX_CANDIDATES]> =
        tally.best().filter_map(|place| Some((place, &*window.at(place)?.terms))).collect();
    std::hint::black_box(candidates.iter().fold(0, |sum, (_, terms)| {
        terms.iter().step_by(8).chain(terms.last()).fold(sum, |sum, term| sum ^ term.entry)
    }));
    let sieve = BloomPrefilter::new(&item.terms);
    for (place, terms) in candidates {
        let start = both.len() as u16;
        let cosine = sieve.overlap(terms, both);
        if cosine > MIN_NEIGHBOR_COSINE {
            found.push(Found { place, cosine, both: start..both.len() as u16 });
        }
    }
    found.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine).then(b.place.cmp(&a.place)));
    found.truncate(MAX_NEIGHBORS);
    for (own, _) in found.iter().take(LOCAL_DF_NEIGHBORS).flat_map(|found| found.both(both)) {
        local[usize::from(*own)] += 1;
    }
}

/// Puts a neighbour into an item's list, nearest first.
fn tell(item: &mut IndexedItem, near: Neighbor, new: bool) {
    item.near.retain(|known| known.place != near.place);
    let at = item.near.partition_point(|known| known.cosine() >= near.cosine());
    if at < MAX_NEIGHBORS {
        item.near.truncate(MAX_NEIGHBORS - 1);
        if item.near.len() == item.near.capacity() {
            // Not the doubling of a usual list, which never has more.
            item.near.reserve_exact(MAX_NEIGHBORS - item.near.len());
        }
        item.near.insert(at, near);
        item.news = item.news.saturating_add(u8::from(new));
    }
}

/// Two of a series: one outlet's titles that differ in their numbers, "hints for June 21" and "hints for June 22"; or a
/// name's other number, "Lumen 9" and "Lumen 10", wherever it stands.
pub(super) fn is_cannot_link(one: &IndexedItem, other: &IndexedItem) -> bool {
    let differs = one.numbers.iter().filter(|n| n.named).any(|n| {
        let same = |m: &&super::window::TitleNumber| m.of == n.of;
        other.numbers.iter().any(|m| same(&m) && m.number != n.number)
            && !other.numbers.iter().any(|m| same(&m) && m.number == n.number)
    });
    differs || (one.outlet == other.outlet && series(&one.terms, &other.terms))
}

fn series(one: &[WeightedTerm], other: &[WeightedTerm]) -> bool {
    let alone = |these: &[WeightedTerm], those: &[WeightedTerm]| {
        let (mut numbers, mut words, mut shared) = (0, 0, 0);
        for term in these.iter().filter(|term| term.in_title()) {
            match those.binary_search_by_key(&term.entry, |other| other.entry) {
                Ok(at) if those[at].in_title() => shared += 1,
                _ if term.is(TermKind::Number) => numbers += 1,
                _ => words += 1,
            }
        }
        (numbers, words, shared)
    };
    let (numbers, words, shared) = alone(one, other);
    if numbers == 0 || words > 1 || shared < 2 {
        return false;
    }
    let (numbers, words, _) = alone(other, one);
    numbers > 0 && words <= 1
}
