//! The stories of the window with their terms: compares them, groups them, and explains the groups.

use super::average_linkage::{LinkageInput, group};
use super::options::{MAX_COMPARED_STORIES, MAX_TERM_STORIES, MAX_UNUSUAL_TERMS, MIN_COSINE, STORYLINE_THRESHOLD};
use super::pair_features::{StoryPairFeatures, pair_features};
use super::report::TermNumber;
use super::story_text::StoryText;
use super::story_vectors::{StoryVectors, across_languages_probability};
use super::term_census::TermCensus;
use super::tree_model::TreeModel;
use crate::domain::StoryId;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// The stories of the window, in order of their first items.
pub struct WeightedStories {
    pub(super) stories: Vec<StoryText>,
    pub(super) census: TermCensus,
    /// The position of each story.
    pub(super) positions: FxHashMap<StoryId, usize>,
    pub(super) vectors: StoryVectors,
}

/// A pair of stories that was compared.
pub struct ComparedPair {
    pub stories: [StoryId; 2],
    pub features: StoryPairFeatures,
}

/// The rules that no probability overrides. Stories outside the window are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoryLinks {
    /// Pairs of stories that belong to one storyline.
    pub must_link: Vec<[StoryId; 2]>,
    /// Pairs of stories that belong to different storylines.
    pub cannot_link: Vec<[StoryId; 2]>,
}

/// How a story relates to the other stories of its storyline.
#[derive(Default)]
pub(super) struct Relation {
    /// The highest probability that the story and another one belong together.
    pub probability: f32,
    /// The highest cosine of the embeddings of the story and a story in another language.
    pub cosine_across_languages: Option<f32>,
    /// The shared terms with their rates, most unusual first.
    pub terms: Vec<(TermNumber, f64)>,
}

impl WeightedStories {
    /// Groups all stories. Two groups merge if the mean probability of their pairs exceeds `threshold`. Returns each
    /// story with the first story of its group, in order of their first items.
    pub fn group(&self, model: &TreeModel, threshold: f64, links: &StoryLinks) -> Vec<(StoryId, StoryId)> {
        let similarities = self.pairs().map(|pair| (pair, self.probability(pair, model))).collect();
        let (must_link, cannot_link) = (self.in_window(&links.must_link), self.in_window(&links.cannot_link));
        let weights = self.stories.iter().map(|story| story.weight).collect();
        let input = LinkageInput { weights, similarities, must_link, cannot_link };
        let groups = group(&input, threshold);
        let first = |first: u32| self.stories[first as usize].id;
        self.stories.iter().zip(groups).map(|(story, group)| (story.id, first(group))).collect()
    }

    /// Returns all pairs of stories that are compared, for training.
    pub fn compared_pairs(&self) -> Vec<ComparedPair> {
        let stories = |pair: [u32; 2]| pair.map(|position| self.stories[position as usize].id);
        self.pairs().map(|pair| ComparedPair { stories: stories(pair), features: self.features(pair) }).collect()
    }

    /// Returns the probability that two stories belong to one storyline. Stories in different languages share few words,
    /// so a similar embedding is sufficient.
    fn probability(&self, pair @ [a, b]: [u32; 2], model: &TreeModel) -> f32 {
        let of_embeddings = self.vectors.cosine_across_languages(a, b).map_or(0.0, across_languages_probability);
        model.probability(&self.features(pair)).max(of_embeddings)
    }

    fn features(&self, pair: [u32; 2]) -> StoryPairFeatures {
        let [a, b] = pair.map(|position| &self.stories[position as usize]);
        pair_features(a, b, &self.census)
    }

    /// Returns the highest cosine between the text of a story and those of the other stories, with long-term
    /// statistics; 0 if there is no other story.
    pub fn highest_similarity(&self, story: StoryId) -> f32 {
        let Some(own) = self.positions.get(&story).map(|position| &self.stories[*position]) else { return 0.0 };
        let others = self.stories.iter().filter(|other| other.id != story);
        let cosine = |other| own.shared(other).map(|[a, b]| a.long_term_weight * b.long_term_weight).sum::<f64>();
        others.map(cosine).fold(0.0, f64::max) as f32
    }

    /// Compares a story with at most [`MAX_COMPARED_STORIES`] others of its storyline.
    pub(super) fn relation(&self, story: StoryId, others: &[StoryId], model: &TreeModel) -> Relation {
        let mut relation = Relation::default();
        let Some(position) = self.positions.get(&story).map(|position| *position as u32) else { return relation };
        let story = &self.stories[position as usize];
        let mut unusual: Vec<(Reverse<u64>, TermNumber, f64)> = Vec::new();
        let positions = others.iter().filter_map(|other| self.positions.get(other));
        for other in positions.take(MAX_COMPARED_STORIES).map(|position| *position as u32) {
            let cosine = self.vectors.cosine_across_languages(position, other);
            let cosine = cosine.filter(|cosine| across_languages_probability(*cosine) as f64 > STORYLINE_THRESHOLD);
            relation.cosine_across_languages =
                relation.cosine_across_languages.into_iter().chain(cosine).reduce(f32::max);
            relation.probability = relation.probability.max(self.probability([position, other], model));
            for [own, _] in story.shared(&self.stories[other as usize]) {
                let facts = self.census.get(own.number);
                // A burst explains more than a term that is merely rare, and a name more than another word.
                let strength = facts.burst.map_or(0.0, |burst| burst.strength);
                let weight = facts.long_term_idf * (1.0 + strength) * if own.is_name { 2.0 } else { 1.0 };
                unusual.push((Reverse(weight.to_bits()), own.number, facts.rate));
            }
        }
        unusual.sort_unstable_by_key(|(weight, number, _)| (*weight, *number));
        unusual.dedup_by_key(|(_, number, _)| *number);
        unusual.truncate(MAX_UNUSUAL_TERMS);
        relation.terms = unusual.into_iter().map(|(_, number, rate)| (number, rate)).collect();
        relation
    }

    fn in_window(&self, links: &[[StoryId; 2]]) -> Vec<[u32; 2]> {
        let position = |story: &StoryId| self.positions.get(story).map(|position| *position as u32);
        links.iter().filter_map(|[a, b]| Some([position(a)?, position(b)?])).filter(|[a, b]| a != b).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = [u32; 2]> + '_ {
        compared_pairs(&self.stories, &self.vectors)
    }
}

/// Empties the posting of a term that is too common. Keeps the [`MAX_TERM_STORIES`] stories with the highest weights if
/// only stories with low weights make the term too common.
fn reduce_posting(posting: &mut Vec<(u32, f64)>, stories: &[StoryText]) {
    if posting.len() <= MAX_TERM_STORIES {
        return;
    }
    let weight = |(story, _): &(u32, f64)| stories[*story as usize].weight;
    if posting.iter().map(weight).sum::<f64>() > MAX_TERM_STORIES as f64 {
        posting.clear();
    }
    posting.sort_by_key(|entry| (Reverse(weight(entry).to_bits()), entry.0));
    posting.truncate(MAX_TERM_STORIES);
    posting.sort_unstable_by_key(|(story, _)| *story);
}

/// Returns the pairs of stories that share enough rare terms, or that have similar embeddings in different languages, in
/// ascending order.
fn compared_pairs<'a>(stories: &'a [StoryText], vectors: &'a StoryVectors) -> impl Iterator<Item = [u32; 2]> + 'a {
    let mut postings: FxHashMap<u32, Vec<(u32, f64)>> = FxHashMap::default();
    for (position, story) in stories.iter().enumerate() {
        for term in &story.terms {
            postings.entry(term.number.0).or_default().push((position as u32, term.long_term_weight));
        }
    }
    postings.retain(|_, posting| {
        reduce_posting(posting, stories);
        posting.len() > 1
    });
    let mut cosines: Vec<f64> = vec![0.0; stories.len()];
    (0..stories.len() as u32).flat_map(move |a| {
        let mut candidates: Vec<u32> = Vec::new();
        for term in &stories[a as usize].terms {
            let Some(posting) = postings.get(&term.number.0) else { continue };
            let later = posting.partition_point(|(story, _)| *story <= a);
            for (b, weight) in &posting[later..] {
                if cosines[*b as usize] == 0.0 {
                    candidates.push(*b);
                }
                cosines[*b as usize] += term.long_term_weight * weight;
            }
        }
        candidates.retain(|b| std::mem::take(&mut cosines[*b as usize]) >= MIN_COSINE);
        candidates.extend(vectors.compared(a));
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().map(move |b| [a, b])
    })
}
