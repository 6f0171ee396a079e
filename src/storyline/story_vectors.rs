//! The embeddings of stories, and an exhaustive search for similar stories in other languages.
//!
//! Stories in different languages share few words, so only their embeddings relate them. Within a language, words
//! decide (`docs/clustering.md`). Sentence encoders map all texts of a language to similar vectors. The mean vector of
//! its language is therefore subtracted from each vector. The sums are computed in the order of the items, and the
//! cosines are computed from integers, so that both are the same on every machine.

use super::item_terms::Report;
use super::options::{EMBEDDING_COSINE_MIDPOINT, EMBEDDING_COSINE_SLOPE, MAX_SIMILAR_STORIES, MIN_EMBEDDING_COSINE};
use super::outlet_weights::OutletWeights;
use super::story_text::contributing;
use crate::cluster::sigmoid;
use std::collections::BTreeMap;

/// The length of a vector whose components are rounded to integers. A dot product of two such vectors fits in 32 bits.
const UNIT: f64 = 1024.0;
/// The minimum total weight of a language's vectors at which their mean is subtracted in full. With fewer vectors, the
/// mean mostly reflects their topics.
const FULL_MEAN_VECTORS: f64 = 50.0;

/// The vectors of the stories in the window.
#[derive(Default)]
pub(super) struct StoryVectors {
    /// By the position of the story; `None` if no item has an embedding.
    stories: Vec<Option<StoryVector>>,
}

struct StoryVector {
    /// A vector of length [`UNIT`].
    components: Box<[i16]>,
    /// The languages of the items, in ascending order.
    languages: Vec<u32>,
    similar: SimilarStories,
    /// The later stories with which this story is compared. In each such pair, one of the stories is among the stories
    /// most similar to the other.
    compared: Vec<u32>,
}

/// The most similar stories in other languages: dot products and positions.
#[derive(Default)]
struct SimilarStories {
    found: Vec<(i32, u32)>,
    /// The number of stories that remained when the last surplus was removed.
    kept: usize,
}

/// The weighted mean of the vectors in a language.
struct LanguageMean {
    components: Vec<f64>,
    weight: f64,
}

/// Returns the probability that two stories in different languages belong to one storyline.
pub(super) fn across_languages_probability(cosine: f32) -> f32 {
    sigmoid(EMBEDDING_COSINE_SLOPE * (cosine - EMBEDDING_COSINE_MIDPOINT))
}

impl StoryVectors {
    /// Computes the vectors of stories. `stories` contains the items of each story in the window.
    pub(super) fn new(stories: &[Vec<&Report>], weights: &OutletWeights) -> StoryVectors {
        let stories: Vec<Vec<&Report>> = stories.iter().map(|reports| contributing(reports, weights)).collect();
        let mut embeddings = stories.iter().flatten().filter_map(|report| report.embedding.as_ref());
        let Some(dimensions) = embeddings.next().map(|embedding| embedding.components().len()) else {
            return StoryVectors::default();
        };
        let mut means: BTreeMap<u32, LanguageMean> = BTreeMap::new();
        for report in stories.iter().flatten() {
            let mean = means.entry(report.language).or_insert_with(|| LanguageMean::new(dimensions));
            mean.add(report, weights.get(report));
        }
        if means.len() == 1 {
            return StoryVectors::default();
        }
        means.values_mut().for_each(LanguageMean::divide);
        let vector = |reports: &Vec<&Report>| StoryVector::new(reports, &means);
        let mut vectors = StoryVectors { stories: stories.iter().map(vector).collect() };
        vectors.search();
        vectors.collect_pairs();
        vectors
    }

    /// Returns the positions of the later stories with which a story is compared because of its embedding.
    pub(super) fn compared(&self, story: u32) -> &[u32] {
        self.get(story).map_or(&[], |vector| &vector.compared)
    }

    /// Returns the cosine of the vectors of two stories; `None` if they have a language in common, or if one of them has
    /// no vector.
    pub(super) fn cosine_across_languages(&self, a: u32, b: u32) -> Option<f32> {
        let (a, b) = (self.get(a)?, self.get(b)?);
        (!a.shares_language(b)).then(|| (f64::from(dot(&a.components, &b.components)) / (UNIT * UNIT)) as f32)
    }

    fn get(&self, story: u32) -> Option<&StoryVector> {
        self.stories.get(story as usize)?.as_ref()
    }

    /// Finds the most similar stories of each story in each other language.
    fn search(&mut self) {
        let first_language = |story: &Option<StoryVector>| story.as_ref().map_or(0, |story| story.languages[0]);
        let languages: Vec<u32> = self.stories.iter().map(first_language).collect();
        let min_product = (f64::from(MIN_EMBEDDING_COSINE) * UNIT * UNIT) as i32;
        for b in 1..self.stories.len() {
            let (earlier, later) = self.stories.split_at_mut(b);
            let Some(second) = &mut later[0] else { continue };
            for (a, first) in earlier.iter_mut().enumerate() {
                let Some(first) = first.as_mut().filter(|first| !first.shares_language(second)) else { continue };
                let product = dot(&first.components, &second.components);
                if product > min_product {
                    first.similar.add(product, b as u32, &languages);
                    second.similar.add(product, a as u32, &languages);
                }
            }
        }
        self.stories.iter_mut().flatten().for_each(|story| story.similar.remove_surplus(&languages));
    }

    /// Records each pair of similar stories with its first story.
    fn collect_pairs(&mut self) {
        let mut pairs: Vec<[u32; 2]> = Vec::new();
        for (position, story) in (0..).zip(&mut self.stories) {
            let found = story.iter_mut().flat_map(|story| std::mem::take(&mut story.similar.found));
            pairs.extend(found.map(|(_, other)| [other.min(position), other.max(position)]));
        }
        pairs.sort_unstable();
        pairs.dedup();
        for [a, b] in pairs {
            if let Some(story) = &mut self.stories[a as usize] {
                story.compared.push(b);
            }
        }
    }
}

impl StoryVector {
    fn new(reports: &[&Report], means: &BTreeMap<u32, LanguageMean>) -> Option<StoryVector> {
        let mut sum: Vec<f64> = Vec::new();
        let mut languages: Vec<u32> = Vec::new();
        for report in reports {
            let mean = &means[&report.language].components;
            let Some(components) = report.components(mean.len()) else { continue };
            sum.resize(mean.len(), 0.0);
            for ((sum, own), mean) in sum.iter_mut().zip(components).zip(mean) {
                *sum += f64::from(*own) - mean;
            }
            languages.push(report.language);
        }
        languages.sort_unstable();
        languages.dedup();
        let length = sum.iter().map(|own| own * own).sum::<f64>().sqrt();
        let components = || sum.iter().map(|own| (own / length * UNIT).round() as i16).collect();
        (length > 1e-6).then(|| StoryVector {
            components: components(),
            languages,
            similar: SimilarStories::default(),
            compared: Vec::new(),
        })
    }

    fn shares_language(&self, other: &StoryVector) -> bool {
        self.languages.iter().any(|language| other.languages.contains(language))
    }
}

impl SimilarStories {
    fn add(&mut self, product: i32, story: u32, languages: &[u32]) {
        self.found.push((product, story));
        // The surplus is removed only occasionally, which keeps both the time and the memory small.
        if self.found.len() >= 2 * self.kept.max(MAX_SIMILAR_STORIES) {
            self.remove_surplus(languages);
        }
    }

    /// Keeps the [`MAX_SIMILAR_STORIES`] most similar stories in each language.
    fn remove_surplus(&mut self, languages: &[u32]) {
        self.found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        self.found.retain(|(_, story)| {
            let count = counts.entry(languages[*story as usize]).or_default();
            *count += 1;
            *count <= MAX_SIMILAR_STORIES
        });
        self.kept = self.found.len();
    }
}

impl LanguageMean {
    fn new(dimensions: usize) -> LanguageMean {
        LanguageMean { components: vec![0.0; dimensions], weight: 0.0 }
    }

    fn add(&mut self, report: &Report, weight: f64) {
        let Some(components) = report.components(self.components.len()) else { return };
        self.weight += weight;
        self.components.iter_mut().zip(components).for_each(|(sum, own)| *sum += weight * f64::from(*own));
    }

    fn divide(&mut self) {
        let divisor = self.weight.max(FULL_MEAN_VECTORS);
        self.components.iter_mut().for_each(|sum| *sum /= divisor);
    }
}

fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Embedding, StoryId};

    fn report(language: u32, vector: &[f32]) -> Report {
        Report {
            story: StoryId::from_row(1),
            outlet: 0,
            language,
            ranked_at: 0,
            terms: Box::default(),
            embedding: Embedding::from_floats(vector),
        }
    }

    /// Returns the vectors of stories with these reports.
    fn vectors(stories: &[Vec<Report>]) -> StoryVectors {
        let stories: Vec<Vec<&Report>> = stories.iter().map(|reports| reports.iter().collect()).collect();
        StoryVectors::new(&stories, &OutletWeights::equal(&stories.concat()))
    }

    /// Returns the vectors of stories with one report each.
    fn vectors_of(reports: impl IntoIterator<Item = Report>) -> StoryVectors {
        vectors(&reports.into_iter().map(|report| vec![report]).collect::<Vec<_>>())
    }

    #[test]
    fn mean_of_each_language_is_subtracted() {
        // All vectors of a language share a large component, which does not depend on the texts.
        let vectors = vectors_of((0..200).map(|n| {
            let topic = if n % 2 == 0 { [1.0, -1.0] } else { [-1.0, 1.0] };
            let common = if n % 4 < 2 { [5.0, 0.0] } else { [0.0, 5.0] };
            report(n % 4 / 2, &[common[0], common[1], topic[0], topic[1]])
        }));
        let cosine = |a, b| vectors.cosine_across_languages(a, b);
        assert!(cosine(0, 2).unwrap() > 0.95 && cosine(0, 3).unwrap() < -0.95, "{:?} {:?}", cosine(0, 2), cosine(0, 3));
        assert_eq!(cosine(0, 1), None, "the stories have the same language");
    }

    #[test]
    fn stories_are_compared_with_the_most_similar_ones_in_each_other_language() {
        // The vectors form a circle, on which neighbors have different languages.
        let angle = |n: u32| n as f32 * std::f32::consts::TAU / 150.0;
        let circle = (0..150).map(|n| report(n % 3, &[libm::cosf(angle(n)), libm::sinf(angle(n)), 0.0]));
        let vectors = vectors_of(circle.chain([report(1, &[0.0, 0.0, 1.0])]));
        let is_near = |other: &u32| (*other).min(150 - other) < 3 * MAX_SIMILAR_STORIES as u32 / 2;
        let expected: Vec<u32> = (0..150).filter(|other| other % 3 != 0 && is_near(other)).collect();
        assert_eq!((expected.len(), vectors.compared(0)), (2 * MAX_SIMILAR_STORIES, &*expected));
        assert!((0..150).all(|story| !vectors.compared(story).contains(&150)), "no story is similar to the last one");
    }

    #[test]
    fn vector_of_a_story_is_the_mean_of_its_items() {
        let mixed = vec![report(0, &[1.0, 0.0]), report(1, &[0.0, 1.0])];
        let vectors = vectors(&[mixed, vec![report(1, &[1.0, 0.0])], vec![report(2, &[1.0, 0.0])]]);
        assert_eq!(vectors.cosine_across_languages(0, 1), None, "both stories have a report in the same language");
        let cosine = vectors.cosine_across_languages(0, 2).unwrap();
        assert!((cosine - 0.707).abs() < 0.02, "{cosine}");
    }

    #[test]
    fn stories_without_embeddings_are_not_compared() {
        let without = Report { embedding: None, ..report(1, &[1.0]) };
        let vectors =
            vectors_of([report(0, &[1.0, 0.0]), report(1, &[1.0, 0.0]), without, report(1, &[1.0, 0.0, 0.0])]);
        let cosines = [1, 2, 3].map(|other| vectors.cosine_across_languages(0, other).is_some());
        assert_eq!(cosines, [true, false, false], "the last story has another number of dimensions");
        assert_eq!(vectors.compared(0), [1]);
    }

    #[test]
    fn probability_grows_with_the_cosine() {
        let probabilities = [0.3, 0.5, 0.7].map(across_languages_probability);
        assert!(probabilities[0] < 0.1 && probabilities.is_sorted() && probabilities[2] > 0.8, "{probabilities:?}");
    }
}
