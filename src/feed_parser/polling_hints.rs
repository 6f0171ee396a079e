//! Reads when a feed asks to be polled: `ttl`, `skipHours` and `skipDays` (RSS 2.0), `sy:updatePeriod` and
//! `sy:updateFrequency` (RSS 1.0 module Syndication). Invalid values are ignored.

use crate::domain::{PollingHints, parse_weekday};

/// The elements' texts.
#[derive(Default)]
pub struct PollingElements<'a> {
    /// Minutes.
    pub ttl: Option<u32>,
    pub update_period: Option<&'a str>,
    pub update_frequency: Option<&'a str>,
    pub skip_hours: Vec<&'a str>,
    pub skip_days: Vec<&'a str>,
}

impl PollingElements<'_> {
    pub fn to_hints(&self) -> PollingHints {
        PollingHints {
            ttl_minutes: self.ttl,
            period_minutes: self.period_minutes(),
            skip_hours: self.skip_hours.iter().filter_map(|hour| parse_hour(hour)).collect(),
            skip_days: self.skip_days.iter().filter_map(|day| parse_weekday(day.trim())).collect(),
        }
    }

    /// A frequency without a period is ignored, since no publisher means the module's default period of a day.
    fn period_minutes(&self) -> Option<u32> {
        let minutes = match self.update_period?.trim().to_ascii_lowercase().as_str() {
            "hourly" => 60,
            "daily" => 24 * 60,
            "weekly" => 7 * 24 * 60,
            "monthly" => 30 * 24 * 60,
            "yearly" => 365 * 24 * 60,
            _ => return None,
        };
        let frequency = self.update_frequency.and_then(|number| number.trim().parse::<u32>().ok());
        Some(minutes / frequency.unwrap_or(1).max(1))
    }
}

fn parse_hour(text: &str) -> Option<u8> {
    let hour: u8 = text.trim().parse().ok()?;
    // RSS 0.91 counts from 1 to 24.
    (hour <= 24).then_some(hour % 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(update_period: &str, update_frequency: Option<&str>, expected: Option<u32>) {
        let elements =
            PollingElements { update_period: Some(update_period), update_frequency, ..PollingElements::default() };
        assert_eq!(elements.to_hints().period_minutes, expected);
    }

    #[test]
    fn period_is_divided_by_its_frequency() {
        check(" Hourly ", None, Some(60));
        check("daily", Some("4"), Some(360));
        check("hourly", Some("0"), Some(60));
        check("often", Some("4"), None);
        check("", Some("4"), None);
    }
}
