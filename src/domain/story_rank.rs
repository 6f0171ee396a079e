//! The rank of a story in feeds with `hot` order. Stories that many outlets have reported recently have the highest
//! ranks.

use super::{StoryId, StorylineId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// The contribution of an outlet to the rank of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutletActivity {
    /// The outlet's last report in the story that is not a copy.
    pub last_report_at: Timestamp,
    /// The highest priority of the outlet's sources in the story.
    pub priority: i32,
}

impl OutletActivity {
    /// Adds the outlet's activity in another story.
    pub fn combine(&mut self, other: OutletActivity) {
        self.last_report_at = self.last_report_at.max(other.last_report_at);
        self.priority = self.priority.max(other.priority);
    }
}

/// The outlets that report a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryActivity {
    pub story: StoryId,
    pub storyline: StorylineId,
    pub outlets: BTreeMap<String, OutletActivity>,
}

/// The rank of a story: log₂ Σ 2^(last report / half-life + priority / 4), summed over its outlets, in thousandths.
///
/// An outlet that reported one half-life earlier counts half as much. Times are counted from 1970 instead of from now:
/// only the difference between two stories matters, so the order depends only on the database. Reddit's “hot” ranking
/// has the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StoryRank(i64);

/// The maximum absolute value of a priority in a rank. A higher priority would hide every other difference.
const MAX_PRIORITY: i32 = 1000;

impl StoryRank {
    /// Computes the rank of a story from its outlets. A story without reports has the lowest rank.
    pub fn new(outlets: impl IntoIterator<Item = OutletActivity>, half_life: SignedDuration) -> StoryRank {
        let half_life = half_life.as_millis().max(1) as f64;
        let mut exponents: Vec<f64> = outlets
            .into_iter()
            .map(|outlet| {
                let priority = f64::from(outlet.priority.clamp(-MAX_PRIORITY, MAX_PRIORITY));
                outlet.last_report_at.as_millisecond() as f64 / half_life + priority / 4.0
            })
            .collect();
        // Floating-point sums depend on the order.
        exponents.sort_by(f64::total_cmp);
        let Some(max) = exponents.last().copied() else { return StoryRank(i64::MIN) };
        // `libm` returns the same bits on every machine, but the methods of `f64` may not.
        let sum: f64 = exponents.iter().map(|exponent| libm::exp2(exponent - max)).sum();
        StoryRank(((max + libm::log2(sum)) * 1000.0).round() as i64)
    }

    /// Returns how far this rank is above another rank, in doublings of the number of outlets.
    pub fn doublings_above(self, other: StoryRank) -> f64 {
        self.0.saturating_sub(other.0) as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_LIFE: SignedDuration = SignedDuration::from_hours(12);

    fn rank(outlets: &[(i64, i32)]) -> StoryRank {
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(20_000 * 24);
        let activity = |(hour, priority): &(i64, i32)| OutletActivity {
            last_report_at: start + SignedDuration::from_hours(*hour),
            priority: *priority,
        };
        StoryRank::new(outlets.iter().map(activity), HALF_LIFE)
    }

    #[test]
    fn half_life_counts_as_much_as_twice_the_outlets_and_four_steps_of_priority() {
        let four = rank(&[(0, 0); 4]);
        assert_eq!(rank(&[(0, 0); 8]).doublings_above(four), 1.0);
        assert_eq!(rank(&[(12, 0); 4]).doublings_above(four), 1.0);
        assert_eq!(rank(&[(0, 4); 4]).doublings_above(four), 1.0);
        assert!(rank(&[(0, 0); 5]) > four && four > rank(&[]));
    }

    #[test]
    fn early_start_of_a_story_does_not_lower_its_rank() {
        let late = rank(&[(20, 0), (20, 0), (20, 0)]);
        let early = rank(&[(0, 0), (20, 0), (20, 0), (20, 0)]);
        assert!(early > late);
        assert_eq!(rank(&[(20, 0), (0, 0)]), rank(&[(0, 0), (20, 0)]), "the order of the outlets has no effect");
    }
}
