//! Computes the log-odds that two groups report one event from the scores of the pairs between them.
//!
//! The linkage mixes average and single linkage. Single linkage alone would chain long-running stories, and average
//! linkage alone would miss paraphrases.

use super::options::Options;

/// The minimum log-odds of a pair that is linked.
pub(super) const MIN_PAIR_LOG_ODDS: f32 = -3.5;

/// The size above which a story counts as large, and the size above which its bonus does not grow. Without a limit, the
/// largest story would attract more and more items.
const LARGE_STORY_ITEMS: f32 = 6.0;
const MAX_BONUS_ITEMS: f32 = 96.0;

/// The parameters of the linkage.
#[derive(Debug, Clone, PartialEq)]
pub struct Linkage {
    /// The weight of the best pair. The mean of all pairs has the remaining weight.
    pub max_weight: f32,
    /// The penalty in log-odds for each e-fold increase of the smaller group's size.
    pub size_penalty: f32,
    /// The bonus in log-odds for each e-fold increase of the larger group's size above [`LARGE_STORY_ITEMS`]. An item
    /// that resembles one of many reports of an event probably belongs to that event.
    pub large_bonus: f32,
    /// The log-odds above which groups merge ([`Linkage::joins`]).
    pub threshold: f32,
    /// The log-odds that are assumed for a pair that was never a candidate.
    pub missing_pair: f32,
}

impl Linkage {
    /// Returns the linkage that newsfold uses.
    pub fn new(options: &Options) -> Linkage {
        let threshold = options.threshold.clamp(0.001, 0.999);
        let threshold = libm::logf(threshold / (1.0 - threshold));
        Linkage { max_weight: 0.7, size_penalty: 0.2, large_bonus: 0.6, threshold, missing_pair: -4.75 }
    }

    /// Returns whether two groups with these log-odds become one story.
    pub(super) fn joins(&self, log_odds: f32) -> bool {
        log_odds > self.threshold
    }

    /// Returns the log-odds that two groups of these sizes report one event.
    pub(super) fn log_odds(&self, link: ClusterLink, sizes: [usize; 2]) -> f32 {
        let pairs = link.pairs as usize;
        let all = (sizes[0] * sizes[1]).max(pairs);
        let mean = (link.sum + (all - pairs) as f32 * self.missing_pair) / all as f32;
        let [smaller, larger] = [sizes[0].min(sizes[1]), sizes[0].max(sizes[1])].map(|size| size.max(1) as f32);
        let growth = libm::logf(larger.clamp(LARGE_STORY_ITEMS, MAX_BONUS_ITEMS) / LARGE_STORY_ITEMS);
        (1.0 - self.max_weight) * mean + self.max_weight * link.max + self.large_bonus * growth
            - self.size_penalty * libm::logf(smaller)
    }
}

/// The scored pairs between two groups, in log-odds.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClusterLink {
    pub sum: f32,
    pub pairs: u32,
    pub max: f32,
    /// Whether a rule separates at least one of the pairs.
    pub separate: bool,
}

impl ClusterLink {
    /// The link of a pair that a rule separates.
    pub(super) const SEPARATE: ClusterLink = ClusterLink { sum: 0.0, pairs: 0, max: f32::MIN, separate: true };

    /// Creates the link of a single pair.
    pub(super) fn new(log_odds: f32) -> ClusterLink {
        ClusterLink { sum: log_odds, pairs: 1, max: log_odds, separate: false }
    }

    pub(super) fn merge(self, other: ClusterLink) -> ClusterLink {
        ClusterLink {
            sum: self.sum + other.sum,
            pairs: self.pairs + other.pairs,
            max: self.max.max(other.max),
            separate: self.separate || other.separate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_story_attracts_items_up_to_a_limit() {
        let linkage = Linkage::new(&Options::default());
        // All pairs are equally likely, so only the size matters.
        let log_odds = |size: usize| {
            linkage.log_odds(ClusterLink { sum: size as f32, pairs: size as u32, max: 1.0, separate: false }, [1, size])
        };
        assert_eq!(log_odds(1), log_odds(6));
        assert!(log_odds(6) < log_odds(12) && log_odds(12) < log_odds(96));
        assert_eq!(log_odds(96), log_odds(1000));
    }
}
