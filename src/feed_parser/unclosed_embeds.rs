//! Closes or removes start tags of embedded content that are never closed.
//!
//! In HTML, everything after `<iframe>` or `<object>` is its content, up to an end tag. The end tag may be missing
//! because an author forgot it, an XML serializer dropped it or the summary was truncated. A reader would not see the
//! rest of the text. Players are closed, because a link can replace them. Elements that are already closed stay
//! unchanged.

use std::ops::Range;

use crate::markup::tokenizer::{MarkupToken, Tokenizer};

const EMBED_ELEMENTS: [&str; 12] = [
    "iframe",
    "object",
    "video",
    "audio",
    "applet",
    "noembed",
    "noframes",
    "noscript",
    "xmp",
    "textarea",
    "plaintext",
    "template",
];
/// The number of elements at the start of [`EMBED_ELEMENTS`] that are closed rather than removed.
const PLAYERS: usize = 4;

/// A start tag.
struct EmbedTag {
    range: Range<usize>,
    self_closing: bool,
    embed: usize,
}

/// Closes or removes each start tag without a later end tag. Returns `None` if there is no such tag.
pub fn without_unclosed_embeds(html: &str) -> Option<String> {
    let mut unclosed: [Vec<EmbedTag>; EMBED_ELEMENTS.len()] = Default::default();
    let mut tokens = Tokenizer::new(html);
    loop {
        let start = tokens.offset();
        match tokens.next() {
            Some(MarkupToken::Start(tag)) => {
                if let Some(embed) = embed_index(tag.name) {
                    let (range, self_closing) = (start..tokens.offset(), tag.self_closing);
                    unclosed[embed].push(EmbedTag { range, self_closing, embed });
                }
            }
            Some(MarkupToken::End(name)) => {
                if let Some(embed) = embed_index(name) {
                    // A slash closes an element as in XML, unless an end tag follows.
                    unclosed[embed].pop();
                    unclosed[embed].retain(|tag| tag.self_closing);
                }
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut start_tags: Vec<EmbedTag> = unclosed.into_iter().flatten().collect();
    start_tags.sort_by_key(|tag| tag.range.start);
    let mut copied = 0;
    let mut out = String::new();
    for EmbedTag { range, embed, .. } in start_tags {
        let is_player = embed < PLAYERS;
        out.push_str(&html[copied..if is_player { range.end } else { range.start }]);
        if is_player {
            out.push_str(&format!("</{}>", EMBED_ELEMENTS[embed]));
        }
        copied = range.end;
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
        assert_eq!(
            cleaned("rain <iframe src='x'> and wind").as_deref(),
            Some("rain <iframe src='x'></iframe> and wind")
        );
        assert_eq!(
            cleaned("<object>a</object> <OBJECT data=x> b").as_deref(),
            Some("<object>a</object> <OBJECT data=x></object> b")
        );
        assert_eq!(cleaned("<iframe src='x'></iframe> and wind"), None);
        assert_eq!(cleaned("<template> and wind").as_deref(), Some(" and wind"));
        assert_eq!(
            cleaned("<audio src='x' /> rain <audio src='y'></audio>").as_deref(),
            Some("<audio src='x' /></audio> rain <audio src='y'></audio>")
        );
        assert_eq!(cleaned("<audio src='x' /></audio>"), None);
        assert_eq!(cleaned("only <b>words"), None);
    }
}
