//! HTML → plain text, paragraph by paragraph.
//!
//! It fetches nothing, and no element reaches the tree parser.

use super::rebalance::rebalance;
use super::sanitize::allow;
use super::truncate_html;
use crate::markup::whitespace::fold_whitespace;
use ammonia::Builder;
use std::sync::LazyLock;

static STRIPPER: LazyLock<Builder<'static>> = LazyLock::new(|| allow(&[]));

/// What a reader sees of the HTML, white space folded.
pub fn html_to_text(html: &str) -> String {
    text_blocks(html).join(" ")
}

/// Between two blocks, where the text is still HTML; it is no part of any text (Unicode, section 5.8).
const BLOCK_SEPARATOR: char = '\u{2029}';

/// What a reader sees of the HTML, paragraph by paragraph, white space folded. In a text without any mark-up a line is
/// a paragraph.
pub fn text_blocks(html: &str) -> Vec<String> {
    if !html.contains(['<', '&']) {
        return folded(html.split('\n'));
    }
    page_text_blocks(truncate_html(html))
}

/// The same for a page, whose size was bounded by whoever calls.
pub fn page_text_blocks(html: &str) -> Vec<String> {
    // Where no element is kept nothing can be nested too deep.
    let text = STRIPPER.clean(&rebalance(&mark_block_boundaries(html), &[], 0).unwrap_or_default()).to_string();
    // The stripper writes exactly these references (WHATWG HTML, section 13.3).
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    // Without a block in it, it is a plain text with a few references.
    if text.contains(BLOCK_SEPARATOR) { folded(text.split(BLOCK_SEPARATOR)) } else { folded(text.split('\n')) }
}

fn folded<'a>(blocks: impl Iterator<Item = &'a str>) -> Vec<String> {
    blocks.map(fold_whitespace).filter(|block| !block.is_empty()).collect()
}

/// A mark before every tag that begins or ends a block, so that two paragraphs do not run together.
fn mark_block_boundaries(html: &str) -> String {
    const INLINE: &[&str] = &[
        "a", "abbr", "b", "cite", "code", "em", "i", "q", "s", "small", "span", "strong", "sub", "sup", "u", "font",
        "mark", "wbr",
    ];
    let mut out = String::with_capacity(html.len() + html.len() / 16);
    let mut done = 0;
    for (at, _) in html.match_indices('<') {
        let tag = html[at + 1..].trim_start_matches('/');
        let name_end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let name = &tag[..name_end];
        if !name.is_empty() && !INLINE.iter().any(|inline| name.eq_ignore_ascii_case(inline)) {
            out.push_str(&html[done..at]);
            out.push(BLOCK_SEPARATOR);
            done = at;
        }
    }
    out.push_str(&html[done..]);
    out
}
