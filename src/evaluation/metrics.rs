//! Scores a grouping against labels: B-cubed (Bagga and Baldwin, 1998) and pairwise precision, recall and F1.

use indexmap::IndexMap;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

/// Precision, recall and their harmonic mean, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PrecisionRecall {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

impl PrecisionRecall {
    fn new(precision: f64, recall: f64) -> Self {
        let sum = precision + recall;
        PrecisionRecall { precision, recall, f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }
}

/// The agreement of a grouping with the labels.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ClusteringMetrics {
    pub items: usize,
    pub stories_labeled: usize,
    pub stories_found: usize,
    /// The B-cubed metrics, averaged over items: how much of an item's story is correct.
    pub b_cubed: PrecisionRecall,
    /// The pairwise metrics, over pairs of items in one story.
    pub pairs: PrecisionRecall,
}

impl ClusteringMetrics {
    /// Scores items, each given by its label and its predicted story.
    pub fn new<L: Eq + Hash, S: Eq + Hash>(items: &[(L, S)]) -> ClusteringMetrics {
        let mut sums = MetricSums::default();
        sums.add(items, |_| true);
        ClusteringMetrics {
            items: items.len(),
            stories_labeled: items.iter().map(|(label, _)| label).collect::<HashSet<_>>().len(),
            stories_found: items.iter().map(|(_, story)| story).collect::<HashSet<_>>().len(),
            b_cubed: sums.b_cubed(),
            pairs: sums.pairs(),
        }
    }
}

/// The sums over items from which the metrics are computed.
#[derive(Debug, Clone, Copy, Default)]
pub struct MetricSums {
    items: f64,
    /// The sum over items of the fraction of the item's predicted story that has its label (precision).
    precision: f64,
    /// The sum over items of the fraction of the items with its label that are in its predicted story (recall).
    recall: f64,
    /// The pairs whose items share both their label and their predicted story. In all three sums, a pair counts as one
    /// half if only one of its items is counted.
    correct_pairs: f64,
    /// The pairs whose items share a predicted story.
    found_pairs: f64,
    /// The pairs whose items share a label.
    labeled_pairs: f64,
}

impl MetricSums {
    /// Adds the items whose label `counts` accepts. Each item is scored against all items.
    pub fn add<L: Eq + Hash, S: Eq + Hash>(&mut self, items: &[(L, S)], counts: impl Fn(&L) -> bool) {
        let (mut by_label, mut by_story, mut by_both) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (label, story) in items {
            *by_label.entry(label).or_insert(0.0) += 1.0;
            *by_story.entry(story).or_insert(0.0) += 1.0;
            *by_both.entry((label, story)).or_insert(0.0) += 1.0;
        }
        for (label, story) in items.iter().filter(|(label, _)| counts(label)) {
            let (labeled, found, both): (f64, f64, f64) = (by_label[label], by_story[story], by_both[&(label, story)]);
            self.items += 1.0;
            self.precision += both / found;
            self.recall += both / labeled;
            self.correct_pairs += (both - 1.0) / 2.0;
            self.found_pairs += (found - 1.0) / 2.0;
            self.labeled_pairs += (labeled - 1.0) / 2.0;
        }
    }

    pub fn b_cubed(&self) -> PrecisionRecall {
        PrecisionRecall::new(self.precision / self.items.max(1.0), self.recall / self.items.max(1.0))
    }

    pub fn pairs(&self) -> PrecisionRecall {
        let precision = self.correct_pairs / self.found_pairs.max(1.0);
        PrecisionRecall::new(precision, self.correct_pairs / self.labeled_pairs.max(1.0))
    }
}

/// The minimum share of a pure entry's items that have the same label.
const PURE_SHARE: f64 = 0.9;

/// The metrics of a feed that has one entry for each predicted story with items from two or more outlets.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct FeedMetrics {
    pub entries: usize,
    /// The number of labels with items from two or more outlets.
    pub labels: usize,
    /// The share of entries in which at least 90% of the items have the same label.
    pub pure: f64,
    /// The share of entries whose most frequent label is also the most frequent label of an earlier entry.
    pub repeats: f64,
    /// The share of the counted labels that are the most frequent label of an entry.
    pub found: f64,
}

impl FeedMetrics {
    /// Scores items, each given by its label, its predicted story and its outlet.
    pub fn new<L: Eq + Hash, S: Eq + Hash>(items: &[(L, S, &str)]) -> FeedMetrics {
        let (mut by_label, mut by_story) = (IndexMap::new(), IndexMap::new());
        for (label, story, outlet) in items {
            by_label.entry(label).or_insert_with(HashSet::new).insert(outlet);
            let (outlets, labels) = by_story.entry(story).or_insert_with(|| (HashSet::new(), IndexMap::new()));
            outlets.insert(outlet);
            *labels.entry(label).or_insert(0) += 1;
        }
        by_label.retain(|_, outlets| outlets.len() > 1);
        by_story.retain(|_, (outlets, _)| outlets.len() > 1);
        let (mut pure, mut shown) = (0, HashSet::new());
        for (_, counts) in by_story.values() {
            // If several labels are equally frequent, the first one is used.
            let most_frequent = counts.iter().rev().max_by_key(|(_, count)| **count);
            let Some((label, count)) = most_frequent else { continue };
            pure += usize::from(f64::from(*count) >= PURE_SHARE * f64::from(counts.values().sum::<i32>()));
            shown.insert(*label);
        }
        let found = by_label.keys().filter(|label| shown.contains(*label)).count();
        FeedMetrics {
            entries: by_story.len(),
            labels: by_label.len(),
            pure: share(pure, by_story.len()),
            repeats: share(by_story.len() - shown.len(), by_story.len()),
            found: share(found, by_label.len()),
        }
    }
}

/// Returns `part` divided by `whole`, from 0 to 1; 0 if `whole` is 0.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// A predicted story whose items have several labels, or a label whose items are in several predicted stories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupingError {
    /// The number of incorrect pairs.
    pub pairs: u64,
    /// The items by position, with one part per set of items that belong together. The largest part comes first.
    pub parts: Vec<Vec<usize>>,
}

/// Returns the predicted stories with several labels, sorted by the number of falsely merged pairs. Each part is a
/// label.
pub fn false_merges<L: Ord, S: Ord>(items: &[(L, S)]) -> Vec<GroupingError> {
    splits(items.iter().map(|(label, story)| (story, label)))
}

/// Returns the labels in several predicted stories, sorted by the number of missed pairs. Each part is a predicted
/// story.
pub fn misses<L: Ord, S: Ord>(items: &[(L, S)]) -> Vec<GroupingError> {
    splits(items.iter().map(|(label, story)| (label, story)))
}

/// Returns the groups that are split into several parts, given the group and the part of each item.
fn splits<W: Ord, P: Ord>(items: impl Iterator<Item = (W, P)>) -> Vec<GroupingError> {
    let mut wholes: BTreeMap<W, BTreeMap<P, Vec<usize>>> = BTreeMap::new();
    for (position, (whole, part)) in items.enumerate() {
        wholes.entry(whole).or_default().entry(part).or_default().push(position);
    }
    let mut errors: Vec<GroupingError> = Vec::new();
    for parts in wholes.into_values().filter(|parts| parts.len() > 1) {
        let mut parts: Vec<Vec<usize>> = parts.into_values().collect();
        parts.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let whole = pair_count(parts.iter().map(Vec::len).sum());
        let together: u64 = parts.iter().map(|part| pair_count(part.len())).sum();
        errors.push(GroupingError { pairs: whole - together, parts });
    }
    errors.sort_by(|a, b| b.pairs.cmp(&a.pairs).then(a.parts.cmp(&b.parts)));
    errors
}

fn pair_count(items: usize) -> u64 {
    (items * items.saturating_sub(1) / 2) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_grouping_scores_one() {
        let metrics = ClusteringMetrics::new(&[(1, 'a'), (1, 'a'), (2, 'b')]);
        assert_eq!((metrics.b_cubed.f1, metrics.pairs.f1), (1.0, 1.0));
    }

    #[test]
    fn one_story_for_everything_has_full_recall_and_low_precision() {
        let metrics = ClusteringMetrics::new(&[(1, 'a'), (1, 'a'), (2, 'a'), (2, 'a')]);
        assert_eq!((metrics.b_cubed.precision, metrics.b_cubed.recall), (0.5, 1.0));
        assert_eq!((metrics.pairs.precision, metrics.pairs.recall), (2.0 / 6.0, 1.0));
    }

    #[test]
    fn sums_of_parts_add_up_to_the_whole() {
        let items = [(1, 'a'), (1, 'b'), (2, 'b'), (3, 'c')];
        let mut sums = MetricSums::default();
        sums.add(&items, |label| *label == 1);
        sums.add(&items, |label| *label != 1);
        let whole = ClusteringMetrics::new(&items);
        assert_eq!((sums.b_cubed(), sums.pairs()), (whole.b_cubed, whole.pairs));
    }

    /// The expected figures are from an independent implementation.
    #[test]
    fn feed_metrics_count_the_entries_of_two_outlets() {
        let items = [
            (1, 'a', "x"),
            (1, 'a', "y"),
            (1, 'b', "x"),
            (1, 'b', "z"),
            (2, 'c', "x"),
            (3, 'c', "y"),
            (3, 'd', "z"),
            (4, 'e', "x"),
            (4, 'f', "y"),
        ];
        let metrics = FeedMetrics::new(&items);
        assert_eq!((metrics.entries, metrics.labels), (3, 3));
        let thirds = [metrics.pure, metrics.repeats, metrics.found].map(|share| share * 3.0);
        assert_eq!(thirds, [2.0, 1.0, 1.0]);
    }

    #[test]
    fn errors_are_listed_by_kind_and_number_of_pairs() {
        let items = [(1, 'a'), (1, 'a'), (1, 'b'), (2, 'b'), (3, 'c')];
        assert_eq!(misses(&items), [GroupingError { pairs: 2, parts: vec![vec![0, 1], vec![2]] }]);
        assert_eq!(false_merges(&items), [GroupingError { pairs: 1, parts: vec![vec![2], vec![3]] }]);
    }
}
