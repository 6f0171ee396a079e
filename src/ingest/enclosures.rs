//! Selects the enclosures that items keep: a few files with a valid media type and a plausible length.
//!
//! The module requests no files: it relies on the declarations of the source.

use crate::domain::Enclosure;
use crate::feed_parser::ParsedEnclosure;
use crate::urls::feed_secrets::FeedSecrets;
use crate::urls::media_type::media_type_of;
use crate::urls::redact::strip_credentials;

/// The maximum number of enclosures per item. Additional enclosures are versions of the same file, or an attack.
const MAX_ENCLOSURES: usize = 8;
/// The maximum length of a URL or media type in bytes. In practice, they are shorter.
const MAX_URL_BYTES: usize = 2048;
const MAX_MEDIA_TYPE_BYTES: usize = 100;
/// The largest integer that every JSON parser reads exactly (RFC 8259, section 6): 2⁵³ − 1.
const MAX_LENGTH: u64 = (1 << 53) - 1;

/// The media type of an enclosure whose type is unknown. Both RSS and JSON Feed require a media type.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Returns the enclosures that an item keeps, in document order. A URL that contains a secret of the feed is dropped.
pub(super) fn read_enclosures(parsed: &[ParsedEnclosure], secrets: &FeedSecrets) -> Vec<Enclosure> {
    let is_kept = |parsed: &&ParsedEnclosure| {
        matches!(parsed.url.scheme(), "http" | "https")
            && parsed.url.as_str().len() <= MAX_URL_BYTES
            && !secrets.are_in_link(&parsed.url)
    };
    let read = |parsed: &ParsedEnclosure| Enclosure {
        url: strip_credentials(parsed.url.as_str()),
        media_type: media_type(parsed),
        length: parsed.length.filter(|length| (1..=MAX_LENGTH).contains(length)),
    };
    parsed.iter().filter(is_kept).take(MAX_ENCLOSURES).map(read).collect()
}

/// Returns the declared type without parameters if it is valid, or else the type for the file extension.
fn media_type(parsed: &ParsedEnclosure) -> String {
    let declared = parsed.mime.as_deref().unwrap_or_default();
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if is_media_type(&declared) {
        return declared;
    }
    media_type_of(parsed.url.path()).unwrap_or(UNKNOWN_TYPE).to_owned()
}

/// Returns whether a string consists of a type and a subtype (RFC 6838, section 4.2).
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    text.len() <= MAX_MEDIA_TYPE_BYTES && text.split_once('/').is_some_and(|(kind, sub)| is_name(kind) && is_name(sub))
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn parsed(url: &str, mime: Option<&str>, length: Option<u64>) -> ParsedEnclosure {
        ParsedEnclosure { url: Url::parse(url).unwrap(), mime: mime.map(str::to_owned), length }
    }

    fn enclosures(parsed: &[ParsedEnclosure]) -> Vec<Enclosure> {
        read_enclosures(parsed, &FeedSecrets::default())
    }

    #[test]
    fn media_type_is_the_declared_one_if_it_is_valid_else_that_of_the_extension() {
        for (url, declared, expected) in [
            ("https://a.example/1.mp3", Some("audio/x-mpeg"), "audio/x-mpeg"),
            ("https://a.example/1.mp3", Some(" Audio/MPEG; codecs=mp3"), "audio/mpeg"),
            ("https://a.example/1.MP3?x=1", Some("mp3"), "audio/mpeg"),
            ("https://a.example/1.pdf", Some("*/*"), "application/pdf"),
            ("https://a.example/1.png", Some("image/png\"><b>"), "image/png"),
            ("https://a.example/play", None, "application/octet-stream"),
        ] {
            assert_eq!(enclosures(&[parsed(url, declared, None)])[0].media_type, expected, "{url} {declared:?}");
        }
    }

    #[test]
    fn credentials_implausible_lengths_other_schemes_and_further_files_are_dropped() {
        let enclosure = |url: &str, length| enclosures(&[parsed(url, None, length)]);
        let kept = enclosure("https://me:secret@a.example/1.mp3", Some(0)).remove(0);
        assert_eq!((kept.url.as_str(), kept.length), ("https://a.example/1.mp3", None));
        assert_eq!(enclosure("https://a.example/1.mp3", Some(u64::MAX))[0].length, None);
        assert_eq!(enclosure("https://a.example/1.mp3", Some(7))[0].length, Some(7));
        assert!(enclosure("ftp://a.example/1.mp3", None).is_empty());
        assert!(enclosure(&format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES)), None).is_empty());
        let many: Vec<ParsedEnclosure> =
            (0..99).map(|n| parsed(&format!("https://a.example/{n}"), None, None)).collect();
        assert_eq!(enclosures(&many).len(), MAX_ENCLOSURES);
    }
}
