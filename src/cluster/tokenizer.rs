//! TokenizedText to terms: Unicode words (UAX #29) in NFKC and lower case, stemmed by language, stop words left out; pairs of
//! letters for scripts that write no spaces. Letters that only look Latin are folded (UTS #39), so that a disguised
//! headline meets the plain one.

use super::language::LanguageRules;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

/// A term: the hash of its stem. Saves a table of all words ever seen; two of a million words collide once in a million.
pub(super) type TermHash = u64;

/// Letters of a summary that are read: what an article says first is what it is about.
const MAX_SUMMARY_CHARS: usize = 400;

/// A word that means something, where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordToken {
    pub term: TermHash,
    /// Where it stands in the folded text.
    pub at: (u32, u32),
    pub number: bool,
    pub capital: bool,
    /// At the start of a sentence or quotation, where a capital tells nothing.
    pub initial: bool,
}

/// Title and summary as terms.
#[derive(Debug, Default)]
pub(super) struct TokenizedText {
    /// The title, folded, in lower case.
    pub title_letters: String,
    pub title: Vec<WordToken>,
    pub summary: Vec<WordToken>,
    title_folded: String,
    summary_folded: String,
}

/// Terms of words that were met, since stemming costs more than looking a word up: by the word's hash and its language.
#[derive(Default)]
pub(super) struct StemCache(FxHashMap<u64, TermHash>);

/// The term of a stop word: none.
const STOP_WORD: TermHash = 0;

/// Words remembered; when there are more, all are forgotten at once, which changes no result. As many as fill a table of
/// a power of two.
const MAX_CACHED_STEMS: usize = (1 << 18) / 8 * 7;

impl StemCache {
    fn key(number: u8, lower: &str) -> u64 {
        xxh3_64(lower.as_bytes()) ^ u64::from(number) << 56
    }

    /// Asks memory for words, all at once, so that looking them up one by one waits only once.
    fn call(&self, keys: impl Iterator<Item = u64>) {
        std::hint::black_box(keys.filter(|key| self.0.contains_key(key)).count());
    }

    /// The term of a word, whose key this is.
    fn term(&mut self, key: u64, language: &LanguageRules, word: &str) -> TermHash {
        if let Some(known) = self.0.get(&key) {
            return *known;
        }
        let mut lower = String::new();
        write_lower(word, &mut lower);
        let stop = lower.chars().nth(1).is_none() || language.is_stop_word(&lower);
        let term = if stop { STOP_WORD } else { xxh3_64(language.stem(&lower).as_bytes()) };
        if self.0.len() >= MAX_CACHED_STEMS {
            self.0.clear();
        }
        self.0.insert(key, term);
        term
    }
}

impl TokenizedText {
    pub(super) fn new(
        title: &str,
        summary: &str,
        number: u8,
        language: &LanguageRules,
        stems: &mut StemCache,
    ) -> TokenizedText {
        let title_folded = fold(title).into_owned();
        let cut = summary.char_indices().nth(MAX_SUMMARY_CHARS).map_or(summary, |(at, _)| &summary[..at]);
        let summary_folded = fold(cut).into_owned();
        TokenizedText {
            title_letters: title_folded.to_lowercase(),
            title: tokens(&title_folded, number, language, stems),
            summary: tokens(&summary_folded, number, language, stems),
            title_folded,
            summary_folded,
        }
    }

    /// A word as the item writes it.
    pub(super) fn written(&self, in_title: bool, token: &WordToken) -> &str {
        let text = if in_title { &self.title_folded } else { &self.summary_folded };
        text.get(token.at.0 as usize..token.at.1 as usize).unwrap_or_default()
    }

    /// All terms in order, title first.
    pub(super) fn terms(&self) -> impl Iterator<Item = TermHash> {
        self.title.iter().chain(&self.summary).map(|token| token.term)
    }
}

/// NFKC, without invisible characters, with letters that only look Latin made Latin where a word mixes scripts.
fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains(crate::domain::display_text::is_invisible) {
        return text.into();
    }
    let visible = text.chars().filter(|c| !crate::domain::display_text::is_invisible(*c) || c.is_whitespace());
    let plain: String = match is_nfkc_quick(visible.clone()) {
        IsNormalized::Yes => visible.collect(),
        _ => visible.nfkc().collect(),
    };
    if !plain.chars().any(is_lookalike) {
        return plain.into();
    }
    plain.split_inclusive(|c: char| !c.is_alphanumeric()).map(unmix).collect::<String>().into()
}

/// Cyrillic and Greek, whose letters can stand for Latin ones.
fn is_lookalike(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}')
}

/// A word that mixes Latin with letters that look so, in Latin. A word of one script stays what it is.
fn unmix(word: &str) -> Cow<'_, str> {
    if !word.chars().any(|c| c.is_ascii_alphabetic()) || !word.chars().any(is_lookalike) {
        return word.into();
    }
    word.chars().map(latin).collect::<String>().into()
}

/// The Latin letter that a letter is confusable with (UTS #39), else the letter itself.
fn latin(c: char) -> char {
    let mut like = unicode_security::skeleton(c.encode_utf8(&mut [0; 4])).collect::<Vec<char>>();
    match like.pop() {
        Some(one) if like.is_empty() && one.is_ascii_alphabetic() && is_lookalike(c) => one,
        _ => c,
    }
}

fn tokens(text: &str, number: u8, language: &LanguageRules, stems: &mut StemCache) -> Vec<WordToken> {
    let mut out = Vec::with_capacity(text.len() / 6);
    let mut run: Vec<(usize, char)> = Vec::new();
    // Words whose terms are to be looked up, by their places in `out`, where their keys stand until then.
    let mut words: Vec<usize> = Vec::with_capacity(out.capacity());
    let (mut end, mut lower) = (0, String::new());
    for (at, word) in text.unicode_word_indices() {
        let initial = end == 0 || text[end..at].contains(ends_a_sentence);
        end = at + word.len();
        if word.chars().all(is_unspaced) {
            // A run goes on over words that the segmentation cuts, but not over signs.
            if initial || run.last().is_some_and(|(last, c)| last + c.len_utf8() != at) {
                pairs(&mut run, &mut out);
            }
            run.extend(word.char_indices().map(|(inside, c)| (at + inside, c)));
            continue;
        }
        pairs(&mut run, &mut out);
        let is_number = word.starts_with(|c: char| c.is_numeric());
        write_lower(word, &mut lower);
        let capital = word.starts_with(char::is_uppercase);
        // The country and the pronoun differ by their capitals alone.
        let acronym = capital && lower.len() <= 2 && word.chars().all(|c| c.is_uppercase() || c == '.');
        let term = if is_number || acronym {
            xxh3_64(lower.as_bytes()) ^ u64::from(acronym)
        } else {
            words.push(out.len());
            StemCache::key(number, &lower)
        };
        out.push(WordToken { term, at: (at as u32, end as u32), number: is_number, capital, initial });
    }
    pairs(&mut run, &mut out);
    stems.call(words.iter().map(|word| out[*word].term));
    for word in words {
        let WordToken { term: key, at: (start, end), .. } = out[word];
        out[word].term = stems.term(key, language, &text[start as usize..end as usize]);
    }
    out.retain(|token| token.term != STOP_WORD);
    out
}

/// A word in lower case, without its signs and its possessive.
fn write_lower(word: &str, lower: &mut String) {
    let is_number = word.starts_with(|c: char| c.is_numeric());
    lower.clear();
    for c in word.chars().filter(|c| !matches!(c, '.' | ',' | '\'' | '’') || (is_number && *c == '.')) {
        lower.extend(c.to_lowercase());
    }
    if word.ends_with("'s") || word.ends_with("’s") {
        lower.pop();
    }
}

fn ends_a_sentence(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | ':' | '|' | '—' | '–' | '"' | '“' | '”' | '‘' | '(' | '。' | '、' | '，' | '！' | '？'
    )
}

/// Chinese, Japanese, Korean and Thai: every two neighbouring letters are a term, as in the CJK analysers of search
/// engines, because a dictionary would be needed to find words.
fn pairs(run: &mut Vec<(usize, char)>, out: &mut Vec<WordToken>) {
    for pair in run.windows(2.min(run.len().max(1))) {
        let letters: String = pair.iter().map(|(_, c)| *c).collect();
        let (first, last) = (pair[0].0, pair[pair.len() - 1]);
        let at = (first as u32, (last.0 + last.1.len_utf8()) as u32);
        out.push(WordToken { term: xxh3_64(letters.as_bytes()), at, number: false, capital: false, initial: false });
    }
    run.clear();
}

fn is_unspaced(c: char) -> bool {
    matches!(c as u32,
        0x0e00..=0x0e7f | 0x1100..=0x11ff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7af | 0x20000..=0x3ffff)
}

#[cfg(test)]
mod tests {
    use super::super::language::LanguageRegistry;
    use super::*;

    fn terms(text: &str, lang: &str) -> Vec<TermHash> {
        let mut languages = LanguageRegistry::default();
        let number = languages.of(Some(lang));
        TokenizedText::new(text, "", number, languages.get(number), &mut StemCache::default()).terms().collect()
    }

    #[test]
    fn forms_of_a_word_are_one_term_in_each_language() {
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
        ] {
            assert_eq!(terms(one, lang), terms(other, lang), "in {lang}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_read_in_pairs() {
        for (lang, one, other) in [
            ("zh", "地震袭击", "强烈地震"),
            ("ja", "地震が発生", "大地震"),
            ("ko", "지진이", "지진"),
            ("th", "แผ่นดินไหว", "เกิดแผ่นดินไหว"),
        ] {
            let (one, other) = (terms(one, lang), terms(other, lang));
            assert!(one.iter().any(|t| other.contains(t)), "nothing shared in {lang}");
        }
    }

    #[test]
    fn invisible_wide_and_lookalike_letters_change_nothing() {
        assert_eq!(terms("Ｆｉｒｅ in St\u{200b}adium", "en"), terms("fire stadium", "en"));
        assert_eq!(terms("Stadіum fіre spгeads".replace('г', "r").as_str(), "en"), terms("Stadium fire spreads", "en"));
    }

    #[test]
    fn russian_and_greek_words_stay_what_they_are() {
        assert_eq!(fold("Москва сосед"), "Москва сосед");
        assert_eq!(fold("Αθήνα 2024"), "Αθήνα 2024");
        assert_eq!(fold("pаypаl"), "paypal");
    }

    #[test]
    fn the_united_states_are_not_us() {
        assert_ne!(terms("US", "en"), Vec::<TermHash>::new());
        assert_eq!(terms("U.S.", "en"), terms("US", "en"));
        assert_ne!(terms("us", "en"), terms("US", "en"));
    }

    #[test]
    fn thousands_are_read_with_and_without_a_comma() {
        assert_eq!(terms("2,000 dead", "en"), terms("2000 dead", "en"));
        assert_ne!(terms("iPhone 16", "en"), terms("iPhone 17", "en"));
    }
}
