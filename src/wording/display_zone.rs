//! The time zone in which pages and feeds show times.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time zone of the IANA database that is part of the program, so that the same database and the same configuration
/// give the same bytes on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayZone(TimeZone);

impl DisplayZone {
    pub const UTC: DisplayZone = DisplayZone(TimeZone::UTC);

    /// Returns the name of the zone: `UTC`, `Europe/Warsaw`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Formats a time as `1 Mar 2026, 12:00 UTC`.
    pub fn time(&self, at: Timestamp) -> String {
        self.format(at, "%-d %b %Y, %H:%M %Z")
    }

    /// Formats a time without the year and the zone: `1 Mar 12:00`.
    pub fn short_time(&self, at: Timestamp) -> String {
        self.format(at, "%-d %b %H:%M")
    }

    /// Formats a time without the year: `1 Mar 12:00 UTC`.
    pub fn short_time_with_zone(&self, at: Timestamp) -> String {
        self.format(at, "%-d %b %H:%M %Z")
    }

    /// Formats a day as `Sunday, 1 March 2026`.
    pub fn day(&self, at: Timestamp) -> String {
        self.format(at, "%A, %-d %B %Y")
    }

    /// Formats a day as `2026-03-01`.
    pub fn date(&self, at: Timestamp) -> String {
        self.format(at, "%Y-%m-%d")
    }

    fn format(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned_datetime(self.0.clone()).strftime(format).to_string()
    }
}

impl Default for DisplayZone {
    fn default() -> Self {
        DisplayZone::UTC
    }
}

impl Serialize for DisplayZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for DisplayZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let zone = TimeZoneDatabase::bundled().get(&name);
        let message = || {
            format!("‘{name}’ is not a time zone; use an IANA time zone name, for example \"Europe/Warsaw\" or \"UTC\"")
        };
        zone.map(DisplayZone).map_err(|_| serde::de::Error::custom(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_the_rules_of_the_zone() {
        let zone: DisplayZone = serde_json::from_str("\"Europe/Warsaw\"").unwrap();
        let (winter, summer): (Timestamp, Timestamp) =
            ("2026-03-01T23:30:00Z".parse().unwrap(), "2026-07-01T23:30:00Z".parse().unwrap());
        assert_eq!(zone.time(winter), "2 Mar 2026, 00:30 CET");
        assert_eq!(zone.short_time_with_zone(summer), "2 Jul 01:30 CEST");
        assert_eq!((zone.day(winter), zone.date(winter)), ("Monday, 2 March 2026".into(), "2026-03-02".into()));
        assert_eq!(DisplayZone::UTC.time(winter), "1 Mar 2026, 23:30 UTC");
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Europe/Warsaw\"");
        assert!(serde_json::from_str::<DisplayZone>("\"Mars/Base\"").is_err());
    }
}
