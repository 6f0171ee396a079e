//! Finds clutter that occurs only on pages: dates, bylines and credits before the text, picture credits, links to other
//! articles between paragraphs, and buttons after the text.
//!
//! The functions are pure. They are not applied to feed items, because an item may consist of one link or one line.

use super::clutter::is_body;
use super::more_links::is_cut;
use super::text_block::{BlockKind, TextBlock};
use super::words::{ends_sentence, is_headline};
use crate::urls::outlet::outlet_of_url;
use url::Url;

/// The maximum number of words in a name before or after the text.
const MAX_NAME_WORDS: usize = 2;
/// The maximum number of words in a byline or a date.
const MAX_LINE_WORDS: usize = 14;
/// The maximum number of lines before or after the text. More lines are a list, a table or a poem.
const MAX_LINES_AROUND_TEXT: usize = 6;
const MAX_CREDIT_WORDS: usize = 25;

/// Marks the clutter on the page at `url`.
pub fn mark_page_clutter(blocks: &[TextBlock], url: &Url, is_clutter: &mut [bool]) {
    let outlet = outlet_of_url(url);
    for (block, is_clutter) in blocks.iter().zip(is_clutter.iter_mut()) {
        *is_clutter |= is_link_line(block, url, &outlet) || is_credit(&block.text);
    }
    let is_text = |at: &usize| is_body(&blocks[*at]) && !is_clutter[*at];
    let (Some(first), Some(last)) = ((0..blocks.len()).find(is_text), (0..blocks.len()).rev().find(is_text)) else {
        return;
    };
    for range in [0..first, last + 1..blocks.len()] {
        let lines: Vec<usize> = range.filter(|at| !is_clutter[*at]).collect();
        if lines.len() <= MAX_LINES_AROUND_TEXT {
            lines.into_iter().for_each(|at| is_clutter[at] = is_line(&blocks[at]));
        }
    }
}

/// Returns whether a block consists of a link to another page of the same outlet.
fn is_link_line(block: &TextBlock, url: &Url, outlet: &str) -> bool {
    let target = block.link.as_deref().and_then(|link| url.join(link).ok());
    block.is_link()
        && (is_headline(&block.text) || is_cut(&block.text))
        && target.is_some_and(|target| outlet_of_url(&target) == *outlet)
}

fn is_credit(text: &str) -> bool {
    #[rustfmt::skip]
    const STARTS: &[&str] = &[
        "©", "(©", "photo:", "photo by", "photos:", "photograph:", "image:", "image credit", "(image", "(photo", "credit:",
        "picture:", "foto:", "(foto", "bild:", "crédit", "fotografía:", "source:",
    ];
    let lower = text.trim_start().to_lowercase();
    text.split_whitespace().count() <= MAX_CREDIT_WORDS && STARTS.iter().any(|start| lower.starts_with(start))
}

/// Returns whether a block is a name, a date or a button rather than a sentence.
fn is_line(block: &TextBlock) -> bool {
    let words = block.text.split_whitespace().count();
    let is_item = matches!(block.kind, BlockKind::ListItem | BlockKind::TableRow);
    if words > MAX_LINE_WORDS
        || is_item
        || ends_sentence(&block.text)
        || block.text.trim_end().ends_with(['?', ':', ';'])
    {
        return false;
    }
    block.is_link()
        || has_date(&block.text)
        || is_byline(&block.text)
        || (words <= MAX_NAME_WORDS && block.kind != BlockKind::Heading)
}

/// Returns whether a line contains a year or a time of day.
fn has_date(line: &str) -> bool {
    let is_year = |word: &str| word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let has_year = line.split(|c: char| !c.is_alphanumeric()).any(|word| is_number(word) && is_year(word));
    let is_time = |word: &str| {
        word.split_once(':')
            .is_some_and(|(hour, rest)| is_number(hour) && rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    has_year || line.split_whitespace().any(is_time)
}

fn is_byline(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "by ",
        "von ",
        "par ",
        "por ",
        "di ",
        "door ",
        "av ",
        "af ",
        "автор",
        "updated",
        "published",
        "posted",
        "last updated",
    ];
    let lower = line.to_lowercase();
    STARTS.iter().any(|start| lower.starts_with(start))
}
