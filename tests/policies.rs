//! Polling policies against each other in made-up worlds: uniform, doubling, proportional, newsfold's own, and the
//! optimum that knows the true rates, all with the same number of polls.
//!
//! What is compared is how long an item waits in the mean from appearing to being seen. Where the rate λ(t) is known
//! that is least when polls follow √λ(t) (Sia, Cho, Cho, “Efficient monitoring algorithm for fast news alerts”, TKDE
//! 2007; `docs/decisions/0008-polls-follow-the-root-of-the-rate.md`). `cargo test --test policies -- --nocapture`
//! prints the tables.

#[path = "policies/population.rs"]
mod population;

use jiff::{SignedDuration, Timestamp};
use newsfold::poll::rate::{Demand, Pace, Rate, Seen};
use population::{DAY, HOUR, Manner, SLOT, START, Source, population};

const SOURCES: usize = 300;
const DAYS: i64 = 28;
/// The first week is for learning, the other three are measured.
const MEASURED: std::ops::Range<i64> = START + 7 * DAY..START + DAYS * DAY;
const FLOOR: i64 = 600;
const CAP: i64 = DAY;
/// Polls an hour, for all sources together.
const BUDGET: f64 = SOURCES as f64;
/// The pace is solved afresh this often.
const SOLVED: i64 = 6 * HOUR;

#[derive(Clone, Copy, PartialEq)]
enum Policy {
    /// Everyone once an hour.
    Uniform,
    /// Half the wait after a poll that brought something, double after one that did not; never less than `least`.
    Doubling { least: i64 },
    /// Polls in proportion to the estimated rate at this time of day.
    Proportional,
    /// What newsfold does.
    Root,
    /// Polls in proportion to the root of the true rate at this time of day.
    Optimum { pace: f64 },
}

/// What came of a policy in the measured time.
struct Score {
    polls: usize,
    /// How long each item waited, in seconds, shortest first; those that no document held any more too.
    waits: Vec<i64>,
    lost: usize,
}

impl Score {
    fn mean(&self) -> f64 {
        self.waits.iter().sum::<i64>() as f64 / self.waits.len() as f64 / 60.0
    }

    fn share_of_budget(&self) -> f64 {
        self.polls as f64 / (BUDGET * ((MEASURED.end - MEASURED.start) / HOUR) as f64)
    }
}

/// One source as a policy sees it.
struct Watched<'a> {
    source: &'a Source,
    next: i64,
    /// When it was last polled, and how many of its items had appeared by then.
    last: Option<i64>,
    appeared: usize,
    wait: i64,
    rate: Rate,
    by_hour: [f64; 24],
}

fn run(world: &[Source], policy: Policy) -> Score {
    let mut score = Score { polls: 0, waits: Vec::new(), lost: 0 };
    let mut watched: Vec<Watched> = world.iter().map(Watched::new).collect();
    let mut now = START;
    // On past the end until every item of the measured time has been seen.
    while now < MEASURED.end + CAP {
        let pace = solve(&mut watched, policy, time(now));
        now += SOLVED;
        for source in &mut watched {
            while source.next < now {
                source.poll(policy, pace, &mut score);
            }
        }
    }
    score.waits.sort_unstable();
    score
}

fn solve(watched: &mut [Watched], policy: Policy, now: Timestamp) -> Pace {
    let (floor, cap) = (SignedDuration::from_secs(FLOOR), SignedDuration::from_secs(CAP));
    let demands: Vec<Demand> = match policy {
        Policy::Root => watched.iter().map(|w| w.rate.demand(now, floor, cap)).collect(),
        Policy::Proportional => {
            watched.iter_mut().for_each(|w| w.by_hour = w.rate.by_hour(now));
            let limits = Demand { root: 0.0, slowest: 1.0 / 24.0, fastest: 6.0, sources: 1 };
            watched.iter().map(|w| Demand { root: w.by_hour.iter().sum::<f64>() / 24.0, ..limits }).collect()
        }
        _ => Vec::new(),
    };
    Pace::solve(&demands, BUDGET)
}

impl<'a> Watched<'a> {
    fn new(source: &'a Source) -> Self {
        let rate = Rate::default();
        Watched { source, next: source.first, last: None, appeared: 0, wait: HOUR, rate, by_hour: [1.0; 24] }
    }

    /// Polls the source when it is its turn, and settles its next one.
    fn poll(&mut self, policy: Policy, pace: Pace, score: &mut Score) {
        let at = self.next;
        let before = self.appeared;
        while self.source.arrivals.get(self.appeared).is_some_and(|item| *item <= at) {
            self.appeared += 1;
        }
        let oldest = before.max(self.appeared.saturating_sub(self.source.window));
        let new = &self.source.arrivals[oldest..self.appeared];
        if self.last.is_some() {
            self.count(before, oldest, score);
        }
        self.wait = match policy {
            Policy::Uniform => HOUR,
            Policy::Doubling { least } if new.is_empty() => (self.wait * 2).clamp(least, CAP),
            Policy::Doubling { least } => (self.wait / 2).clamp(least, CAP),
            Policy::Proportional => {
                self.observe(new);
                let rate = |at: i64| pace.per_hour() * self.by_hour[(at.rem_euclid(DAY) / HOUR) as usize];
                until(at, HOUR, rate)
            }
            Policy::Root => {
                self.observe(new);
                let (floor, cap) = (SignedDuration::from_secs(FLOOR), SignedDuration::from_secs(CAP));
                self.rate.wait(time(at), pace, floor, cap).0.as_secs()
            }
            Policy::Optimum { pace } => until(at, SLOT, |at| pace * self.source.rate(at).sqrt()),
        };
        self.last = Some(at);
        self.next = at + self.wait;
    }

    fn observe(&mut self, new: &[i64]) {
        let dates: Vec<Option<Timestamp>> = new.iter().map(|at| self.source.dated.then(|| time(*at))).collect();
        let seen = Seen { items: self.source.window.min(self.appeared), new: &dates };
        self.rate.observe(time(self.next), (!new.is_empty()).then_some(seen));
    }

    fn count(&self, before: usize, oldest: usize, score: &mut Score) {
        score.polls += usize::from(MEASURED.contains(&self.next));
        for (number, item) in self.source.arrivals[..self.appeared].iter().enumerate().skip(before) {
            if MEASURED.contains(item) {
                score.waits.push(self.next - item);
                score.lost += usize::from(number < oldest);
            }
        }
    }
}

/// How long until polls at a rate that changes every `step` seconds come to one, between floor and cap.
fn until(now: i64, step: i64, polls_an_hour: impl Fn(i64) -> f64) -> i64 {
    let (mut at, mut left) = (now, HOUR as f64);
    while at < now + CAP {
        let end = (at.div_euclid(step) + 1) * step;
        let here = polls_an_hour(at) * (end - at) as f64;
        if here >= left {
            at += (left / polls_an_hour(at)) as i64;
            break;
        }
        (at, left) = (end, left - here);
    }
    (at - now).clamp(FLOOR, CAP)
}

/// The optimum's multiplier, from the true rates of the measured time.
fn optimum(world: &[Source]) -> Policy {
    let roots: Vec<f64> = world
        .iter()
        .flat_map(|s| MEASURED.step_by(3 * SLOT as usize).map(|at| s.rate(at).sqrt()))
        .collect();
    let hours = roots.len() as f64 / SOURCES as f64;
    let polls = |pace: f64| roots.iter().map(|root| (pace * root).clamp(1.0 / 24.0, 6.0)).sum::<f64>() / hours;
    let pace = bisect(0.0, 100.0, 30, |pace| polls(pace) > BUDGET);
    Policy::Optimum { pace }
}

/// Doubling with the least wait by which it makes as many polls as the others.
fn doubling(world: &[Source]) -> Policy {
    let polls = |least: f64| run(world, Policy::Doubling { least: least as i64 }).share_of_budget();
    Policy::Doubling { least: bisect(FLOOR as f64, 4.0 * HOUR as f64, 8, |least| polls(least) < 1.0) as i64 }
}

/// Where `beyond` begins to hold.
fn bisect(mut low: f64, mut high: f64, steps: u32, beyond: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..steps {
        let middle = (low + high) / 2.0;
        if beyond(middle) { high = middle } else { low = middle }
    }
    (low + high) / 2.0
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The scores in a world: uniform, doubling, proportional, newsfold's, the optimum's.
fn compare(seed: u64, manner: Manner) -> [Score; 5] {
    let world = population(seed, SOURCES, DAYS, manner);
    let policies = [Policy::Uniform, doubling(&world), Policy::Proportional, Policy::Root, optimum(&world)];
    let scores = policies.map(|policy| run(&world, policy));
    println!("\nseed {seed}, {manner:?}, {} items", scores[0].waits.len());
    println!("{:14}{:>9}{:>9}{:>12}{:>11}{:>7}", "policy", "polls", "budget", "mean (min)", "p95 (min)", "lost");
    for (name, score) in ["uniform", "doubling", "proportional", "newsfold", "optimum"].iter().zip(&scores) {
        let (polls, share, mean) = (score.polls, 100.0 * score.share_of_budget(), score.mean());
        let p95 = score.waits[score.waits.len() * 95 / 100] as f64 / 60.0;
        println!("{name:14}{polls:9}{share:8.2}%{mean:12.2}{p95:11.1}{:7}", score.lost);
    }
    println!("newsfold's mean is {:.2} % above the optimum's", 100.0 * (scores[3].mean() / scores[4].mean() - 1.0));
    scores
}

#[test]
fn lab() {
    for seed in 1..=5 {
        compare(seed, Manner::Poisson);
    }
    compare(1, Manner::Bursts);
    compare(1, Manner::Weekends);
}
