//! Finds the items nearest to one, and judges each of them.
//!
//! Candidates come from an inverted index over every item's strongest terms; they are compared in full, and the
//! nearest are judged by the learned model, which also hears what the neighbours of both have in common.

use super::memory::{Kind, Memory, Near, Nearest, Remembered, Sums, Weighed};
use super::model::Model;
use super::pair::{Both, Crowd, Features, Sieve, features};
use super::vocabulary::{POSTINGS, Place, spread};
use smallvec::SmallVec;

/// Terms of an item by which others find it, and by which it looks for others.
const INDEXED: usize = 16;
/// Entries of the index that are read for one item, the strongest terms first.
const READ: usize = 320;
/// Items that are compared in full.
const COMPARED: usize = 32;
/// The part of a cosine that the indexed terms must make for an item to be compared in full, in 65,535²ths: 0.06.
const LIKELY: u32 = 65_535 * 65_535 / 100 * 6;
/// A term under which so many items are filed is by itself no reason to compare them: of all that one term alone brings, one
/// in thirty is near.
const COMMON: usize = POSTINGS / 2;
/// Neighbours that an item keeps.
pub(super) const NEAR: usize = 24;
/// The cosine below which an item is no neighbour.
const LEAST: f32 = 0.14;
/// Log-odds of a pair that a rule keeps apart, whatever else it shares.
const NEVER: f32 = -20.0;

/// What is used again for each item.
#[derive(Default)]
pub(super) struct Scratch {
    tally: Tally,
    found: Vec<Found>,
    /// What the item and each found one both hold, one after the other.
    both: Vec<Both>,
    local: Vec<u16>,
}

/// Where places stand in a list of less than half as many: an open table, because each is looked up for many items.
struct Positions<const SLOTS: usize>([u16; SLOTS]);

impl<const SLOTS: usize> Positions<SLOTS> {
    const NONE: u16 = u16::MAX;

    fn new() -> Self {
        Positions([Self::NONE; SLOTS])
    }

    /// The position of a place, else the slot into which it goes. `listed` is the place at a position, if the list is so long.
    fn find(&self, place: Place, listed: impl Fn(usize) -> Option<Place>) -> Result<usize, usize> {
        let mut slot = spread(place, SLOTS.ilog2());
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
struct Tally {
    positions: Box<Positions<{ Tally::SLOTS }>>,
    /// A sum in 65,535²ths, which is less than 1, and below it a place: they are in order as numbers.
    found: Vec<u64>,
}

impl Tally {
    /// Never more than an eighth full, so that almost all is found where it is looked for first.
    const SLOTS: usize = (8 * READ).next_power_of_two();
    /// The lowest bit of a sum: the place is worth comparing.
    const WORTH: u64 = 1 << 32;

    /// `alone`: an item is worth comparing for this part, even where nothing else is shared.
    fn add(&mut self, place: Place, part: u32, alone: bool) {
        let part = u64::from(part) << 32 & !Tally::WORTH;
        match self.positions.find(place, |position| self.found.get(position).map(|sum| *sum as Place)) {
            Ok(position) => self.found[position] = (self.found[position] + part) | Tally::WORTH,
            Err(slot) => {
                self.positions.0[slot] = self.found.len() as u16;
                let worth = if alone { Tally::WORTH } else { 0 };
                self.found.push(part | worth | u64::from(place));
            }
        }
    }

    /// Gives out the [`COMPARED`] places with the greatest sums, the greatest first and of equals the later place; and is
    /// empty.
    fn best(&mut self) -> impl Iterator<Item = Place> {
        self.positions.0.fill(Positions::<{ Tally::SLOTS }>::NONE);
        self.found.retain(|sum| sum & Tally::WORTH > 0 && (sum >> 32) as u32 > LIKELY);
        if self.found.len() > COMPARED {
            self.found.select_nth_unstable_by(COMPARED, |a, b| b.cmp(a));
            self.found.truncate(COMPARED);
        }
        self.found.sort_unstable_by(|a, b| b.cmp(a));
        self.found.drain(..).map(|sum| sum as Place)
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { positions: Box::new(Positions::new()), found: Vec::with_capacity(READ) }
    }
}

struct Found {
    place: Place,
    cosine: f32,
    /// Where in [`Scratch::both`] it stands.
    both: std::ops::Range<u16>,
}

impl Found {
    fn both<'a>(&self, all: &'a [Both]) -> &'a [Both] {
        &all[usize::from(self.both.start)..usize::from(self.both.end)]
    }
}

/// An item's terms, the strongest first, as many as are indexed.
fn strongest(terms: &[Weighed]) -> impl Iterator<Item = Weighed> {
    let mut order: SmallVec<[Weighed; 64]> = terms.iter().copied().collect();
    order.sort_unstable_by(|a, b| b.weight.cmp(&a.weight).then(a.entry.cmp(&b.entry)));
    order.truncate(INDEXED);
    order.into_iter()
}

/// Files an item under its strongest terms.
pub(super) fn file(memory: &mut Memory, place: Place) {
    let Some(item) = memory.at(place) else { return };
    for term in strongest(&item.terms).collect::<SmallVec<[Weighed; INDEXED]>>() {
        memory.vocabulary.file(term.entry, place);
    }
}

/// Weighs an item's terms anew, by what was learned of them since it came.
pub(super) fn refresh(memory: &mut Memory, place: Place) {
    let Some(item) = memory.at(place) else { return };
    let mut anew = SmallVec::<[(f32, f32, Kind); 64]>::new();
    let mut square = 0.0;
    for term in &item.terms {
        let rarity = memory.vocabulary.rarity(term.entry);
        let weight = term.weight() / term.rarity().max(1.0 / 255.0) * rarity;
        square += weight * weight;
        let kind = match term.is(Kind::Number) {
            true => Kind::Number,
            false if memory.vocabulary.is_name(term.entry) => Kind::Name,
            false => Kind::Word,
        };
        anew.push((weight, rarity, kind));
    }
    let length = square.sqrt().max(1e-6);
    let Some(item) = memory.at_mut(place) else { return };
    for (term, (weight, rarity, kind)) in item.terms.iter_mut().zip(anew) {
        term.set(weight / length, rarity, kind);
    }
    item.sums = Sums::of(&item.terms);
}

/// Finds an item's neighbours anew, judges them, and tells those that are new to it. `seen` is shown every pair.
pub(super) fn judge(
    memory: &mut Memory,
    place: Place,
    model: &Model,
    scratch: &mut Scratch,
    mut seen: impl FnMut(Place, &Features),
) {
    find(memory, place, scratch);
    if let Some(leader) = leader(memory, place, scratch) {
        memory.make_passive(place, leader);
    }
    let Scratch { found, both, local, .. } = scratch;
    let Some(item) = memory.at_mut(place) else { return };
    for (term, count) in item.terms.iter_mut().zip(local) {
        term.set_local(f32::from(*count) / (found.len().min(LOCAL) + LOCAL_BEFORE) as f32);
    }
    item.sums = Sums::of(&item.terms);
    item.news = 0;
    let near: SmallVec<[Near; NEAR]> = found.iter().map(|found| Near::new(found.place, found.cosine)).collect();
    let Some(item) = memory.at(place) else { return };
    let (crowd, company) = (Crowd::of(&near), Company::of(&near));
    // As above: all neighbours' neighbours are asked for before the first is read.
    let others = found.iter().filter_map(|found| memory.at(found.place));
    std::hint::black_box(
        others.fold(0, |sum, other| other.near.iter().step_by(8).fold(sum, |sum, near| sum ^ near.place)),
    );
    let mut judged = SmallVec::<[Near; NEAR]>::new();
    for (found, near) in found.iter().zip(&near) {
        let Some(other) = memory.at(found.place) else { continue };
        let crowds = [crowd, Crowd::of(&other.near)];
        let company = company.with(&other.near);
        let features = features((item, other), found.cosine, found.both(both), company, crowds);
        seen(found.place, &features);
        judged.push(near.judged(if kept_apart(item, other) { NEVER } else { model.score(&features) }));
    }
    let passive = item.passive;
    let Some(item) = memory.at_mut(place) else { return };
    let known = std::mem::replace(&mut item.near, Nearest::from_slice(&judged));
    for near in judged.into_iter().filter(|_| !passive) {
        let new = !known.iter().any(|known| known.place == near.place);
        if let Some(other) = memory.at_mut(near.place) {
            tell(other, near.seen_from(place), new);
        }
    }
}

/// Terms of a title from which nobody else writes the same one by chance.
const TELLING: usize = 2;

/// The item with which this one goes, where it has nothing to say of its own: the one whose headline it repeats; for one
/// of too many of its outlet, the nearest.
fn leader(memory: &Memory, place: Place, scratch: &Scratch) -> Option<Place> {
    let item = memory.at(place)?;
    let telling = item.terms.iter().filter(|term| term.in_title()).count() >= TELLING;
    let repeats = |found: &&Found| {
        let other = memory.at(found.place);
        // The first to say it leads; a repetition that was judged again must not become its own leader's.
        let first = super::vocabulary::before(found.place, place);
        telling && first && other.is_some_and(|other| other.is_titled_as(item) && !other.passive)
    };
    let repeated = scratch.found.iter().find(repeats).map(|found| found.place);
    repeated.or_else(|| scratch.found.first().filter(|_| item.passive).map(|found| found.place))
}

/// An item's neighbours, ready to be compared with another's.
struct Company<'a> {
    near: &'a [Near],
    positions: Positions<256>,
    square: u64,
}

impl<'a> Company<'a> {
    fn of(near: &'a [Near]) -> Company<'a> {
        let mut company = Company { near, positions: Positions::new(), square: square(near) };
        for (position, near) in near.iter().enumerate() {
            if let Err(slot) = company.find(near.place) {
                company.positions.0[slot] = position as u16;
            }
        }
        company
    }

    fn find(&self, place: Place) -> Result<usize, usize> {
        self.positions.find(place, |position| self.near.get(position).map(|near| near.place))
    }

    /// The cosine of the two lists of neighbours.
    fn with(&self, other: &[Near]) -> f32 {
        let dot: u64 = other.iter().filter_map(|near| Some(self.near[self.find(near.place).ok()?].product(near))).sum();
        if dot > 0 { dot as f32 / (self.square as f32 * square(other) as f32).sqrt() } else { 0.0 }
    }
}

/// The square of the length of a list of neighbours, in 65,535²ths.
fn square(near: &[Near]) -> u64 {
    near.iter().map(|near| near.product(near)).sum()
}

/// The cosine of two lists of neighbours.
pub(super) fn company(one: &[Near], other: &[Near]) -> f32 {
    Company::of(one).with(other)
}

/// Nearest items in which a term's local share is counted, and how many are taken to lie beside them without it.
const LOCAL: usize = 24;
const LOCAL_BEFORE: usize = 5;

fn find(memory: &Memory, place: Place, scratch: &mut Scratch) {
    let Scratch { tally, found, both, local } = scratch;
    found.clear();
    both.clear();
    local.clear();
    let Some(item) = memory.at(place) else { return };
    local.resize(item.terms.len(), 0);
    let mut left = READ;
    let strongest: SmallVec<[Weighed; INDEXED]> = strongest(&item.terms).collect();
    memory.vocabulary.call_filed(strongest.iter().map(|term| term.entry), READ);
    for term in strongest {
        if left == 0 {
            break;
        }
        // What the other item gives the term is not known yet; as much as this one is a good guess.
        let part = u32::from(term.weight) * u32::from(term.weight);
        let filed = memory.vocabulary.filed(term.entry, memory.first());
        let alone = filed.len() < COMMON;
        let latest = filed.iter().rev().take(left);
        left -= latest.len();
        latest.filter(|other| **other != place).for_each(|other| tally.add(*other, part, alone));
    }
    // The terms of all candidates are asked for before the first is read: memory answers many calls at once as fast as one.
    let candidates: SmallVec<[(Place, &[Weighed]); COMPARED]> =
        tally.best().filter_map(|place| Some((place, &*memory.at(place)?.terms))).collect();
    std::hint::black_box(candidates.iter().fold(0, |sum, (_, terms)| {
        terms.iter().step_by(8).chain(terms.last()).fold(sum, |sum, term| sum ^ term.entry)
    }));
    let sieve = Sieve::new(&item.terms);
    for (place, terms) in candidates {
        let start = both.len() as u16;
        let cosine = sieve.overlap(terms, both);
        if cosine > LEAST {
            found.push(Found { place, cosine, both: start..both.len() as u16 });
        }
    }
    found.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine).then(b.place.cmp(&a.place)));
    found.truncate(NEAR);
    for (own, _) in found.iter().take(LOCAL).flat_map(|found| found.both(both)) {
        local[usize::from(*own)] += 1;
    }
}

/// Puts a neighbour into an item's list, nearest first.
fn tell(item: &mut Remembered, near: Near, new: bool) {
    item.near.retain(|known| known.place != near.place);
    let at = item.near.partition_point(|known| known.cosine() >= near.cosine());
    if at < NEAR {
        item.near.truncate(NEAR - 1);
        if item.near.len() == item.near.capacity() {
            // Not the doubling of a usual list, which never has more.
            item.near.reserve_exact(NEAR - item.near.len());
        }
        item.near.insert(at, near);
        item.news = item.news.saturating_add(u8::from(new));
    }
}

/// Two of a series: one outlet's titles that differ in their numbers, "hints for June 21" and "hints for June 22"; or a
/// name's other number, "Lumen 9" and "Lumen 10", wherever it stands.
pub(super) fn kept_apart(one: &Remembered, other: &Remembered) -> bool {
    let differs = one.numbers.iter().filter(|n| n.named).any(|n| {
        let same = |m: &&super::memory::Numbered| m.of == n.of;
        other.numbers.iter().any(|m| same(&m) && m.number != n.number)
            && !other.numbers.iter().any(|m| same(&m) && m.number == n.number)
    });
    differs || (one.outlet == other.outlet && series(&one.terms, &other.terms))
}

fn series(one: &[Weighed], other: &[Weighed]) -> bool {
    let alone = |these: &[Weighed], those: &[Weighed]| {
        let (mut numbers, mut words, mut shared) = (0, 0, 0);
        for term in these.iter().filter(|term| term.in_title()) {
            match those.binary_search_by_key(&term.entry, |other| other.entry) {
                Ok(at) if those[at].in_title() => shared += 1,
                _ if term.is(Kind::Number) => numbers += 1,
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
