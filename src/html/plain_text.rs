//! Converts HTML to plain text, paragraph by paragraph.
//!
//! The tree parser receives no elements: it only decodes the remaining character references.

use super::allow_list::sanitizer_for_elements;
use super::rebalance::strip_elements;
use super::truncate_html;
use crate::markup::whitespace::fold_whitespace;
use ammonia::Builder;
use std::sync::LazyLock;

/// A separator between blocks while the text is still HTML. The character does not occur in text (Unicode, §5.8).
const BLOCK_SEPARATOR: char = '\u{2029}';

static TEXT_SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(|| sanitizer_for_elements(&[]));

/// Returns the visible text of HTML on one line, with folded white space.
pub fn html_to_text(html: &str) -> String {
    text_blocks(html).join(" ")
}

/// Returns the visible text of HTML with folded white space, one string per paragraph. In text without markup, every
/// line is a paragraph.
pub fn text_blocks(html: &str) -> Vec<String> {
    if !html.contains(['<', '&']) {
        return fold_blocks(html.split('\n'));
    }
    page_text_blocks(truncate_html(html))
}

/// Returns the same as [`text_blocks`]. The caller has limited the size of the HTML.
pub(super) fn page_text_blocks(html: &str) -> Vec<String> {
    let text = TEXT_SANITIZER.clean(&strip_elements(html, BLOCK_SEPARATOR)).to_string();
    // ammonia writes only these references (WHATWG HTML, §13.3).
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    // HTML without blocks is plain text with a few references.
    let separator = if text.contains(BLOCK_SEPARATOR) { BLOCK_SEPARATOR } else { '\n' };
    fold_blocks(text.split(separator))
}

fn fold_blocks<'a>(blocks: impl Iterator<Item = &'a str>) -> Vec<String> {
    blocks.map(fold_whitespace).filter(|block| !block.is_empty()).collect()
}
