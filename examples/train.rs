//! Learns the weights of the pair model from labelled items, and says how well they do on stories that they have not seen.
//!
//! `cargo run --release --example train -- GOLD.jsonl [--write]` runs the real clusterer over the items, keeps every pair
//! that it judges, fits a logistic regression (Newton's method, L2), and prints the figures of k-fold cross-validation:
//! each fifth of the stories is grouped, amid all the others, by weights learned from the other four. `--write` puts
//! the weights learned from all into `src/cluster/weights.txt`, `--show` prints them. For experiments: `--without NAME,NAME`
//! leaves features out; `--best`, `--size`, `--needed` and `--missing` set the linkage, `--large` the weight of large
//! stories, `--seeds` how many ways of splitting.

use newsfold::cluster::labelled::{Labelled, replay};
use newsfold::cluster::{Clusterer, FEATURES, Features, Linkage, Model, Options};
use newsfold::model::{Item, StoryId};
use std::collections::{BTreeMap, HashMap};

const FOLDS: u64 = 5;
const BIAS: usize = FEATURES.len();
type Weights = [f64; FEATURES.len() + 1];

/// A judged pair with its label.
struct Pair {
    x: Weights,
    same: bool,
    weight: f64,
    folds: (u64, u64),
}

struct Gold {
    items: Vec<Item>,
    labels: Vec<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: f64| {
        arguments.iter().position(|a| a == name).map_or(default, |at| arguments[at + 1].parse().expect("a number"))
    };
    let path = arguments.first().expect("usage: train GOLD.jsonl [--write]");
    let labelled = Labelled::read(&std::fs::read_to_string(path).expect("a file")).expect("labelled items");
    let canonical = |item: &Labelled| item.url.as_deref().and_then(newsfold::poll::canonical_link);
    let gold = Gold {
        items: labelled.iter().enumerate().map(|(n, item)| item.item(n, canonical(item))).collect(),
        labels: labelled.iter().map(|item| item.story.to_string()).collect(),
    };
    let options = Options::default();
    let linkage = Linkage {
        best: number("--best", 0.6) as f32,
        size: number("--size", 0.3) as f32,
        needed: number("--needed", 0.1) as f32,
        missing: number("--missing", -4.0) as f32,
    };
    let without: Vec<&str> =
        arguments.iter().position(|a| a == "--without").map_or(vec![], |at| arguments[at + 1].split(',').collect());
    let keep: Vec<bool> = FEATURES.iter().map(|f| !without.contains(f)).collect();

    // Each pair of a large story weighs less: its pairs would else outvote all small ones.
    let large = number("--large", 0.3);
    let mut model = Model::learned();
    let seeds = number("--seeds", 3.0) as u64;
    for round in 0..2 {
        let pairs = judged(&gold, &model, &options, &linkage, 0, &keep, large);
        model = fit(&pairs, |_| true);
        if round == 0 {
            eprintln!("{} pairs, {} of one story", pairs.len(), pairs.iter().filter(|pair| pair.same).count());
        }
    }
    let mut outs = Vec::new();
    for seed in 0..seeds {
        let pairs = judged(&gold, &model, &options, &linkage, seed, &keep, large);
        let models: Vec<Model> =
            (0..FOLDS).map(|k| fit(&pairs, |pair| pair.folds.0 != k && pair.folds.1 != k)).collect();
        outs.push(unseen(&gold, &models, &options, &linkage, seed));
    }
    let found = replay(&mut Clusterer::with(options.clone(), model.clone(), linkage.clone()), &gold.items);
    let seen = Figures::of(&gold.labels, &found, |_| true);
    for (n, out) in outs.iter().enumerate() {
        println!("unseen stories, split {n}: {out}");
    }
    println!("all stories, learned from: {seen}");
    if arguments.iter().any(|a| a == "--show") {
        print!("{}", model.write());
    }
    if arguments.iter().any(|a| a == "--write") {
        let head =
            "# Learned by `cargo run --release --example train -- GOLD.jsonl --write`; read by src/cluster/model.rs.\n";
        std::fs::write("src/cluster/weights.txt", format!("{head}{}", model.write())).expect("weights are written");
    }
}

fn fold(label: &str, seed: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(label.as_bytes(), seed) % FOLDS
}

/// Every pair that the clusterer judges, as it judged it last.
fn judged(
    gold: &Gold,
    model: &Model,
    options: &Options,
    linkage: &Linkage,
    seed: u64,
    keep: &[bool],
    large: f64,
) -> Vec<Pair> {
    let mut clusterer = Clusterer::with(options.clone(), model.clone(), linkage.clone());
    clusterer.watch();
    replay(&mut clusterer, &gold.items);
    let mut last: BTreeMap<(i64, i64), Features> = BTreeMap::new();
    for watched in clusterer.take_watched() {
        last.insert((watched.items.0.0, watched.items.1.0), watched.features);
    }
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    gold.labels.iter().for_each(|label| *sizes.entry(label).or_default() += 1);
    let pair = |((a, b), features): ((i64, i64), Features)| {
        let (a, b) = (&gold.labels[a as usize], &gold.labels[b as usize]);
        let mut x = [1.0; BIAS + 1];
        for (n, feature) in features.into_iter().enumerate() {
            x[n] = if keep[n] { f64::from(feature) } else { 0.0 };
        }
        let same = a == b;
        let weight = if same { ((sizes[a.as_str()] - 1) as f64).powf(-large) } else { 1.0 };
        Pair { x, same, weight, folds: (fold(a, seed), fold(b, seed)) }
    };
    last.into_iter().map(pair).collect()
}

/// Weighted logistic regression by Newton's method on standardised features, with a unit Gaussian prior.
fn fit(pairs: &[Pair], chosen: impl Fn(&Pair) -> bool) -> Model {
    let chosen: Vec<&Pair> = pairs.iter().filter(|pair| chosen(pair)).collect();
    let n = chosen.len() as f64;
    let (mut mean, mut deviation) = ([0.0; BIAS], [0.0; BIAS]);
    for d in 0..BIAS {
        mean[d] = chosen.iter().map(|pair| pair.x[d]).sum::<f64>() / n;
        deviation[d] = (chosen.iter().map(|pair| (pair.x[d] - mean[d]).powi(2)).sum::<f64>() / n).sqrt() + 1e-9;
    }
    let mut w = [0.0; BIAS + 1];
    for _ in 0..25 {
        let mut gradient = [0.0; BIAS + 1];
        let mut hessian = [[0.0; BIAS + 1]; BIAS + 1];
        for d in 0..BIAS {
            gradient[d] = w[d];
            hessian[d][d] = 1.0;
        }
        hessian[BIAS][BIAS] = 1e-6;
        for pair in &chosen {
            let mut x = pair.x;
            for d in 0..BIAS {
                x[d] = (x[d] - mean[d]) / deviation[d];
            }
            let p = 1.0 / (1.0 + (-dot(&w, &x)).exp());
            let (error, curve) = (pair.weight * (p - f64::from(u8::from(pair.same))), pair.weight * p * (1.0 - p));
            for d in 0..=BIAS {
                gradient[d] += error * x[d];
                for e in 0..=d {
                    hessian[d][e] += curve * x[d] * x[e];
                }
            }
        }
        let step = solve(hessian, gradient);
        for d in 0..=BIAS {
            w[d] -= step[d];
        }
        if step.iter().all(|s| s.abs() < 1e-7) {
            break;
        }
    }
    // The weights of positive pairs shift the log-odds; their mean is taken back.
    let positives: Vec<f64> = chosen.iter().filter(|pair| pair.same).map(|pair| pair.weight).collect();
    let shift = (positives.iter().sum::<f64>() / positives.len() as f64).ln();
    let mut model = Model { weights: [0.0; BIAS], bias: (w[BIAS] - shift) as f32 };
    for d in 0..BIAS {
        model.weights[d] = (w[d] / deviation[d]) as f32;
        model.bias -= (w[d] * mean[d] / deviation[d]) as f32;
    }
    model
}

fn dot(a: &Weights, b: &Weights) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric system, of which the lower half is given, by Cholesky's method.
fn solve(mut a: [Weights; BIAS + 1], mut b: Weights) -> Weights {
    for i in 0..=BIAS {
        for j in 0..=i {
            let sum = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { sum.max(1e-12).sqrt() } else { sum / a[j][j] };
        }
    }
    for i in 0..=BIAS {
        b[i] = (b[i] - (0..i).map(|k| a[i][k] * b[k]).sum::<f64>()) / a[i][i];
    }
    for i in (0..=BIAS).rev() {
        b[i] = (b[i] - (i + 1..=BIAS).map(|k| a[k][i] * b[k]).sum::<f64>()) / a[i][i];
    }
    b
}

/// Each fifth's stories as grouped, amid all the others, by what was learned from the other four.
fn unseen(gold: &Gold, models: &[Model], options: &Options, linkage: &Linkage, seed: u64) -> Figures {
    let mut all = Figures::default();
    for (k, model) in models.iter().enumerate() {
        let found = replay(&mut Clusterer::with(options.clone(), model.clone(), linkage.clone()), &gold.items);
        all.add(Figures::of(&gold.labels, &found, |label| fold(label, seed) == k as u64));
    }
    all
}

/// Sums from which B-cubed and pairwise figures follow.
#[derive(Default)]
struct Figures {
    items: f64,
    precision: f64,
    recall: f64,
    hits: f64,
    found: f64,
    labelled: f64,
}

impl Figures {
    /// The figures of the items whose label is `ours`; a found pair with one of them only counts half.
    fn of(labels: &[String], found: &[StoryId], ours: impl Fn(&str) -> bool) -> Figures {
        let (mut gold, mut system, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (label, story) in labels.iter().zip(found) {
            *gold.entry(label).or_insert(0.0) += 1.0;
            *system.entry(story).or_insert(0.0) += 1.0;
            *both.entry((label, story)).or_insert(0.0) += 1.0;
        }
        let mut out = Figures::default();
        for (label, story) in labels.iter().zip(found).filter(|(label, _)| ours(label)) {
            let together: f64 = both[&(label, story)];
            out.items += 1.0;
            out.precision += together / system[story];
            out.recall += together / gold[label];
            out.hits += (together - 1.0) / 2.0;
            out.labelled += (gold[label] - 1.0) / 2.0;
            out.found += (system[story] - 1.0) / 2.0;
        }
        out
    }

    fn add(&mut self, other: Figures) {
        self.items += other.items;
        self.precision += other.precision;
        self.recall += other.recall;
        self.hits += other.hits;
        self.found += other.found;
        self.labelled += other.labelled;
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let f1 = |p: f64, r: f64| if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 };
        let (p, r) = (self.precision / self.items, self.recall / self.items);
        let (pp, pr) = (self.hits / self.found.max(1.0), self.hits / self.labelled.max(1.0));
        write!(f, "B-cubed P {p:.3} R {r:.3} F1 {:.3}  pairs P {pp:.3} R {pr:.3} F1 {:.3}", f1(p, r), f1(pp, pr))
    }
}
