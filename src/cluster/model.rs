//! The learned judgement: log-odds that two items report one event, a weighed sum of their [`super::pair::FEATURES`].
//!
//! The weights are in `weights.txt`; `cargo run --release --example train -- FILE` learns them anew.

use super::pair::{FEATURES, Features};
use std::fmt::Write;

/// A weight for each feature, and what is added to all.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub weights: Features,
    pub bias: f32,
}

/// A file of weights that does not name each feature once.
#[derive(Debug, thiserror::Error)]
#[error("weights, line {line}: {what}")]
pub struct BadWeights {
    line: usize,
    what: String,
}

impl Model {
    /// The weights that come with the program.
    pub fn learned() -> Model {
        static TEXT: &str = include_str!("weights.txt");
        // A test reads the file, so that this can't happen in a program that was built and tested.
        Model::read(TEXT).unwrap_or_else(|error| unreachable!("{error}"))
    }

    pub fn score(&self, features: &Features) -> f32 {
        self.bias + self.weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum::<f32>()
    }

    /// Reads lines of a name, a tab and a weight.
    pub fn read(text: &str) -> Result<Model, BadWeights> {
        let (mut weights, mut bias) = ([None; FEATURES.len()], None);
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let bad = |what: &str| BadWeights { line: n + 1, what: what.to_owned() };
            let (name, weight) = line.split_once('\t').ok_or_else(|| bad("no tab"))?;
            let weight: f32 = weight.trim().parse().map_err(|_| bad("no number"))?;
            match FEATURES.iter().position(|feature| *feature == name) {
                Some(at) => weights[at] = Some(weight),
                None if name == "always" => bias = Some(weight),
                None => return Err(bad("no feature of this name")),
            }
        }
        let missing = |name: &str| BadWeights { line: 0, what: format!("‘{name}’ has no weight") };
        let mut model = Model { weights: [0.0; FEATURES.len()], bias: bias.ok_or_else(|| missing("always"))? };
        for (at, weight) in weights.into_iter().enumerate() {
            model.weights[at] = weight.ok_or_else(|| missing(FEATURES[at]))?;
        }
        Ok(model)
    }

    /// The file that [`Model::read`] reads.
    pub fn write(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "always\t{:.4}", self.bias);
        for (name, weight) in FEATURES.iter().zip(self.weights) {
            let _ = writeln!(text, "{name}\t{weight:.4}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_the_program_read_back_as_they_are_written() {
        let model = Model::learned();
        assert_eq!(Model::read(&model.write()).unwrap(), model);
        assert!(model.weights[0] > 0.0, "likeness speaks for one event");
    }

    #[test]
    fn a_missing_or_unknown_feature_is_named() {
        assert!(Model::read("always\t1\n").unwrap_err().to_string().contains("‘likeness’"));
        assert!(Model::read("colour\t1\n").unwrap_err().to_string().contains("line 1"));
    }
}
