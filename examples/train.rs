//! Learns the weights of the pair model from labeled items and cross-validates them on held-out stories.
//!
//! `cargo run --release --example train -- GOLD.jsonl [--write]` runs the clusterer on the items, records every scored
//! pair, and fits a logistic regression on the features and their products (Newton's method, L2 regularization). It
//! prints the metrics of 5-fold cross-validation: it groups the stories of each fold, among all other stories, with
//! weights trained on the other four folds. `--write` stores the weights trained on all stories in
//! `src/cluster/pair_model_weights.txt`; `--show` prints them.
//!
//! For experiments: `--without NAME,NAME` removes features; `--max-weight`, `--size-penalty`, `--threshold` (in
//! log-odds) and `--missing-pair` set the linkage; `--large` sets the exponent that reduces the weight of pairs of
//! large stories; `--prior` sets the regularization of products; `--seeds` sets the number of splits into folds.

use newsfold::cluster::{Clusterer, FEATURE_NAMES, Linkage, Options, PairFeatures, PairModel};
use newsfold::domain::{Item, ItemId, StoryId};
use newsfold::evaluation::metrics::MetricSums;
use newsfold::evaluation::{items_of_dataset, parse_dataset, replay};
use std::collections::{BTreeMap, HashMap};

const FOLDS: u64 = 5;
const FEATURES: usize = FEATURE_NAMES.len();
/// The number of terms: the features, the products of two features, and the constant 1.
const TERMS: usize = FEATURES + FEATURES * (FEATURES + 1) / 2 + 1;
const BIAS: usize = TERMS - 1;
type Terms = [f64; TERMS];
/// The precision of the Gaussian prior on the weights of features, of products and of the bias. There are many
/// products, and few of them matter.
const FEATURE_PRIOR: f64 = 1.0;
const PRODUCT_PRIOR: f64 = 200.0;
const BIAS_PRIOR: f64 = 1e-6;

/// A scored pair with its label.
struct LabeledPair {
    features: PairFeatures,
    same_story: bool,
    weight: f64,
    folds: [u64; 2],
}

struct Training {
    items: Vec<Item>,
    labels: Vec<String>,
    options: Options,
    linkage: Linkage,
    /// The features that are used.
    enabled: [bool; FEATURES],
    /// A pair in a story of n items has the weight (n − 1) to the power of minus this value, because otherwise the
    /// pairs of a few large stories would outweigh the pairs of all small ones.
    large_story_exponent: f64,
    product_prior: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has_flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let training = Training::from_arguments(&arguments);
    let mut model = PairModel::learned();
    // The recorded pairs depend on the model, which rescores neighbors and decides which items join a story.
    for round in 0..2 {
        let pairs = training.record_pairs(&model, 0);
        model = training.fit(&pairs, |_| true);
        if round == 0 {
            let positives = pairs.iter().filter(|pair| pair.same_story).count();
            eprintln!("{} pairs, {positives} of one story", pairs.len());
        }
    }
    let splits = number(&arguments, "--seeds", 3.0) as u64;
    let validated: Vec<MetricSums> = (0..splits).map(|split| training.cross_validate(&model, split)).collect();
    for (split, sums) in validated.iter().enumerate() {
        println!("unseen stories, split {split}: {}", figures(sums));
    }
    let mut sums = MetricSums::default();
    training.score(&mut sums, &training.group(&model), |_| true);
    println!("all stories, learned from: {}", figures(&sums));
    if has_flag("--show") {
        print!("{}", model.write());
    }
    if has_flag("--write") {
        let header = "# Learned by `cargo run --release --example train -- GOLD.jsonl --write`; read by src/cluster/pair_model.rs.\n";
        let text = format!("{header}{}", model.write());
        std::fs::write("src/cluster/pair_model_weights.txt", text).expect("the weights file is writable");
    }
}

fn argument<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let position = arguments.iter().position(|argument| argument == name)?;
    Some(&arguments[position + 1])
}

fn number(arguments: &[String], name: &str, default: f64) -> f64 {
    argument(arguments, name).map_or(default, |value| value.parse().expect("a number"))
}

fn figures(sums: &MetricSums) -> String {
    let (b, p) = (sums.b_cubed(), sums.pairs());
    format!(
        "B-cubed P {:.3} R {:.3} F1 {:.4}  pairs P {:.3} R {:.3} F1 {:.4}",
        b.precision, b.recall, b.f1, p.precision, p.recall, p.f1
    )
}

fn fold(label: &str, split: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(label.as_bytes(), split) % FOLDS
}

impl Training {
    fn from_arguments(arguments: &[String]) -> Training {
        let path = arguments.first().expect("usage: train GOLD.jsonl [--write]");
        let text = std::fs::read_to_string(path).expect("the dataset is readable");
        let labeled = parse_dataset(&text).expect("the dataset is valid");
        let options = Options::default();
        let default = Linkage::new(&options);
        let linkage = Linkage {
            max_weight: number(arguments, "--max-weight", default.max_weight.into()) as f32,
            size_penalty: number(arguments, "--size-penalty", default.size_penalty.into()) as f32,
            threshold: number(arguments, "--threshold", default.threshold.into()) as f32,
            missing_pair: number(arguments, "--missing-pair", default.missing_pair.into()) as f32,
        };
        let disabled: Vec<&str> = argument(arguments, "--without").unwrap_or_default().split(',').collect();
        Training {
            items: items_of_dataset(&labeled),
            labels: labeled.iter().map(|item| item.story.to_string()).collect(),
            options,
            linkage,
            enabled: FEATURE_NAMES.map(|name| !disabled.contains(&name)),
            large_story_exponent: number(arguments, "--large", 0.3),
            product_prior: number(arguments, "--prior", PRODUCT_PRIOR),
        }
    }

    fn clusterer(&self, model: &PairModel) -> Clusterer {
        let mut clusterer = Clusterer::new(self.options.clone());
        (clusterer.model, clusterer.linkage) = (model.clone(), self.linkage.clone());
        clusterer
    }

    fn group(&self, model: &PairModel) -> Vec<StoryId> {
        replay(&mut self.clusterer(model), &self.items)
    }

    /// Adds the items whose label satisfies `counts` to the sums.
    fn score(&self, sums: &mut MetricSums, found: &[StoryId], counts: impl Fn(&str) -> bool) {
        let grouped: Vec<(&str, StoryId)> =
            self.labels.iter().zip(found).map(|(label, story)| (label.as_str(), *story)).collect();
        sums.add(&grouped, |label| counts(label));
    }

    /// Every pair that the clusterer scores, with its features at the last scoring.
    fn record_pairs(&self, model: &PairModel, split: u64) -> Vec<LabeledPair> {
        let mut clusterer = self.clusterer(model);
        clusterer.recorded_pairs = Some(BTreeMap::new());
        replay(&mut clusterer, &self.items);
        let mut sizes: HashMap<&str, usize> = HashMap::new();
        self.labels.iter().for_each(|label| *sizes.entry(label).or_default() += 1);
        let label = |(items, features): ([ItemId; 2], PairFeatures)| {
            let [a, b] = items.map(|item| self.labels[item.0 as usize].as_str());
            let features = std::array::from_fn(|n| if self.enabled[n] { features[n] } else { 0.0 });
            let weight = if a == b { libm::pow((sizes[a] - 1) as f64, -self.large_story_exponent) } else { 1.0 };
            LabeledPair { features, same_story: a == b, weight, folds: [fold(a, split), fold(b, split)] }
        };
        clusterer.recorded_pairs.into_iter().flatten().map(label).collect()
    }

    /// Groups the stories of each fold, among all other stories, with a model trained on the other folds.
    fn cross_validate(&self, model: &PairModel, split: u64) -> MetricSums {
        let pairs = self.record_pairs(model, split);
        let mut sums = MetricSums::default();
        for held_out in 0..FOLDS {
            let model = self.fit(&pairs, |pair| !pair.folds.contains(&held_out));
            self.score(&mut sums, &self.group(&model), |label| fold(label, split) == held_out);
        }
        sums
    }

    /// Fits the model to the selected pairs with weighted logistic regression and a Gaussian prior on the standardized
    /// features and their products.
    fn fit(&self, pairs: &[LabeledPair], selects: impl Fn(&LabeledPair) -> bool) -> PairModel {
        let pairs: Vec<&LabeledPair> = pairs.iter().filter(|pair| selects(pair)).collect();
        let mut model = standardization(&pairs);
        let mut x: Vec<Terms> = pairs.iter().map(|pair| terms(&model, &pair.features)).collect();
        let centers = center_products(&mut x);
        let w = self.minimize(&pairs, &x);
        // The weights of positive pairs shift the log-odds by the logarithm of their mean.
        let positives: Vec<f64> = pairs.iter().filter(|pair| pair.same_story).map(|pair| pair.weight).collect();
        let shift = libm::log(positives.iter().sum::<f64>() / positives.len() as f64);
        model.bias = (w[BIAS] - shift - dot(&w, &centers)) as f32;
        let mut weights = w.iter().map(|w| *w as f32);
        model.weights.iter_mut().zip(&mut weights).for_each(|(weight, w)| *weight = w);
        for i in 0..FEATURES {
            model.products[i][i..].iter_mut().zip(&mut weights).for_each(|(weight, w)| *weight = w);
        }
        model
    }

    /// Minimizes the loss with Newton's method.
    fn minimize(&self, pairs: &[&LabeledPair], x: &[Terms]) -> Terms {
        let precisions: Terms = std::array::from_fn(|d| match d {
            _ if d < FEATURES => FEATURE_PRIOR,
            BIAS => BIAS_PRIOR,
            _ => self.product_prior,
        });
        let mut w = [0.0; TERMS];
        for _ in 0..25 {
            let mut gradient = [0.0; TERMS];
            let mut hessian = vec![[0.0; TERMS]; TERMS];
            for d in 0..TERMS {
                gradient[d] = precisions[d] * w[d];
                hessian[d][d] = precisions[d];
            }
            for (pair, x) in pairs.iter().zip(x) {
                let p = 1.0 / (1.0 + libm::exp(-dot(&w, x)));
                let error = pair.weight * (p - f64::from(u8::from(pair.same_story)));
                let curvature = pair.weight * p * (1.0 - p);
                for d in 0..TERMS {
                    gradient[d] += error * x[d];
                    let part = curvature * x[d];
                    hessian[d][..=d].iter_mut().zip(x).for_each(|(h, other)| *h += part * other);
                }
            }
            let step = solve(hessian, gradient);
            w.iter_mut().zip(step).for_each(|(w, step)| *w -= step);
            if step.iter().all(|s| s.abs() < 1e-7) {
                break;
            }
        }
        w
    }
}

/// An untrained model with the mean and the standard deviation of each feature.
fn standardization(pairs: &[&LabeledPair]) -> PairModel {
    let n = pairs.len() as f64;
    let mut model = PairModel::default();
    for d in 0..FEATURES {
        let values = pairs.iter().map(|pair| f64::from(pair.features[d]));
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|value| value - mean).map(|deviation| deviation * deviation).sum::<f64>() / n;
        (model.mean[d], model.deviation[d]) = (mean as f32, variance.sqrt().max(1e-9) as f32);
    }
    model
}

/// Subtracts the mean from each product, so that the prior on products does not affect the bias. Returns the means.
fn center_products(x: &mut [Terms]) -> Terms {
    let n = x.len() as f64;
    let mut centers = [0.0; TERMS];
    for (d, center) in centers.iter_mut().enumerate().take(BIAS).skip(FEATURES) {
        *center = x.iter().map(|x| x[d]).sum::<f64>() / n;
        x.iter_mut().for_each(|x| x[d] -= *center);
    }
    centers
}

/// The standardized features, their products in the order of [`PairModel::products`], and 1.
fn terms(model: &PairModel, features: &PairFeatures) -> Terms {
    let z = model.standardize(features).map(f64::from);
    let products = (0..FEATURES).flat_map(|i| (i..FEATURES).map(move |j| z[i] * z[j]));
    let mut all = z.into_iter().chain(products).chain([1.0]);
    std::array::from_fn(|_| all.next().expect("as many values as terms"))
}

fn dot(a: &Terms, b: &Terms) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric system, given by its lower triangle, with a Cholesky decomposition.
fn solve(mut a: Vec<Terms>, mut b: Terms) -> Terms {
    for i in 0..TERMS {
        for j in 0..=i {
            let sum = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { sum.max(1e-12).sqrt() } else { sum / a[j][j] };
        }
    }
    for i in 0..TERMS {
        b[i] = (b[i] - (0..i).map(|k| a[i][k] * b[k]).sum::<f64>()) / a[i][i];
    }
    for i in (0..TERMS).rev() {
        b[i] = (b[i] - (i + 1..TERMS).map(|k| a[k][i] * b[k]).sum::<f64>()) / a[i][i];
    }
    b
}
