//! Long-term document frequencies: how often a term occurs in news of other weeks. In the last hours the event itself
//! makes its terms common, so statistics of the window hide what is new.
//!
//! A small table of words comes with the program, so that a new installation works at once. What the database has seen
//! replaces it gradually.

use crate::cluster::language::LanguageRegistry;
use crate::cluster::tokenizer::{TermHash, word_terms};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// The number of documents for which the shipped table counts.
const PRIOR_DOCUMENTS: f64 = 20_000.0;

/// The frequencies of one language, by term.
type Frequencies = FxHashMap<TermHash, f32>;

/// Document frequencies by language and term.
#[derive(Debug, Default)]
pub struct TermStatistics {
    learned: FxHashMap<String, LearnedFrequencies>,
}

/// What the database has learned of one language: decayed counts.
#[derive(Debug, Default)]
struct LearnedFrequencies {
    documents: f64,
    counts: Frequencies,
}

impl TermStatistics {
    /// The share of documents that contain a term, 0 to 1, estimated from the shipped table and what was learned.
    pub(super) fn frequency(&self, language: &str, term: TermHash) -> f64 {
        let shipped = shipped_frequencies().get(language).and_then(|table| table.get(&term)).copied();
        let prior = f64::from(shipped.unwrap_or_default()) * PRIOR_DOCUMENTS;
        let (count, documents) = self.learned.get(language).map_or((0.0, 0.0), |learned| {
            (f64::from(learned.counts.get(&term).copied().unwrap_or_default()), learned.documents)
        });
        (prior + count) / (PRIOR_DOCUMENTS + documents)
    }
}

/// The table that comes with the program, by language.
fn shipped_frequencies() -> &'static FxHashMap<String, Frequencies> {
    static TABLE: OnceLock<FxHashMap<String, Frequencies>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut languages = LanguageRegistry::default();
        let mut tables: FxHashMap<String, Frequencies> = FxHashMap::default();
        for line in include_str!("word_frequencies.tsv").lines().filter(|line| !line.starts_with('#')) {
            let mut cells = line.split('\t');
            let (Some(language), Some(word), Some(per_million)) = (cells.next(), cells.next(), cells.next()) else {
                continue;
            };
            let per_million: f32 = per_million.parse().unwrap_or_default();
            for term in word_terms(word, languages.resolve(Some(language))) {
                let frequency = tables.entry(language.to_owned()).or_default().entry(term).or_default();
                *frequency = (*frequency + per_million / 1e6).min(0.9);
            }
        }
        tables
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frequency(language: &str, word: &str) -> f64 {
        let mut languages = LanguageRegistry::default();
        let term = word_terms(word, languages.resolve(Some(language))).next().unwrap();
        TermStatistics::default().frequency(language, term)
    }

    #[test]
    fn common_words_are_frequent_and_rare_ones_are_not() {
        assert!(frequency("en", "president") > 10.0 * frequency("en", "submersible"));
        assert_eq!(frequency("en", "xyzzyplugh"), 0.0);
    }

    #[test]
    fn inflected_forms_add_up() {
        assert_eq!(frequency("en", "election"), frequency("en", "elections"));
    }

    #[test]
    fn every_line_of_the_table_has_a_language_a_word_and_a_frequency() {
        for line in include_str!("word_frequencies.tsv").lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            assert!(cells.len() == 3 && cells[2].parse::<u32>().is_ok_and(|n| n < 1_000_000), "{line}");
        }
    }
}
