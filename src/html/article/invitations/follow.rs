//! Recognizes invitations with the name of an outlet or a person: "Follow Harbour Ledger on Mastodon".

use super::super::buttons::is_platform;
use super::super::words::{starts_with_words, word_indices, words_of};
use super::shared_words::{FOLLOW_VERBS, NAME_FILLERS, OUTLET_WORDS, PURPOSE_WORDS};

/// The maximum number of words after the name of a platform: "for more news".
const MAX_PURPOSE_WORDS: usize = 8;

/// Returns whether the text names a person or an outlet, and platforms: "Follow Harbour Ledger on Facebook and
/// Mastodon".
pub fn is_follow_line(text: &str) -> bool {
    let lower = text.to_lowercase();
    let names = |verb: &&str| {
        starts_with_words(&lower, verb) && text.get(verb.len()..).is_some_and(consists_of_name_and_platforms)
    };
    FOLLOW_VERBS.iter().any(names)
}

fn consists_of_name_and_platforms(text: &str) -> bool {
    let (mut has_name, mut has_platform) = (false, false);
    for (start, word) in word_indices(text) {
        let lower = word.to_lowercase();
        let is_handle = text[..start].ends_with('@');
        if has_platform && PURPOSE_WORDS.contains(&lower.as_str()) {
            return words_of(&text[start..]).count() <= MAX_PURPOSE_WORDS;
        } else if has_name && !is_handle && (is_platform(&lower) || OUTLET_WORDS.contains(&lower.as_str())) {
            has_platform = true;
        } else if is_handle || (!has_platform && !word.starts_with(char::is_lowercase)) {
            has_name = true;
        } else if !NAME_FILLERS.contains(&lower.as_str()) {
            return false;
        }
    }
    has_platform
}
