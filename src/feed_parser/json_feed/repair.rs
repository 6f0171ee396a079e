//! Repairs JSON text so that serde_json accepts it.
//!
//! The module repairs exactly those errors that make serde_json reject the whole document: escapes of lone surrogates
//! and other invalid escapes, raw control characters in strings, commas before a closing bracket, and a missing end. It
//! truncates text with too many values, whose tree would need many times the memory of the text.

use std::borrow::Cow;

/// Repaired JSON text.
pub struct RepairedJson<'a> {
    /// The repaired text; borrowed if no repair was necessary.
    pub text: Cow<'a, str>,
    /// Whether the original is truncated or contains too many values. In this case, the text after the last complete
    /// item, or member of an item, was dropped, and the open brackets were closed.
    pub is_truncated: bool,
    /// Whether the text ends within the last item. Its complete members were kept.
    pub is_item_incomplete: bool,
}

/// Repairs text that starts with an object.
pub fn repair_json(text: &str) -> RepairedJson<'_> {
    let mut brackets = BracketTracker::default();
    let text = repair_characters(text, &mut brackets);
    match brackets.missing_end() {
        None => RepairedJson { text, is_truncated: false, is_item_incomplete: false },
        Some((end, closing)) => {
            let mut text = text.into_owned();
            let before_array = text[..brackets.array_start].trim_end().trim_end_matches(':').trim_end();
            let is_item_incomplete = closing.len() > ITEM_DEPTH && before_array.ends_with("\"items\"");
            text.truncate(end);
            text.push_str(&closing);
            RepairedJson { text: Cow::Owned(text), is_truncated: true, is_item_incomplete }
        }
    }
}

/// The maximum number of values: 5,000 items with 40 members each.
const MAX_VALUES: usize = 200_000;
/// The maximum depth of tracked brackets. serde_json rejects a depth of more than 128.
const MAX_DEPTH: usize = 1000;
/// The number of open brackets at the end of an item: the bracket of the feed and the bracket of the array.
const ITEM_DEPTH: usize = 2;

/// The open brackets, and the last position at which truncation loses no complete item.
#[derive(Default)]
struct BracketTracker {
    open: Vec<u8>,
    /// The number of brackets and commas, which is an upper bound on the number of values.
    value_count: usize,
    /// The position after the last complete item in the repaired text, and the number of brackets that are open there.
    last_complete: Option<(usize, usize)>,
    /// The position after the last complete member of the open item.
    last_member: Option<usize>,
    /// The position of the last bracket that opened within the root.
    array_start: usize,
}

impl BracketTracker {
    /// Processes a bracket or a comma.
    fn visit(&mut self, delimiter: u8, position: usize) {
        self.value_count += 1;
        match delimiter {
            b'{' | b'[' if self.open.len() < MAX_DEPTH => {
                if self.open.len() == 1 {
                    self.array_start = position;
                }
                self.open.push(delimiter);
            }
            b'}' | b']' => {
                self.open.pop();
                if self.open.len() <= ITEM_DEPTH {
                    self.last_complete = Some((position + 1, self.open.len()));
                    self.last_member = None;
                }
            }
            b',' if self.open.len() == ITEM_DEPTH + 1 => self.last_member = Some(position),
            _ => {}
        }
    }

    fn is_over_limit(&self) -> bool {
        self.value_count > MAX_VALUES
    }

    /// Returns where to truncate the text, and which brackets to close there. Returns `None` if no truncation is
    /// necessary, or if no item or member is complete. Text over the limit without a complete item is dropped
    /// completely.
    fn missing_end(&self) -> Option<(usize, String)> {
        if self.is_over_limit() && self.last_complete.is_none() {
            return Some((0, String::new()));
        }
        let last_member = self.last_member.filter(|_| !self.is_over_limit()).map(|end| (end, ITEM_DEPTH + 1));
        let (end, open_count) = last_member.or(self.last_complete).filter(|_| !self.open.is_empty())?;
        let open = self.open.get(..open_count)?.iter().rev();
        Some((end, open.map(|bracket| if *bracket == b'{' { '}' } else { ']' }).collect()))
    }
}

fn repair_characters<'a>(text: &'a str, brackets: &mut BracketTracker) -> Cow<'a, str> {
    let mut out = String::new();
    // The text before this position is already in `out`. Valid text is never copied.
    let mut copied = 0;
    let mut in_string = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at)
        && !brackets.is_over_limit()
    {
        let (replacement, length) = match byte {
            b'"' => {
                in_string = !in_string;
                (None, 1)
            }
            b'\\' if in_string => repair_escape(text, at),
            0..=0x1f if in_string => (Some(" "), 1),
            b',' if !in_string && is_before_closing_bracket(&bytes[at + 1..]) => (Some(""), 1),
            b'{' | b'[' | b'}' | b']' | b',' if !in_string => {
                brackets.visit(*byte, out.len() + at - copied);
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

/// Returns the replacement of an escape, if it needs one, and the length of the escape in bytes.
fn repair_escape(text: &str, at: usize) -> (Option<&'static str>, usize) {
    match code_unit(text, at) {
        Some(0xd800..=0xdbff) if matches!(code_unit(text, at + 6), Some(0xdc00..=0xdfff)) => (None, 12),
        Some(0xd800..=0xdfff) => (Some("\\ufffd"), 6),
        Some(_) => (None, 6),
        None if text.as_bytes().get(at + 1).is_some_and(|b| b"\"\\/bfnrt".contains(b)) => (None, 2),
        // The backslash in `\'` and `\x` is a literal backslash.
        None => (Some("\\\\"), 1),
    }
}

/// Returns the UTF-16 code unit of `\uXXXX`.
fn code_unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u32::from_str_radix(digits, 16).ok()
}

/// Returns whether a closing bracket follows. Skips at most 1,024 bytes of white space to bound the time.
fn is_before_closing_bracket(after: &[u8]) -> bool {
    let next = after.iter().take(1024).find(|b| !b.is_ascii_whitespace());
    matches!(next, Some(b']' | b'}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_is_not_copied() {
        assert!(matches!(repair_json(r#"{"a":["b\n\ud83d\ude00",1]}"#).text, Cow::Borrowed(_)));
    }

    #[test]
    fn invalid_characters_are_replaced() {
        assert_eq!(repair_json("{\"a\":\"x\ty\\'z\\udc00\",}").text, r#"{"a":"x y\\'z\ufffd"}"#);
        assert_eq!(repair_json("\"\\").text, "\"\\\\");
    }

    #[test]
    fn missing_end_costs_only_the_incomplete_member() {
        let repaired = repair_json(r#"{"items":[{"id":1,"tags":["a"]},{"id":2,"tags":["a","b"],"url":"/"#);
        assert_eq!(repaired.text, r#"{"items":[{"id":1,"tags":["a"]},{"id":2,"tags":["a","b"]}]}"#);
        assert!(repaired.is_truncated && repaired.is_item_incomplete);
        let repaired = repair_json(r#"{"items" : [{"id":1}],"authors":[{"name":"a","url":"/"#);
        assert_eq!(repaired.text, r#"{"items" : [{"id":1}],"authors":[{"name":"a"}]}"#);
        assert!(repaired.is_truncated && !repaired.is_item_incomplete);
        assert_eq!(repair_json(r#"{"items":[{"id":1,},{"#).text, r#"{"items":[{"id":1}]}"#);
        assert!(!repair_json("{\"items\":[{\"id\":1").is_truncated);
    }

    #[test]
    fn text_is_cut_before_the_item_that_exceeds_the_limit_of_values() {
        let values = "0,".repeat(MAX_VALUES);
        let repaired = repair_json(&format!(r#"{{"items":[{{"id":1}},{{"id":[{values}"#)).text.into_owned();
        assert_eq!(repaired, r#"{"items":[{"id":1}]}"#);
        assert_eq!(repair_json(&format!(r#"{{"items":[{{"id":[{values}0]}}]}}"#)).text, "");
    }
}
