//! Texts that repeat each other: bottom-k sketches of shingles (Cohen and Kaplan, 2007; Broder, 1997).
//!
//! A text is the set of its three-term shingles. The sketch keeps the 16 smallest 32-bit hashes; from two sketches
//! follows how much of the *shorter* text the longer one holds, because true copies differ by cuts and added bylines.
//! Two unrelated texts of 40 shingles share one of 2^32 hashes by accident once in 2.7 million pairs, and a copy asks
//! for at least four: accidents do not happen, and what is called a copy is one.

use super::tokenizer::TermHash;
use xxhash_rust::xxh3::xxh3_64;

/// The share of the shorter text that the longer one must hold.
pub(super) const MIN_COPY_CONTAINMENT: f32 = 0.6;
/// Hashes kept: the standard error of a share of 0.6 is then 0.12.
const SKETCH_HASHES: usize = 16;
/// Shared hashes below which a likeness is not believed.
const MIN_SHARED_HASHES: usize = 4;
/// Texts with fewer shingles are too short to be called copies by their words.
const MIN_SHINGLES: usize = 6;

/// The smallest hashes of a text's shingles, and how many shingles there are.
#[derive(Debug, Clone, Default)]
pub(super) struct ShingleSketch {
    hashes: [u32; SKETCH_HASHES],
    /// How many of `hashes` there are.
    kept: u8,
    shingles: u16,
}

impl ShingleSketch {
    pub(super) fn new(terms: &[TermHash]) -> ShingleSketch {
        let mut hashes: Vec<u32> = terms
            .windows(3)
            .map(|three| {
                let mut bytes = [0; 24];
                for (place, term) in three.iter().enumerate() {
                    bytes[8 * place..8 * place + 8].copy_from_slice(&term.to_le_bytes());
                }
                xxh3_64(&bytes) as u32
            })
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        let shingles = hashes.len();
        if shingles < MIN_SHINGLES {
            return ShingleSketch::default();
        }
        let mut sketch = ShingleSketch {
            kept: shingles.min(SKETCH_HASHES) as u8,
            shingles: shingles as u16,
            ..ShingleSketch::default()
        };
        sketch.hashes[..shingles.min(SKETCH_HASHES)].copy_from_slice(&hashes[..shingles.min(SKETCH_HASHES)]);
        sketch
    }

    fn hashes(&self) -> &[u32] {
        &self.hashes[..usize::from(self.kept)]
    }

    /// The estimated share of the shorter text that the longer one holds, 0 to 1.
    pub(super) fn containment(&self, other: &ShingleSketch) -> f32 {
        let (ours, theirs) = (self.hashes(), other.hashes());
        let (Some(our_last), Some(their_last)) = (ours.last(), theirs.last()) else { return 0.0 };
        let (mut a, mut b, mut seen, mut both) = (0, 0, 0, 0);
        // Up to where both sketches say everything: a sketch that was cut says nothing beyond its largest hash.
        let end =
            |sketch: &ShingleSketch, last: u32| if sketch.shingles == u16::from(sketch.kept) { u32::MAX } else { last };
        let end = end(self, *our_last).min(end(other, *their_last));
        loop {
            let x = ours.get(a).filter(|x| **x <= end);
            let y = theirs.get(b).filter(|y| **y <= end);
            match (x, y) {
                (None, None) => break,
                (Some(x), Some(y)) if x == y => (a, b, both) = (a + 1, b + 1, both + 1),
                (Some(x), Some(y)) if x < y => a += 1,
                (Some(_), None) => a += 1,
                _ => b += 1,
            }
            seen += 1;
        }
        if both < MIN_SHARED_HASHES {
            return 0.0;
        }
        let jaccard = both as f32 / seen as f32;
        // |A ∩ B| = J (|A| + |B|) / (1 + J).
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
        let number = languages.of(Some("en"));
        let text = TokenizedText::new("", text, number, languages.get(number), &mut StemCache::default());
        ShingleSketch::new(&text.terms().collect::<Vec<_>>())
    }

    const WIRE: &str = "Rescue boats brought ninety passengers ashore after the ferry caught fire off the northern cape, \
                        the coast guard said, adding that two sailors were treated for smoke and that the hull holds";

    #[test]
    fn a_copy_with_a_byline_and_boilerplate_is_a_copy() {
        let copy = format!("VESHNA (Northern Wire) By our reporter. {WIRE}. Read more on our site, subscribe now.");
        assert!(sketch(WIRE).containment(&sketch(&copy)) >= MIN_COPY_CONTAINMENT);
    }

    #[test]
    fn a_copy_that_was_cut_is_a_copy() {
        let cut = &WIRE[..WIRE.len() / 2];
        assert!(sketch(WIRE).containment(&sketch(cut)) >= MIN_COPY_CONTAINMENT);
    }

    #[test]
    fn another_report_of_the_same_event_is_none() {
        let other = "A blaze broke out aboard a ferry near the northern cape on Sunday; ninety passengers were brought \
                     ashore by rescue boats and two sailors had breathed smoke, according to the coast guard";
        assert!(sketch(WIRE).containment(&sketch(other)) < MIN_COPY_CONTAINMENT / 2.0);
    }
}
