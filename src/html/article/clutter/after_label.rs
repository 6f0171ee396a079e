//! Determines where the clutter after a label ends: at the end of the label's box, or before the next text.

use super::super::labels::Label;
use super::super::text_block::BlockKind;
use super::paragraphs::{MAX_EXCERPT_WORDS, MIN_BODY_WORDS, is_body, is_excerpt, is_prose, word_count};
use super::teasers::MAX_HEADLINE_DETAILS;
use super::{ClutterFinder, MAX_FORM_WORDS};

/// The maximum number of text paragraphs in a box. A box with more paragraphs is the article.
const MAX_BOX_PARAGRAPHS: usize = 2;
/// The maximum number of words in the name of a form field.
const MAX_FIELD_WORDS: usize = 4;
/// The maximum number of words in an author's biography.
const MAX_BIOGRAPHY_WORDS: usize = 90;

impl ClutterFinder<'_> {
    /// Returns the end of the clutter that a label introduces.
    pub fn labelled_end(&self, start: usize, label: Label) -> usize {
        if label == Label::Comments && self.bytes_from[start + 1] < self.text_bytes {
            return self.blocks.len();
        }
        let box_end = self.box_end(start, label);
        let has_items = box_end > start + 2;
        let end = if has_items { box_end } else { self.run_end(start, box_end.max(start + 1), label) };
        if label == Label::Author && self.has_text_from[end] {
            return start;
        }
        if !self.has_text && box_end == start {
            // If no text precedes the label, it may be the title of a list of links.
            return start + usize::from(self.bytes_from[start] > 0);
        }
        end
    }

    /// Returns the end of the box that a label starts; `start` if there is no box or the box contains the article.
    fn box_end(&self, start: usize, label: Label) -> usize {
        let end = self.blocks[start].box_end;
        let is_text = |n: &usize| self.is_text(*n) && !self.follows_linked_headline(*n);
        let has_article = || (start + 1..end).filter(is_text).nth(MAX_BOX_PARAGRAPHS).is_some();
        if end <= start + 1 || (label == Label::Teasers && has_article()) { start } else { end }
    }

    fn is_text(&self, at: usize) -> bool {
        is_prose(&self.blocks[at])
    }

    /// Returns the end of the clutter that starts with a label and does not have its own box, searching from `from`.
    fn run_end(&self, start: usize, from: usize, label: Label) -> usize {
        let mut run = Run { label, teaser_heading: None, biographies: 0 };
        let Some(at) = (from..self.blocks.len()).find(|at| !self.continues(&mut run, from, *at)) else {
            return self.blocks.len();
        };
        // A heading belongs to the text that follows it.
        let before = &self.blocks[at - 1];
        let is_subheading = at > start + 1 && before.kind == BlockKind::Heading && !before.is_link();
        if is_subheading { at - 1 } else { at }
    }

    /// Returns whether the clutter of a label includes this block.
    fn continues(&self, run: &mut Run, from: usize, at: usize) -> bool {
        let block = &self.blocks[at];
        let words = word_count(&block.text);
        if !is_body(block) {
            let is_field = words <= MAX_FIELD_WORDS && block.kind == BlockKind::Paragraph;
            let is_label = self.labels[at].is_some();
            return match run.label {
                Label::CommentCount => is_field && !is_label,
                Label::Author => words <= MIN_BODY_WORDS && !is_label,
                _ => true,
            };
        }
        let is_short = words <= MAX_EXCERPT_WORDS;
        let is_teaser = is_excerpt(block) || (is_short && self.is_one_of_several_teasers(at));
        let heading = self.heading_before(from, at);
        if is_teaser {
            run.teaser_heading = run.teaser_heading.or(heading);
        }
        match run.label {
            Label::Comments => is_teaser || words <= MAX_FORM_WORDS,
            Label::CommentCount => false,
            Label::Author => {
                run.biographies += 1;
                run.biographies == 1 && words <= MAX_BIOGRAPHY_WORDS
            }
            _ => is_teaser || (is_short && heading.is_some() && heading == run.teaser_heading),
        }
    }

    /// Returns the level of the heading before the text at `at`.
    fn heading_before(&self, from: usize, at: usize) -> Option<u8> {
        let start = at.saturating_sub(MAX_HEADLINE_DETAILS + 1).max(from);
        let headings = self.blocks[start..at].iter().rev().take_while(|block| !is_body(block));
        headings.map(|block| block.heading_level).find(|level| *level > 0)
    }
}

/// The state of a run of clutter that one label starts.
struct Run {
    label: Label,
    /// The level of the heading above the first teaser of the run.
    teaser_heading: Option<u8>,
    biographies: usize,
}
