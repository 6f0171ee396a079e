//! Estimates the update rate of a source: how often it publishes new items. [`adaptive_delay`] computes the delay before
//! the next poll from the estimate.
//!
//! The functions are pure: they do not read the clock, perform I/O or use random numbers.

pub(super) mod adaptive_delay;
mod hourly_profile;
#[cfg(test)]
mod tests;

use crate::domain::Timestamp;
use hourly_profile::{HOUR_SECONDS, HourlyProfile};
use serde::{Deserialize, Serialize};

/// The evidence for the update rate of one source. It is stored with the source as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateRate {
    profile: HourlyProfile,
    /// The time of the last success, in seconds since 1970.
    last_success: Option<i64>,
    /// The number of items in the last document, which is the source's window.
    window: Option<u32>,
    /// The maximum delay in seconds after the window overflowed. It grows again while documents overlap.
    overflow_delay: Option<u32>,
    /// Whether the last document shared no item with the previous one.
    overflowed: bool,
}

/// A document as evidence for the update rate.
#[derive(Debug, Clone, Copy)]
pub struct SeenDocument<'a> {
    /// The number of items in the document.
    pub items: usize,
    /// The claimed dates of the items that were unknown before. In the first document that an [`UpdateRate`] sees, the
    /// dates of all items are included, because they are its only evidence.
    pub new_item_dates: &'a [Option<Timestamp>],
}

/// The maximum age of evidence in seconds. Older evidence has less than a sixteenth of its original weight and is
/// ignored.
const MAX_EVIDENCE_AGE: i64 = 28 * 24 * HOUR_SECONDS;
/// The maximum number of items of a document that are counted. Additional items do not change the estimate.
const MAX_ITEMS: usize = 10_000;
/// The minimum time span of meaningful dates, in seconds. Dates that are closer together show when the feed was
/// generated, not when its items appeared.
const GENERATION_SPAN: i64 = 60;
impl UpdateRate {
    /// Parses the output of [`UpdateRate::to_json`]. Any other string results in an estimate without evidence.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns whether no poll has succeeded yet. In this case, all items of the next document count, whether or not
    /// they are known.
    pub fn is_unknown(&self) -> bool {
        self.last_success.is_none()
    }

    /// Adds the evidence of a success at `at`: a document, or `None` for a 304 response.
    pub fn observe(&mut self, at: Timestamp, document: Option<SeenDocument>) {
        let at = at.as_second();
        let last = self.last_success.replace(at);
        let window_before = self.window;
        self.window = document.map_or(window_before, |document| Some(document.items.min(MAX_ITEMS) as u32));
        let items = self.window.unwrap_or(0) as usize;
        let new = document.map_or(&[][..], |document| document.new_item_dates);
        let new = &new[..new.len().min(MAX_ITEMS)];
        let from = match last {
            None => return self.observe_first(at, new),
            // The clock went backwards, so the observed time is unknown.
            Some(last) if last >= at => return,
            Some(last) => last,
        };
        // No items were lost if the document contains dates from before the last poll, even if all its guids are new.
        // The same applies to the first document after an empty document.
        let dates = || new.iter().flatten().map(|date| date.as_second());
        let all_new = window_before != Some(0) && !new.is_empty() && new.len() >= items;
        self.overflowed = all_new && dates().all(|date| date > from);
        self.adjust_overflow_delay(at.saturating_sub(from), new.len() * 2 <= items);
        // Items older than the oldest item of an overflowed window are unknown, so the time before that item does not
        // count as observed.
        let oldest = dates().min().filter(|oldest| self.overflowed && *oldest <= at - GENERATION_SPAN).unwrap_or(from);
        self.count(oldest.max(at.saturating_sub(MAX_EVIDENCE_AGE)), at, new);
    }

    /// Halves the delay after an overflow. Increases it by an eighth if half of the document is known.
    fn adjust_overflow_delay(&mut self, seconds_since_last: i64, is_half_known: bool) {
        if self.overflowed {
            self.overflow_delay = Some((seconds_since_last / 2).min(MAX_EVIDENCE_AGE) as u32);
        } else if is_half_known {
            let longer = self.overflow_delay.map(|delay| delay.saturating_add(delay / 8 + 1));
            self.overflow_delay = longer.filter(|delay| i64::from(*delay) < MAX_EVIDENCE_AGE);
        }
    }

    /// Evaluates the first document. Its items appeared before the first poll, at the times that their dates claim.
    /// Only the newer half is used, so that neither a pinned old item nor an absurd date distorts the estimate.
    fn observe_first(&mut self, at: i64, new: &[Option<Timestamp>]) {
        let is_recent = |date: &i64| (at - MAX_EVIDENCE_AGE..=at).contains(date);
        let mut dates: Vec<i64> = new.iter().flatten().map(|date| date.as_second()).filter(is_recent).collect();
        dates.sort_unstable();
        let newer_half = &dates[dates.len() / 2..];
        if let [first, .., last] = newer_half
            && last - first >= GENERATION_SPAN
        {
            let dates: Vec<_> = newer_half[1..].iter().map(|date| Timestamp::from_second(*date).ok()).collect();
            self.count(*first, at, &dates);
        }
    }

    /// Counts the time from `from` to `at` as observed, with the items that appeared in it. Each item counts at its
    /// claimed time, or at an unknown time in the interval if the claim cannot be true.
    fn count(&mut self, from: i64, at: i64, new: &[Option<Timestamp>]) {
        self.profile.add_observed_time(from, at);
        let mut undated = 0;
        for date in new {
            match date.map(|date| date.as_second()) {
                Some(date) if date > from && date <= at => self.profile.add_items(date, 1.0),
                _ => undated += 1,
            }
        }
        if undated > 0 {
            self.profile.add_items_between(from, at, f64::from(undated));
        }
    }

    /// Returns the expected new items per hour, for each hour of the day of `now` (UTC).
    pub fn by_hour(&self, now: Timestamp) -> [f64; 24] {
        self.profile.rates(now.as_second()).hours_of_day(now.as_second())
    }
}
