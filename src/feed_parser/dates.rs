//! Parses dates in feeds: RFC 822, 2822, 3339 and 9557, ISO 8601, asctime, and many nonstandard formats.
//!
//! The parser never guesses a missing date, never reads the clock, and never panics. A missing time zone means UTC. The
//! weekday is ignored, because it is wrong more often than the date. [`crate::domain::item_date`] decides which dates are
//! absurd (1905, 2087).
//!
//! The parser first locates the colon of the time of day. The text before the time is the date. The text after the time
//! is the time zone, or the year as in asctime.

mod after_time;
mod civil_date;
mod evidence;
mod notation;
mod time_of_day;
mod utc_offset;
mod zones_and_months;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::Offset;

use self::after_time::{DateSuffix, parse_suffix};
pub use self::evidence::DateEvidence;
use self::notation::{compose, is_korean, normalize_notation};
use self::time_of_day::{at_time, half_of_day, split_at_time};
pub use self::zones_and_months::MonthNames;
use self::zones_and_months::named_zone;
use crate::domain::item_date::TimeOfDay;
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
