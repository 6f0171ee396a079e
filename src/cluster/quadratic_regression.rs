//! A logistic regression on standardized inputs and on all products of two inputs, which model interactions.

use std::fmt::Write;

/// The limit of a standardized input, in standard deviations. It keeps the squares of outliers from dominating.
const MAX_DEVIATIONS: f32 = 3.0;

/// The learned parameters of a regression with `N` inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct QuadraticRegression<const N: usize> {
    pub bias: f32,
    /// The mean of each input in the training data.
    pub mean: [f32; N],
    /// The standard deviation of each input in the training data.
    pub deviation: [f32; N],
    /// The weight of each standardized input.
    pub weights: [f32; N],
    /// The weight of each product of two standardized inputs, at `[i][j]` with i ≤ j. The other cells are 0.
    pub products: [[f32; N]; N],
}

/// An untrained regression, for which every pair scores 0.
impl<const N: usize> Default for QuadraticRegression<N> {
    fn default() -> QuadraticRegression<N> {
        QuadraticRegression {
            bias: 0.0,
            mean: [0.0; N],
            deviation: [1.0; N],
            weights: [0.0; N],
            products: [[0.0; N]; N],
        }
    }
}

/// The error for an invalid weights file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("weights: {0}")]
pub struct WeightsError(String);

impl<const N: usize> QuadraticRegression<N> {
    /// Returns the log-odds for these inputs.
    pub fn log_odds(&self, inputs: &[f32; N]) -> f32 {
        let z = self.standardize(inputs);
        let mut factors = self.weights;
        // The compiler vectorizes this loop row by row.
        for (row, own) in self.products.iter().zip(z) {
            factors.iter_mut().zip(row).for_each(|(factor, weight)| *factor += own * weight);
        }
        self.bias + factors.iter().zip(z).map(|(factor, own)| factor * own).sum::<f32>()
    }

    /// Returns the contribution of each input to the log-odds, relative to the average pair: its own term and half of
    /// each product in which it occurs. The sum is the Shapley value of the input. The contributions and the bias add
    /// up to [`QuadraticRegression::log_odds`].
    pub fn contributions(&self, inputs: &[f32; N]) -> [f32; N] {
        let z = self.standardize(inputs);
        std::array::from_fn(|i| {
            let products = (0..N).map(|j| (self.products[i][j] + self.products[j][i]) * z[j]).sum::<f32>();
            z[i] * (self.weights[i] + products / 2.0)
        })
    }

    /// Returns each input in standard deviations from its mean, limited to the range from −3 to 3.
    pub fn standardize(&self, inputs: &[f32; N]) -> [f32; N] {
        std::array::from_fn(|i| ((inputs[i] - self.mean[i]) / self.deviation[i]).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS))
    }

    /// Returns the positions of the inputs of each product, in the order of the weights file.
    pub fn product_indexes() -> impl Iterator<Item = (usize, usize)> {
        (0..N).flat_map(|i| (i..N).map(move |j| (i, j)))
    }

    /// Parses a weights file with one regression. Its tab-separated lines are: `bias` and its value; each input with its
    /// mean, standard deviation and weight; each product, as two inputs and a weight. `#` starts a comment line.
    ///
    /// # Errors
    ///
    /// Fails unless the bias, all inputs and all products appear exactly once and in order.
    pub(super) fn parse_named(text: &str, names: &[&str; N]) -> Result<QuadraticRegression<N>, WeightsError> {
        let [regression] = QuadraticRegression::parse_all(text, names)?;
        Ok(regression)
    }

    /// Parses a weights file with `M` regressions, one after the other. See [`QuadraticRegression::parse_named`].
    pub(super) fn parse_all<const M: usize>(
        text: &str,
        names: &[&str; N],
    ) -> Result<[QuadraticRegression<N>; M], WeightsError> {
        let mut all = std::array::from_fn(|_| QuadraticRegression::default());
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        for regression in &mut all {
            *regression = QuadraticRegression::read(&mut lines, names)?;
        }
        match lines.next() {
            Some(line) => Err(WeightsError(format!("‘{line}’ follows the last entry"))),
            None => Ok(all),
        }
    }

    fn read<'t>(
        lines: &mut impl Iterator<Item = &'t str>,
        names: &[&str; N],
    ) -> Result<QuadraticRegression<N>, WeightsError> {
        let mut regression = QuadraticRegression::default();
        [regression.bias] = read_entry(lines.next(), "bias")?;
        for (i, name) in names.iter().enumerate() {
            [regression.mean[i], regression.deviation[i], regression.weights[i]] = read_entry(lines.next(), name)?;
            if regression.deviation[i] <= 0.0 {
                return Err(WeightsError(format!("the standard deviation of ‘{name}’ must be positive")));
            }
        }
        for (i, j) in Self::product_indexes() {
            [regression.products[i][j]] = read_entry(lines.next(), &product_name(names, i, j))?;
        }
        Ok(regression)
    }

    /// Writes the format that [`QuadraticRegression::parse_named`] reads.
    pub(super) fn write_named(&self, names: &[&str; N]) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "bias\t{:.5}", self.bias);
        for (i, name) in names.iter().enumerate() {
            let _ = writeln!(text, "{name}\t{:.5}\t{:.5}\t{:.5}", self.mean[i], self.deviation[i], self.weights[i]);
        }
        for (i, j) in Self::product_indexes() {
            let _ = writeln!(text, "{}\t{:.5}", product_name(names, i, j), self.products[i][j]);
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

/// Returns the name of a product in the weights file.
fn product_name(names: &[&str], i: usize, j: usize) -> String {
    format!("{}\t{}", names[i], names[j])
}
