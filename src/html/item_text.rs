//! The text of a feed item without clutter: breadcrumbs, a repeated title, buttons, forms, teasers of other articles.
//!
//! Reads the HTML of an item like a page ([`super::article::clutter`]), but removes only lines that would be clutter in
//! any text. Never removes everything: an item may consist of one link. HTML whose tree would be too large is read line
//! by line.

use super::article::clutter::{find_clutter, is_prose};
use super::article::text_block::{TextBlock, has_block_elements, remove_blocks, text_blocks_of};
use super::page_tree::parse_page;
use super::plain_text::text_blocks;
use super::truncate_html;
use dom_query::{Document, NodeRef};

/// Deeper HTML is read line by line.
const MAX_TREE_DEPTH: usize = 150;
/// Elements that no text of an item is in.
const NON_TEXT_ELEMENTS: &str = "nav, button, dialog, select, textarea";

/// The text of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemText {
    /// Plain text without clutter.
    pub paragraphs: Vec<String>,
    /// The HTML without clutter; `None` if it contains no clutter, or only clutter.
    pub html: Option<String>,
}

/// Reads the HTML or the plain text of an item with this title.
pub fn read_item_text(html: &str, title: Option<&str>) -> ItemText {
    let has_elements = html.contains('<');
    let document = has_elements.then(|| parse_page(truncate_html(html), MAX_TREE_DEPTH)).flatten();
    if let Some(document) = &document
        && let Some(body) = document.body().filter(has_block_elements)
    {
        return read_tree(document, &body, title);
    }
    let lines = text_blocks(html).into_iter().map(TextBlock::from_line).collect();
    ItemText { paragraphs: without_clutter(lines, title), html: None }
}

fn read_tree(document: &Document, body: &NodeRef<'_>, title: Option<&str>) -> ItemText {
    let mut is_changed = remove_forms(document);
    let blocks = text_blocks_of(body);
    let is_clutter = find_clutter(&blocks, title);
    let clutter = || blocks.iter().zip(&is_clutter).filter(|(_, is_clutter)| **is_clutter).map(|(block, _)| block);
    let has_text = clutter().count() < blocks.len();
    if has_text && clutter().next().is_some() {
        remove_blocks(body, clutter());
        is_changed = true;
    }
    let html = (is_changed && has_text).then(|| body.inner_html().to_string());
    let paragraphs = blocks.into_iter().zip(is_clutter).filter(|(_, is_clutter)| !is_clutter);
    ItemText { paragraphs: paragraphs.map(|(block, _)| block.text).collect(), html }
}

/// Removes menus, buttons, and forms without text. Returns whether there were any. Some sites have a form around every
/// text, which becomes an ordinary element.
fn remove_forms(document: &Document) -> bool {
    let (forms, elements) = (document.select("form"), document.select(NON_TEXT_ELEMENTS));
    for form in forms.nodes() {
        if text_blocks_of(form).iter().any(is_prose) {
            form.rename("div");
        } else {
            form.remove_from_parent();
        }
    }
    elements.remove();
    !forms.is_empty() || !elements.is_empty()
}

fn without_clutter(blocks: Vec<TextBlock>, title: Option<&str>) -> Vec<String> {
    let is_clutter = find_clutter(&blocks, title);
    blocks.into_iter().zip(is_clutter).filter(|(_, is_clutter)| !is_clutter).map(|(block, _)| block.text).collect()
}

#[cfg(test)]
mod tests;
