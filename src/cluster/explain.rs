//! Explains why two items were or were not grouped.

use super::clusterer::Clusterer;
use super::constraints::forbids_merge;
use super::indexed_item::IndexedItem;
use super::neighbor::{LocalDensity, NeighborProfile};
use super::numbered_series::is_numbered_series;
use super::pair_features::{BloomPrefilter, FEATURE_NAMES, ItemPair};
use super::pair_model::sigmoid;
use super::weighted_term::WeightedTerm;
use crate::domain::ItemId;
use serde::Serialize;
use std::fmt;

/// The maximum number of terms in each list.
const MAX_LISTED_TERMS: usize = 6;
/// Features with a smaller contribution, in log-odds, are not listed.
const MIN_CONTRIBUTION: f32 = 0.05;

/// How the clusterer scores a pair of items, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairExplanation {
    /// The probability that both items report one event, 0 to 1. A story may still contain both through other items.
    pub score: f32,
    /// The score from which an item joins a story.
    pub threshold: f32,
    /// The shared terms, those with the highest IDF first.
    pub shared_terms: Vec<String>,
    /// The terms of each title that the other item does not contain, those with the highest IDF first.
    pub only_in_first: Vec<String>,
    pub only_in_second: Vec<String>,
    /// The largest contribution first.
    pub contributions: Vec<FeatureContribution>,
    /// A rule that separates the items, regardless of the score.
    pub rule: Option<SeparationRule>,
    pub hours_apart: f32,
}

/// What a feature adds to the log-odds, relative to the mean pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FeatureContribution {
    pub feature: &'static str,
    pub log_odds: f32,
}

/// A rule by which two items never share a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeparationRule {
    /// A cannot-link constraint of the operator.
    Operator,
    NumberedSeries,
}

impl fmt::Display for SeparationRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SeparationRule::Operator => "the operator separated them",
            SeparationRule::NumberedSeries => "they belong to a numbered series: only their numbers differ",
        })
    }
}

impl Clusterer {
    /// Explains a pair of items. Returns `None` if one of them is not in the window.
    pub fn explain(&self, first: ItemId, second: ItemId) -> Option<PairExplanation> {
        let a = self.window.get(self.window.seq_of(first)?)?;
        let b = self.window.get(self.window.seq_of(second)?)?;
        let mut shared_terms = Vec::new();
        let cosine = BloomPrefilter::new(&a.terms).cosine(&b.terms, &mut shared_terms);
        let pair = ItemPair {
            items: [a, b],
            cosine,
            shared_terms: &shared_terms,
            shared_neighbor_similarity: NeighborProfile::new(&a.neighbors).similarity(&b.neighbors),
            densities: [LocalDensity::new(&a.neighbors), LocalDensity::new(&b.neighbors)],
        };
        let features = pair.features();
        let contributions = FEATURE_NAMES.into_iter().zip(self.model.contributions(&features));
        let mut contributions: Vec<FeatureContribution> = contributions
            .map(|(feature, log_odds)| FeatureContribution { feature, log_odds })
            .filter(|contribution| contribution.log_odds.abs() >= MIN_CONTRIBUTION)
            .collect();
        contributions.sort_by(|x, y| y.log_odds.abs().total_cmp(&x.log_odds.abs()));
        Some(PairExplanation {
            score: sigmoid(self.model.log_odds(&features)),
            threshold: self.options.threshold,
            shared_terms: self.rarest_terms(a, |term| b.contains(term.id)),
            only_in_first: self.rarest_terms(a, |term| term.in_title() && !b.contains(term.id)),
            only_in_second: self.rarest_terms(b, |term| term.in_title() && !a.contains(term.id)),
            contributions,
            rule: self.separation_rule(a, b),
            hours_apart: (a.ranked_at - b.ranked_at).unsigned_abs() as f32 / 3600.0,
        })
    }

    fn separation_rule(&self, a: &IndexedItem, b: &IndexedItem) -> Option<SeparationRule> {
        if forbids_merge(self.window.constraints(a.id), self.window.constraints(b.id)) {
            Some(SeparationRule::Operator)
        } else {
            is_numbered_series(a, b).then_some(SeparationRule::NumberedSeries)
        }
    }

    fn rarest_terms(&self, item: &IndexedItem, filter: impl Fn(&WeightedTerm) -> bool) -> Vec<String> {
        let mut terms: Vec<&WeightedTerm> = item.terms.iter().filter(|term| filter(term)).collect();
        terms.sort_by(|x, y| y.idf.cmp(&x.idf).then(x.id.cmp(&y.id)));
        terms.iter().take(MAX_LISTED_TERMS).map(|term| self.surface_form(term.id)).collect()
    }
}
