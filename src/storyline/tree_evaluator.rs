//! Evaluates a tree model on many pairs of stories: QuickScorer (Lucchese et al., 2015).
//!
//! A walk through a tree depends on the previous node at each step, and half of the branches are mispredicted. Here,
//! the splits of all trees are sorted by feature and threshold instead. Each split that a pair exceeds removes the
//! leaves of its first branch. The first leaf that remains in a tree is the leaf that a walk would reach.

use super::pair_features::{FEATURE_NAMES, StoryPairFeatures};
use super::tree_model::{MAX_LEAVES, Tree, TreeModel, TreeNode};
use crate::cluster::sigmoid;

/// A set of leaves of one tree. Bit n is leaf n.
type LeafSet = u64;

/// The splits and leaves of a model.
pub(super) struct TreeEvaluator {
    bias: f32,
    /// The splits of each feature in order of their thresholds.
    splits: [Vec<Split>; FEATURE_NAMES.len()],
    /// The values of the leaves, [`MAX_LEAVES`] for each tree.
    leaves: Vec<f32>,
    /// The leaves of each tree that a pair can still reach.
    reachable: Vec<LeafSet>,
}

struct Split {
    threshold: f32,
    tree: u32,
    /// The leaves that a pair above the threshold can reach.
    above: LeafSet,
}

impl TreeEvaluator {
    pub(super) fn new(model: &TreeModel) -> TreeEvaluator {
        let mut evaluator = TreeEvaluator {
            bias: model.bias,
            splits: Default::default(),
            leaves: vec![0.0; model.trees.len() * MAX_LEAVES],
            reachable: vec![0; model.trees.len()],
        };
        for (number, tree) in model.trees.iter().enumerate() {
            evaluator.add_tree(number, tree);
        }
        for splits in &mut evaluator.splits {
            splits.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
        }
        evaluator
    }

    fn add_tree(&mut self, number: usize, tree: &Tree) {
        let leaves_before =
            |position: usize| tree[..position].iter().filter(|node| matches!(node, TreeNode::Leaf { .. })).count();
        for (position, node) in tree.iter().enumerate() {
            match *node {
                TreeNode::Split { feature, threshold, above } => {
                    // The first branch contains the nodes up to the second branch.
                    let below = leaves_before(position)..leaves_before(above);
                    let below = below.fold(0, |leaves, leaf| leaves | 1 << leaf);
                    self.splits[feature].push(Split { threshold, tree: number as u32, above: !below });
                }
                TreeNode::Leaf { log_odds } => {
                    self.leaves[number * MAX_LEAVES + leaves_before(position)] = log_odds;
                }
            }
        }
    }

    /// Returns the same probability as [`TreeModel::probability`].
    pub(super) fn probability(&mut self, features: &StoryPairFeatures) -> f32 {
        self.reachable.fill(LeafSet::MAX);
        for (splits, value) in self.splits.iter().zip(features) {
            for split in splits.iter().take_while(|split| *value > split.threshold) {
                self.reachable[split.tree as usize] &= split.above;
            }
        }
        let leaves = self.leaves.chunks_exact(MAX_LEAVES).zip(&self.reachable);
        sigmoid(self.bias + leaves.map(|(leaves, reachable)| leaves[reachable.trailing_zeros() as usize]).sum::<f32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_equal_those_of_walks_through_the_trees() {
        let model = TreeModel::learned();
        let mut evaluator = TreeEvaluator::new(&model);
        let thresholds = |feature: usize| {
            let splits = model.trees.iter().flatten().filter_map(move |node| match node {
                TreeNode::Split { feature: own, threshold, .. } if *own == feature => Some(*threshold),
                _ => None,
            });
            splits.flat_map(|threshold| [threshold, threshold.next_up()]).chain([0.0]).collect::<Vec<f32>>()
        };
        let values: Vec<Vec<f32>> = (0..FEATURE_NAMES.len()).map(thresholds).collect();
        for n in 0..5000_usize {
            let mut features = StoryPairFeatures::default();
            for (feature, value) in features.iter_mut().enumerate() {
                let hash = xxhash_rust::xxh3::xxh3_64_with_seed(&n.to_le_bytes(), feature as u64) as usize;
                *value = values[feature][hash % values[feature].len()];
            }
            assert_eq!(evaluator.probability(&features), model.probability(&features), "{features:?}");
        }
    }
}
