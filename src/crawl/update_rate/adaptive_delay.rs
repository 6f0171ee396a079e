//! Computes the adaptive delay before the next poll of a source from its update rate.
//!
//! The poll rate follows the square root of the update rate (see [`super::super::poll_budget`]) for each hour of the
//! day. It is higher if items would otherwise leave the source's document before a poll sees them.

use super::super::Options;
use super::super::poll_budget::{BudgetMultiplier, PollDemand};
use super::super::poll_delay::PollDelay;
use super::hourly_profile::HOUR_SECONDS;
use super::{MAX_EVIDENCE_AGE, UpdateRate};
use crate::domain::{DelayCause, RateLimit, Timestamp};
use jiff::SignedDuration;

/// The share of the window that may be expected to be new at the next poll. At one half, the probability that a Poisson
/// process exceeds the whole window is 1.4% for a window of 10 items, 1 in 600 for 20 items, and nearly zero for larger
/// windows. One third loses fewer items, but under a tight budget it increases all delays by up to a quarter.
const WINDOW_SHARE: f64 = 0.5;

/// Returns the delay from `now` to the next poll that results from the source's update rate, but at least `floor`.
pub fn delay_by_rate(
    rate: &UpdateRate,
    now: Timestamp,
    multiplier: BudgetMultiplier,
    floor: PollDelay,
    options: &Options,
) -> PollDelay {
    let by_rate = rate.delay(now, multiplier, floor.span, options.max_interval);
    // If the feed or its server requested the minimum, that request explains the delay better.
    if by_rate.span > floor.span || floor.span == options.interval { by_rate } else { floor }
}

impl UpdateRate {
    /// Returns the demand of this source on the poll budget. `floor` is the minimum delay, and `cap` is the maximum
    /// delay.
    pub fn demand(&self, now: Timestamp, floor: SignedDuration, cap: SignedDuration) -> PollDemand {
        let rates = self.profile.rates(now.as_second());
        let (floor, cap) = (seconds(floor), seconds(cap));
        let max_delay = self.overflow_delay.map_or(cap, |delay| cap.min(i64::from(delay)));
        let before_overflow = self.window_headroom().map_or(0.0, |headroom| rates.mean() / headroom);
        PollDemand {
            mean_sqrt_rate: rates.mean_sqrt(),
            min_polls_per_hour: before_overflow.max(HOUR_SECONDS as f64 / max_delay.max(1) as f64),
            max_polls_per_hour: HOUR_SECONDS as f64 / floor.max(1) as f64,
            sources: 1,
        }
    }

    /// Returns the delay from `now` to the next poll, between `floor` and `cap`, and its cause.
    pub fn delay(
        &self,
        now: Timestamp,
        multiplier: BudgetMultiplier,
        floor: SignedDuration,
        cap: SignedDuration,
    ) -> PollDelay {
        let (now, floor) = (now.as_second(), seconds(floor));
        let cap = seconds(cap).clamp(floor, MAX_EVIDENCE_AGE.max(floor));
        let rates = self.profile.rates(now);
        let by_budget = rates.seconds_until(now, 1.0, cap, |rate| multiplier.per_hour() * rate.sqrt());
        let by_window =
            self.window_headroom().map_or(cap, |headroom| rates.seconds_until(now, headroom, cap, |rate| rate));
        let by_overflow = self.overflow_delay.map_or(cap, i64::from);
        let shortest = by_budget.min(by_window).min(by_overflow);
        let delay = shortest.clamp(floor, cap);
        let items = self.window.unwrap_or(0);
        let limit = if by_budget >= cap && delay == cap {
            RateLimit::MaxInterval
        } else if by_budget <= by_window.min(by_overflow) {
            RateLimit::PollBudget
        } else if by_window <= by_overflow {
            RateLimit::Window { items }
        } else if self.overflowed {
            RateLimit::Overflow { items }
        } else {
            RateLimit::OverflowRecovery { items }
        };
        let cause = DelayCause::UpdateRate { items_per_hour: rates.at(now), limit, at_minimum: shortest < floor };
        PollDelay { span: SignedDuration::from_secs(delay), cause }
    }

    /// Returns the number of new items that may be expected by the next poll.
    fn window_headroom(&self) -> Option<f64> {
        self.window.filter(|window| *window > 0).map(|window| f64::from(window) * WINDOW_SHARE)
    }
}

fn seconds(span: SignedDuration) -> i64 {
    span.as_secs().max(0)
}
