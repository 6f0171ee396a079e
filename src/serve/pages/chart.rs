//! Computes the positions of marks and bars in SVG charts. Horizontal positions are percentages, so charts fit any
//! screen without a script. All functions are pure.

use crate::domain::{Story, StoryItem, Timestamp};
use std::collections::BTreeMap;

/// The maximum number of marks in a timeline. More marks would merge into one line.
const MAX_MARKS: usize = 200;

/// A report on the timeline of its story.
pub struct TimelineMark {
    /// The horizontal position, in percent of the width.
    pub x: String,
    pub is_copy: bool,
}

/// Returns the marks for a story's news, from the first to the last report. Backlog is omitted: it may be years older.
pub fn timeline_marks(story: &Story) -> Vec<TimelineMark> {
    let reports: Vec<&StoryItem> = story.news().collect();
    let at = |report: &StoryItem| report.item.ranked_at.as_millisecond();
    let (Some(first), Some(last)) = (reports.first().map(|r| at(r)), reports.last().map(|r| at(r))) else {
        return Vec::new();
    };
    let length = (last - first).max(1) as f64;
    let mark = |report: &&StoryItem| TimelineMark {
        x: format!("{:.2}%", 1.5 + (at(report) - first) as f64 / length * 97.0),
        is_copy: report.copy_of.is_some(),
    };
    reports.iter().take(MAX_MARKS).map(mark).collect()
}

/// The number of days in the chart of a source.
pub const CHART_DAYS: i64 = 30;
/// The height of the tallest bar, in pixels.
const MAX_BAR_HEIGHT: f64 = 120.0;
/// The space above the tallest bar for its number, in pixels.
const TOP_MARGIN: f64 = 20.0;
/// The minimum height of the bar for a day with items, in pixels.
const MIN_BAR_HEIGHT: f64 = 2.0;

/// One day in the chart of a source.
pub struct DayBar {
    pub day: Timestamp,
    pub items: u64,
    pub x: String,
    pub width: String,
    pub y: String,
    pub height: String,
}

/// Returns the bars for the [`CHART_DAYS`] days up to `last`. Days are counted from 1970.
pub fn day_bars(items_per_day: &BTreeMap<i64, u64>, last: i64) -> Vec<DayBar> {
    let max = items_per_day.values().copied().max().unwrap_or(0).max(1) as f64;
    let step = 100.0 / CHART_DAYS as f64;
    let bar = |index: i64| {
        let day = last - CHART_DAYS + 1 + index;
        let items = items_per_day.get(&day).copied().unwrap_or(0);
        let height = if items == 0 { 0.0 } else { (items as f64 / max * MAX_BAR_HEIGHT).max(MIN_BAR_HEIGHT) };
        Some(DayBar {
            day: Timestamp::from_second(day * 86_400).ok()?,
            items,
            x: format!("{:.2}%", step * (index as f64 + 0.12)),
            width: format!("{:.2}%", step * 0.76),
            y: format!("{:.1}", TOP_MARGIN + MAX_BAR_HEIGHT - height),
            height: format!("{height:.1}"),
        })
    };
    (0..CHART_DAYS).filter_map(bar).collect()
}

/// Returns the UTC day of a time, counted from 1970.
pub fn day_number(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallest_bar_has_full_height_and_a_day_without_items_has_none() {
        let last = day_number("2026-03-01T23:59:59Z".parse().unwrap());
        let bars = day_bars(&BTreeMap::from([(last, 10), (last - 1, 5), (last - 29, 1)]), last);
        assert_eq!(bars.len(), 30);
        let heights: Vec<&str> = bars.iter().rev().take(3).map(|bar| bar.height.as_str()).collect();
        assert_eq!((heights, bars[0].items), (vec!["120.0", "60.0", "0.0"], 1));
        assert_eq!(bars[29].day.to_string(), "2026-03-01T00:00:00Z");
        assert_eq!((bars[0].x.as_str(), bars[29].y.as_str()), ("0.40%", "20.0"));
    }
}
