//! Distinguishes paragraphs of text from headlines, names, dates and the excerpts of other articles.

use super::super::more_links::is_cut;
use super::super::text_block::{BlockKind, TextBlock};
use super::super::words::{ends_sentence, is_headline};

/// The maximum number of words in an excerpt. A longer paragraph is article text.
pub const MAX_EXCERPT_WORDS: usize = 60;
/// The minimum number of words in article text. A shorter block is a name, a date or a label.
pub const MIN_BODY_WORDS: usize = 8;
/// The minimum number of words for a block to count as text even without a final period.
const MIN_UNPUNCTUATED_WORDS: usize = 26;
/// The number of characters that count as two words in scripts without spaces.
const CHARS_PER_TWO_WORDS: usize = 4;

/// Returns whether a block is a paragraph of text rather than a headline, a name or a date.
pub fn is_body(block: &TextBlock) -> bool {
    let words = word_count(&block.text);
    block.kind != BlockKind::Heading
        && !block.is_link()
        && (words >= MIN_UNPUNCTUATED_WORDS
            || (words >= MIN_BODY_WORDS && (ends_sentence(&block.text) || is_cut(&block.text))))
}

/// Returns whether a block is a paragraph that is not truncated like an excerpt.
pub fn is_prose(block: &TextBlock) -> bool {
    is_body(block) && !is_excerpt(block)
}

/// Returns whether a block is the beginning of another article's text, as in a teaser.
pub fn is_excerpt(block: &TextBlock) -> bool {
    is_cut(&block.text) && word_count(&block.text) <= MAX_EXCERPT_WORDS
}

pub fn is_sentence(block: &TextBlock) -> bool {
    block.kind != BlockKind::Heading && !block.is_link() && ends_sentence(&block.text)
}

pub fn is_linked_headline(block: &TextBlock) -> bool {
    block.is_link() && is_headline(&block.text)
}

/// Returns the number of words in the text, estimated from characters for scripts without spaces.
pub fn word_count(text: &str) -> usize {
    let words = text.split_whitespace().count();
    let wide = text
        .chars()
        .filter(|c| matches!(*c, '\u{0E00}'..='\u{0EFF}' | '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}'));
    words.max(wide.count() / CHARS_PER_TWO_WORDS * 2)
}
