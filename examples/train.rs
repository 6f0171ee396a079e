//! Learns the weights of the pair model from labeled items and tests it on sets of days that it was not trained on.
//!
//! `cargo run --release --example train -- SET.jsonl SET.jsonl … [--write]` runs the clusterer on the items of each
//! set, records every scored pair, and fits a logistic regression on the features and their products (Newton's method,
//! L2 regularization). For each set, it prints the figures of a model that was trained on the other sets, and at the
//! end their means. `--write` stores a model that is trained on all sets in `src/cluster/pair_model_weights.txt`.
//!
//! `--encoder DIR` computes the embeddings of the items, and `--embedding-cache FILE` caches them for later runs.
//! The similarity of the embeddings then refines the scores, and `--write` stores the weights of this step instead, in
//! `src/cluster/encoder_model_weights.txt`.
//!
//! For experiments: `--without NAME,NAME` removes features; `--max-weight`, `--size-penalty`, `--large-bonus`,
//! `--missing-pair` and `--threshold` (in log-odds) set the linkage; `--large` sets the exponent that reduces the
//! weight of pairs of large stories; `--prior` sets the regularization of products. `--out DIR` writes the stories.

use newsfold::cluster::{
    Clusterer, ENCODER_INPUT_NAMES, EmbeddingSimilarity, EncoderModel, FEATURE_NAMES, Linkage, Options, PairFeatures,
    PairModel, QuadraticRegression, RecordedPair,
};
use newsfold::domain::{Item, ItemId, StoryId};
use newsfold::encoder::{Encoder, add_embeddings};
use newsfold::evaluation::metrics::{ClusteringMetrics, FeedMetrics, misses};
use newsfold::evaluation::{LabeledItem, items_of_dataset, parse_dataset, replay};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const FEATURES: usize = FEATURE_NAMES.len();
/// The number of terms: the features, the products of two features, and the constant 1.
const TERMS: usize = FEATURES + FEATURES * (FEATURES + 1) / 2 + 1;
const BIAS: usize = TERMS - 1;
type Terms = [f64; TERMS];
/// The precision of the Gaussian prior on the weights of features, of products and of the bias. There are many
/// products, and few of them matter.
const FEATURE_PRIOR: f64 = 1.0;
const PRODUCT_PRIOR: f64 = 1000.0;
const BIAS_PRIOR: f64 = 1e-6;
/// A pair in a story of n items has the weight (n − 1) to the power of minus this value, because otherwise the pairs of
/// a few large stories would outweigh the pairs of all small ones.
const LARGE_STORY_EXPONENT: f64 = 0.5;

/// The minimum text similarity of neighbors: the square root of the minimum cosine.
const MIN_TEXT_SIMILARITY: f32 = 0.374;

/// A scored pair with its label.
struct LabeledPair {
    features: PairFeatures,
    similarity: Option<EmbeddingSimilarity>,
    same_story: bool,
    weight: f64,
}

impl LabeledPair {
    /// Returns whether the items are neighbors because of their words, and not only because of their embeddings.
    fn is_lexical(&self) -> bool {
        self.features[0] > MIN_TEXT_SIMILARITY
    }
}

struct TrainingSet {
    name: String,
    labeled: Vec<LabeledItem>,
    items: Vec<Item>,
    pairs: Vec<LabeledPair>,
}

struct Training {
    linkage: Linkage,
    /// The features that are used.
    enabled: [bool; FEATURES],
    large_story_exponent: f64,
    product_prior: f64,
}

/// The figures of one set, in the order of [`FIGURE_NAMES`].
type Figures = [f64; FIGURE_NAMES.len()];
const FIGURE_NAMES: [&str; 8] = ["B-cubed P", "R", "F1", "pairs F1", "pure", "found", "repeats", "parts of largest"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let training = Training::from_arguments(&arguments);
    let paths = arguments.iter().filter(|argument| argument.ends_with(".jsonl"));
    let encoder = argument(&arguments, "--encoder").map(|folder| Encoder::load(Path::new(folder)).expect("an encoder"));
    let add_embeddings = |items: &mut [Item]| {
        let cache = argument(&arguments, "--embedding-cache").map(Path::new);
        encoder.iter().for_each(|encoder| add_embeddings(encoder, cache, items).expect("the encoder works"));
    };
    let sets: Vec<TrainingSet> = paths.map(|path| training.read_set(Path::new(path), add_embeddings)).collect();
    assert!(!sets.is_empty(), "usage: train SET.jsonl … [--write]");
    let mut all: Vec<Figures> = Vec::new();
    for tested in sets.iter().filter(|_| sets.len() > 1) {
        let others = sets.iter().filter(|set| set.name != tested.name);
        let pairs: Vec<&LabeledPair> = others.flat_map(|set| &set.pairs).collect();
        let model = training.fit(&pairs);
        let mut clusterer = training.clusterer(&model);
        clusterer.encoder_model = training.fit_encoder(&model, &pairs);
        let found = replay(&mut clusterer, &tested.items);
        all.push(figures(tested, &found));
        print_figures(&tested.name, &all[all.len() - 1]);
        if let Some(folder) = argument(&arguments, "--out") {
            tested.write(&found, Path::new(folder));
        }
    }
    print_figures(
        "mean",
        &std::array::from_fn(|n| all.iter().map(|figures| figures[n]).sum::<f64>() / all.len() as f64),
    );
    if arguments.iter().any(|argument| argument == "--write") {
        let pairs: Vec<&LabeledPair> = sets.iter().flat_map(|set| &set.pairs).collect();
        let command = "cargo run --release --example train -- SET.jsonl … --write";
        let (file, weights) = match encoder {
            Some(_) => ("encoder_model", training.fit_encoder(&PairModel::learned(), &pairs).write()),
            None => ("pair_model", training.fit(&pairs).write()),
        };
        let text = format!("# Learned by `{command}`; read by src/cluster/{file}.rs.\n{weights}");
        std::fs::write(format!("src/cluster/{file}_weights.txt"), text).expect("the weights file is writable");
    }
}

fn argument<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let position = arguments.iter().position(|argument| argument == name)?;
    Some(&arguments[position + 1])
}

fn number(arguments: &[String], name: &str, default: f64) -> f64 {
    argument(arguments, name).map_or(default, |value| value.parse().expect("a number"))
}

fn figures(set: &TrainingSet, found: &[StoryId]) -> Figures {
    let labels: Vec<String> = set.labeled.iter().map(|item| item.story.to_string()).collect();
    let grouped: Vec<(&str, StoryId)> = labels.iter().map(String::as_str).zip(found.iter().copied()).collect();
    let ClusteringMetrics { b_cubed, pairs, .. } = ClusteringMetrics::new(&grouped);
    let outlets = set.labeled.iter().map(|item| item.outlet.as_str());
    let entries: Vec<_> =
        grouped.iter().zip(outlets).map(|((label, story), outlet)| (*label, *story, outlet)).collect();
    let FeedMetrics { pure, found, repeats, .. } = FeedMetrics::new(&entries);
    let largest = misses(&grouped).into_iter().max_by_key(|miss| miss.parts.iter().map(Vec::len).sum::<usize>());
    let parts = largest.map_or(1, |largest| largest.parts.len()) as f64;
    [b_cubed.precision, b_cubed.recall, b_cubed.f1, pairs.f1, pure, found, repeats, parts]
}

fn print_figures(name: &str, figures: &Figures) {
    let columns: Vec<String> =
        FIGURE_NAMES.iter().zip(figures).map(|(name, figure)| format!("{name} {figure:.3}")).collect();
    println!("{name}: {}", columns.join("  "));
}

impl TrainingSet {
    fn write(&self, found: &[StoryId], folder: &Path) {
        let line =
            |(item, story): (&LabeledItem, &StoryId)| format!("{{\"id\":\"{}\",\"story\":\"{story}\"}}\n", item.id);
        let lines: String = self.labeled.iter().zip(found).map(line).collect();
        std::fs::write(folder.join(format!("{}.jsonl", self.name)), lines).expect("the folder is writable");
    }
}

impl Training {
    fn from_arguments(arguments: &[String]) -> Training {
        let default = Linkage::new(&Options::default());
        let linkage = Linkage {
            max_weight: number(arguments, "--max-weight", default.max_weight.into()) as f32,
            size_penalty: number(arguments, "--size-penalty", default.size_penalty.into()) as f32,
            large_bonus: number(arguments, "--large-bonus", default.large_bonus.into()) as f32,
            threshold: number(arguments, "--threshold", default.threshold.into()) as f32,
            missing_pair: number(arguments, "--missing-pair", default.missing_pair.into()) as f32,
        };
        let disabled: Vec<&str> = argument(arguments, "--without").unwrap_or_default().split(',').collect();
        Training {
            linkage,
            enabled: FEATURE_NAMES.map(|name| !disabled.contains(&name)),
            large_story_exponent: number(arguments, "--large", LARGE_STORY_EXPONENT),
            product_prior: number(arguments, "--prior", PRODUCT_PRIOR),
        }
    }

    fn clusterer(&self, model: &PairModel) -> Clusterer {
        let mut clusterer = Clusterer::new(Options::default());
        (clusterer.model, clusterer.linkage) = (model.clone(), self.linkage.clone());
        clusterer
    }

    fn read_set(&self, path: &Path, add_embeddings: impl Fn(&mut [Item])) -> TrainingSet {
        let text = std::fs::read_to_string(path).expect("the dataset is readable");
        let labeled = parse_dataset(&text).expect("the dataset is valid");
        let mut items = items_of_dataset(&labeled);
        add_embeddings(&mut items);
        let pairs = self.record_pairs(&labeled, &items);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        TrainingSet { name, labeled, items, pairs }
    }

    /// Every pair that the clusterer scores, with its features at the last scoring. These features hardly depend on the
    /// model.
    fn record_pairs(&self, labeled: &[LabeledItem], items: &[Item]) -> Vec<LabeledPair> {
        let mut clusterer = self.clusterer(&PairModel::learned());
        clusterer.recorded_pairs = Some(BTreeMap::new());
        replay(&mut clusterer, items);
        let labels: Vec<String> = labeled.iter().map(|item| item.story.to_string()).collect();
        let mut sizes: HashMap<&str, usize> = HashMap::new();
        labels.iter().for_each(|label| *sizes.entry(label).or_default() += 1);
        let label = |(items, pair): ([ItemId; 2], RecordedPair)| {
            let [a, b] = items.map(|item| labels[item.0 as usize].as_str());
            let RecordedPair { features, similarity } = pair;
            let features = std::array::from_fn(|n| if self.enabled[n] { features[n] } else { 0.0 });
            let weight = if a == b { libm::pow((sizes[a] - 1) as f64, -self.large_story_exponent) } else { 1.0 };
            LabeledPair { features, similarity, same_story: a == b, weight }
        };
        clusterer.recorded_pairs.into_iter().flatten().map(label).collect()
    }

    /// Fits the model to the pairs with weighted logistic regression and a Gaussian prior on the standardized features
    /// and their products.
    fn fit(&self, pairs: &[&LabeledPair]) -> PairModel {
        let pairs: Vec<&LabeledPair> = pairs.iter().copied().filter(|pair| pair.is_lexical()).collect();
        let precisions: Terms = std::array::from_fn(|d| match d {
            _ if d < FEATURES => FEATURE_PRIOR,
            BIAS => BIAS_PRIOR,
            _ => self.product_prior,
        });
        fit_regression(&pairs, &pairs.iter().map(|pair| pair.features).collect::<Vec<_>>(), &precisions)
    }

    /// Fits the regressions that refine the scores of a model with the similarity of embeddings.
    fn fit_encoder(&self, model: &PairModel, pairs: &[&LabeledPair]) -> EncoderModel {
        let fit = |across_languages: bool| {
            let compared =
                pairs.iter().filter(|pair| pair.similarity.is_some_and(|s| s.across_languages == across_languages));
            let compared: Vec<&LabeledPair> = compared.copied().collect();
            let inputs = |pair: &&LabeledPair| Some(pair.similarity?.inputs(model.log_odds(&pair.features)));
            let values: Vec<_> = compared.iter().filter_map(inputs).collect();
            (compared.len() > 1000).then(|| fit_regression(&compared, &values, &[FEATURE_PRIOR; ENCODER_TERMS]))
        };
        let learned = EncoderModel::learned();
        EncoderModel {
            within_language: fit(false).unwrap_or(learned.within_language),
            across_languages: fit(true).unwrap_or(learned.across_languages),
        }
    }
}

const ENCODER_INPUTS: usize = ENCODER_INPUT_NAMES.len();
/// The number of terms of the regression: the inputs, the products of two inputs, and the constant 1.
const ENCODER_TERMS: usize = ENCODER_INPUTS + ENCODER_INPUTS * (ENCODER_INPUTS + 1) / 2 + 1;

/// Fits a regression with `N` inputs and `T` terms to the values of the pairs.
fn fit_regression<const N: usize, const T: usize>(
    pairs: &[&LabeledPair],
    values: &[[f32; N]],
    precisions: &[f64; T],
) -> QuadraticRegression<N> {
    let mut regression = QuadraticRegression::default();
    (regression.mean, regression.deviation) = moments(values);
    let mut x: Vec<[f64; T]> = values.iter().map(|values| terms(&regression, values)).collect();
    let centers = center_products(&mut x, N);
    let w = minimize(pairs, &x, precisions);
    regression.bias = (w[T - 1] - weight_shift(pairs) - dot(&w, &centers)) as f32;
    regression.weights = std::array::from_fn(|i| w[i] as f32);
    for ((i, j), w) in QuadraticRegression::<N>::product_indexes().zip(&w[N..]) {
        regression.products[i][j] = *w as f32;
    }
    regression
}

/// Returns the amount by which the weights of positive pairs shift the log-odds: the logarithm of their mean.
fn weight_shift(pairs: &[&LabeledPair]) -> f64 {
    let positives: Vec<f64> = pairs.iter().filter(|pair| pair.same_story).map(|pair| pair.weight).collect();
    libm::log(positives.iter().sum::<f64>() / positives.len() as f64)
}

/// Minimizes the loss of a logistic regression with Newton's method. The last term is the constant 1.
fn minimize<const N: usize>(pairs: &[&LabeledPair], x: &[[f64; N]], precisions: &[f64; N]) -> [f64; N] {
    let mut w = [0.0; N];
    for _ in 0..25 {
        let mut gradient = [0.0; N];
        let mut hessian = vec![[0.0; N]; N];
        for d in 0..N {
            gradient[d] = precisions[d] * w[d];
            hessian[d][d] = precisions[d];
        }
        for (pair, x) in pairs.iter().zip(x) {
            let p = 1.0 / (1.0 + libm::exp(-dot(&w, x)));
            let error = pair.weight * (p - f64::from(u8::from(pair.same_story)));
            let curvature = pair.weight * p * (1.0 - p);
            for d in 0..N {
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

/// Returns the mean and the standard deviation of each value.
fn moments<const N: usize>(values: &[[f32; N]]) -> ([f32; N], [f32; N]) {
    let n = values.len() as f64;
    let moments = |d: usize| {
        let values = values.iter().map(|values| f64::from(values[d]));
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|value| value - mean).map(|deviation| deviation * deviation).sum::<f64>() / n;
        (mean as f32, variance.sqrt().max(1e-9) as f32)
    };
    (std::array::from_fn(|d| moments(d).0), std::array::from_fn(|d| moments(d).1))
}

/// Subtracts the mean from each product, so that the prior on products does not affect the bias. The products follow the
/// first `inputs` terms. Returns the means.
fn center_products<const N: usize>(x: &mut [[f64; N]], inputs: usize) -> [f64; N] {
    let n = x.len() as f64;
    let mut centers = [0.0; N];
    for (d, center) in centers.iter_mut().enumerate().take(N - 1).skip(inputs) {
        *center = x.iter().map(|x| x[d]).sum::<f64>() / n;
        x.iter_mut().for_each(|x| x[d] -= *center);
    }
    centers
}

/// The standardized inputs, their products in the order of [`QuadraticRegression::product_indexes`], and 1.
fn terms<const N: usize, const T: usize>(regression: &QuadraticRegression<N>, inputs: &[f32; N]) -> [f64; T] {
    let z = regression.standardize(inputs).map(f64::from);
    let products = QuadraticRegression::<N>::product_indexes().map(|(i, j)| z[i] * z[j]);
    let mut all = z.into_iter().chain(products).chain([1.0]);
    std::array::from_fn(|_| all.next().expect("as many values as terms"))
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric system, given by its lower triangle, with a Cholesky decomposition.
fn solve<const N: usize>(mut a: Vec<[f64; N]>, mut b: [f64; N]) -> [f64; N] {
    for i in 0..N {
        for j in 0..=i {
            let sum = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { sum.max(1e-12).sqrt() } else { sum / a[j][j] };
        }
    }
    for i in 0..N {
        b[i] = (b[i] - (0..i).map(|k| a[i][k] * b[k]).sum::<f64>()) / a[i][i];
    }
    for i in (0..N).rev() {
        b[i] = (b[i] - (i + 1..N).map(|k| a[k][i] * b[k]).sum::<f64>()) / a[i][i];
    }
    b
}
