//! The pair model: a logistic regression that estimates the log-odds that two items report one event.
//!
//! The inputs are the standardized [features](FEATURE_NAMES) and all products of two of them, because features
//! interact: for example, two very similar reports from one outlet usually belong to a daily series.
//! `pair_model_weights.txt` contains the weights; `cargo run --release --example train -- FILE` learns them.

use super::pair_features::{FEATURE_NAMES, PairFeatures};
use std::fmt::Write;

const FEATURES: usize = FEATURE_NAMES.len();

/// The maximum number of standard deviations of a feature, so that the squares of outliers do not dominate.
const MAX_DEVIATIONS: f32 = 3.0;

/// The learned parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct PairModel {
    pub bias: f32,
    pub mean: PairFeatures,
    pub deviation: PairFeatures,
    /// The weight of each standardized feature.
    pub weights: PairFeatures,
    /// The weight of each product of two standardized features, at `[i][j]` with i ≤ j. The other cells are 0.
    pub products: [PairFeatures; FEATURES],
}

/// An untrained model, for which every pair scores 0.
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

/// The error for an invalid weights file.
#[derive(Debug, thiserror::Error)]
#[error("weights: {0}")]
pub struct WeightsError(String);

impl PairModel {
    /// Returns the model that is built into the program.
    pub fn learned() -> PairModel {
        // A test parses this file, so the error cannot occur in a tested build.
        PairModel::parse(include_str!("pair_model_weights.txt")).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Returns the log-odds that a pair reports one event.
    pub fn log_odds(&self, features: &PairFeatures) -> f32 {
        let z = self.standardize(features);
        let mut factors = self.weights;
        // The compiler vectorizes this loop row by row.
        for (row, own) in self.products.iter().zip(z) {
            factors.iter_mut().zip(row).for_each(|(factor, weight)| *factor += own * weight);
        }
        self.bias + factors.iter().zip(z).map(|(factor, own)| factor * own).sum::<f32>()
    }

    /// Returns the contribution of each feature to the log-odds, relative to the average pair: its own term and half of
    /// each product, which is its Shapley value. The contributions and the bias add up to [`PairModel::log_odds`].
    pub fn contributions(&self, features: &PairFeatures) -> PairFeatures {
        let z = self.standardize(features);
        std::array::from_fn(|i| {
            let products = (0..FEATURES).map(|j| (self.products[i][j] + self.products[j][i]) * z[j]).sum::<f32>();
            z[i] * (self.weights[i] + products / 2.0)
        })
    }

    /// Returns each feature in standard deviations from its mean, limited to the range from −3 to 3.
    pub fn standardize(&self, features: &PairFeatures) -> PairFeatures {
        std::array::from_fn(|i| {
            ((features[i] - self.mean[i]) / self.deviation[i]).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
        })
    }

    /// Parses a weights file. Its tab-separated lines are: `bias` and its value; each feature with its mean, standard
    /// deviation and weight; each product, as two features and a weight. `#` starts a comment line.
    ///
    /// # Errors
    ///
    /// Fails unless the bias, all features and all products appear exactly once and in order.
    pub fn parse(text: &str) -> Result<PairModel, WeightsError> {
        let mut model = PairModel::default();
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        [model.bias] = read_entry(lines.next(), "bias")?;
        for (i, name) in FEATURE_NAMES.iter().enumerate() {
            [model.mean[i], model.deviation[i], model.weights[i]] = read_entry(lines.next(), name)?;
            if model.deviation[i] <= 0.0 {
                return Err(WeightsError(format!("the standard deviation of ‘{name}’ must be positive")));
            }
        }
        for (i, j) in product_indexes() {
            [model.products[i][j]] = read_entry(lines.next(), &product_name(i, j))?;
        }
        match lines.next() {
            Some(line) => Err(WeightsError(format!("‘{line}’ follows the last entry"))),
            None => Ok(model),
        }
    }

    /// Writes the format that [`PairModel::parse`] reads.
    pub fn write(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "bias\t{:.4}", self.bias);
        for (i, name) in FEATURE_NAMES.iter().enumerate() {
            let _ = writeln!(text, "{name}\t{:.5}\t{:.5}\t{:.4}", self.mean[i], self.deviation[i], self.weights[i]);
        }
        for (i, j) in product_indexes() {
            let _ = writeln!(text, "{}\t{:.4}", product_name(i, j), self.products[i][j]);
        }
        text
    }
}

/// Returns the numbers of the next entry in the weights file. The entry must have this name.
fn read_entry<const N: usize>(line: Option<&str>, name: &str) -> Result<[f32; N], WeightsError> {
    let cells = line.and_then(|line| line.strip_prefix(name)?.strip_prefix('\t'));
    let number = |cell: &str| cell.parse().ok().filter(|number: &f32| number.is_finite());
    let numbers: Option<Vec<f32>> = cells.and_then(|cells| cells.split('\t').map(number).collect());
    let error =
        || WeightsError(format!("expected ‘{name}’ with {N} finite numbers, found ‘{}’", line.unwrap_or_default()));
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(error)
}

/// Returns the positions of the features of each product, in the order of the weights file.
pub fn product_indexes() -> impl Iterator<Item = (usize, usize)> {
    (0..FEATURES).flat_map(|i| (i..FEATURES).map(move |j| (i, j)))
}

/// Returns the name of a product in the weights file.
fn product_name(i: usize, j: usize) -> String {
    format!("{}\t{}", FEATURE_NAMES[i], FEATURE_NAMES[j])
}

/// Converts log-odds to a probability, 0 to 1.
pub fn sigmoid(log_odds: f32) -> f32 {
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
        assert!(error("bias\t1\n").contains("expected ‘text similarity’ with 3 finite numbers, found ‘’"));
        assert!(error("bias\t1\nbias\t2\n").contains("expected ‘text similarity’"));
        assert!(error("bias\t1\ncolor\t0\t1\t1\n").contains("found ‘color"));
        assert!(error("bias\t1\ntext similarity\t0\t0\t1\n").contains("deviation"));
        assert!(error("bias\t1\ntext similarity\tNaN\t1\t1\n").contains("finite numbers"));
        let complete = PairModel::learned().write();
        let truncated = complete.trim_end().rsplit_once('\n').unwrap().0;
        assert!(error(truncated).contains("expected ‘local density\tlocal density’"));
        assert!(error(&format!("{complete}bias\t1\n")).contains("‘bias\t1’ follows the last entry"));
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
