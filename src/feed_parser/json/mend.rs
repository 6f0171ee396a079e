//! JSON text as strangers write it → JSON text that serde_json takes.
//!
//! Mends four things and no more: escapes of lone surrogates, raw control characters in strings, commas before a
//! closing bracket, and an end that is missing. Each refuses a whole document otherwise.

use std::borrow::Cow;

/// What came of a text.
pub struct Mended<'a> {
    /// The text itself if nothing had to be mended.
    pub text: Cow<'a, str>,
    /// It ends in its middle: what stands behind its last whole object or list is left out, and the rest is closed.
    pub truncated: bool,
}

pub fn mend(text: &str) -> Mended<'_> {
    let mut ends = Ends::default();
    let text = mend_characters(text, &mut ends);
    match ends.closing() {
        None => Mended { text, truncated: false },
        Some((at, closing)) => {
            let mut text = text.into_owned();
            text.truncate(at);
            text.push_str(&closing);
            Mended { text: Cow::Owned(text), truncated: true }
        }
    }
}

/// The brackets that are open, and the last place where a cut would lose no whole item.
#[derive(Default)]
struct Ends {
    open: Vec<u8>,
    /// Where an item ended last, in the mended text, and how many brackets were open there.
    whole: Option<(usize, usize)>,
}

impl Ends {
    fn see(&mut self, byte: u8, position: usize) {
        match byte {
            // Beyond serde_json's own depth nothing is read.
            b'{' | b'[' if self.open.len() < 1000 => self.open.push(byte),
            b'}' | b']' => {
                self.open.pop();
                // The feed and its list of items are open where an item ends; half an item is none.
                if self.open.len() <= 2 {
                    self.whole = Some((position + 1, self.open.len()));
                }
            }
            _ => {}
        }
    }

    /// Where to cut, and the brackets that are missing there; none if none are.
    fn closing(&self) -> Option<(usize, String)> {
        let (at, open) = self.whole.filter(|_| !self.open.is_empty())?;
        let open = self.open.get(..open)?.iter().rev();
        Some((at, open.map(|byte| if *byte == b'{' { '}' } else { ']' }).collect()))
    }
}

fn mend_characters<'a>(text: &'a str, ends: &mut Ends) -> Cow<'a, str> {
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
            b'{' | b'[' | b'}' | b']' if !in_string => {
                ends.see(*byte, out.len() + at - copied);
                (None, 1)
            }
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
        assert!(matches!(mend(r#"{"a":["b\n\ud83d\ude00",1]}"#).text, Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_not_is_mended() {
        assert_eq!(mend("{\"a\":\"x\ty\\'z\\udc00\",}").text, r#"{"a":"x y\\'z\ufffd"}"#);
        assert_eq!(mend("\"\\").text, "\"\\\\");
    }

    #[test]
    fn an_end_that_is_missing_costs_what_is_not_whole() {
        let mended = mend(r#"{"items":[{"id":1,"tags":["a"]},{"id":2,"url":"/"#);
        assert_eq!((&*mended.text, mended.truncated), (r#"{"items":[{"id":1,"tags":["a"]}]}"#, true));
        assert_eq!(mend(r#"{"items":[{"id":1,},{"#).text, r#"{"items":[{"id":1}]}"#);
        assert!(!mend("{\"items\":[{\"id\":1").truncated);
    }
}
