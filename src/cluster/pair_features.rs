//! Two items side by side: what they share, as the numbers that the model weighs.
//!
//! All numbers are free of the size of the stream (rarities are relative, likenesses are cosines and shares), so that
//! what was learned on three thousand items holds for a million.

use super::term_index::fibonacci_hash;
use super::window::{IndexedItem, TermKind, WeightedTerm};

/// The names of the numbers, in order; `weights.txt` names them so.
pub const FEATURE_NAMES: [&str; 14] = [
    "likeness",
    "likeness of titles",
    "likeness of names",
    "company",
    "shared fresh rarity",
    "shared fresh title",
    "unshared fresh title",
    "rarest shared name",
    "days apart",
    "one outlet",
    "roundup",
    "offer",
    "lead over others",
    "crowd",
];

/// The numbers of one pair.
pub type PairFeatures = [f32; FEATURE_NAMES.len()];

/// A term that both items of a pair hold: where it stands in the one, and where in the other.
pub(super) type SharedTerm = (u8, u8);

/// An item's terms, ready to be compared with many others'.
pub(super) struct BloomPrefilter<'a> {
    terms: &'a [WeightedTerm],
    /// A bit for each term: most terms of others are not among them, and this says so at once.
    bits: [u64; 32],
}

impl<'a> BloomPrefilter<'a> {
    pub(super) fn new(terms: &'a [WeightedTerm]) -> BloomPrefilter<'a> {
        let mut bits = [0; 32];
        for term in terms {
            let (word, bit) = Self::bit(term.entry);
            bits[word] |= bit;
        }
        BloomPrefilter { terms, bits }
    }

    fn bit(entry: u32) -> (usize, u64) {
        let hash = fibonacci_hash(entry, 11);
        (hash >> 6, 1 << (hash & 63))
    }

    /// The cosine with another item; `both` gets what both hold.
    pub(super) fn overlap(&self, other: &[WeightedTerm], both: &mut impl Extend<SharedTerm>) -> f32 {
        let mut dot = 0u64;
        for (theirs, y) in other.iter().enumerate() {
            let (word, bit) = Self::bit(y.entry);
            if self.bits[word] & bit != 0
                && let Ok(ours) = self.terms.binary_search_by_key(&y.entry, |x| x.entry)
            {
                dot += u64::from(self.terms[ours].weight) * u64::from(y.weight);
                both.extend([(ours as u8, theirs as u8)]);
            }
        }
        dot as f32 / (65535.0 * 65535.0)
    }
}

/// What the neighbours of an item say of a likeness.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LocalDensity {
    /// The mean cosine of the second to the sixth.
    pub next: f32,
    /// The cosine of the twentieth, 0 where there are fewer.
    pub twentieth: f32,
}

impl LocalDensity {
    pub(super) fn of(near: &[super::window::Neighbor]) -> LocalDensity {
        let at = |n: usize| near.get(n).map_or(0.0, |near| near.cosine());
        LocalDensity { next: (1..6).map(at).sum::<f32>() / 5.0, twentieth: at(19) }
    }
}

/// The numbers of a pair. `company` is the cosine of the two lists of neighbours.
pub(super) fn features(
    (a, b): (&IndexedItem, &IndexedItem),
    cosine: f32,
    both: &[SharedTerm],
    company: f32,
    crowds: [LocalDensity; 2],
) -> PairFeatures {
    let mut sum = Shared::default();
    for (x, y) in both {
        sum.add(a.terms[usize::from(*x)], b.terms[usize::from(*y)]);
    }
    let unshared_fresh = (a.sums.fresh_title + b.sums.fresh_title - sum.fresh_of_titles).max(0.0);
    let names = a.sums.names * b.sums.names;
    let names = if names > 0.0 { sum.names_dot / names } else { 0.0 };
    let titles = (a.sums.title * b.sums.title).sqrt();
    [
        cosine.max(0.0).sqrt(),
        if titles > 0.0 { (sum.title_dot / titles).max(0.0).sqrt() } else { 0.0 },
        names.max(0.0).sqrt(),
        company,
        sum.fresh,
        sum.fresh_title,
        unshared_fresh,
        sum.rarest_name,
        (a.ranked_at - b.ranked_at).unsigned_abs() as f32 / 86_400.0,
        f32::from(u8::from(a.outlet == b.outlet)),
        f32::from(u8::from(a.form.roundup || b.form.roundup)),
        f32::from(u8::from(a.form.offer || b.form.offer)),
        cosine - crowds[0].next.max(crowds[1].next),
        // Capped, because a stream of more outlets than were learned from is more crowded everywhere.
        crowds[0].twentieth.min(crowds[1].twentieth).min(MAX_LOCAL_DENSITY),
    ]
}

/// The cosine of the twentieth neighbour beyond which it makes no difference.
const MAX_LOCAL_DENSITY: f32 = 0.2;

/// What the terms that both hold add up to.
#[derive(Default)]
struct Shared {
    names_dot: f32,
    rarest_name: f32,
    fresh: f32,
    fresh_title: f32,
    title_dot: f32,
    /// What of it is in [`super::window::TermAggregates::fresh_title`] of either.
    fresh_of_titles: f32,
}

impl Shared {
    fn add(&mut self, x: WeightedTerm, y: WeightedTerm) {
        let rarity = x.rarity().max(y.rarity());
        let fresh = rarity * (1.0 - x.local().max(y.local()));
        self.fresh += fresh;
        if x.is(TermKind::Name) || y.is(TermKind::Name) {
            self.names_dot += rarity * rarity;
            self.rarest_name = self.rarest_name.max(rarity);
        }
        if x.in_title() || y.in_title() {
            self.fresh_title += fresh;
        }
        if x.in_title() && y.in_title() {
            self.title_dot += rarity * rarity;
        }
        let own = [x, y].into_iter().filter(|term| term.in_title());
        self.fresh_of_titles += own.map(WeightedTerm::fresh).sum::<f32>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sieve_finds_what_both_hold_and_nothing_else() {
        let term = |entry| WeightedTerm::new(entry, 0.5, 0.5, true, TermKind::Word);
        let one: Vec<WeightedTerm> = (0..60).map(|n| term(n * 3)).collect();
        let other: Vec<WeightedTerm> = (0..60).map(|n| term(n * 4)).collect();
        let mut both: Vec<SharedTerm> = Vec::new();
        let cosine = BloomPrefilter::new(&one).overlap(&other, &mut both);
        // SharedTerm hold every twelfth: 0, 12 … 168, which are every fourth term of the first and every third of the second.
        let shared: Vec<SharedTerm> = (0..15).map(|n| (4 * n, 3 * n)).collect();
        assert_eq!(both, shared);
        assert!((cosine - 15.0 * 0.25).abs() < 0.01);
    }
}
