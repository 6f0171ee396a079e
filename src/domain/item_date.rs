//! The date of an item: which of the dates that its source claims are plausible, and the date by which it is ranked.

use super::duration::after;
use jiff::{SignedDuration, Timestamp};

/// The maximum time by which a source's clock may be ahead of newsfold's clock.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);
/// The maximum distance from the start of 1970 at which a date is treated as zero in some time zone.
const ZERO_DATE_RANGE: SignedDuration = SignedDuration::from_hours(48);
/// The length of a day, by which newsfold measures whether a day without a time is over.
const DAY: SignedDuration = SignedDuration::from_hours(24);

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

/// Returns whether a claimed date can be true. A date in the future, or a zero date, cannot.
pub fn is_plausible(claimed: Timestamp, now: Timestamp) -> bool {
    claimed > Timestamp::UNIX_EPOCH + ZERO_DATE_RANGE && claimed <= now + MAX_CLOCK_SKEW
}

/// Returns whether a date states only the day. Many programs write 00:00 for a day without a time. If other items of the
/// document have times, a true midnight is rare.
pub fn is_day_only(time_of_day: TimeOfDay, others_have_times: bool) -> bool {
    match time_of_day {
        TimeOfDay::Missing => true,
        TimeOfDay::Midnight => !others_have_times,
        TimeOfDay::Given => false,
    }
}

/// Returns the date by which newsfold ranks an item that it first sees now: the earlier of `claimed` and `now`. An item
/// without a date, or with only the date of the current day, is ranked by `now`.
pub fn ranking_date(claimed: Option<Timestamp>, is_day_only: bool, now: Timestamp) -> Timestamp {
    let is_of_today = |day: Timestamp| is_day_only && now < after(day, DAY);
    claimed.filter(|claimed| !is_of_today(*claimed)).map_or(now, |claimed| claimed.min(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(20_000 * 24 + hour)
    }

    #[test]
    fn zero_dates_and_dates_more_than_a_day_in_the_future_are_not_plausible() {
        assert!(is_plausible(at(24), at(0)) && !is_plausible(at(25), at(0)));
        let zero = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        assert!(!is_plausible(zero(48), at(0)) && is_plausible(zero(49), at(0)));
    }

    #[test]
    fn midnight_is_a_day_without_a_time_unless_other_items_have_times() {
        assert!(is_day_only(TimeOfDay::Missing, true) && is_day_only(TimeOfDay::Midnight, false));
        assert!(!is_day_only(TimeOfDay::Midnight, true) && !is_day_only(TimeOfDay::Given, false));
    }

    #[test]
    fn item_is_ranked_by_its_date_or_else_by_the_time_at_which_it_was_first_seen() {
        assert_eq!(ranking_date(Some(at(1)), false, at(3)), at(1));
        assert_eq!(ranking_date(Some(at(5)), false, at(3)), at(3), "a date in the future");
        assert_eq!(ranking_date(None, false, at(3)), at(3));
        assert_eq!(ranking_date(Some(at(0)), true, at(23)), at(23), "the day is not over");
        assert_eq!(ranking_date(Some(at(0)), true, at(24)), at(0));
    }
}
