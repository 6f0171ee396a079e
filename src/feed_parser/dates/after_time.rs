//! Parses the text after the time of day: the time zone, the year as in asctime, and the half of the day (a.m. or
//! p.m.).

use jiff::tz::TimeZone;

use super::digit_count;
use super::utc_offset::{SIGNS, parse_offset};
use super::zones_and_months::named_zone;

/// The values that follow the time of day.
#[derive(Default)]
pub struct DateSuffix {
    pub zone: Option<TimeZone>,
    pub year: Option<i16>,
    pub is_afternoon: Option<bool>,
}

pub fn parse_suffix(text: &str) -> Option<DateSuffix> {
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
