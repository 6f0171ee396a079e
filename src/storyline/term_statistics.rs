//! Long-term document frequencies: how often a term occurs in news of other weeks. In the last hours the event itself
//! makes its terms common, so statistics of the window hide what is new.
//!
//! The table of words comes with the program, so that a new installation works at once.

use crate::cluster::language::LanguageRegistry;
use crate::cluster::tokenizer::{TermHash, word_terms};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// The frequencies of one language, by term.
type Frequencies = FxHashMap<TermHash, f32>;

/// Returns the share of documents in a language that contain a term, 0 to 1.
pub(super) fn long_term_frequency(language: &str, term: TermHash) -> f64 {
    let frequency = shipped_frequencies().get(language).and_then(|table| table.get(&term));
    f64::from(frequency.copied().unwrap_or_default())
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
        long_term_frequency(language, term)
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
