//! Computes the log-odds that two groups report one event from the scores of the pairs between them.
//!
//! The linkage mixes average and single linkage. Single linkage by itself would chain long-running stories; average
//! linkage by itself would miss paraphrases.

use super::options::Options;

/// The minimum log-odds of a pair that is linked.
pub(super) const MIN_PAIR_LOG_ODDS: f32 = -3.5;

/// The parameters of the linkage.
#[derive(Debug, Clone, PartialEq)]
pub struct Linkage {
    /// The weight of the best pair. The mean of all pairs has the remaining weight.
    pub max_weight: f32,
    /// The penalty in log-odds for each e-fold increase of the smaller group's size.
    pub size_penalty: f32,
    /// The minimum log-odds at which groups merge.
    pub threshold: f32,
    /// The log-odds that are assumed for a pair that was never a candidate.
    pub missing_pair: f32,
}

impl Linkage {
    /// Returns the linkage that newsfold uses.
    pub fn new(options: &Options) -> Linkage {
        let threshold = options.threshold.clamp(0.001, 0.999);
        let threshold = libm::logf(threshold / (1.0 - threshold));
        Linkage { max_weight: 0.7, size_penalty: 0.4, threshold, missing_pair: -4.0 }
    }

    /// Returns the log-odds that two groups of these sizes report one event.
    pub(super) fn log_odds(&self, link: ClusterLink, sizes: [usize; 2]) -> f32 {
        let pairs = link.pairs as usize;
        let all = (sizes[0] * sizes[1]).max(pairs);
        let mean = (link.sum + (all - pairs) as f32 * self.missing_pair) / all as f32;
        let smaller = sizes[0].min(sizes[1]).max(1) as f32;
        (1.0 - self.max_weight) * mean + self.max_weight * link.max - self.size_penalty * libm::logf(smaller)
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
