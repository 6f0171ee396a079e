//! A boosted ensemble of decision trees: the log-odds that two stories belong to one storyline.
//!
//! The model consists of trees, because their output is bounded, unlike that of a linear model: an event that is larger
//! than any event in the training data is scored like the largest event. The weights are in `tree_model.txt`; `cargo
//! run --release --example train_storylines` learns them.

use super::pair_features::{FEATURE_NAMES, StoryPairFeatures};
use crate::cluster::sigmoid;

/// The learned trees.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TreeModel {
    /// The log-odds to which the trees' values are added.
    pub bias: f32,
    pub trees: Vec<Tree>,
}

/// The maximum number of leaves of a tree.
pub(super) const MAX_LEAVES: usize = 8;

/// The nodes of one tree. The first is the root.
pub type Tree = Vec<TreeNode>;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TreeNode {
    /// A split by a feature. If the feature is at most the threshold, the next node decides. Otherwise, the node at the
    /// position `above` decides.
    Split {
        feature: usize,
        threshold: f32,
        above: usize,
    },
    Leaf {
        log_odds: f32,
    },
}

/// The maximum of each feature, as far as it is known.
pub(super) type FeatureLimits = [Option<f32>; FEATURE_NAMES.len()];

/// A model file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the model: {problem}")]
pub struct ModelError {
    line: usize,
    problem: &'static str,
}

impl TreeModel {
    /// Returns the model that comes with the program.
    pub fn learned() -> TreeModel {
        // A test parses the file, so the error cannot occur in a program that was built and tested.
        TreeModel::parse(include_str!("tree_model.txt")).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Returns the probability that two stories belong to one storyline, 0 to 1.
    pub fn probability(&self, features: &StoryPairFeatures) -> f32 {
        sigmoid(self.bias + self.trees.iter().map(|tree| evaluate(tree, features)).sum::<f32>())
    }

    /// Returns an upper bound of the log-odds of all pairs whose features are at most these limits. A feature without a
    /// limit can have any value.
    pub(super) fn max_log_odds(&self, limits: &FeatureLimits) -> f32 {
        self.bias + self.trees.iter().map(|tree| max_leaf(tree, 0, limits)).sum::<f32>()
    }

    /// Parses a model file. Its lines are `bias VALUE`, `tree` before the nodes of each tree, `split FEATURE THRESHOLD
    /// ABOVE` and `leaf VALUE`, with tabs between the cells. Lines that start with `#` are comments.
    ///
    /// # Errors
    ///
    /// Fails on an invalid line, on an unknown feature, and on a tree whose second branches do not follow the first
    /// branches or that has more than [`MAX_LEAVES`] leaves.
    pub fn parse(text: &str) -> Result<TreeModel, ModelError> {
        let mut model = TreeModel::default();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let error = |problem| ModelError { line: number + 1, problem };
            let cells: Vec<&str> = line.split('\t').collect();
            let node = match cells[..] {
                ["bias", value] => {
                    model.bias = parse_finite(value).ok_or(error("the bias is not a number"))?;
                    continue;
                }
                ["tree"] => {
                    model.trees.push(Tree::new());
                    continue;
                }
                ["split", feature, threshold, above] => TreeNode::Split {
                    feature: FEATURE_NAMES.iter().position(|n| *n == feature).ok_or(error("unknown feature"))?,
                    threshold: parse_finite(threshold).ok_or(error("the threshold is not a number"))?,
                    above: above.parse().map_err(|_| error("the position is not a number"))?,
                },
                ["leaf", value] => {
                    TreeNode::Leaf { log_odds: parse_finite(value).ok_or(error("the leaf is not a number"))? }
                }
                _ => return Err(error("expected ‘bias’, ‘tree’, ‘split’ or ‘leaf’")),
            };
            model.trees.last_mut().ok_or(error("node before the first tree"))?.push(node);
        }
        let is_complete = |tree: &Tree| tree.len() < 2 * MAX_LEAVES && subtree_end(tree, 0) == Some(tree.len());
        match model.trees.iter().all(is_complete) {
            true => Ok(model),
            false => Err(ModelError { line: text.lines().count(), problem: "a tree is incomplete or too large" }),
        }
    }

    /// Writes the file that [`TreeModel::parse`] reads.
    pub fn write(&self) -> String {
        let mut text = format!("bias\t{:.5}\n", self.bias);
        for tree in &self.trees {
            text.push_str("tree\n");
            for node in tree {
                text.push_str(&match node {
                    TreeNode::Split { feature, threshold, above } => {
                        format!("split\t{}\t{threshold}\t{above}\n", FEATURE_NAMES[*feature])
                    }
                    TreeNode::Leaf { log_odds } => format!("leaf\t{log_odds:.5}\n"),
                });
            }
        }
        text
    }
}

/// Returns the position after the last node below a node; `None` if nodes are missing or in another order.
fn subtree_end(tree: &Tree, position: usize) -> Option<usize> {
    match tree.get(position)? {
        TreeNode::Split { above, .. } if subtree_end(tree, position + 1)? == *above => subtree_end(tree, *above),
        TreeNode::Split { .. } => None,
        TreeNode::Leaf { .. } => Some(position + 1),
    }
}

/// Returns the leaf that the features lead to. Positions only increase, so the walk ends.
fn evaluate(tree: &Tree, features: &StoryPairFeatures) -> f32 {
    let mut position = 0;
    loop {
        match tree[position] {
            TreeNode::Split { feature, threshold, above } => {
                position = if features[feature] <= threshold { position + 1 } else { above };
            }
            TreeNode::Leaf { log_odds } => return log_odds,
        }
    }
}

/// Returns the highest value of the leaves that are within the limits, among the leaves below the node at `position`.
fn max_leaf(tree: &Tree, position: usize, limits: &FeatureLimits) -> f32 {
    match tree[position] {
        TreeNode::Split { feature, threshold, above } => {
            let below = max_leaf(tree, position + 1, limits);
            match limits[feature] {
                Some(limit) if limit <= threshold => below,
                _ => below.max(max_leaf(tree, above, limits)),
            }
        }
        TreeNode::Leaf { log_odds } => log_odds,
    }
}

fn parse_finite(text: &str) -> Option<f32> {
    text.parse().ok().filter(|number: &f32| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_model_survives_a_round_trip() {
        let model = TreeModel::learned();
        assert_eq!(TreeModel::parse(&model.write()).unwrap(), model);
    }

    #[test]
    fn a_split_sends_features_above_the_threshold_to_its_second_branch() {
        let name = FEATURE_NAMES[0];
        let model = TreeModel::parse(&format!("bias\t0\ntree\nsplit\t{name}\t0.5\t2\nleaf\t-1\nleaf\t1\n")).unwrap();
        let mut features = StoryPairFeatures::default();
        assert!(model.probability(&features) < 0.5);
        features[0] = 0.6;
        assert!(model.probability(&features) > 0.5);
    }

    #[test]
    fn incomplete_trees_and_unknown_features_are_reported() {
        let error = |text: &str| TreeModel::parse(text).unwrap_err().to_string();
        let name = FEATURE_NAMES[0];
        assert!(error(&format!("tree\nsplit\t{name}\t1\t9\nleaf\t0\n")).contains("incomplete"));
        assert!(error(&format!("tree\nsplit\t{name}\t1\t0\nleaf\t0\n")).contains("incomplete"));
        assert!(error("tree\nsplit\tcolor\t1\t2\n").contains("unknown feature"));
        assert!(error("leaf\t0\n").contains("before the first tree"));
        assert!(error("bias\tNaN\n").contains("not a number"));
    }
}
