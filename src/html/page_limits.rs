//! Whether a whole page, of which every element is kept, can be parsed into a tree in bounded time and memory.

use super::rebalance::{MAX_REOPENED, RAW, Tag, after, is_style, raw_end};

/// Elements whose end tag is commonly left out, or that have none: they end by themselves, and nest in nothing.
const UNCOUNTED: &[&str] = &[
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html", "img", "input", "li",
    "link", "meta", "optgroup", "option", "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead",
    "tr", "track", "wbr",
];
/// Attributes of one element; html5ever compares each with all before it.
const MAX_ATTRIBUTES: usize = 256;

/// Ampersands in one text of a page, and in one of its attributes: what writes them anew takes time by their square.
const MAX_AMPERSANDS: usize = 1_000;
const MAX_AMPERSANDS_OF_ATTRIBUTE: usize = 20_000;

/// Whether the tree of a page, of which all elements are kept, stays in proportion: nested no deeper than `limit`, with
/// no element of too many attributes, and none opened anew too often.
pub(super) fn has_bounded_tree(html: &str, limit: usize) -> bool {
    let mut open: Vec<String> = Vec::new();
    let (mut styles, mut reopened) = (0, 0);
    let ampersands = |text: &str| text.bytes().filter(|byte| *byte == b'&').count();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        if ampersands(&rest[..at]) > MAX_AMPERSANDS {
            return false;
        }
        let text = &rest[at..];
        let is_letter = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_alphabetic);
        rest = match text.as_bytes().get(1) {
            Some(b'!') if text.starts_with("<!--") => after(&text[2..], "-->"),
            Some(b'/') if is_letter(2) => {
                let Some(tag) = Tag::read(&text[2..]) else { return true };
                if let Some(place) = open.iter().rposition(|name| *name == tag.name) {
                    styles -= open.drain(place..).filter(|name| is_style(name)).count();
                }
                tag.rest
            }
            Some(b'!' | b'?' | b'/') => after(text, ">"),
            _ if is_letter(1) => {
                let Some(tag) = Tag::read(&text[1..]) else { return true };
                reopened += styles;
                // A slash at its end ends only an element of SVG or MathML.
                let ends_itself = tag.self_closing && open.iter().any(|name| matches!(name.as_str(), "svg" | "math"));
                let is_long = |(_, value): &(&str, &str)| ampersands(value) > MAX_AMPERSANDS_OF_ATTRIBUTE;
                if tag.attributes.len() > MAX_ATTRIBUTES || tag.attributes.iter().any(is_long) {
                    return false;
                }
                let rest = if RAW.contains(&tag.name.as_str()) { raw_end(tag.rest, &tag.name) } else { tag.rest };
                if !UNCOUNTED.contains(&tag.name.as_str()) && !RAW.contains(&tag.name.as_str()) && !ends_itself {
                    styles += usize::from(is_style(&tag.name));
                    open.push(tag.name);
                }
                rest
            }
            _ => &text[1..],
        };
        if open.len() > limit || reopened > MAX_REOPENED {
            return false;
        }
    }
    ampersands(rest) <= MAX_AMPERSANDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_tame_unless_its_tree_grows_out_of_proportion() {
        let ordinary =
            "<html><body><ul><li>1<li>2</ul><p>3<p>4<b>5</b><img src=x><table><tr><td>6</table></body></html>";
        assert!(has_bounded_tree(&ordinary.repeat(500), 20));
        assert!(has_bounded_tree(&format!("<svg>{}</svg>", "<path d=x />".repeat(500)), 20));
        for wild in ["<div>", "<div/>", "<div></x>", "<div><!--</div>-->", "<div><script></div></script>"] {
            assert!(!has_bounded_tree(&wild.repeat(21), 20), "{wild}");
        }
        assert!(!has_bounded_tree(&("<b>".repeat(19) + &"<p>x".repeat(10_000)), 20));
        assert!(!has_bounded_tree(&format!("<p {}>", "a=b ".repeat(300)), 20));
        assert!(!has_bounded_tree(&format!("<p>{}</p>", "& ".repeat(2_000)), 20));
        assert!(!has_bounded_tree(&"& ".repeat(2_000), 20));
    }
}
