//! Finds and validates the time of day in a date. The time of day separates the day from the time zone.

use jiff::civil::{Date, DateTime, Time};

use super::{digit_count, leading_number};

/// The time of day as written, before validation.
#[derive(Clone, Copy, Default)]
pub struct TimeDigits {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
}

/// A string split into the date, the time of day and the text after the time.
pub struct DateParts<'a> {
    pub date: &'a str,
    pub time: Option<TimeDigits>,
    pub after_time: &'a str,
}

pub fn split_at_time(text: &str) -> Option<DateParts<'_>> {
    let is_after_digit = |at: usize| at > 0 && text.as_bytes()[at - 1].is_ascii_digit();
    // A colon after a word only introduces the date: `Posted: 2 March 2026 14:05`.
    let Some(colon) = text.match_indices(':').map(|(at, _)| at).find(|at| is_after_digit(*at)) else {
        return Some(split_at_compact_time(text).unwrap_or(DateParts { date: text, time: None, after_time: "" }));
    };
    let start = text[..colon].trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (hour, _) = leading_number(&text[start..], 2)?;
    let (minute, mut rest) = leading_number(&text[colon + 1..], 2)?;
    if colon - start > 2 {
        return None;
    }
    let (mut second, mut nanosecond) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        (second, rest) = leading_number(after, 2)?;
        if let Some(after) = rest.strip_prefix(['.', ',']) {
            let digits = digit_count(after);
            nanosecond = format!("{:0<9.9}", &after[..digits]).parse().ok()?;
            rest = &after[digits..];
        }
    }
    if rest.starts_with(|c: char| c == ':' || c.is_ascii_digit()) {
        return None;
    }
    let time = TimeDigits { hour: hour as i8, minute: minute as i8, second: second as i8, nanosecond };
    Some(DateParts { date: &text[..start], time: Some(time), after_time: rest })
}

/// Splits a date with a compact time: `20040105t101500z` or `2004-01-05t1015`.
fn split_at_compact_time(text: &str) -> Option<DateParts<'_>> {
    let (date, after) = text.split_once('t')?;
    let length = digit_count(after);
    if !date.ends_with(|c: char| c.is_ascii_digit()) || !matches!(length, 4 | 6) {
        return None;
    }
    let (digits, after_time) = after.split_at(length);
    let two_digits = |at: usize| digits.get(at..at + 2).map_or(Some(0), |pair| pair.parse().ok());
    let time = TimeDigits { hour: two_digits(0)?, minute: two_digits(2)?, second: two_digits(4)?, nanosecond: 0 };
    Some(DateParts { date, time: Some(time), after_time })
}

/// Validates a time of day. Maps a leap second to the preceding second, and 24:00 to midnight of the next day.
pub fn at_time(date: Date, time: TimeDigits, is_afternoon: Option<bool>) -> Option<DateTime> {
    let hour = match (time.hour, is_afternoon) {
        (12, Some(false)) => 0,
        (hour @ 1..=11, Some(true)) => hour + 12,
        (hour, _) => hour,
    };
    if (hour, time.minute, time.second) == (24, 0, 0) {
        return Some(date.tomorrow().ok()?.to_datetime(Time::midnight()));
    }
    let second = if time.second == 60 { 59 } else { time.second };
    Some(date.to_datetime(Time::new(hour, time.minute, second, time.nanosecond).ok()?))
}

/// Returns whether a word of the 12-hour clock means the second half of the day.
pub fn half_of_day(word: &str) -> Option<bool> {
    match word {
        "am" => Some(false),
        "pm" => Some(true),
        _ => None,
    }
}
