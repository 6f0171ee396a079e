//! The encoder model, which refines the score of a pair of items with the similarity of their embeddings. It consists
//! of two logistic regressions, one for pairs in one language and one for pairs across languages.
//!
//! The inputs are the lexical log-odds of the [pair model](super::pair_model), the centered cosine of the embeddings,
//! the margin of this cosine over other neighbors, and all products of two inputs. `encoder_model_weights.txt` contains
//! the weights; `cargo run --release --example train -- SET.jsonl … --encoder DIR --write` learns them.

use super::quadratic_regression::{QuadraticRegression, WeightsError};

/// The names of the inputs, in order. The weights file uses the same names.
pub const ENCODER_INPUT_NAMES: [&str; 3] = ["lexical log-odds", "encoder similarity", "margin over similar items"];
const INPUTS: usize = ENCODER_INPUT_NAMES.len();

/// The similarity of the embeddings of two items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmbeddingSimilarity {
    /// The cosine of the two vectors, each of which is first reduced by the mean vector of its language.
    pub cosine: f32,
    /// The cosine minus the density of the denser of the two neighborhoods.
    pub margin: f32,
    pub across_languages: bool,
}

impl EmbeddingSimilarity {
    /// Returns the inputs of the regression in the order of [`ENCODER_INPUT_NAMES`].
    pub fn inputs(&self, lexical_log_odds: f32) -> [f32; INPUTS] {
        [lexical_log_odds, self.cosine, self.margin]
    }
}

/// A regression on the inputs for a pair.
pub type EncoderRegression = QuadraticRegression<INPUTS>;

/// The regressions for pairs in one language and for pairs across languages.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderModel {
    pub within_language: EncoderRegression,
    pub across_languages: EncoderRegression,
}

impl EncoderModel {
    /// Returns the model that is built into the program.
    pub fn learned() -> EncoderModel {
        // A test parses this file, so the error cannot occur in a tested build.
        EncoderModel::parse(include_str!("encoder_model_weights.txt")).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Returns the log-odds that both items of a pair report one event.
    pub fn log_odds(&self, lexical_log_odds: f32, similarity: &EmbeddingSimilarity) -> f32 {
        let regression = if similarity.across_languages { &self.across_languages } else { &self.within_language };
        regression.log_odds(&similarity.inputs(lexical_log_odds))
    }

    /// Parses a weights file, which contains the regression within languages and then the regression across languages.
    ///
    /// # Errors
    ///
    /// Fails unless both regressions are complete and in order.
    pub fn parse(text: &str) -> Result<EncoderModel, WeightsError> {
        let [within_language, across_languages] = EncoderRegression::parse_all(text, &ENCODER_INPUT_NAMES)?;
        Ok(EncoderModel { within_language, across_languages })
    }

    /// Writes the format that [`EncoderModel::parse`] reads.
    pub fn write(&self) -> String {
        let [within, across] = [&self.within_language, &self.across_languages]
            .map(|regression| regression.write_named(&ENCODER_INPUT_NAMES));
        format!("# Pairs within languages\n{within}# Pairs across languages\n{across}")
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
    fn weights_file_with_a_missing_or_unexpected_line_is_rejected() {
        let complete = EncoderModel::learned().write();
        let truncated = complete.trim_end().rsplit_once('\n').unwrap().0;
        assert!(EncoderModel::parse(truncated).is_err());
        assert!(EncoderModel::parse(&format!("{complete}bias\t1\n")).is_err());
        assert!(EncoderModel::parse(&complete.replacen("bias", "color", 1)).is_err());
    }
}
