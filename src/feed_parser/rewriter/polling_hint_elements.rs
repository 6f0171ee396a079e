//! Reads the elements that ask for a polling interval or forbid polls: `ttl`, `skipHours` and `skipDays` (RSS 2.0),
//! `sy:updatePeriod` and `sy:updateFrequency` (RSS 1.0 module Syndication).

use super::super::element_map::{ElementMapping, FeedField};
use super::FeedRewriter;
use crate::domain::parse_weekday;

impl FeedRewriter<'_, '_> {
    /// Keeps the value of a polling hint. Other fields have no effect.
    pub fn keep_polling_hint(&mut self, mapping: ElementMapping, value: &str) {
        let ElementMapping { field, priority } = mapping;
        let hints = &mut self.feed.polling_hints;
        match field {
            FeedField::Ttl => hints.ttl_minutes = value.parse().ok().or(hints.ttl_minutes),
            FeedField::SkipHour if self.current.has_room_for_value() => hints.skip_hours.extend(parse_hour(value)),
            FeedField::SkipDay if self.current.has_room_for_value() => hints.skip_days.extend(parse_weekday(value)),
            FeedField::UpdatePeriod if self.current.accepts(field, priority) => {
                hints.period_minutes = parse_update_period(value);
            }
            FeedField::UpdateFrequency if self.current.accepts(field, priority) => {
                self.update_frequency = value.parse().ok();
            }
            _ => {}
        }
    }

    /// Divides the update period by the number of updates per period.
    pub fn apply_update_frequency(&mut self) {
        let frequency = self.update_frequency.unwrap_or(1).max(1);
        let hints = &mut self.feed.polling_hints;
        hints.period_minutes = hints.period_minutes.map(|minutes| minutes / frequency);
    }
}

fn parse_hour(text: &str) -> Option<u8> {
    let hour: u8 = text.parse().ok()?;
    // RSS 0.91 counts hours from 1 to 24.
    (hour <= 24).then_some(hour % 24)
}

/// Returns the minutes of `sy:updatePeriod`. A frequency without a valid period is ignored, because publishers do not
/// intend the module's default of one day.
fn parse_update_period(text: &str) -> Option<u32> {
    const PERIODS: [(&str, u32); 5] =
        [("hourly", 60), ("daily", 1_440), ("weekly", 10_080), ("monthly", 43_200), ("yearly", 525_600)];
    PERIODS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, minutes)| *minutes)
}
