//! How many polls a source gets of a budget that all sources share. Pure arithmetic: knows no source, reads no clock.
//!
//! Where new items arrive at rate λ and are looked for at rate r, they wait 1/(2r) in the mean, and λ/(2r) is what all
//! that arrive in an hour wait together. Its sum over the sources is least, among all shares of one budget, where every
//! r = c·√λ with one c (by Lagrange; Sia, Cho, Cho, “Efficient monitoring algorithm for fast news alerts”, TKDE
//! 2007, after Cho and Garcia-Molina, “Effective page refresh policies for Web crawlers”, TODS 2003). Floor and cap
//! clip it and leave the rest to the others, as water finds its level.

/// What one source, or several that are alike, ask of the budget. All rates are polls an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollDemand {
    /// The root of the source's rate, averaged over the week.
    pub mean_sqrt_rate: f64,
    pub min_polls_per_hour: f64,
    pub max_polls_per_hour: f64,
    /// How many sources this stands for.
    pub sources: u64,
}

/// The one multiplier: polls an hour for a source that brings one new item an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetMultiplier(f64);

impl BudgetMultiplier {
    /// Beyond this every source is at its floor.
    const FASTEST: f64 = 1e9;

    /// Takes whatever number an operator gives for a pace.
    pub fn new(polls_an_hour: f64) -> Self {
        BudgetMultiplier(if polls_an_hour > 0.0 { polls_an_hour.min(Self::FASTEST) } else { 0.0 })
    }

    pub fn per_hour(self) -> f64 {
        self.0
    }

    /// The pace at which all sources together make `budget` polls an hour.
    ///
    /// Where even the slowest polls exceed the budget everyone is polled as slowly as may be, where the fastest do not
    /// use it up as fast as may be. It reads the demands 64 times; a million sources are best grouped beforehand by a
    /// rounded root (a histogram, `GROUP BY` in SQL), which is what [`PollDemand::sources`] is for.
    pub fn solve(demands: &[PollDemand], budget: f64) -> Self {
        let polls = |pace: f64| demands.iter().map(|demand| demand.polls(pace)).sum::<f64>();
        if polls(Self::FASTEST) <= budget {
            return BudgetMultiplier(Self::FASTEST);
        }
        let (mut low, mut high) = (0.0, 1.0);
        while polls(high) < budget {
            (low, high) = (high, high * 4.0);
        }
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if polls(middle) < budget { low = middle } else { high = middle }
        }
        BudgetMultiplier(low)
    }
}

impl PollDemand {
    fn polls(&self, pace: f64) -> f64 {
        (pace * self.mean_sqrt_rate).max(self.min_polls_per_hour).min(self.max_polls_per_hour) * self.sources as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(rate: f64, sources: u64) -> PollDemand {
        PollDemand { mean_sqrt_rate: rate.sqrt(), min_polls_per_hour: 1.0 / 24.0, max_polls_per_hour: 6.0, sources }
    }

    fn polls(demands: &[PollDemand], budget: f64) -> f64 {
        let pace = BudgetMultiplier::solve(demands, budget);
        demands.iter().map(|demand| demand.polls(pace.per_hour())).sum()
    }

    #[test]
    fn the_budget_is_used_up_and_not_exceeded() {
        for rates in [vec![1.0], vec![0.0, 0.1, 3.0], vec![1e-9, 40.0, 40.0, 1000.0]] {
            let demands: Vec<_> = rates.iter().map(|rate| demand(*rate, 1)).collect();
            let used = polls(&demands, rates.len() as f64);
            let possible = rates.len() as f64;
            assert!((possible - 1e-6..=possible).contains(&used), "{rates:?}: {used}");
        }
    }

    #[test]
    fn a_rate_four_times_as_high_gets_twice_the_polls() {
        let demands = [demand(0.5, 1), demand(2.0, 1)];
        let pace = BudgetMultiplier::solve(&demands, 3.0).per_hour();
        assert!((demands[0].polls(pace) - 1.0).abs() < 1e-6);
        assert!((demands[1].polls(pace) - 2.0).abs() < 1e-6);
    }

    #[test]
    fn what_a_floor_takes_from_one_source_goes_to_the_others() {
        let free = BudgetMultiplier::solve(&[demand(1.0, 10), demand(25.0, 1)], 20.0);
        let bound = BudgetMultiplier::solve(
            &[demand(1.0, 10), PollDemand { max_polls_per_hour: 2.0, ..demand(25.0, 1) }],
            20.0,
        );
        assert!((bound.per_hour() - 1.8).abs() < 1e-6 && free.per_hour() < 1.41, "{free:?} {bound:?}");
    }

    #[test]
    fn a_budget_out_of_reach_is_met_by_the_nearest_limit() {
        assert_eq!(polls(&[demand(1.0, 2)], 100.0), 12.0);
        assert_eq!(polls(&[demand(1.0, 24)], 0.5), 1.0);
        assert_eq!(BudgetMultiplier::solve(&[], 5.0), BudgetMultiplier(BudgetMultiplier::FASTEST));
    }

    #[test]
    fn a_million_sources_fit_in_a_few_groups() {
        let grouped = [demand(0.25, 600_000), demand(4.0, 400_000)];
        let pace = BudgetMultiplier::solve(&grouped, 550_000.0).per_hour();
        assert!((pace - 0.5).abs() < 1e-6, "{pace}");
    }

    #[test]
    fn numbers_that_are_none_do_no_harm() {
        let odd = PollDemand { mean_sqrt_rate: f64::NAN, min_polls_per_hour: 1.0, max_polls_per_hour: 6.0, sources: 1 };
        assert_eq!(polls(&[odd], 3.0), 1.0);
        assert_eq!(BudgetMultiplier::new(f64::NAN), BudgetMultiplier(0.0));
        assert_eq!(BudgetMultiplier::new(f64::INFINITY), BudgetMultiplier(BudgetMultiplier::FASTEST));
        assert_eq!(BudgetMultiplier::solve(&[demand(1.0, 1)], f64::NAN), BudgetMultiplier(0.0));
    }
}
