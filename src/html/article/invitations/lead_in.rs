//! Finds the imperatives of a line after the clauses that lead to an invitation: "For more news, please follow us".

use super::super::words::{starts_with_words, words_of};

/// The first words of clauses before an invitation, in lowercase: "Like what you read?".
#[rustfmt::skip]
const LEAD_IN_WORDS: &[&str] = &[
    "for", "want", "like", "liked", "love", "loved", "enjoy", "enjoyed", "enjoying", "if", "to", "stay", "keep", "never", "don't",
    "don’t", "did", "do", "got", "have", "you", "more", "für", "mehr", "nichts", "gefällt", "ihnen", "hat", "immer", "wollen",
    "pour", "plus", "vous", "envie", "si", "para", "te", "más", "quieres", "per", "ti", "vuoi", "gostou", "quer", "voor",
    "meer", "wil", "vind", "chcesz", "podoba", "więcej", "хотите", "больше", "чтобы", "понравилась", "понравился", "för",
    "wenn", "falls", "se", "als", "jeśli", "jeżeli", "если", "якщо", "om", "hvis", "jos", "pokud", "líbil", "dacă", "eğer", "jika", "nếu", "αν", "was", "found",
    "is", "this", "cet", "cela",
    "vill", "gillade", "vil", "likte", "daha", "haberleri", "untuk", "pentru", "další", "ha", "για",
];
const MAX_LEAD_IN_WORDS: usize = 12;
/// Phrases before the imperative, in lowercase.
#[rustfmt::skip]
const BEFORE_IMPERATIVE: &[&str] = &[
    "click here to", "click to", "tap here to", "tap to", "please", "please consider", "consider", "don't forget to", "don’t forget to", "be sure to",
    "make sure to", "remember to", "you can", "you can also", "also", "and", "why not", "hier klicken und",
];

/// Returns the parts of a line that may start with an imperative: the line, and the text after each clause that leads
/// to an invitation.
pub fn imperatives(line: &str) -> impl Iterator<Item = &str> {
    let ends_clause = |at: usize| {
        let before = line[..at].trim_end();
        let ends_in_sign = before.ends_with([',', '?', '!', ':', '–', '—', '，', '？', '！']);
        (ends_in_sign || line[at..].starts_with("please ")) && is_lead_in(before)
    };
    let starts = line.char_indices().map(|(at, _)| at).filter(move |at| *at == 0 || ends_clause(*at));
    starts.map(|at| {
        let part = line[at..].trim_start_matches(|c: char| !c.is_alphanumeric() && c != '@');
        let lower = part.to_lowercase();
        let prefix = BEFORE_IMPERATIVE.iter().filter(|prefix| starts_with_words(&lower, prefix));
        prefix
            .max_by_key(|prefix| prefix.len())
            .and_then(|prefix| part.get(prefix.len()..))
            .unwrap_or(part)
            .trim_start()
    })
}

/// Returns whether a clause only leads to an invitation.
fn is_lead_in(clause: &str) -> bool {
    let mut words = words_of(clause);
    words.next().is_some_and(|word| LEAD_IN_WORDS.contains(&word.to_lowercase().as_str()))
        && words.nth(MAX_LEAD_IN_WORDS).is_none()
        && !clause.contains(". ")
}
