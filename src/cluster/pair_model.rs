//! The learned judgement: log-odds that two items report one event, from their [`super::pair_features::FEATURE_NAMES`].
//!
//! A logistic regression on the features, standardised, and on all products of two of them: what one says depends on the
//! others, as when two reports of one outlet are very alike. The weights are in `weights.txt`;
//! `cargo run --release --example train -- FILE` learns them anew.

use super::pair_features::{FEATURE_NAMES, PairFeatures};
use std::fmt::Write;

/// How many features there are.
const N: usize = FEATURE_NAMES.len();

/// Standard deviations from the mean beyond which a feature says no more, so that the squares of a stranger's extremes do
/// not decide.
pub const MAX_DEVIATIONS: f32 = 3.0;

/// What was learned of each feature and of each two.
#[derive(Debug, Clone, PartialEq)]
pub struct PairModel {
    pub bias: f32,
    pub mean: PairFeatures,
    pub deviation: PairFeatures,
    /// The weight of each standardised feature.
    pub weights: PairFeatures,
    /// The weight of the product of two, at `[i][j]` where i ≤ j; the others are 0.
    pub products: [PairFeatures; N],
}

/// The model that has learned nothing: every pair scores 0.
impl Default for PairModel {
    fn default() -> PairModel {
        PairModel { bias: 0.0, mean: [0.0; N], deviation: [1.0; N], weights: [0.0; N], products: [[0.0; N]; N] }
    }
}

/// A file of weights that does not name each feature once.
#[derive(Debug, thiserror::Error)]
#[error("weights, line {line}: {what}")]
pub struct WeightsError {
    line: usize,
    what: String,
}

impl PairModel {
    /// The weights that come with the program.
    pub fn learned() -> PairModel {
        static TEXT: &str = include_str!("pair_model_weights.txt");
        // A test reads the file, so that this can't happen in a program that was built and tested.
        PairModel::read(TEXT).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// The log-odds of one event.
    pub fn score(&self, features: &PairFeatures) -> f32 {
        let z = self.standardised(features);
        let mut factors = self.weights;
        // Row by row, because a row at once is what the processor does fastest.
        for (row, own) in self.products.iter().zip(z) {
            factors.iter_mut().zip(row).for_each(|(factor, weight)| *factor += own * weight);
        }
        self.bias + factors.iter().zip(z).map(|(factor, own)| factor * own).sum::<f32>()
    }

    /// What each feature adds to the log-odds of the mean pair: its own part and half of each product, which is its Shapley
    /// value. They and the bias add up to the score.
    pub fn parts(&self, features: &PairFeatures) -> PairFeatures {
        let z = self.standardised(features);
        std::array::from_fn(|i| {
            let products = (0..N).map(|j| (self.products[i][j] + self.products[j][i]) * z[j]).sum::<f32>();
            z[i] * (self.weights[i] + products / 2.0)
        })
    }

    /// Each feature in deviations from its mean.
    pub fn standardised(&self, features: &PairFeatures) -> PairFeatures {
        std::array::from_fn(|i| {
            ((features[i] - self.mean[i]) / self.deviation[i]).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
        })
    }

    /// Reads lines of names and numbers, between tabs: `always` and the bias; a feature, its mean, its deviation and its
    /// weight; two features and the weight of their product.
    pub fn read(text: &str) -> Result<PairModel, WeightsError> {
        let mut model = PairModel::default();
        let mut known = std::collections::BTreeSet::new();
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let bad = |what: &str| WeightsError { line: n + 1, what: what.to_owned() };
            let feature = |name: &str| {
                FEATURE_NAMES.iter().position(|f| *f == name).ok_or_else(|| bad("no feature of this name"))
            };
            let number = |text: &str| match text.parse::<f32>() {
                Ok(number) if number.is_finite() => Ok(number),
                _ => Err(bad("no number")),
            };
            let name = match line.split('\t').collect::<Vec<_>>()[..] {
                ["always", bias] => {
                    model.bias = number(bias)?;
                    "always".to_owned()
                }
                [one, mean, deviation, weight] => {
                    let at = feature(one)?;
                    (model.mean[at], model.weights[at]) = (number(mean)?, number(weight)?);
                    model.deviation[at] =
                        number(deviation).ok().filter(|d| *d > 0.0).ok_or_else(|| bad("no deviation"))?;
                    one.to_owned()
                }
                [one, other, weight] => {
                    let (one, other) = (feature(one)?, feature(other)?);
                    model.products[one.min(other)][one.max(other)] = number(weight)?;
                    product(one.min(other), one.max(other))
                }
                _ => return Err(bad("neither a bias, nor a feature, nor a product")),
            };
            if !known.insert(name) {
                return Err(bad("named before"));
            }
        }
        let names = FEATURE_NAMES.iter().map(|name| (*name).to_owned());
        let products = (0..N).flat_map(|i| (i..N).map(move |j| product(i, j)));
        match std::iter::once("always".to_owned()).chain(names).chain(products).find(|name| !known.contains(name)) {
            Some(missing) => Err(WeightsError { line: 0, what: format!("‘{missing}’ has no weight") }),
            None => Ok(model),
        }
    }

    /// The file that [`PairModel::read`] reads.
    pub fn write(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "always\t{:.4}", self.bias);
        for (i, name) in FEATURE_NAMES.iter().enumerate() {
            let _ = writeln!(text, "{name}\t{:.5}\t{:.5}\t{:.4}", self.mean[i], self.deviation[i], self.weights[i]);
        }
        for i in 0..N {
            for j in i..N {
                let _ = writeln!(text, "{}\t{:.4}", product(i, j), self.products[i][j]);
            }
        }
        text
    }
}

/// How a product is named in the file.
fn product(i: usize, j: usize) -> String {
    format!("{}\t{}", FEATURE_NAMES[i], FEATURE_NAMES[j])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_the_program_read_back_as_they_are_written() {
        let model = PairModel::learned();
        assert_eq!(PairModel::read(&model.write()).unwrap(), model);
        assert!(model.weights[0] > 0.0, "likeness speaks for one event");
    }

    #[test]
    fn a_missing_doubled_or_unknown_feature_is_named() {
        let error = |text: &str| PairModel::read(text).unwrap_err().to_string();
        assert!(error("always\t1\n").contains("‘likeness’"));
        assert!(error("always\t1\nalways\t2\n").contains("line 2"));
        assert!(error("colour\t0\t1\t1\n").contains("line 1"));
        assert!(error("likeness\t0\t0\t1\n").contains("deviation"));
        assert!(error("likeness\tNaN\t1\t1\n").contains("no number"));
        let whole = PairModel::learned().write();
        let cut = whole.trim_end().rsplit_once('\n').unwrap().0;
        assert!(error(cut).contains("has no weight"));
    }

    #[test]
    fn a_score_is_the_bias_and_the_parts_of_the_features() {
        let mut model = PairModel::learned();
        model.products[0][1] += 0.5;
        let features: PairFeatures =
            std::array::from_fn(|i| model.mean[i] + model.deviation[i] * (i as f32 * 0.7 - 5.0));
        let parts: f32 = model.parts(&features).iter().sum();
        assert!((model.score(&features) - model.bias - parts).abs() < 1e-3);
        // Beyond three deviations nothing changes any more.
        let far: PairFeatures = std::array::from_fn(|i| model.mean[i] + 9.0 * model.deviation[i]);
        let farther: PairFeatures = std::array::from_fn(|i| model.mean[i] + 90.0 * model.deviation[i]);
        assert_eq!(model.score(&far), model.score(&farther));
    }
}
