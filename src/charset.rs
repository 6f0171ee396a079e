//! Bytes → text: which character set a document is really in, whatever its labels say.
//!
//! Never fails: bytes that nothing explains become U+FFFD. Order of belief: byte order mark, valid UTF-8, HTTP header,
//! XML declaration (RFC 7303 §3), statistics. Labels lie often enough that each is tried against the bytes first.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::entities::is_xml_char;

/// A document as text.
pub struct DecodedText {
    pub text: String,
    /// The name of the character set that the bytes were in, as in the WHATWG Encoding Standard.
    pub charset: &'static str,
    /// What was wrong with the bytes or their labels.
    pub problems: Vec<FeedProblem>,
}

/// Decodes a document of any kind. `content_type` is the HTTP header; the top-level domain of `host` helps the
/// statistical guess.
pub fn decode_text(bytes: &[u8], content_type: Option<&str>, host: Option<&str>) -> DecodedText {
    let mut problems = Vec::new();
    let (mut text, charset) = decode_bytes(bytes, content_type, host, &mut problems);
    if let Some(first) = text.chars().find(|c| !is_xml_char(*c)) {
        let detail = format!("U+{:04X}", u32::from(first));
        FeedProblem::note(&mut problems, FeedProblem::new(ProblemKind::ControlCharacters, detail));
        text.retain(is_xml_char);
    }
    DecodedText { text, charset, problems }
}

fn decode_bytes(
    bytes: &[u8],
    content_type: Option<&str>,
    host: Option<&str>,
    problems: &mut Vec<FeedProblem>,
) -> (String, &'static str) {
    if let Some((text, name)) = utf_32(bytes) {
        return (text, name);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return (decode_as(encoding, &bytes[mark..], problems), encoding.name());
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return (decode_as(encoding, bytes, problems), encoding.name());
    }

    let header = content_type.and_then(charset_of_content_type).and_then(known);
    let declared = charset_of_declaration(bytes).and_then(known);
    let mut labels: Vec<&'static Encoding> = header.into_iter().chain(declared).collect();
    if let Some(at) = labels.iter().position(|label| is_impossible(label, bytes)) {
        let wrong = labels.remove(at);
        labels.retain(|label| !is_impossible(label, bytes));
        // What it is instead is not known yet; that it is not UTF-16 is.
        let found = labels.first().copied().unwrap_or(UTF_8);
        note_wrong(problems, wrong, found);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        // A stateful encoding like ISO-2022-JP is ASCII throughout, so its label is believed before UTF-8 is.
        if let Some(label) = labels.iter().find(|label| !label.is_ascii_compatible() && **label != UTF_8)
            && let Some(text) = label.decode_without_bom_handling_and_without_replacement(bytes)
        {
            return (text.into_owned(), label.name());
        }
        if bytes.is_ascii() {
            return (text.to_owned(), labels.first().copied().unwrap_or(UTF_8).name());
        }
        if let Some(wrong) = labels.iter().find(|label| **label != UTF_8) {
            note_wrong(problems, wrong, UTF_8);
        }
        return (text.to_owned(), UTF_8.name());
    }
    for label in labels.iter().filter(|label| **label != UTF_8) {
        if let Some(text) = label.decode_without_bom_handling_and_without_replacement(bytes) {
            if let Some(wrong) = labels.first().filter(|first| *first != label) {
                note_wrong(problems, wrong, label);
            }
            return (text.into_owned(), label.name());
        }
    }
    if let Some(text) = nearly_utf_8(bytes) {
        FeedProblem::note(problems, FeedProblem::new(ProblemKind::BadBytes, "bytes of windows-1252 in UTF-8"));
        return (text, UTF_8.name());
    }
    let guess = guess(bytes, host);
    if let Some(wrong) = labels.first().filter(|label| **label != guess) {
        note_wrong(problems, wrong, guess);
    }
    (decode_as(guess, bytes, problems), guess.name())
}

/// Markup in UTF-16 has a zero in every other byte (XML 1.0, Appendix F). Documents that .NET wrote into a string say
/// UTF-16 and are sent as UTF-8.
fn is_impossible(label: &'static Encoding, bytes: &[u8]) -> bool {
    let is_utf_16 = label == UTF_16LE || label == UTF_16BE;
    is_utf_16 && !bytes[..bytes.len().min(DECLARATION)].contains(&0)
}

fn note_wrong(problems: &mut Vec<FeedProblem>, declared: &'static Encoding, found: &'static Encoding) {
    let detail = format!("declared {}, is {}", declared.name(), found.name());
    FeedProblem::note(problems, FeedProblem::new(ProblemKind::WrongCharset, detail));
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8], problems: &mut Vec<FeedProblem>) -> String {
    let (text, bad) = encoding.decode_without_bom_handling(bytes);
    if bad {
        FeedProblem::note(problems, FeedProblem::new(ProblemKind::BadBytes, format!("not {}", encoding.name())));
    }
    text.into_owned()
}

/// A label as the Encoding Standard knows it. Its `replacement` encodings decode to nothing, so they count as unknown.
fn known(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes())
}

fn charset_of_content_type(header: &str) -> Option<&str> {
    header.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).trim())
    })
}

/// The XML declaration stands in the first bytes; one that comes later is no declaration.
const DECLARATION: usize = 1024;

fn charset_of_declaration(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let start = head.windows(5).position(|w| w == b"<?xml")?;
    let end = start + head[start..].iter().position(|b| *b == b'>')?;
    let declaration = std::str::from_utf8(&head[start..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::trim)
}

/// UTF-32 is not in the Encoding Standard, but in XML's list (Appendix F).
fn utf_32(bytes: &[u8]) -> Option<(String, &'static str)> {
    let little = match bytes.get(..4)? {
        [0xff, 0xfe, 0, 0] | [b'<', 0, 0, 0] | [b'{', 0, 0, 0] => true,
        [0, 0, 0xfe, 0xff] | [0, 0, 0, b'<'] | [0, 0, 0, b'{'] => false,
        _ => return None,
    };
    let text = bytes.as_chunks::<4>().0.iter().map(|four| {
        let code = if little { u32::from_le_bytes(*four) } else { u32::from_be_bytes(*four) };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    let name = if little { "UTF-32LE" } else { "UTF-32BE" };
    Some((text.filter(|c| *c != '\u{feff}').collect(), name))
}

fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes.get(..4)? {
        [b'<' | b'{', 0, second, 0] if *second != 0 => Some(UTF_16LE),
        [0, b'<' | b'{', 0, second] if *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// UTF-8 into which somebody pasted a few bytes of windows-1252: believed if most of what is not ASCII is UTF-8.
fn nearly_utf_8(bytes: &[u8]) -> Option<String> {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good <= bad * 2 {
        return None;
    }
    let mut text = String::with_capacity(bytes.len() + bad * 2);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // A character that the document's end cut in half is no windows-1252.
        if !chunk.invalid().is_empty() {
            text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
        }
    }
    Some(text)
}

/// Statistics need no more than this; a detector over 16 MiB would only cost time.
const GUESSED: usize = 1024 * 1024;

fn guess(bytes: &[u8], host: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let first = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(0);
    let start = first.saturating_sub(1024);
    detector.feed(&bytes[start..bytes.len().min(start + GUESSED)], true);
    let tld = host.and_then(|host| host.rsplit('.').next());
    // chardetng panics on a top-level domain that is not lower-case ASCII.
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
    fn a_byte_order_mark_wins_over_every_label() {
        check(b"\xef\xbb\xbf<a>\xc3\xa9", Some("text/xml; charset=iso-8859-1"), "<a>é", "UTF-8", None);
        check(b"\xff\xfe<\0a\0>\0\xe9\0", None, "<a>é", "UTF-16LE", None);
        check(b"\0\0\xfe\xff\0\0\0<\0\0\0\xe9", None, "<é", "UTF-32BE", None);
    }

    #[test]
    fn utf_16_needs_no_mark() {
        check(b"\0<\0a\0>\0\xe9", None, "<a>é", "UTF-16BE", None);
    }

    #[test]
    fn latin_1_that_is_utf_8_is_utf_8() {
        let bytes = "<?xml version='1.0' encoding='iso-8859-1'?>Señor".as_bytes();
        check(bytes, None, std::str::from_utf8(bytes).unwrap(), "UTF-8", Some(ProblemKind::WrongCharset));
    }

    #[test]
    fn utf_16_that_is_one_byte_a_letter_is_none() {
        for text in ["<?xml version='1.0' encoding='utf-16'?>Rain..", "<?xml version='1.0' encoding='utf-16'?>Señor"] {
            check(text.as_bytes(), None, text, "UTF-8", Some(ProblemKind::WrongCharset));
        }
        check(b"<a>Rain.", Some("text/xml; charset=utf-16"), "<a>Rain.", "UTF-8", Some(ProblemKind::WrongCharset));
    }

    #[test]
    fn utf_8_that_is_windows_1252_is_that() {
        let text = "<?xml encoding='utf-8'?>Le ministre a \u{201c}d\u{e9}j\u{e0}\u{201d} r\u{e9}pondu \u{e0} l\u{2019}\u{e9}t\u{e9}";
        let (bytes, ..) = WINDOWS_1252.encode(text);
        check(&bytes, None, text, "windows-1252", Some(ProblemKind::WrongCharset));
    }

    #[test]
    fn the_header_is_believed_before_the_declaration() {
        let (bytes, ..) = encoding_rs::EUC_KR.encode("<?xml encoding='iso-8859-1'?>한국어 기사");
        check(&bytes, Some("text/xml; charset='EUC-KR'"), "<?xml encoding='iso-8859-1'?>한국어 기사", "EUC-KR", None);
    }

    #[test]
    fn one_bad_byte_in_utf_8_does_not_change_the_rest() {
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
    }
}
