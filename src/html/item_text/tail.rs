//! Finds what programs append to the last words of an item's text: "Continue reading", the line of a syndication
//! plugin, hashtags and the URL of the item.
//!
//! The functions return offsets and change nothing. Words that belong to a sentence are kept: "see https://…", "We like
//! #seals".

use super::super::article::labels::{ends_sentence, is_more_link, more_start, syndication_start};
use crate::urls::outlet::outlet_of_url;
use url::Url;

/// The maximum number of parts of a tail, such as a URL followed by hashtags.
const MAX_TAIL_PARTS: usize = 8;
/// The minimum number of hashtags after words that do not end a sentence. Fewer hashtags belong to the sentence.
const MIN_HASHTAGS: usize = 2;

/// The properties of an item and its text that determine the end of the text.
pub(super) struct TailContext<'a> {
    /// The link of the item.
    pub item_link: Option<&'a Url>,
    /// The text of a link at the end of the text.
    pub link_text: Option<&'a str>,
    /// Whether only clutter follows the text.
    pub is_last: bool,
    /// Whether the preceding text introduces this text.
    pub is_announced: bool,
}

/// Returns the length of `text` without its tail; 0 if the text consists of a tail.
pub(super) fn length_without_tail(text: &str, context: &TailContext<'_>) -> usize {
    let mut end = text.len();
    for _ in 0..MAX_TAIL_PARTS {
        let text = &text[..end];
        let start = context.link_text.and_then(|link| link_start(text, link)).or_else(|| more_start(text));
        let start =
            start.or_else(|| syndication_start(text, context.link_text)).or_else(|| addresses_start(text, context));
        let Some(start) = start.or_else(|| hashtags_start(text).filter(|_| context.is_last)) else { break };
        end = text[..start].trim_end_matches(|c: char| c.is_whitespace() || "([-–|".contains(c)).len();
    }
    end
}

/// Returns the offset of a link to the complete article at the end of the text.
fn link_start(text: &str, link: &str) -> Option<usize> {
    let is_sign = |c: char| !c.is_alphanumeric();
    let start = text.trim_end_matches(is_sign).strip_suffix(link.trim_matches(is_sign))?.len();
    // "The board will read more proposals."
    let is_within_sentence = link.trim_start_matches(is_sign).starts_with(char::is_lowercase)
        && text[..start].trim_end().ends_with(char::is_alphanumeric);
    (is_more_link(link) && !is_within_sentence).then_some(start)
}

/// Returns the offset of a URL of the item's outlet at the end of the text.
fn addresses_start(text: &str, context: &TailContext<'_>) -> Option<usize> {
    let (before, end) = last_word(text)?;
    let word = end.trim_matches(|c| "()[]<>".contains(c));
    let is_address = ["http://", "https://", "www."].iter().any(|start| word.to_ascii_lowercase().starts_with(start));
    let url = Url::parse(word).or_else(|_| Url::parse(&format!("https://{word}"))).ok().filter(|_| is_address)?;
    let is_own = context.item_link.is_some_and(|link| outlet_of_url(link) == outlet_of_url(&url));
    let follows_hashtag = last_word(before).is_some_and(|(_, word)| is_hashtag(word));
    let is_appended = if before.is_empty() { !context.is_announced } else { is_complete(before) || follows_hashtag };
    (is_own && is_appended).then_some(text.len() - end.len())
}

fn hashtags_start(text: &str) -> Option<usize> {
    let (mut before, mut count) = (text, 0);
    while let Some((rest, _)) = last_word(before).filter(|(_, word)| is_hashtag(word)) {
        (before, count) = (rest, count + 1);
    }
    let is_appended = count >= MIN_HASHTAGS || before.is_empty() || is_complete(before);
    (count > 0 && is_appended).then_some(before.len())
}

fn is_hashtag(word: &str) -> bool {
    let name = word.strip_prefix(['#', '＃']).unwrap_or_default().trim_end_matches([',', ';']);
    name.contains(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '·'))
}

/// Returns whether the text ends with a complete sentence or with an ornament.
fn is_complete(text: &str) -> bool {
    let ends_in_word = text.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ',' | ':' | ';' | '-' | '–' | '('));
    ends_sentence(text) || !ends_in_word
}

/// Returns the text without its last word, and that word.
fn last_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end();
    let start =
        text.rfind(char::is_whitespace).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    (!text.is_empty()).then(|| (text[..start].trim_end(), &text[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let link = Url::parse("https://www.ledger.example/2026/seals").unwrap();
        let context = TailContext { item_link: Some(&link), link_text: None, is_last: true, is_announced: false };
        assert_eq!(&text[..length_without_tail(text, &context)], expected, "{text}");
    }

    #[test]
    fn tail_is_cut_and_the_text_stays() {
        for tail in [
            "",
            " Continue reading",
            " [Read more…]",
            " Weiterlesen →",
            " The post Seals are back appeared first on Harbour Ledger.",
            " L’article Les phoques est apparu en premier sur Le Port.",
            " https://ledger.example/2026/seals",
            " http://news.ledger.example/x?y=1",
            " www.ledger.example",
            " #seals",
            " #seals #Hafen_Nord, #2026seals",
            " https://ledger.example/1 #seals #bay",
            " #seals #bay https://ledger.example/1",
        ] {
            check(&format!("The seals are back in the bay…{tail}"), "The seals are back in the bay…");
        }
        check("The seals are back #seals #bay", "The seals are back");
        check("Die Robben [&hellip;] Weiterlesen", "Die Robben [&hellip;] Weiterlesen");
        check("Die Robben sind da […] Weiterlesen", "Die Robben sind da […]");
        check("https://ledger.example/1", "");
        check("#seals", "");
    }

    #[test]
    fn words_of_a_sentence_stay() {
        for text in [
            "We like #seals",
            "She is #1",
            "See https://ledger.example/1",
            "The rules: https://ledger.example/1",
            "The film is out. https://films.example/1",
            "The mayor said that everyone should read more",
            "The post office in the bay appeared first on old maps.",
            "What do they want? More.",
        ] {
            check(text, text);
        }
    }
}
