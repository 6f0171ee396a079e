//! Compares polling policies on simulated sources: uniform, doubling, proportional, newsfold's policy, and the optimum,
//! which knows the true update rates. All policies make the same number of polls.
//!
//! The metric is the mean delay between the publication of an item and the poll that finds it. For a known rate λ(t),
//! the delay is minimal if polls follow √λ(t) (Sia, Cho, Cho, “Efficient monitoring algorithm for fast news alerts”,
//! TKDE 2007; `docs/decisions/0008-polls-follow-the-square-root-of-the-update-rate.md`). `cargo test --test documents
//! policies -- --nocapture` prints the tables.

mod population;

use jiff::{SignedDuration, Timestamp};
use newsfold::crawl::poll_budget::{BudgetMultiplier, PollDemand};
use newsfold::crawl::update_rate::{SeenDocument, UpdateRate};
use population::{ArrivalPattern, DAY, HOUR, SLOT, START, Source, population};

const SOURCES: usize = 240;
const DAYS: i64 = 28;
/// The measurement period: the last three of four weeks. The policies learn in the first week.
const MEASURED: std::ops::Range<i64> = START + 7 * DAY..START + DAYS * DAY;
const FLOOR: i64 = 600;
const CAP: i64 = DAY;
/// The interval at which the budget multiplier is recomputed, in seconds.
const RECOMPUTE_INTERVAL: i64 = 6 * HOUR;

#[derive(Clone, Copy, PartialEq)]
enum Policy {
    /// All sources have the same interval.
    Uniform { interval: i64 },
    /// The interval is halved after a poll with new items and doubled after a poll without new items, between `min` and
    /// `max`.
    Doubling { min: i64, max: i64 },
    /// Polls are proportional to the estimated rate for the hour of the day.
    Proportional,
    /// The policy of newsfold.
    SquareRoot,
    /// Polls are proportional to the square root of the current true rate. With `keeps_windows`, this is the optimum
    /// among the policies that poll before half of a document is expected to be new.
    Optimum { multiplier: f64, keeps_windows: bool },
}

/// Simulated sources with a common poll budget.
struct Simulation {
    sources: Vec<Source>,
    /// The polls per hour of all sources combined.
    budget: f64,
}

/// The results of a policy in the measurement period.
struct Score {
    polls: usize,
    /// The delay of each item in seconds, including items that were lost.
    delays: Vec<i64>,
    /// The number of items that left the document before a poll.
    lost: usize,
}

impl Score {
    fn mean(&self) -> f64 {
        self.delays.iter().sum::<i64>() as f64 / self.delays.len() as f64 / 60.0
    }

    fn p95(&self) -> f64 {
        let mut delays = self.delays.clone();
        let at = delays.len() * 95 / 100;
        *delays.select_nth_unstable(at).1 as f64 / 60.0
    }

    /// Returns the number of polls as a share of the budget.
    fn budget_share(&self, simulation: &Simulation) -> f64 {
        self.polls as f64 / (simulation.budget * ((MEASURED.end - MEASURED.start) / HOUR) as f64)
    }
}

/// A source and its state under a policy.
struct PolledSource<'a> {
    source: &'a Source,
    next_poll: i64,
    last_poll: Option<i64>,
    /// The number of items published before the last poll.
    published: usize,
    interval: i64,
    rate: UpdateRate,
    by_hour: [f64; 24],
}

fn run(simulation: &Simulation, policy: Policy) -> Score {
    let mut score = Score { polls: 0, delays: Vec::new(), lost: 0 };
    let mut polled: Vec<PolledSource> = simulation.sources.iter().map(PolledSource::new).collect();
    let mut now = START;
    // Polls continue after the end of the measurement period until every item of that period has been found.
    while now < MEASURED.end + CAP {
        let multiplier = solve_budget(&mut polled, policy, time(now), simulation.budget);
        now += RECOMPUTE_INTERVAL;
        for source in &mut polled {
            while source.next_poll < now {
                source.poll(policy, multiplier, &mut score);
            }
        }
    }
    score
}

fn solve_budget(polled: &mut [PolledSource], policy: Policy, now: Timestamp, budget: f64) -> BudgetMultiplier {
    let (floor, cap) = (SignedDuration::from_secs(FLOOR), SignedDuration::from_secs(CAP));
    let demands: Vec<PollDemand> = match policy {
        Policy::SquareRoot => polled.iter().map(|source| source.rate.demand(now, floor, cap)).collect(),
        Policy::Proportional => {
            polled.iter_mut().for_each(|source| source.by_hour = source.rate.by_hour(now));
            // Each hour of the day is a separate demand, so that the minimum interval applies to busy hours.
            let limits =
                PollDemand { mean_sqrt_rate: 0.0, min_polls_per_hour: 1.0 / 24.0, max_polls_per_hour: 6.0, sources: 1 };
            polled
                .iter()
                .flat_map(|source| source.by_hour.map(|rate| PollDemand { mean_sqrt_rate: rate, ..limits }))
                .collect()
        }
        _ => Vec::new(),
    };
    let hours = if policy == Policy::Proportional { 24.0 } else { 1.0 };
    BudgetMultiplier::solve(&demands, budget * hours)
}

impl<'a> PolledSource<'a> {
    fn new(source: &'a Source) -> Self {
        let rate = UpdateRate::default();
        PolledSource {
            source,
            next_poll: source.first_poll,
            last_poll: None,
            published: 0,
            interval: HOUR,
            rate,
            by_hour: [1.0; 24],
        }
    }

    /// Polls the source and computes the time of its next poll.
    fn poll(&mut self, policy: Policy, multiplier: BudgetMultiplier, score: &mut Score) {
        let at = self.next_poll;
        let before = self.published;
        while self.source.arrivals.get(self.published).is_some_and(|item| *item <= at) {
            self.published += 1;
        }
        let oldest = before.max(self.published.saturating_sub(self.source.window));
        let new = &self.source.arrivals[oldest..self.published];
        if self.last_poll.is_some() {
            self.record_delays(before, oldest, score);
        }
        self.interval = match policy {
            Policy::Uniform { interval } => interval,
            Policy::Doubling { min, max } if new.is_empty() => (self.interval * 2).min(max).max(min),
            Policy::Doubling { min, max } => (self.interval / 2).min(max).max(min),
            Policy::Proportional => {
                self.observe(new);
                let rate = |at: i64| multiplier.per_hour() * self.by_hour[(at.rem_euclid(DAY) / HOUR) as usize];
                time_to_next_poll(at, HOUR, rate)
            }
            Policy::SquareRoot => {
                self.observe(new);
                let (floor, cap) = (SignedDuration::from_secs(FLOOR), SignedDuration::from_secs(CAP));
                self.rate.delay(time(at), multiplier, floor, cap).span.as_secs()
            }
            Policy::Optimum { multiplier, keeps_windows } => time_to_next_poll(at, SLOT, |at| {
                optimal_poll_rate(self.source, self.source.rate(at), multiplier, keeps_windows)
            }),
        };
        self.last_poll = Some(at);
        self.next_poll = at + self.interval;
    }

    fn observe(&mut self, new: &[i64]) {
        let dates: Vec<Option<Timestamp>> = new.iter().map(|at| self.source.dated.then(|| time(*at))).collect();
        let seen = SeenDocument { items: self.source.window.min(self.published), new_item_dates: &dates };
        self.rate.observe(time(self.next_poll), (!new.is_empty()).then_some(seen));
    }

    fn record_delays(&self, before: usize, oldest: usize, score: &mut Score) {
        score.polls += usize::from(MEASURED.contains(&self.next_poll));
        for (number, item) in self.source.arrivals[..self.published].iter().enumerate().skip(before) {
            if MEASURED.contains(item) {
                score.delays.push(self.next_poll - item);
                score.lost += usize::from(number < oldest);
            }
        }
    }
}

/// Returns the time, in seconds, until the integral of a poll rate that changes every `step` seconds reaches one poll.
/// The result is between `FLOOR` and `CAP`.
fn time_to_next_poll(now: i64, step: i64, polls_per_hour: impl Fn(i64) -> f64) -> i64 {
    let (mut at, mut left) = (now, HOUR as f64);
    while at < now + CAP {
        let end = (at.div_euclid(step) + 1) * step;
        let here = polls_per_hour(at) * (end - at) as f64;
        if here >= left {
            at += (left / polls_per_hour(at)) as i64;
            break;
        }
        (at, left) = (end, left - here);
    }
    (at - now).clamp(FLOOR, CAP)
}

/// Returns the optimal number of polls per hour for the true rate `rate`.
fn optimal_poll_rate(source: &Source, rate: f64, multiplier: f64, keeps_windows: bool) -> f64 {
    let min = if keeps_windows { rate / (source.window as f64 / 2.0) } else { 0.0 };
    (multiplier * rate.sqrt()).max(min)
}

/// Returns the optimum: the multiplier that uses the budget, computed from the true rates in the measurement period.
fn optimum(simulation: &Simulation, keeps_windows: bool) -> Policy {
    let moments = || MEASURED.step_by(SLOT as usize).step_by(3);
    let rates: Vec<_> = simulation.sources.iter().flat_map(|s| moments().map(move |at| (s, s.rate(at)))).collect();
    let budget = simulation.budget * moments().count() as f64;
    let polls = |multiplier: f64| -> f64 {
        rates
            .iter()
            .map(|(source, rate)| optimal_poll_rate(source, *rate, multiplier, keeps_windows).clamp(1.0 / 24.0, 6.0))
            .sum()
    };
    Policy::Optimum { multiplier: bisect(0.0, 10.0, 20, |multiplier| polls(multiplier) > budget), keeps_windows }
}

/// Returns the doubling policy with limits that make it use the budget: a longer minimum interval if the policy would
/// otherwise poll too often, or a shorter maximum interval if it would poll too rarely.
fn doubling(simulation: &Simulation) -> Policy {
    let limits = |min: f64, max: f64| Policy::Doubling { min: min as i64, max: max as i64 };
    let (floor, cap, middle) = (FLOOR as f64, CAP as f64, HOUR as f64);
    let too_few = |policy| run(simulation, policy).budget_share(simulation) < 1.0;
    if too_few(limits(floor, cap)) {
        limits(floor, bisect(middle, cap, 8, |max| too_few(limits(floor, max))))
    } else {
        limits(bisect(floor, 4.0 * middle, 8, |min| too_few(limits(min, cap))), cap)
    }
}

/// Finds the value at which `is_above` becomes true, by bisection.
fn bisect(mut low: f64, mut high: f64, steps: u32, is_above: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..steps {
        let middle = (low + high) / 2.0;
        if is_above(middle) { high = middle } else { low = middle }
    }
    (low + high) / 2.0
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The scores of all policies in one simulation.
struct Scores {
    uniform: Score,
    doubling: Score,
    proportional: Score,
    newsfold: Score,
    optimum: Score,
    /// The optimum with `keeps_windows`.
    window_optimum: Score,
    /// The number of items that are lost even if every source is polled at the minimum interval.
    unavoidable_losses: usize,
    simulation: Simulation,
}

impl Scores {
    /// Runs all policies. `interval` is the mean time between polls of a source, in seconds.
    fn compute(seed: u64, pattern: ArrivalPattern, interval: i64) -> Self {
        let simulation = Simulation {
            sources: population(seed, SOURCES, DAYS, pattern),
            budget: (SOURCES as i64 * HOUR / interval) as f64,
        };
        let scores = Scores {
            uniform: run(&simulation, Policy::Uniform { interval }),
            doubling: run(&simulation, doubling(&simulation)),
            proportional: run(&simulation, Policy::Proportional),
            newsfold: run(&simulation, Policy::SquareRoot),
            optimum: run(&simulation, optimum(&simulation, false)),
            window_optimum: run(&simulation, optimum(&simulation, true)),
            unavoidable_losses: run(&simulation, Policy::Uniform { interval: FLOOR }).lost,
            simulation,
        };
        println!(
            "\nseed {seed}, {pattern:?}, one poll in {} min, {} items",
            interval / 60,
            scores.uniform.delays.len()
        );
        println!("{:14}{:>9}{:>9}{:>12}{:>11}{:>7}", "policy", "polls", "budget", "mean (min)", "p95 (min)", "lost");
        for (name, score) in scores.rows() {
            let (polls, share, mean) = (score.polls, 100.0 * score.budget_share(&scores.simulation), score.mean());
            println!("{name:14}{polls:9}{share:8.2}%{mean:12.2}{:11.1}{:7}", score.p95(), score.lost);
        }
        println!("lost at the minimum interval: {}", scores.unavoidable_losses);
        println!("newsfold above the optimum: {:.2} %", 100.0 * (scores.newsfold.mean() / scores.optimum.mean() - 1.0));
        println!(
            "newsfold above the optimum with windows: {:.2} %",
            100.0 * (scores.newsfold.mean() / scores.window_optimum.mean() - 1.0)
        );
        scores
    }

    fn rows(&self) -> [(&'static str, &Score); 6] {
        [
            ("uniform", &self.uniform),
            ("doubling", &self.doubling),
            ("proportional", &self.proportional),
            ("newsfold", &self.newsfold),
            ("optimum", &self.optimum),
            ("opt. (windows)", &self.window_optimum),
        ]
    }
}

/// Checks a budget at which only the update rates limit the polls.
fn check_usual_budget(seed: u64, pattern: ArrivalPattern) {
    let scores = Scores::compute(seed, pattern, HOUR);
    scores.assert_comparable();
    let newsfold = scores.newsfold.mean();
    assert!(newsfold <= 1.05 * scores.optimum.mean(), "more than 5 % above the optimum");
    for other in [&scores.uniform, &scores.doubling, &scores.proportional] {
        assert!(newsfold < other.mean(), "another policy has a shorter delay");
    }
    assert!(
        scores.newsfold.lost < scores.doubling.lost && scores.newsfold.lost < scores.uniform.lost,
        "newsfold loses more items"
    );
}

impl Scores {
    /// Asserts that all policies use the same budget and find the same items.
    fn assert_comparable(&self) {
        for (name, score) in self.rows() {
            let share = score.budget_share(&self.simulation);
            assert!((0.98..=1.02).contains(&share), "{name} used {share} of the budget");
            assert_eq!(score.delays.len(), self.uniform.delays.len(), "{name} did not find all items");
        }
    }

    /// Returns the share of items that were lost even though polls at the minimum interval would have found them.
    fn avoidable_loss_share(&self, score: &Score) -> f64 {
        score.lost.saturating_sub(self.unavoidable_losses) as f64 / score.delays.len() as f64
    }
}

#[test]
fn mean_delay_is_within_five_percent_of_the_optimum() {
    for seed in [1, 2, 3] {
        check_usual_budget(seed, ArrivalPattern::Poisson);
    }
}

#[test]
fn mean_delay_is_near_the_optimum_if_items_arrive_in_bursts() {
    check_usual_budget(1, ArrivalPattern::Bursts);
}

#[test]
fn mean_delay_is_near_the_optimum_if_weekends_are_quiet() {
    check_usual_budget(1, ArrivalPattern::Weekends);
}

/// With one poll every three hours, polls that follow only the square root would let windows overflow. It is more
/// important to lose no items than to find items early, so newsfold is compared with the optimum among the policies
/// that poll before half of a window is expected to be new.
#[test]
fn tight_budget_is_first_spent_on_losing_no_items() {
    let scores = Scores::compute(2, ArrivalPattern::Poisson, 3 * HOUR);
    scores.assert_comparable();
    assert!(
        scores.newsfold.mean() <= 1.05 * scores.window_optimum.mean(),
        "more than 5 % above the optimum that keeps windows"
    );
    assert!(scores.avoidable_loss_share(&scores.newsfold) < 0.001, "more than one item in a thousand is lost");
    for other in [&scores.uniform, &scores.doubling, &scores.proportional] {
        assert!(scores.newsfold.mean() < other.mean() && scores.newsfold.lost < other.lost);
    }
    assert!(
        scores.avoidable_loss_share(&scores.optimum) > 0.01,
        "the square root by itself loses no items, so this test has no effect"
    );
}
