//! The elements and attributes that sanitized HTML may contain, and the nesting rules of the HTML standard.

use ammonia::{Builder, UrlRelative};

#[rustfmt::skip]
pub(super) const ALLOWED_ELEMENTS: &[&str] = &[
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "dl", "dt", "em", "figcaption",
    "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s",
    "small", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
];

/// Elements that contain raw text up to the first matching end tag. They are removed together with that text.
const RAW_TEXT_ELEMENTS: &[&str] = &["script", "style", "title", "textarea", "iframe"];

/// Elements that are removed together with their content.
const ELEMENTS_REMOVED_WITH_CONTENT: &[&str] =
    &["noscript", "template", "object", "video", "audio", "svg", "annotation", "annotation-xml"];

/// Attributes that are allowed on every element.
pub(super) const GLOBAL_ATTRIBUTES: &[&str] = &["lang", "dir"];

/// Attributes that are allowed only on specific elements.
pub(super) const ELEMENT_ATTRIBUTES: [(&str, &[&str]); 4] = [
    ("a", &["href", "title"]),
    ("img", &["src", "alt", "title", "width", "height"]),
    ("td", &["colspan", "rowspan"]),
    ("th", &["colspan", "rowspan"]),
];

pub(super) fn allowed_element(name: &str) -> Option<&'static str> {
    ALLOWED_ELEMENTS.iter().copied().find(|allowed| *allowed == name)
}

pub(super) fn contains_raw_text(name: &str) -> bool {
    RAW_TEXT_ELEMENTS.contains(&name)
}

pub(super) fn removed_with_content(name: &str) -> Option<&'static str> {
    ELEMENTS_REMOVED_WITH_CONTENT.iter().copied().find(|removed| *removed == name)
}

/// Returns the name of an attribute that is allowed on an element. Ignores the case of `name`.
pub(super) fn allowed_attribute(element: &str, name: &str) -> Option<&'static str> {
    let own = ELEMENT_ATTRIBUTES.iter().find(|(of, _)| *of == element).map_or(&[][..], |(_, attributes)| attributes);
    own.iter().chain(GLOBAL_ATTRIBUTES).copied().find(|allowed| name.eq_ignore_ascii_case(allowed))
}

/// Returns a sanitizer that keeps these elements without attributes and removes relative links.
pub(super) fn sanitizer_for_elements(elements: &[&'static str]) -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(elements.iter().copied().collect())
        .clean_content_tags(RAW_TEXT_ELEMENTS.iter().chain(ELEMENTS_REMOVED_WITH_CONTENT).copied().collect())
        .url_schemes(["http", "https"].into())
        .url_relative(UrlRelative::Deny)
        .strip_comments(true);
    builder
}

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
