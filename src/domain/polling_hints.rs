//! What a feed asks of those who poll it: how long to wait, and at which hours and on which days to stay away.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The wishes of one feed; empty where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PollingHints {
    /// Minutes for which a copy is good (RSS 2.0, `ttl`).
    pub ttl_minutes: Option<u32>,
    /// Minutes between two updates (RSS 1.0 module Syndication: `updatePeriod` divided by `updateFrequency`).
    pub period_minutes: Option<u32>,
    /// Hours of the day, in UTC, at which it asks not to be fetched (RSS 2.0, `skipHours`).
    pub skip_hours: Vec<u8>,
    /// Days of the week, in UTC, on which it asks not to be fetched (RSS 2.0, `skipDays`).
    #[serde(serialize_with = "names", deserialize_with = "from_names")]
    pub skip_days: Vec<Weekday>,
}

impl PollingHints {
    /// The first moment from `at` on that no skipped hour or day forbids, at most `limit` later: a feed that skips
    /// every hour is asked all the same.
    pub fn first_allowed(&self, at: Timestamp, limit: SignedDuration) -> Timestamp {
        if self.skip_hours.is_empty() && self.skip_days.is_empty() {
            return at;
        }
        let last = at.checked_add(limit).unwrap_or(Timestamp::MAX);
        let mut moment = at;
        while moment < last && self.skips(moment) {
            let into_hour = moment.as_millisecond().rem_euclid(3_600_000);
            let next_hour = SignedDuration::from_millis(3_600_000 - into_hour);
            moment = moment.checked_add(next_hour).unwrap_or(Timestamp::MAX);
        }
        moment.min(last)
    }

    fn skips(&self, moment: Timestamp) -> bool {
        let utc = moment.to_zoned_datetime(TimeZone::UTC);
        self.skip_hours.contains(&(utc.hour() as u8)) || self.skip_days.contains(&utc.weekday())
    }
}

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "Monday"),
    (Weekday::Tuesday, "Tuesday"),
    (Weekday::Wednesday, "Wednesday"),
    (Weekday::Thursday, "Thursday"),
    (Weekday::Friday, "Friday"),
    (Weekday::Saturday, "Saturday"),
    (Weekday::Sunday, "Sunday"),
];

/// A weekday by its English name, in any case.
pub fn weekday(name: &str) -> Option<Weekday> {
    DAYS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(day, _)| *day)
}

fn names<S: Serializer>(days: &[Weekday], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(days.iter().map(|day| format!("{day:?}")))
}

fn from_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(names.iter().filter_map(|name| weekday(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_allowed(wishes: &PollingHints, at: &str) -> String {
        wishes.first_allowed(at.parse().unwrap(), SignedDuration::from_hours(24)).to_string()
    }

    #[test]
    fn skipped_hours_and_days_are_waited_out() {
        let night = PollingHints { skip_hours: vec![0, 1, 2, 23], ..PollingHints::default() };
        assert_eq!(first_allowed(&night, "2026-03-01T22:30:00Z"), "2026-03-01T22:30:00Z");
        assert_eq!(first_allowed(&night, "2026-03-01T23:30:00Z"), "2026-03-02T03:00:00Z");
        // 1 March 2026 is a Sunday.
        let sunday = PollingHints { skip_days: vec![Weekday::Sunday], ..PollingHints::default() };
        assert_eq!(first_allowed(&sunday, "2026-03-01T20:15:00Z"), "2026-03-02T00:00:00Z");
    }

    #[test]
    fn a_feed_that_skips_everything_is_asked_once_a_day() {
        let never = PollingHints { skip_hours: (0..24).collect(), ..PollingHints::default() };
        assert_eq!(first_allowed(&never, "2026-03-01T20:15:00Z"), "2026-03-02T20:15:00Z");
    }

    #[test]
    fn wishes_survive_being_written_down() {
        let wishes = PollingHints { ttl_minutes: Some(5), skip_days: vec![Weekday::Friday], ..PollingHints::default() };
        let text = serde_json::to_string(&wishes).unwrap();
        assert_eq!(serde_json::from_str::<PollingHints>(&text).unwrap(), wishes);
        assert_eq!(serde_json::from_str::<PollingHints>("{}").unwrap(), PollingHints::default());
    }
}
