//! Finds the parts that programs append to the last words of an item's text: "Continue reading", the line of a
//! syndication plugin, hashtags and the URL of the item.
//!
//! The functions return offsets and do not change the text. Words that belong to a sentence are kept: "see https://…",
//! "We like #seals".

use super::super::article::buttons::button_line;
use super::super::article::footers::{is_footer, is_last_footer};
use super::super::article::invitations::{is_invitation, is_short_invitation};
use super::super::article::labels::labels_links;
use super::super::article::more_links::{is_address_label, is_cut, is_more_after_cut, is_more_line, is_more_link};
use super::super::article::syndication_line::{LineContext, is_publication_note, is_syndication_line};
use super::super::article::words::{ends_sentence, last_sentences, trim_signs};
use crate::urls::outlet::outlet_of_url;
use url::Url;

/// The maximum number of parts of a tail, such as a URL followed by hashtags.
const MAX_TAIL_PARTS: usize = 8;
/// The minimum number of hashtags after words that do not end a sentence. Fewer hashtags belong to the sentence.
const MIN_HASHTAGS: usize = 2;
/// Separators between the text and its tail.
const SEPARATORS: &[char] = &['(', '[', '-', '–', '—', '|', '•', '·', '→'];
/// The hosts of URL shorteners. Programs append shortened URLs instead of the URL of an item.
#[rustfmt::skip]
const SHORTENERS: &[&str] = &[
    "t.co", "bit.ly", "ift.tt", "pic.twitter.com", "pic.x.com", "buff.ly", "ow.ly", "dlvr.it", "trib.al", "tinyurl.com",
    "goo.gl", "is.gd", "lnkd.in", "fb.me", "wp.me", "shorturl.at", "rebrand.ly", "cutt.ly",
];
const MAX_ADDRESS_BYTES: usize = 2_000;
/// The maximum length in bytes of a word that joins a URL to its sentence: "See https://…".
const MAX_JOINING_BYTES: usize = 3;
/// The names of lists of hashtags, in lowercase.
#[rustfmt::skip]
const HASHTAG_LABELS: &[&str] = &[
    "tags", "tag", "tagged", "hashtags", "hashtag", "topics", "topic", "keywords", "labels", "schlagwörter", "schlagworte", "stichwörter",
    "themen", "mots-clés", "mots clés", "étiquettes", "sujets", "etiquetas", "temas", "palabras clave", "palavras-chave",
    "etichette", "parole chiave", "trefwoorden", "tagi", "słowa kluczowe", "теги", "метки", "taggar", "emneord", "etiketler",
    "štítky", "címkék", "etichete", "ετικέτες", "タグ", "标签", "標籤", "từ khóa", "태그",
];

/// The properties of an item and its text that determine the end of the text.
pub(super) struct TailContext<'a> {
    pub title: Option<&'a str>,
    /// The link of the item.
    pub item_link: Option<&'a Url>,
    /// The text of a link at the end of the text.
    pub link_text: Option<&'a str>,
    /// The words outside links.
    pub unlinked_text: &'a str,
    /// Whether most of the text is inside links.
    pub is_mostly_linked: bool,
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
        let start = context.link_text.and_then(|link| link_start(text, link));
        let start =
            start.or_else(|| bracket_start(text).filter(|_| context.is_last)).or_else(|| sentence_start(text, context));
        let start = start.or_else(|| address_start(text, context));
        let Some(start) = start.or_else(|| hashtags_start(text).filter(|_| context.is_last)) else { break };
        let is_separator = |c: char| c.is_whitespace() || SEPARATORS.contains(&c);
        let kept = text[..start].trim_end_matches(is_separator);
        // "[… Continue reading]" loses its first bracket too.
        let kept = kept
            .strip_suffix("[…")
            .or(kept.strip_suffix("[..."))
            .map_or(kept, |before| before.trim_end_matches(is_separator));
        end = kept.len();
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

/// Returns the offset of the last sentences if a program adds such sentences to items.
fn sentence_start(text: &str, context: &TailContext<'_>) -> Option<usize> {
    let starts = last_sentences(text);
    let is_added = |start: &usize| {
        let (before, line) = text.split_at(*start);
        is_more_line(line, context.title)
            || is_publication_note(line)
            || is_labelled_link(before, line, context)
            || (is_more_after_cut(line) && is_cut(before))
            || is_syndication_line(
                line,
                LineContext {
                    title: context.title,
                    last_link: context.link_text,
                    is_mostly_linked: context.is_mostly_linked && *start == 0,
                },
            )
    };
    let is_appeal = |start: &usize| {
        let line = &text[*start..];
        let is_button = || line.trim().contains(' ') && button_line(line).is_some();
        is_invitation(line) || is_short_invitation(line) || is_button() || is_footer(line) || is_last_footer(line)
    };
    // "Like what you read? Support us!" consists of two sentences.
    let appeal = || starts.iter().rev().copied().find(|start| context.is_last && is_appeal(start));
    starts.iter().copied().find(is_added).or_else(appeal)
}

/// Returns whether a line at the end of the text consists of a label and a link: "Related: Seals sleep".
fn is_labelled_link(before: &str, line: &str, context: &TailContext<'_>) -> bool {
    let Some((label, link)) = context.link_text.and_then(|link| Some((line.strip_suffix(link)?, link))) else {
        return false;
    };
    // The text before the line contains no link.
    let is_unlinked = context.unlinked_text.len() + link.len() <= before.len() + line.len();
    is_unlinked && context.is_last && label.trim_end().ends_with([':', '：', '|', '»', '→']) && labels_links(label)
}

/// Returns the offset of a label in brackets at the end of the text, as on link pages: `[link] [comments]`.
fn bracket_start(text: &str) -> Option<usize> {
    const LABELS: &[&str] = &["link", "links", "comments", "comment", "permalink", "source", "more", "via"];
    let inner = text.trim_end().strip_suffix([']', '】'])?;
    let (start, bracket) = inner.rmatch_indices(['[', '【']).next()?;
    let words = trim_signs(&inner[start + bracket.len()..]).to_lowercase();
    (LABELS.contains(&words.as_str()) || is_more_link(&words)).then_some(start)
}

/// Returns the offset of a URL of the item or its outlet at the end of the text, or of a shortened URL.
fn address_start(text: &str, context: &TailContext<'_>) -> Option<usize> {
    let (before, end) = last_word(text)?;
    let word = end.trim_matches(|c: char| "()[]<>.,…".contains(c));
    if word.len() > MAX_ADDRESS_BYTES || !word.contains('.') {
        return None;
    }
    let has_scheme = ["http://", "https://"].iter().any(|start| word.to_ascii_lowercase().starts_with(start));
    let url = Url::parse(&if has_scheme { word.to_owned() } else { format!("https://{word}") }).ok()?;
    let host = url.host_str().filter(|host| host.contains('.'))?;
    let is_short = context.is_last && SHORTENERS.contains(&host) && url.path().len() > 1;
    let is_own = context.item_link.is_some_and(|link| outlet_of_url(link) == outlet_of_url(&url));
    let start = text.len() - end.len();
    // "(Read more: https://…)"
    let label = last_sentences(before).into_iter().find(|start| is_address_label(&before[*start..]));
    let follows_hashtag = last_word(before).is_some_and(|(_, word)| is_hashtag(word));
    let is_appended = match before.is_empty() {
        true => !context.is_announced,
        false => is_complete(before) || follows_hashtag || (is_of_item(&url, context) && !joins_address(before)),
    };
    (is_own || is_short).then_some(label.unwrap_or(start)).filter(|_| label.is_some() || is_appended)
}

/// Returns whether a URL has the path of the item's link, or is a shortened URL that Twitter appends to its messages.
fn is_of_item(url: &Url, context: &TailContext<'_>) -> bool {
    let is_equal = |link: &Url| link.path().trim_end_matches('/') == url.path().trim_end_matches('/');
    let is_in_message = matches!(url.host_str(), Some("t.co" | "pic.twitter.com" | "pic.x.com"));
    is_in_message || context.item_link.is_some_and(|link| link.path().len() > 1 && is_equal(link))
}

/// Returns whether the text continues with a URL: "The rules are at", "The rules:".
fn joins_address(before: &str) -> bool {
    let last = last_word(before).map_or("", |(_, word)| word);
    last.len() <= MAX_JOINING_BYTES || !last.ends_with(char::is_alphanumeric)
}

fn hashtags_start(text: &str) -> Option<usize> {
    let (mut before, mut count) = (text, 0);
    while let Some((rest, word)) = last_word(before) {
        let sender = last_word(rest).filter(|(_, via)| word.starts_with('@') && via.eq_ignore_ascii_case("via"));
        let is_separator = !word.contains(|c: char| c.is_alphanumeric()) && !ends_sentence(word);
        match sender {
            Some((rest, _)) => (before, count) = (rest, count + 1),
            None if is_hashtag(word) => (before, count) = (rest, count + 1),
            None if is_separator && last_word(rest).is_some_and(|(_, word)| is_hashtag(word)) => before = rest,
            None => break,
        }
    }
    let label = before.trim_end().strip_suffix([':', '：']).and_then(|label| {
        let is_label = |start: &usize| HASHTAG_LABELS.contains(&trim_signs(&label[*start..]).to_lowercase().as_str());
        last_sentences(label).into_iter().find(is_label)
    });
    let is_appended = count >= MIN_HASHTAGS || before.is_empty() || is_complete(before);
    (count > 0).then_some(label.unwrap_or(before.len())).filter(|_| label.is_some() || is_appended)
}

fn is_hashtag(word: &str) -> bool {
    let name = word.strip_prefix(['#', '＃']).unwrap_or_default().trim_end_matches([',', ';', '#']);
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
        let context = TailContext {
            title: Some("Seals are back"),
            item_link: Some(&link),
            link_text: None,
            unlinked_text: text,
            is_mostly_linked: false,
            is_last: true,
            is_announced: false,
        };
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
            " Continue reading “Robben: was nun?”",
            " (Read more: https://ledger.example/2026/seals)",
            " Source: ledger.example/2026/seals",
            " https://t.co/aBc1 pic.twitter.com/aBc2",
            " #seals • #bay via @ledger",
            " Tags: #seals",
            " Seals are back first appeared on Harbour Ledger.",
            " Like what you read? Support us on Patreon.",
            " Follow us on X. Share this: Facebook Reddit",
            " © 2026 Harbour Ledger. All rights reserved.",
            " [link] [comments]",
            " Tags: seals, Grey Bay",
            " This article originally appeared on Bay Ledger.",
        ] {
            check(&format!("The seals are back in the bay…{tail}"), "The seals are back in the bay…");
        }
        check("The seals are back #seals #bay", "The seals are back");
        check("The seals are back https://t.co/aBc1", "The seals are back");
        check("Die Robben [&hellip;] Weiterlesen", "Die Robben [&hellip;] Weiterlesen");
        check("Die Robben sind da […] Weiterlesen", "Die Robben sind da […]");
        check("Die Robben sind da. [… Weiterlesen]", "Die Robben sind da.");
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
            "The seals are back. Follow the river on foot.",
            "The seals are back. Read more books, the minister says.",
            "The seals are back. He told Facebook to share the data.",
            "The seals are back. The plague first appeared on Seal Island.",
            "The pictures are at https://t.co/aBc1",
        ] {
            check(text, text);
        }
    }
}
