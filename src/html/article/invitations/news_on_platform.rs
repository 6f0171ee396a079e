//! Recognizes offers of news on a platform: "Get all the latest news on Telegram".

use super::super::buttons::is_platform;
use super::super::words::words_of;
use super::shared_words::{APPEAL_WORDS, NAME_FILLERS, NEWS_WORDS, OUTLET_WORDS};

/// Imperatives before "news on Telegram", in lowercase.
#[rustfmt::skip]
const NEWS_VERBS: &[&str] = &[
    "get", "receive", "read", "follow", "find", "join", "watch", "catch", "stay", "keep", "more", "all", "latest", "for", "check", "see", "subscribe", "don't", "don’t", "never",
    "erhalten", "erhalte", "lesen", "lies", "folgen", "folge", "alle", "mehr", "bleiben", "recevez", "suivez", "retrouvez", "lisez", "toute", "toutes", "recibe", "reciba", "sigue", "siga",
    "lee", "lea", "toda", "todas", "receba", "leia", "acompanhe", "ricevi", "segui", "leggi", "tutte", "ontvang", "volg", "lees", "otrzymuj", "czytaj", "śledź", "читайте", "получайте", "следите", "все",
    "få", "läs", "följ", "les", "følg", "læs", "seuraa", "lue", "sledujte", "čtěte", "kövesd", "urmărește", "citește", "ikuti", "baca", "dapatkan", "theo", "đọc", "haberleri", "son",
];
/// Prepositions before the name of a platform, in lowercase.
#[rustfmt::skip]
const PLATFORM_PREPOSITIONS: &[&str] = &[
    "on", "via", "in", "at", "to", "auf", "bei", "über", "per", "sur", "en", "por", "no", "na", "pelo", "su", "op", "w", "в", "у", "на", "på", "i", "pe", "στο", "di", "trên", "facebookissa",
];

/// Returns whether a line offers news on a platform: "Get all the latest news on Telegram".
pub fn is_news_on_platform(lower: &str) -> bool {
    const MAX_WORDS: usize = 16;
    if !words_of(lower).next().is_some_and(|first| NEWS_VERBS.contains(&first)) {
        return false;
    }
    let words: Vec<&str> = words_of(lower).collect();
    let is_name = |word: &&str| *word != "news" && is_platform(word) || OUTLET_WORDS.contains(word);
    let Some(platform) = words.iter().position(is_name).filter(|_| words.len() <= MAX_WORDS) else { return false };
    let is_filler = |word: &&str| NAME_FILLERS.contains(word) || APPEAL_WORDS.contains(word) || is_name(word);
    let before = words[..platform].iter().rev().find(|word| !is_filler(word) || PLATFORM_PREPOSITIONS.contains(word));
    words[..platform].iter().any(|word| NEWS_WORDS.contains(word))
        && before.is_some_and(|word| PLATFORM_PREPOSITIONS.contains(word))
        && words[platform..].iter().all(is_filler)
}
