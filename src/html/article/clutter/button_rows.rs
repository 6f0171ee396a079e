//! Finds rows of buttons, and lists of platforms on which readers can share the article.

use super::super::buttons::{ButtonLine, button_line};
use super::super::labels::Label;
use super::super::more_links::is_more_after_cut;
use super::super::text_block::{BlockKind, TextBlock};
use super::is_heading_of_text;
use super::paragraphs::is_sentence;

/// The minimum number of platforms in a list without links at the end of the text. A shorter list may be text.
const MIN_UNLINKED_PLATFORMS: usize = 3;

/// Returns for each block whether it is a button.
pub fn find_buttons(blocks: &[TextBlock], labels: &[Option<Label>]) -> Vec<bool> {
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

/// Returns the content of an item in a list of buttons. The last item may be "More".
fn button_of_item(text: &str) -> Option<ButtonLine> {
    button_line(text).or_else(|| is_more_after_cut(text).then_some(ButtonLine::Platforms))
}

/// Returns whether each list item or table row names an action or a platform, and is a link. At the end of the text,
/// the items need not be links if they name an action or if there are several items.
fn is_list_of_buttons(items: &[TextBlock], is_at_end: bool) -> bool {
    let names: Option<Vec<ButtonLine>> = items.iter().map(|item| button_of_item(&item.text)).collect();
    names.is_some_and(|names| {
        let has_action = names.iter().any(|name| *name != ButtonLine::Platforms);
        let is_share_list = is_at_end && (names.len() >= MIN_UNLINKED_PLATFORMS || (has_action && names.len() > 1));
        is_share_list || items.iter().all(TextBlock::is_link)
    })
}

/// Unmarks headings before text, and headings at the end of the text that name a platform.
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
