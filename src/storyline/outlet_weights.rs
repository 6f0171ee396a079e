//! The weight of each item in the statistics of the window. Without the weights, an outlet that publishes far more than
//! the other outlets would determine which terms burst, and how much the stories of other outlets have in common.

use super::item_terms::Report;
use super::options::{FULL_OUTLET_MULTIPLE, FULL_OUTLET_SHARE};

/// The minimum weight at which an outlet counts as a whole outlet.
const MIN_COUNTED_WEIGHT: f64 = 0.25;

/// The weights of the items of each outlet, by the number of the outlet.
pub(super) struct OutletWeights(Vec<f64>);

impl OutletWeights {
    /// Computes the weights. The items of most outlets have the weight 1. For outlets with too many items, the total
    /// weight decreases with the number of items.
    pub(super) fn new(reports: &[&Report]) -> OutletWeights {
        let mut items: Vec<f64> = Vec::new();
        for outlet in reports.iter().map(|report| report.outlet as usize) {
            items.resize(items.len().max(outlet + 1), 0.0);
            items[outlet] += 1.0;
        }
        let all = reports.len() as f64;
        let other_outlets = items.iter().filter(|own| **own > 0.0).count() as f64 - 1.0;
        let weight = |own: &f64| {
            let others = all - own;
            if others == 0.0 {
                return 1.0;
            }
            let limit = (FULL_OUTLET_SHARE * others).max(FULL_OUTLET_MULTIPLE * others / other_outlets);
            let ratio = (limit / own).min(1.0);
            ratio * ratio
        };
        OutletWeights(items.iter().map(weight).collect())
    }

    /// Gives all items the weight 1.
    pub(super) fn equal(reports: &[&Report]) -> OutletWeights {
        let outlets = reports.iter().map(|report| report.outlet as usize + 1).max().unwrap_or(0);
        OutletWeights(vec![1.0; outlets])
    }

    pub(super) fn get(&self, report: &Report) -> f64 {
        self.0[report.outlet as usize]
    }

    /// Returns the number of distinct outlets. An outlet with a low weight counts in proportion to its weight.
    pub(super) fn outlets<'r>(&self, reports: impl Iterator<Item = &'r Report>) -> f64 {
        let mut outlets: Vec<u32> = reports.map(|report| report.outlet).collect();
        outlets.sort_unstable();
        outlets.dedup();
        let counted = |outlet: u32| {
            let weight = self.0[outlet as usize];
            if weight >= MIN_COUNTED_WEIGHT { 1.0 } else { weight }
        };
        let mut counted: Vec<f64> = outlets.into_iter().map(counted).collect();
        // The identifying numbers of outlets differ after a restart, and the sum of floats depends on their order.
        counted.sort_unstable_by(f64::total_cmp);
        counted.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StoryId;

    /// Returns the weights of outlets with these numbers of items.
    fn weights(items: &[usize]) -> Vec<f64> {
        let report = |outlet: usize| Report {
            story: StoryId::from_row(1),
            outlet: outlet as u32,
            language: 0,
            ranked_at: 0,
            terms: Box::default(),
            embedding: None,
        };
        let outlets = items.iter().enumerate().flat_map(|(outlet, count)| std::iter::repeat_n(outlet, *count));
        let reports: Vec<Report> = outlets.map(report).collect();
        OutletWeights::new(&reports.iter().collect::<Vec<_>>()).0
    }

    #[test]
    fn ordinary_outlets_have_full_weight() {
        assert_eq!(
            weights(&[347, 301, 287, 184, 182, 108, 104, 84, 84, 84, 84, 84, 84, 84, 84, 84, 84, 84, 84]),
            [1.0; 19]
        );
        assert_eq!(weights(&[600, 100, 100]), [1.0; 3], "a small installation");
        assert_eq!(weights(&[1000]), [1.0], "a single outlet");
    }

    #[test]
    fn an_outlet_with_more_items_has_less_weight_as_a_whole() {
        let total = |count: usize| {
            let honest = [50; 40];
            let all = weights(&[&honest[..], &[count]].concat());
            assert_eq!(all[..40], [1.0; 40]);
            all[40] * count as f64
        };
        assert_eq!(total(400), 400.0);
        assert!((total(4000) - 40.0).abs() < 1e-9);
        assert!(total(8000) < total(4000));
    }
}
