//! Parses dates in feeds: RFC 822, 2822, 3339 and 9557, ISO 8601, asctime, and many nonstandard formats.
//!
//! The parser never guesses a missing date, never reads the clock, and never panics. A missing time zone means UTC. The
//! weekday is ignored, because it is wrong more often than the date. `ingest` handles absurd dates (1905, 2087).
//!
//! The parser first locates the colon of the time of day. The text before the time is the date. The text after the time
//! is the time zone, or the year as in asctime.

mod evidence;
mod zones_and_months;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

use unicode_normalization::UnicodeNormalization;

pub use self::evidence::DateEvidence;
pub use self::zones_and_months::MonthNames;
use self::zones_and_months::{named_zone, normalize_thai_month, parse_month};
use crate::markup::entities::decode_entities;

/// The maximum length of a date in characters.
const MAX_DATE_CHARS: usize = 100;

/// The conventions of a document for dates that are otherwise ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DateConventions {
    /// The order of `02/03/2026`; `None` if it is unknown. In that case, the month comes first only in dates with
    /// slashes.
    pub order: Option<NumericOrder>,
    pub month_names: MonthNames,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumericOrder {
    DayFirst,
    MonthFirst,
}

/// The precision of a date's time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeOfDay {
    /// The date contains only the day.
    #[default]
    Missing,
    /// The time is `00:00`, which many programs write for a day without a time.
    Midnight,
    Given,
}

/// A parsed date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadDate {
    pub time: Timestamp,
    pub time_of_day: TimeOfDay,
    /// The order of day and month, if the date is numeric with slashes or hyphens.
    order: Option<ShownOrder>,
}

/// The evidence that a numeric date gives about the order of day and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShownOrder {
    /// The date is valid only in this order.
    Proven(NumericOrder),
    Ambiguous,
}

impl DateConventions {
    /// Returns the time that the text represents; `None` if the text is not a date.
    pub fn parse(self, text: &str) -> Option<ReadDate> {
        let text = text.trim();
        if text.chars().nth(MAX_DATE_CHARS).is_some() {
            return None;
        }
        // Some dates are escaped twice: `&#43;0100`.
        let written = decode_entities(text).to_lowercase();
        let written: String = if written.is_ascii() { written } else { compose(&written) };
        let text = normalize_notation(&written);
        if let Some(time) = parse_unix_time(&text) {
            return Some(ReadDate { time, time_of_day: TimeOfDay::Given, order: None });
        }
        let mut parts = split_at_time(&text)?;
        let suffix = if parts.date.trim().is_empty() {
            // In `14:05 02/03/2026`, the date follows the time.
            parts.date = std::mem::take(&mut parts.after_time);
            DateSuffix { zone: words(parts.date).find_map(named_zone), ..DateSuffix::default() }
        } else {
            parse_suffix(parts.after_time)?
        };
        let (date, order) = self.parse_civil_date(parts.date, parts.time.is_some(), suffix.year)?;
        let is_afternoon = suffix.is_afternoon.or_else(|| words(parts.date).filter_map(half_of_day).last());
        let datetime = at_time(date, parts.time.unwrap_or_default(), is_afternoon)?;
        // Korean sites write local times without a time zone.
        let default_offset = Offset::constant(if is_korean(&written) { 9 } else { 0 });
        let zone = suffix.zone.unwrap_or_else(|| default_offset.to_time_zone());
        let time_of_day = match parts.time {
            None => TimeOfDay::Missing,
            Some(_) if datetime.time() == Time::midnight() => TimeOfDay::Midnight,
            Some(_) => TimeOfDay::Given,
        };
        Some(ReadDate { time: zone.to_timestamp(datetime).ok()?, time_of_day, order })
    }
}

/// Composes characters, and converts digits to ASCII. In lowercase, the Turkish `İ` is an `i` with a second dot, which
/// has no composed form.
fn compose(text: &str) -> String {
    text.nfc().filter(|c| *c != '\u{307}').map(ascii_digit).collect()
}

/// Returns the ASCII form of an Arabic, Persian, Hindi, Bengali or Thai digit. Returns other characters unchanged.
fn ascii_digit(c: char) -> char {
    const ZEROS: [u32; 5] = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50];
    let value = |zero: &u32| (c as u32).checked_sub(*zero).and_then(|value| char::from_digit(value, 10));
    ZEROS.iter().find_map(value).unwrap_or(c)
}

/// Converts a lowercase date to standard notation.
fn normalize_notation(text: &str) -> String {
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

fn is_korean(text: &str) -> bool {
    text.contains(['년', '오'])
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
/// "o'clock" precedes. Otherwise, they are a day and a month.
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

/// The time of day as written, before validation.
#[derive(Clone, Copy, Default)]
struct TimeDigits {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
}

/// A string split into the date, the time of day and the text after the time.
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

/// Returns the number of ASCII digits at the start of the text.
fn digit_count(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Returns a number of at most `max_digits` digits, and the text after it.
fn leading_number(text: &str, max_digits: usize) -> Option<(i64, &str)> {
    let length = digit_count(text).min(max_digits);
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// Parses seconds or milliseconds since 1970, as in some JSON. Drops a fraction.
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

/// Validates a time of day. Maps a leap second to the preceding second, and 24:00 to midnight of the next day.
fn at_time(date: Date, time: TimeDigits, is_afternoon: Option<bool>) -> Option<DateTime> {
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
fn half_of_day(word: &str) -> Option<bool> {
    match word {
        "am" => Some(false),
        "pm" => Some(true),
        _ => None,
    }
}

/// The values that follow the time of day.
#[derive(Default)]
struct DateSuffix {
    zone: Option<TimeZone>,
    year: Option<i16>,
    is_afternoon: Option<bool>,
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
            // An offset before the bracket takes precedence (RFC 9557).
            let name = text[1..].split(']').next().unwrap_or_default();
            suffix.zone = suffix.zone.or_else(|| named_zone(name));
            return Some(suffix);
        } else {
            let length = text.find(|c: char| !(c.is_alphabetic() || matches!(c, '/' | '_'))).unwrap_or(text.len());
            let (word, after) = text.split_at(length.max(first.len_utf8()));
            text = after;
            match word {
                "am" | "a" => suffix.is_afternoon = Some(false),
                "pm" | "p" => suffix.is_afternoon = Some(true),
                _ => suffix.zone = named_zone(word).or(suffix.zone),
            }
        }
    }
}

/// The plus, the hyphen-minus, and the minus sign and en dash that word processors write instead.
const SIGNS: [char; 4] = ['+', '-', '\u{2212}', '\u{2013}'];

/// Parses `+02:00`, `-0800` or `+2`. Returns the text after the offset, which must not continue the number.
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

impl DateConventions {
    /// Parses the text before the time of day. `year_after` is the year after the time, as in asctime.
    fn parse_civil_date(
        self,
        text: &str,
        has_time: bool,
        year_after: Option<i16>,
    ) -> Option<(Date, Option<ShownOrder>)> {
        if let Some(date) = parse_week_date(text) {
            return Some((date, None));
        }
        let text = text.trim_end_matches(|c: char| c == 't' || c.is_whitespace() || matches!(c, ',' | '-'));
        let starts_with_digit = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let mut numbers: Vec<&str> = words(text).filter(starts_with_digit).collect();
        let year_after = year_after.map(|year| format!("{year:04}"));
        numbers.extend(year_after.as_deref());
        // A word next to a complete numeric date is a weekday.
        let month_name = if numbers.len() == 3 { None } else { self.month_name(text) };

        // A number in a sentence is not a date: "sometime in 2011".
        let is_numeric = !text.contains(char::is_alphabetic);
        let date = match (month_name, numbers.as_slice()) {
            (Some(month), [a, b]) if a.len() == 4 => build_date(a, month, b),
            (Some(month), [day, year]) => build_date(year, month, day),
            (None, [year, month, day]) if year.len() == 4 => build_date(year, month.parse().ok()?, day),
            (None, [a, b, year]) if year.len() == 4 || !text.contains('-') => {
                return self.parse_numeric_date(text, [a, b, year]);
            }
            (None, [year, month, day]) => build_date(year, month.parse().ok()?, day),
            (None, [_] | [_, _]) if !is_numeric => None,
            (None, [year, day]) if year.len() == 4 && day.len() == 3 => day_of_year(year, day),
            (None, [year, month]) if !has_time && (year.len() == 4 || text.starts_with('-')) => {
                build_date(year, month.parse().ok()?, "1")
            }
            (None, [digits]) => parse_compact_date(digits, text.starts_with('-'), has_time),
            _ => None,
        };
        Some((date?, None))
    }

    /// Returns the month that a word of the text names. If several words name a month, the last one is used, because
    /// `mar` is also an abbreviation of Tuesday in French and Spanish.
    fn month_name(self, text: &str) -> Option<i8> {
        const FINNISH_WEEKDAYS: [&str; 4] = ["ke", "pe", "la", "su"];
        let is_finnish = words(text).any(|word| FINNISH_WEEKDAYS.contains(&word));
        let names = if is_finnish { MonthNames::Finnish } else { self.month_names };
        words(text).filter_map(|word| parse_month(word, names)).last()
    }

    /// Parses 31/12/2003, 31.12.2003 or 12/31/2003. A number above 12 determines the order, or else (unless dots
    /// separate the numbers) the conventions of the document, or else the separator: only dates with slashes start with
    /// the month.
    fn parse_numeric_date(self, text: &str, [a, b, year]: [&str; 3]) -> Option<(Date, Option<ShownOrder>)> {
        let is_dotted = !text.contains(['/', '-']);
        let (first, second): (i8, i8) = (a.parse().ok()?, b.parse().ok()?);
        let proven = match (first > 12, second > 12) {
            (true, _) => Some(NumericOrder::DayFirst),
            (_, true) => Some(NumericOrder::MonthFirst),
            _ => None,
        };
        let usual = if text.contains('/') { NumericOrder::MonthFirst } else { NumericOrder::DayFirst };
        let order = proven.or(self.order.filter(|_| !is_dotted)).unwrap_or(usual);
        let date = match order {
            NumericOrder::DayFirst => build_date(year, second, a),
            NumericOrder::MonthFirst => build_date(year, first, b),
        }?;
        let shown = proven.map_or(ShownOrder::Ambiguous, ShownOrder::Proven);
        Some((date, Some(shown).filter(|_| !is_dotted && first != second)))
    }
}

/// Parses a week date: `2026-w10-1` or `2026w10` (ISO 8601 §5.2.3).
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

/// Parses ISO 8601 without hyphens, including the truncated forms of its first edition: `031231`, `03335`, `-0312`.
fn parse_compact_date(digits: &str, is_truncated: bool, has_time: bool) -> Option<Date> {
    // The second part of a word such as `m2ар2` starts with a digit too.
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
        // RFC 2822 §4.3, but with 68 as the last two-digit year that means the 21st century.
        (1 | 2, 0..=68) => 2000 + number,
        (1..=3, _) => 1900 + number,
        // The Buddhist era starts in the year 543 BC.
        (4, 2400..2700) => number - 543,
        (4, _) => number,
        _ => return None,
    };
    Date::new(year, month, day.parse().ok()?).ok()
}

/// Returns the words and numbers in the text. Words and numbers are separated: `30aug` is `30` and `aug`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_digit = |c: char| c.is_ascii_digit();
    text.split(|c: char| !c.is_alphanumeric()).flat_map(move |word| {
        let boundary = if word.starts_with(is_digit) { word.find(|c| !is_digit(c)) } else { word.find(is_digit) };
        let (first, second) = word.split_at(boundary.unwrap_or(word.len()));
        [first, second].into_iter().filter(|part| !part.is_empty())
    })
}

#[cfg(test)]
mod tests;
