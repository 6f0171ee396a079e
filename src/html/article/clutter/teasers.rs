//! Recognizes teasers of other articles: a linked headline with an excerpt.

use super::super::text_block::TextBlock;
use super::ClutterFinder;
use super::paragraphs::{is_body, is_excerpt, is_linked_headline};

/// The maximum number of blocks between a headline and its excerpt, such as the author and the date.
pub const MAX_HEADLINE_DETAILS: usize = 2;
/// The minimum number of teasers without a label. One linked headline with truncated text may end a truncated item.
const MIN_UNLABELLED_TEASERS: usize = 2;

impl ClutterFinder<'_> {
    /// Returns whether the text at `at` follows exactly one linked headline. Text after several linked headlines
    /// follows a list of links.
    pub fn follows_linked_headline(&self, at: usize) -> bool {
        let start = at.saturating_sub(MAX_HEADLINE_DETAILS + 2);
        let before = self.blocks[start..at].iter().rev().take_while(|block| !is_body(block));
        before.filter(|block| is_linked_headline(block)).count() == 1
    }

    /// Returns whether the text at `at` follows a linked headline, and whether a similar headline with text precedes
    /// that headline or follows the text. The text after a single linked headline ("Read also: …") continues the
    /// article.
    pub fn is_one_of_several_teasers(&self, at: usize) -> bool {
        let Some(headline) =
            (at.saturating_sub(MAX_HEADLINE_DETAILS + 1)..at).rev().find(|n| is_linked_headline(&self.blocks[*n]))
        else {
            return false;
        };
        let shape = |n: usize| (self.blocks[n].kind, self.blocks[n].heading_level);
        let is_teaser_text = |n: usize| self.blocks.get(n).is_some_and(is_body) && self.follows_linked_headline(n);
        let gap = at - headline;
        let next = at + 1;
        let has_next = next < self.blocks.len()
            && shape(next) == shape(headline)
            && is_linked_headline(&self.blocks[next])
            && is_teaser_text(next + gap);
        let has_previous =
            headline > gap && is_teaser_text(headline - 1) && shape(headline - 1 - gap) == shape(headline);
        self.follows_linked_headline(at) && (has_next || has_previous)
    }

    /// Returns the end of a linked headline with a truncated excerpt, if several such headlines follow article text.
    pub fn unlabelled_teaser_end(&self, start: usize) -> usize {
        let has_several = self.unlabelled_teasers >= MIN_UNLABELLED_TEASERS;
        if has_several && self.text_bytes > 0 { teaser_end(self.blocks, start) } else { start }
    }
}

/// Returns the end of the linked headline at `start` and its excerpt; `start` if there is no linked headline.
pub fn teaser_end(blocks: &[TextBlock], start: usize) -> usize {
    if !is_linked_headline(&blocks[start]) {
        return start;
    }
    let after = blocks.iter().enumerate().skip(start + 1).take(MAX_HEADLINE_DETAILS + 1);
    let mut details = after.take_while(|(_, block)| !is_linked_headline(block));
    let excerpt = details.find(|(_, block)| is_body(block)).filter(|(_, block)| is_excerpt(block));
    excerpt.map_or(start, |(n, _)| n + 1)
}
