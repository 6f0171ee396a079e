//! Finds the items nearest to one, and judges each of them.
//!
//! Candidates come from an inverted index over every item's strongest terms; they are compared in full, and the
//! nearest are judged by the learned model, which also hears what the neighbours of both have in common.

use super::memory::{Kind, Memory, Near, Remembered, Weighed};
use super::model::Model;
use super::pair::{Crowd, Features, features, overlap};
use super::vocabulary::{Place, Posting};
use rustc_hash::FxHashMap;

/// Terms of an item by which others find it, and by which it looks for others.
pub(super) const INDEXED: usize = 16;
/// Entries of the index that are read for one item.
const READ: usize = 640;
/// Items that are compared in full.
const COMPARED: usize = 40;
/// Neighbours that an item keeps.
pub(super) const NEAR: usize = 32;
/// The cosine below which an item is no neighbour.
const LEAST: f32 = 0.07;
/// Log-odds of a pair that a rule keeps apart, whatever else it shares.
const NEVER: f32 = -20.0;

/// What is used again for each item.
#[derive(Default)]
pub(super) struct Scratch {
    weights: FxHashMap<Place, f32>,
    ranked: Vec<(f32, Place)>,
    found: Vec<Found>,
    own: FxHashMap<Place, f32>,
    local: Vec<u16>,
}

struct Found {
    place: Place,
    cosine: f32,
}

/// An item's terms, the strongest first, as many as are indexed.
pub(super) fn strongest(terms: &[Weighed]) -> impl Iterator<Item = Weighed> {
    let mut order: smallvec::SmallVec<[Weighed; 64]> = terms.iter().copied().collect();
    order.sort_unstable_by(|a, b| b.weight.cmp(&a.weight).then(a.entry.cmp(&b.entry)));
    order.truncate(INDEXED);
    order.into_iter()
}

/// Files an item under its strongest terms.
pub(super) fn file(memory: &mut Memory, place: Place) {
    let Some(item) = memory.at(place) else { return };
    for term in strongest(&item.terms).collect::<smallvec::SmallVec<[Weighed; INDEXED]>>() {
        memory.vocabulary.file(term.entry, Posting { place, weight: term.weight });
    }
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
    let Some(item) = memory.at_mut(place) else { return };
    for (term, count) in item.terms.iter_mut().zip(&scratch.local) {
        term.set_local(f32::from(*count) / (scratch.found.len().min(LOCAL) + LOCAL_BEFORE) as f32);
    }
    let known: smallvec::SmallVec<[Place; NEAR]> = item.near.iter().map(|near| near.place).collect();
    item.near = scratch.found.iter().map(|found| Near::new(found.place, found.cosine, NEVER)).collect();
    item.news = 0;
    let item = &*item;
    let crowd = Crowd::of(&item.near);
    scratch.own.clear();
    let company = |near: &&Near| near.cosine() > COMPANY;
    scratch.own.extend(item.near.iter().filter(company).map(|near| (near.place, near.cosine())));
    let own_length = scratch.own.values().map(|c| c * c).sum::<f32>();
    let mut scores = smallvec::SmallVec::<[f32; NEAR]>::new();
    let Some(item) = memory.at(place) else { return };
    for found in &scratch.found {
        let Some(other) = memory.at(found.place) else { continue };
        let (mut dot, mut length) = (0.0, 0.0);
        for near in other.near.iter().filter(company) {
            length += near.cosine() * near.cosine();
            if let Some(own) = scratch.own.get(&near.place) {
                dot += own * near.cosine();
            }
        }
        let lengths = (own_length * length).sqrt();
        let company = if lengths > 0.0 { dot / lengths } else { 0.0 };
        let features = features(item, other, found.cosine, company, [crowd, Crowd::of(&other.near)]);
        seen(found.place, &features);
        scores.push(if kept_apart(item, other) { NEVER } else { model.score(&features) });
    }
    let passive = item.passive;
    for (found, score) in scratch.found.iter().zip(scores) {
        let near = Near::new(found.place, found.cosine, score);
        if let Some(item) = memory.at_mut(place)
            && let Some(at) = item.near.iter_mut().find(|near| near.place == found.place)
        {
            *at = near;
        }
        if !passive && let Some(other) = memory.at_mut(found.place) {
            tell(other, Near::new(place, found.cosine, score), !known.contains(&found.place));
        }
    }
}

/// Nearest items in which a term's local share is counted, and how many are taken to lie beside them without it.
const LOCAL: usize = 30;
const LOCAL_BEFORE: usize = 5;
/// The cosine from which a neighbour counts as company.
const COMPANY: f32 = 0.1;

fn find(memory: &Memory, place: Place, scratch: &mut Scratch) {
    scratch.weights.clear();
    scratch.found.clear();
    scratch.local.clear();
    let Some(item) = memory.at(place) else { return };
    scratch.local.resize(item.terms.len(), 0);
    let mut left = READ;
    for term in strongest(&item.terms) {
        for posting in memory.vocabulary.filed(term.entry).take(left) {
            left -= 1;
            *scratch.weights.entry(posting.place).or_insert(0.0) += f32::from(posting.weight) * term.weight();
        }
    }
    scratch.weights.remove(&place);
    scratch.ranked.clear();
    scratch.ranked.extend(scratch.weights.iter().map(|(place, weight)| (*weight, *place)));
    // The later item first where weights are equal, so that nothing depends on the order of a hash map.
    let order = |a: &(f32, Place), b: &(f32, Place)| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1));
    if scratch.ranked.len() > COMPARED {
        scratch.ranked.select_nth_unstable_by(COMPARED, order);
        scratch.ranked.truncate(COMPARED);
    }
    scratch.ranked.sort_unstable_by(order);
    let mut shared = smallvec::SmallVec::<[(f32, Place, u64); COMPARED]>::new();
    for (_, other) in &scratch.ranked {
        let Some(remembered) = memory.at(*other) else { continue };
        let overlap = overlap(&item.terms, &remembered.terms);
        if overlap.cosine > LEAST {
            shared.push((overlap.cosine, *other, overlap.shared));
        }
    }
    shared.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    shared.truncate(NEAR);
    for (n, (cosine, place, mut bits)) in shared.into_iter().enumerate() {
        scratch.found.push(Found { place, cosine });
        while n < LOCAL && bits != 0 {
            if let Some(count) = scratch.local.get_mut(bits.trailing_zeros() as usize) {
                *count += 1;
            }
            bits &= bits - 1;
        }
    }
}

/// Puts a neighbour into an item's list, nearest first.
fn tell(item: &mut Remembered, near: Near, new: bool) {
    item.near.retain(|known| known.place != near.place);
    let at = item.near.partition_point(|known| known.cosine() >= near.cosine());
    if at < NEAR {
        item.near.truncate(NEAR - 1);
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
