//! The elements and attributes that sanitized HTML may contain.

use ammonia::{Builder, UrlRelative};

#[rustfmt::skip]
const ALLOWED_ELEMENTS: &[&str] = &[
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "dl", "dt", "em", "figcaption",
    "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s",
    "small", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
];

/// Elements that contain raw text, up to the first end tag of their name. They are removed with it.
const RAW_TEXT_ELEMENTS: &[&str] = &["script", "style", "title", "textarea", "iframe"];

/// Elements that are removed together with the elements and the text inside them.
const ELEMENTS_REMOVED_WITH_CONTENT: &[&str] = &["noscript", "template", "object", "svg", "math", "form"];

/// Attributes that every element may have.
pub(super) const GLOBAL_ATTRIBUTES: &[&str] = &["lang", "dir"];

/// The attributes of single elements.
pub(super) const ELEMENT_ATTRIBUTES: [(&str, &[&str]); 4] = [
    ("a", &["href", "title"]),
    ("img", &["src", "alt", "title", "width", "height"]),
    ("td", &["colspan", "rowspan"]),
    ("th", &["colspan", "rowspan"]),
];

pub(super) fn allowed_elements() -> impl Iterator<Item = &'static str> {
    ALLOWED_ELEMENTS.iter().copied()
}

pub(super) fn elements_removed_with_content() -> impl Iterator<Item = &'static str> {
    RAW_TEXT_ELEMENTS.iter().chain(ELEMENTS_REMOVED_WITH_CONTENT).copied()
}

pub(super) fn allowed_element(name: &str) -> Option<&'static str> {
    allowed_elements().find(|allowed| *allowed == name)
}

pub(super) fn contains_raw_text(name: &str) -> bool {
    RAW_TEXT_ELEMENTS.contains(&name)
}

pub(super) fn removed_with_content(name: &str) -> Option<&'static str> {
    ELEMENTS_REMOVED_WITH_CONTENT.iter().copied().find(|removed| *removed == name)
}

/// The name of an attribute that an element may have. `name` is compared without case.
pub(super) fn allowed_attribute(element: &str, name: &str) -> Option<&'static str> {
    let own = ELEMENT_ATTRIBUTES.iter().find(|(of, _)| *of == element).map_or(&[][..], |(_, attributes)| attributes);
    own.iter().chain(GLOBAL_ATTRIBUTES).copied().find(|allowed| name.eq_ignore_ascii_case(allowed))
}

/// A sanitizer that keeps these elements without attributes, and removes relative links.
pub(super) fn sanitizer_for_elements(elements: impl IntoIterator<Item = &'static str>) -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(elements.into_iter().collect())
        .clean_content_tags(elements_removed_with_content().collect())
        .url_schemes(["http", "https"].into())
        .url_relative(UrlRelative::Deny)
        .strip_comments(true);
    builder
}
