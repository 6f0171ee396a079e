//! Dates as feeds write them: RFC 822, 2822, 3339 and 9557, ISO 8601, asctime, and what people make of them.
//!
//! Never guesses a date that is not there, never reads the clock, never panics. A missing zone means UTC; a weekday is
//! not looked at, because it is wrong more often than the date is. What is absurd (1905, 2087) is judged elsewhere.
//!
//! The way: the time of day is found by its colon; what stands before it is the date, what stands after it the zone,
//! or the year as in asctime.

mod habits;
mod names;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use self::names::{Zone, month, zone};

/// A text that is longer is no date.
const MAX_LENGTH: usize = 100;

/// The moment that a text names, or none if it names none.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (text, mut zone) = habits::plain(text);
    if let Some(moment) = unix_time(&text) {
        return Some(moment);
    }

    let parts = split(&text)?;
    let mut rest = rest_of(parts.rest)?;
    let (date, afternoon) = date_of(parts.date, parts.time.is_some(), rest.year)?;
    rest.afternoon = rest.afternoon.or(afternoon);
    let (time, next_day) = clock(parts.time.unwrap_or_default(), rest.afternoon)?;
    let date = if next_day { date.tomorrow().ok()? } else { date };
    zone = rest.zone.unwrap_or(zone);
    zone.timestamp(date.to_datetime(time))
}

#[derive(Clone, Copy, Default)]
struct Clock {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
}

/// A text cut into the date, the time of day and what follows it.
struct Parts<'a> {
    date: &'a str,
    time: Option<Clock>,
    rest: &'a str,
}

fn split(text: &str) -> Option<Parts<'_>> {
    let is_digit = |at: usize| at > 0 && text.as_bytes()[at - 1].is_ascii_digit();
    // A colon behind a word only introduces the date: `Posted: 2 March 2026 14:05`.
    let Some(colon) = text.match_indices(':').map(|(at, _)| at).find(|at| is_digit(*at)) else {
        return Some(compact_time(text).unwrap_or(Parts { date: text, time: None, rest: "" }));
    };
    let before = &text[..colon];
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (hour, _) = digits(&text[start..], 2)?;
    let (minute, mut rest) = digits(&text[colon + 1..], 2)?;
    if colon - start > 2 {
        return None;
    }
    let (mut second, mut nanosecond) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        (second, rest) = digits(after, 2)?;
        if let Some(after) = rest.strip_prefix(['.', ',']) {
            let fraction = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            nanosecond = format!("{:0<9.9}", &after[..fraction]).parse().ok()?;
            rest = &after[fraction..];
        }
    }
    if rest.starts_with([':', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return None;
    }
    let time = Clock { hour: hour as i8, minute: minute as i8, second: second as i8, nanosecond };
    Some(Parts { date: &text[..start], time: Some(time), rest })
}

/// `20040105t101500z` and `2004-01-05t1015`.
fn compact_time(text: &str) -> Option<Parts<'_>> {
    let (date, after) = text.split_once('t')?;
    let length = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if !date.ends_with(|c: char| c.is_ascii_digit()) || !matches!(length, 4 | 6) {
        return None;
    }
    let two = |at: usize| after.get(at..at + 2).filter(|_| at < length).map_or(Some(0), |d| d.parse::<i8>().ok());
    let time = Clock { hour: two(0)?, minute: two(2)?, second: two(4)?, nanosecond: 0 };
    Some(Parts { date, time: Some(time), rest: &after[length..] })
}

/// A number of at most `most` digits and what follows it.
fn digits(text: &str, most: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// Seconds or milliseconds since 1970, as some JSON has them; a fraction is left out.
fn unix_time(text: &str) -> Option<Timestamp> {
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

/// The time, and whether it is midnight at the day's end (24:00). A leap second is the second before it.
fn clock(clock: Clock, afternoon: Option<bool>) -> Option<(Time, bool)> {
    let hour = match (clock.hour, afternoon) {
        (12, Some(false)) => 0,
        (hour @ 1..=11, Some(true)) => hour + 12,
        (hour, _) => hour,
    };
    if hour == 24 && clock.minute == 0 && clock.second == 0 {
        return Some((Time::midnight(), true));
    }
    let second = if clock.second == 60 { 59 } else { clock.second };
    Time::new(hour, clock.minute, second, clock.nanosecond).ok().map(|time| (time, false))
}

/// What follows the time of day.
#[derive(Default)]
struct Rest {
    zone: Option<Zone>,
    year: Option<i16>,
    afternoon: Option<bool>,
}

fn rest_of(text: &str) -> Option<Rest> {
    let mut found = Rest::default();
    let mut text = text;
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';' | '.'));
        let Some(first) = text.chars().next() else {
            return Some(found);
        };
        if SIGNS.contains(&first) {
            let (offset, after) = offset(text)?;
            found.zone = Some(Zone::Offset(offset));
            text = after;
        } else if first.is_ascii_digit() {
            let length = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            found.year = Some(text[..length].parse().ok().filter(|_| length == 4)?);
            text = &text[length..];
        } else if first == '[' {
            // RFC 9557: an offset before the bracket has said it already.
            let name = text[1..].split(']').next().unwrap_or_default();
            found.zone = found.zone.or_else(|| zone(name));
            return Some(found);
        } else {
            let length = text.find(|c: char| !(c.is_alphabetic() || matches!(c, '/' | '_'))).unwrap_or(text.len());
            let word = &text[..length.max(first.len_utf8())];
            text = &text[word.len()..];
            match word {
                "am" | "a" => found.afternoon = Some(false),
                "pm" | "p" => found.afternoon = Some(true),
                _ => found.zone = zone(word).or(found.zone),
            }
        }
    }
}

/// Plus, and minus as it is typed and as word processors improve it.
const SIGNS: [char; 4] = ['+', '-', '\u{2212}', '\u{2013}'];

/// `+02:00`, `-0800`, `+2`; nothing but a blank or a bracket may follow.
fn offset(text: &str) -> Option<(Offset, &str)> {
    let sign = if text.starts_with('+') { 1 } else { -1 };
    let text = text.trim_start_matches(SIGNS).trim_start();
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (hours, minutes, after) = match length {
        1 | 2 => {
            let (hours, after) = digits(text, 2)?;
            match after.strip_prefix(':') {
                Some(after) => digits(after, 2).map(|(minutes, after)| (hours, minutes, after))?,
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

/// The date before the time of day. Says also whether an `am` or `pm` stood in it.
fn date_of(text: &str, has_time: bool, year_after: Option<i16>) -> Option<(Date, Option<bool>)> {
    if let Some(date) = habits::week_date(text) {
        return Some((date, None));
    }
    let text = text.trim_end_matches(|c: char| c == 't' || c.is_whitespace() || matches!(c, ',' | '-'));
    let mut numbers: Vec<&str> = Vec::new();
    let (mut month_word, mut afternoon) = (None, None);
    for word in text.split(|c: char| !c.is_alphanumeric()).flat_map(letters_and_digits) {
        match word {
            "am" => afternoon = Some(false),
            "pm" => afternoon = Some(true),
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => numbers.push(word),
            // The last month counts: French and Spanish Tuesdays are `mar` too.
            _ => month_word = month(word).or(month_word),
        }
    }
    let year_after = year_after.map(|year| format!("{year:04}"));
    numbers.extend(year_after.as_deref());

    let date = match (month_word, numbers.as_slice()) {
        (Some(month), [a, b]) if a.len() == 4 => civil(a, month, b),
        (Some(month), [day, year]) => civil(year, month, day),
        (None, [year, month, day]) if year.len() == 4 => civil(year, month.parse().ok()?, day),
        (None, [a, b, year]) if year.len() == 4 || !text.contains('-') => {
            // 31/12/2003 and 31.12.2003, but 12/31/2003: only slashes are American.
            let day_first = !text.contains('/') || a.parse::<i8>().ok()? > 12;
            let (day, month) = if day_first { (a, b) } else { (b, a) };
            civil(year, month.parse().ok()?, day)
        }
        (None, [year, month, day]) => civil(year, month.parse().ok()?, day),
        (None, [year, day]) if year.len() == 4 && day.len() == 3 => day_of_year(year, day),
        (None, [year, month]) if !has_time && (year.len() == 4 || text.starts_with('-')) => {
            civil(year, month.parse().ok()?, "1")
        }
        (None, [digits]) => civil_of_digits(digits, text.starts_with('-'), has_time),
        _ => None,
    }?;
    Some((date, afternoon))
}

/// ISO 8601 without its hyphens, down to the truncated forms of its first edition: `031231`, `03335`, `-0312`.
fn civil_of_digits(digits: &str, truncated: bool, has_time: bool) -> Option<Date> {
    // `2ар2` begins with a digit too.
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let cut = |at: std::ops::Range<usize>| digits.get(at).and_then(|d| d.parse().ok());
    match digits.len() {
        8 => civil(&digits[..4], cut(4..6)?, &digits[6..]),
        6 => civil(&digits[..2], cut(2..4)?, &digits[4..]),
        4 if truncated => civil(&digits[..2], cut(2..4)?, "1"),
        4 if !has_time => civil(digits, 1, "1"),
        7 => day_of_year(&digits[..4], &digits[4..]),
        5 => day_of_year(&digits[..2], &digits[2..]),
        _ => None,
    }
}

fn day_of_year(year: &str, day: &str) -> Option<Date> {
    civil(year, 1, "1")?.with().day_of_year(day.parse().ok()?).build().ok()
}

fn civil(year: &str, month: i8, day: &str) -> Option<Date> {
    let number: i16 = year.parse().ok()?;
    let year = match (year.len(), number) {
        // RFC 2822 §4.3, with today's end of the century.
        (1 | 2, 0..=68) => 2000 + number,
        (1..=3, _) => 1900 + number,
        (4, _) => number,
        _ => return None,
    };
    Date::new(year, month, day.parse().ok()?).ok()
}

/// `30aug` is a number and a word; `1st` only a number.
fn letters_and_digits(word: &str) -> impl Iterator<Item = &str> {
    let numeric = |c: char| c.is_ascii_digit();
    let cut = match word.chars().next() {
        Some(c) if c.is_ascii_digit() => word.find(|c| !numeric(c)),
        _ => word.find(numeric),
    };
    let (first, second) = word.split_at(cut.unwrap_or(word.len()));
    [first, second].into_iter().filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(parse(text).map(|t| t.to_string()).as_deref(), Some(expect), "{text}");
    }

    #[test]
    fn what_the_standards_say() {
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
    fn zones_have_names_and_offsets_odd_shapes() {
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
    fn a_missing_zone_is_utc_and_a_missing_time_midnight() {
        check("2026-03-02 14:05", "2026-03-02T14:05:00Z");
        check("2026-03-02", "2026-03-02T00:00:00Z");
        check("March 2, 2026", "2026-03-02T00:00:00Z");
    }

    #[test]
    fn months_in_nine_languages() {
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
    fn a_tuesday_is_not_a_month() {
        check("mar, 05 mai 2026 10:00:00 +0200", "2026-05-05T08:00:00Z");
        check("mardi 5 mai 2026 10:00", "2026-05-05T10:00:00Z");
    }

    #[test]
    fn wrong_weekdays_short_years_and_midnight_at_the_end() {
        check("Fri, 2 Mar 26 14:05:09 GMT", "2026-03-02T14:05:09Z");
        check("Mon, 02 Mar 2026 24:00:00 GMT", "2026-03-03T00:00:00Z");
        check("Tue, 30 Jun 2015 23:59:60 GMT", "2015-06-30T23:59:59Z");
        check("02/03/2026 12:05 AM", "2026-02-03T00:05:00Z");
        check("31/03/2026 14:05", "2026-03-31T14:05:00Z");
        check("31.03.2026 14:05", "2026-03-31T14:05:00Z");
        check("1772460309", "2026-03-02T14:05:09Z");
    }

    #[test]
    fn what_is_no_date_is_none() {
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
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"9".repeat(10_000)), None);
    }
}
