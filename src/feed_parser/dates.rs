//! Parses dates as feeds write them: RFC 822, 2822, 3339 and 9557, ISO 8601, asctime, and many nonstandard forms.
//!
//! Never guesses a missing date, never reads the clock, never panics. A missing zone means UTC. The weekday is ignored,
//! because it is wrong more often than the date. `ingest` handles absurd dates (1905, 2087).
//!
//! The colon of the time of day is found first: the text before the time is the date; the text after it is the zone, or
//! the year as in asctime.

mod nonstandard;
mod zones_and_months;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};

use self::nonstandard::{normalize_notation, parse_week_date};
use self::zones_and_months::{named_zone, parse_month};

/// A longer text is not a date.
const MAX_DATE_BYTES: usize = 100;

/// The time that a text names; `None` if it is not a date.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > MAX_DATE_BYTES {
        return None;
    }
    let normalized = normalize_notation(text);
    if let Some(timestamp) = parse_unix_time(&normalized.text) {
        return Some(timestamp);
    }
    let parts = split_at_time(&normalized.text)?;
    let suffix = parse_suffix(parts.after_time)?;
    let date = parse_civil_date(parts.date, parts.time.is_some(), suffix.year)?;
    let meridiem = suffix.meridiem.or(date.meridiem);
    let time = to_civil_time(parts.time.unwrap_or_default(), meridiem)?;
    let date = if time.is_end_of_day { date.date.tomorrow().ok()? } else { date.date };
    suffix.zone.unwrap_or(normalized.default_zone).to_timestamp(date.to_datetime(time.time)).ok()
}

/// Half of the day in 12-hour notation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meridiem {
    Am,
    Pm,
}

/// The time of day as written, not validated.
#[derive(Clone, Copy, Default)]
struct TimeDigits {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
}

/// A text split into the date, the time of day and the text after it.
struct DateParts<'a> {
    date: &'a str,
    time: Option<TimeDigits>,
    after_time: &'a str,
}

fn split_at_time(text: &str) -> Option<DateParts<'_>> {
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

/// `20040105t101500z` and `2004-01-05t1015`.
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

/// The number of ASCII digits that a text starts with.
fn digit_count(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// A number of at most `max_digits` digits and the text after it.
fn leading_number(text: &str, max_digits: usize) -> Option<(i64, &str)> {
    let length = digit_count(text).min(max_digits);
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// Seconds or milliseconds since 1970, as in some JSON. A fraction is dropped.
fn parse_unix_time(text: &str) -> Option<Timestamp> {
    let text = text.strip_prefix('@').unwrap_or(text);
    let text = text.split_once('.').map_or(text, |(whole, _)| whole);
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        10 => Timestamp::from_second(text.parse().ok()?).ok(),
        13 => Timestamp::from_millisecond(text.parse().ok()?).ok(),
        _ => None,
    }
}

struct CivilTime {
    time: Time,
    /// Whether the time is 24:00, which is midnight of the next day.
    is_end_of_day: bool,
}

/// Validates a time of day. A leap second becomes the second before it.
fn to_civil_time(digits: TimeDigits, meridiem: Option<Meridiem>) -> Option<CivilTime> {
    let hour = match (digits.hour, meridiem) {
        (12, Some(Meridiem::Am)) => 0,
        (hour @ 1..=11, Some(Meridiem::Pm)) => hour + 12,
        (hour, _) => hour,
    };
    if hour == 24 && digits.minute == 0 && digits.second == 0 {
        return Some(CivilTime { time: Time::midnight(), is_end_of_day: true });
    }
    let second = if digits.second == 60 { 59 } else { digits.second };
    let time = Time::new(hour, digits.minute, second, digits.nanosecond).ok()?;
    Some(CivilTime { time, is_end_of_day: false })
}

/// The values after the time of day.
#[derive(Default)]
struct DateSuffix {
    zone: Option<TimeZone>,
    year: Option<i16>,
    meridiem: Option<Meridiem>,
}

fn parse_suffix(text: &str) -> Option<DateSuffix> {
    let mut suffix = DateSuffix::default();
    let mut text = text;
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';' | '.'));
        let Some(first) = text.chars().next() else {
            return Some(suffix);
        };
        if SIGNS.contains(&first) {
            let (offset, after) = parse_offset(text)?;
            suffix.zone = Some(offset.to_time_zone());
            text = after;
        } else if first.is_ascii_digit() {
            let (digits, after) = text.split_at(digit_count(text));
            suffix.year = Some(digits.parse().ok().filter(|_| digits.len() == 4)?);
            text = after;
        } else if first == '[' {
            // RFC 9557: an offset before the bracket takes precedence.
            let name = text[1..].split(']').next().unwrap_or_default();
            suffix.zone = suffix.zone.or_else(|| named_zone(name));
            return Some(suffix);
        } else {
            let length = text.find(|c: char| !(c.is_alphabetic() || matches!(c, '/' | '_'))).unwrap_or(text.len());
            let (word, after) = text.split_at(length.max(first.len_utf8()));
            text = after;
            match word {
                "am" | "a" => suffix.meridiem = Some(Meridiem::Am),
                "pm" | "p" => suffix.meridiem = Some(Meridiem::Pm),
                _ => suffix.zone = named_zone(word).or(suffix.zone),
            }
        }
    }
}

/// Plus, hyphen-minus, and the minus sign and en dash that word processors replace it with.
const SIGNS: [char; 4] = ['+', '-', '\u{2212}', '\u{2013}'];

/// `+02:00`, `-0800` or `+2`, and the text after it, which must not continue the number.
fn parse_offset(text: &str) -> Option<(Offset, &str)> {
    let sign = if text.starts_with('+') { 1 } else { -1 };
    let text = text.trim_start_matches(SIGNS).trim_start();
    let (hours, minutes, after) = match digit_count(text) {
        1 | 2 => {
            let (hours, after) = leading_number(text, 2)?;
            match after.strip_prefix(':') {
                Some(after) => leading_number(after, 2).map(|(minutes, after)| (hours, minutes, after))?,
                None => (hours, 0, after),
            }
        }
        3 => (text[..1].parse().ok()?, text[1..3].parse().ok()?, &text[3..]),
        4 => (text[..2].parse().ok()?, text[2..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    if hours > 15 || minutes > 59 || after.starts_with(|c: char| c.is_alphanumeric() || c == ':') {
        return None;
    }
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60) as i32).ok()?;
    Some((offset, after))
}

struct CivilDate {
    date: Date,
    /// `am` or `pm` before the time of day.
    meridiem: Option<Meridiem>,
}

/// Parses the text before the time of day. `year_after` is the year after it, as in asctime.
fn parse_civil_date(text: &str, has_time: bool, year_after: Option<i16>) -> Option<CivilDate> {
    if let Some(date) = parse_week_date(text) {
        return Some(CivilDate { date, meridiem: None });
    }
    let text = text.trim_end_matches(|c: char| c == 't' || c.is_whitespace() || matches!(c, ',' | '-'));
    let mut numbers: Vec<&str> = Vec::new();
    let (mut month_name, mut meridiem) = (None, None);
    for word in text.split(|c: char| !c.is_alphanumeric()).flat_map(split_letters_and_digits) {
        match word {
            "am" => meridiem = Some(Meridiem::Am),
            "pm" => meridiem = Some(Meridiem::Pm),
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => numbers.push(word),
            // The last month counts: `mar` is also a French and a Spanish Tuesday.
            _ => month_name = parse_month(word).or(month_name),
        }
    }
    let year_after = year_after.map(|year| format!("{year:04}"));
    numbers.extend(year_after.as_deref());

    let date = match (month_name, numbers.as_slice()) {
        (Some(month), [a, b]) if a.len() == 4 => build_date(a, month, b),
        (Some(month), [day, year]) => build_date(year, month, day),
        (None, [year, month, day]) if year.len() == 4 => build_date(year, month.parse().ok()?, day),
        (None, [a, b, year]) if year.len() == 4 || !text.contains('-') => {
            // 31/12/2003 and 31.12.2003, but 12/31/2003: only dates with slashes are American.
            let is_day_first = !text.contains('/') || a.parse::<i8>().ok()? > 12;
            let (day, month) = if is_day_first { (a, b) } else { (b, a) };
            build_date(year, month.parse().ok()?, day)
        }
        (None, [year, month, day]) => build_date(year, month.parse().ok()?, day),
        (None, [year, day]) if year.len() == 4 && day.len() == 3 => day_of_year(year, day),
        (None, [year, month]) if !has_time && (year.len() == 4 || text.starts_with('-')) => {
            build_date(year, month.parse().ok()?, "1")
        }
        (None, [digits]) => parse_compact_date(digits, text.starts_with('-'), has_time),
        _ => None,
    }?;
    Some(CivilDate { date, meridiem })
}

/// ISO 8601 without hyphens, including the truncated forms of its first edition: `031231`, `03335`, `-0312`.
fn parse_compact_date(digits: &str, is_truncated: bool, has_time: bool) -> Option<Date> {
    // `2ар2` starts with a digit too.
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let month = |at: usize| digits.get(at..at + 2).and_then(|month| month.parse().ok());
    match digits.len() {
        8 => build_date(&digits[..4], month(4)?, &digits[6..]),
        6 => build_date(&digits[..2], month(2)?, &digits[4..]),
        4 if is_truncated => build_date(&digits[..2], month(2)?, "1"),
        4 if !has_time => build_date(digits, 1, "1"),
        7 => day_of_year(&digits[..4], &digits[4..]),
        5 => day_of_year(&digits[..2], &digits[2..]),
        _ => None,
    }
}

fn day_of_year(year: &str, day: &str) -> Option<Date> {
    build_date(year, 1, "1")?.with().day_of_year(day.parse().ok()?).build().ok()
}

fn build_date(year: &str, month: i8, day: &str) -> Option<Date> {
    let number: i16 = year.parse().ok()?;
    let year = match (year.len(), number) {
        // RFC 2822 §4.3, with the boundary of two-digit years moved to 68.
        (1 | 2, 0..=68) => 2000 + number,
        (1..=3, _) => 1900 + number,
        (4, _) => number,
        _ => return None,
    };
    Date::new(year, month, day.parse().ok()?).ok()
}

/// Splits a word where letters and digits meet: `30aug` into `30` and `aug`.
fn split_letters_and_digits(word: &str) -> impl Iterator<Item = &str> {
    let is_digit = |c: char| c.is_ascii_digit();
    let boundary = if word.starts_with(is_digit) { word.find(|c| !is_digit(c)) } else { word.find(is_digit) };
    let (first, second) = word.split_at(boundary.unwrap_or(word.len()));
    [first, second].into_iter().filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(parse_date(text).map(|t| t.to_string()).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn standard_forms_are_read() {
        check("Mon, 02 Mar 2026 14:05:09 GMT", "2026-03-02T14:05:09Z");
        check("2026-03-02T14:05:09.5+01:00", "2026-03-02T13:05:09.5Z");
        check("2026-03-02T14:05:09+01:00[Europe/Berlin]", "2026-03-02T13:05:09Z");
        check("Mon Mar  2 14:05:09 2026", "2026-03-02T14:05:09Z");
        check("20260302T140509Z", "2026-03-02T14:05:09Z");
        check("20260302140509", "2026-03-02T14:05:09Z");
        check("2026-061", "2026-03-02T00:00:00Z");
        check("2026061", "2026-03-02T00:00:00Z");
        check("Mon Mar  2 14:05:09 PST 2026", "2026-03-02T22:05:09Z");
        check("2026-W10-1T14:05:09Z", "2026-03-02T14:05:09Z");
    }

    #[test]
    fn zones_may_be_names_or_unusual_offsets() {
        check("2 Mar 2026 14:05 EST", "2026-03-02T19:05:00Z");
        check("2 Mar 2026 14:05 GMT+2", "2026-03-02T12:05:00Z");
        check("Mon, 02 Mar 2026 14:05:09 +5:30", "2026-03-02T08:35:09Z");
        check("Mon, 02 Jul 2026 14:05:09 Europe/Paris", "2026-07-02T12:05:09Z");
        check("2026-03-02 14:05:09 -0800 (PST)", "2026-03-02T22:05:09Z");
        check("Mon, 02 Mar 2026 14:05:09 + 0100", "2026-03-02T13:05:09Z");
        check("Mon, 02 Mar 2026 14:05:09 &#43;0100", "2026-03-02T13:05:09Z");
        check("2026-03-02T14:05:09[Europe/Berlin]", "2026-03-02T13:05:09Z");
        check("2 марта 2026 г., 14:05 МСК", "2026-03-02T11:05:00Z");
    }

    #[test]
    fn missing_zone_is_utc_and_missing_time_is_midnight() {
        check("2026-03-02 14:05", "2026-03-02T14:05:00Z");
        check("2026-03-02", "2026-03-02T00:00:00Z");
        check("March 2, 2026", "2026-03-02T00:00:00Z");
    }

    #[test]
    fn months_are_read_in_nine_languages() {
        for text in [
            "2. März 2026 14:05",
            "lundi 2 mars 2026 à 14:05",
            "lunes, 2 de marzo de 2026 14:05",
            "2 de março de 2026 14:05",
            "2 marzo 2026, 14:05",
            "maandag 2 maart 2026 14:05",
            "2 марта 2026 14:05",
            "2 marca 2026 14:05",
            "March 2nd, 2026 at 2:05 pm",
            "Mo., 2. Mrz. 2026, 14.05 Uhr",
            "lundi 2 mars 2026 14h05",
            "poniedziałek, 2 marca 2026, godz. 14:05",
            "2026年3月2日 14:05",
            "Published: 2 March 2026 14:05",
        ] {
            check(text, "2026-03-02T14:05:00Z");
        }
    }

    #[test]
    fn tuesday_is_not_read_as_march() {
        check("mar, 05 mai 2026 10:00:00 +0200", "2026-05-05T08:00:00Z");
        check("mardi 5 mai 2026 10:00", "2026-05-05T10:00:00Z");
    }

    #[test]
    fn wrong_weekdays_short_years_and_24_00_are_accepted() {
        check("Fri, 2 Mar 26 14:05:09 GMT", "2026-03-02T14:05:09Z");
        check("Mon, 02 Mar 2026 24:00:00 GMT", "2026-03-03T00:00:00Z");
        check("Tue, 30 Jun 2015 23:59:60 GMT", "2015-06-30T23:59:59Z");
        check("02/03/2026 12:05 AM", "2026-02-03T00:05:00Z");
        check("31/03/2026 14:05", "2026-03-31T14:05:00Z");
        check("31.03.2026 14:05", "2026-03-31T14:05:00Z");
        check("1772460309", "2026-03-02T14:05:09Z");
    }

    #[test]
    fn text_that_is_not_a_date_is_none() {
        for text in [
            "",
            "yesterday",
            "14:05",
            "99 Jun 2026 12:00",
            "2026-02-30",
            "2026-03-02T25:00:00Z",
            "1:2:3:4",
            "::",
            "é:é",
            "2026-03-02T10:00:00+zz:00",
            "+",
            "-",
            "12:",
            "m2ар2 4:14",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(parse_date(&"9".repeat(10_000)), None);
    }
}
