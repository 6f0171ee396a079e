//! Where marks and bars stand in the plots: per cent of the width, so that a plot fits any screen without a script. Pure.

use crate::domain::{StoryItem, Timestamp};
use std::collections::BTreeMap;

/// Marks in the line of a story; more would be one stroke.
const MAX_MARKS: usize = 200;

/// A report on the line of its story.
pub(super) struct Mark {
    /// In per cent of the width.
    pub x: String,
    pub is_copy: bool,
}

/// Reports in order of time, on a line from the first to the last.
pub(super) fn marks(reports: &[StoryItem]) -> Vec<Mark> {
    let at = |report: &StoryItem| report.item.ranked_at.as_millisecond();
    let (Some(first), Some(last)) = (reports.first().map(at), reports.last().map(at)) else { return Vec::new() };
    let length = (last - first).max(1) as f64;
    let mark = |report: &StoryItem| Mark {
        x: percent(1.5 + (at(report) - first) as f64 / length * 97.0),
        is_copy: report.copy_of.is_some(),
    };
    reports.iter().take(MAX_MARKS).map(mark).collect()
}

/// Days in the plot of a source.
pub(super) const DAYS: i64 = 30;
/// Units of height above the line on which the bars stand.
const HEIGHT: f64 = 120.0;
/// Room above the highest bar, for its number.
const TOP: f64 = 20.0;

/// One day in the plot of a source.
pub(super) struct Bar {
    pub day: Timestamp,
    pub items: u64,
    pub x: String,
    pub width: String,
    pub y: String,
    pub height: String,
}

/// The days up to `last`, by days since 1970.
pub(super) fn bars(items: &BTreeMap<i64, u64>, last: i64) -> Vec<Bar> {
    let most = items.values().copied().max().unwrap_or(0).max(1) as f64;
    let step = 100.0 / DAYS as f64;
    let bar = |place: i64| {
        let day = last - DAYS + 1 + place;
        let items = items.get(&day).copied().unwrap_or(0);
        let height = if items == 0 { 0.0 } else { (items as f64 / most * HEIGHT).max(2.0) };
        Some(Bar {
            day: Timestamp::from_second(day * 86_400).ok()?,
            items,
            x: percent(step * (place as f64 + 0.12)),
            width: percent(step * 0.76),
            y: units(TOP + HEIGHT - height),
            height: units(height),
        })
    };
    (0..DAYS).filter_map(bar).collect()
}

/// The day of a time, by days since 1970 in UTC.
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

fn units(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_has_the_whole_height_and_an_empty_day_none() {
        let last = day_of("2026-03-01T23:59:59Z".parse().unwrap());
        let bars = bars(&BTreeMap::from([(last, 10), (last - 1, 5), (last - 29, 1)]), last);
        assert_eq!(bars.len(), 30);
        let heights: Vec<&str> = bars.iter().rev().take(3).map(|bar| bar.height.as_str()).collect();
        assert_eq!((heights, bars[0].items), (vec!["120.0", "60.0", "0.0"], 1));
        assert_eq!(bars[29].day.to_string(), "2026-03-01T00:00:00Z");
        assert_eq!((bars[0].x.as_str(), bars[29].y.as_str()), ("0.40%", "20.0"));
    }
}
