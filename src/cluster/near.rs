//! Finds the items nearest to one, and judges each of them.
//!
//! Candidates come from an inverted index over every item's strongest terms; they are compared in full, and the
//! nearest are judged by the learned model, which also hears what the neighbours of both have in common.

use super::memory::{Kind, Memory, Near, Remembered, Sums, Weighed};
use super::model::Model;
use super::pair::{Crowd, Features, Overlap, Sieve, features};
use super::vocabulary::Place;

/// Terms of an item by which others find it, and by which it looks for others.
const INDEXED: usize = 16;
/// Entries of the index that are read for one item, the strongest terms first.
const READ: usize = 512;
/// Items that are compared in full.
const COMPARED: usize = 32;
/// The part of a cosine that the indexed terms must make for an item to be compared in full.
const LIKELY: f32 = 0.03;
/// Neighbours that an item keeps.
pub(super) const NEAR: usize = 24;
/// The cosine below which an item is no neighbour.
const LEAST: f32 = 0.1;
/// Log-odds of a pair that a rule keeps apart, whatever else it shares.
const NEVER: f32 = -20.0;

/// What is used again for each item.
#[derive(Default)]
pub(super) struct Scratch {
    tally: Tally,
    ranked: Vec<(f32, Place)>,
    found: Vec<Found>,
    local: Vec<u16>,
}

/// Adds up by place what candidates share with one item: an open table that is emptied by what was put in, because this
/// is done hundreds of times for each item.
struct Tally {
    /// The weight is 0 where there is none.
    slots: Box<[(Place, f32); Tally::SLOTS]>,
    used: Vec<u16>,
}

impl Tally {
    /// Never more than half full.
    const SLOTS: usize = 2 * READ;
    const BITS: u32 = Tally::SLOTS.ilog2();

    fn add(&mut self, place: Place, part: f32) {
        let mut at = (place.wrapping_mul(0x9e37_79b1) >> (32 - Tally::BITS)) as usize;
        while self.slots[at].1 > 0.0 && self.slots[at].0 != place {
            at = (at + 1) % Tally::SLOTS;
        }
        let (key, weight) = &mut self.slots[at];
        if *weight == 0.0 && part > 0.0 {
            *key = place;
            self.used.push(at as u16);
        }
        *weight += part;
    }

    /// Gives out the weights and places, in the order in which they came, and is empty.
    fn drain(&mut self) -> impl Iterator<Item = (f32, Place)> {
        self.used.drain(..).map(|at| {
            let (place, weight) = std::mem::take(&mut self.slots[usize::from(at)]);
            (weight, place)
        })
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { slots: Box::new([(0, 0.0); Tally::SLOTS]), used: Vec::new() }
    }
}

struct Found {
    place: Place,
    overlap: Overlap,
}

/// An item's terms, the strongest first, as many as are indexed.
fn strongest(terms: &[Weighed]) -> impl Iterator<Item = Weighed> {
    let mut order: smallvec::SmallVec<[Weighed; 64]> = terms.iter().copied().collect();
    order.sort_unstable_by(|a, b| b.weight.cmp(&a.weight).then(a.entry.cmp(&b.entry)));
    order.truncate(INDEXED);
    order.into_iter()
}

/// Files an item under its strongest terms.
pub(super) fn file(memory: &mut Memory, place: Place) {
    let Some(item) = memory.at(place) else { return };
    for term in strongest(&item.terms).collect::<smallvec::SmallVec<[Weighed; INDEXED]>>() {
        memory.vocabulary.file(term.entry, place);
    }
}

/// Weighs an item's terms anew, by what was learned of them since it came.
pub(super) fn refresh(memory: &mut Memory, place: Place) {
    let Some(item) = memory.at(place) else { return };
    let mut anew = smallvec::SmallVec::<[(f32, f32, Kind); 64]>::new();
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
    let Some(item) = memory.at_mut(place) else { return };
    for (term, count) in item.terms.iter_mut().zip(&scratch.local) {
        term.set_local(f32::from(*count) / (scratch.found.len().min(LOCAL) + LOCAL_BEFORE) as f32);
    }
    item.sums = Sums::of(&item.terms);
    let known: smallvec::SmallVec<[Place; NEAR]> = item.near.iter().map(|near| near.place).collect();
    item.near = scratch.found.iter().map(|found| Near::new(found.place, found.overlap.cosine, NEVER)).collect();
    item.news = 0;
    let Some(item) = memory.at(place) else { return };
    let (crowd, company) = (Crowd::of(&item.near), Company::of(&item.near));
    let others = || scratch.found.iter().filter_map(|found| memory.at(found.place));
    // As above: all lists are asked for before the first is read.
    std::hint::black_box(
        others().fold(0, |sum, other| other.near.iter().step_by(8).fold(sum, |sum, near| sum ^ near.place)),
    );
    let mut scores = smallvec::SmallVec::<[f32; NEAR]>::new();
    for found in &scratch.found {
        let Some(other) = memory.at(found.place) else { continue };
        let crowds = [crowd, Crowd::of(&other.near)];
        let features = features(item, other, found.overlap, company.with(&other.near), crowds);
        seen(found.place, &features);
        scores.push(if kept_apart(item, other) { NEVER } else { model.score(&features) });
    }
    let passive = item.passive;
    for (found, score) in scratch.found.iter().zip(scores) {
        let near = Near::new(found.place, found.overlap.cosine, score);
        if let Some(item) = memory.at_mut(place)
            && let Some(at) = item.near.iter_mut().find(|near| near.place == found.place)
        {
            *at = near;
        }
        if !passive && let Some(other) = memory.at_mut(found.place) {
            tell(other, Near::new(place, found.overlap.cosine, score), !known.contains(&found.place));
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
        telling && first && other.is_some_and(|other| other.title == item.title && !other.passive)
    };
    let repeated = scratch.found.iter().find(repeats).map(|found| found.place);
    repeated.or_else(|| scratch.found.first().filter(|_| item.passive).map(|found| found.place))
}

/// An item's neighbours, ready to be compared with another's.
struct Company<'a> {
    near: &'a [Near],
    /// A bit for each neighbour's place: most places of others' lists are not among them, and this says so at once.
    bits: u64,
    square: f32,
}

impl<'a> Company<'a> {
    /// The cosine from which a neighbour counts.
    const LEAST: f32 = 0.1;

    fn of(near: &'a [Near]) -> Company<'a> {
        let near = &near[..near.partition_point(|near| near.cosine() > Self::LEAST)];
        let bits = near.iter().fold(0, |bits, near| bits | bit(near.place));
        Company { near, bits, square: near.iter().map(|near| near.cosine() * near.cosine()).sum() }
    }

    /// The cosine of the two lists of neighbours.
    fn with(&self, other: &[Near]) -> f32 {
        let (mut dot, mut square) = (0.0, 0.0);
        for near in other.iter().take_while(|near| near.cosine() > Self::LEAST) {
            square += near.cosine() * near.cosine();
            if self.bits & bit(near.place) != 0
                && let Some(own) = self.near.iter().find(|own| own.place == near.place)
            {
                dot += own.cosine() * near.cosine();
            }
        }
        if dot > 0.0 { dot / (self.square * square).sqrt() } else { 0.0 }
    }
}

/// The cosine of two lists of neighbours.
pub(super) fn company(one: &[Near], other: &[Near]) -> f32 {
    Company::of(one).with(other)
}

fn bit(place: Place) -> u64 {
    1 << (place.wrapping_mul(0x9e37_79b1) >> 26)
}

/// Nearest items in which a term's local share is counted, and how many are taken to lie beside them without it.
const LOCAL: usize = 24;
const LOCAL_BEFORE: usize = 5;

fn find(memory: &Memory, place: Place, scratch: &mut Scratch) {
    scratch.found.clear();
    scratch.local.clear();
    let Some(item) = memory.at(place) else { return };
    scratch.local.resize(item.terms.len(), 0);
    let mut left = READ;
    let strongest: smallvec::SmallVec<[Weighed; INDEXED]> = strongest(&item.terms).collect();
    memory.vocabulary.call_filed(strongest.iter().map(|term| term.entry));
    for term in strongest {
        // What the other item gives the term is not known yet; as much as this one is a good guess.
        let part = term.weight() * term.weight();
        let filed = memory.vocabulary.filed(term.entry).take(left);
        left -= filed.len();
        filed.for_each(|other| scratch.tally.add(other, part));
    }
    scratch.ranked.clear();
    scratch.ranked.extend(scratch.tally.drain().filter(|(weight, other)| *weight > LIKELY && *other != place));
    // The later item first where weights are equal, so that nothing depends on the order of finding.
    let order = |a: &(f32, Place), b: &(f32, Place)| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1));
    if scratch.ranked.len() > COMPARED {
        scratch.ranked.select_nth_unstable_by(COMPARED, order);
        scratch.ranked.truncate(COMPARED);
    }
    scratch.ranked.sort_unstable_by(order);
    // The terms of all candidates are asked for before the first is read: memory answers many calls at once as fast as one.
    let candidates: smallvec::SmallVec<[(Place, &[Weighed]); COMPARED]> =
        scratch.ranked.iter().filter_map(|(_, place)| Some((*place, &*memory.at(*place)?.terms))).collect();
    std::hint::black_box(
        candidates.iter().fold(0, |sum, (_, terms)| terms.iter().step_by(8).fold(sum, |sum, term| sum ^ term.entry)),
    );
    let sieve = Sieve::new(&item.terms);
    let overlaps = candidates.into_iter().map(|(place, terms)| Found { place, overlap: sieve.overlap(terms) });
    scratch.found.extend(overlaps.filter(|found| found.overlap.cosine > LEAST));
    let cosine = |found: &Found| found.overlap.cosine;
    scratch.found.sort_unstable_by(|a, b| cosine(b).total_cmp(&cosine(a)).then(b.place.cmp(&a.place)));
    scratch.found.truncate(NEAR);
    for at in scratch.found.iter().take(LOCAL).flat_map(|found| found.overlap.positions()) {
        scratch.local[at] += 1;
    }
}

/// Puts a neighbour into an item's list, nearest first.
fn tell(item: &mut Remembered, near: Near, new: bool) {
    item.near.retain(|known| known.place != near.place);
    let at = item.near.partition_point(|known| known.cosine() >= near.cosine());
    if at < NEAR {
        item.near.truncate(NEAR - 1);
        if item.near.len() == item.near.capacity() {
            // Not the doubling of a usual list: there are many such lists, and each is short.
            item.near.reserve_exact(4);
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
