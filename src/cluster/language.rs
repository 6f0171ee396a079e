//! Language-dependent rules: stemming (Snowball), stop words, and whether a capital letter marks a name.

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;

/// The maximum number of distinct languages. Feeds are untrusted, so it is bounded; further languages share the rules of the
/// last one.
const MAX_LANGUAGES: usize = 200;

/// A language's number in the [`LanguageRegistry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LanguageId(pub u8);

/// The rules of one language.
pub(super) struct LanguageRules {
    pub id: LanguageId,
    stemmer: Option<Stemmer>,
    is_polish: bool,
    stop_words: FxHashSet<&'static str>,
    /// Whether names are capitalized and other words are not. False for German, which capitalizes all nouns.
    pub capitals_mark_names: bool,
}

/// The languages seen so far, by primary subtag ("pt" of "pt-BR").
#[derive(Default)]
pub(super) struct LanguageRegistry {
    rules: Vec<LanguageRules>,
    by_subtag: FxHashMap<String, LanguageId>,
}

impl LanguageRegistry {
    /// The number of a language tag, by default that of English. Registers the language when it is new.
    pub(super) fn resolve(&mut self, tag: Option<&str>) -> LanguageId {
        let tag = tag.unwrap_or("en");
        let subtag = tag.split(['-', '_']).next().unwrap_or(tag);
        if let Some(known) = self.by_subtag.get(subtag) {
            return *known;
        }
        if self.rules.len() < MAX_LANGUAGES {
            let id = LanguageId(self.rules.len() as u8);
            self.by_subtag.insert(subtag.to_owned(), id);
            self.rules.push(LanguageRules::new(id, subtag));
        }
        LanguageId((self.rules.len() - 1) as u8)
    }

    pub(super) fn get(&self, id: LanguageId) -> &LanguageRules {
        &self.rules[usize::from(id.0)]
    }
}

impl LanguageRules {
    fn new(id: LanguageId, subtag: &str) -> LanguageRules {
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
        let stop_word_list = match subtag {
            "nb" | "nn" => "no",
            other => other,
        };
        LanguageRules {
            id,
            stemmer: algorithm.map(Stemmer::create),
            is_polish: subtag == "pl",
            stop_words: stop_words::lookup(stop_word_list).unwrap_or_default().iter().copied().collect(),
            capitals_mark_names: subtag != "de",
        }
    }

    pub(super) fn is_stop_word(&self, word: &str) -> bool {
        self.stop_words.contains(word)
    }

    pub(super) fn stem<'w>(&self, word: &'w str) -> Cow<'w, str> {
        match &self.stemmer {
            Some(stemmer) => stemmer.stem(word),
            None if self.is_polish => stem_polish(word).into(),
            None => word.into(),
        }
    }
}

/// A light stemmer for Polish (in the sense of Savoy, 2006), because the Snowball crate has none. It removes the longest of
/// the most frequent case endings that leaves at least four letters.
fn stem_polish(word: &str) -> &str {
    const ENDINGS: [&str; 24] = [
        "iego", "iemu", "ami", "ach", "ego", "emu", "iem", "owi", "ów", "em", "om", "ie", "ej", "ym", "im", "ą", "ę",
        "a", "e", "i", "o", "u", "y", "ó",
    ];
    let stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
    stems.filter(|stem| stem.chars().count() >= 4).min_by_key(|stem| stem.len()).unwrap_or(word)
}
