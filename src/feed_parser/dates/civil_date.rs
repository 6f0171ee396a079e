//! Parses the day, month and year: names of months, numeric dates, week dates and days of a year.

use jiff::civil::{Date, ISOWeekDate, Weekday};

use super::zones_and_months::{MonthNames, parse_month};
use super::{DateConventions, NumericOrder, ShownOrder, words};

impl DateConventions {
    /// Parses the text before the time of day. `year_after` is the year after the time, as in asctime.
    pub(super) fn parse_civil_date(
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

    /// Parses 31/12/2003, 31.12.2003 or 12/31/2003. A number above 12 determines the order. Otherwise, the conventions
    /// of the document determine it, unless dots separate the numbers. Otherwise, the separator determines it: only
    /// dates with slashes start with the month.
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
fn parse_week_date(text: &str) -> Option<Date> {
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
        // As in RFC 2822 §4.3, but 68 is the last two-digit year in the 21st century.
        (1 | 2, 0..=68) => 2000 + number,
        (1..=3, _) => 1900 + number,
        // The Buddhist era starts in the year 543 BC.
        (4, 2400..2700) => number - 543,
        (4, _) => number,
        _ => return None,
    };
    Date::new(year, month, day.parse().ok()?).ok()
}
