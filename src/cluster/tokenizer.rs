//! Splits text into terms: Unicode words (UAX #29) in NFKC and lowercase, without stop words, stemmed by language.
//! Scripts without spaces between words yield character bigrams. Homoglyphs of Latin letters are folded (UTS #39), so
//! that a disguised headline has the same terms as the plain headline.

use super::language::LanguageRules;
use crate::domain::display_text::is_invisible;
use crate::domain::writing_systems::is_unspaced_script;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::ops::Range;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

/// The hash of a stem. Hashes make a table of all words unnecessary. Among a million words, the probability of a
/// collision is one in 37 million.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TermHash(pub u64);

/// The term for stop words, which are dropped.
const STOP_WORD: TermHash = TermHash(0);

/// The maximum number of characters that are read from a summary. Most articles name their subject at the beginning.
const MAX_SUMMARY_CHARS: usize = 400;

/// The number of words at which the cache is cleared. Clearing it does not affect the results. The number is the
/// maximum load (7/8) of a hash table whose size is a power of two.
const MAX_CACHED_STEMS: usize = (1 << 18) / 8 * 7;

/// A term and its position in the text.
#[derive(Debug, Clone)]
pub struct WordToken {
    pub term: TermHash,
    /// The byte range in the folded text.
    range: Range<u32>,
    pub is_number: bool,
    pub capitalized: bool,
    /// Whether the term starts a sentence or quotation, where every word is capitalized.
    pub starts_sentence: bool,
}

/// The terms of a title and a summary.
#[derive(Debug, Default)]
pub struct TokenizedText {
    /// The folded title in lowercase.
    pub normalized_title: String,
    pub title: Vec<WordToken>,
    pub summary: Vec<WordToken>,
    folded_title: String,
    folded_summary: String,
}

impl TokenizedText {
    pub fn new(title: &str, summary: &str, language: &LanguageRules, stems: &mut StemCache) -> TokenizedText {
        let folded_title = fold(title).into_owned();
        let end = summary.char_indices().nth(MAX_SUMMARY_CHARS).map_or(summary.len(), |(end, _)| end);
        let folded_summary = fold(&summary[..end]).into_owned();
        TokenizedText {
            normalized_title: folded_title.to_lowercase(),
            title: tokenize(&folded_title, language, stems),
            summary: tokenize(&folded_summary, language, stems),
            folded_title,
            folded_summary,
        }
    }

    /// Returns the spelling of a token in the item.
    pub fn surface_form(&self, in_title: bool, token: &WordToken) -> &str {
        let text = if in_title { &self.folded_title } else { &self.folded_summary };
        text.get(token.range.start as usize..token.range.end as usize).unwrap_or_default()
    }

    /// Returns all terms in order, starting with the terms of the title.
    pub fn terms(&self) -> impl Iterator<Item = TermHash> {
        self.title.iter().chain(&self.summary).map(|token| token.term)
    }

    /// Returns whether most words of the title are capitalized, so that a capital letter does not mark a name.
    pub fn has_title_case(&self) -> bool {
        let words = self.title.iter().filter(|token| !token.is_number);
        let capitalized = words.clone().filter(|word| word.capitalized).count();
        let words = words.count();
        words <= 3 || capitalized * 10 >= words * 6
    }
}

/// A cache of the terms of words, by language and word. Stemming costs more than a lookup.
#[derive(Default)]
pub struct StemCache(FxHashMap<u64, TermHash>);

impl StemCache {
    fn key(language: &LanguageRules, word: &str) -> u64 {
        xxh3_64(word.as_bytes()) ^ u64::from(language.id) << 56
    }

    /// Looks up all keys once, so that the cache misses of later lookups overlap.
    fn prefetch(&self, keys: impl Iterator<Item = u64>) {
        std::hint::black_box(keys.filter(|key| self.0.contains_key(key)).count());
    }

    /// Returns the term of the word with this key.
    fn term(&mut self, key: u64, language: &LanguageRules, word: &str) -> TermHash {
        if let Some(known) = self.0.get(&key) {
            return *known;
        }
        let mut lower = String::new();
        write_normalized(word, &mut lower);
        let is_stop_word = lower.chars().nth(1).is_none() || language.is_stop_word(&lower);
        let term = if is_stop_word { STOP_WORD } else { TermHash(xxh3_64(language.stem(&lower).as_bytes())) };
        if self.0.len() >= MAX_CACHED_STEMS {
            self.0.clear();
        }
        self.0.insert(key, term);
        term
    }
}

/// Returns the term of a number or an acronym. The term of an acronym differs from the term of a word with the same
/// letters.
fn unstemmed_term(lower: &str, is_acronym: bool) -> TermHash {
    TermHash(xxh3_64(lower.as_bytes()) ^ u64::from(is_acronym))
}

/// Returns the terms of a word in lower case: its stem, unless it is a stop word, and its acronym if it has two
/// letters.
pub fn word_terms(word: &str, language: &LanguageRules) -> impl Iterator<Item = TermHash> {
    let mut stems = StemCache::default();
    let stem = stems.term(StemCache::key(language, word), language, word);
    let acronym = (word.len() <= 2).then(|| unstemmed_term(word, true));
    Some(stem).filter(|stem| *stem != STOP_WORD).into_iter().chain(acronym)
}

/// Applies NFKC, removes invisible characters, and folds homoglyphs in words that mix scripts.
fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains(is_invisible) {
        return text.into();
    }
    let visible = text.chars().filter(|c| !is_invisible(*c) || c.is_whitespace());
    let normalized: String = match is_nfkc_quick(visible.clone()) {
        IsNormalized::Yes => visible.collect(),
        _ => visible.nfkc().collect(),
    };
    if !normalized.chars().any(is_greek_or_cyrillic) {
        return normalized.into();
    }
    normalized.split_inclusive(|c: char| !c.is_alphanumeric()).map(fold_mixed_script).collect::<String>().into()
}

/// Folds the homoglyphs of a word that mixes Latin with Greek or Cyrillic. Leaves other words unchanged.
fn fold_mixed_script(word: &str) -> Cow<'_, str> {
    if !word.chars().any(|c| c.is_ascii_alphabetic()) || !word.chars().any(is_greek_or_cyrillic) {
        return word.into();
    }
    word.chars().map(fold_homoglyph).collect::<String>().into()
}

/// Returns the Latin letter that a Greek or Cyrillic letter resembles (UTS #39), or else the letter itself.
fn fold_homoglyph(c: char) -> char {
    let mut skeleton = unicode_security::skeleton(c.encode_utf8(&mut [0; 4])).collect::<Vec<char>>();
    match skeleton.pop() {
        Some(latin) if skeleton.is_empty() && latin.is_ascii_alphabetic() && is_greek_or_cyrillic(c) => latin,
        _ => c,
    }
}

fn is_greek_or_cyrillic(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}')
}

fn tokenize(text: &str, language: &LanguageRules, stems: &mut StemCache) -> Vec<WordToken> {
    let mut tokens = Vec::with_capacity(text.len() / 6);
    // The positions of the tokens whose terms are looked up at the end, and the keys of their words.
    let mut pending: Vec<(usize, u64)> = Vec::with_capacity(tokens.capacity());
    let mut unspaced: Vec<(usize, char)> = Vec::new();
    let (mut end, mut lower) = (0, String::new());
    for (start, word) in text.unicode_word_indices() {
        let starts_sentence = end == 0 || text[end..start].contains(is_sentence_boundary);
        end = start + word.len();
        if word.chars().all(is_unspaced_script) {
            // The segmentation splits runs of scripts without spaces, so words are joined unless punctuation separates
            // them.
            if starts_sentence || unspaced.last().is_some_and(|(last, c)| last + c.len_utf8() != start) {
                push_bigrams(&mut unspaced, &mut tokens);
            }
            unspaced.extend(word.char_indices().map(|(offset, c)| (start + offset, c)));
            continue;
        }
        push_bigrams(&mut unspaced, &mut tokens);
        let is_number = starts_with_digit(word);
        write_normalized(word, &mut lower);
        let capitalized = word.starts_with(char::is_uppercase);
        // Only capitals distinguish the country "US" from the pronoun "us".
        let is_acronym = capitalized && lower.len() <= 2 && word.chars().all(|c| c.is_uppercase() || c == '.');
        let mut term = STOP_WORD;
        if is_number || is_acronym {
            term = unstemmed_term(&lower, is_acronym);
        } else {
            pending.push((tokens.len(), StemCache::key(language, &lower)));
        }
        tokens.push(WordToken { term, range: start as u32..end as u32, is_number, capitalized, starts_sentence });
    }
    push_bigrams(&mut unspaced, &mut tokens);
    stems.prefetch(pending.iter().map(|(_, key)| *key));
    for (position, key) in pending {
        let token = &mut tokens[position];
        token.term = stems.term(key, language, &text[token.range.start as usize..token.range.end as usize]);
    }
    tokens.retain(|token| token.term != STOP_WORD);
    tokens
}

/// Writes a word in lowercase, without punctuation and possessive endings. Numbers keep their decimal points.
fn write_normalized(word: &str, lower: &mut String) {
    let is_number = starts_with_digit(word);
    lower.clear();
    for c in word.chars().filter(|c| !matches!(c, '.' | ',' | '\'' | '’') || (is_number && *c == '.')) {
        lower.extend(c.to_lowercase());
    }
    if word.ends_with("'s") || word.ends_with("’s") {
        lower.pop();
    }
}

fn starts_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_numeric())
}

fn is_sentence_boundary(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | ':' | '|' | '—' | '–' | '"' | '“' | '”' | '‘' | '(' | '。' | '、' | '，' | '！' | '？'
    )
}

/// Splits a run of Chinese, Japanese, Korean or Thai into character bigrams, as the CJK analyzers of search engines do,
/// because word segmentation requires a dictionary. A single character becomes a term by itself.
fn push_bigrams(run: &mut Vec<(usize, char)>, tokens: &mut Vec<WordToken>) {
    for bigram in run.windows(2.min(run.len().max(1))) {
        let letters: String = bigram.iter().map(|(_, c)| *c).collect();
        let (start, last) = (bigram[0].0, bigram[bigram.len() - 1]);
        tokens.push(WordToken {
            term: TermHash(xxh3_64(letters.as_bytes())),
            range: start as u32..(last.0 + last.1.len_utf8()) as u32,
            is_number: false,
            capitalized: false,
            starts_sentence: false,
        });
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::super::language::LanguageRegistry;
    use super::*;

    fn terms(text: &str, lang: &str) -> Vec<TermHash> {
        let mut languages = LanguageRegistry::default();
        TokenizedText::new(text, "", languages.resolve(Some(lang)), &mut StemCache::default()).terms().collect()
    }

    #[test]
    fn inflected_forms_share_a_term_in_each_language() {
        for (lang, one, other) in [
            ("en", "The trains arrived", "train arriving"),
            ("de", "die Züge der Bahnen", "den Zügen einer Bahn"),
            ("fr", "les élections nationales", "élection nationale"),
            ("es", "las elecciones municipales", "elección municipal"),
            ("pt", "as cidades antigas", "cidade antiga"),
            ("it", "le elezioni nazionali", "elezione nazionale"),
            ("nl", "de verkiezingen", "een verkiezing"),
            ("ru", "выборы президента", "выборов президенту"),
            ("pl", "wybory prezydenta", "wyborów prezydentem"),
            ("pl", "wypadek w Łomży", "wypadku w Łomżą"),
            ("fi", "Helsingin pormestari", "Helsingissä pormestarin"),
            ("tr", "deprem bölgesinde", "depremin bölgesi"),
            ("cs", "povodně v Olomouci", "povodní u Olomouce"),
        ] {
            assert_eq!(terms(one, lang), terms(other, lang), "in {lang}");
        }
    }

    #[test]
    fn scripts_without_spaces_give_bigrams() {
        for (lang, one, other) in [
            ("zh", "地震袭击", "强烈地震"),
            ("ja", "地震が発生", "大地震"),
            ("ko", "지진이", "지진"),
            ("th", "แผ่นดินไหว", "เกิดแผ่นดินไหว"),
        ] {
            let (one, other) = (terms(one, lang), terms(other, lang));
            assert!(one.iter().any(|t| other.contains(t)), "no shared term in {lang}");
        }
    }

    #[test]
    fn invisible_wide_and_homoglyph_letters_are_folded() {
        assert_eq!(terms("Ｆｉｒｅ in St\u{200b}adium", "en"), terms("fire stadium", "en"));
        assert_eq!(terms("Stadіum fіre spгeads".replace('г', "r").as_str(), "en"), terms("Stadium fire spreads", "en"));
    }

    #[test]
    fn russian_and_greek_words_stay_unchanged() {
        assert_eq!(fold("Москва сосед"), "Москва сосед");
        assert_eq!(fold("Αθήνα 2024"), "Αθήνα 2024");
        assert_eq!(fold("pаypаl"), "paypal");
    }

    #[test]
    fn the_country_and_the_pronoun_are_different_terms() {
        assert_ne!(terms("US", "en"), Vec::<TermHash>::new());
        assert_eq!(terms("U.S.", "en"), terms("US", "en"));
        assert_ne!(terms("us", "en"), terms("US", "en"));
    }

    #[test]
    fn thousands_separators_are_ignored() {
        assert_eq!(terms("2,000 dead", "en"), terms("2000 dead", "en"));
        assert_ne!(terms("iPhone 16", "en"), terms("iPhone 17", "en"));
    }
}
