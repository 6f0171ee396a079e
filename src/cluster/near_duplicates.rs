//! Near-duplicate detection: bottom-k sketches of shingles (Cohen and Kaplan, 2007; Broder, 1997).
//!
//! A text is the set of its three-term shingles. The sketch keeps the 16 smallest 32-bit hashes. Two sketches give an estimate
//! of the containment: the share of the *shorter* text that the longer one contains. Containment fits better than
//! similarity, because true copies differ by cuts and added bylines.
//!
//! Two unrelated texts of 40 shingles share one of 2^32 hashes by chance in one of 2.7 million pairs, and a copy needs at least
//! four shared hashes. False positives from hash collisions do not occur in practice.

use super::tokenizer::TermHash;
use xxhash_rust::xxh3::xxh3_64;

/// The containment from which a text is a copy, 0 to 1.
pub(super) const MIN_COPY_CONTAINMENT: f32 = 0.6;
/// The standard error of a containment of 0.6 is 0.12 with this number of hashes.
const SKETCH_HASHES: usize = 16;
/// Below this number of shared hashes, the estimate is 0.
const MIN_SHARED_HASHES: usize = 4;
/// Shorter texts have no sketch.
const MIN_SHINGLES: usize = 6;

/// The smallest hashes of a text's shingles, and the number of shingles.
#[derive(Debug, Clone, Default)]
pub(super) struct ShingleSketch {
    hashes: [u32; SKETCH_HASHES],
    /// The number of `hashes` in use.
    kept: u8,
    shingles: u16,
}

impl ShingleSketch {
    pub(super) fn new(terms: &[TermHash]) -> ShingleSketch {
        let mut hashes: Vec<u32> = terms.windows(3).map(shingle_hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let (shingles, kept) = (hashes.len(), hashes.len().min(SKETCH_HASHES));
        let mut sketch = ShingleSketch::default();
        if shingles >= MIN_SHINGLES {
            (sketch.kept, sketch.shingles) = (kept as u8, shingles as u16);
            sketch.hashes[..kept].copy_from_slice(&hashes[..kept]);
        }
        sketch
    }

    fn hashes(&self) -> &[u32] {
        &self.hashes[..usize::from(self.kept)]
    }

    /// The largest hash up to which the sketch is complete. A sketch of all shingles is complete everywhere.
    fn complete_up_to(&self) -> Option<u32> {
        let last = *self.hashes().last()?;
        Some(if self.shingles == u16::from(self.kept) { u32::MAX } else { last })
    }

    /// The estimated share of the shorter text that the longer one contains, 0 to 1.
    pub(super) fn containment(&self, other: &ShingleSketch) -> f32 {
        let (Some(own_limit), Some(other_limit)) = (self.complete_up_to(), other.complete_up_to()) else { return 0.0 };
        let limit = own_limit.min(other_limit);
        let mut own = self.hashes().iter().take_while(|hash| **hash <= limit).peekable();
        let mut others = other.hashes().iter().take_while(|hash| **hash <= limit).peekable();
        let (mut union, mut shared) = (0, 0);
        loop {
            match (own.peek(), others.peek()) {
                (None, None) => break,
                (Some(x), Some(y)) if x == y => {
                    own.next();
                    others.next();
                    shared += 1;
                }
                (Some(x), Some(y)) if x > y => _ = others.next(),
                (None, Some(_)) => _ = others.next(),
                _ => _ = own.next(),
            }
            union += 1;
        }
        if shared < MIN_SHARED_HASHES {
            return 0.0;
        }
        let jaccard = shared as f32 / union as f32;
        // |A ∩ B| = J (|A| + |B|) / (1 + J).
        let (one, two) = (f32::from(self.shingles), f32::from(other.shingles));
        (jaccard * (one + two) / (1.0 + jaccard) / one.min(two)).min(1.0)
    }
}

fn shingle_hash(terms: &[TermHash]) -> u32 {
    let mut bytes = [0; 24];
    for (place, term) in bytes.chunks_exact_mut(8).zip(terms) {
        place.copy_from_slice(&term.0.to_le_bytes());
    }
    xxh3_64(&bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::super::language::LanguageRegistry;
    use super::super::tokenizer::{StemCache, TokenizedText};
    use super::*;

    fn sketch(text: &str) -> ShingleSketch {
        let mut languages = LanguageRegistry::default();
        let language = languages.resolve(Some("en"));
        let text = TokenizedText::new("", text, languages.get(language), &mut StemCache::default());
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
