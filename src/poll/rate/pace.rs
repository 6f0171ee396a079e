//! How many polls a source gets of a budget that all sources share. Pure arithmetic: knows no source, reads no clock.
//!
//! Where new items arrive at rate λ and are looked for at rate r, they wait 1/(2r) in the mean, and λ/(2r) is what all
//! that arrive in an hour wait together. Its sum over the sources is least, among all shares of one budget, where every
//! r = c·√λ with one c (Cho and Garcia-Molina, “Effective page refresh policies for Web crawlers”, TODS 2003, for
//! freshness; by Lagrange for this). Floor and cap clip it and leave the rest to the others, as water finds its level.

/// What one source, or several that are alike, ask of the budget. All rates are polls an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// The root of the source's rate, averaged over the day.
    pub root: f64,
    pub slowest: f64,
    pub fastest: f64,
    /// How many sources this stands for.
    pub sources: u64,
}

/// The one multiplier: polls an hour for a source that brings one new item an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace(f64);

impl Pace {
    /// Beyond this every source is at its floor.
    const FASTEST: f64 = 1e9;

    /// Takes whatever number an operator gives for a pace.
    pub fn of(polls_an_hour: f64) -> Self {
        Pace(if polls_an_hour > 0.0 { polls_an_hour.min(Self::FASTEST) } else { 0.0 })
    }

    pub fn per_hour(self) -> f64 {
        self.0
    }

    /// The pace at which all sources together make `budget` polls an hour.
    ///
    /// Where even the slowest polls exceed the budget everyone is polled as slowly as may be, where the fastest do not
    /// use it up as fast as may be. It reads the demands 64 times; a million sources are best grouped beforehand by a
    /// rounded root (a histogram, `GROUP BY` in SQL), which is what [`Demand::sources`] is for.
    pub fn solve(demands: &[Demand], budget: f64) -> Self {
        let polls = |pace: f64| demands.iter().map(|demand| demand.polls(pace)).sum::<f64>();
        if polls(Self::FASTEST) <= budget {
            return Pace(Self::FASTEST);
        }
        let (mut low, mut high) = (0.0, 1.0);
        while polls(high) < budget {
            (low, high) = (high, high * 4.0);
        }
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if polls(middle) < budget { low = middle } else { high = middle }
        }
        Pace(low)
    }
}

impl Demand {
    fn polls(&self, pace: f64) -> f64 {
        (pace * self.root).max(self.slowest).min(self.fastest) * self.sources as f64
    }
}
