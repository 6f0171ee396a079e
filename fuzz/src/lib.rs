//! The checks that several targets share. Each check panics if it fails.

use newsfold::html;
use url::Url;

/// The attributes that sanitized elements may have.
const ALLOWED_ATTRIBUTES: [&str; 11] =
    ["lang", "dir", "href", "title", "rel", "src", "alt", "width", "height", "colspan", "rowspan"];

/// The elements that sanitized HTML may contain: a copy of the sanitizer's list, which reveals a change to that list.
const ALLOWED_ELEMENTS: [&str; 45] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// Parses sanitized HTML strictly and checks every tag and attribute.
///
/// Fails for a `<` that starts no allowed tag, a value without quotes, and a link that is not http or https.
pub fn check_harmless(html: &str) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(end) = rest.strip_prefix('/') {
            let (name, after) = end.split_once('>').expect("an end tag ends");
            check_element(name, html);
            rest = after;
            continue;
        }
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).expect("a start tag ends");
        check_element(&rest[..length], html);
        rest = &rest[length..];
        while let Some(attribute) = rest.strip_prefix(' ') {
            let (name, value) = attribute.split_once("=\"").expect("an attribute has a value in quotes");
            let (value, after) = value.split_once('"').expect("a value ends");
            assert!(ALLOWED_ATTRIBUTES.contains(&name), "attribute {name:?} in {html:?}");
            if matches!(name, "href" | "src") {
                // Browsers also accept `hTtp:x`. Some hosts cannot be parsed at all.
                let is_written_out = value.starts_with("http://") || value.starts_with("https://");
                let read = Url::parse(&value.replace("&nbsp;", "\u{a0}").replace("&amp;", "&"));
                let is_web = read.map_or(is_written_out, |url| matches!(url.scheme(), "http" | "https"));
                assert!(is_web, "link {value:?} in {html:?}");
            }
            // The sanitizer's passes look for `>` as the end of a tag.
            assert!(!value.contains(['<', '>']), "value {value:?} in {html:?}");
            rest = after;
        }
        rest = rest.strip_prefix('>').unwrap_or_else(|| panic!("{rest:?} in a tag of {html:?}"));
    }
}

fn check_element(name: &str, html: &str) {
    assert!(ALLOWED_ELEMENTS.contains(&name), "element {name:?} in {html:?}");
}

/// The maximum number of bytes of sanitized HTML, which is stored.
pub const MAX_SANITIZED_BYTES: usize = 8 * html::MAX_HTML_BYTES;

/// Checks a URL that newsfold publishes.
pub fn check_link(url: &Url) {
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.has_host(), "{url}");
}
