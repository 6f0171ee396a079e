//! Near-duplicate detection: bottom-k sketches of shingles (Cohen and Kaplan, 2007; Broder, 1997).
//!
//! The text of an item is represented by the set of its three-term shingles. The sketch keeps the 16 smallest 32-bit
//! hashes. Two sketches yield an estimate of the containment: the share of the *shorter* text that the longer one
//! contains. Containment fits better than similarity, because true copies differ in omitted passages and added bylines.
//!
//! The probability that two unrelated texts of 40 shingles share one of 2^32 hashes is one in 2.7 million, and a copy
//! needs at least four shared hashes. In practice, hash collisions cause no false positives.

use super::tokenizer::TermHash;
use xxhash_rust::xxh3::xxh3_64;

/// The minimum containment of a copy, 0 to 1.
pub(super) const MIN_COPY_CONTAINMENT: f32 = 0.6;
/// The number of hashes in a sketch. At this size, the standard error of a containment of 0.6 is 0.12.
const SKETCH_HASHES: usize = 16;
/// The minimum number of shared hashes. With fewer shared hashes, the estimate is 0.
const MIN_SHARED_HASHES: usize = 4;
/// The minimum number of shingles. Shorter text has no sketch.
const MIN_SHINGLES: usize = 6;

/// The smallest hashes of the text's shingles in ascending order, and the total number of shingles.
#[derive(Debug, Clone, Default)]
pub(super) struct ShingleSketch {
    hashes: [u32; SKETCH_HASHES],
    shingles: u16,
}

impl ShingleSketch {
    pub(super) fn new(terms: &[TermHash]) -> ShingleSketch {
        let shingle_hash = |terms: &[TermHash]| {
            let bytes: [[u8; 8]; 3] = std::array::from_fn(|n| terms[n].0.to_le_bytes());
            xxh3_64(bytes.as_flattened()) as u32
        };
        let mut hashes: Vec<u32> = terms.windows(3).map(shingle_hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let mut sketch = ShingleSketch::default();
        if hashes.len() >= MIN_SHINGLES {
            sketch.shingles = hashes.len() as u16;
            sketch.hashes.iter_mut().zip(hashes).for_each(|(kept, hash)| *kept = hash);
        }
        sketch
    }

    fn hashes(&self) -> &[u32] {
        &self.hashes[..SKETCH_HASHES.min(self.shingles.into())]
    }

    /// Returns the largest hash up to which the sketch is complete. A sketch of all shingles is complete for every
    /// hash.
    fn complete_up_to(&self) -> u32 {
        if usize::from(self.shingles) > SKETCH_HASHES { self.hashes[SKETCH_HASHES - 1] } else { u32::MAX }
    }

    /// Returns the containment if both texts have a sketch.
    pub(super) fn containment_if_known(&self, other: &ShingleSketch) -> Option<f32> {
        (self.shingles > 0 && other.shingles > 0).then(|| self.containment(other))
    }

    /// Returns the estimated share of the shorter text that the longer text contains, 0 to 1.
    pub(super) fn containment(&self, other: &ShingleSketch) -> f32 {
        let limit = self.complete_up_to().min(other.complete_up_to());
        let [own, others] = [self, other].map(|sketch| sketch.hashes().iter().take_while(move |hash| **hash <= limit));
        let shared = own.clone().filter(|hash| other.hashes().binary_search(hash).is_ok()).count();
        if shared < MIN_SHARED_HASHES {
            return 0.0;
        }
        let jaccard = shared as f32 / (own.count() + others.count() - shared) as f32;
        // The size of the intersection is |A ∩ B| = J (|A| + |B|) / (1 + J).
        let (one, two) = (f32::from(self.shingles), f32::from(other.shingles));
        (jaccard * (one + two) / (1.0 + jaccard) / one.min(two)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::language::LanguageRegistry;
    use super::super::tokenizer::{StemCache, TokenizedText};
    use super::*;

    fn sketch(text: &str) -> ShingleSketch {
        let mut languages = LanguageRegistry::default();
        let text = TokenizedText::new("", text, languages.resolve(Some("en")), &mut StemCache::default());
        ShingleSketch::new(&text.terms().collect::<Vec<_>>())
    }

    const WIRE: &str = "Rescue boats brought ninety passengers ashore after the ferry caught fire off the northern cape, \
                        the coast guard said, adding that two sailors were treated for smoke and that the hull holds";

    #[test]
    fn copy_with_a_byline_and_boilerplate_is_detected() {
        let copy = format!("VESHNA (Northern Wire) By our reporter. {WIRE}. Read more on our site, subscribe now.");
        assert!(sketch(WIRE).containment(&sketch(&copy)) >= MIN_COPY_CONTAINMENT);
    }

    #[test]
    fn truncated_copy_is_detected() {
        let cut = &WIRE[..WIRE.len() / 2];
        assert!(sketch(WIRE).containment(&sketch(cut)) >= MIN_COPY_CONTAINMENT);
    }

    #[test]
    fn another_report_of_the_same_event_is_not_a_copy() {
        let other = "A blaze broke out aboard a ferry near the northern cape on Sunday; ninety passengers were brought \
                     ashore by rescue boats and two sailors had breathed smoke, according to the coast guard";
        assert!(sketch(WIRE).containment(&sketch(other)) < MIN_COPY_CONTAINMENT / 2.0);
    }
}
