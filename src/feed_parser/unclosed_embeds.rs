//! Removes start tags of embedded content that are never closed.
//!
//! HTML takes everything after `<iframe>` or `<object>` as its content, up to an end tag that an author or a cut summary
//! may lack; a reader then sees nothing of the rest. Elements that are closed stay unchanged.

use crate::markup::tokenizer::{MarkupToken, Tokenizer};

const EMBED_ELEMENTS: [&str; 9] =
    ["iframe", "object", "applet", "noembed", "noframes", "xmp", "textarea", "plaintext", "template"];

/// Returns the HTML without start tags of embeds that no later end tag closes; `None` if it has none.
pub fn without_unclosed_embeds(html: &str) -> Option<String> {
    let last_end_tags = last_end_tags(html)?;
    let (mut out, mut copied) = (String::new(), 0);
    let mut tokens = Tokenizer::new(html);
    loop {
        let start = tokens.offset();
        let Some(token) = tokens.next() else { break };
        if let MarkupToken::Start(tag) = token
            && let Some(embed) = embed_index(tag.name)
            && last_end_tags[embed].is_none_or(|end| end < start)
        {
            out.push_str(&html[copied..start]);
            copied = tokens.offset();
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&html[copied..]);
    Some(out)
}

/// The byte position of the last end tag of each embed; `None` if no embed starts in the HTML.
fn last_end_tags(html: &str) -> Option<[Option<usize>; EMBED_ELEMENTS.len()]> {
    let mut last = [None; EMBED_ELEMENTS.len()];
    let mut has_embed = false;
    let mut tokens = Tokenizer::new(html);
    loop {
        let start = tokens.offset();
        match tokens.next() {
            Some(MarkupToken::Start(tag)) => has_embed |= embed_index(tag.name).is_some(),
            Some(MarkupToken::End(name)) => {
                if let Some(embed) = embed_index(name) {
                    last[embed] = Some(start);
                }
            }
            Some(_) => {}
            None => return has_embed.then_some(last),
        }
    }
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
