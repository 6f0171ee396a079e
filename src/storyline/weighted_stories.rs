//! Compares and groups the stories of the window by their terms, and explains the groups.

use super::candidate_pairs::CandidatePairs;
use super::item_terms::TermNumber;
use super::mixed_linkage::{LinkageInput, group};
use super::options::{MAX_COMPARED_STORIES, MAX_UNUSUAL_TERMS, STORYLINE_THRESHOLD};
use super::pair_features::{StoryPairFeatures, pair_features};
use super::similarities::linkable_similarities;
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

/// The relation of a story to the other stories of its storyline.
#[derive(Default)]
pub(super) struct Relation {
    /// The highest probability that the story and another story belong together.
    pub probability: f32,
    /// The highest cosine of the embeddings of the story and a story in another language.
    pub cosine_across_languages: Option<f32>,
    /// The shared terms with their rates, most unusual first.
    pub terms: Vec<(TermNumber, f64)>,
}

impl WeightedStories {
    /// Groups all stories. Two groups merge if their similarity exceeds `threshold` ([`super::mixed_linkage`]). Returns
    /// each story with the first story of its group, in order of the stories' first items.
    pub fn group(&self, model: &TreeModel, threshold: f64, links: &StoryLinks) -> Vec<(StoryId, StoryId)> {
        let (must_link, cannot_link) = (self.in_window(&links.must_link), self.in_window(&links.cannot_link));
        let similarities = linkable_similarities(self.candidates(), &self.census, model, threshold, &must_link);
        let weights = self.stories.iter().map(|story| story.weight).collect();
        let input = LinkageInput { weights, similarities, must_link, cannot_link };
        let groups = group(&input, threshold);
        let first = |first: u32| self.stories[first as usize].id;
        self.stories.iter().zip(groups).map(|(story, group)| (story.id, first(group))).collect()
    }

    /// Returns all pairs of stories that are compared, for training.
    pub fn compared_pairs(&self) -> Vec<ComparedPair> {
        let stories = |pair: [u32; 2]| pair.map(|position| self.stories[position as usize].id);
        let mut candidates = self.candidates();
        let mut pairs = Vec::new();
        for a in 0..self.stories.len() as u32 {
            for b in candidates.later_than(a) {
                pairs.push(ComparedPair { stories: stories([a, b]), features: self.features([a, b]) });
            }
        }
        pairs
    }

    pub(super) fn candidates(&self) -> CandidatePairs<'_> {
        CandidatePairs::new(&self.stories, &self.vectors)
    }

    /// Returns the probability that two stories belong to one storyline. Stories in different languages share few words,
    /// so a similar embedding is sufficient.
    fn probability(&self, pair @ [a, b]: [u32; 2], model: &TreeModel) -> f32 {
        let of_embeddings = self.vectors.cosine_across_languages(a, b).map_or(0.0, across_languages_probability);
        model.probability(&self.features(pair)).max(of_embeddings)
    }

    fn features(&self, pair: [u32; 2]) -> StoryPairFeatures {
        let [a, b] = pair.map(|position| &self.stories[position as usize]);
        pair_features([a, b], a.shared(b), &self.census)
    }

    /// Returns the highest cosine between the texts of a story and of another story, with long-term statistics; 0 if
    /// there is no other story.
    pub fn highest_similarity(&self, story: StoryId) -> f32 {
        let Some(own) = self.positions.get(&story).map(|position| &self.stories[*position]) else { return 0.0 };
        let others = self.stories.iter().filter(|other| other.id != story);
        let cosine = |other| own.shared(other).map(|[a, b]| a.long_term_weight * b.long_term_weight).sum::<f64>();
        others.map(cosine).fold(0.0, f64::max) as f32
    }

    /// Compares a story with at most [`MAX_COMPARED_STORIES`] other stories of its storyline.
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
                // A burst explains more than a term that is only rare, and a name explains more than another word.
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
}
