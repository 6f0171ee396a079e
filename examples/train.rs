//! Learns the weights of the pair model from labelled items, and says how well they do on stories that they have not seen.
//!
//! `cargo run --release --example train -- GOLD.jsonl [--write]` runs the real clusterer over the items, keeps every pair
//! that it judges, fits a logistic regression on the features and their products (Newton's method, L2), and prints the
//! figures of k-fold cross-validation: each fifth of the stories is grouped, amid all the others, by weights learned from
//! the other four. `--write` puts the weights learned from all into `src/cluster/weights.txt`, `--show` prints them. For
//! experiments: `--without NAME,NAME` leaves features out; `--best`, `--size`, `--needed` and `--missing` set the linkage,
//! `--large` the weight of large stories, `--prior` how little products may weigh, `--seeds` how many ways of splitting.

use newsfold::cluster::evaluation::dataset::{LabeledItem, replay};
use newsfold::cluster::{Clusterer, FEATURE_NAMES, Linkage, Options, PairFeatures, PairModel};
use newsfold::domain::{Item, StoryId};
use std::collections::{BTreeMap, HashMap};

const FOLDS: u64 = 5;
const N: usize = FEATURE_NAMES.len();
/// The features, the products of two of them, and what is always 1.
const MAX_TERMS: usize = N + N * (N + 1) / 2 + 1;
const BIAS: usize = MAX_TERMS - 1;
type Terms = [f64; MAX_TERMS];
/// The prior's precision for a feature's weight and for a product's: products are many, and few of them matter.
const PRIOR: [f64; 2] = [1.0, 200.0];

/// A judged pair with its label.
struct Pair {
    x: PairFeatures,
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
    let labelled = LabeledItem::read(&std::fs::read_to_string(path).expect("a file")).expect("labelled items");
    let canonical =
        |item: &LabeledItem| item.url.as_deref().and_then(newsfold::urls::canonical::canonical_url_from_str);
    let gold = Gold {
        items: labelled.iter().enumerate().map(|(n, item)| item.item(n, canonical(item))).collect(),
        labels: labelled.iter().map(|item| item.story.to_string()).collect(),
    };
    let options = Options::default();
    let usual = Linkage::of(&options);
    let linkage = Linkage {
        best: number("--best", usual.best.into()) as f32,
        size: number("--size", usual.size.into()) as f32,
        needed: number("--needed", usual.needed.into()) as f32,
        missing: number("--missing", usual.missing.into()) as f32,
    };
    let without: Vec<&str> =
        arguments.iter().position(|a| a == "--without").map_or(vec![], |at| arguments[at + 1].split(',').collect());
    let keep: Vec<bool> = FEATURE_NAMES.iter().map(|f| !without.contains(f)).collect();

    // Each pair of a large story weighs less: its pairs would else outvote all small ones.
    let large = number("--large", 0.3);
    let prior = number("--prior", PRIOR[1]);
    let mut model = PairModel::learned();
    let seeds = number("--seeds", 3.0) as u64;
    for round in 0..2 {
        let pairs = judged(&gold, &model, &options, &linkage, 0, &keep, large);
        model = fit(&pairs, prior, |_| true);
        if round == 0 {
            eprintln!("{} pairs, {} of one story", pairs.len(), pairs.iter().filter(|pair| pair.same).count());
        }
    }
    let mut outs = Vec::new();
    for seed in 0..seeds {
        let pairs = judged(&gold, &model, &options, &linkage, seed, &keep, large);
        let models: Vec<PairModel> =
            (0..FOLDS).map(|k| fit(&pairs, prior, |pair| pair.folds.0 != k && pair.folds.1 != k)).collect();
        outs.push(unseen(&gold, &models, &options, &linkage, seed));
    }
    let found = replay(&mut Clusterer::with_model(options.clone(), model.clone(), linkage.clone()), &gold.items);
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
    model: &PairModel,
    options: &Options,
    linkage: &Linkage,
    seed: u64,
    keep: &[bool],
    large: f64,
) -> Vec<Pair> {
    let mut clusterer = Clusterer::with_model(options.clone(), model.clone(), linkage.clone());
    clusterer.record_pairs();
    replay(&mut clusterer, &gold.items);
    let mut last: BTreeMap<(i64, i64), PairFeatures> = BTreeMap::new();
    for watched in clusterer.take_recorded_pairs() {
        last.insert((watched.items.0.0, watched.items.1.0), watched.features);
    }
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    gold.labels.iter().for_each(|label| *sizes.entry(label).or_default() += 1);
    let pair = |((a, b), features): ((i64, i64), PairFeatures)| {
        let (a, b) = (&gold.labels[a as usize], &gold.labels[b as usize]);
        let x = std::array::from_fn(|n| if keep[n] { features[n] } else { 0.0 });
        let same = a == b;
        let weight = if same { libm::pow((sizes[a.as_str()] - 1) as f64, -large) } else { 1.0 };
        Pair { x, same, weight, folds: (fold(a, seed), fold(b, seed)) }
    };
    last.into_iter().map(pair).collect()
}

/// Weighted logistic regression by Newton's method on standardised features and their products, with a Gaussian prior.
fn fit(pairs: &[Pair], prior: f64, chosen: impl Fn(&Pair) -> bool) -> PairModel {
    let chosen: Vec<&Pair> = pairs.iter().filter(|pair| chosen(pair)).collect();
    let n = chosen.len() as f64;
    let mut model = PairModel::default();
    for d in 0..N {
        let mean = chosen.iter().map(|pair| f64::from(pair.x[d])).sum::<f64>() / n;
        let square = chosen.iter().map(|pair| f64::from(pair.x[d]) - mean).map(|off| off * off).sum::<f64>() / n;
        (model.mean[d], model.deviation[d]) = (mean as f32, square.sqrt().max(1e-9) as f32);
    }
    // Products are taken from their means, so that the prior on them does not lean on the bias.
    let mut x: Vec<Terms> = chosen.iter().map(|pair| terms(&model, &pair.x)).collect();
    let mut middle = [0.0; MAX_TERMS];
    for (d, middle) in middle.iter_mut().enumerate().take(BIAS).skip(N) {
        *middle = x.iter().map(|x| x[d]).sum::<f64>() / n;
        x.iter_mut().for_each(|x| x[d] -= *middle);
    }
    let mut w = [0.0; MAX_TERMS];
    for _ in 0..25 {
        let mut gradient = [0.0; MAX_TERMS];
        let mut hessian = vec![[0.0; MAX_TERMS]; MAX_TERMS];
        for d in 0..MAX_TERMS {
            let precision = if d < N {
                PRIOR[0]
            } else if d < BIAS {
                prior
            } else {
                1e-6
            };
            gradient[d] = precision * w[d];
            hessian[d][d] = precision;
        }
        for (pair, x) in chosen.iter().zip(&x) {
            let p = 1.0 / (1.0 + libm::exp(-dot(&w, x)));
            let (error, curve) = (pair.weight * (p - f64::from(u8::from(pair.same))), pair.weight * p * (1.0 - p));
            for d in 0..MAX_TERMS {
                gradient[d] += error * x[d];
                let part = curve * x[d];
                hessian[d][..=d].iter_mut().zip(x).for_each(|(h, other)| *h += part * other);
            }
        }
        let step = solve(hessian, gradient);
        w.iter_mut().zip(step).for_each(|(w, step)| *w -= step);
        if step.iter().all(|s| s.abs() < 1e-7) {
            break;
        }
    }
    // The weights of positive pairs shift the log-odds; their mean is taken back.
    let positives: Vec<f64> = chosen.iter().filter(|pair| pair.same).map(|pair| pair.weight).collect();
    let shift = libm::log(positives.iter().sum::<f64>() / positives.len() as f64);
    model.bias = (w[BIAS] - shift - dot(&w, &middle)) as f32;
    let mut rest = w.iter().map(|w| *w as f32);
    model.weights.iter_mut().zip(&mut rest).for_each(|(weight, w)| *weight = w);
    for i in 0..N {
        model.products[i][i..].iter_mut().zip(&mut rest).for_each(|(weight, w)| *weight = w);
    }
    model
}

/// The standardised features, their products in the order of [`PairModel::products`], and 1.
fn terms(model: &PairModel, features: &PairFeatures) -> Terms {
    let z = model.standardised(features).map(f64::from);
    let products = (0..N).flat_map(|i| (i..N).map(move |j| z[i] * z[j]));
    let mut all = z.into_iter().chain(products).chain([1.0]);
    std::array::from_fn(|_| all.next().expect("as many as there are terms"))
}

fn dot(a: &Terms, b: &Terms) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric system, of which the lower half is given, by Cholesky's method.
fn solve(mut a: Vec<Terms>, mut b: Terms) -> Terms {
    for i in 0..MAX_TERMS {
        for j in 0..=i {
            let sum = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { sum.max(1e-12).sqrt() } else { sum / a[j][j] };
        }
    }
    for i in 0..MAX_TERMS {
        b[i] = (b[i] - (0..i).map(|k| a[i][k] * b[k]).sum::<f64>()) / a[i][i];
    }
    for i in (0..MAX_TERMS).rev() {
        b[i] = (b[i] - (i + 1..MAX_TERMS).map(|k| a[k][i] * b[k]).sum::<f64>()) / a[i][i];
    }
    b
}

/// Each fifth's stories as grouped, amid all the others, by what was learned from the other four.
fn unseen(gold: &Gold, models: &[PairModel], options: &Options, linkage: &Linkage, seed: u64) -> Figures {
    let mut all = Figures::default();
    for (k, model) in models.iter().enumerate() {
        let found = replay(&mut Clusterer::with_model(options.clone(), model.clone(), linkage.clone()), &gold.items);
        all.add(Figures::of(&gold.labels, &found, |label| fold(label, seed) == k as u64));
    }
    all
}

/// TermAggregates from which B-cubed and pairwise figures follow.
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
        write!(f, "B-cubed P {p:.3} R {r:.3} F1 {:.4}  pairs P {pp:.3} R {pr:.3} F1 {:.4}", f1(p, r), f1(pp, pr))
    }
}
