//! In how many items each term was seen: what tells a rare name from a common word.

use super::words::Term;
use rustc_hash::FxHashMap;

/// Document frequencies of the stream so far.
#[derive(Default)]
pub(super) struct Frequencies {
    items: f32,
    of: FxHashMap<Term, f32>,
}

impl Frequencies {
    /// Counts an item's distinct terms.
    pub(super) fn count(&mut self, terms: impl Iterator<Item = Term>) {
        self.items += 1.0;
        for term in terms {
            *self.of.entry(term).or_insert(0.0) += 1.0;
        }
    }

    /// The inverse document frequency, smoothed: `ln(1 + N / df)`.
    pub(super) fn idf(&self, term: Term) -> f32 {
        let seen = self.of.get(&term).copied().unwrap_or(0.0);
        (1.0 + self.items / (seen + 0.5)).ln()
    }
}
