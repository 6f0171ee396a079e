//! PrecisionRecall a grouping against labelled stories: B-cubed (Bagga and Baldwin, 1998) and pairwise precision, recall, F1.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Precision, recall and their harmonic mean, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PrecisionRecall {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

/// How well a grouping meets the labels.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ClusteringMetrics {
    pub items: usize,
    pub stories_labelled: usize,
    pub stories_found: usize,
    /// Averaged over items: how much of an item's story is right.
    pub b_cubed: PrecisionRecall,
    /// Over pairs of items that stand together.
    pub pairs: PrecisionRecall,
}

/// Compares, item by item, the label with the story that was found.
pub fn report<G: Eq + Hash, S: Eq + Hash>(items: &[(G, S)]) -> ClusteringMetrics {
    let (mut labelled, mut found, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (label, story) in items {
        *labelled.entry(label).or_insert(0u64) += 1;
        *found.entry(story).or_insert(0u64) += 1;
        *both.entry((label, story)).or_insert(0u64) += 1;
    }
    let n = items.len().max(1) as f64;
    let over = |size: &dyn Fn(&G, &S) -> u64| -> f64 {
        let mut parts: Vec<f64> = both.iter().map(|((g, s), c)| (c * c) as f64 / size(g, s) as f64).collect();
        // Summed in order of size, so that the last digit does not depend on the order of a hash map.
        parts.sort_by(f64::total_cmp);
        parts.iter().sum::<f64>() / n
    };
    let pairs = |counts: &mut dyn Iterator<Item = u64>| counts.map(|c| c * (c - 1) / 2).sum::<u64>() as f64;
    let hits = pairs(&mut both.values().copied());
    ClusteringMetrics {
        items: items.len(),
        stories_labelled: labelled.len(),
        stories_found: found.len(),
        b_cubed: PrecisionRecall::new(over(&|_, s| found[s]), over(&|g, _| labelled[g])),
        pairs: PrecisionRecall::new(
            hits / pairs(&mut found.values().copied()).max(1.0),
            hits / pairs(&mut labelled.values().copied()).max(1.0),
        ),
    }
}

/// A story that is wrong, and in which way.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GroupingError {
    /// Pairs of items that are wrong by it.
    pub pairs: u64,
    /// The items, by position: those that belong together in one part each, the largest part first.
    pub parts: Vec<Vec<usize>>,
}

/// The worst mistakes of each kind.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GroupingErrors {
    /// Stories found that hold items of several labels; a part is a label.
    pub false_merges: Vec<GroupingError>,
    /// LabeledItem stories whose items were found in several; a part is a story found.
    pub misses: Vec<GroupingError>,
}

/// Looks for the mistakes that cost most pairs, at most `limit` of each kind.
pub fn mistakes<G: Eq + Hash + Ord, S: Eq + Hash + Ord>(items: &[(G, S)], limit: usize) -> GroupingErrors {
    let flipped: Vec<(&S, &G)> = items.iter().map(|(label, story)| (story, label)).collect();
    let straight: Vec<(&G, &S)> = items.iter().map(|(label, story)| (label, story)).collect();
    GroupingErrors { false_merges: split_up(&flipped, limit), misses: split_up(&straight, limit) }
}

/// The wholes that fall into several parts, those that lose most pairs first.
fn split_up<W: Ord, P: Ord>(items: &[(W, P)], limit: usize) -> Vec<GroupingError> {
    let mut wholes: BTreeMap<&W, BTreeMap<&P, Vec<usize>>> = BTreeMap::new();
    for (at, (whole, part)) in items.iter().enumerate() {
        wholes.entry(whole).or_default().entry(part).or_default().push(at);
    }
    let pairs = |n: usize| (n * n.saturating_sub(1) / 2) as u64;
    let mistake = |parts: BTreeMap<&P, Vec<usize>>| {
        let mut parts: Vec<Vec<usize>> = parts.into_values().collect();
        parts.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let whole = pairs(parts.iter().map(Vec::len).sum());
        GroupingError { pairs: whole - parts.iter().map(|part| pairs(part.len())).sum::<u64>(), parts }
    };
    let mut mistakes: Vec<GroupingError> =
        wholes.into_values().map(mistake).filter(|mistake| mistake.pairs > 0).collect();
    mistakes.sort_by(|a, b| b.pairs.cmp(&a.pairs).then(a.parts.cmp(&b.parts)));
    mistakes.truncate(limit);
    mistakes
}

impl PrecisionRecall {
    fn new(precision: f64, recall: f64) -> Self {
        let sum = precision + recall;
        PrecisionRecall { precision, recall, f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_grouping_scores_one() {
        let report = report(&[(1, 'a'), (1, 'a'), (2, 'b')]);
        assert_eq!((report.b_cubed.f1, report.pairs.f1), (1.0, 1.0));
    }

    #[test]
    fn everything_in_one_story_has_recall_without_precision() {
        let report = report(&[(1, 'a'), (1, 'a'), (2, 'a'), (2, 'a')]);
        assert_eq!((report.b_cubed.precision, report.b_cubed.recall), (0.5, 1.0));
        assert_eq!((report.pairs.precision, report.pairs.recall), (2.0 / 6.0, 1.0));
    }

    #[test]
    fn mistakes_are_told_by_kind_and_cost() {
        let found = mistakes(&[(1, 'a'), (1, 'a'), (1, 'b'), (2, 'b'), (3, 'c')], 5);
        assert_eq!(found.misses, [GroupingError { pairs: 2, parts: vec![vec![0, 1], vec![2]] }]);
        assert_eq!(found.false_merges, [GroupingError { pairs: 1, parts: vec![vec![2], vec![3]] }]);
    }
}
