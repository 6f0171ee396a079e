//! HTML from strangers: made harmless, or made into plain text. Used when items come in and again when they go out.
//!
//! It fetches nothing and never builds a tree over input that is not bounded first: html5ever's time is quadratic in
//! depth, so that size and depth are capped, and the nesting made plain, before ammonia sees a byte.

mod allow_list;
pub mod article;
pub mod boilerplate;
mod elements;
mod page_tree;
pub mod plain_text;
mod rebalance;
pub mod sanitize;

/// Bytes of one item's HTML that are looked at.
pub const MAX_HTML_BYTES: usize = 256 * 1024;
/// Elements open at once beyond which only the text is kept.
const MAX_HTML_DEPTH: usize = 512;

fn truncate_html(html: &str) -> &str {
    &html[..html.floor_char_boundary(MAX_HTML_BYTES)]
}

#[cfg(test)]
mod tests;
