//! Removes start tags of embedded content that are never closed.
//!
//! HTML takes everything after `<iframe>` or `<object>` as its content, up to an end tag that an author or a cut summary
//! may lack; a reader then does not see the rest. Elements that are closed stay unchanged.

use std::ops::Range;

use crate::markup::tokenizer::{MarkupToken, Tokenizer};

const EMBED_ELEMENTS: [&str; 9] =
    ["iframe", "object", "applet", "noembed", "noframes", "xmp", "textarea", "plaintext", "template"];

/// Returns the HTML without start tags of embeds that no later end tag closes; `None` if it has none.
pub fn without_unclosed_embeds(html: &str) -> Option<String> {
    let mut unclosed: [Vec<Range<usize>>; EMBED_ELEMENTS.len()] = Default::default();
    let mut tokens = Tokenizer::new(html);
    loop {
        let start = tokens.offset();
        match tokens.next() {
            Some(MarkupToken::Start(tag)) => {
                if let Some(embed) = embed_index(tag.name) {
                    unclosed[embed].push(start..tokens.offset());
                }
            }
            Some(MarkupToken::End(name)) => {
                if let Some(embed) = embed_index(name) {
                    unclosed[embed].clear();
                }
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut start_tags = unclosed.concat();
    start_tags.sort_by_key(|tag| tag.start);
    let mut copied = 0;
    let mut out = String::new();
    for tag in start_tags {
        out.push_str(&html[copied..tag.start]);
        copied = tag.end;
    }
    out.push_str(&html[copied..]);
    (copied > 0).then_some(out)
}

fn embed_index(name: &str) -> Option<usize> {
    EMBED_ELEMENTS.iter().position(|embed| name.eq_ignore_ascii_case(embed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_after_an_unclosed_frame_is_kept() {
        let cleaned = |html| without_unclosed_embeds(html);
        assert_eq!(cleaned("rain <iframe src='x'> and wind").as_deref(), Some("rain  and wind"));
        assert_eq!(cleaned("<object>a</object> <OBJECT data=x> b").as_deref(), Some("<object>a</object>  b"));
        assert_eq!(cleaned("<iframe src='x'></iframe> and wind"), None);
        assert_eq!(cleaned("only <b>words"), None);
    }
}
