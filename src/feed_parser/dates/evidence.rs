//! Infers the date format of a document from all of its dates together.

use jiff::{SignedDuration, Timestamp};

use super::{DateConventions, MonthNames, NumericOrder, ReadDate, ShownOrder};

/// The minimum ratio between the time spans of the ambiguous dates in the rejected order and in the chosen order.
const MIN_SPAN_RATIO: i32 = 4;

/// The dates of a document, as evidence for its conventions.
#[derive(Debug, Default)]
pub struct DateEvidence {
    is_day_first: bool,
    is_month_first: bool,
    /// The ranges of the ambiguous dates, read with the day first and with the month first.
    ranges: Option<[DateRange; 2]>,
}

#[derive(Debug, Clone, Copy)]
struct DateRange {
    first: Timestamp,
    last: Timestamp,
}

impl DateRange {
    fn extend(&mut self, time: Timestamp) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    fn length(self) -> SignedDuration {
        self.last.duration_since(self.first)
    }
}

impl DateEvidence {
    /// Adds a date that was parsed from `text`.
    pub fn observe(&mut self, text: &str, read: ReadDate) {
        match read.order {
            None => {}
            Some(ShownOrder::Proven(NumericOrder::DayFirst)) => self.is_day_first = true,
            Some(ShownOrder::Proven(NumericOrder::MonthFirst)) => self.is_month_first = true,
            Some(ShownOrder::Ambiguous) => {
                let in_order = |order| DateConventions { order: Some(order), ..DateConventions::default() }.parse(text);
                let orders = [NumericOrder::DayFirst, NumericOrder::MonthFirst];
                let [Some(day_first), Some(month_first)] = orders.map(in_order) else { return };
                let [day_first, month_first] = [day_first.time, month_first.time];
                let ranges = self
                    .ranges
                    .get_or_insert([day_first, month_first].map(|time| DateRange { first: time, last: time }));
                ranges[0].extend(day_first);
                ranges[1].extend(month_first);
            }
        }
    }

    /// Returns the conventions of the document. `language` is its declared language.
    pub fn conventions(&self, language: Option<&str>) -> DateConventions {
        let language = language.unwrap_or_default();
        let proven = match (self.is_day_first, self.is_month_first) {
            (true, false) => Some(NumericOrder::DayFirst),
            (false, true) => Some(NumericOrder::MonthFirst),
            _ => None,
        };
        let order = proven.or_else(|| order_of_language(language)).or_else(|| self.shorter_order());
        DateConventions {
            order: order.filter(|_| self.ranges.is_some()),
            month_names: MonthNames::of_language(language),
        }
    }

    /// Returns the order that puts the ambiguous dates close together: a feed covers consecutive recent days, not one
    /// day per month.
    fn shorter_order(&self) -> Option<NumericOrder> {
        let [day_first, month_first] = self.ranges?.map(DateRange::length);
        if day_first * MIN_SPAN_RATIO < month_first {
            Some(NumericOrder::DayFirst)
        } else if month_first * MIN_SPAN_RATIO < day_first {
            Some(NumericOrder::MonthFirst)
        } else {
            None
        }
    }
}

/// Returns the order of day and month in a language; `None` if the countries that use it differ or write the year
/// first.
fn order_of_language(tag: &str) -> Option<NumericOrder> {
    const YEAR_FIRST: [&str; 5] = ["zh", "ja", "ko", "hu", "lt"];
    let tag = tag.to_ascii_lowercase().replace('_', "-");
    let (primary, region) = tag.split_once('-').unwrap_or((&tag, ""));
    match (primary, region) {
        (_, "us" | "ph") => Some(NumericOrder::MonthFirst),
        ("en", "gb" | "uk" | "ie" | "au" | "nz" | "in" | "za") => Some(NumericOrder::DayFirst),
        ("" | "en", _) => None,
        _ if YEAR_FIRST.contains(&primary) => None,
        _ => Some(NumericOrder::DayFirst),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dates: &[&str], language: Option<&str>, expected: &str) {
        let mut evidence = DateEvidence::default();
        for date in dates {
            evidence.observe(date, DateConventions::default().parse(date).unwrap());
        }
        let read = evidence.conventions(language).parse(dates[0]).unwrap();
        assert_eq!(read.time.strftime("%F").to_string(), expected, "{dates:?}");
    }

    #[test]
    fn day_above_twelve_shows_the_order_of_all_dates() {
        check(&["04/05/2026", "29/04/2026"], None, "2026-05-04");
        check(&["04/05/2026", "04/29/2026"], Some("de"), "2026-04-05");
        check(&["04-05-2026", "04-29-2026"], None, "2026-04-05");
    }

    #[test]
    fn language_shows_the_order_if_no_date_does() {
        check(&["04/05/2026"], Some("fr"), "2026-05-04");
        check(&["04/05/2026"], Some("en-GB"), "2026-05-04");
        check(&["04/05/2026"], Some("en-us"), "2026-04-05");
        check(&["04/05/2026"], None, "2026-04-05");
    }

    #[test]
    fn dates_close_together_show_the_order() {
        check(&["06/05/2026", "05/05/2026", "04/05/2026"], None, "2026-05-06");
        check(&["05/06/2026", "05/05/2026", "05/04/2026"], None, "2026-05-06");
    }

    #[test]
    fn dotted_dates_have_the_day_first() {
        check(&["04.05.2026", "04/29/2026"], None, "2026-05-04");
    }
}
