//! Refines the score of a pair of items with the similarity of their embeddings: two logistic regressions, one for
//! pairs in one language and one for pairs across languages.
//!
//! The inputs are the lexical log-odds of the [pair model](super::pair_model), the centered cosine of the embeddings,
//! its margin over other neighbors, and all products of two of them. `encoder_model_weights.txt` contains the weights;
//! `cargo run --release --example train -- FILE … --encoder DIR` learns them.

use std::fmt::Write;

/// The names of the inputs, in order. The weights file uses the same names.
pub const ENCODER_INPUT_NAMES: [&str; 3] = ["lexical log-odds", "encoder similarity", "margin over similar items"];
const INPUTS: usize = ENCODER_INPUT_NAMES.len();

/// The maximum number of standard deviations of an input, so that the squares of outliers do not dominate.
const MAX_DEVIATIONS: f32 = 3.0;

/// The similarity of the embeddings of two items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmbeddingSimilarity {
    /// The cosine of the vectors, each without the mean of its language.
    pub cosine: f32,
    /// The cosine minus the higher density of both neighborhoods.
    pub margin: f32,
    pub across_languages: bool,
}

impl EmbeddingSimilarity {
    /// Returns the inputs of the regression in the order of [`ENCODER_INPUT_NAMES`].
    pub fn inputs(&self, lexical_log_odds: f32) -> [f32; INPUTS] {
        [lexical_log_odds, self.cosine, self.margin]
    }
}

/// The two regressions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EncoderModel {
    pub within_language: EncoderRegression,
    pub across_languages: EncoderRegression,
}

/// The parameters of a regression.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EncoderRegression {
    pub bias: f32,
    pub mean: [f32; INPUTS],
    pub deviation: [f32; INPUTS],
    pub weights: [f32; INPUTS],
    /// The weight of each product of two standardized inputs, at `[i][j]` with i ≤ j. The other cells are 0.
    pub products: [[f32; INPUTS]; INPUTS],
}

impl EncoderModel {
    /// Returns the model that is built into the program.
    pub fn learned() -> EncoderModel {
        // A test parses this file, so the error cannot occur in a tested build.
        EncoderModel::parse(include_str!("encoder_model_weights.txt"))
            .unwrap_or_else(|| unreachable!("encoder_model_weights.txt is not valid"))
    }

    /// Returns the log-odds that a pair reports one event.
    pub fn log_odds(&self, lexical_log_odds: f32, similarity: &EmbeddingSimilarity) -> f32 {
        self.regression(similarity.across_languages).log_odds(&similarity.inputs(lexical_log_odds))
    }

    fn regression(&self, across_languages: bool) -> &EncoderRegression {
        if across_languages { &self.across_languages } else { &self.within_language }
    }

    /// Parses a weights file: one line per number, in the order of [`EncoderModel::write`]. Returns `None` if a number
    /// is missing, not finite, or has another name.
    pub fn parse(text: &str) -> Option<EncoderModel> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut model = EncoderModel::default();
        for regression in [&mut model.within_language, &mut model.across_languages] {
            for (name, value) in regression.named_values() {
                let number = lines.next()?.strip_prefix(name.as_str())?.strip_prefix('\t')?.parse().ok()?;
                *value = Some(number).filter(|number: &f32| number.is_finite())?;
            }
        }
        lines.next().is_none().then_some(model)
    }

    /// Writes the format that [`EncoderModel::parse`] reads.
    pub fn write(&self) -> String {
        let mut text = String::new();
        for (language, regression) in [("within", &self.within_language), ("across", &self.across_languages)] {
            let _ = writeln!(text, "# Pairs {language} languages");
            for (name, value) in regression.clone().named_values() {
                let _ = writeln!(text, "{name}\t{value:.5}");
            }
        }
        text
    }
}

impl EncoderRegression {
    /// Returns the log-odds that a pair with these inputs reports one event.
    pub fn log_odds(&self, inputs: &[f32; INPUTS]) -> f32 {
        let z = self.standardize(inputs);
        let linear: f32 = (0..INPUTS).map(|i| self.weights[i] * z[i]).sum();
        let products: f32 = (0..INPUTS)
            .flat_map(|i| (i..INPUTS).map(move |j| (i, j)))
            .map(|(i, j)| self.products[i][j] * z[i] * z[j])
            .sum();
        self.bias + linear + products
    }

    /// Returns each input in standard deviations from its mean, limited to the range from −3 to 3.
    pub fn standardize(&self, inputs: &[f32; INPUTS]) -> [f32; INPUTS] {
        std::array::from_fn(|i| ((inputs[i] - self.mean[i]) / self.deviation[i]).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS))
    }

    /// Returns all parameters with their names in the weights file.
    fn named_values(&mut self) -> Vec<(String, &mut f32)> {
        let EncoderRegression { bias, mean, deviation, weights, products } = self;
        let mut values = vec![("bias".to_owned(), bias)];
        for (prefix, numbers) in [("mean", mean), ("deviation", deviation), ("weight", weights)] {
            values.extend(
                ENCODER_INPUT_NAMES.iter().zip(numbers).map(|(name, value)| (format!("{prefix} of {name}"), value)),
            );
        }
        for (i, row) in products.iter_mut().enumerate() {
            for (j, value) in row.iter_mut().enumerate().skip(i) {
                values.push((format!("{} × {}", ENCODER_INPUT_NAMES[i], ENCODER_INPUT_NAMES[j]), value));
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_weights_survive_a_round_trip_and_reward_similarity() {
        let model = EncoderModel::learned();
        assert_eq!(EncoderModel::parse(&model.write()).unwrap(), model);
        for across_languages in [false, true] {
            let log_odds = |cosine| {
                let similarity = EmbeddingSimilarity { cosine, margin: cosine - 0.3, across_languages };
                model.log_odds(-2.0, &similarity)
            };
            assert!(log_odds(0.8) > log_odds(0.3) + 1.0, "{across_languages}");
        }
    }

    #[test]
    fn weights_file_with_a_missing_or_foreign_line_is_refused() {
        let complete = EncoderModel::learned().write();
        let truncated = complete.trim_end().rsplit_once('\n').unwrap().0;
        assert_eq!(EncoderModel::parse(truncated), None);
        assert_eq!(EncoderModel::parse(&format!("{complete}bias\t1\n")), None);
        assert_eq!(EncoderModel::parse(&complete.replacen("bias", "color", 1)), None);
    }
}
