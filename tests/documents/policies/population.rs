//! Simulated sources with known update rates, daily cycles and publication times. A seed generates the same sources in
//! every run. The sources do not depend on the polling policy.

pub const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;
/// Monday, 5 January 2026, 00:00 UTC.
pub const START: i64 = 1_767_571_200;
/// The interval at which the true rates change, in seconds. The estimated rates change every hour.
pub const SLOT: i64 = 900;
const SLOTS: usize = 96;

/// A source and its true rates.
pub struct Source {
    /// The items per hour in each slot of the day, before and after `step`.
    rates: [[f64; SLOTS]; 2],
    /// The time at which the rate changes permanently.
    step: i64,
    /// The factors of the rate from Monday to Friday, and on Saturday and Sunday.
    week: [f64; 2],
    /// The number of items in a document.
    pub window: usize,
    /// Whether the items have dates.
    pub dated: bool,
    /// The time of the first poll.
    pub first_poll: i64,
    /// The publication times of the items, sorted. They start one month before the first poll.
    pub arrivals: Vec<i64>,
}

impl Source {
    pub fn rate(&self, at: i64) -> f64 {
        let weekend = (at - START).div_euclid(DAY).rem_euclid(7) >= 5;
        let of_day = self.rates[usize::from(at >= self.step)][(at.rem_euclid(DAY) / SLOT) as usize];
        of_day * self.week[usize::from(weekend)]
    }
}

/// The statistical distribution of the publication times.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ArrivalPattern {
    /// Independent items with a Poisson distribution.
    Poisson,
    /// Clusters of geometric size with mean three (Pólya–Aeppli), with five times the variance of a Poisson process.
    Bursts,
    /// Independent items, with two fifths of the rate on Saturdays and Sundays.
    Weekends,
}

pub fn population(seed: u64, sources: usize, days: i64, pattern: ArrivalPattern) -> Vec<Source> {
    let mut random = RandomGenerator(seed);
    (0..sources).map(|_| source(&mut random, days, pattern)).collect()
}

fn source(random: &mut RandomGenerator, days: i64, pattern: ArrivalPattern) -> Source {
    // The rates are log-normal: the median source publishes every 80 minutes, and one in twenty sources publishes at
    // least 9 times an hour.
    let mean = (0.75 * libm::exp(1.5 * random.normal())).clamp(0.05, 40.0);
    let shape = shape(random);
    // One in eight sources changes its rate permanently after the first week, by a factor between 1/4 and 4.
    let changes = random.unit() < 0.125;
    let step = if changes { START + 7 * DAY + (random.unit() * ((days - 7) * DAY) as f64) as i64 } else { i64::MAX };
    let factor = libm::pow(4.0, 2.0 * random.unit() - 1.0);
    let rates = [shape.map(|s| s * mean), shape.map(|s| (s * mean * factor).min(80.0))];
    let window = 10 + (random.unit() * 41.0) as usize;
    let dated = random.unit() < 0.75;
    let first_poll = START + (random.unit() * HOUR as f64) as i64;
    let week = if pattern == ArrivalPattern::Weekends { [7.0 / 5.8, 0.4 * 7.0 / 5.8] } else { [1.0, 1.0] };
    let mut source = Source { rates, step, week, window, dated, first_poll, arrivals: Vec::new() };
    source.arrivals = arrivals(&source, random, days, pattern);
    source
}

/// Returns a daily profile with a mean of 1: flat, a wave, office hours, or a morning and an evening peak.
fn shape(random: &mut RandomGenerator) -> [f64; SLOTS] {
    let (kind, phase, depth) = (random.unit(), random.unit(), 0.3 + 0.65 * random.unit());
    let of_day = |slot: usize| (slot as f64 / SLOTS as f64 + phase).fract();
    let peak = |x: f64, at: f64, width: f64| {
        let off = (x - at) / width;
        libm::exp(-off * off)
    };
    let form: [f64; SLOTS] = std::array::from_fn(|slot| {
        let x = of_day(slot);
        match kind {
            _ if kind < 0.25 => 1.0,
            _ if kind < 0.55 => 1.0 + depth * libm::cos(x * std::f64::consts::TAU),
            _ if kind < 0.85 => 1.0 - depth * f64::from(u8::from(!(0.2..0.65).contains(&x))),
            _ => 1.0 - depth + 4.0 * depth * (peak(x, 0.3, 0.06) + peak(x, 0.7, 0.08)),
        }
    });
    let mean = form.iter().sum::<f64>() / SLOTS as f64;
    form.map(|value| value / mean)
}

fn arrivals(source: &Source, random: &mut RandomGenerator, days: i64, pattern: ArrivalPattern) -> Vec<i64> {
    let mut arrivals = Vec::new();
    let mut slot = START - 30 * DAY;
    while slot < START + (days + 2) * DAY {
        let share = if pattern == ArrivalPattern::Bursts { 1.0 / 3.0 } else { 1.0 };
        for _ in 0..random.poisson(source.rate(slot) * SLOT as f64 / HOUR as f64 * share) {
            let at = slot + (random.unit() * SLOT as f64) as i64;
            arrivals.push(at);
            // A cluster continues with a probability of two thirds, so it has three items on average, within minutes.
            while pattern == ArrivalPattern::Bursts && random.unit() < 2.0 / 3.0 {
                arrivals.push(at + (random.unit() * 300.0) as i64);
            }
        }
        slot += SLOT;
    }
    arrivals.sort_unstable();
    arrivals
}

/// The random number generator SplitMix64 (Steele, Lea, Flood 2014).
struct RandomGenerator(u64);

impl RandomGenerator {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns an approximately normal random number: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    fn poisson(&mut self, mean: f64) -> u32 {
        let (limit, mut product, mut count) = (libm::exp(-mean), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}
