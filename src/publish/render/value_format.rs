//! Formats values for feeds: text without invalid characters, dates, identifiers and URIs. All functions are pure.

use crate::domain::Timestamp;
use crate::urls::redact::strip_credentials;
use std::fmt::Write;

/// Removes the characters that XML 1.0 forbids (section 2.2), because the XML writers do not escape them. Also removes
/// unprintable characters that XML allows: C1 control characters and noncharacters. NEL (U+0085) becomes a space.
pub fn strip_invalid_chars(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\u{85}' { ' ' } else { c })
        .filter(|c| match c {
            '\t' | '\n' | '\r' => true,
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => false,
            c => u32::from(*c) & 0xfffe != 0xfffe,
        })
        .collect()
}

/// Formats a time as RFC 3339 in UTC, to the second.
pub fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Formats a time as RFC 822 with a four-digit year, as RSS 2.0 requires.
pub fn rfc822(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Derives a UUID URN from a name: version 8 (RFC 9562, section 5.8). The same name gives the same UUID.
pub fn uuid_urn(name: &str) -> String {
    let hash = xxhash_rust::xxh3::xxh3_128(name.as_bytes());
    let bits = hash & !(0xf << 76) & !(0x3 << 62) | (8 << 76) | (2 << 62);
    let hex = format!("{bits:032x}");
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Converts a link to a valid URI (RFC 3986) without credentials. Browsers accept links that the RFC forbids, and
/// outlets publish such links. Forbidden characters are percent-encoded, so the URI refers to the same resource.
pub fn encode_uri(link: &str) -> String {
    let link = strip_invalid_chars(&strip_credentials(link));
    let after_scheme = link.find("://").map_or(0, |at| at + 3);
    let host_end = link[after_scheme..].find(['/', '?', '#']).map_or(link.len(), |at| after_scheme + at);
    let mut out = String::with_capacity(link.len());
    let mut in_fragment = false;
    for (at, c) in link.char_indices() {
        let is_escape = || link.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let allowed = match c {
            '%' => is_escape(),
            '[' | ']' => at < host_end,
            '#' => !std::mem::replace(&mut in_fragment, true),
            c => c.is_ascii_alphanumeric() || "-._~:/?@!$&'()*+,;=".contains(c),
        };
        if allowed {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_has_version_eight() {
        let id = uuid_urn("anything");
        assert_eq!((&id[23..24], &id[..9]), ("8", "urn:uuid:"));
        assert!(matches!(&id[28..29], "8" | "9" | "a" | "b"), "{id}");
    }

    #[test]
    fn invalid_and_unprintable_characters_are_removed() {
        assert_eq!(strip_invalid_chars("a\0b\u{fffe}c\u{1f600}"), "abc\u{1f600}");
        let text = "a\u{80}b\u{85}c\u{fdd0}d\u{1fffe}e\u{7f}f\u{fffd}";
        assert_eq!(strip_invalid_chars(text), "ab cdef\u{fffd}");
    }

    #[test]
    fn encoded_uri_refers_to_the_same_resource() {
        for (link, expected) in [
            ("https://h.example/a[1]?c[]=2|d", "https://h.example/a%5B1%5D?c%5B%5D=2%7Cd"),
            ("https://h.example/100%?q=%e4#a#b", "https://h.example/100%25?q=%e4#a%23b"),
            ("http://[2001:db8::1]:8080/[", "http://[2001:db8::1]:8080/%5B"),
            ("https://user:secret@h.example/ü\u{0}", "https://h.example/%C3%BC"),
            ("https://h.example/~a/(b);c=1?d=e&f='g'", "https://h.example/~a/(b);c=1?d=e&f='g'"),
        ] {
            assert_eq!(encode_uri(link), expected);
            let (before, after) = (url::Url::parse(link).unwrap(), url::Url::parse(expected).unwrap());
            assert_eq!((before.host(), before.port()), (after.host(), after.port()));
        }
    }
}
