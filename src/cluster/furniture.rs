//! What stands in an outlet's items whatever they report: its own name, "live", "watch", the sentence that asks for a
//! subscription. Such terms are left out for that outlet.
//!
//! Each outlet has a small table of the terms that it uses most: places by the term's hash, four terms to a place, and
//! a term that finds its place full wears down the least of the four (Misra and Gries, 1982). So a count is never too
//! high, and a term that stands in every sixth item stays in the table whatever else the outlet writes.

/// Items of an outlet that must hold a term before it can be furniture.
const LEAST: u16 = 5;
/// The share of an outlet's items that furniture stands in at least.
const OWN: f32 = 0.15;
/// The share of all items with the term that are of this outlet.
const ALL: f32 = 0.3;
/// Places of a table, and the terms in each.
const PLACES: usize = 64;
const WAYS: usize = 4;
/// Items after which all counts are halved, so that what an outlet no longer writes is forgotten.
const MEMORY: u16 = 512;

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    terms: [u32; WAYS],
    counts: [u16; WAYS],
}

/// What one outlet writes.
#[derive(Debug, Default)]
pub(super) struct Furniture {
    items: u16,
    places: Vec<Place>,
}

impl Furniture {
    /// Counts one more item of the outlet.
    pub(super) fn begin(&mut self) {
        self.items += 1;
        if self.places.is_empty() {
            self.places = vec![Place::default(); PLACES];
        }
        if self.items >= MEMORY {
            self.items /= 2;
            for place in &mut self.places {
                place.counts.iter_mut().for_each(|count| *count /= 2);
            }
        }
    }

    /// Counts a term of this item. Says whether it is furniture, where `held` gives the items of all outlets that hold it.
    pub(super) fn is(&mut self, term: super::words::Term, held: impl Fn() -> u32) -> bool {
        let Some(place) = self.places.get_mut(term as usize % PLACES) else { return false };
        let key = (term >> 32) as u32;
        let count = match (0..WAYS).find(|way| place.terms[*way] == key && place.counts[*way] > 0) {
            Some(way) => {
                place.counts[way] += 1;
                place.counts[way]
            }
            None => {
                let least = (0..WAYS).min_by_key(|way| place.counts[*way]).unwrap_or(0);
                match place.counts[least] {
                    0 => (place.terms[least], place.counts[least]) = (key, 1),
                    _ => place.counts[least] -= 1,
                }
                1
            }
        };
        count >= LEAST && f32::from(count) > OWN * f32::from(self.items) && f32::from(count) > ALL * held() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_64;

    #[test]
    fn what_stands_in_most_items_of_one_outlet_alone_is_furniture() {
        let mut outlet = Furniture::default();
        let term = |text: String| xxh3_64(text.as_bytes());
        let mut last = [false; 3];
        for n in 0..2000 {
            outlet.begin();
            let common = [term("watch".into()), term("president".into())];
            last = [outlet.is(common[0], || n), outlet.is(common[1], || 10 * n), false];
            for word in 0..25 {
                last[2] |= outlet.is(term(format!("{n} {word}")), || 1);
            }
        }
        assert_eq!(last, [true, false, false]);
    }

    #[test]
    fn the_first_items_of_an_outlet_have_no_furniture() {
        let mut outlet = Furniture::default();
        for _ in 0..4 {
            outlet.begin();
            assert!(!outlet.is(7, || 1));
        }
    }
}
