//! Divides the shared poll budget among all sources. All functions are pure arithmetic.
//!
//! If items arrive at rate λ and the source is polled at rate r, an item waits 1/(2r) on average, and the items of one
//! hour wait λ/(2r) in total. For a given budget, the sum over all sources is minimal if r = c·√λ with one multiplier c
//! for every source (Lagrange multipliers; Sia, Cho, Cho, “Efficient monitoring algorithm for fast news alerts”, TKDE
//! 2007, after Cho and Garcia-Molina, “Effective page refresh policies for Web crawlers”, TODS 2003). Minimum and
//! maximum rates clamp r and leave the rest of the budget to the other sources (water filling).

/// The demand of one source or of several identical sources. All rates are polls per hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollDemand {
    /// The square root of the update rate in items per hour, averaged over the week.
    pub mean_sqrt_rate: f64,
    pub min_polls_per_hour: f64,
    pub max_polls_per_hour: f64,
    /// The number of sources that this demand represents.
    pub sources: u64,
}

/// The multiplier c: the polls per hour of a source with one new item per hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetMultiplier(f64);

impl Default for BudgetMultiplier {
    fn default() -> Self {
        BudgetMultiplier(Self::MAX)
    }
}

impl BudgetMultiplier {
    /// The maximum multiplier. At this value, every source is polled at its maximum rate.
    const MAX: f64 = 1e9;

    /// Clamps any number to a valid multiplier.
    pub fn new(polls_per_hour: f64) -> Self {
        BudgetMultiplier(if polls_per_hour > 0.0 { polls_per_hour.min(Self::MAX) } else { 0.0 })
    }

    pub fn per_hour(self) -> f64 {
        self.0
    }

    /// Returns the multiplier at which all sources together use `budget` polls per hour.
    ///
    /// If the minimum rates already exceed the budget, all sources are polled at their minimum. If the maximum rates do
    /// not use up the budget, all sources are polled at their maximum. The function reads the demands up to 64 times.
    pub fn solve(demands: &[PollDemand], budget: f64) -> Self {
        let polls = |multiplier: f64| demands.iter().map(|demand| demand.polls_per_hour(multiplier)).sum::<f64>();
        if polls(Self::MAX) <= budget {
            return BudgetMultiplier(Self::MAX);
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
    fn polls_per_hour(&self, multiplier: f64) -> f64 {
        let polls = (multiplier * self.mean_sqrt_rate).max(self.min_polls_per_hour).min(self.max_polls_per_hour);
        polls * self.sources as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(rate: f64, sources: u64) -> PollDemand {
        PollDemand { mean_sqrt_rate: rate.sqrt(), min_polls_per_hour: 1.0 / 24.0, max_polls_per_hour: 6.0, sources }
    }

    fn polls(demands: &[PollDemand], budget: f64) -> f64 {
        let multiplier = BudgetMultiplier::solve(demands, budget);
        demands.iter().map(|demand| demand.polls_per_hour(multiplier.per_hour())).sum()
    }

    #[test]
    fn budget_is_used_completely_and_not_exceeded() {
        for rates in [vec![1.0], vec![0.0, 0.1, 3.0], vec![1e-9, 40.0, 40.0, 1000.0]] {
            let demands: Vec<_> = rates.iter().map(|rate| demand(*rate, 1)).collect();
            let used = polls(&demands, rates.len() as f64);
            let possible = rates.len() as f64;
            assert!((possible - 1e-6..=possible).contains(&used), "{rates:?}: {used}");
        }
    }

    #[test]
    fn four_times_the_rate_gets_twice_the_polls() {
        let demands = [demand(0.5, 1), demand(2.0, 1)];
        let multiplier = BudgetMultiplier::solve(&demands, 3.0).per_hour();
        assert!((demands[0].polls_per_hour(multiplier) - 1.0).abs() < 1e-6);
        assert!((demands[1].polls_per_hour(multiplier) - 2.0).abs() < 1e-6);
    }

    #[test]
    fn budget_that_one_source_may_not_use_goes_to_the_others() {
        let free = BudgetMultiplier::solve(&[demand(1.0, 10), demand(25.0, 1)], 20.0);
        let bound = BudgetMultiplier::solve(
            &[demand(1.0, 10), PollDemand { max_polls_per_hour: 2.0, ..demand(25.0, 1) }],
            20.0,
        );
        assert!((bound.per_hour() - 1.8).abs() < 1e-6 && free.per_hour() < 1.41, "{free:?} {bound:?}");
    }

    #[test]
    fn budget_out_of_reach_gives_the_nearest_limit() {
        assert_eq!(polls(&[demand(1.0, 2)], 100.0), 12.0);
        assert_eq!(polls(&[demand(1.0, 24)], 0.5), 1.0);
        assert_eq!(BudgetMultiplier::solve(&[], 5.0), BudgetMultiplier(BudgetMultiplier::MAX));
    }

    #[test]
    fn million_sources_fit_in_a_few_groups() {
        let grouped = [demand(0.25, 600_000), demand(4.0, 400_000)];
        let multiplier = BudgetMultiplier::solve(&grouped, 550_000.0).per_hour();
        assert!((multiplier - 0.5).abs() < 1e-6, "{multiplier}");
    }

    #[test]
    fn invalid_numbers_are_clamped() {
        let odd = PollDemand { mean_sqrt_rate: f64::NAN, min_polls_per_hour: 1.0, max_polls_per_hour: 6.0, sources: 1 };
        assert_eq!(polls(&[odd], 3.0), 1.0);
        assert_eq!(BudgetMultiplier::new(f64::NAN), BudgetMultiplier(0.0));
        assert_eq!(BudgetMultiplier::new(f64::INFINITY), BudgetMultiplier(BudgetMultiplier::MAX));
        assert_eq!(BudgetMultiplier::solve(&[demand(1.0, 1)], f64::NAN), BudgetMultiplier(0.0));
    }
}
