//! Nonstandard notations of dates: times with `h` or a full stop, Chinese and Korean characters for year, month and day,
//! and weeks of the year.
//!
//! Never decides what a date means: it converts a text to the notation that the rest of the parser reads.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::{Offset, TimeZone};

use crate::markup::entities::decode_entities;

/// A date in the notation that the parser reads.
pub struct NormalizedDate {
    /// In lower case.
    pub text: String,
    /// The zone of a date that names none.
    pub default_zone: TimeZone,
}

/// Converts a date to lower case and standard notation.
pub fn normalize_notation(text: &str) -> NormalizedDate {
    // Some dates are escaped twice: `&#43;0100`.
    let mut text = decode_entities(text).to_lowercase();
    let mut default_zone = TimeZone::UTC;
    if text.contains(['년', '오']) {
        // Korean sites write local time without a zone.
        for (from, to) in [("년", "-"), ("월", "-"), ("일", " "), ("오전", "am "), ("오후", "pm ")] {
            text = text.replace(from, to);
        }
        default_zone = TimeZone::fixed(Offset::constant(9));
    }
    for (from, to) in [('年', "-"), ('月', "-"), ('日', " ")] {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    if !text.contains(':') {
        text = insert_colon(&text).unwrap_or(text);
    }
    if text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit()) {
        text.insert(8, 't');
    }
    NormalizedDate { text, default_zone }
}

/// Writes `14h05` and `14.05 uhr` as `14:05`.
fn insert_colon(text: &str) -> Option<String> {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let is_time = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at + 1) && is_digit(at + 2) && !is_digit(at + 3);
    let french = text.match_indices('h').find(|(at, _)| is_time(*at));
    let german = text.match_indices('.').find(|(at, _)| is_time(*at) && text[at + 3..].trim_start().starts_with("uhr"));
    let (at, _) = french.or(german)?;
    Some(format!("{}:{}", &text[..at], &text[at + 1..]))
}

/// `2026-w10-1` and `2026w10` (ISO 8601 §5.2.3).
pub fn parse_week_date(text: &str) -> Option<Date> {
    let (year, rest) = text.trim_end_matches(['t', ' ']).split_once('w')?;
    let year = year.strip_suffix('-').unwrap_or(year);
    let (week, day) = rest.split_at_checked(2)?;
    let day = match day.strip_prefix('-').unwrap_or(day) {
        "" => 1,
        day => day.parse().ok()?,
    };
    if year.len() != 4 {
        return None;
    }
    let weekday = Weekday::from_monday_one_offset(day).ok()?;
    ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, weekday).ok().map(|date| date.date())
}
