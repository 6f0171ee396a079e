//! Extracts the text of a feed item without clutter: breadcrumbs, a repeated title, buttons, forms, teasers.
//!
//! The HTML of an item is processed like a page ([`super::article::clutter`]), but only lines that would be clutter in
//! any article are removed. The module never removes the whole text, because an item may consist of one link. HTML
//! whose tree would be too large is processed line by line.

mod appended_text;

use self::appended_text::{TailContext, length_without_tail};
use super::article::clutter::{find_clutter, is_prose};
use super::article::text_block::{
    BlockKind, TextBlock, has_block_elements, remove_blocks, text_blocks_of, truncate_block,
};
use super::page_tree::parse_page;
use super::plain_lines::{PlainLine, is_wrapped_html, paragraphs_html, plain_lines};
use super::plain_text::text_blocks;
use super::truncate_html;
use crate::markup::entities::{decode_entities, escape_html};
use dom_query::{Document, NodeRef, Selection};
use std::collections::HashSet;
use url::Url;

/// The maximum depth of the tree. HTML that is nested more deeply is processed line by line.
const MAX_TREE_DEPTH: usize = 150;
/// Elements that never contain the text of an item.
const NON_TEXT_ELEMENTS: &str = "nav, button, dialog, select, textarea";

/// The minimum number of words in a repeated paragraph that is removed even between other paragraphs.
const MIN_REPEATED_WORDS: usize = 8;
/// Form controls that readers fill in or press.
const FORM_FIELDS: &str = "input:not([type=hidden]), textarea, select, button";

/// The text of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemText {
    /// The paragraphs as plain text, without clutter.
    pub paragraphs: Vec<String>,
    /// The HTML without clutter, in which elements replace the line breaks of plain text; `None` if nothing changed.
    pub html: Option<String>,
}

/// Extracts the text of an item with this title and link from its HTML or plain text.
pub fn read_item_text(html: &str, title: Option<&str>, link: Option<&Url>) -> ItemText {
    let reader = ItemTextReader { title, link };
    if !html.contains('<') {
        return reader.read_lines(plain_lines(&decode_entities(truncate_html(html))));
    }
    let Some(document) = parse_page(truncate_html(html), MAX_TREE_DEPTH) else {
        return reader.read_blocks(html);
    };
    let Some(body) = document.body() else { return reader.read_blocks(html) };
    if has_block_elements(&body) {
        return reader.read_tree(&document, &body);
    }
    if !body.descendants_it().any(|node| node.is_element()) {
        return reader.read_lines(plain_lines(&body.text()));
    }
    let text = reader.read_tree(&document, &body);
    let lines = reader.read_blocks(html).paragraphs;
    let paragraphs = if lines.len() > 1 { lines } else { text.paragraphs };
    ItemText { paragraphs, html: paragraphs_of_lines(&body).or(text.html) }
}

/// Removes paragraphs that a source adds to many items from the HTML of one item; `None` if nothing changes or nothing
/// would remain. Headings, lists, tables and short paragraphs between other paragraphs are kept, because they structure
/// the text.
pub fn remove_repeated_paragraphs(html: &str, repeated: &HashSet<&str>) -> Option<String> {
    let document = parse_page(truncate_html(html), MAX_TREE_DEPTH)?;
    let body = document.body()?;
    let blocks = text_blocks_of(&body);
    let is_repeated = |block: &&TextBlock| repeated.contains(block.text.as_str());
    let (first, last) =
        (blocks.iter().position(|block| !is_repeated(&block))?, blocks.iter().rposition(|block| !is_repeated(&block))?);
    let is_added = |at: usize, block: &TextBlock| {
        let is_long = block.text.split_whitespace().count() >= MIN_REPEATED_WORDS;
        let is_around_text = at < first || at > last;
        block.kind == BlockKind::Paragraph && !block.text.ends_with(':') && (is_long || is_around_text)
    };
    let added: Vec<&TextBlock> = blocks
        .iter()
        .enumerate()
        .filter(|(at, block)| is_repeated(block) && is_added(*at, block))
        .map(|(_, block)| block)
        .collect();
    remove_blocks(&body, added.iter().copied());
    (!added.is_empty()).then(|| body.inner_html().to_string())
}

struct ItemTextReader<'a> {
    title: Option<&'a str>,
    link: Option<&'a Url>,
}

impl ItemTextReader<'_> {
    /// Returns, for each block, the length of its text without clutter. The length is 0 if the block is clutter.
    fn kept_lengths(&self, blocks: &[TextBlock]) -> Vec<usize> {
        let is_clutter = find_clutter(blocks, self.title);
        let without_clutter: Vec<usize> = blocks
            .iter()
            .zip(is_clutter)
            .map(|(block, is_clutter)| if is_clutter { 0 } else { block.text.len() })
            .collect();
        let mut lengths = without_clutter.clone();
        let mut is_last = true;
        for at in (0..blocks.len()).rev() {
            let block = &blocks[at];
            let context = TailContext {
                title: self.title,
                item_link: self.link,
                link_text: block.last_link_text.as_deref(),
                unlinked_text: &block.unlinked_text,
                is_mostly_linked: block.is_mostly_link(),
                is_last,
                is_announced: at > 0 && blocks[at - 1].text.ends_with(':'),
            };
            if is_last && block.is_row_of_links() {
                lengths[at] = 0;
            } else if lengths[at] > 0 && block.kind != BlockKind::Heading {
                lengths[at] = length_without_tail(&block.text, &context);
            }
            is_last &= lengths[at] == 0;
        }
        // An item may consist of its URL.
        if is_last { without_clutter } else { lengths }
    }

    /// Processes HTML line by line.
    fn read_blocks(&self, html: &str) -> ItemText {
        let blocks: Vec<TextBlock> = text_blocks(html).into_iter().map(TextBlock::from_line).collect();
        ItemText { paragraphs: kept_paragraphs(&blocks, &self.kept_lengths(&blocks)), html: None }
    }

    /// Processes plain text. If it has several lines, the line breaks become HTML.
    fn read_lines(&self, lines: Vec<PlainLine>) -> ItemText {
        let blocks: Vec<TextBlock> = lines.iter().map(|line| TextBlock::from_line(line.text.clone())).collect();
        let lengths = self.kept_lengths(&blocks);
        let mut kept: Vec<PlainLine> = Vec::new();
        let mut follows_blank_line = false;
        for (line, length) in lines.iter().zip(&lengths) {
            follows_blank_line |= line.follows_blank_line;
            if *length > 0 {
                let follows_blank_line = std::mem::take(&mut follows_blank_line);
                kept.push(PlainLine { text: line.text[..*length].to_owned(), follows_blank_line });
            }
        }
        let shown = if kept.is_empty() { &lines } else { &kept };
        let html = (*shown != lines || lines.len() > 1).then(|| paragraphs_html(shown.iter()));
        ItemText { paragraphs: kept.into_iter().map(|line| line.text).collect(), html }
    }

    fn read_tree(&self, document: &Document, body: &NodeRef<'_>) -> ItemText {
        let mut is_changed = remove_forms(document);
        let blocks = text_blocks_of(body);
        let lengths = self.kept_lengths(&blocks);
        let has_text = lengths.iter().any(|length| *length > 0);
        for (block, length) in
            blocks.iter().zip(&lengths).filter(|(block, length)| has_text && **length < block.text.len())
        {
            truncate_block(body, block, *length);
            is_changed = true;
        }
        let html = (is_changed && has_text).then(|| body.inner_html().to_string());
        ItemText { paragraphs: kept_paragraphs(&blocks, &lengths), html }
    }
}

fn kept_paragraphs(blocks: &[TextBlock], lengths: &[usize]) -> Vec<String> {
    let kept = blocks.iter().zip(lengths).filter(|(_, length)| **length > 0);
    kept.map(|(block, length)| block.text[..*length].to_owned()).collect()
}

/// Returns the paragraphs and lines of an element without blocks; `None` if the element contains no line breaks outside
/// its child elements.
fn paragraphs_of_lines(element: &NodeRef<'_>) -> Option<String> {
    let (mut html, mut is_divided) = (String::from("<p>"), false);
    // The text of the current line, which may contain child elements.
    let mut line_text = String::new();
    for child in element.children_it(false) {
        let text = child.text();
        if !child.is_text() {
            html.push_str(&child.html());
            line_text.push_str(&text);
            continue;
        }
        let lines: Vec<&str> = text.split('\n').collect();
        for (n, line) in lines.iter().enumerate() {
            let is_inner = n + 1 < lines.len();
            if n > 0 && is_inner && line.trim().is_empty() {
                html.push_str("</p><p>");
                is_divided = true;
                line_text.clear();
                continue;
            }
            // An element may start the line.
            let element = || child.next_sibling().map(|next| next.text().to_string()).unwrap_or_default();
            let next = if is_inner || !line.trim().is_empty() { (*line).to_owned() } else { element() };
            let is_break = n > 0 && !line_text.trim().is_empty() && !next.trim().is_empty();
            let is_break = is_break && !is_wrapped_html(line_text.trim(), next.trim_start());
            is_divided |= is_break;
            html.push_str(if n == 0 || html.ends_with("<p>") {
                ""
            } else if is_break {
                "<br>"
            } else {
                "\n"
            });
            html.push_str(&escape_html(line));
            if n > 0 {
                line_text.clear();
            }
            line_text.push_str(line);
        }
    }
    is_divided.then(|| html + "</p>")
}

/// Removes menus, buttons, and forms that readers would fill in. Some sites wrap every article in a form, which becomes
/// an ordinary element. Returns whether the document contained any of these elements.
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
