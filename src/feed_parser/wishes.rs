//! What a feed says of when it wants to be polled, as its document says it → [`PollingHints`]. What makes no sense is no wish.

use super::rewrite::{NOTE_SKIP_DAY, NOTE_SKIP_HOUR, NOTE_UPDATE_FREQUENCY, NOTE_UPDATE_PERIOD};
use crate::domain::{PollingHints, weekday};

/// What the document said: its `ttl`, and by their names the notes that the rewrite left.
pub struct Said<'a> {
    pub ttl: Option<u32>,
    pub notes: &'a dyn Fn(&str) -> Vec<String>,
}

impl Said<'_> {
    pub fn wishes(&self) -> PollingHints {
        PollingHints {
            ttl_minutes: self.ttl,
            period_minutes: self.period(),
            skip_hours: hours(&(self.notes)(NOTE_SKIP_HOUR)),
            skip_days: (self.notes)(NOTE_SKIP_DAY).iter().filter_map(|day| weekday(day.trim())).collect(),
        }
    }

    /// Without a period a frequency says nothing, since the module's default of a day is nobody's wish.
    fn period(&self) -> Option<u32> {
        let minutes = match (self.notes)(NOTE_UPDATE_PERIOD).first()?.trim().to_ascii_lowercase().as_str() {
            "hourly" => 60,
            "daily" => 24 * 60,
            "weekly" => 7 * 24 * 60,
            "monthly" => 30 * 24 * 60,
            "yearly" => 365 * 24 * 60,
            _ => return None,
        };
        let frequency = (self.notes)(NOTE_UPDATE_FREQUENCY).first().and_then(|n| n.trim().parse::<u32>().ok());
        Some(minutes / frequency.filter(|n| *n > 0).unwrap_or(1))
    }
}

fn hours(said: &[String]) -> Vec<u8> {
    let hours = said.iter().filter_map(|hour| hour.trim().parse::<u8>().ok());
    // RSS 0.91 counted from 1 to 24.
    hours.filter(|hour| *hour <= 24).map(|hour| hour % 24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(period: &str, frequency: &str) -> Option<u32> {
        let notes = |name: &str| {
            let said = if name == NOTE_UPDATE_PERIOD { period } else { frequency };
            if said.is_empty() { vec![] } else { vec![said.to_owned()] }
        };
        Said { ttl: None, notes: &notes }.wishes().period_minutes
    }

    #[test]
    fn a_period_is_divided_by_its_frequency() {
        assert_eq!(period(" Hourly ", ""), Some(60));
        assert_eq!(period("daily", "4"), Some(360));
        assert_eq!(period("hourly", "0"), Some(60));
        assert_eq!(period("often", "4"), None);
        assert_eq!(period("", "4"), None);
    }
}
