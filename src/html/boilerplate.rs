//! What stands around a text and is not it: share lines, “read also” boxes, lines that a source puts under everything.
//!
//! It judges blocks of text, such as [`super::plain_text::text_blocks`] gives. It knows nothing of a source but the document before it.

use std::collections::HashMap;

/// Headings of boxes with other articles' headlines, in the languages that grouping knows; in lower case.
const TEASER_HEADINGS: &[&str] = &[
    "related",
    "related articles",
    "related stories",
    "related content",
    "related topics",
    "related news",
    "read more",
    "read next",
    "read also",
    "also read",
    "see also",
    "more stories",
    "more on this story",
    "more on this",
    "more from",
    "you may also like",
    "you might also like",
    "recommended",
    "recommended for you",
    "recommended stories",
    "don't miss",
    "don’t miss",
    "dont miss",
    "trending",
    "trending now",
    "most read",
    "most popular",
    "popular now",
    "top stories",
    "latest news",
    "latest stories",
    "up next",
    "what to read next",
    "in other news",
    "keep reading",
    "lesen sie auch",
    "mehr zum thema",
    "mehr dazu",
    "das könnte sie auch interessieren",
    "auch interessant",
    "weiterlesen",
    "meistgelesen",
    "à lire aussi",
    "lire aussi",
    "sur le même sujet",
    "les plus lus",
    "lea también",
    "lee también",
    "te puede interesar",
    "le puede interesar",
    "más leídas",
    "noticias relacionadas",
    "leia também",
    "veja também",
    "saiba mais",
    "mais lidas",
    "leggi anche",
    "potrebbe interessarti",
    "articoli correlati",
    "lees ook",
    "meer over",
    "meest gelezen",
    "czytaj też",
    "czytaj także",
    "zobacz też",
    "przeczytaj także",
    "читайте также",
    "по теме",
    "смотрите также",
];

/// Words of buttons and forms.
const BUTTONS: &[&str] = &[
    "share",
    "tweet",
    "facebook",
    "twitter",
    "x",
    "whatsapp",
    "linkedin",
    "reddit",
    "telegram",
    "email",
    "e-mail",
    "mail",
    "print",
    "copy",
    "link",
    "save",
    "comment",
    "comments",
    "follow",
    "us",
    "on",
    "this",
    "article",
    "subscribe",
    "sign",
    "up",
    "log",
    "in",
    "advertisement",
    "ad",
    "teilen",
    "drucken",
    "kommentare",
    "anzeige",
    "merken",
    "partager",
    "imprimer",
    "commentaires",
    "publicité",
    "compartir",
    "imprimir",
    "comentarios",
    "publicidad",
    "compartilhar",
    "comentários",
    "publicidade",
    "condividi",
    "stampa",
    "commenti",
    "pubblicità",
    "delen",
    "reacties",
    "advertentie",
    "udostępnij",
    "drukuj",
    "reklama",
    "поделиться",
    "реклама",
    "комментарии",
    "via",
    "0",
    "1",
    "2",
    "3",
    "•",
    "|",
    "-",
];

/// Words of a headline at most; a paragraph has more, or ends like a sentence.
const HEADLINE: usize = 25;
/// Items of a document that must carry a block before it is the source's and not theirs, and which share of them.
const ITEMS: usize = 3;
const SHARE: f64 = 0.2;

/// The blocks without share lines, and without boxes of teasers.
pub fn remove_teasers(blocks: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(blocks.len());
    let mut in_teasers = false;
    for block in blocks {
        if is_buttons(&block) {
            continue;
        }
        match heading(&block) {
            Some(Heading::Alone) => in_teasers = true,
            // “Read also: Storm closes the ports” is a whole box in a line.
            Some(Heading::WithTeaser) => {}
            None if in_teasers && is_headline(&block) => {}
            None => {
                in_teasers = false;
                // The same block again is a box that stands at both ends, or in the middle of a text.
                if !kept.contains(&block) {
                    kept.push(block);
                }
            }
        }
    }
    kept
}

/// Drops from every item's blocks those that the source puts into many of them, word for word or with the item's own
/// title in their middle (“The post … appeared first on …”). With fewer than three items nothing is known to repeat.
pub fn remove_repeated_blocks(items: &mut [Vec<String>]) {
    let mut uses: HashMap<String, usize> = HashMap::new();
    for blocks in items.iter() {
        let mut own: Vec<String> = blocks.iter().flat_map(|block| marks(block)).collect();
        own.sort_unstable();
        own.dedup();
        own.into_iter().for_each(|mark| *uses.entry(mark).or_insert(0) += 1);
    }
    let enough = ITEMS.max((items.len() as f64 * SHARE).ceil() as usize);
    let is_repeated = |block: &String| marks(block).iter().any(|mark| uses.get(mark).is_some_and(|n| *n >= enough));
    items.iter_mut().for_each(|blocks| blocks.retain(|block| !is_repeated(block)));
}

/// By what a block is known again: as a whole, and by how it begins and ends.
fn marks(block: &str) -> Vec<String> {
    let words: Vec<&str> = block.split(' ').collect();
    let mut marks = vec![block.to_lowercase()];
    if words.len() >= 8 {
        marks.push(format!("{} … {}", words[..2].join(" "), words[words.len() - 4..].join(" ")).to_lowercase());
    }
    marks
}

enum Heading {
    Alone,
    WithTeaser,
}

fn heading(block: &str) -> Option<Heading> {
    let folded = block.to_lowercase();
    let bare = folded.trim_matches(|c: char| !c.is_alphanumeric());
    if TEASER_HEADINGS.contains(&bare) {
        return Some(Heading::Alone);
    }
    let (before, after) = folded.split_once([':', '|', '»', '→'])?;
    let before = before.trim_matches(|c: char| !c.is_alphanumeric());
    if !TEASER_HEADINGS.contains(&before) {
        return None;
    }
    if after.trim().is_empty() {
        return Some(Heading::Alone);
    }
    (is_headline(after)).then_some(Heading::WithTeaser)
}

fn is_buttons(block: &str) -> bool {
    let words = block.split_whitespace().map(|word| word.trim_matches([',', ':', '(', ')', '·']).to_lowercase());
    let mut count = 0;
    for word in words {
        count += 1;
        if count > 12 || !(word.is_empty() || BUTTONS.contains(&word.as_str())) {
            return false;
        }
    }
    count > 0
}

/// A line that is no sentence.
fn is_headline(block: &str) -> bool {
    let ends = block.trim_end().ends_with(['.', '!', '…', '”', '"', '»', '。']);
    block.split_whitespace().count() <= HEADLINE && !ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(blocks: &[&str], expected: &[&str]) {
        assert_eq!(remove_teasers(blocks.iter().map(|block| block.to_string()).collect()), expected);
    }

    #[test]
    fn teasers_and_buttons_are_not_the_text() {
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
    fn a_text_goes_on_after_a_box_in_its_middle() {
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
    fn a_sentence_that_begins_like_a_heading_stays() {
        check(
            &["Related: the mayor said on Friday that the road will stay closed."],
            &["Related: the mayor said on Friday that the road will stay closed."],
        );
        check(&["Recommended doses were raised"], &["Recommended doses were raised"]);
    }

    #[test]
    fn what_a_source_puts_under_everything_is_not_the_items() {
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
        assert_eq!(two[0].len(), 3, "two are no proof");
    }
}
