//! What the targets check alike: that HTML is harmless, that a link is of the web. Each check panics where it fails.

use newsfold::html;
use url::Url;

/// The attributes that may be left on an element, whatever it is.
const ATTRIBUTES: [&str; 11] =
    ["lang", "dir", "href", "title", "rel", "src", "alt", "width", "height", "colspan", "rowspan"];

/// Elements that may be left. Written out again here, so that a change there is noticed.
const ELEMENTS: [&str; 45] = [
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

/// Reads sanitised HTML as strictly as it has to be written and judges every tag and every attribute.
///
/// A `<` that begins no tag of the list, a value without quotes, a link that is not http or https: all are faults.
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
            assert!(ATTRIBUTES.contains(&name), "attribute {name:?} in {html:?}");
            if matches!(name, "href" | "src") {
                // As a browser reads it: `hTtp:x` is of the web too. Some names are written so that nobody can read them.
                let is_written_out = value.starts_with("http://") || value.starts_with("https://");
                let read = Url::parse(&value.replace("&nbsp;", "\u{a0}").replace("&amp;", "&"));
                let is_web = read.map_or(is_written_out, |url| matches!(url.scheme(), "http" | "https"));
                assert!(is_web, "link {value:?} in {html:?}");
            }
            // What looks for the end of a tag looks for this sign.
            assert!(!value.contains(['<', '>']), "value {value:?} in {html:?}");
            rest = after;
        }
        rest = rest.strip_prefix('>').unwrap_or_else(|| panic!("{rest:?} in a tag of {html:?}"));
    }
}

fn check_element(name: &str, html: &str) {
    assert!(ELEMENTS.contains(&name), "element {name:?} in {html:?}");
}

/// The bytes that sanitised HTML may have at most, whatever was in it: content is stored.
pub const MAX_SANITISED: usize = 8 * html::MAX_HTML_BYTES;

/// An address that readers may be given.
pub fn check_link(url: &Url) {
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.has_host(), "{url}");
}
