//! The embeddings of the items in the window, and an exhaustive search for similar embeddings.
//!
//! Sentence encoders map all texts of a language to similar vectors. The mean vector of an item's language is therefore
//! subtracted before two vectors are compared. All arithmetic before the final division uses integers, so that the
//! cosines are the same on every machine.

use super::encoder_model::EmbeddingSimilarity;
use crate::domain::Embedding;
use std::collections::VecDeque;

/// The factor between the components of an embedding and those of a centered vector. The mean needs this additional
/// precision.
const CENTER_SCALE: i32 = 16;
/// The number of vectors of a language from which its mean is subtracted in full. With fewer vectors, the mean mostly
/// reflects their topics.
const FULL_MEAN_VECTORS: i32 = 50;
/// The maximum number of similar items that a search returns in the item's language and in each other language. Without
/// separate limits, the reports of a big event in one language would displace reports in other languages.
const MAX_SIMILAR: usize = 32;
const MAX_SIMILAR_IN_OTHER_LANGUAGE: usize = 12;
/// The minimum centered cosine of a similar item.
const MIN_COSINE: f32 = 0.3;

/// The vectors of the items in the window. A row is an item's position in the window.
#[derive(Default)]
pub(super) struct VectorIndex {
    /// The number of components of each vector; 0 before the first vector.
    dimensions: usize,
    /// The vectors of all rows. A row without a vector has zeros.
    components: Vec<i8>,
    /// The number of rows at the start of `components` that have expired.
    expired: usize,
    rows: VecDeque<VectorRow>,
    /// The means of the vectors, by language number.
    means: Vec<LanguageMean>,
    /// The number of rows with a vector.
    vectors: usize,
}

/// The language of an item and the density of its neighborhood.
#[derive(Debug, Clone, Copy)]
struct VectorRow {
    language: u8,
    has_vector: bool,
    /// The mean centered cosine of the second to sixth similar items.
    density: f32,
}

/// The mean of the vectors of a language.
#[derive(Default, Clone)]
struct LanguageMean {
    sum: Vec<i32>,
    count: i32,
    /// The mean, multiplied by [`CENTER_SCALE`].
    scaled: Vec<i16>,
    squared_norm: i64,
}

/// A row and the centered cosine of its vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SimilarRow {
    pub row: usize,
    pub cosine: f32,
}

/// An item's vector without the mean of its language.
pub(super) struct CenteredQuery<'a> {
    row: usize,
    components: Vec<i16>,
    squared_norm: i64,
    /// The dot product with the mean of each language.
    mean_products: Vec<i64>,
    index: &'a VectorIndex,
}

impl VectorIndex {
    /// Appends a row. Ignores a vector whose number of dimensions differs from that of the other vectors.
    pub(super) fn push(&mut self, language: u8, embedding: Option<&Embedding>) {
        self.rows.push_back(VectorRow { language, has_vector: false, density: 0.0 });
        self.components.resize(self.components.len() + self.dimensions, 0);
        self.set(self.rows.len() - 1, language, embedding);
    }

    /// Replaces the vector of a row.
    pub(super) fn set(&mut self, row: usize, language: u8, embedding: Option<&Embedding>) {
        self.unset(row);
        self.rows[row].language = language;
        let Some(vector) = embedding.map(Embedding::components) else { return };
        if self.vectors == 0 {
            self.dimensions = vector.len();
            self.expired = 0;
            self.means.clear();
            self.components = vec![0; self.rows.len() * self.dimensions];
        }
        if vector.len() != self.dimensions {
            return;
        }
        let range = self.range(row);
        self.components[range].copy_from_slice(vector);
        self.rows[row].has_vector = true;
        self.vectors += 1;
        self.mean_mut(language).add(vector, 1);
    }

    /// Removes the first row.
    pub(super) fn expire_first(&mut self) {
        self.unset(0);
        self.rows.pop_front();
        self.expired += 1;
        // The rows move only when more than half of them have expired, so the amortized cost of a row is constant.
        if self.expired > self.rows.len() {
            self.components.drain(..self.expired * self.dimensions);
            self.expired = 0;
        }
    }

    fn unset(&mut self, row: usize) {
        let VectorRow { language, has_vector, .. } = self.rows[row];
        if has_vector {
            let range = self.range(row);
            let vector = self.components[range.clone()].to_vec();
            self.mean_mut(language).add(&vector, -1);
            self.components[range].fill(0);
            self.rows[row].has_vector = false;
            self.vectors -= 1;
        }
    }

    fn mean_mut(&mut self, language: u8) -> &mut LanguageMean {
        let (language, dimensions) = (usize::from(language), self.dimensions);
        if self.means.len() <= language {
            self.means.resize(language + 1, LanguageMean::default());
        }
        let mean = &mut self.means[language];
        mean.sum.resize(dimensions, 0);
        mean.scaled.resize(dimensions, 0);
        mean
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        let start = (self.expired + row) * self.dimensions;
        start..start + self.dimensions
    }

    fn vector(&self, row: usize) -> Option<&[i8]> {
        self.rows[row].has_vector.then(|| &self.components[self.range(row)])
    }

    /// Returns the rows that are most similar to a row, in descending order of similarity. `accepts` selects the rows
    /// that are compared. Records the density of the neighborhood.
    pub(super) fn search(&mut self, row: usize, accepts: impl Fn(usize) -> bool) -> Vec<SimilarRow> {
        let Some(query) = self.query(row) else { return Vec::new() };
        let mut similar: Vec<SimilarRow> = Vec::new();
        for other in 0..self.rows.len() {
            let Some(vector) = self.vector(other).filter(|_| other != row) else { continue };
            let cosine = query.cosine(vector, self.rows[other].language);
            if cosine > MIN_COSINE && accepts(other) {
                similar.push(SimilarRow { row: other, cosine });
            }
        }
        let descending = |a: &SimilarRow, b: &SimilarRow| b.cosine.total_cmp(&a.cosine).then(b.row.cmp(&a.row));
        similar.sort_unstable_by(descending);
        let mut counts = [0; u8::MAX as usize + 1];
        similar.retain(|similar| {
            let language = self.rows[similar.row].language;
            let limit = if language == self.rows[row].language { MAX_SIMILAR } else { MAX_SIMILAR_IN_OTHER_LANGUAGE };
            counts[usize::from(language)] += 1;
            counts[usize::from(language)] <= limit
        });
        self.rows[row].density = (1..6).filter_map(|n| similar.get(n)).map(|similar| similar.cosine).sum::<f32>() / 5.0;
        similar
    }

    /// Prepares comparisons of a row with others; `None` if it has no vector.
    pub(super) fn query(&self, row: usize) -> Option<CenteredQuery<'_>> {
        let vector = self.vector(row)?;
        let mean = &self.means[usize::from(self.rows[row].language)];
        let center = |(own, mean): (&i8, &i16)| (i32::from(*own) * CENTER_SCALE - i32::from(*mean)) as i16;
        let components: Vec<i16> = vector.iter().zip(&mean.scaled).map(center).collect();
        let squared_norm = dot(&components, &components);
        let mean_products = self.means.iter().map(|mean| dot(&components, &mean.scaled)).collect();
        Some(CenteredQuery { row, components, squared_norm, mean_products, index: self })
    }
}

impl LanguageMean {
    fn add(&mut self, vector: &[i8], sign: i32) {
        self.count += sign;
        let divisor = self.count.max(FULL_MEAN_VECTORS);
        for ((sum, scaled), own) in self.sum.iter_mut().zip(&mut self.scaled).zip(vector) {
            *sum += sign * i32::from(*own);
            *scaled = (*sum * CENTER_SCALE / divisor) as i16;
        }
        self.squared_norm = dot(&self.scaled, &self.scaled);
    }
}

impl CenteredQuery<'_> {
    /// Returns the similarity to another row; `None` if that row has no vector.
    pub(super) fn similarity(&self, other: usize) -> Option<EmbeddingSimilarity> {
        let rows = [self.row, other].map(|row| self.index.rows[row]);
        let cosine = self.cosine(self.index.vector(other)?, rows[1].language);
        let margin = cosine - rows[0].density.max(rows[1].density);
        Some(EmbeddingSimilarity { cosine, margin, across_languages: rows[0].language != rows[1].language })
    }

    /// Returns the cosine with another vector, from which the mean of its language is subtracted.
    fn cosine(&self, vector: &[i8], language: u8) -> f32 {
        let mean = &self.index.means[usize::from(language)];
        let scale = i64::from(CENTER_SCALE);
        let product = scale * dot(&self.components, vector) - self.mean_products[usize::from(language)];
        let squared_norm =
            scale * scale * dot(vector, vector) - 2 * scale * dot(&mean.scaled, vector) + mean.squared_norm;
        let norms = (self.squared_norm as f64 * squared_norm as f64).sqrt();
        if norms > 0.0 { (product as f64 / norms) as f32 } else { 0.0 }
    }
}

/// The number of products that are added in 32 bits, so that the compiler vectorizes the loop. The sum fits, because a
/// product of two components of centered vectors is less than 2^24.
const BLOCK: usize = 64;

fn dot<A: Copy + Into<i32>, B: Copy + Into<i32>>(a: &[A], b: &[B]) -> i64 {
    let product = |(a, b): (&A, &B)| -> i32 { (*a).into() * (*b).into() };
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK));
    blocks.map(|(a, b)| i64::from(a.iter().zip(b).map(product).sum::<i32>())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(components: [f32; 4]) -> Embedding {
        Embedding::from_floats(&components).unwrap()
    }

    #[test]
    fn mean_of_each_language_is_subtracted() {
        let mut index = VectorIndex::default();
        // All vectors of a language share a large component, which does not depend on the texts.
        for n in 0..200 {
            let topic = if n % 2 == 0 { [1.0, -1.0] } else { [-1.0, 1.0] };
            let language = n % 4 / 2;
            let common = if language == 0 { [5.0, 0.0] } else { [0.0, 5.0] };
            index.push(language, Some(&embedding([common[0], common[1], topic[0], topic[1]])));
        }
        for (other, expected) in [(4, 1.0), (1, -1.0), (2, 1.0), (3, -1.0)] {
            let similarity = index.query(0).unwrap().similarity(other).unwrap();
            assert!((similarity.cosine - expected).abs() < 0.05, "{other}: {similarity:?}");
            assert_eq!(similarity.across_languages, matches!(other, 2 | 3));
        }
    }

    #[test]
    fn search_returns_the_most_similar_rows_and_the_density() {
        let mut index = VectorIndex::default();
        index.push(0, Some(&embedding([1.0, 0.0, 0.0, 0.0])));
        index.push(0, None);
        index.push(0, Some(&embedding([0.0, 1.0, 0.0, 0.0])));
        for n in 0..60 {
            index.push(0, Some(&embedding([1.0, 0.0, 0.01 * n as f32, 0.0])));
            index.push(1, Some(&embedding([1.0, 0.0, 0.01 * n as f32, 0.0])));
            index.push(0, Some(&embedding([-1.0, 1.0, 0.0, 0.0])));
            index.push(1, Some(&embedding([-1.0, 1.0, 0.0, 0.0])));
        }
        let found = index.search(0, |row| row != 3);
        let count = |language| found.iter().filter(|found| index.rows[found.row].language == language).count();
        assert_eq!((count(0), count(1)), (MAX_SIMILAR, MAX_SIMILAR_IN_OTHER_LANGUAGE));
        assert!(found.iter().all(|found| found.row != 3 && found.cosine > MIN_COSINE));
        assert!(found.windows(2).all(|pair| pair[0].cosine >= pair[1].cosine) && index.rows[0].density > 0.9);
        assert!(index.search(1, |_| true).is_empty(), "a row without a vector has no similar rows");
    }

    #[test]
    fn rows_expire_and_are_replaced() {
        let mut index = VectorIndex::default();
        index.push(0, None);
        for n in 0..500 {
            index.push(0, Some(&embedding([1.0, n as f32 / 100.0, 0.0, 0.0])));
            if n >= 100 {
                index.expire_first();
            }
        }
        assert_eq!(index.rows.len(), 101);
        assert!(index.components.len() <= 4 * 2 * 102, "{}", index.components.len());
        let similarity = |index: &VectorIndex| Some(index.query(100)?.similarity(99)?.cosine);
        let same = similarity(&index).unwrap();
        index.set(99, 0, Some(&embedding([-1.0, 0.0, 0.0, 0.0])));
        assert!(similarity(&index).unwrap() < same);
        index.set(99, 0, Some(&Embedding::from_floats(&[1.0, 2.0]).unwrap()));
        assert_eq!(similarity(&index), None, "a vector with other dimensions is ignored");
        (0..101).for_each(|_| index.expire_first());
        assert!(index.means.iter().all(|mean| mean.sum.iter().all(|sum| *sum == 0)));
    }
}
