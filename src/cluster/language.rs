//! Language-dependent rules: stemming (Snowball), stop words, and whether capital letters mark names.

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::FxHashSet;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The maximum number of distinct languages. The limit is necessary because feeds are untrusted. Additional languages
/// share the rules of the last language.
const MAX_LANGUAGES: usize = 200;

/// The number of letters to which stems are shortened in languages other than English.
const STEM_CHARS: usize = 5;
/// The first character of the scripts in which words are not shortened: Hebrew, Arabic, and all scripts after them in
/// Unicode. Many of these scripts attach prefixes or vowel signs to a word, so its beginning does not identify it.
/// Words in Latin, Greek, Cyrillic and Armenian letters are shortened.
const FIRST_UNSHORTENED_CHAR: char = '\u{590}';

/// The rules of one language.
pub struct LanguageRules {
    /// The position of the language in the [`LanguageRegistry`].
    pub id: u8,
    /// The primary subtag of the language tag: "pt" for "pt-BR".
    pub subtag: String,
    stemmer: Option<Stemmer>,
    stop_words: FxHashSet<&'static str>,
    /// Whether only names are capitalized. False for German, which capitalizes all nouns.
    pub capitals_mark_names: bool,
}

/// The registry of the languages seen so far.
#[derive(Default)]
pub struct LanguageRegistry(Vec<LanguageRules>);

impl LanguageRegistry {
    /// Returns the rules for a language tag. English is the default.
    pub fn resolve(&mut self, tag: Option<&str>) -> &LanguageRules {
        let tag = tag.unwrap_or("en");
        let subtag = tag.split(['-', '_']).next().unwrap_or(tag);
        let known = self.0.iter().position(|rules| rules.subtag == subtag);
        let position = known.unwrap_or_else(|| {
            if self.0.len() < MAX_LANGUAGES {
                self.0.push(LanguageRules::new(self.0.len() as u8, subtag));
            }
            self.0.len() - 1
        });
        &self.0[position]
    }
}

impl LanguageRules {
    fn new(id: u8, subtag: &str) -> LanguageRules {
        let algorithm = match subtag {
            "en" => Some(Algorithm::English),
            "de" => Some(Algorithm::German),
            "fr" => Some(Algorithm::French),
            "es" => Some(Algorithm::Spanish),
            "pt" => Some(Algorithm::Portuguese),
            "it" => Some(Algorithm::Italian),
            "nl" => Some(Algorithm::Dutch),
            "ru" => Some(Algorithm::Russian),
            "sv" => Some(Algorithm::Swedish),
            "da" => Some(Algorithm::Danish),
            "nb" | "no" | "nn" => Some(Algorithm::Norwegian),
            "fi" => Some(Algorithm::Finnish),
            "hu" => Some(Algorithm::Hungarian),
            "ro" => Some(Algorithm::Romanian),
            "tr" => Some(Algorithm::Turkish),
            "el" => Some(Algorithm::Greek),
            "ar" => Some(Algorithm::Arabic),
            _ => None,
        };
        let stop_word_list = if matches!(subtag, "nb" | "nn") { "no" } else { subtag };
        LanguageRules {
            id,
            subtag: subtag.to_owned(),
            stemmer: algorithm.map(Stemmer::create),
            stop_words: stop_words::lookup(stop_word_list).unwrap_or_default().iter().copied().collect(),
            capitals_mark_names: subtag != "de",
        }
    }

    pub(super) fn is_stop_word(&self, word: &str) -> bool {
        self.stop_words.contains(word)
    }

    /// Returns the form that the inflected forms of a word share. In English, this is the stem. In other languages, it
    /// is the beginning of the stem, without accents. In measurements in seven languages, comparing the beginnings of
    /// stems found more reports of one event than comparing whole stems (`docs/clustering.md`).
    pub(super) fn stem<'w>(&self, word: &'w str) -> Cow<'w, str> {
        let stem = match &self.stemmer {
            Some(stemmer) => stemmer.stem(word),
            None if self.subtag == "pl" => stem_polish(word).into(),
            None => word.into(),
        };
        let is_shortened = self.subtag != "en" && stem.chars().all(|c| c < FIRST_UNSHORTENED_CHAR);
        if is_shortened { without_accents(&stem).take(STEM_CHARS).collect::<String>().into() } else { stem }
    }
}

/// Returns the letters of a word without diacritics.
fn without_accents(word: &str) -> impl Iterator<Item = char> {
    let letters = word.nfd().filter(|c| !is_combining_mark(*c));
    letters.map(|c| if c == 'ł' { 'l' } else { c })
}

/// Stems a Polish word lightly (in the sense of Savoy, 2006), because the Snowball crate has no Polish stemmer. Removes
/// the longest frequent case ending that leaves at least four letters.
fn stem_polish(word: &str) -> &str {
    const ENDINGS: [&str; 24] = [
        "iego", "iemu", "ami", "ach", "ego", "emu", "iem", "owi", "ów", "em", "om", "ie", "ej", "ym", "im", "ą", "ę",
        "a", "e", "i", "o", "u", "y", "ó",
    ];
    let stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
    stems.filter(|stem| stem.chars().count() >= 4).min_by_key(|stem| stem.len()).unwrap_or(word)
}
