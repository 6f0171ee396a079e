//! Embedded things that an author, or the cut of a summary, forgot to close.
//!
//! To HTML everything after `<iframe>` or `<object>` is in it, down to a closing tag that may never come; a reader then
//! sees nothing of the rest. Here such a tag is dropped. Never looks at what is properly closed.

use crate::markup::tokenizer::{MarkupToken, Tokenizer};

const EMBEDS: [&str; 9] =
    ["iframe", "object", "applet", "noembed", "noframes", "xmp", "textarea", "plaintext", "template"];

/// The HTML without the opening tags of embeds that no later tag closes; none if there are none.
pub fn closed(html: &str) -> Option<String> {
    let mut last_end = [None; EMBEDS.len()];
    let mut any = false;
    let mut tokens = Tokenizer::new(html);
    loop {
        let at = tokens.position();
        match tokens.next() {
            Some(MarkupToken::Start(tag)) => any |= place(tag.name).is_some(),
            Some(MarkupToken::End(name)) => {
                if let Some(place) = place(name) {
                    last_end[place] = Some(at);
                }
            }
            Some(_) => {}
            None => break,
        }
    }
    if !any {
        return None;
    }
    let (mut out, mut copied) = (String::new(), 0);
    let mut tokens = Tokenizer::new(html);
    loop {
        let at = tokens.position();
        match tokens.next() {
            Some(MarkupToken::Start(tag)) => {
                let is_open = place(tag.name).is_some_and(|place| last_end[place].is_none_or(|end| end < at));
                if is_open {
                    out.push_str(&html[copied..at]);
                    copied = tokens.position();
                }
            }
            Some(_) => {}
            None => break,
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&html[copied..]);
    Some(out)
}

fn place(name: &str) -> Option<usize> {
    EMBEDS.iter().position(|embed| name.eq_ignore_ascii_case(embed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_unclosed_frame_is_read() {
        assert_eq!(closed("rain <iframe src='x'> and wind").as_deref(), Some("rain  and wind"));
        assert_eq!(closed("<object>a</object> <OBJECT data=x> b").as_deref(), Some("<object>a</object>  b"));
        assert_eq!(closed("<iframe src='x'></iframe> and wind"), None);
        assert_eq!(closed("only <b>words"), None);
    }
}
