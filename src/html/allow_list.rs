//! The elements and attributes that sanitized HTML may contain, and the elements that are removed with their content.

use super::nesting_rules::RAW_TEXT_ELEMENTS;
use ammonia::{Builder, UrlRelative};

#[rustfmt::skip]
pub(super) const ALLOWED_ELEMENTS: &[&str] = &[
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "dl", "dt", "em", "figcaption",
    "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s",
    "small", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
];

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
