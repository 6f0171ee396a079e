//! Properties of elements in the HTML standard that decide how they nest.

/// Elements that do not interrupt a sentence.
const INLINE_ELEMENTS: &[&str] = &[
    "a", "abbr", "b", "cite", "code", "em", "i", "q", "s", "small", "span", "strong", "sub", "sup", "u", "font",
    "mark", "wbr",
];

pub(super) fn is_inline(name: &str) -> bool {
    INLINE_ELEMENTS.contains(&name)
}

/// Allowed elements that have no content and no end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img")
}

/// Formatting elements. A tree parser reopens an unclosed one in every following block (WHATWG HTML, §13.2.4.3).
pub(super) fn is_formatting(name: &str) -> bool {
    matches!(name, "a" | "b" | "code" | "em" | "i" | "s" | "small" | "strong" | "u")
}

/// Elements whose content no end tag of an outer element closes.
pub(super) fn is_scope_boundary(name: &str) -> bool {
    matches!(name, "table" | "td" | "th" | "caption")
}

pub(super) fn is_table_part(name: &str) -> bool {
    table_level(name) > 0
}

/// The nesting level of an element in its table, from 1. A table part closes open parts of its own and of deeper levels.
pub(super) fn table_level(name: &str) -> u8 {
    match name {
        "tbody" | "thead" | "tfoot" | "caption" => 1,
        "tr" => 2,
        "td" | "th" => 3,
        _ => 0,
    }
}

pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Elements whose start tag closes an open paragraph.
pub(super) fn closes_paragraph(name: &str) -> bool {
    const BLOCKS: &[&str] =
        &["blockquote", "dd", "dl", "dt", "figcaption", "figure", "hr", "li", "ol", "p", "pre", "table", "ul"];
    is_heading(name) || BLOCKS.contains(&name)
}
