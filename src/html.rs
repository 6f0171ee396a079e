//! Processes HTML from the web: sanitizes it, converts it to plain text, and extracts the article of a page.
//!
//! The module never fetches anything. html5ever takes time quadratic in the depth of its tree, so no tree is built from
//! HTML of unlimited size or depth. Content is sanitized before storage and again before publication.

mod allow_list;
pub mod article;
mod embedded_media;
pub mod item_text;
mod lazy_image;
pub mod link_resolution;
mod nesting_rules;
mod open_elements;
mod page_tree;
mod plain_lines;
pub mod plain_text;
mod player;
mod rebalance;
pub mod repeated_blocks;
pub mod sanitize;
mod style_attribute;
pub mod tracking_hosts;
mod tracking_pixel;

/// The maximum length of an item's HTML in bytes. Longer HTML is truncated.
pub const MAX_HTML_BYTES: usize = 256 * 1024;
/// The maximum depth of HTML. HTML that is nested more deeply becomes plain text.
const MAX_HTML_DEPTH: usize = 512;

fn truncate_html(html: &str) -> &str {
    &html[..html.floor_char_boundary(MAX_HTML_BYTES)]
}

#[cfg(test)]
mod tests;
