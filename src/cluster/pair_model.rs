//! The pair model: a logistic regression that estimates the log-odds that two items report one event.
//!
//! Its inputs are the standardized [features](FEATURE_NAMES) and all products of two of them, because features interact: two
//! very similar reports of one outlet, for example, are usually two days of a series. The weights are in
//! `pair_model_weights.txt`; `cargo run --release --example train -- FILE` learns them.

use super::pair_features::{FEATURE_NAMES, PairFeatures};
use std::collections::BTreeSet;
use std::fmt::Write;

const FEATURES: usize = FEATURE_NAMES.len();

/// A feature counts up to this number of standard deviations from its mean, so that the squares of outliers do not dominate.
const MAX_DEVIATIONS: f32 = 3.0;

/// The learned parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct PairModel {
    pub bias: f32,
    pub mean: PairFeatures,
    pub deviation: PairFeatures,
    /// The weight of each standardized feature.
    pub weights: PairFeatures,
    /// The weight of each product of two standardized features, at `[i][j]` where i ≤ j. The other cells are 0.
    pub products: [PairFeatures; FEATURES],
}

/// An untrained model: every pair scores 0.
impl Default for PairModel {
    fn default() -> PairModel {
        PairModel {
            bias: 0.0,
            mean: [0.0; FEATURES],
            deviation: [1.0; FEATURES],
            weights: [0.0; FEATURES],
            products: [[0.0; FEATURES]; FEATURES],
        }
    }
}

/// A weights file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("weights, line {line}: {problem}")]
    BadLine { line: usize, problem: &'static str },
    #[error("weights: ‘{0}’ has no weight")]
    Missing(String),
}

impl PairModel {
    /// The model that comes with the program.
    pub fn learned() -> PairModel {
        // A test parses the file, so the error cannot occur in a program that was built and tested.
        PairModel::parse(include_str!("pair_model_weights.txt")).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// The log-odds that a pair reports one event.
    pub fn log_odds(&self, features: &PairFeatures) -> f32 {
        let z = self.standardize(features);
        let mut factors = self.weights;
        // The compiler vectorizes this row by row.
        for (row, own) in self.products.iter().zip(z) {
            factors.iter_mut().zip(row).for_each(|(factor, weight)| *factor += own * weight);
        }
        self.bias + factors.iter().zip(z).map(|(factor, own)| factor * own).sum::<f32>()
    }

    /// The contribution of each feature to the log-odds, relative to the mean pair: its own term and half of each product,
    /// which is its Shapley value. The contributions and the bias add up to [`PairModel::log_odds`].
    pub fn contributions(&self, features: &PairFeatures) -> PairFeatures {
        let z = self.standardize(features);
        std::array::from_fn(|i| {
            let products = (0..FEATURES).map(|j| (self.products[i][j] + self.products[j][i]) * z[j]).sum::<f32>();
            z[i] * (self.weights[i] + products / 2.0)
        })
    }

    /// Each feature in standard deviations from its mean, between −3 and 3.
    pub fn standardize(&self, features: &PairFeatures) -> PairFeatures {
        std::array::from_fn(|i| {
            ((features[i] - self.mean[i]) / self.deviation[i]).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
        })
    }

    /// Parses a weights file. Its lines are tab-separated and have one of three forms: `bias` and its value; a feature, its
    /// mean, standard deviation and weight; two features and the weight of their product. Lines that start with `#` are
    /// comments.
    ///
    /// # Errors
    ///
    /// Fails unless the bias, each feature and each product appear exactly once.
    pub fn parse(text: &str) -> Result<PairModel, WeightsError> {
        let mut model = PairModel::default();
        let mut seen = BTreeSet::new();
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let bad_line = |problem| WeightsError::BadLine { line: n + 1, problem };
            let name = model.parse_line(line).map_err(bad_line)?;
            if !seen.insert(name) {
                return Err(bad_line("duplicate entry"));
            }
        }
        let names = FEATURE_NAMES.iter().map(|name| (*name).to_owned());
        let products = (0..FEATURES).flat_map(|i| (i..FEATURES).map(move |j| product_name(i, j)));
        match std::iter::once("bias".to_owned()).chain(names).chain(products).find(|name| !seen.contains(name)) {
            Some(missing) => Err(WeightsError::Missing(missing)),
            None => Ok(model),
        }
    }

    /// Reads one entry of a weights file and returns its name.
    fn parse_line(&mut self, line: &str) -> Result<String, &'static str> {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["bias", bias] => {
                self.bias = parse_number(bias)?;
                Ok("bias".to_owned())
            }
            [name, mean, deviation, weight] => {
                let feature = parse_feature(name)?;
                self.mean[feature] = parse_number(mean)?;
                self.weights[feature] = parse_number(weight)?;
                self.deviation[feature] = parse_number(deviation)?;
                if self.deviation[feature] <= 0.0 {
                    return Err("standard deviation must be positive");
                }
                Ok(name.to_owned())
            }
            [one, other, weight] => {
                let (one, other) = (parse_feature(one)?, parse_feature(other)?);
                let (i, j) = (one.min(other), one.max(other));
                self.products[i][j] = parse_number(weight)?;
                Ok(product_name(i, j))
            }
            _ => Err("expected a bias, a feature or a product of two features"),
        }
    }

    /// Writes the file that [`PairModel::parse`] reads.
    pub fn write(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "bias\t{:.4}", self.bias);
        for (i, name) in FEATURE_NAMES.iter().enumerate() {
            let _ = writeln!(text, "{name}\t{:.5}\t{:.5}\t{:.4}", self.mean[i], self.deviation[i], self.weights[i]);
        }
        for i in 0..FEATURES {
            for j in i..FEATURES {
                let _ = writeln!(text, "{}\t{:.4}", product_name(i, j), self.products[i][j]);
            }
        }
        text
    }
}

fn parse_feature(name: &str) -> Result<usize, &'static str> {
    FEATURE_NAMES.iter().position(|known| *known == name).ok_or("unknown feature")
}

fn parse_number(text: &str) -> Result<f32, &'static str> {
    text.parse().ok().filter(|number: &f32| number.is_finite()).ok_or("not a finite number")
}

/// The name of a product in the weights file.
fn product_name(i: usize, j: usize) -> String {
    format!("{}\t{}", FEATURE_NAMES[i], FEATURE_NAMES[j])
}

/// The probability of log-odds, 0 to 1.
pub(super) fn sigmoid(log_odds: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-log_odds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_weights_survive_a_round_trip() {
        let model = PairModel::learned();
        assert_eq!(PairModel::parse(&model.write()).unwrap(), model);
        assert!(model.weights[0] > 0.0, "text similarity raises the log-odds");
    }

    #[test]
    fn missing_duplicate_and_unknown_features_are_reported() {
        let error = |text: &str| PairModel::parse(text).unwrap_err().to_string();
        assert!(error("bias\t1\n").contains("‘text similarity’"));
        assert!(error("bias\t1\nbias\t2\n").contains("line 2"));
        assert!(error("color\t0\t1\t1\n").contains("line 1"));
        assert!(error("text similarity\t0\t0\t1\n").contains("deviation"));
        assert!(error("text similarity\tNaN\t1\t1\n").contains("not a finite number"));
        let complete = PairModel::learned().write();
        let truncated = complete.trim_end().rsplit_once('\n').unwrap().0;
        assert!(error(truncated).contains("has no weight"));
    }

    #[test]
    fn contributions_and_bias_add_up_to_the_log_odds() {
        let mut model = PairModel::learned();
        model.products[0][1] += 0.5;
        let features: PairFeatures =
            std::array::from_fn(|i| model.mean[i] + model.deviation[i] * (i as f32 * 0.7 - 5.0));
        let contributions: f32 = model.contributions(&features).iter().sum();
        assert!((model.log_odds(&features) - model.bias - contributions).abs() < 1e-3);
    }

    #[test]
    fn features_are_clamped_at_three_deviations() {
        let model = PairModel::learned();
        let at = |deviations: f32| std::array::from_fn(|i| model.mean[i] + deviations * model.deviation[i]);
        assert_eq!(model.log_odds(&at(9.0)), model.log_odds(&at(90.0)));
    }
}
