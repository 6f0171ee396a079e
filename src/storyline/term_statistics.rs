//! Long-term document frequencies: how often a term occurs in news from other weeks. An event itself makes its terms
//! common in recent hours, so the statistics of the window do not show which terms are new.
//!
//! A table of words is part of the program, so that a new installation works immediately. Over time, the counts of the
//! installation's own documents outweigh the table.

use crate::cluster::language::LanguageRegistry;
use crate::cluster::tokenizer::{TermHash, word_terms};
use crate::domain::TermFrequency;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// Shares or numbers of documents in one language, by term.
type Frequencies = FxHashMap<TermHash, f32>;

/// The weight of the word-frequency table, as a number of documents: for languages that the table contains, and for
/// other languages.
const SHIPPED_DOCUMENTS: f64 = 20_000.0;
const UNKNOWN_DOCUMENTS: f64 = 2_000.0;

/// The term that counts all documents of a language.
pub(super) const ALL_DOCUMENTS: TermHash = TermHash(0);

/// The long-term frequencies of terms.
#[derive(Default)]
pub(super) struct LongTermStatistics {
    /// The decayed numbers of documents that the installation has seen, by language.
    counted: FxHashMap<String, Frequencies>,
}

impl LongTermStatistics {
    pub(super) fn new(counted: Vec<TermFrequency>) -> LongTermStatistics {
        let mut statistics = LongTermStatistics::default();
        for TermFrequency { language, term, documents } in counted {
            statistics.counted.entry(language).or_default().insert(TermHash(term as u64), documents as f32);
        }
        statistics
    }

    /// Returns the share of documents in a language that contain a term, 0 to 1.
    pub(super) fn frequency(&self, language: &str, term: TermHash) -> f64 {
        let shipped = shipped_frequencies().get(language);
        let of_words = shipped.and_then(|table| table.get(&term)).map_or(0.0, |share| f64::from(*share));
        let Some(counted) = self.counted.get(language) else { return of_words };
        let documents = |term| counted.get(&term).map_or(0.0, |documents| f64::from(*documents));
        let prior = if shipped.is_some() { SHIPPED_DOCUMENTS } else { UNKNOWN_DOCUMENTS };
        (of_words * prior + documents(term)) / (prior + documents(ALL_DOCUMENTS))
    }
}

/// Returns the table that comes with the program, by language.
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
        LongTermStatistics::default().frequency(language, term)
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
    fn counted_documents_outweigh_the_table_with_time() {
        let term = word_terms("submersible", LanguageRegistry::default().resolve(Some("en"))).next().unwrap();
        let count = |term: TermHash, documents| TermFrequency { language: "en".into(), term: term.0 as i64, documents };
        let share = |all: f64| {
            let counted = vec![count(ALL_DOCUMENTS, all), count(term, all / 10.0)];
            LongTermStatistics::new(counted).frequency("en", term)
        };
        assert!(share(100.0) < 0.001 && share(20_000.0) > 0.04 && share(1e6) > 0.09, "{} {}", share(100.0), share(1e6));
    }

    #[test]
    fn every_line_of_the_table_has_a_language_a_word_and_a_frequency() {
        for line in include_str!("word_frequencies.tsv").lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            assert!(cells.len() == 3 && cells[2].parse::<u32>().is_ok_and(|n| n < 1_000_000), "{line}");
        }
    }
}
