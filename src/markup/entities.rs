//! Character references: decodes references, and escapes text for HTML.
//!
//! No reference is decoded twice.

use std::borrow::Cow;

/// Decodes numeric references and HTML's named entities once. Keeps every other `&`.
pub fn decode_entities(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('&') else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(after) = rest.strip_prefix('&') {
        let used = push_reference(rest, &mut out);
        let tail = &after[used..];
        let next = tail.find('&').unwrap_or(tail.len());
        out.push_str(&tail[..next]);
        rest = &tail[next..];
    }
    Cow::Owned(out)
}

/// Escapes text for HTML content and for attribute values in double quotes.
pub fn escape_html(text: &str) -> String {
    html_escape::encode_double_quoted_attribute(text).into_owned()
}

/// The length of the longest reference: `CounterClockwiseContourIntegral` is the longest name in HTML's list.
const MAX_REFERENCE_BYTES: usize = 33;

/// Appends the character of the reference at the start of the text. Returns the number of bytes consumed after the `&`,
/// which is 0 if the text starts with a bare `&`.
fn push_reference(reference: &str, out: &mut String) -> usize {
    let after = &reference[1..];
    let length =
        after.bytes().take(MAX_REFERENCE_BYTES).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').count();
    let name = &after[..length];
    let closed = usize::from(after.as_bytes().get(length) == Some(&b';'));
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        if let Ok(code) = code {
            out.extend(character(code));
            return length + closed;
        }
    } else if closed == 1
        // quick-xml's list is not used, because its Greek letters are wrong (0.42: `&lambda;` becomes `;`).
        && let Cow::Owned(value) = html_escape::decode_html_entities(&reference[..length + 2])
    {
        out.push_str(&value);
        return length + closed;
    }
    out.push('&');
    0
}

/// Returns the character of a numeric reference. Interprets 128 to 159 as windows-1252, as HTML requires.
fn character(code: u32) -> Option<char> {
    readable_char(char::from_u32(code)?)
}

/// Returns whether the text contains control characters that no reader displays.
pub fn has_control_characters(text: &str) -> bool {
    text.contains(|c: char| readable_char(c) != Some(c))
}

/// Decodes the control characters 128 to 159 as windows-1252, as the programs that write these characters intend.
/// Removes all other control characters.
pub fn without_control_characters(text: &str) -> String {
    text.chars().filter_map(readable_char).collect()
}

/// Returns the intended character; `None` for control characters and for characters that XML forbids.
fn readable_char(c: char) -> Option<char> {
    match c {
        '\u{80}'..='\u{9f}' => {
            let byte = [u32::from(c) as u8];
            let decoded = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0;
            decoded.chars().next().filter(|decoded| !decoded.is_control())
        }
        '\u{7f}' => None,
        _ => Some(c).filter(|c| is_xml_char(*c)),
    }
}

/// Returns whether XML 1.0 allows a character (§2.2).
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_decoded_once_and_bare_ampersands_stay() {
        assert_eq!(
            decode_entities("AT&T &amp;lt; &#8217;&#x92;&#146; &nosuch; &hellip; &#0;&#xD800;&"),
            "AT&T &lt; ’’’ &nosuch; … &"
        );
    }

    #[test]
    fn control_characters_are_read_as_windows_1252_or_dropped() {
        assert_eq!(without_control_characters("\u{93}Rain\u{94}\u{85} it\u{92}s\u{81}\u{7f}\u{b}"), "“Rain”… it’s");
        assert!(!has_control_characters("Regen,\n\t“été”"));
    }
}
