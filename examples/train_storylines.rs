//! Learns the model of storylines from labeled items and tests it on sets of days that it was not trained on.
//!
//! `cargo run --release --example train_storylines -- SET.jsonl SET.jsonl … [--write]` groups the items of each set
//! into stories, compares the stories, and fits boosted trees (Friedman, 2001) to the labels of their storylines. For
//! each set, it prints the figures of a model that was trained on the other sets. `--write` stores a model trained on
//! all sets in `src/storyline/tree_model.txt`. `--out DIR` writes the stories and storylines of each tested set.
//!
//! `--encoder DIR` computes the embeddings of the items. `--embedding-cache FILE` caches them for later runs and for the
//! smaller versions of the sets.
//!
//! Each set is also used in smaller versions, in which one storyline is 30% of all items, because an event that
//! dominates the news is rare in labeled data. If a storyline dominates a set, the versions contain only a part of that
//! storyline.

use newsfold::cluster::{Clusterer, Options};
use newsfold::domain::{Item, StoryId};
use newsfold::encoder::{Encoder, add_embeddings};
use newsfold::evaluation::metrics::{ClusteringMetrics, FeedMetrics};
use newsfold::evaluation::{LabeledItem, items_of_dataset, parse_dataset, replay, storyline_grouper, storylines};
use newsfold::storyline::{FEATURE_NAMES, StoryLinks, StoryPairFeatures, Tree, TreeModel, TreeNode, WeightedStories};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

const FEATURES: usize = FEATURE_NAMES.len();
const TREES: usize = 100;
const MAX_LEAVES: usize = 8;
const MIN_LEAF_PAIRS: usize = 100;
const LEARNING_RATE: f64 = 0.08;
/// The L2 regularization of the values of leaves.
const LEAF_PRIOR: f64 = 5.0;
/// Features are compared at this number of quantiles.
const BINS: usize = 128;
/// The weight of a pair from a smaller version of a set.
const VERSION_WEIGHT: f64 = 0.5;
/// The share of the items that belong to the dominant storyline of a smaller version of a set.
const DOMINANT_SHARE: f64 = 0.3;
/// The number of versions of a set.
const VERSIONS: usize = 4;

/// The items of a set, grouped into stories.
struct LabeledStories {
    items: Vec<LabeledItem>,
    stories: Vec<StoryId>,
    weighed: WeightedStories,
}

/// Compared pairs of stories with their labels.
#[derive(Default)]
struct TrainingPairs {
    features: Vec<StoryPairFeatures>,
    same_storyline: Vec<bool>,
    weights: Vec<f64>,
}

/// A set with its smaller versions.
struct TrainingSet {
    name: String,
    stories: LabeledStories,
    pairs: TrainingPairs,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = arguments.iter().position(|a| a == "--out").map(|n| PathBuf::from(&arguments[n + 1]));
    let paths: Vec<&String> = arguments.iter().filter(|a| a.ends_with(".jsonl")).collect();
    assert!(!paths.is_empty(), "usage: train_storylines SET.jsonl … [--write] [--out DIR]");
    let value = |name: &str| arguments.iter().position(|a| a == name).map(|n| Path::new(&arguments[n + 1]));
    let encoder = value("--encoder").map(|folder| Encoder::load(folder).expect("an encoder"));
    let add_embeddings = |items: &mut [Item]| {
        let cache = value("--embedding-cache");
        encoder.iter().for_each(|encoder| add_embeddings(encoder, cache, items).expect("the encoder works"));
    };
    let sets: Vec<TrainingSet> = paths.iter().map(|path| read_set(Path::new(path), &add_embeddings)).collect();
    for (position, tested) in sets.iter().enumerate().filter(|_| sets.len() > 1) {
        let others: Vec<&TrainingSet> =
            sets.iter().enumerate().filter(|(other, _)| *other != position).map(|(_, set)| set).collect();
        test(tested, &fit(&others), out.as_deref());
    }
    if arguments.iter().any(|a| a == "--write") {
        let model = fit(&sets.iter().collect::<Vec<_>>());
        let header = "# Learned by `cargo run --release --example train_storylines -- SET.jsonl … --write`; read by src/storyline/tree_model.rs.\n";
        std::fs::write("src/storyline/tree_model.txt", format!("{header}{}", model.write()))
            .expect("the file is writable");
    }
}

/// Groups a set with a model and prints the figures.
fn test(tested: &TrainingSet, model: &TreeModel, out: Option<&Path>) {
    let LabeledStories { items, stories, weighed } = &tested.stories;
    for threshold in [0.1, 0.15, 0.2, 0.25, 0.3, 0.4] {
        let found = storylines(weighed.group(model, threshold, &StoryLinks::default()), stories);
        println!("{} threshold {threshold:.2}: {}", tested.name, figures(items, &found));
        if let Some(folder) = out {
            let line = |((item, story), storyline): ((&LabeledItem, &StoryId), &StoryId)| {
                format!("{{\"id\":\"{}\",\"story\":\"{story}\",\"storyline\":\"{storyline}\"}}\n", item.id)
            };
            let lines: String = items.iter().zip(stories).zip(&found).map(line).collect();
            std::fs::write(folder.join(format!("{}.{threshold}.jsonl", tested.name)), lines).expect("writable");
        }
    }
}

/// Returns the figures of a grouping. `found` contains the storyline of each item.
fn figures(items: &[LabeledItem], found: &[StoryId]) -> String {
    let labels = items.iter().map(LabeledItem::storyline_label);
    let grouped: Vec<(String, StoryId)> = labels.zip(found.iter().copied()).collect();
    let ClusteringMetrics { b_cubed, pairs, .. } = ClusteringMetrics::new(&grouped);
    let entries: Vec<(&str, StoryId, &str)> = (grouped.iter().zip(items))
        .map(|((label, storyline), item)| (label.as_str(), *storyline, item.outlet.as_str()))
        .collect();
    let FeedMetrics { pure, repeats, found, .. } = FeedMetrics::new(&entries);
    format!(
        "B-cubed P {:.3} R {:.3} F1 {:.3}, pairs F1 {:.3}, pure {pure:.3} repeats {repeats:.3} found {found:.3}",
        b_cubed.precision, b_cubed.recall, b_cubed.f1, pairs.f1
    )
}

fn read_set(path: &Path, add_embeddings: &dyn Fn(&mut [Item])) -> TrainingSet {
    let text = std::fs::read_to_string(path).expect("the dataset is readable");
    let labeled = parse_dataset(&text).expect("the dataset is valid");
    let mut pairs = TrainingPairs::default();
    for version in versions(&labeled) {
        pairs.add(&group_into_stories(version, add_embeddings), VERSION_WEIGHT);
    }
    let stories = group_into_stories(labeled, add_embeddings);
    pairs.add(&stories, 1.0);
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    eprintln!("{name}: {} pairs", pairs.features.len());
    TrainingSet { name, stories, pairs }
}

/// Smaller versions of a set, one for each of its largest storylines.
fn versions(items: &[LabeledItem]) -> Vec<Vec<LabeledItem>> {
    let mut sizes: HashMap<String, usize> = HashMap::new();
    for item in items.iter().filter(|item| item.storyline.is_some()) {
        *sizes.entry(item.storyline_label()).or_default() += 1;
    }
    let mut largest: Vec<(usize, String)> = sizes.into_iter().map(|(label, size)| (size, label)).collect();
    largest.sort_by(|a, b| b.cmp(a));
    let keep = |share: f64, item: &LabeledItem, seed: usize| {
        let hash = xxh3_64(format!("{seed} {}", item.id).as_bytes());
        (hash as f64) < share * u64::MAX as f64
    };
    let dominant = largest.first().filter(|(size, _)| *size as f64 > DOMINANT_SHARE * items.len() as f64).cloned();
    let versions = largest.iter().take(VERSIONS).enumerate().map(|(seed, (size, label))| {
        let others = items.len() - size;
        let wanted = *size as f64 * (1.0 - DOMINANT_SHARE) / DOMINANT_SHARE;
        let is_wanted = |item: &&LabeledItem| {
            let own = item.storyline_label();
            match &dominant {
                Some((_, dominant)) if dominant == label => own != *label || keep(0.2, item, seed),
                Some((_, dominant)) if own == *dominant => false,
                _ => own == *label || keep(wanted / others as f64, item, seed),
            }
        };
        items.iter().filter(is_wanted).cloned().collect()
    });
    versions.collect()
}

fn group_into_stories(labeled: Vec<LabeledItem>, add_embeddings: &dyn Fn(&mut [Item])) -> LabeledStories {
    let mut items = items_of_dataset(&labeled);
    add_embeddings(&mut items);
    let stories = replay(&mut Clusterer::new(Options::default()), &items);
    let weighed = storyline_grouper(&items, &stories).weigh();
    LabeledStories { items: labeled, stories, weighed }
}

impl TrainingPairs {
    /// Adds the compared pairs of stories. The label of a story is that of most of its items. A pair of one storyline
    /// of n stories weighs 1 / n, because the pairs of a few large storylines would otherwise outweigh all others.
    fn add(&mut self, set: &LabeledStories, weight: f64) {
        let mut counts: HashMap<StoryId, HashMap<String, usize>> = HashMap::new();
        for (item, story) in set.items.iter().zip(&set.stories) {
            *counts.entry(*story).or_default().entry(item.storyline_label()).or_default() += 1;
        }
        let label = |counts: HashMap<String, usize>| {
            counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0))).map(|(label, _)| label)
        };
        let labels: HashMap<StoryId, String> =
            counts.into_iter().filter_map(|(story, counts)| Some((story, label(counts)?))).collect();
        let mut sizes: HashMap<&str, f64> = HashMap::new();
        labels.values().for_each(|label| *sizes.entry(label).or_default() += 1.0);
        for pair in set.weighed.compared_pairs() {
            let [a, b] = pair.stories.map(|story| labels[&story].as_str());
            self.features.push(pair.features);
            self.same_storyline.push(a == b);
            self.weights.push(weight * (1.0 / sizes[a] + 1.0 / sizes[b]) / 2.0);
        }
    }
}

/// The pairs of all training sets, with the features replaced by the numbers of their bins.
struct BinnedPairs {
    /// The upper bounds of each feature's bins.
    bounds: [Vec<f32>; FEATURES],
    bins: [Vec<u8>; FEATURES],
    same_storyline: Vec<bool>,
    weights: Vec<f64>,
}

/// Fits trees one after the other, each to the gradient of the logistic loss.
fn fit(sets: &[&TrainingSet]) -> TreeModel {
    let pairs = BinnedPairs::new(sets);
    let total: f64 = pairs.weights.iter().sum();
    let positive: f64 =
        pairs.weights.iter().zip(&pairs.same_storyline).filter(|(_, same)| **same).map(|(w, _)| w).sum();
    let bias = libm::log(positive / (total - positive));
    let mut log_odds = vec![bias; pairs.weights.len()];
    let mut model = TreeModel { bias: bias as f32, trees: Vec::new() };
    for _ in 0..TREES {
        let derivative = |(row, log_odds): (usize, &f64)| {
            let p = 1.0 / (1.0 + libm::exp(-log_odds));
            let error = p - f64::from(u8::from(pairs.same_storyline[row]));
            [pairs.weights[row] * error, pairs.weights[row] * p * (1.0 - p)]
        };
        let derivatives: Vec<[f64; 2]> = log_odds.iter().enumerate().map(derivative).collect();
        let growing = GrowingTree::grow(&pairs, &derivatives);
        for leaf in &growing.leaves {
            leaf.rows.iter().for_each(|row| log_odds[*row as usize] += leaf.value());
        }
        model.trees.push(growing.tree(&pairs));
    }
    model
}

impl BinnedPairs {
    fn new(sets: &[&TrainingSet]) -> BinnedPairs {
        let all: Vec<&StoryPairFeatures> = sets.iter().flat_map(|set| &set.pairs.features).collect();
        let bounds: [Vec<f32>; FEATURES] = std::array::from_fn(|feature| {
            let mut values: Vec<f32> = all.iter().map(|features| features[feature]).collect();
            values.sort_unstable_by(f32::total_cmp);
            let mut bounds: Vec<f32> = (1..BINS).map(|n| values[n * (values.len() - 1) / BINS]).collect();
            bounds.dedup();
            bounds
        });
        let bins = std::array::from_fn(|feature| {
            let bin = |features: &&StoryPairFeatures| bounds[feature].partition_point(|b| *b < features[feature]) as u8;
            all.iter().map(bin).collect()
        });
        let weights: Vec<f64> = sets.iter().flat_map(|set| set.pairs.weights.iter().copied()).collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        BinnedPairs {
            bounds,
            bins,
            same_storyline: sets.iter().flat_map(|set| set.pairs.same_storyline.iter().copied()).collect(),
            weights: weights.into_iter().map(|weight| weight / mean).collect(),
        }
    }
}

/// A tree whose leaves are split one by one, the one with the largest gain first.
struct GrowingTree {
    leaves: Vec<GrowingLeaf>,
    /// The splits in order, each with the leaf that it split; the part above the bound became the newest leaf.
    splits: Vec<(usize, Split)>,
}

struct GrowingLeaf {
    rows: Vec<u32>,
    /// The sums of the first and second derivatives.
    sums: [f64; 2],
    best: Option<Split>,
}

/// A split of a leaf. Rows whose bin is at most `bin` stay in the leaf.
#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    feature: usize,
    bin: usize,
}

impl GrowingLeaf {
    fn new(pairs: &BinnedPairs, derivatives: &[[f64; 2]], rows: Vec<u32>) -> GrowingLeaf {
        let mut sums = [0.0; 2];
        rows.iter().for_each(|row| (0..2).for_each(|n| sums[n] += derivatives[*row as usize][n]));
        let mut leaf = GrowingLeaf { rows, sums, best: None };
        leaf.best = leaf.best_split(pairs, derivatives);
        leaf
    }

    fn value(&self) -> f64 {
        -LEARNING_RATE * self.sums[0] / (self.sums[1] + LEAF_PRIOR)
    }

    fn best_split(&self, pairs: &BinnedPairs, derivatives: &[[f64; 2]]) -> Option<Split> {
        let score = |[first, second]: [f64; 2]| first * first / (second + LEAF_PRIOR);
        let mut best: Option<Split> = None;
        for (feature, bins) in pairs.bins.iter().enumerate() {
            let mut histogram = [([0.0; 2], 0usize); BINS];
            for row in &self.rows {
                let (sums, count) = &mut histogram[usize::from(bins[*row as usize])];
                (0..2).for_each(|n| sums[n] += derivatives[*row as usize][n]);
                *count += 1;
            }
            let (mut below, mut count) = ([0.0; 2], 0);
            for (bin, (sums, rows)) in histogram.iter().enumerate().take(pairs.bounds[feature].len()) {
                (0..2).for_each(|n| below[n] += sums[n]);
                count += rows;
                if count < MIN_LEAF_PAIRS || self.rows.len() - count < MIN_LEAF_PAIRS {
                    continue;
                }
                let above = [self.sums[0] - below[0], self.sums[1] - below[1]];
                let gain = score(below) + score(above) - score(self.sums);
                if gain > best.map_or(1e-6, |best| best.gain) {
                    best = Some(Split { gain, feature, bin });
                }
            }
        }
        best
    }
}

impl GrowingTree {
    fn grow(pairs: &BinnedPairs, derivatives: &[[f64; 2]]) -> GrowingTree {
        let all: Vec<u32> = (0..derivatives.len() as u32).collect();
        let mut tree = GrowingTree { leaves: vec![GrowingLeaf::new(pairs, derivatives, all)], splits: Vec::new() };
        while tree.leaves.len() < MAX_LEAVES {
            let gain = |leaf: &GrowingLeaf| leaf.best.map_or(0.0, |split| split.gain);
            let widest =
                (0..tree.leaves.len()).max_by(|a, b| gain(&tree.leaves[*a]).total_cmp(&gain(&tree.leaves[*b])));
            let Some((position, split)) = widest.and_then(|n| Some((n, tree.leaves[n].best?))) else { break };
            let rows = std::mem::take(&mut tree.leaves[position].rows);
            let bins = &pairs.bins[split.feature];
            let (below, above) = rows.into_iter().partition(|row| usize::from(bins[*row as usize]) <= split.bin);
            tree.leaves[position] = GrowingLeaf::new(pairs, derivatives, below);
            tree.leaves.push(GrowingLeaf::new(pairs, derivatives, above));
            tree.splits.push((position, split));
        }
        tree
    }

    /// The nodes of the tree, each split before its branches.
    fn tree(&self, pairs: &BinnedPairs) -> Tree {
        let mut nodes = Tree::new();
        self.push_nodes(pairs, 0, 0, &mut nodes);
        nodes
    }

    /// Appends the branch that grew from a leaf, starting with the split at `next` or a later split of the leaf.
    fn push_nodes(&self, pairs: &BinnedPairs, leaf: usize, next: usize, nodes: &mut Tree) {
        let own = self.splits.iter().enumerate().skip(next).find(|(_, (split_leaf, _))| *split_leaf == leaf);
        let Some((order, (_, Split { feature, bin, .. }))) = own else {
            return nodes.push(TreeNode::Leaf { log_odds: self.leaves[leaf].value() as f32 });
        };
        let position = nodes.len();
        let threshold = pairs.bounds[*feature][*bin];
        nodes.push(TreeNode::Split { feature: *feature, threshold, above: 0 });
        self.push_nodes(pairs, leaf, order + 1, nodes);
        let start = nodes.len();
        if let TreeNode::Split { above, .. } = &mut nodes[position] {
            *above = start;
        }
        self.push_nodes(pairs, order + 1, order + 1, nodes);
    }
}
