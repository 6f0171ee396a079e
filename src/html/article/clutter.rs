//! Finds the blocks of an article that are clutter: teasers of other articles, comment and newsletter forms, author
//! boxes, buttons, breadcrumbs, and repeated titles.
//!
//! The functions are pure: they classify a sequence of blocks without changing it. They ignore class names, because
//! generated sites have meaningless ones. Clutter starts at a label ("Related articles"). It ends with the box that the
//! label starts, or before the first paragraph that is neither an excerpt nor the text of a linked headline.

use super::buttons::{ButtonLine, button_line};
use super::labels::{Label, label, labels_links};
use super::more_links::{is_cut, is_more_after_cut};
use super::text_block::{BlockKind, TextBlock};
use super::words::{ends_sentence, is_headline, letters};
use std::collections::{HashMap, HashSet};

/// The maximum number of words in an excerpt. A longer paragraph is article text.
const MAX_EXCERPT_WORDS: usize = 60;
/// The minimum number of words in article text. A shorter block is a name, a date or a label.
const MIN_BODY_WORDS: usize = 8;
/// The minimum number of words for a block to count as text even without a final period.
const MIN_UNPUNCTUATED_WORDS: usize = 26;
/// The number of characters that count as two words in scripts without spaces.
const CHARS_PER_TWO_WORDS: usize = 4;
/// The maximum number of blocks between a headline and its excerpt, such as the author and the date.
const MAX_HEADLINE_DETAILS: usize = 2;
/// The maximum number of text paragraphs in a box. A box with more paragraphs is the article.
const MAX_BOX_PARAGRAPHS: usize = 2;
/// The minimum number of words in a copied paragraph. Shorter paragraphs may legitimately repeat.
const MIN_COPY_WORDS: usize = 20;
/// The minimum number of teasers without a label. One linked headline with truncated text may end a truncated item.
const MIN_UNLABELLED_TEASERS: usize = 2;
/// The maximum number of copies of a label. A teaser box may appear at both ends of an article.
const MAX_LABEL_COPIES: usize = 2;
/// The maximum number of words in a sentence of a comment form.
const MAX_FORM_WORDS: usize = 25;
/// The maximum number of words in a name in a breadcrumb. The title at its end may have up to `MAX_TITLE_WORDS`.
const MAX_BREADCRUMB_WORDS: usize = 4;
const MAX_TITLE_WORDS: usize = 25;
/// The maximum number of words in the name of a form field.
const MAX_FIELD_WORDS: usize = 4;
/// The minimum number of platforms in a list without links at the end of the text. A shorter list may be text.
const MIN_UNLINKED_PLATFORMS: usize = 3;
/// The maximum number of words in an author's biography.
const MAX_BIOGRAPHY_WORDS: usize = 90;

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

    /// Returns the end of the clutter that a label introduces.
    fn labelled_end(&self, start: usize, label: Label) -> usize {
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

    /// Returns whether the text at `at` follows exactly one linked headline. Text after several linked headlines
    /// follows a list of links.
    fn follows_linked_headline(&self, at: usize) -> bool {
        let start = at.saturating_sub(MAX_HEADLINE_DETAILS + 2);
        let before = self.blocks[start..at].iter().rev().take_while(|block| !is_body(block));
        before.filter(|block| is_linked_headline(block)).count() == 1
    }

    /// Returns whether the text at `at` follows a linked headline, and a similar headline with text precedes or follows
    /// both. The text after a single linked headline ("Read also: …") continues the article.
    fn is_one_of_several_teasers(&self, at: usize) -> bool {
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
    fn unlabelled_teaser_end(&self, start: usize) -> usize {
        let has_several = self.unlabelled_teasers >= MIN_UNLABELLED_TEASERS;
        if has_several && self.text_bytes > 0 { teaser_end(self.blocks, start) } else { start }
    }
}

/// Returns for each block whether it is a button.
fn find_buttons(blocks: &[TextBlock], labels: &[Option<Label>]) -> Vec<bool> {
    let is_item = |block: &TextBlock| matches!(block.kind, BlockKind::ListItem | BlockKind::TableRow);
    let is_text = |at: &usize| labels[*at].is_none() && is_sentence(&blocks[*at]);
    let (first_text, last_text) = ((0..blocks.len()).find(is_text), (0..blocks.len()).rev().find(is_text));
    let mut is_button = Vec::with_capacity(blocks.len());
    for run in blocks.chunk_by(|a, b| is_item(a) && a.kind == b.kind) {
        let start = is_button.len();
        let before =
            start.checked_sub(1).map(|before| &blocks[before]).filter(|before| button_line(&before.text).is_none());
        let is_announced = before.is_some_and(|before| before.text.ends_with(':'));
        let is_run = match button_line(&run[0].text) {
            // "More" ends a row of buttons.
            None => is_more_after_cut(&run[0].text) && is_button.last() == Some(&true),
            Some(_) if is_item(&run[0]) => {
                let is_under_heading = before.is_some_and(|before| before.kind == BlockKind::Heading);
                let is_at_end = last_text.is_some_and(|last| last < start) && !is_under_heading;
                !is_announced && is_list_of_buttons(run, is_at_end)
            }
            Some(ButtonLine::Platforms) => !is_announced,
            // "Share this" may be the heading of a paragraph.
            Some(ButtonLine::Action) => {
                let is_line = !run[0].is_link() && run[0].text.contains(' ');
                !(is_line && first_text.is_some_and(|first| first < start) && is_heading_of_text(blocks, labels, start))
            }
            Some(ButtonLine::ActionOnPlatform) => true,
        };
        is_button.extend(run.iter().map(|_| is_run));
    }
    keep_headings_of_text(blocks, &mut is_button);
    is_button
}

/// Returns the content of an item of a list of buttons. The last item may be "More".
fn button_of_item(text: &str) -> Option<ButtonLine> {
    button_line(text).or_else(|| is_more_after_cut(text).then_some(ButtonLine::Platforms))
}

/// Returns whether each list item or table row names an action or a platform, and is a link. At the end of the text,
/// the items need not be links if they name an action or there are several of them.
fn is_list_of_buttons(items: &[TextBlock], is_at_end: bool) -> bool {
    let names: Option<Vec<ButtonLine>> = items.iter().map(|item| button_of_item(&item.text)).collect();
    names.is_some_and(|names| {
        let has_action = names.iter().any(|name| *name != ButtonLine::Platforms);
        let is_share_list = is_at_end && (names.len() >= MIN_UNLINKED_PLATFORMS || (has_action && names.len() > 1));
        is_share_list || items.iter().all(TextBlock::is_link)
    })
}

/// Returns whether a paragraph that is not clutter follows a block.
fn is_heading_of_text(blocks: &[TextBlock], labels: &[Option<Label>], at: usize) -> bool {
    blocks.get(at + 1).is_some_and(|next| is_prose(next) && labels[at + 1].is_none())
}

/// Unmarks headings that text follows, and headings at the end that name a platform.
fn keep_headings_of_text(blocks: &[TextBlock], is_button: &mut [bool]) {
    let mut next = None;
    for (block, is_button) in blocks.iter().zip(is_button).rev() {
        if block.kind == BlockKind::Heading {
            *is_button &= next.unwrap_or_else(|| button_line(&block.text) != Some(ButtonLine::Platforms));
        } else {
            next = Some(*is_button);
        }
    }
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

/// Returns the end of the linked headline at `start` and its excerpt; `start` if there is no linked headline.
fn teaser_end(blocks: &[TextBlock], start: usize) -> usize {
    if !is_linked_headline(&blocks[start]) {
        return start;
    }
    let after = blocks.iter().enumerate().skip(start + 1).take(MAX_HEADLINE_DETAILS + 1);
    let mut details = after.take_while(|(_, block)| !is_linked_headline(block));
    let excerpt = details.find(|(_, block)| is_body(block)).filter(|(_, block)| is_excerpt(block));
    excerpt.map_or(start, |(n, _)| n + 1)
}

/// The state of a run of clutter that one label starts.
struct Run {
    label: Label,
    /// The level of the heading above the first teaser of the run.
    teaser_heading: Option<u8>,
    biographies: usize,
}

/// Marks breadcrumbs and copies of the title that precede the text.
fn mark_before_text(blocks: &[TextBlock], title: Option<&str>, is_clutter: &mut [bool]) {
    let Some(text_start) = (0..blocks.len()).find(|at| !is_clutter[*at] && is_body(&blocks[*at])) else {
        return;
    };
    let title = title.map(letters).filter(|title| !title.is_empty());
    let is_title = |block: &TextBlock| title.as_ref().is_some_and(|title| *title == letters(&block.text));
    let is_name = |block: &TextBlock| block.is_link() && word_count(&block.text) <= MAX_BREADCRUMB_WORDS;
    for at in 0..text_start {
        let block = &blocks[at];
        let is_link_row = is_name(block) && (is_name(&blocks[at + 1]) || (at > 0 && is_name(&blocks[at - 1])));
        is_clutter[at] |= is_breadcrumb(block) || is_link_row || is_title(block);
    }
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

/// Returns whether a block is a breadcrumb: "Home > Region > Roads".
fn is_breadcrumb(block: &TextBlock) -> bool {
    const ARROWS: [char; 5] = ['>', '›', '»', '→', '▸'];
    const SIGNS: [&str; 3] = [" / ", " | ", " · "];
    let is_name = |name: &&str| word_count(name) <= MAX_BREADCRUMB_WORDS && !ends_sentence(name);
    let parts = block.text.split(ARROWS).flat_map(|part| SIGNS.iter().fold(vec![part], split_all));
    let names: Vec<&str> = parts.filter(|name| !name.trim().is_empty()).collect();
    let Some((last, sections)) = names.split_last().filter(|(_, sections)| !sections.is_empty()) else {
        return false;
    };
    let is_title = sections.len() >= 2 && word_count(last) <= MAX_TITLE_WORDS;
    block.kind != BlockKind::Heading && sections.iter().all(is_name) && (is_name(last) || is_title)
}

fn split_all<'t>(parts: Vec<&'t str>, sign: &&str) -> Vec<&'t str> {
    parts.into_iter().flat_map(|part| part.split(*sign)).collect()
}

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
fn is_excerpt(block: &TextBlock) -> bool {
    is_cut(&block.text) && word_count(&block.text) <= MAX_EXCERPT_WORDS
}

fn is_sentence(block: &TextBlock) -> bool {
    block.kind != BlockKind::Heading && !block.is_link() && ends_sentence(&block.text)
}

fn is_linked_headline(block: &TextBlock) -> bool {
    block.is_link() && is_headline(&block.text)
}

/// Returns the number of words in the text, estimated from characters for scripts without spaces.
fn word_count(text: &str) -> usize {
    let words = text.split_whitespace().count();
    let wide = text
        .chars()
        .filter(|c| matches!(*c, '\u{0E00}'..='\u{0EFF}' | '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}'));
    words.max(wide.count() / CHARS_PER_TWO_WORDS * 2)
}
