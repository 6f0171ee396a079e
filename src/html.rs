//! HTML from the web: sanitized, as plain text, or as the article of a page.
//!
//! Never fetches anything. html5ever takes time quadratic in the depth of its tree, so no tree is built from HTML whose
//! size and depth are not limited. Content is sanitized when it is stored and again when it is published.

pub mod article;
pub mod boilerplate;
mod elements;
mod embedded_media;
pub mod item_text;
mod lazy_image;
mod page_tree;
mod plain_lines;
pub mod plain_text;
mod rebalance;
pub mod sanitize;
mod tracking_pixel;

/// HTML of an item is cut here.
pub const MAX_HTML_BYTES: usize = 256 * 1024;
/// Deeper HTML becomes plain text.
const MAX_HTML_DEPTH: usize = 512;

fn truncate_html(html: &str) -> &str {
    &html[..html.floor_char_boundary(MAX_HTML_BYTES)]
}

#[cfg(test)]
mod tests;
