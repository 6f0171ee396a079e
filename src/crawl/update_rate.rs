//! When a source is polled next, by how often it brings something new: what is known of that, and what follows.
//!
//! [`UpdateRate`] is the estimate for one source, [`BudgetMultiplier`] what all sources share. Polls follow the square root of the rate
//! (see [`pace`]), hour by hour of the day, and are more where the source's document would drop items before they are
//! seen. Pure: never reads the clock, does no I/O, throws no dice.

mod hourly_profile;
#[cfg(test)]
mod tests;

use super::poll_budget::{BudgetMultiplier, PollDemand};
use crate::domain::Timestamp;
use hourly_profile::{HOUR, HourlyProfile};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// What is known of one source's rate, as it is kept with the source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateRate {
    day: HourlyProfile,
    /// When the source last gave a good answer, in seconds since 1970.
    seen: Option<i64>,
    /// How many items its last document held: its window, once a document was read.
    window: Option<u32>,
    /// Seconds that no wait may exceed since a window overflowed; grows again while documents overlap.
    longest: Option<u32>,
    /// Whether the last document shared nothing with what was known.
    overflowed: bool,
}

/// A document that was read: how many items it holds, and those of them that were not known, with the time that each
/// claims for itself. Of the first document that a [`UpdateRate`] sees, all may be given: it learns from their dates alone.
#[derive(Debug, Clone, Copy)]
pub struct SeenDocument<'a> {
    pub items: usize,
    pub new: &'a [Option<Timestamp>],
}

/// Evidence from longer ago is worth a sixteenth and less: not worth the reading.
const MEMORY: i64 = 28 * 24 * HOUR;
/// A source that brings more in one document brings too much to tell apart anyhow.
const MOST_ITEMS: usize = 10_000;
/// Dates as close together as this are when a feed was generated, not when its items appeared.
const GENERATED: i64 = 60;
/// The share of a window that may be expected to be new at the next poll. With half of it, the chance that a Poisson
/// stream brings more than the whole is 1.4 % for a window of 10 items, 1 in 600 for one of 20, and nearly none for
/// larger ones. A third loses fewer still, and at a tight budget makes everyone wait up to a quarter longer.
const SHARE: f64 = 0.5;

impl UpdateRate {
    /// Reads what [`UpdateRate::to_json`] wrote; whoever finds nothing, or something else, starts anew.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether no good answer was noted yet: then all items of the next document say something, known or not.
    pub fn is_unknown(&self) -> bool {
        self.seen.is_none()
    }

    /// Takes note of a good answer at `at`: the document that was read, or `None` where nothing had changed (304).
    pub fn observe(&mut self, at: Timestamp, seen: Option<SeenDocument>) {
        let at = at.as_second();
        let last = self.seen.replace(at);
        let before = self.window;
        self.window = seen.map_or(before, |seen| Some(seen.items.min(MOST_ITEMS) as u32));
        let items = self.window.unwrap_or(0) as usize;
        let new = seen.map_or(&[][..], |seen| &seen.new[..seen.new.len().min(MOST_ITEMS)]);
        let from = match last {
            None => return self.start(at, new),
            // The clock went back: for how long we looked cannot be known.
            Some(last) if last >= at => return,
            Some(last) => last,
        };
        // A document that goes back beyond the last look lost nothing, though every name in it be new; nor has one that
        // was empty until now.
        let dates = || new.iter().flatten().map(|date| date.as_second());
        let all_new = before != Some(0) && !new.is_empty() && new.len() >= items;
        self.overflowed = all_new && dates().all(|date| date > from);
        if self.overflowed {
            self.longest = Some((at.saturating_sub(from) / 2).min(MEMORY) as u32);
        } else if new.len() * 2 <= items {
            self.longest =
                self.longest.map(|longest| longest.saturating_add(longest / 8 + 1)).filter(|l| i64::from(*l) < MEMORY);
        }
        // What appeared before the oldest item of a window that overflowed is not known, so that time does not count.
        let oldest = dates().min().filter(|oldest| self.overflowed && *oldest <= at - GENERATED).unwrap_or(from);
        self.count(oldest.max(at.saturating_sub(MEMORY)), at, new);
    }

    /// The first document: its items came one after the other before we looked, and their dates say when. The newer
    /// half is believed, so that neither an old item that stays on top nor an absurd date spoils it.
    fn start(&mut self, at: i64, new: &[Option<Timestamp>]) {
        let inside = |date: &i64| (at - MEMORY..=at).contains(date);
        let mut dates: Vec<i64> = new.iter().flatten().map(|date| date.as_second()).filter(inside).collect();
        dates.sort_unstable();
        let newer = &dates[dates.len() / 2..];
        if let [first, .., last] = newer
            && last - first >= GENERATED
        {
            let newer: Vec<_> = newer[1..].iter().map(|date| Timestamp::from_second(*date).ok()).collect();
            self.count(*first, at, &newer);
        }
    }

    /// Counts the time from `from` to `at` as watched, and what arrived in it: each at the time that it claims, or
    /// where that cannot be, at any time between.
    fn count(&mut self, from: i64, at: i64, new: &[Option<Timestamp>]) {
        self.day.watch(from, at);
        let mut undated = 0;
        for date in new {
            match date.map(|date| date.as_second()) {
                Some(date) if date > from && date <= at => self.day.arrive(date, 1.0),
                _ => undated += 1,
            }
        }
        if undated > 0 {
            self.day.arrive_between(from, at, f64::from(undated));
        }
    }

    /// New items an hour, as expected in each hour of this day (UTC).
    pub fn by_hour(&self, now: Timestamp) -> [f64; 24] {
        self.day.rates(now.as_second()).of_day(now.as_second())
    }

    /// What this source asks of the budget, where it may be polled once in `floor` and has to be once in `cap`.
    pub fn demand(&self, now: Timestamp, floor: SignedDuration, cap: SignedDuration) -> PollDemand {
        let rates = self.day.rates(now.as_second());
        let (floor, cap) = (seconds(floor), seconds(cap));
        let slowest = self.longest.map_or(cap, |longest| cap.min(i64::from(longest)));
        let before_overflow = self.window_headroom().map_or(0.0, |room| rates.mean() / room);
        PollDemand {
            mean_sqrt_rate: rates.mean_root(),
            min_polls_per_hour: before_overflow.max(HOUR as f64 / slowest.max(1) as f64),
            max_polls_per_hour: HOUR as f64 / floor.max(1) as f64,
            sources: 1,
        }
    }

    /// How long to wait from `now` for the next poll, not less than `floor` nor more than `cap`, and why so long.
    pub fn wait(
        &self,
        now: Timestamp,
        multiplier: BudgetMultiplier,
        floor: SignedDuration,
        cap: SignedDuration,
    ) -> (SignedDuration, String) {
        let (now, floor) = (now.as_second(), seconds(floor));
        let cap = seconds(cap).clamp(floor, MEMORY.max(floor));
        let rates = self.day.rates(now);
        let by_rate = rates.until(now, 1.0, cap, |rate| multiplier.per_hour() * rate.sqrt());
        let by_window = self.window_headroom().map_or(cap, |room| rates.until(now, room, cap, |rate| rate));
        let by_overflow = self.longest.map_or(cap, i64::from);
        let wait = by_rate.min(by_window).min(by_overflow).clamp(floor, cap);
        let (about, window) = (about(rates.at(now)), self.window.unwrap_or(0));
        let mut reason = if by_rate >= cap && wait == cap {
            format!("{about}; as seldom as is allowed")
        } else if by_rate <= by_window.min(by_overflow) {
            format!("{about}; polls follow the square root of that")
        } else if by_window <= by_overflow {
            format!("{about}; half of its window of {window} items is expected to be new by then")
        } else if self.overflowed {
            format!("the last document shared nothing with the one before: its window of {window} items overflowed")
        } else {
            format!("its window of {window} items overflowed lately; the wait grows again step by step")
        };
        if by_rate.min(by_window).min(by_overflow) < floor {
            reason.push_str("; as often as is allowed");
        }
        (SignedDuration::from_secs(wait), reason)
    }

    /// How many new items may be expected by the next poll.
    fn window_headroom(&self) -> Option<f64> {
        self.window.filter(|window| *window > 0).map(|window| f64::from(window) * SHARE)
    }
}

fn seconds(span: SignedDuration) -> i64 {
    span.as_secs().max(0)
}

/// A rate in words.
fn about(rate: f64) -> String {
    match rate {
        _ if rate >= 9.95 => format!("about {rate:.0} new items an hour at this time"),
        _ if rate >= 0.095 => format!("about {rate:.1} new items an hour at this time"),
        _ => format!("about {:.1} new items a day", rate * 24.0),
    }
}
