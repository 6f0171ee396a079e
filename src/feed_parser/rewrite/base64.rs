//! Texts that a feed wraps in base64: Atom 0.3's `mode="base64"`, and Atom 1.0's content of a media type that is
//! neither text nor XML (RFC 4287 §4.1.3.3).
//!
//! Never hands on what is no text when it is unwrapped.

use std::borrow::Cow;

use quick_xml::escape::partial_escape;

use crate::markup::tag::StartTag;

/// The text in the wrapping, escaped as if it had stood in the document; none if there is no wrapping.
pub fn of(tag: StartTag, inner: &str) -> Option<String> {
    if !is_unwrapped(tag) {
        return None;
    }
    let text = String::from_utf8(decoded(inner)?).ok()?;
    let is_text = !text.contains(|c: char| c.is_control() && !c.is_whitespace());
    is_text.then(|| partial_escape(text).into_owned())
}

/// Whether the tag says that its text is wrapped.
pub fn is_unwrapped(tag: StartTag) -> bool {
    let is = |name: &str, value: &str| tag.attribute(name).is_some_and(|said: Cow<str>| said.trim() == value);
    is("mode", "base64") || is("type", "application/octet-stream")
}

/// RFC 4648 §4, with white space anywhere and the padding where it likes. None if other characters stand in it.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&[u8]>) {
        assert_eq!(decoded(text).as_deref(), expect, "{text}");
    }

    #[test]
    fn base64_is_read_with_blanks_and_without_padding() {
        check("UmFpbg==", Some(b"Rain"));
        check(" UmFp\n bg ", Some(b"Rain"));
        check("", Some(b""));
        check("Rain & wind", None);
    }
}
