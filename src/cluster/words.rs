//! Text to terms: Unicode words (UAX #29) in NFKC and lower case, stemmed by language (Snowball), stop words left out;
//! pairs of letters for scripts that write no spaces. Numbers are terms too, and are remembered with what they count.

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

/// A term: the first 32 bits of its hash. Two words in a million share one, which costs a little precision and saves
/// the table of all words ever seen.
pub(super) type Term = u32;

/// What grouping knows of an item's words.
pub(super) struct Text {
    /// How often each term stands in the title and in the summary.
    pub terms: BTreeMap<Term, Count>,
    /// The title, folded, for a look at its letters.
    pub title: String,
    pub numbers: Vec<Number>,
    pub sketch: Sketch,
    /// How the item writes its terms, for evidence.
    written: FxHashMap<Term, String>,
}

/// A number of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// The term before it: what it counts or names; 0 where there is none.
    pub of: Term,
    /// Whether that is written as a name: "Lumen 9" and not "kills 9".
    pub named: bool,
    pub written: String,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub title: u16,
    pub summary: u16,
}

impl Text {
    pub(super) fn new(title: &str, summary: &str, lang: Option<&str>) -> Text {
        let lang = lang.unwrap_or("en");
        let mut text = Text {
            terms: BTreeMap::new(),
            title: title.nfkc().flat_map(char::to_lowercase).collect(),
            numbers: Vec::new(),
            sketch: Sketch::default(),
            written: FxHashMap::default(),
        };
        let mut all = Vec::new();
        for (field, in_title) in [(title, true), (summary, false)] {
            let (mut before, mut named) = (0, false);
            let capitals_tell = in_title && capitals_tell(field, lang);
            each_term(field, lang, |term, written| {
                let count = text.terms.entry(term).or_default();
                let place = if in_title { &mut count.title } else { &mut count.summary };
                *place = place.saturating_add(1);
                text.written.entry(term).or_insert_with(|| written.to_owned());
                if in_title && written.starts_with(|c: char| c.is_numeric()) {
                    text.numbers.push(Number { of: before, named, written: written.to_owned() });
                }
                (before, named) = (term, capitals_tell && written.starts_with(char::is_uppercase));
                all.push(term);
            });
        }
        text.sketch = Sketch::new(&all);
        text
    }

    /// How the item writes a term.
    pub(super) fn written(&self, term: Term) -> Option<String> {
        self.written.get(&term).cloned()
    }
}

/// Whether a capital marks a name here: not in German, which writes all nouns so, nor in headlines that write most
/// words so.
fn capitals_tell(field: &str, lang: &str) -> bool {
    let long = || field.unicode_words().skip(1).filter(|word| word.chars().count() >= 4);
    let capital = long().filter(|word| word.starts_with(char::is_uppercase)).count();
    lang != "de" && capital * 10 <= long().count() * 6
}

/// Calls `take` with each term of a text and its written form, in order.
fn each_term(text: &str, lang: &str, mut take: impl FnMut(Term, &str)) {
    let text: String = text.nfkc().filter(|c| !crate::model::text::is_invisible(*c)).collect();
    let stop = stop_words(lang);
    let mut run = String::new();
    for word in text.unicode_words() {
        if word.chars().all(is_unspaced) {
            run.push_str(word);
            continue;
        }
        pairs(&mut run, &mut take);
        let lower = word.to_lowercase();
        let lower = lower.strip_suffix("'s").or(lower.strip_suffix("’s")).unwrap_or(&lower);
        let numeric = lower.starts_with(|c: char| c.is_numeric());
        // The lists of stop words hold digits, which are what tells two products apart.
        if !numeric && (lower.chars().count() < 2 || stop.contains(lower)) {
            continue;
        }
        take(term(&stem(lower, lang)), word);
    }
    pairs(&mut run, &mut take);
}

/// Chinese, Japanese, Korean and Thai: every two neighbouring letters are a term, as in the CJK analysers of search
/// engines, because a dictionary would be needed to find words.
fn pairs(run: &mut String, take: &mut impl FnMut(Term, &str)) {
    let letters: Vec<char> = run.chars().collect();
    for pair in letters.windows(2.min(letters.len().max(1))) {
        let pair: String = pair.iter().collect();
        take(term(&pair), &pair);
    }
    run.clear();
}

fn is_unspaced(c: char) -> bool {
    matches!(c as u32,
        0x0e00..=0x0e7f | 0x1100..=0x11ff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7af | 0x20000..=0x3ffff)
}

fn term(stem: &str) -> Term {
    (xxh3_64(stem.as_bytes()) >> 32) as Term
}

fn stem(word: &str, lang: &str) -> String {
    let algorithm = match lang {
        "en" => Algorithm::English,
        "de" => Algorithm::German,
        "fr" => Algorithm::French,
        "es" => Algorithm::Spanish,
        "pt" => Algorithm::Portuguese,
        "it" => Algorithm::Italian,
        "nl" => Algorithm::Dutch,
        "ru" => Algorithm::Russian,
        "sv" => Algorithm::Swedish,
        "da" => Algorithm::Danish,
        "nb" | "no" | "nn" => Algorithm::Norwegian,
        "fi" => Algorithm::Finnish,
        "hu" => Algorithm::Hungarian,
        "ro" => Algorithm::Romanian,
        "tr" => Algorithm::Turkish,
        "el" => Algorithm::Greek,
        "ar" => Algorithm::Arabic,
        "pl" => return polish(word).to_owned(),
        _ => return word.to_owned(),
    };
    Stemmer::create(algorithm).stem(word).into_owned()
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

fn stop_words(lang: &str) -> &'static FxHashSet<&'static str> {
    thread_local! {
        static KNOWN: RefCell<FxHashMap<String, &'static FxHashSet<&'static str>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(set) = known.get(lang) {
            return *set;
        }
        let words = stop_words::lookup(lang).unwrap_or_default();
        // One small set for each of the few languages of the lists, kept for as long as the program runs.
        let set: &'static FxHashSet<&'static str> = Box::leak(Box::new(words.iter().copied().collect()));
        known.insert(if words.is_empty() { String::new() } else { lang.to_owned() }, set);
        set
    })
}

/// A bottom-k sketch of a text's shingles of three terms: the k smallest hashes (Cohen and Kaplan, 2007). The share of
/// them that two texts have in common estimates the Jaccard likeness of the texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch(Box<[u32]>);

impl Sketch {
    /// Hashes kept: the standard error of a likeness of 0.6 is then 0.09.
    const SIZE: usize = 32;
    /// Texts with fewer shingles are too short to be called copies.
    const LEAST: usize = 6;

    fn new(terms: &[Term]) -> Sketch {
        let mut hashes: Vec<u32> = terms
            .windows(3)
            .map(|three| {
                let bytes: Vec<u8> = three.iter().flat_map(|t| t.to_le_bytes()).collect();
                xxh3_64(&bytes) as u32
            })
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.len() < Self::LEAST {
            hashes.clear();
        }
        hashes.truncate(Self::SIZE);
        Sketch(hashes.into_boxed_slice())
    }

    /// The estimated Jaccard likeness, 0 to 1.
    pub(super) fn likeness(&self, other: &Sketch) -> f32 {
        if self.0.is_empty() || other.0.is_empty() {
            return 0.0;
        }
        let size = Self::SIZE.min(self.0.len().max(other.0.len()));
        let (mut a, mut b, mut seen, mut both) = (0, 0, 0, 0);
        while seen < size && (a < self.0.len() || b < other.0.len()) {
            match (self.0.get(a), other.0.get(b)) {
                (Some(x), Some(y)) if x == y => {
                    both += 1;
                    a += 1;
                    b += 1;
                }
                (Some(x), Some(y)) if x < y => a += 1,
                (Some(_), None) => a += 1,
                _ => b += 1,
            }
            seen += 1;
        }
        both as f32 / seen as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str, lang: &str) -> Vec<Term> {
        let mut all = Vec::new();
        each_term(text, lang, |term, _| all.push(term));
        all
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
    fn invisible_and_wide_letters_change_nothing() {
        assert_eq!(terms("Ｆｉｒｅ in St\u{200b}adium", "en"), terms("fire stadium", "en"));
    }

    #[test]
    fn a_copy_with_another_byline_is_alike_and_another_text_is_not() {
        let body = "Rescue boats brought ninety passengers ashore after the ferry caught fire off the northern cape, \
                    the coast guard said, adding that two sailors were treated for smoke and that the hull holds";
        let one = Text::new("Ferry fire off the cape", body, Some("en"));
        let copy = Text::new("Ferry fire off the cape", &format!("By our reporter. {body}."), Some("en"));
        let other =
            Text::new("Ferry burns", "A blaze broke out aboard a ferry on Sunday and everybody was saved", Some("en"));
        assert!(one.sketch.likeness(&copy.sketch) > 0.7);
        assert!(one.sketch.likeness(&other.sketch) < 0.1);
    }
}
