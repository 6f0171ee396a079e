//! The probabilities of pairs of stories that the linkage needs.
//!
//! The similarity of two groups is at most the probability of their best pair, so two groups merge only if at least one
//! pair exceeds the threshold. The pairs above the threshold therefore divide the stories into components, and only the
//! pairs within a component affect the groups. Most pairs share no burst and few terms of the window. The model shows
//! that such a pair is below the threshold regardless of its other features.

use super::candidate_pairs::CandidatePairs;
use super::pair_features::{FEATURE_NAMES, FIRST_BURST_FEATURE, pair_features};
use super::story_text::{StoryTerm, StoryText};
use super::story_vectors::across_languages_probability;
use super::term_census::TermCensus;
use super::tree_evaluator::TreeEvaluator;
use super::tree_model::{FeatureLimits, TreeModel, TreeNode};

/// The amount by which a probability, or log-odds, must be below the threshold, because sums are rounded.
const ROUNDING_MARGIN: f64 = 1e-3;

/// Returns the probabilities of pairs of stories in ascending order. Omits the pairs that have no effect on the
/// linkage with this threshold and these links.
pub(super) fn linkable_similarities(
    mut candidates: CandidatePairs<'_>,
    census: &TermCensus,
    model: &TreeModel,
    threshold: f64,
    must_link: &[[u32; 2]],
) -> Vec<([u32; 2], f32)> {
    let (stories, vectors) = (candidates.stories, candidates.vectors);
    let (all, mut shared) = (stories.len(), SharedTerms::new(stories, census.len()));
    let mut evaluator = TreeEvaluator::new(model);
    let mut probability = |pair @ [a, b]: [u32; 2], terms: &[[&StoryTerm; 2]]| {
        let of_embeddings = vectors.cosine_across_languages(a, b).map_or(0.0, across_languages_probability);
        let pair = pair.map(|position| &stories[position as usize]);
        evaluator.probability(&pair_features(pair, terms.iter().copied(), census)).max(of_embeddings)
    };
    let cosine_limit = window_cosine_limit(model, threshold);
    let mut components = Components { parents: (0..all as u32).collect() };
    must_link.iter().for_each(|pair| components.connect(*pair));
    for a in 0..all as u32 {
        for b in candidates.later_than(a) {
            let terms = shared.terms([a, b]);
            let may_exceed = terms.iter().any(|[term, _]| term.is_burst)
                || window_cosine(terms) > cosine_limit
                || vectors.cosine_across_languages(a, b).is_some();
            if may_exceed && f64::from(probability([a, b], terms)) > threshold - ROUNDING_MARGIN {
                components.connect([a, b]);
            }
        }
    }
    let components: Vec<u32> = (0..all as u32).map(|story| components.find(story)).collect();
    let mut sizes = vec![0; all];
    components.iter().for_each(|component| sizes[*component as usize] += 1);
    let mut similarities = Vec::new();
    for a in (0..all as u32).filter(|a| sizes[components[*a as usize] as usize] > 1) {
        for b in candidates.later_than(a) {
            if components[a as usize] == components[b as usize] {
                similarities.push(([a, b], probability([a, b], shared.terms([a, b]))));
            }
        }
    }
    similarities
}

/// Returns the maximum window cosine at which the probability of a pair without a shared burst is below the threshold.
fn window_cosine_limit(model: &TreeModel, threshold: f64) -> f64 {
    let window_cosine = FEATURE_NAMES.iter().position(|name| *name == "window cosine");
    let mut limits: FeatureLimits = Default::default();
    limits[FIRST_BURST_FEATURE..].fill(Some(0.0));
    let mut thresholds: Vec<f32> = Vec::new();
    for node in model.trees.iter().flatten() {
        if let TreeNode::Split { feature, threshold, .. } = node
            && Some(*feature) == window_cosine
        {
            thresholds.push(*threshold);
        }
    }
    let log_odds = libm::log(threshold / (1.0 - threshold));
    let is_below = |limit: &f32| {
        let mut limits = limits;
        window_cosine.iter().for_each(|feature| limits[*feature] = Some(*limit));
        f64::from(model.max_log_odds(&limits)) < log_odds - ROUNDING_MARGIN
    };
    thresholds.into_iter().filter(is_below).map(f64::from).fold(f64::NEG_INFINITY, f64::max)
}

fn window_cosine(shared: &[[&StoryTerm; 2]]) -> f64 {
    shared.iter().map(|[one, other]| one.window_weight * other.window_weight).sum()
}

/// The state for finding the terms that a story shares with each of several others.
struct SharedTerms<'a> {
    stories: &'a [StoryText],
    /// The story whose terms are in `positions`.
    story: Option<u32>,
    /// One more than the position of each term in the story, by term number; 0 for terms that the story does not
    /// contain.
    positions: Vec<u32>,
    found: Vec<[&'a StoryTerm; 2]>,
}

impl<'a> SharedTerms<'a> {
    fn new(stories: &'a [StoryText], terms: usize) -> SharedTerms<'a> {
        SharedTerms { stories, story: None, positions: vec![0; terms], found: Vec::new() }
    }

    /// Returns the terms that both stories contain, in order of term number.
    fn terms(&mut self, pair: [u32; 2]) -> &[[&'a StoryTerm; 2]] {
        let [one, other] = pair.map(|position| &self.stories[position as usize]);
        if self.story != Some(pair[0]) {
            let previous = self.story.replace(pair[0]).map(|story| &self.stories[story as usize]);
            for term in previous.iter().flat_map(|story| &story.terms) {
                self.positions[term.number.0 as usize] = 0;
            }
            for (position, term) in (1..).zip(&one.terms) {
                self.positions[term.number.0 as usize] = position;
            }
        }
        self.found.clear();
        for term in &other.terms {
            let position = self.positions[term.number.0 as usize];
            if position > 0 {
                self.found.push([&one.terms[position as usize - 1], term]);
            }
        }
        &self.found
    }
}

/// A union-find structure: the stories that are connected, directly or through others.
struct Components {
    parents: Vec<u32>,
}

impl Components {
    fn find(&mut self, mut story: u32) -> u32 {
        while self.parents[story as usize] != story {
            let parent = self.parents[story as usize];
            self.parents[story as usize] = self.parents[parent as usize];
            story = parent;
        }
        story
    }

    fn connect(&mut self, [a, b]: [u32; 2]) {
        let (a, b) = (self.find(a), self.find(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
}
