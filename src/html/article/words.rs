//! The words and sentences of a line of text.
//!
//! Each function reads the text once, or only a bounded part of it.

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// The maximum number of words in a headline. A longer line is a paragraph.
const MAX_HEADLINE_WORDS: usize = 25;
/// The maximum number of words of an outlet's name.
const MAX_OUTLET_WORDS: usize = 5;
/// The number of bytes at the end of the text that [`last_sentences`] searches.
const MAX_TAIL_BYTES: usize = 800;
const MAX_TAIL_SENTENCES: usize = 5;

/// Words that show that a line reports a statement.
#[rustfmt::skip]
const ATTRIBUTION_WORDS: &[&str] = &[
    "said", "says", "say", "asked", "asks", "urged", "urges", "urge", "told", "tells", "called", "calls", "wrote",
    "writes", "added", "warned", "warns", "announced", "demanded", "demands", "insisted", "claimed", "according", "police",
    "sagte", "sagt", "sagten", "forderte", "fordert", "laut", "polizei", "selon", "déclaré", "dijo", "según", "policía",
    "disse", "segundo", "polícia", "detto", "secondo", "polizia", "zei", "volgens", "politie", "powiedział",
    "powiedziała", "сказал", "сказала", "заявил", "заявила", "полиция", "sade", "enligt", "sagde",
];

/// Returns whether a line is short and does not end like a sentence.
pub fn is_headline(line: &str) -> bool {
    line.split_whitespace().count() <= MAX_HEADLINE_WORDS && !ends_sentence(line)
}

pub fn ends_sentence(line: &str) -> bool {
    line.trim_end().ends_with(['.', '!', '…', '”', '"', '»', '。', '！', '？', '」', '。', '؟', '।'])
}

pub fn trim_signs(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Returns each word of the text without punctuation, and its offset. Hyphens and apostrophes belong to words.
pub fn word_indices(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_sign = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '\'' | '’');
    let mut next = 0;
    text.split_inclusive(is_sign).filter_map(move |part| {
        let start = next + (part.len() - part.trim_start_matches(|c: char| !c.is_alphanumeric()).len());
        next += part.len();
        let word = trim_signs(part);
        (!word.is_empty()).then_some((start, word))
    })
}

pub fn words_of(text: &str) -> impl Iterator<Item = &str> {
    word_indices(text).map(|(_, word)| word)
}

/// Returns whether the text is short, and its first and last words could be those of an outlet's name.
pub fn is_outlet_name(text: &str) -> bool {
    let words: Vec<&str> = trim_signs(text).split_whitespace().collect();
    let is_name = |word: &&str| trim_signs(word).contains('.') || !trim_signs(word).starts_with(char::is_lowercase);
    words.len() <= MAX_OUTLET_WORDS && words.first().is_some_and(is_name) && words.last().is_some_and(is_name)
}

/// Returns whether the text consists of several of these words, with or without spaces between them. The words belong
/// to languages that are written without spaces.
pub fn consists_of(text: &str, words: &[&str]) -> bool {
    let (mut rest, mut count) = (trim_signs(text), 0);
    while !rest.is_empty() {
        let longest = words.iter().filter_map(|word| rest.strip_prefix(word)).min_by_key(|rest| rest.len());
        let Some(after) = longest else { return false };
        (rest, count) = (after.trim_start_matches(|c: char| !c.is_alphanumeric()), count + 1);
    }
    count > 1
}

/// Returns whether the text contains words, and all of them are among these words.
pub fn consists_of_words(text: &str, words: &[&str]) -> bool {
    words_of(text).next().is_some() && words_of(text).all(|word| words.contains(&word))
}

/// Returns the letters and digits of the text in lowercase.
pub fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns a search for any of these phrases. It reads the text once, instead of once for each phrase.
pub fn search_for_any(phrases: &[&str]) -> AhoCorasick {
    AhoCorasick::new(phrases).unwrap_or_else(|error| unreachable!("the automaton of a few phrases fits: {error}"))
}

pub fn has_attribution(lower: &str) -> bool {
    static WORDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| ATTRIBUTION_WORDS.iter().copied().collect());
    lower.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(word))
}

/// Returns the text after each occurrence of `phrase` that starts a word.
pub fn starts_of_words<'t>(text: &'t str, phrase: &str) -> impl Iterator<Item = &'t str> {
    let starts_word = |at: &usize| !text[..*at].ends_with(char::is_alphanumeric);
    text.match_indices(phrase).map(|(at, _)| at).filter(starts_word).map(move |at| &text[at + phrase.len()..])
}

pub fn contains_words(text: &str, phrase: &str) -> bool {
    starts_of_words(text, phrase).any(|rest| !rest.starts_with(char::is_alphanumeric))
}

pub fn starts_with_words(text: &str, phrase: &str) -> bool {
    text.strip_prefix(phrase).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Returns the offsets at which the last sentences of the text start, the last sentence first. If the text is short,
/// its start is included.
pub fn last_sentences(text: &str) -> Vec<usize> {
    let from = text.ceil_char_boundary(text.len().saturating_sub(MAX_TAIL_BYTES));
    let is_start = |at: &usize| {
        let (before, after) = (&text[from..*at], &text[*at..]);
        let first = after.chars().next();
        first.is_some_and(|c| !c.is_whitespace() && !is_closing(c) && !is_dash(c))
            && (*at == 0 || ends_before_sentence(before, first))
    };
    let offsets = text[from..].char_indices().rev().map(|(at, _)| from + at);
    offsets.filter(is_start).take(MAX_TAIL_SENTENCES).collect()
}

/// Returns whether a sentence ends at the end of `before`, and the next one starts with `first`.
fn ends_before_sentence(before: &str, first: Option<char>) -> bool {
    let is_ornament = |c: char| c.is_whitespace() || is_dash(c) || matches!(c, '(' | '[');
    let sentence = before.trim_end_matches(is_ornament).trim_end_matches(is_closing);
    if before.ends_with(char::is_whitespace) {
        return ends_sentence(sentence) || sentence.ends_with(['?', '”', '"', '»']);
    }
    let is_glued = || {
        let mut last = before.chars().rev();
        last.next() == Some('.') && last.next().is_some_and(char::is_lowercase) && first.is_some_and(char::is_uppercase)
    };
    sentence.len() == before.trim_end_matches(is_closing).len()
        && (sentence.ends_with(['…', '。', '！', '？']) || sentence.ends_with("...") || is_glued())
}

fn is_dash(c: char) -> bool {
    matches!(c, '–' | '—' | '|' | '•' | '·' | '-')
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '”' | '"' | '»' | '’')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_sentences_start_after_the_sign_that_ends_a_sentence() {
        let sentences = |text: &'static str| last_sentences(text).into_iter().map(|at| &text[at..]).collect::<Vec<_>>();
        assert_eq!(sentences("One. Two?"), ["Two?", "One. Two?"]);
        assert_eq!(sentences("One […] Two"), ["Two", "One […] Two"]);
        assert_eq!(sentences("One.Two"), ["Two", "One.Two"]);
        assert_eq!(sentences("一。二"), ["二", "一。二"]);
        assert_eq!(sentences("“One!” – (Two)"), ["(Two)", "“One!” – (Two)"]);
        assert_eq!(sentences("See one.example or 2.5"), ["See one.example or 2.5"]);
        assert_eq!(sentences(""), [""; 0]);
    }
}
