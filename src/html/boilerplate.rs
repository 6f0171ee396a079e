//! Boilerplate around a text: share buttons, "read also" boxes, and lines that a source adds to many items.
//!
//! Works on the paragraphs of [`super::plain_text::text_blocks`], and uses only the document at hand.

use std::collections::{HashMap, HashSet};

/// Headings of boxes with headlines of other articles, in the languages that grouping supports, in lower case.
#[rustfmt::skip]
const TEASER_HEADINGS: &[&str] = &[
    "related", "related articles", "related stories", "related content", "related topics", "related news", "read more",
    "read next", "read also", "also read", "see also", "more stories", "more on this story", "more on this",
    "more from", "you may also like", "you might also like", "recommended", "recommended for you",
    "recommended stories", "don't miss", "don’t miss", "dont miss", "trending", "trending now", "most read",
    "most popular", "popular now", "top stories", "latest news", "latest stories", "up next", "what to read next",
    "in other news", "keep reading", "lesen sie auch", "mehr zum thema", "mehr dazu",
    "das könnte sie auch interessieren", "auch interessant", "weiterlesen", "meistgelesen", "à lire aussi",
    "lire aussi", "sur le même sujet", "les plus lus", "lea también", "lee también", "te puede interesar",
    "le puede interesar", "más leídas", "noticias relacionadas", "leia também", "veja também", "saiba mais",
    "mais lidas", "leggi anche", "potrebbe interessarti", "articoli correlati", "lees ook", "meer over",
    "meest gelezen", "czytaj też", "czytaj także", "zobacz też", "przeczytaj także", "читайте также", "по теме",
    "смотрите также",
];

/// Words on buttons and in forms.
#[rustfmt::skip]
const BUTTON_WORDS: &[&str] = &[
    "share", "tweet", "facebook", "twitter", "x", "whatsapp", "linkedin", "reddit", "telegram", "email", "e-mail",
    "mail", "print", "copy", "link", "save", "comment", "comments", "follow", "us", "on", "this", "article",
    "subscribe", "sign", "up", "log", "in", "advertisement", "ad", "teilen", "drucken", "kommentare", "anzeige",
    "merken", "partager", "imprimer", "commentaires", "publicité", "compartir", "imprimir", "comentarios", "publicidad",
    "compartilhar", "comentários", "publicidade", "condividi", "stampa", "commenti", "pubblicità", "delen", "reacties",
    "advertentie", "udostępnij", "drukuj", "reklama", "поделиться", "реклама", "комментарии", "via", "0", "1", "2", "3",
    "•", "|", "-",
];

const MAX_BUTTON_WORDS: usize = 12;
/// A longer block is a paragraph, not a headline.
const MAX_HEADLINE_WORDS: usize = 25;
/// A block is boilerplate if this number of items, and this share of all items of a document, have it.
const MIN_REPETITIONS: usize = 3;
const MIN_REPETITION_SHARE: f64 = 0.2;
/// Shorter blocks are compared only as a whole.
const MIN_PATTERN_WORDS: usize = 8;

/// Removes button labels, boxes of teasers, and second copies of a block.
pub fn remove_teasers(blocks: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(blocks.len());
    let mut in_teaser_box = false;
    for block in blocks {
        if is_button_label(&block) {
            continue;
        }
        let lower = block.to_lowercase();
        let (start, rest) = lower.split_once([':', '|', '»', '→']).unwrap_or((&lower, ""));
        let has_heading = is_teaser_heading(start);
        if is_teaser_heading(&lower) || has_heading && rest.trim().is_empty() {
            // Headlines follow in the next blocks.
            in_teaser_box = true;
            continue;
        }
        // A heading and its headline may be in one block: "Read also: Storm closes the ports".
        if has_heading && is_headline(rest) || in_teaser_box && is_headline(&block) {
            continue;
        }
        in_teaser_box = false;
        // A block that occurs twice is a box at both ends of a text or inside of it.
        if !kept.contains(&block) {
            kept.push(block);
        }
    }
    kept
}

/// Removes blocks that a source adds to many items, either unchanged or around the title of the item ("The post … appeared
/// first on …"). A document with fewer than three items has none.
pub fn remove_repeated_blocks(items: &mut [Vec<String>]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for blocks in items.iter() {
        let patterns: HashSet<String> = blocks.iter().flat_map(|block| block_patterns(block)).collect();
        for pattern in patterns {
            *counts.entry(pattern).or_default() += 1;
        }
    }
    let min = MIN_REPETITIONS.max((items.len() as f64 * MIN_REPETITION_SHARE).ceil() as usize);
    let is_repeated = |pattern: &String| counts.get(pattern).is_some_and(|count| *count >= min);
    for blocks in items {
        blocks.retain(|block| !block_patterns(block).iter().any(is_repeated));
    }
}

/// The patterns under which a block is counted: the whole block, and its first and last words.
fn block_patterns(block: &str) -> Vec<String> {
    let words: Vec<&str> = block.split(' ').collect();
    let mut patterns = vec![block.to_lowercase()];
    if words.len() >= MIN_PATTERN_WORDS {
        let (first, last) = (words[..2].join(" "), words[words.len() - 4..].join(" "));
        patterns.push(format!("{first} … {last}").to_lowercase());
    }
    patterns
}

fn is_teaser_heading(text: &str) -> bool {
    TEASER_HEADINGS.contains(&text.trim_matches(|c: char| !c.is_alphanumeric()))
}

fn is_button_label(block: &str) -> bool {
    let mut count = 0;
    for word in block.split_whitespace() {
        let word = word.trim_matches([',', ':', '(', ')', '·']).to_lowercase();
        count += 1;
        if count > MAX_BUTTON_WORDS || !(word.is_empty() || BUTTON_WORDS.contains(&word.as_str())) {
            return false;
        }
    }
    count > 0
}

/// Whether a block is short and does not end like a sentence.
fn is_headline(block: &str) -> bool {
    let ends_sentence = block.trim_end().ends_with(['.', '!', '…', '”', '"', '»', '。']);
    block.split_whitespace().count() <= MAX_HEADLINE_WORDS && !ends_sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(blocks: &[&str], expected: &[&str]) {
        assert_eq!(remove_teasers(blocks.iter().map(|block| block.to_string()).collect()), expected);
    }

    #[test]
    fn teasers_and_buttons_are_removed() {
        check(
            &[
                "Share Tweet E-mail",
                "The pass was closed by rain on Sunday.",
                "Read also: Bank lifts its rates again",
                "Nobody was hurt.",
                "DON’T MISS",
                "Orchestra names a conductor",
                "Storm closes the ports",
                "Related articles:",
                "Bank lifts its rates again",
            ],
            &["The pass was closed by rain on Sunday.", "Nobody was hurt."],
        );
    }

    #[test]
    fn text_continues_after_a_teaser_box() {
        check(
            &[
                "It rained for days.",
                "Lesen Sie auch",
                "Sturm sperrt die Häfen",
                "The road will open on Friday, said the mayor.",
            ],
            &["It rained for days.", "The road will open on Friday, said the mayor."],
        );
    }

    #[test]
    fn sentence_that_starts_like_a_heading_stays() {
        check(
            &["Related: the mayor said on Friday that the road will stay closed."],
            &["Related: the mayor said on Friday that the road will stay closed."],
        );
        check(&["Recommended doses were raised"], &["Recommended doses were raised"]);
    }

    #[test]
    fn block_that_many_items_have_is_removed() {
        let item = |title: &str| {
            vec![
                format!("{title} happened on Sunday."),
                format!("The post {title} appeared first on Mountain News."),
                "Subscribe to our morning letter.".to_owned(),
            ]
        };
        let mut items: Vec<Vec<String>> = ["Rain", "Snow", "Hail"].map(item).into();
        remove_repeated_blocks(&mut items);
        assert_eq!(items[0], ["Rain happened on Sunday."]);
        let mut two: Vec<Vec<String>> = ["Rain", "Snow"].map(item).into();
        remove_repeated_blocks(&mut two);
        assert_eq!(two[0].len(), 3, "two items are too few");
    }
}
