//! The rules of the HTML standard for parsing and nesting the elements that newsfold keeps: raw text, elements without
//! content, and which open elements a tag closes.

/// Elements that contain raw text up to the first matching end tag. They are removed together with that text.
pub(super) const RAW_TEXT_ELEMENTS: &[&str] = &["script", "style", "title", "textarea", "iframe"];

/// Elements that do not interrupt a sentence.
const INLINE_ELEMENTS: &[&str] = &[
    "a", "abbr", "b", "cite", "code", "em", "i", "q", "s", "small", "span", "strong", "sub", "sup", "u", "font",
    "mark", "wbr",
];
/// The elements of MathML.
#[rustfmt::skip]
const FORMULA_ELEMENTS: &[&str] = &[
    "math", "maction", "menclose", "merror", "mfenced", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded",
    "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable",
    "mtd", "mtext", "mtr", "munder", "munderover", "semantics",
];

pub(super) fn contains_raw_text(name: &str) -> bool {
    RAW_TEXT_ELEMENTS.contains(&name)
}

pub(super) fn is_inline(name: &str) -> bool {
    INLINE_ELEMENTS.contains(&name) || FORMULA_ELEMENTS.contains(&name)
}

/// Returns whether an allowed element has no content and no end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img")
}

/// Returns whether an unclosed element is reopened in every following block (WHATWG HTML, §13.2.4.3).
pub(super) fn is_formatting(name: &str) -> bool {
    matches!(name, "a" | "b" | "code" | "em" | "i" | "s" | "small" | "strong" | "u")
}

/// Returns whether an element stays open at the end tag of an enclosing element.
pub(super) fn is_scope_boundary(name: &str) -> bool {
    matches!(name, "table" | "td" | "th" | "caption")
}

pub(super) fn is_table_part(name: &str) -> bool {
    table_level(name) > 0
}

/// Returns the level of a table part, from 1. Starting a part closes open parts of the same and of deeper levels.
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

/// Returns whether the start tag of an element closes an open paragraph.
pub(super) fn closes_paragraph(name: &str) -> bool {
    const BLOCKS: &[&str] =
        &["blockquote", "dd", "dl", "dt", "figcaption", "figure", "hr", "li", "ol", "p", "pre", "table", "ul"];
    is_heading(name) || BLOCKS.contains(&name)
}
