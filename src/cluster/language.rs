//! What depends on an item's language: stems (Snowball), stop words, and whether a capital tells a name.

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::{FxHashMap, FxHashSet};

/// Reads words of one language.
pub(super) struct LanguageRules {
    stemmer: Option<Stemmer>,
    polish: bool,
    stop_words: FxHashSet<&'static str>,
    /// Whether names are written with a capital and other words are not: German writes all nouns so.
    pub capitals_tell: bool,
}

/// The languages that were met so far, by their primary subtag ("pt" of "pt-BR").
#[derive(Default)]
pub(super) struct LanguageRegistry {
    known: Vec<LanguageRules>,
    by_tag: FxHashMap<String, u8>,
}

/// Tags that may be told apart. Feeds are strangers', so their number is bounded; further ones are read like the last.
const MAX_LANGUAGES: usize = 200;

impl LanguageRegistry {
    /// The number under which [`LanguageRegistry::get`] knows the language of a tag.
    pub(super) fn of(&mut self, tag: Option<&str>) -> u8 {
        let tag = tag.unwrap_or("en");
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        if let Some(known) = self.by_tag.get(primary) {
            return *known;
        }
        if self.known.len() < MAX_LANGUAGES {
            self.by_tag.insert(primary.to_owned(), self.known.len() as u8);
            self.known.push(LanguageRules::new(primary));
        }
        (self.known.len() - 1) as u8
    }

    pub(super) fn get(&self, number: u8) -> &LanguageRules {
        &self.known[usize::from(number)]
    }
}

impl LanguageRules {
    fn new(tag: &str) -> LanguageRules {
        let algorithm = match tag {
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
        let list = match tag {
            "nb" | "nn" => "no",
            other => other,
        };
        LanguageRules {
            stemmer: algorithm.map(Stemmer::create),
            polish: tag == "pl",
            stop_words: stop_words::lookup(list).unwrap_or_default().iter().copied().collect(),
            capitals_tell: tag != "de",
        }
    }

    pub(super) fn is_stop_word(&self, lower: &str) -> bool {
        self.stop_words.contains(lower)
    }

    pub(super) fn stem<'w>(&self, lower: &'w str) -> std::borrow::Cow<'w, str> {
        match &self.stemmer {
            Some(stemmer) => stemmer.stem(lower),
            None if self.polish => polish(lower).into(),
            None => lower.into(),
        }
    }
}

/// Polish has no Snowball stemmer here. Its commonest endings of declension are cut, the longest first, where at least
/// four letters are left (a light stemmer in the sense of Savoy, 2006).
fn polish(word: &str) -> &str {
    const ENDINGS: [&str; 24] = [
        "iego", "iemu", "ami", "ach", "ego", "emu", "iem", "owi", "ów", "em", "om", "ie", "ej", "ym", "im", "ą", "ę",
        "a", "e", "i", "o", "u", "y", "ó",
    ];
    let stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
    stems.filter(|stem| stem.chars().count() >= 4).min_by_key(|stem| stem.len()).unwrap_or(word)
}
