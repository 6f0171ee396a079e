//! Detects the character set of a document and decodes it. Decoding never fails.
//!
//! Invalid bytes become U+FFFD. The evidence, in order of precedence, is the byte order mark, valid UTF-8, the HTTP
//! header, the XML declaration (RFC 7303 §3), and statistics. Labels are often wrong, so each label is checked against
//! the bytes first.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::entities::{has_control_characters, without_control_characters};

/// A decoded document.
pub struct DecodedText {
    pub text: String,
    /// The name of the actual character set of the bytes, according to the WHATWG Encoding Standard.
    pub charset: &'static str,
    /// The problems found in the bytes and in their character set labels.
    pub problems: Vec<FeedProblem>,
}

/// Decodes a document of any kind and removes control characters.
///
/// `content_type` is the HTTP header. The top-level domain of `host` is a hint for statistical detection.
pub fn decode_text(bytes: &[u8], content_type: Option<&str>, host: Option<&str>) -> DecodedText {
    let mut problems = Vec::new();
    let (mut text, charset) = decode_bytes(bytes, content_type, host, &mut problems);
    if has_control_characters(&text) {
        let first = text.chars().find(|c| has_control_characters(c.encode_utf8(&mut [0; 4])));
        let detail = format!("U+{:04X}", first.map_or(0, u32::from));
        FeedProblem::record(&mut problems, ProblemKind::ControlCharacters, &detail);
        text = without_control_characters(&text);
    }
    DecodedText { text, charset, problems }
}

fn decode_bytes(
    bytes: &[u8],
    content_type: Option<&str>,
    host: Option<&str>,
    problems: &mut Vec<FeedProblem>,
) -> (String, &'static str) {
    if let Some((text, name)) = decode_utf_32(bytes) {
        return (text, name);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes).or_else(|| Some((utf_16_without_mark(bytes)?, 0))) {
        return (decode_as(encoding, &bytes[mark..], problems), encoding.name());
    }
    let labels = labeled_encodings(bytes, content_type, problems);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return decode_utf_8(text, &labels, problems);
    }
    if let Some(text) = decode_truncated_utf_8(bytes, &labels) {
        FeedProblem::record(problems, ProblemKind::BadBytes, "the last character is incomplete");
        return decode_utf_8(text, &labels, problems);
    }
    for label in labels.iter().filter(|label| **label != UTF_8) {
        if let Some(text) = label.decode_without_bom_handling_and_without_replacement(bytes) {
            if let Some(first) = labels.first().filter(|first| *first != label) {
                record_wrong_label(problems, first, label);
            }
            return (text.into_owned(), label.name());
        }
    }
    if let Some(text) = decode_nearly_utf_8(bytes) {
        FeedProblem::record(problems, ProblemKind::BadBytes, "windows-1252 bytes in UTF-8");
        return (text, UTF_8.name());
    }
    let guess = guess_encoding(bytes, host);
    if let Some(first) = labels.first().filter(|label| **label != guess) {
        record_wrong_label(problems, first, guess);
    }
    (decode_as(guess, bytes, problems), guess.name())
}

/// Returns the plausible encodings that the HTTP header and the XML declaration name, in this order.
fn labeled_encodings(
    bytes: &[u8],
    content_type: Option<&str>,
    problems: &mut Vec<FeedProblem>,
) -> Vec<&'static Encoding> {
    let labels = content_type.and_then(content_type_charset).into_iter().chain(declaration_charset(bytes));
    // The `replacement` encodings decode to empty text, so they are ignored like unknown labels.
    let known = labels.filter_map(|label| Encoding::for_label_no_replacement(label.as_bytes()));
    let mut labels: Vec<&'static Encoding> = known.collect();
    if let Some(index) = labels.iter().position(|label| is_impossible(label, bytes)) {
        let wrong = labels.remove(index);
        labels.retain(|label| !is_impossible(label, bytes));
        // At this point the encoding is unknown, except that it is not UTF-16.
        record_wrong_label(problems, wrong, labels.first().copied().unwrap_or(UTF_8));
    }
    labels
}

/// Decodes bytes that are valid UTF-8 but may be in another encoding that uses only ASCII bytes.
fn decode_utf_8(text: &str, labels: &[&'static Encoding], problems: &mut Vec<FeedProblem>) -> (String, &'static str) {
    // A stateful encoding such as ISO-2022-JP consists of ASCII bytes, so its label takes precedence over UTF-8.
    if let Some(label) = labels.iter().find(|label| !label.is_ascii_compatible() && **label != UTF_8)
        && let Some(decoded) = label.decode_without_bom_handling_and_without_replacement(text.as_bytes())
    {
        return (decoded.into_owned(), label.name());
    }
    if text.is_ascii() {
        return (text.to_owned(), labels.first().copied().unwrap_or(UTF_8).name());
    }
    if let Some(wrong) = labels.iter().find(|label| **label != UTF_8) {
        record_wrong_label(problems, wrong, UTF_8);
    }
    (text.to_owned(), UTF_8.name())
}

/// Returns whether a label claims UTF-16 even though the bytes are not UTF-16: markup in UTF-16 has a zero in every
/// other byte (XML 1.0, Appendix F). .NET serializes documents to strings that declare UTF-16 but are sent as UTF-8.
fn is_impossible(label: &'static Encoding, bytes: &[u8]) -> bool {
    let is_utf_16 = label == UTF_16LE || label == UTF_16BE;
    is_utf_16 && !bytes[..bytes.len().min(MAX_DECLARATION_BYTES)].contains(&0)
}

fn record_wrong_label(problems: &mut Vec<FeedProblem>, declared: &'static Encoding, found: &'static Encoding) {
    let detail = format!("declared {}, is {}", declared.name(), found.name());
    FeedProblem::record(problems, ProblemKind::WrongCharset, &detail);
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8], problems: &mut Vec<FeedProblem>) -> String {
    let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
    if has_errors {
        FeedProblem::record(problems, ProblemKind::BadBytes, &format!("not {}", encoding.name()));
    }
    text.into_owned()
}

fn content_type_charset(header: &str) -> Option<&str> {
    header.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).trim())
    })
}

/// The maximum number of bytes that are searched for the XML declaration.
const MAX_DECLARATION_BYTES: usize = 1024;

fn declaration_charset(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(MAX_DECLARATION_BYTES)];
    let start = head.windows(5).position(|w| w == b"<?xml")?;
    let end = start + head[start..].iter().position(|b| *b == b'>')?;
    let declaration = std::str::from_utf8(&head[start..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::trim)
}

/// Decodes UTF-32, which XML (Appendix F) supports and the Encoding Standard does not.
fn decode_utf_32(bytes: &[u8]) -> Option<(String, &'static str)> {
    let is_little_endian = match bytes.get(..4)? {
        [0xff, 0xfe, 0, 0] | [b'<', 0, 0, 0] | [b'{', 0, 0, 0] => true,
        [0, 0, 0xfe, 0xff] | [0, 0, 0, b'<'] | [0, 0, 0, b'{'] => false,
        _ => return None,
    };
    let text = bytes.as_chunks::<4>().0.iter().map(|bytes| {
        let code = if is_little_endian { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    let name = if is_little_endian { "UTF-32LE" } else { "UTF-32BE" };
    Some((text.filter(|c| *c != '\u{feff}').collect(), name))
}

fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes.get(..4)? {
        [b'<' | b'{', 0, second, 0] if *second != 0 => Some(UTF_16LE),
        [0, b'<' | b'{', 0, second] if *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// Decodes UTF-8 that ends within a character, because the document was truncated there. If the document contains no
/// other non-ASCII character, a label must be UTF-8.
fn decode_truncated_utf_8<'a>(bytes: &'a [u8], labels: &[&'static Encoding]) -> Option<&'a str> {
    let error = std::str::from_utf8(bytes).err().filter(|error| error.error_len().is_none())?;
    let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?;
    (!text.is_ascii() || labels.first() == Some(&UTF_8)).then_some(text)
}

/// Decodes UTF-8 that contains a few windows-1252 bytes. More than two thirds of the non-ASCII characters must be
/// UTF-8.
fn decode_nearly_utf_8(bytes: &[u8]) -> Option<String> {
    let (mut valid, mut invalid) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    if valid <= invalid * 2 {
        return None;
    }
    let mut text = String::with_capacity(bytes.len() + invalid * 2);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
        }
    }
    Some(text)
}

/// The maximum number of bytes for statistical detection. Reading more bytes would take time but would rarely change
/// the result.
const MAX_GUESS_BYTES: usize = 1024 * 1024;

fn guess_encoding(bytes: &[u8], host: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let first = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(0);
    let start = first.saturating_sub(1024);
    detector.feed(&bytes[start..bytes.len().min(start + MAX_GUESS_BYTES)], true);
    let tld = host.and_then(|host| host.rsplit('.').next());
    // chardetng panics on a top-level domain that is not lowercase ASCII.
    let tld = tld
        .map(str::as_bytes)
        .filter(|tld| tld.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-'));
    detector.guess(tld, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], content_type: Option<&str>, text: &str, charset: &str, problem: Option<ProblemKind>) {
        let found = decode_text(bytes, content_type, Some("news.example"));
        assert_eq!((found.text.as_str(), found.charset), (text, charset));
        assert_eq!(found.problems.first().map(|p| p.kind), problem);
    }

    #[test]
    fn byte_order_mark_takes_precedence_over_every_label() {
        check(b"\xef\xbb\xbf<a>\xc3\xa9", Some("text/xml; charset=iso-8859-1"), "<a>é", "UTF-8", None);
        check(b"\xff\xfe<\0a\0>\0\xe9\0", None, "<a>é", "UTF-16LE", None);
        check(b"\0\0\xfe\xff\0\0\0<\0\0\0\xe9", None, "<é", "UTF-32BE", None);
    }

    #[test]
    fn utf_16_is_detected_without_a_mark() {
        check(b"\0<\0a\0>\0\xe9", None, "<a>é", "UTF-16BE", None);
    }

    #[test]
    fn utf_8_labeled_latin_1_is_decoded_as_utf_8() {
        let bytes = "<?xml version='1.0' encoding='iso-8859-1'?>Señor".as_bytes();
        check(bytes, None, std::str::from_utf8(bytes).unwrap(), "UTF-8", Some(ProblemKind::WrongCharset));
    }

    #[test]
    fn document_that_ends_within_a_character_is_utf_8() {
        let text = "<?xml version='1.0' encoding='utf-8'?><title>Café reopens</title><title>R";
        let bytes = [text.as_bytes(), b"\xc3"].concat();
        check(&bytes, None, text, "UTF-8", Some(ProblemKind::BadBytes));
        let labeled = [b"<?xml encoding='utf-8'?><a>R".as_slice(), b"\xe2\x82"].concat();
        check(&labeled, None, "<?xml encoding='utf-8'?><a>R", "UTF-8", Some(ProblemKind::BadBytes));
    }

    #[test]
    fn one_byte_text_labeled_utf_16_is_not_utf_16() {
        for text in ["<?xml version='1.0' encoding='utf-16'?>Rain..", "<?xml version='1.0' encoding='utf-16'?>Señor"] {
            check(text.as_bytes(), None, text, "UTF-8", Some(ProblemKind::WrongCharset));
        }
        check(b"<a>Rain.", Some("text/xml; charset=utf-16"), "<a>Rain.", "UTF-8", Some(ProblemKind::WrongCharset));
    }

    #[test]
    fn windows_1252_labeled_utf_8_is_detected() {
        let text = "<?xml encoding='utf-8'?>Le ministre a \u{201c}d\u{e9}j\u{e0}\u{201d} r\u{e9}pondu \u{e0} l\u{2019}\u{e9}t\u{e9}";
        let (bytes, ..) = WINDOWS_1252.encode(text);
        check(&bytes, None, text, "windows-1252", Some(ProblemKind::WrongCharset));
    }

    #[test]
    fn header_takes_precedence_over_the_declaration() {
        let (bytes, ..) = encoding_rs::EUC_KR.encode("<?xml encoding='iso-8859-1'?>한국어 기사");
        check(&bytes, Some("text/xml; charset='EUC-KR'"), "<?xml encoding='iso-8859-1'?>한국어 기사", "EUC-KR", None);
    }

    #[test]
    fn one_windows_1252_byte_in_utf_8_does_not_change_the_rest() {
        check(
            b"\xc3\xa9t\xc3\xa9, d\xc3\xa9j\xc3\xa0 \x93oui",
            None,
            "été, déjà “oui",
            "UTF-8",
            Some(ProblemKind::BadBytes),
        );
    }

    #[test]
    fn control_characters_are_dropped() {
        check(b"<a>\x00b\x1bc\r\n", None, "<a>bc\r\n", "UTF-8", Some(ProblemKind::ControlCharacters));
        let text = "<a>\u{93}Rain\u{94}";
        check(text.as_bytes(), None, "<a>“Rain”", "UTF-8", Some(ProblemKind::ControlCharacters));
    }
}
