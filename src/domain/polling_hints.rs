//! Polling hints of a feed: the interval between polls, and the hours and days on which clients should not poll.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The polling hints of one feed; empty if the feed gives none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PollingHints {
    /// The number of minutes for which a cached copy is fresh (RSS 2.0, `ttl`).
    pub ttl_minutes: Option<u32>,
    /// The minutes between two updates (RSS 1.0 module Syndication: `updatePeriod` divided by `updateFrequency`).
    pub period_minutes: Option<u32>,
    /// Hours of the day, in UTC, at which clients should not poll (RSS 2.0, `skipHours`).
    pub skip_hours: Vec<u8>,
    /// Days of the week, in UTC, on which clients should not poll (RSS 2.0, `skipDays`).
    #[serde(serialize_with = "serialize_days", deserialize_with = "deserialize_days")]
    pub skip_days: Vec<Weekday>,
}

impl PollingHints {
    /// Returns the first time, no earlier than `at`, that is outside the skipped hours and days. The result is at most
    /// `limit` later, so that a feed that skips every hour is polled too.
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

/// Parses the English name of a weekday. Ignores case.
pub fn parse_weekday(name: &str) -> Option<Weekday> {
    DAYS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(day, _)| *day)
}

fn serialize_days<S: Serializer>(days: &[Weekday], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(days.iter().map(|day| format!("{day:?}")))
}

fn deserialize_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(names.iter().filter_map(|name| parse_weekday(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_allowed(hints: &PollingHints, at: &str) -> String {
        hints.first_allowed(at.parse().unwrap(), SignedDuration::from_hours(24)).to_string()
    }

    #[test]
    fn poll_waits_until_after_skipped_hours_and_days() {
        let night = PollingHints { skip_hours: vec![0, 1, 2, 23], ..PollingHints::default() };
        assert_eq!(first_allowed(&night, "2026-03-01T22:30:00Z"), "2026-03-01T22:30:00Z");
        assert_eq!(first_allowed(&night, "2026-03-01T23:30:00Z"), "2026-03-02T03:00:00Z");
        // 1 March 2026 is a Sunday.
        let sunday = PollingHints { skip_days: vec![Weekday::Sunday], ..PollingHints::default() };
        assert_eq!(first_allowed(&sunday, "2026-03-01T20:15:00Z"), "2026-03-02T00:00:00Z");
    }

    #[test]
    fn feed_that_skips_every_hour_is_polled_once_a_day() {
        let never = PollingHints { skip_hours: (0..24).collect(), ..PollingHints::default() };
        assert_eq!(first_allowed(&never, "2026-03-01T20:15:00Z"), "2026-03-02T20:15:00Z");
    }

    #[test]
    fn hints_survive_serialization() {
        let hints = PollingHints { ttl_minutes: Some(5), skip_days: vec![Weekday::Friday], ..PollingHints::default() };
        let text = serde_json::to_string(&hints).unwrap();
        assert_eq!(serde_json::from_str::<PollingHints>(&text).unwrap(), hints);
        assert_eq!(serde_json::from_str::<PollingHints>("{}").unwrap(), PollingHints::default());
    }
}
