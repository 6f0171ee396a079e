//! The pair model: a logistic regression that estimates the log-odds that two items report one event.
//!
//! The inputs are the [features](FEATURE_NAMES) and their products: for example, two very similar reports from one outlet
//! usually belong to a daily series. `pair_model_weights.txt` contains the weights; `cargo run --release --example train
//! -- FILE` learns them.

use super::pair_features::FEATURE_NAMES;
use super::quadratic_regression::{QuadraticRegression, WeightsError};

/// The regression on the features of a pair.
pub type PairModel = QuadraticRegression<{ FEATURE_NAMES.len() }>;

impl PairModel {
    /// Returns the model that is built into the program.
    pub fn learned() -> PairModel {
        // A test parses this file, so the error cannot occur in a tested build.
        PairModel::parse(include_str!("pair_model_weights.txt")).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Parses a weights file.
    ///
    /// # Errors
    ///
    /// Fails unless the bias, all features and all products appear exactly once and in order.
    pub fn parse(text: &str) -> Result<PairModel, WeightsError> {
        PairModel::parse_named(text, &FEATURE_NAMES)
    }

    /// Writes the format that [`PairModel::parse`] reads.
    pub fn write(&self) -> String {
        self.write_named(&FEATURE_NAMES)
    }
}

/// Converts log-odds to a probability, 0 to 1.
pub fn sigmoid(log_odds: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-log_odds))
}

#[cfg(test)]
mod tests {
    use super::super::pair_features::PairFeatures;
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
