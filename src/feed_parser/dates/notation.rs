//! Converts the notations of different languages to one notation: composed characters, ASCII digits, hyphens between
//! the parts of a date, and colons between the parts of a time.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::words;
use super::zones_and_months::normalize_thai_month;

/// Composes characters and converts digits to ASCII. In lowercase, the Turkish `İ` is an `i` with a second dot, which
/// has no composed form.
pub fn compose(text: &str) -> String {
    text.nfc().filter(|c| *c != '\u{307}').map(ascii_digit).collect()
}

/// Converts a lowercase date to standard notation.
pub fn normalize_notation(text: &str) -> String {
    const CHINESE: &[(&str, &str)] = &[
        ("年", "-"),
        ("月", "-"),
        ("日", " "),
        ("上午", " am "),
        ("下午", " pm "),
        ("午前", " am "),
        ("午後", " pm "),
    ];
    const GREEK: &[(&str, &str)] = &[("π.μ.", "am"), ("μ.μ.", "pm"), ("πμ", "am"), ("μμ", "pm")];
    const KOREAN: &[(&str, &str)] = &[("년", "-"), ("월", "-"), ("일", " "), ("오전", "am "), ("오후", "pm ")];
    let korean = if is_korean(text) { KOREAN } else { &[] };
    let mut text = normalize_thai_month(text).unwrap_or_else(|| text.to_owned());
    for (from, to) in CHINESE.iter().chain(GREEK).chain(korean) {
        text = text.replace(from, to);
    }
    if !text.contains(':') {
        text = insert_colon(&text).unwrap_or(text);
    }
    if text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit()) {
        text.insert(8, 't');
    }
    text
}

pub fn is_korean(text: &str) -> bool {
    text.contains(['년', '오'])
}

/// Returns the ASCII form of an Arabic, Persian, Hindi, Bengali or Thai digit. Returns other characters unchanged.
fn ascii_digit(c: char) -> char {
    const ZEROS: [u32; 5] = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50];
    let value = |zero: &u32| (c as u32).checked_sub(*zero).and_then(|value| char::from_digit(value, 10));
    ZEROS.iter().find_map(value).unwrap_or(c)
}

/// Adds colons to `14h05`, `14 h 05`, `14.05 uhr`, `kl. 14.05` and `2 mar 2026 14.05.09`.
fn insert_colon(text: &str) -> Option<String> {
    let text = &text.replace(" h ", "h");
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let is_time = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at + 1) && is_digit(at + 2) && !is_digit(at + 3);
    let french = text.match_indices('h').find(|(at, _)| is_time(*at));
    let dotted = text.match_indices('.').find(|(at, _)| is_time(*at) && is_dotted_time(text, *at));
    let (at, _) = french.or(dotted)?;
    let (minute, after) = text[at + 1..].split_at(2);
    // The seconds use the same notation.
    let has_seconds = after.starts_with('.') && is_digit(at + 4) && is_digit(at + 5) && !is_digit(at + 6);
    let after = if has_seconds { Cow::Owned(after.replacen('.', ":", 1)) } else { Cow::Borrowed(after) };
    Some(format!("{}:{minute}{after}", &text[..at]))
}

/// Returns whether two digits, a dot and two digits are a time of day: either `uhr` follows, or the year or a word for
/// "o'clock" precedes. Otherwise, the digits are a day and a month.
fn is_dotted_time(text: &str, dot: usize) -> bool {
    const TIME_WORDS: [&str; 10] = ["kl", "klo", "ore", "pukul", "saat", "ob", "om", "godz", "ώρα", "เวลา"];
    if text[dot + 3..].trim_start().starts_with("uhr") {
        return true;
    }
    let before = text[..dot].trim_end_matches(|c: char| c.is_ascii_digit());
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ','));
    let (date, word) = before.rsplit_once(|c: char| !c.is_alphanumeric()).unwrap_or(("", before));
    let is_year = word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    TIME_WORDS.contains(&word) || is_year && before.len() < dot - 2 && words(date).count() >= 2
}
