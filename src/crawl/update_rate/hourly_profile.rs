//! Counts the new items of a source by hour of the day and day of the week (UTC), and estimates rates from the counts.
//!
//! Counts and observed time decay with a half-life of one week. The estimate is the mean of a Gamma posterior
//! (Gamma–Poisson). The daily cycle of the estimate is shrunk towards a flat cycle in two steps: first the neighborhood
//! of an hour towards the whole day, then the hour towards its neighborhood. A few items therefore produce no cycle.
//! Each day of the week has a factor, shrunk towards 1, because most newsrooms publish less on one day of the week,
//! which is not always Sunday.
//!
//! The decay is a forward decay (Cormode, Shkapenyuk, Srivastava, Xu, “Forward decay”, ICDE 2009): newer evidence gets
//! a larger weight, and all counts are halved at the start of a week. A poll without new items therefore rewrites no
//! counts, and counts can be stored as integers without accumulating rounding errors. All arithmetic is exact or IEEE
//! 754, without `exp` from a math library, so every machine computes the same times. The profile never reads the clock.

use serde::{Deserialize, Serialize};

pub(super) const HOUR_SECONDS: i64 = 3600;
/// The half-life of the decay.
const WEEK_HOURS: i64 = 168;
/// The 168th root of 2: the weight of an hour relative to the previous hour.
const HOURLY_GROWTH: f64 = 1.004_134_399_219_235;
/// The number of units per item: counts are stored in thousandths of an item.
const ITEM_UNITS: f64 = 1000.0;

/// The prior: half an item in one hour. Its mean is the rate of an average source, so that a new source is polled at a
/// moderate rate. It has the weight of one observed hour. The observations of even the slowest source outweigh it
/// within two days.
const PRIOR_ITEMS: f64 = 0.5;
const PRIOR_HOURS: f64 = 1.0;
/// The strength of the shrinkage, in expected items: at this number of expected items, a count has half of the weight.
/// The first constant applies to the neighborhood of an hour, the second to an hour within its neighborhood, and the
/// third to a day of the week. Tuned with `tests/documents/policies.rs`.
const NEIGHBORHOOD_SHRINKAGE: f64 = 4.0;
const HOUR_SHRINKAGE: f64 = 8.0;
const WEEKDAY_SHRINKAGE: f64 = 20.0;
/// The weights of an hour and of the hours at distances of 1, 2 and 3 before and after it.
const NEIGHBOR_WEIGHTS: [f64; 4] = [4.0, 3.0, 2.0, 1.0];

/// The counts. Their unit is the weight of the first hour of `week`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HourlyProfile {
    /// The week, counted from 1970. A count has weight 1 at the start of this week and weight 2 at its end.
    week: i64,
    /// The counted items, in thousandths.
    items: [u32; 24],
    /// The observed time, in seconds.
    seconds: [u32; 24],
    /// The item counts by day of the week. Thursday is first, because 1970 began on a Thursday.
    weekday_items: [u32; 7],
    weekday_seconds: [u32; 7],
}

impl HourlyProfile {
    /// Counts the time from `from` to `to` (seconds since 1970) as observed.
    pub fn add_observed_time(&mut self, from: i64, to: i64) {
        self.advance_to(to);
        for (hour, seconds) in hours(from, to) {
            let weighed = (seconds as f64 * self.weight(hour)).round() as u32;
            for bin in [&mut self.seconds[hour_of_day(hour)], &mut self.weekday_seconds[day_of_week(hour)]] {
                *bin = bin.saturating_add(weighed);
            }
        }
    }

    /// Counts `items` that appeared in the hour of `at`.
    pub fn add_items(&mut self, at: i64, items: f64) {
        let hour = at.div_euclid(HOUR_SECONDS);
        let weighed = (items * ITEM_UNITS * self.weight(hour)).round() as u32;
        for bin in [&mut self.items[hour_of_day(hour)], &mut self.weekday_items[day_of_week(hour)]] {
            *bin = bin.saturating_add(weighed);
        }
    }

    /// Counts `items` that appeared at an unknown time between `from` and `to`, in proportion to the expected rates.
    pub fn add_items_between(&mut self, from: i64, to: i64, items: f64) {
        let rates = self.rates(to);
        let expected = |hour: i64, seconds: i64| seconds as f64 * rates.in_hour(hour);
        let all: f64 = hours(from, to).map(|(hour, seconds)| expected(hour, seconds)).sum();
        for (hour, seconds) in hours(from, to).filter(|_| all > 0.0) {
            self.add_items(hour * HOUR_SECONDS, items * expected(hour, seconds) / all);
        }
    }

    /// Returns the rates estimated at `now`.
    pub fn rates(&self, now: i64) -> ExpectedRates {
        // The decay of all counts since the start of their week. A clock that went backwards does not undo decay.
        let decay = self.weight(now.div_euclid(HOUR_SECONDS)).max(1.0);
        let new = self.items.map(|n| f64::from(n) / ITEM_UNITS / decay);
        let watched = self.seconds.map(|s| f64::from(s) / HOUR_SECONDS as f64 / decay);
        let (items, time) = (new.iter().sum::<f64>(), watched.iter().sum::<f64>());
        let mean = (items + PRIOR_ITEMS) / (time + PRIOR_HOURS);
        // The cycles are relative to the counted rate. If the cycles were relative to `mean`, each cycle would undo the
        // prior.
        let counted = if time > 0.0 { items / time } else { 0.0 };
        let expected = watched.map(|hours| hours * counted);
        let hours = std::array::from_fn(|hour| {
            let near = (neighborhood_sum(&new, hour) + NEIGHBORHOOD_SHRINKAGE)
                / (neighborhood_sum(&expected, hour) + NEIGHBORHOOD_SHRINKAGE);
            mean * (new[hour] + HOUR_SHRINKAGE * near) / (expected[hour] + HOUR_SHRINKAGE)
        });
        let days = std::array::from_fn(|day| {
            let new = f64::from(self.weekday_items[day]) / ITEM_UNITS / decay;
            let expected = f64::from(self.weekday_seconds[day]) / HOUR_SECONDS as f64 / decay * counted;
            (new + WEEKDAY_SHRINKAGE) / (expected + WEEKDAY_SHRINKAGE)
        });
        ExpectedRates { hours, days }
    }

    /// Halves the counts for each week from `self.week` to the week of `now`.
    fn advance_to(&mut self, now: i64) {
        let week = now.div_euclid(HOUR_SECONDS * WEEK_HOURS);
        let weeks = week.saturating_sub(self.week);
        // A clock that was ahead leaves counts of a later week, which are treated as counts of this week.
        if weeks > 0 {
            let by_day = self.weekday_items.iter_mut().chain(&mut self.weekday_seconds);
            for bin in self.items.iter_mut().chain(&mut self.seconds).chain(by_day) {
                *bin = if weeks < 32 { ((u64::from(*bin) + (1 << (weeks - 1))) >> weeks) as u32 } else { 0 };
            }
        }
        self.week = week;
    }

    /// Returns 2 to the power of the number of weeks from the start of `self.week` to `hour`: less than 1 for hours of
    /// earlier weeks.
    fn weight(&self, hour: i64) -> f64 {
        let hours = hour.saturating_sub(self.week.saturating_mul(WEEK_HOURS)).clamp(-64 * WEEK_HOURS, 64 * WEEK_HOURS);
        let power = power_of(HOURLY_GROWTH, hours.unsigned_abs());
        if hours < 0 { 1.0 / power } else { power }
    }
}

/// The expected number of items per hour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ExpectedRates {
    /// The rate for each hour of the day.
    hours: [f64; 24],
    /// The factor for each day of the week.
    days: [f64; 7],
}

impl ExpectedRates {
    pub fn at(&self, now: i64) -> f64 {
        self.in_hour(now.div_euclid(HOUR_SECONDS))
    }

    fn in_hour(&self, hour: i64) -> f64 {
        self.hours[hour_of_day(hour)] * self.days[day_of_week(hour)]
    }

    /// Returns the rates for each hour of the day of `now`.
    pub fn hours_of_day(&self, now: i64) -> [f64; 24] {
        self.hours.map(|rate| rate * self.days[day_of_week(now.div_euclid(HOUR_SECONDS))])
    }

    /// Returns the mean rate over the week.
    pub fn mean(&self) -> f64 {
        mean(self.hours) * mean(self.days)
    }

    /// Returns the mean of the square roots of the rates over the week.
    pub fn mean_sqrt(&self) -> f64 {
        mean(self.hours.map(f64::sqrt)) * mean(self.days.map(f64::sqrt))
    }

    /// Returns the seconds from `now` until the integral of `speed`, a function of the rate, reaches `amount`; at most
    /// `limit`.
    pub fn seconds_until(&self, now: i64, amount: f64, limit: i64, speed: impl Fn(f64) -> f64) -> i64 {
        let mut left = amount * HOUR_SECONDS as f64;
        let mut passed = 0;
        for (hour, seconds) in hours(now, now.saturating_add(limit)) {
            let speed = speed(self.in_hour(hour));
            if speed * seconds as f64 >= left {
                return passed + (left / speed) as i64;
            }
            left -= speed * seconds as f64;
            passed += seconds;
        }
        limit
    }
}

/// Returns the hours that a time span overlaps, each with the seconds of the overlap.
fn hours(from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
    let mut at = from;
    std::iter::from_fn(move || {
        let hour = at.div_euclid(HOUR_SECONDS);
        let end = to.min((hour + 1) * HOUR_SECONDS);
        let seconds = end - at;
        at = end;
        (seconds > 0).then_some((hour, seconds))
    })
}

fn hour_of_day(hour: i64) -> usize {
    hour.rem_euclid(24) as usize
}

fn day_of_week(hour: i64) -> usize {
    hour.div_euclid(24).rem_euclid(7) as usize
}

fn mean<const N: usize>(values: [f64; N]) -> f64 {
    values.iter().sum::<f64>() / N as f64
}

/// Returns the weighted sum over the neighborhood of an hour, in units of one hour.
fn neighborhood_sum(values: &[f64; 24], hour: usize) -> f64 {
    let mut sum = NEIGHBOR_WEIGHTS[0] * values[hour];
    for (far, weight) in NEIGHBOR_WEIGHTS.iter().enumerate().skip(1) {
        sum += weight * (values[(hour + far) % 24] + values[(hour + 24 - far) % 24]);
    }
    sum / NEIGHBOR_WEIGHTS[0]
}

/// Computes a power by squaring, because `powi` may differ between machines.
fn power_of(base: f64, exponent: u64) -> f64 {
    let (mut power, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            power *= square;
        }
        square *= square;
        rest >>= 1;
    }
    power
}
