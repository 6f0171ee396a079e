//! Polling policies against each other in made-up worlds: uniform, doubling, proportional, newsfold's own, and the
//! optimum that knows the true rates, all with the same number of polls.
//!
//! What is compared is how long an item waits in the mean from appearing to being seen. Where the rate λ(t) is known
//! that is least when polls follow √λ(t) (Sia, Cho, Cho, “Efficient monitoring algorithm for fast news alerts”, TKDE
//! 2007; `docs/decisions/0008-polls-follow-the-root-of-the-rate.md`). `cargo test --test documents policies -- --nocapture`
//! prints the tables.

mod population;

use jiff::{SignedDuration, Timestamp};
use newsfold::crawl::poll_budget::{BudgetMultiplier, PollDemand};
use newsfold::crawl::update_rate::{SeenDocument, UpdateRate};
use population::{DAY, HOUR, Manner, SLOT, START, Source, population};

const SOURCES: usize = 240;
const DAYS: i64 = 28;
/// The first week is for learning, the other three are measured.
const MEASURED: std::ops::Range<i64> = START + 7 * DAY..START + DAYS * DAY;
const FLOOR: i64 = 600;
const CAP: i64 = DAY;
/// The pace is solved afresh this often.
const SOLVED: i64 = 6 * HOUR;

#[derive(Clone, Copy, PartialEq)]
enum Policy {
    /// Everyone after the same wait.
    Uniform { wait: i64 },
    /// Half the wait after a poll that brought something, double after one that did not, between `least` and `most`.
    Doubling { least: i64, most: i64 },
    /// Polls in proportion to the estimated rate at this time of day.
    Proportional,
    /// What newsfold does.
    Root,
    /// Polls in proportion to the root of the true rate at this time of day. `keeps_windows` is the optimum among those
    /// that poll before half of a window is expected to be new.
    Optimum { pace: f64, keeps_windows: bool },
}

/// Sources, and how many polls an hour they may get together.
struct World {
    sources: Vec<Source>,
    budget: f64,
}

/// What came of a policy in the measured time.
struct Score {
    polls: usize,
    /// How long each item waited, in seconds; those that no document held any more too.
    waits: Vec<i64>,
    lost: usize,
}

impl Score {
    fn mean(&self) -> f64 {
        self.waits.iter().sum::<i64>() as f64 / self.waits.len() as f64 / 60.0
    }

    fn p95(&self) -> f64 {
        let mut waits = self.waits.clone();
        let at = waits.len() * 95 / 100;
        *waits.select_nth_unstable(at).1 as f64 / 60.0
    }

    /// The polls that were made, as a share of those that might be.
    fn of_budget(&self, world: &World) -> f64 {
        self.polls as f64 / (world.budget * ((MEASURED.end - MEASURED.start) / HOUR) as f64)
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
    rate: UpdateRate,
    by_hour: [f64; 24],
}

fn run(world: &World, policy: Policy) -> Score {
    let mut score = Score { polls: 0, waits: Vec::new(), lost: 0 };
    let mut watched: Vec<Watched> = world.sources.iter().map(Watched::new).collect();
    let mut now = START;
    // On past the end until every item of the measured time has been seen.
    while now < MEASURED.end + CAP {
        let pace = solve(&mut watched, policy, time(now), world.budget);
        now += SOLVED;
        for source in &mut watched {
            while source.next < now {
                source.poll(policy, pace, &mut score);
            }
        }
    }
    score
}

fn solve(watched: &mut [Watched], policy: Policy, now: Timestamp, budget: f64) -> BudgetMultiplier {
    let (floor, cap) = (SignedDuration::from_secs(FLOOR), SignedDuration::from_secs(CAP));
    let demands: Vec<PollDemand> = match policy {
        Policy::Root => watched.iter().map(|w| w.rate.demand(now, floor, cap)).collect(),
        Policy::Proportional => {
            watched.iter_mut().for_each(|w| w.by_hour = w.rate.by_hour(now));
            // Each hour of the day for itself, so that the floor of the busy ones is taken into account.
            let limits =
                PollDemand { mean_sqrt_rate: 0.0, min_polls_per_hour: 1.0 / 24.0, max_polls_per_hour: 6.0, sources: 1 };
            watched.iter().flat_map(|w| w.by_hour.map(|rate| PollDemand { mean_sqrt_rate: rate, ..limits })).collect()
        }
        _ => Vec::new(),
    };
    let hours = if policy == Policy::Proportional { 24.0 } else { 1.0 };
    BudgetMultiplier::solve(&demands, budget * hours)
}

impl<'a> Watched<'a> {
    fn new(source: &'a Source) -> Self {
        let rate = UpdateRate::default();
        Watched { source, next: source.first, last: None, appeared: 0, wait: HOUR, rate, by_hour: [1.0; 24] }
    }

    /// Polls the source when it is its turn, and settles its next one.
    fn poll(&mut self, policy: Policy, pace: BudgetMultiplier, score: &mut Score) {
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
            Policy::Uniform { wait } => wait,
            Policy::Doubling { least, most } if new.is_empty() => (self.wait * 2).min(most).max(least),
            Policy::Doubling { least, most } => (self.wait / 2).min(most).max(least),
            Policy::Proportional => {
                self.observe(new);
                let rate = |at: i64| pace.per_hour() * self.by_hour[(at.rem_euclid(DAY) / HOUR) as usize];
                until(at, HOUR, rate)
            }
            Policy::Root => {
                self.observe(new);
                let (floor, cap) = (SignedDuration::from_secs(FLOOR), SignedDuration::from_secs(CAP));
                self.rate.delay(time(at), pace, floor, cap).span.as_secs()
            }
            Policy::Optimum { pace, keeps_windows } => {
                until(at, SLOT, |at| pace_of(self.source, self.source.rate(at), pace, keeps_windows))
            }
        };
        self.last = Some(at);
        self.next = at + self.wait;
    }

    fn observe(&mut self, new: &[i64]) {
        let dates: Vec<Option<Timestamp>> = new.iter().map(|at| self.source.dated.then(|| time(*at))).collect();
        let seen = SeenDocument { items: self.source.window.min(self.appeared), new_item_dates: &dates };
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

/// The optimum's polls an hour where the true rate is `rate`.
fn pace_of(source: &Source, rate: f64, pace: f64, keeps_windows: bool) -> f64 {
    let least = if keeps_windows { rate / (source.window as f64 / 2.0) } else { 0.0 };
    (pace * rate.sqrt()).max(least)
}

/// The optimum's multiplier, from the true rates of the measured time.
fn optimum(world: &World, keeps_windows: bool) -> Policy {
    let moments = || MEASURED.step_by(SLOT as usize).step_by(3);
    let rates: Vec<_> = world.sources.iter().flat_map(|s| moments().map(move |at| (s, s.rate(at)))).collect();
    let budget = world.budget * moments().count() as f64;
    let polls = |pace: f64| -> f64 {
        rates.iter().map(|(source, rate)| pace_of(source, *rate, pace, keeps_windows).clamp(1.0 / 24.0, 6.0)).sum()
    };
    Policy::Optimum { pace: bisect(0.0, 10.0, 20, |pace| polls(pace) > budget), keeps_windows }
}

/// Doubling between limits with which it makes as many polls as the others: a longer least wait where it would make
/// more, a shorter longest one where it would make fewer.
fn doubling(world: &World) -> Policy {
    let limits = |least: f64, most: f64| Policy::Doubling { least: least as i64, most: most as i64 };
    let (floor, cap, middle) = (FLOOR as f64, CAP as f64, HOUR as f64);
    let too_few = |policy| run(world, policy).of_budget(world) < 1.0;
    if too_few(limits(floor, cap)) {
        limits(floor, bisect(middle, cap, 8, |most| too_few(limits(floor, most))))
    } else {
        limits(bisect(floor, 4.0 * middle, 8, |least| too_few(limits(least, cap))), cap)
    }
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

/// The scores of one world, as they are asserted on and printed.
struct Table {
    uniform: Score,
    doubling: Score,
    proportional: Score,
    newsfold: Score,
    optimum: Score,
    /// The optimum among those that keep windows from overflowing.
    careful: Score,
    /// What is lost even if everyone is polled as often as the floor allows.
    unavoidable: usize,
    world: World,
}

impl Table {
    /// Runs all policies. `wait` is the mean time between the polls of a source, in seconds.
    fn of(seed: u64, manner: Manner, wait: i64) -> Self {
        let world =
            World { sources: population(seed, SOURCES, DAYS, manner), budget: (SOURCES as i64 * HOUR / wait) as f64 };
        let table = Table {
            uniform: run(&world, Policy::Uniform { wait }),
            doubling: run(&world, doubling(&world)),
            proportional: run(&world, Policy::Proportional),
            newsfold: run(&world, Policy::Root),
            optimum: run(&world, optimum(&world, false)),
            careful: run(&world, optimum(&world, true)),
            unavoidable: run(&world, Policy::Uniform { wait: FLOOR }).lost,
            world,
        };
        println!("\nseed {seed}, {manner:?}, one poll in {} min, {} items", wait / 60, table.uniform.waits.len());
        println!("{:14}{:>9}{:>9}{:>12}{:>11}{:>7}", "policy", "polls", "budget", "mean (min)", "p95 (min)", "lost");
        for (name, score) in table.rows() {
            let (polls, share, mean) = (score.polls, 100.0 * score.of_budget(&table.world), score.mean());
            println!("{name:14}{polls:9}{share:8.2}%{mean:12.2}{:11.1}{:7}", score.p95(), score.lost);
        }
        println!("lost at the floor too: {}", table.unavoidable);
        println!("newsfold above the optimum: {:.2} %", 100.0 * (table.newsfold.mean() / table.optimum.mean() - 1.0));
        println!("above the careful optimum: {:.2} %", 100.0 * (table.newsfold.mean() / table.careful.mean() - 1.0));
        table
    }

    fn rows(&self) -> [(&'static str, &Score); 6] {
        [
            ("uniform", &self.uniform),
            ("doubling", &self.doubling),
            ("proportional", &self.proportional),
            ("newsfold", &self.newsfold),
            ("optimum", &self.optimum),
            ("careful", &self.careful),
        ]
    }
}

/// What must hold where nothing but the rates limits the polls.
fn check(seed: u64, manner: Manner) {
    let table = Table::of(seed, manner, HOUR);
    table.is_fair();
    let newsfold = table.newsfold.mean();
    assert!(newsfold <= 1.05 * table.optimum.mean(), "more than 5 % above the optimum");
    for other in [&table.uniform, &table.doubling, &table.proportional] {
        assert!(newsfold < other.mean(), "another policy's items wait for less time");
    }
    assert!(table.newsfold.lost < table.doubling.lost && table.newsfold.lost < table.uniform.lost, "more is lost");
}

impl Table {
    fn is_fair(&self) {
        for (name, score) in self.rows() {
            let share = score.of_budget(&self.world);
            assert!((0.98..=1.02).contains(&share), "{name} used {share} of the budget");
            assert_eq!(score.waits.len(), self.uniform.waits.len(), "{name} did not come to all items");
        }
    }

    /// Items that were lost although polls within the floor could have saved them, of all.
    fn lost_in_vain(&self, score: &Score) -> f64 {
        score.lost.saturating_sub(self.unavoidable) as f64 / score.waits.len() as f64
    }
}

#[test]
fn mean_delay_is_within_five_percent_of_the_optimum() {
    for seed in [1, 2, 3] {
        check(seed, Manner::Poisson);
    }
}

#[test]
fn mean_delay_is_near_the_optimum_if_items_arrive_in_bursts() {
    check(1, Manner::Bursts);
}

#[test]
fn mean_delay_is_near_the_optimum_if_weekends_are_quiet() {
    check(1, Manner::Weekends);
}

/// With a poll in three hours the square root alone would let windows overflow. Not losing items comes before seeing
/// them soon, so that the optimum to compare with is the one that keeps to that too.
#[test]
fn tight_budget_is_first_spent_on_losing_no_items() {
    let table = Table::of(2, Manner::Poisson, 3 * HOUR);
    table.is_fair();
    assert!(table.newsfold.mean() <= 1.05 * table.careful.mean(), "more than 5 % above the careful optimum");
    assert!(table.lost_in_vain(&table.newsfold) < 0.001, "more than one item in a thousand is lost");
    for other in [&table.uniform, &table.doubling, &table.proportional] {
        assert!(table.newsfold.mean() < other.mean() && table.newsfold.lost < other.lost);
    }
    assert!(table.lost_in_vain(&table.optimum) > 0.01, "the square root alone loses nothing: this test tests nothing");
}
