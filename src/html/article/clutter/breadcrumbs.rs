//! Marks breadcrumbs, rows of links and copies of the title that precede the text.

use super::super::text_block::{BlockKind, TextBlock};
use super::super::words::{ends_sentence, letters};
use super::paragraphs::{is_body, word_count};

/// The maximum number of words in a name in a breadcrumb. The title at its end may have up to `MAX_TITLE_WORDS`.
const MAX_BREADCRUMB_WORDS: usize = 4;
const MAX_TITLE_WORDS: usize = 25;

/// Marks breadcrumbs and copies of the title that precede the text.
pub fn mark_before_text(blocks: &[TextBlock], title: Option<&str>, is_clutter: &mut [bool]) {
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
