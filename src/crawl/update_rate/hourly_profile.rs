//! How many new items a source brings, by the hour of the day and the day of the week (UTC): what was counted, and what
//! is made of it.
//!
//! Counts and the time they were counted in are forgotten with a half-life of a week. The estimate is a Gamma
//! posterior's mean, its daily cycle shrunk towards flat (Gamma–Poisson, twice: the hours' neighbourhood towards the
//! whole day, then the hour towards its neighbourhood), so that a few items make no shape. Each day of the week has a
//! factor beside that, shrunk towards 1: most newsrooms rest on some day, and not all of them on Sunday.
//!
//! Forgetting is forward decay (Cormode, Shkapenyuk, Srivastava, Xu, “Forward decay”, ICDE 2009): what is new weighs
//! more, and all is halved as a week begins. Thus nothing is rewritten by a poll that saw nothing, and the numbers are
//! kept as integers without what is rounded off ever adding up. All arithmetic is exact or IEEE's, without a library's
//! `exp`: every machine comes to the same times. Never reads the clock.

use serde::{Deserialize, Serialize};

pub(super) const HOUR: i64 = 3600;
/// The half-life, in hours.
const WEEK: i64 = 168;
/// The 168th root of 2: by how much an hour weighs more than the hour before.
const ROOT: f64 = 1.004_134_399_219_235;
/// Counts are kept in thousandths of an item.
const MILLI: f64 = 1000.0;

/// The prior: half an item in one hour. Its mean is a middling source's rate, so that a new one is neither forgotten
/// nor hammered; it weighs as much as one hour of looking, and the slowest of sources outweighs it within two days.
const PRIOR_ITEMS: f64 = 0.5;
const PRIOR_HOURS: f64 = 1.0;
/// How many items must be expected in an hour's neighbourhood before its own count is believed by half, and how many in
/// the hour itself before it is believed by half against its neighbourhood. Measured by `tests/documents/policies.rs`.
const BELIEVE_NEIGHBOURS: f64 = 4.0;
const BELIEVE_HOUR: f64 = 8.0;
/// How many items must be expected on a day of the week before its own count is believed by half.
const BELIEVE_DAY: f64 = 20.0;
/// The neighbourhood of an hour: itself and those before and after, the nearer the heavier.
const NEAR: [f64; 4] = [4.0, 3.0, 2.0, 1.0];

/// What was counted. The unit of each number is that of its week's first hour.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HourlyProfile {
    /// Weeks since 1970, at whose beginning a count weighs 1 and at whose end 2.
    week: i64,
    /// Thousandths of items.
    new: [u32; 24],
    /// Seconds.
    watched: [u32; 24],
    /// The same by the day of the week, Thursday first, as 1970 began.
    new_by_day: [u32; 7],
    watched_by_day: [u32; 7],
}

impl HourlyProfile {
    /// Counts the time from `from` to `to` (seconds since 1970) as watched.
    pub fn watch(&mut self, from: i64, to: i64) {
        self.turn_to(to);
        for (hour, seconds) in hours(from, to) {
            let weighed = (seconds as f64 * self.weight(hour)).round() as u32;
            for bin in [&mut self.watched[of_day(hour)], &mut self.watched_by_day[of_week(hour)]] {
                *bin = bin.saturating_add(weighed);
            }
        }
    }

    /// Counts `items` that arrived in the hour of `at`.
    pub fn arrive(&mut self, at: i64, items: f64) {
        let hour = at.div_euclid(HOUR);
        let weighed = (items * MILLI * self.weight(hour)).round() as u32;
        for bin in [&mut self.new[of_day(hour)], &mut self.new_by_day[of_week(hour)]] {
            *bin = bin.saturating_add(weighed);
        }
    }

    /// Counts `items` of which it is known only that they arrived from `from` to `to`.
    pub fn arrive_between(&mut self, from: i64, to: i64, items: f64) {
        let rates = self.rates(to);
        let expected = |hour: i64, seconds: i64| seconds as f64 * rates.in_hour(hour);
        let all: f64 = hours(from, to).map(|(hour, seconds)| expected(hour, seconds)).sum();
        for (hour, seconds) in hours(from, to).filter(|_| all > 0.0) {
            self.arrive(hour * HOUR, items * expected(hour, seconds) / all);
        }
    }

    /// The expected rate in each hour of the day, as known at `now`.
    pub fn rates(&self, now: i64) -> ExpectedRates {
        // What all numbers have lost since they were written. A clock that went back has lost nothing.
        let faded = self.weight(now.div_euclid(HOUR)).max(1.0);
        let new = self.new.map(|n| f64::from(n) / MILLI / faded);
        let watched = self.watched.map(|s| f64::from(s) / HOUR as f64 / faded);
        let (items, time) = (new.iter().sum::<f64>(), watched.iter().sum::<f64>());
        let mean = (items + PRIOR_ITEMS) / (time + PRIOR_HOURS);
        // The shapes are measured against what was counted, or each of them would take the prior back once more.
        let counted = if time > 0.0 { items / time } else { 0.0 };
        let expected = watched.map(|hours| hours * counted);
        let hours = std::array::from_fn(|hour| {
            let near = (near(&new, hour) + BELIEVE_NEIGHBOURS) / (near(&expected, hour) + BELIEVE_NEIGHBOURS);
            mean * (new[hour] + BELIEVE_HOUR * near) / (expected[hour] + BELIEVE_HOUR)
        });
        let days = std::array::from_fn(|day| {
            let new = f64::from(self.new_by_day[day]) / MILLI / faded;
            let expected = f64::from(self.watched_by_day[day]) / HOUR as f64 / faded * counted;
            (new + BELIEVE_DAY) / (expected + BELIEVE_DAY)
        });
        ExpectedRates { hours, days }
    }

    /// Makes the week of `now` the one that numbers are counted in.
    fn turn_to(&mut self, now: i64) {
        let week = now.div_euclid(HOUR * WEEK);
        let weeks = week.saturating_sub(self.week);
        // A clock that had gone ahead leaves numbers of a week to come: they are taken for this week's.
        if weeks > 0 {
            let by_day = self.new_by_day.iter_mut().chain(&mut self.watched_by_day);
            for bin in self.new.iter_mut().chain(&mut self.watched).chain(by_day) {
                *bin = if weeks < 32 { ((u64::from(*bin) + (1 << (weeks - 1))) >> weeks) as u32 } else { 0 };
            }
        }
        self.week = week;
    }

    /// 2 to the power of the weeks from the beginning of `self.week` to `hour`; hours of weeks gone weigh less than 1.
    fn weight(&self, hour: i64) -> f64 {
        let hours = hour.saturating_sub(self.week.saturating_mul(WEEK)).clamp(-64 * WEEK, 64 * WEEK);
        let power = raise(ROOT, hours.unsigned_abs());
        if hours < 0 { 1.0 / power } else { power }
    }
}

/// Items an hour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ExpectedRates {
    /// In each hour of the day.
    hours: [f64; 24],
    /// The factor of each day of the week.
    days: [f64; 7],
}

impl ExpectedRates {
    pub fn at(&self, now: i64) -> f64 {
        self.in_hour(now.div_euclid(HOUR))
    }

    fn in_hour(&self, hour: i64) -> f64 {
        self.hours[of_day(hour)] * self.days[of_week(hour)]
    }

    /// The hours of the day of `now`.
    pub fn of_day(&self, now: i64) -> [f64; 24] {
        self.hours.map(|rate| rate * self.days[of_week(now.div_euclid(HOUR))])
    }

    /// The mean over the week.
    pub fn mean(&self) -> f64 {
        mean(self.hours) * mean(self.days)
    }

    /// The mean of the square roots over the week.
    pub fn mean_root(&self) -> f64 {
        mean(self.hours.map(f64::sqrt)) * mean(self.days.map(f64::sqrt))
    }

    /// How many seconds from `now` until what `measure` makes of the rates adds up to `amount`; at most `limit`.
    pub fn until(&self, now: i64, amount: f64, limit: i64, measure: impl Fn(f64) -> f64) -> i64 {
        let mut left = amount * HOUR as f64;
        let mut passed = 0;
        for (hour, seconds) in hours(now, now.saturating_add(limit)) {
            let speed = measure(self.in_hour(hour));
            if speed * seconds as f64 >= left {
                return passed + (left / speed) as i64;
            }
            left -= speed * seconds as f64;
            passed += seconds;
        }
        limit
    }
}

/// The hours that a span of time touches, with how many of its seconds lie in each.
fn hours(from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
    let mut at = from;
    std::iter::from_fn(move || {
        let hour = at.div_euclid(HOUR);
        let end = to.min((hour + 1) * HOUR);
        let seconds = end - at;
        at = end;
        (seconds > 0).then_some((hour, seconds))
    })
}

fn of_day(hour: i64) -> usize {
    hour.rem_euclid(24) as usize
}

fn of_week(hour: i64) -> usize {
    hour.div_euclid(24).rem_euclid(7) as usize
}

fn mean<const N: usize>(values: [f64; N]) -> f64 {
    values.iter().sum::<f64>() / N as f64
}

/// The sum over an hour's neighbourhood, in units of the hour itself.
fn near(values: &[f64; 24], hour: usize) -> f64 {
    let mut sum = NEAR[0] * values[hour];
    for (far, weight) in NEAR.iter().enumerate().skip(1) {
        sum += weight * (values[(hour + far) % 24] + values[(hour + 24 - far) % 24]);
    }
    sum / NEAR[0]
}

/// By squaring: `powi` may differ between machines.
fn raise(base: f64, exponent: u64) -> f64 {
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
