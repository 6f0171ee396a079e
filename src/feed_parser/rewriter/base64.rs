//! Decodes texts in base64: Atom 0.3's `mode="base64"`, and Atom 1.0's content of a media type that is neither text nor
//! XML (RFC 4287 §4.1.3.3).

use quick_xml::escape::partial_escape;

use crate::markup::tag::StartTag;

/// The decoded text of an element, escaped for XML; `None` if the element is not in base64 or decodes to binary data.
pub fn decode_base64_element(tag: StartTag, inner: &str) -> Option<String> {
    if !is_base64(tag) {
        return None;
    }
    let text = String::from_utf8(decode_base64(inner)?).ok()?;
    let is_binary = text.contains(|c: char| c.is_control() && !c.is_whitespace());
    (!is_binary).then(|| partial_escape(text).into_owned())
}

/// Whether a tag declares that its text is in base64.
pub fn is_base64(tag: StartTag) -> bool {
    let has = |name: &str, value: &str| tag.attribute(name).is_some_and(|declared| declared.trim() == value);
    has("mode", "base64") || has("type", "application/octet-stream")
}

/// RFC 4648 §4, with white space and padding anywhere. Returns `None` if it contains any other character.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut bit_count) = (0u32, 0);
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=') {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(sextet)) & 0xff_ffff;
        bit_count += 6;
        if bit_count >= 8 {
            bit_count -= 8;
            bytes.push((bits >> bit_count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&[u8]>) {
        assert_eq!(decode_base64(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn base64_may_contain_white_space_and_lack_padding() {
        check("UmFpbg==", Some(b"Rain"));
        check(" UmFp\n bg ", Some(b"Rain"));
        check("", Some(b""));
        check("Rain & wind", None);
    }
}
