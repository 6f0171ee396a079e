//! Made-up sources whose true rates are known: how often they publish, at which hours, and everything that they do
//! publish. The same seed makes the same world on every run; nothing in here knows of any policy.

pub const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;
/// Monday, 5 January 2026, 00:00 UTC.
pub const START: i64 = 1_767_571_200;
/// The true rates change from quarter of an hour to quarter of an hour, not in the hours that the estimate has.
pub const SLOT: i64 = 900;
const SLOTS: usize = 96;

/// One source's truth.
pub struct Source {
    /// Items an hour in each slot of the day, before and after `step`.
    rates: [[f64; SLOTS]; 2],
    step: i64,
    /// By how much the rates are multiplied from Monday to Friday, and on Saturday and Sunday.
    week: [f64; 2],
    /// How many items a document holds.
    pub window: usize,
    /// Whether its items carry dates.
    pub dated: bool,
    /// When it is polled for the first time.
    pub first: i64,
    /// When its items appear, in order; it published for a month before anyone looked.
    pub arrivals: Vec<i64>,
}

impl Source {
    pub fn rate(&self, at: i64) -> f64 {
        let weekend = (at - START).div_euclid(DAY).rem_euclid(7) >= 5;
        let of_day = self.rates[usize::from(at >= self.step)][(at.rem_euclid(DAY) / SLOT) as usize];
        of_day * self.week[usize::from(weekend)]
    }
}

/// How items come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Manner {
    /// Each by itself.
    Poisson,
    /// In clusters of three in the mean, of geometric size (Pólya–Aeppli): counts vary five times as much as Poisson's.
    Bursts,
    /// Each by itself, on Saturday and Sunday two fifths as often.
    Weekends,
}

pub fn population(seed: u64, sources: usize, days: i64, manner: Manner) -> Vec<Source> {
    let mut dice = Dice(seed);
    (0..sources).map(|_| source(&mut dice, days, manner)).collect()
}

fn source(dice: &mut Dice, days: i64, manner: Manner) -> Source {
    // Log-normal: the median source publishes every 80 minutes, one in twenty 9 times an hour and more.
    let mean = (0.75 * libm::exp(1.5 * dice.normal())).clamp(0.05, 40.0);
    let shape = shape(dice);
    // One in eight changes for good at some time after the first week, up to four times as much or as little.
    let changes = dice.unit() < 0.125;
    let step = if changes { START + 7 * DAY + (dice.unit() * ((days - 7) * DAY) as f64) as i64 } else { i64::MAX };
    let factor = libm::pow(4.0, 2.0 * dice.unit() - 1.0);
    let rates = [shape.map(|s| s * mean), shape.map(|s| (s * mean * factor).min(80.0))];
    let window = 10 + (dice.unit() * 41.0) as usize;
    let dated = dice.unit() < 0.75;
    let first = START + (dice.unit() * HOUR as f64) as i64;
    let week = if manner == Manner::Weekends { [7.0 / 5.8, 0.4 * 7.0 / 5.8] } else { [1.0, 1.0] };
    let mut source = Source { rates, step, week, window, dated, first, arrivals: Vec::new() };
    source.arrivals = arrivals(&source, dice, days, manner);
    source
}

/// How a day is shared out, with a mean of 1: flat, a wave, office hours, or a morning and an evening edition.
fn shape(dice: &mut Dice) -> [f64; SLOTS] {
    let (kind, phase, depth) = (dice.unit(), dice.unit(), 0.3 + 0.65 * dice.unit());
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

fn arrivals(source: &Source, dice: &mut Dice, days: i64, manner: Manner) -> Vec<i64> {
    let mut arrivals = Vec::new();
    let mut slot = START - 30 * DAY;
    while slot < START + (days + 2) * DAY {
        let share = if manner == Manner::Bursts { 1.0 / 3.0 } else { 1.0 };
        for _ in 0..dice.poisson(source.rate(slot) * SLOT as f64 / HOUR as f64 * share) {
            let at = slot + (dice.unit() * SLOT as f64) as i64;
            arrivals.push(at);
            // A cluster goes on with a chance of two in three: three items in the mean, within minutes.
            while manner == Manner::Bursts && dice.unit() < 2.0 / 3.0 {
                arrivals.push(at + (dice.unit() * 300.0) as i64);
            }
        }
        slot += SLOT;
    }
    arrivals.sort_unstable();
    arrivals
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
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

    /// The sum of twelve: near enough to a normal number.
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
