//! Converts HTML to one line of plain text, for titles, names and categories.
//!
//! The module is not a sanitizer: the result is text that must be escaped before it is used in HTML. Text that only
//! resembles a tag (`a <3 b`, `5 < 6`) is kept.

use crate::markup::entities::decode_entities;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// Removes tags, decodes entities and folds white space. Returns `None` if no text remains.
pub fn html_to_plain_text(html: &str) -> Option<String> {
    let mut out = String::with_capacity(html.len());
    let mut tokens = Tokenizer::new(html);
    while let Some(token) = tokens.next() {
        match token {
            MarkupToken::Text(text) => out.push_str(&decode_entities(text)),
            MarkupToken::CData(text) => out.push_str(text),
            MarkupToken::Start(tag) if is_html_element(tag.name) => {
                if tag.name.eq_ignore_ascii_case("script") || tag.name.eq_ignore_ascii_case("style") {
                    tokens.skip_raw_text(tag.name);
                }
                if is_block_element(tag.name) {
                    out.push(' ');
                }
            }
            MarkupToken::End(name) if is_block_element(name) => out.push(' '),
            // An unknown tag such as `<Enter>` in a headline is part of the text.
            MarkupToken::Start(tag) => {
                out.push('<');
                out.push_str(tag.name);
                out.push_str(tag.attribute_text);
                out.push('>');
            }
            MarkupToken::End(_) | MarkupToken::Other => {}
        }
    }
    // Text that was escaped twice still contains entities: `&amp;amp;`, `&amp;#8217;`.
    fold_non_blank(&decode_entities(&out))
}

/// Truncates the text to `max_bytes` at a character boundary. Returns whether any text was removed.
pub fn truncate_text(text: &mut String, max_bytes: usize) -> bool {
    if text.len() <= max_bytes {
        return false;
    }
    text.truncate(text.floor_char_boundary(max_bytes));
    true
}

fn is_block_element(name: &str) -> bool {
    const BLOCKS: [&str; 16] =
        ["p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "td", "hr", "blockquote"];
    BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block))
}

/// The elements of HTML, including obsolete ones.
#[rustfmt::skip]
const HTML_ELEMENTS: [&str; 131] = [
    "a", "abbr", "acronym", "address", "applet", "area", "article", "aside", "audio", "b", "base", "basefont", "bdi",
    "bdo", "bgsound", "big", "blink", "blockquote", "body", "br", "button", "canvas", "caption", "center", "cite",
    "code", "col", "colgroup", "data", "datalist", "dd", "del", "details", "dfn", "dialog", "dir", "div", "dl", "dt",
    "em", "embed", "fieldset", "figcaption", "figure", "font", "footer", "form", "frame", "frameset", "h1", "h2", "h3",
    "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html", "i", "iframe", "img", "input", "ins", "kbd", "label",
    "legend", "li", "link", "main", "map", "mark", "marquee", "math", "menu", "meta", "meter", "nav", "nobr", "noframes",
    "noscript", "o:p", "object", "ol", "optgroup", "option", "output", "p", "param", "picture", "pre", "progress", "q",
    "rp", "rt", "ruby", "s", "samp", "script", "section", "select", "small", "source", "span", "strike", "strong",
    "style", "sub", "summary", "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead",
    "time", "title", "tr", "track", "tt", "u", "ul", "var", "video", "wbr", "xmp",
];

/// Returns whether HTML defines an element with this name.
pub fn is_html_element(name: &str) -> bool {
    HTML_ELEMENTS.iter().any(|element| name.eq_ignore_ascii_case(element))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(html_to_plain_text(html).as_deref(), Some(expected), "{html}");
    }

    #[test]
    fn tags_are_removed_and_entities_decoded() {
        check("  <b>Storm</b> hits\n<i>coast</i>: it&#8217;s &amp;amp; over ", "Storm hits coast: it’s & over");
        check("one<br/>two<p>three", "one two three");
        check("<style>p{}</style>only this", "only this");
    }

    #[test]
    fn text_that_resembles_a_tag_stays() {
        check("5 < 6 and I <3 you", "5 < 6 and I <3 you");
        check("Press <Enter> to go on", "Press <Enter> to go on");
    }

    #[test]
    fn html_without_text_is_none() {
        assert_eq!(html_to_plain_text(" <img src=x> \u{a0}"), None);
    }

    #[test]
    fn text_is_truncated_on_a_character_boundary() {
        let mut text = String::from("aéé");
        assert!(truncate_text(&mut text, 4));
        assert_eq!(text, "aé");
    }
}
