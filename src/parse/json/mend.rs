//! JSON text as strangers write it → JSON text that serde_json takes.
//!
//! Mends three things and no more: escapes of lone surrogates, raw control characters in strings, and commas before a
//! closing bracket. Each refuses a whole document otherwise.

use std::borrow::Cow;

/// The text itself if nothing had to be mended.
pub fn mend(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    // What is copied already, so that a healthy text is never copied.
    let mut copied = 0;
    let mut in_string = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (replacement, length) = match byte {
            b'"' => {
                in_string = !in_string;
                (None, 1)
            }
            b'\\' if in_string => escape(text, at),
            0..=0x1f if in_string => (Some(" "), 1),
            b',' if !in_string && closes(&bytes[at + 1..]) => (Some(""), 1),
            _ => (None, 1),
        };
        if let Some(replacement) = replacement {
            out.push_str(&text[copied..at]);
            out.push_str(replacement);
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// What an escape is replaced by, if by anything, and its length.
fn escape(text: &str, at: usize) -> (Option<&'static str>, usize) {
    match unit(text, at) {
        Some(0xd800..=0xdbff) if matches!(unit(text, at + 6), Some(0xdc00..=0xdfff)) => (None, 12),
        Some(0xd800..=0xdfff) => (Some("\\ufffd"), 6),
        Some(_) => (None, 6),
        None if text.as_bytes().get(at + 1).is_some_and(|b| b"\"\\/bfnrt".contains(b)) => (None, 2),
        // `\'` and `\x`: the backslash was meant as one.
        None => (Some("\\\\"), 1),
    }
}

/// The number in `\u….`.
fn unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u32::from_str_radix(digits, 16).ok()
}

/// Whether the next thing is a closing bracket. White space is looked at only so far: it may be all of 16 MiB.
fn closes(after: &[u8]) -> bool {
    let next = after.iter().take(1024).find(|b| !b.is_ascii_whitespace());
    matches!(next, Some(b']' | b'}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_healthy_is_not_copied() {
        assert!(matches!(mend(r#"{"a":["b\n\ud83d\ude00",1]}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_not_is_mended() {
        assert_eq!(mend("{\"a\":\"x\ty\\'z\\udc00\",}"), r#"{"a":"x y\\'z\ufffd"}"#);
        assert_eq!(mend("\"\\"), "\"\\\\");
    }
}
