//! Finds the blocks of an article that are clutter: teasers of other articles, comment and newsletter forms, author
//! boxes, buttons, breadcrumbs, and repeated titles.
//!
//! The functions are pure: they classify a sequence of blocks without changing it. They ignore class names, because the
//! class names of generated sites are meaningless. Clutter starts at a label ("Related articles"). It ends with the box
//! that the label starts, or before the first paragraph that is neither an excerpt nor the text of a linked headline.

mod after_label;
mod breadcrumbs;
mod button_rows;
mod paragraphs;
mod teasers;

use self::breadcrumbs::mark_before_text;
use self::button_rows::find_buttons;
pub use self::paragraphs::{is_body, is_prose};
use self::paragraphs::{is_linked_headline, is_sentence, word_count};
use self::teasers::teaser_end;
use super::labels::{Label, label, labels_links};
use super::text_block::{BlockKind, TextBlock};
use std::collections::{HashMap, HashSet};

/// The minimum number of words in a copied paragraph. Shorter paragraphs may legitimately repeat.
const MIN_COPY_WORDS: usize = 20;
/// The maximum number of copies of a label. A teaser box may appear at both ends of an article.
const MAX_LABEL_COPIES: usize = 2;
/// The maximum number of words in a sentence of a comment form.
const MAX_FORM_WORDS: usize = 25;

/// Returns for each block whether it is clutter. `title` is the title of the article.
pub fn find_clutter(blocks: &[TextBlock], title: Option<&str>) -> Vec<bool> {
    let mut finder = ClutterFinder::new(blocks);
    let mut at = 0;
    while at < blocks.len() {
        let end = finder.clutter_end(at);
        finder.is_clutter[at..end].fill(true);
        if end == at {
            finder.text_bytes += finder.body_bytes(at);
            finder.has_text |= is_body(&blocks[at]) || is_sentence(&blocks[at]);
        }
        at = end.max(at + 1);
    }
    let mut is_clutter = finder.is_clutter;
    mark_before_text(blocks, title, &mut is_clutter);
    mark_copies(blocks, &mut is_clutter);
    is_clutter
}

struct ClutterFinder<'a> {
    blocks: &'a [TextBlock],
    is_clutter: Vec<bool>,
    /// The number of bytes in the non-clutter paragraphs before the current block.
    text_bytes: usize,
    /// Whether a sentence that is not clutter precedes the current block.
    has_text: bool,
    /// The number of linked headlines with an excerpt in the whole text.
    unlabelled_teasers: usize,
    /// The label of each block; `None` if the block is not a label.
    labels: Vec<Option<Label>>,
    /// The number of occurrences of each label.
    label_counts: HashMap<&'a str, usize>,
    /// For each block, the number of bytes in all paragraphs from that block to the end.
    bytes_from: Vec<usize>,
    /// For each block, whether it is a button.
    is_button: Vec<bool>,
    /// For each block, whether the article continues in that block or after it.
    has_text_from: Vec<bool>,
}

impl ClutterFinder<'_> {
    fn new(blocks: &[TextBlock]) -> ClutterFinder<'_> {
        let mut bytes_from = vec![0; blocks.len() + 1];
        for (at, block) in blocks.iter().enumerate().rev() {
            bytes_from[at] = bytes_from[at + 1] + if is_body(block) { block.text.len() } else { 0 };
        }
        let label_of = |block: &TextBlock| {
            let is_labelled = || block.link_chars > 0 && labels_links(&block.unlinked_text);
            label(&block.text, block.is_link()).or_else(|| is_labelled().then_some(Label::Line))
        };
        let labels: Vec<Option<Label>> = blocks.iter().map(label_of).collect();
        let mut label_counts = HashMap::new();
        for (block, _) in blocks.iter().zip(&labels).filter(|(_, label)| label.is_some()) {
            *label_counts.entry(block.text.as_str()).or_default() += 1;
        }
        ClutterFinder {
            blocks,
            is_clutter: vec![false; blocks.len()],
            text_bytes: 0,
            has_text: false,
            unlabelled_teasers: (0..blocks.len()).filter(|at| teaser_end(blocks, *at) > *at).count(),
            label_counts,
            bytes_from,
            is_button: find_buttons(blocks, &labels),
            has_text_from: find_remaining_text(blocks, &labels),
            labels,
        }
    }

    fn body_bytes(&self, at: usize) -> usize {
        self.bytes_from[at] - self.bytes_from[at + 1]
    }

    /// Returns the end of the clutter that starts at `start`, or `start` if that block is not clutter.
    fn clutter_end(&self, start: usize) -> usize {
        match self.labels[start] {
            Some(Label::Invitation) if self.precedes_text(start) => start,
            Some(Label::Line | Label::Invitation) => start + 1,
            Some(_) if self.is_repeated_link(start) => start + 1,
            Some(Label::Teasers) if self.is_heading_of_text(start) => start,
            Some(label) => self.labelled_end(start, label),
            None if self.is_button[start] => start + 1,
            None => self.unlabelled_teaser_end(start),
        }
    }

    /// Returns whether a label is a link that follows each entry of a digest ("Read more", "Comments").
    fn is_repeated_link(&self, start: usize) -> bool {
        let block = &self.blocks[start];
        let is_single_link = block.is_link() && block.kind != BlockKind::Heading && block.box_end <= start + 2;
        is_single_link || self.label_counts.get(block.text.as_str()).is_some_and(|count| *count > MAX_LABEL_COPIES)
    }

    /// Returns whether a heading that resembles a label is the heading of the next paragraph.
    fn is_heading_of_text(&self, start: usize) -> bool {
        let block = &self.blocks[start];
        let is_text = |next: &TextBlock| is_prose(next) && word_count(&next.text) > MAX_FORM_WORDS;
        block.kind == BlockKind::Heading
            && block.box_end <= start + 1
            && self.blocks.get(start + 1).is_some_and(is_text)
    }

    /// Returns whether a short line is a heading of the next paragraph.
    fn precedes_text(&self, start: usize) -> bool {
        let is_heading = self.blocks[start].kind == BlockKind::Heading || self.has_text;
        is_heading && is_heading_of_text(self.blocks, &self.labels, start)
    }
}

/// Returns whether a paragraph that is not clutter follows a block.
fn is_heading_of_text(blocks: &[TextBlock], labels: &[Option<Label>], at: usize) -> bool {
    blocks.get(at + 1).is_some_and(|next| is_prose(next) && labels[at + 1].is_none())
}

/// Returns for each block, and for the end, whether article text follows before a comment form starts.
fn find_remaining_text(blocks: &[TextBlock], labels: &[Option<Label>]) -> Vec<bool> {
    let mut has_text_from = vec![false; blocks.len() + 1];
    for (at, block) in blocks.iter().enumerate().rev() {
        has_text_from[at] = match labels[at] {
            Some(Label::Comments) => false,
            Some(_) => has_text_from[at + 1],
            None => has_text_from[at + 1] || is_prose(block) && !(at > 0 && is_linked_headline(&blocks[at - 1])),
        };
    }
    has_text_from
}

/// Marks later copies of long paragraphs and links, as in boxes at both ends of an article. Copies of short lines stay,
/// because recipes and tables repeat lines.
fn mark_copies(blocks: &[TextBlock], is_clutter: &mut [bool]) {
    let mut seen = HashSet::new();
    for (block, is_clutter) in blocks.iter().zip(is_clutter.iter_mut()) {
        let is_comparable = block.is_link() || word_count(&block.text) >= MIN_COPY_WORDS;
        if !*is_clutter && is_comparable && !seen.insert(block.text.as_str()) {
            *is_clutter = true;
        }
    }
}
