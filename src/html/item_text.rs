//! Extracts the text of a feed item without clutter: breadcrumbs, a repeated title, buttons, forms, teasers.
//!
//! The HTML of an item is processed like a page ([`super::article::clutter`]), but only lines that would be clutter in
//! any text are removed. The module never removes the whole text, because an item may consist of one link. HTML whose
//! tree would be too large is processed line by line.

use super::article::clutter::{find_clutter, is_prose};
use super::article::text_block::{TextBlock, has_block_elements, remove_blocks, text_blocks_of};
use super::page_tree::parse_page;
use super::plain_lines::{PlainLine, paragraphs_html, plain_lines};
use super::plain_text::text_blocks;
use super::truncate_html;
use crate::markup::entities::{decode_entities, escape_html};
use dom_query::{Document, NodeRef, Selection};

/// The maximum depth of the tree. HTML that is nested more deeply is processed line by line.
const MAX_TREE_DEPTH: usize = 150;
/// Elements that never contain the text of an item.
const NON_TEXT_ELEMENTS: &str = "nav, button, dialog, select, textarea";

/// Form controls that readers fill in or press.
const FORM_FIELDS: &str = "input:not([type=hidden]), textarea, select, button";

/// The text of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemText {
    /// The paragraphs as plain text, without clutter.
    pub paragraphs: Vec<String>,
    /// The HTML without clutter, in which elements replace the line breaks of plain text; `None` if nothing changed.
    pub html: Option<String>,
}

/// Extracts the text of an item with this title from its HTML or plain text.
pub fn read_item_text(html: &str, title: Option<&str>) -> ItemText {
    let has_elements = html.contains('<');
    let document = has_elements.then(|| parse_page(truncate_html(html), MAX_TREE_DEPTH)).flatten();
    if let Some(document) = &document
        && let Some(body) = document.body()
    {
        if has_block_elements(&body) {
            return read_tree(document, &body, title);
        }
        if !body.descendants_it().any(|node| node.is_element()) {
            return read_lines(plain_lines(&body.text()), title);
        }
    }
    if !has_elements {
        return read_lines(plain_lines(&decode_entities(truncate_html(html))), title);
    }
    let lines = text_blocks(html).into_iter().map(TextBlock::from_line).collect::<Vec<_>>();
    let is_clutter = find_clutter(&lines, title);
    let paragraphs = lines.into_iter().zip(is_clutter).filter(|(_, is_clutter)| !is_clutter);
    let html = document.as_ref().and_then(|document| paragraphs_between_blank_lines(&document.body()?));
    ItemText { paragraphs: paragraphs.map(|(line, _)| line.text).collect(), html }
}

/// Returns the paragraphs of an element without blocks; `None` if there is no blank line outside its child elements.
fn paragraphs_between_blank_lines(element: &NodeRef<'_>) -> Option<String> {
    let (mut html, mut is_divided) = (String::from("<p>"), false);
    for child in element.children_it(false) {
        if !child.is_text() {
            html.push_str(&child.html());
            continue;
        }
        let text = child.text();
        let lines: Vec<&str> = text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            if n > 0 && n + 1 < lines.len() && line.trim().is_empty() {
                html.push_str("</p><p>");
                is_divided = true;
            } else {
                html.push_str(if n == 0 || html.ends_with("<p>") { "" } else { "\n" });
                html.push_str(&escape_html(line));
            }
        }
    }
    is_divided.then(|| html + "</p>")
}

/// Processes plain text. If it has several lines, the line breaks become HTML.
fn read_lines(lines: Vec<PlainLine>, title: Option<&str>) -> ItemText {
    let blocks: Vec<TextBlock> = lines.iter().map(|line| TextBlock::from_line(line.text.clone())).collect();
    let is_clutter = find_clutter(&blocks, title);
    let mut kept: Vec<PlainLine> = Vec::new();
    let mut follows_blank_line = false;
    for (line, is_clutter) in lines.iter().zip(is_clutter) {
        follows_blank_line |= line.follows_blank_line;
        if !is_clutter {
            kept.push(PlainLine { follows_blank_line: std::mem::take(&mut follows_blank_line), ..line.clone() });
        }
    }
    let shown = if kept.is_empty() { &lines } else { &kept };
    let html = (lines.len() > 1).then(|| paragraphs_html(shown.iter()));
    ItemText { paragraphs: kept.into_iter().map(|line| line.text).collect(), html }
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

/// Removes menus, buttons, and forms that readers would fill in. Some sites wrap every text in a form, which becomes an
/// ordinary element. Returns whether the document contained any of them.
fn remove_forms(document: &Document) -> bool {
    let (forms, elements) = (document.select("form"), document.select(NON_TEXT_ELEMENTS));
    let blocks: Vec<_> = forms.nodes().iter().map(text_blocks_of).collect();
    let has_prose = |blocks: &[TextBlock]| blocks.iter().any(is_prose);
    let is_all_text = blocks.iter().map(Vec::len).sum::<usize>() == text_blocks_of(&document.root()).len()
        && !blocks.iter().any(|blocks| has_prose(blocks));
    for (form, blocks) in forms.nodes().iter().zip(&blocks) {
        let has_fields = || Selection::from(*form).select(FORM_FIELDS).exists();
        if is_all_text || has_prose(blocks) || !has_fields() {
            form.rename("div");
        } else {
            form.remove_from_parent();
        }
    }
    elements.remove();
    !forms.is_empty() || !elements.is_empty()
}

#[cfg(test)]
mod tests;
