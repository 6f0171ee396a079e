//! HTML → one line of plain text, for titles, names and categories.
//!
//! Never a sanitiser: what comes out is text, to be escaped by whoever prints it. Text that is only like a tag
//! (`a <3 b`, `5 < 6`) stays.

use crate::markup::entities::decode_entities;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// Text without tags and with entities decoded, white space folded. None if nothing is left.
pub fn plain(html: &str) -> Option<String> {
    let mut out = String::with_capacity(html.len());
    let mut tokens = Tokenizer::new(html);
    while let Some(token) = tokens.next() {
        match token {
            MarkupToken::Text(text) => out.push_str(&decode_entities(text)),
            MarkupToken::CData(text) => out.push_str(text),
            MarkupToken::Start(tag) if is_html(tag.name) => {
                if tag.name.eq_ignore_ascii_case("script") || tag.name.eq_ignore_ascii_case("style") {
                    tokens.skip_raw_text(tag.name);
                }
                if is_block(tag.name) {
                    out.push(' ');
                }
            }
            MarkupToken::End(name) if is_html(name) => {
                if is_block(name) {
                    out.push(' ');
                }
            }
            // `<Enter>` in a headline is what the reader should see.
            MarkupToken::Start(tag) => {
                out.push('<');
                out.push_str(tag.name);
                out.push_str(tag.rest);
                out.push('>');
            }
            MarkupToken::End(_) | MarkupToken::Other => {}
        }
    }
    // What was escaped twice shows its entities still: `&amp;amp;`, `&amp;#8217;`.
    fold_non_blank(&decode_entities(&out))
}

/// Cuts a text at `max` bytes, on a character's boundary; says whether anything was cut.
pub fn cut(text: &mut String, max: usize) -> bool {
    if text.len() <= max {
        return false;
    }
    text.truncate(text.floor_char_boundary(max));
    true
}

fn is_block(name: &str) -> bool {
    const BLOCKS: [&str; 16] =
        ["p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "td", "hr", "blockquote"];
    BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block))
}

/// HTML's elements, those of today and of yesterday.
#[rustfmt::skip]
const ELEMENTS: [&str; 131] = [
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

fn is_html(name: &str) -> bool {
    ELEMENTS.iter().any(|element| name.eq_ignore_ascii_case(element))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expect: &str) {
        assert_eq!(plain(html).as_deref(), Some(expect), "{html}");
    }

    #[test]
    fn tags_go_and_entities_decode() {
        check("  <b>Storm</b> hits\n<i>coast</i>: it&#8217;s &amp;amp; over ", "Storm hits coast: it’s & over");
        check("one<br/>two<p>three", "one two three");
        check("<style>p{}</style>only this", "only this");
    }

    #[test]
    fn what_is_only_like_a_tag_stays() {
        check("5 < 6 and I <3 you", "5 < 6 and I <3 you");
        check("Press <Enter> to go on", "Press <Enter> to go on");
    }

    #[test]
    fn nothing_left_is_none() {
        assert_eq!(plain(" <img src=x> \u{a0}"), None);
    }

    #[test]
    fn a_cut_respects_characters() {
        let mut text = String::from("aéé");
        assert!(cut(&mut text, 4));
        assert_eq!(text, "aé");
    }
}
