//! Explains why an item joined its story, and why two items were grouped or separated.

use super::clusterer::Clusterer;
use super::encoder_model::ENCODER_INPUT_NAMES;
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::neighbor::{LocalDensity, NeighborProfile};
use super::pair_features::{BloomPrefilter, FEATURE_NAMES, ItemPair};
use super::pair_model::sigmoid;
use super::rules::{GroupingRule, IgnoredLink};
use super::story_match::CopyMatch;
use super::term_index::TermId;
use super::term_weights::WeightedTerm;
use crate::domain::{ItemId, JoinEvidence, JoinReason};
use serde::Serialize;
use std::collections::BTreeSet;

/// The maximum number of terms in each list of a [`PairExplanation`].
const MAX_LISTED_TERMS: usize = 6;
/// The maximum number of shared terms in the evidence of a join.
const MAX_EVIDENCE_TERMS: usize = 4;
/// The maximum number of story members with which an item is compared. The latest members are used.
const MAX_COMPARED_MEMBERS: usize = 40;
/// The minimum cosine of two items whose titles are compared letter by letter.
const MIN_TITLE_COSINE: f32 = 0.6;
/// The minimum length of a compared title. Shorter titles may be similar by chance.
const MIN_TITLE_CHARS: usize = 20;
/// The minimum reported Damerau–Levenshtein similarity of two titles, 0 to 1.
const MIN_TITLE_SIMILARITY: f64 = 0.9;
/// The minimum contribution of a listed feature, in log-odds.
const MIN_CONTRIBUTION: f32 = 0.05;

/// The clusterer's score of a pair of items, and its explanation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairExplanation {
    /// The probability that both items report one event, 0 to 1. Other items may still link the two items to the same
    /// story.
    pub score: f32,
    /// The minimum score at which an item joins a story.
    pub threshold: f32,
    /// The shared terms, sorted by descending IDF.
    pub shared_terms: Vec<String>,
    /// The terms of each item's title that the other item does not contain, sorted by descending IDF.
    pub only_in_first: Vec<String>,
    pub only_in_second: Vec<String>,
    /// The contributions of the features, the largest absolute value first.
    pub contributions: Vec<FeatureContribution>,
    /// The rule that joins or separates the items regardless of the score.
    pub rule: Option<GroupingRule>,
    /// Why the items are not joined even though their links are equal.
    pub ignored_link: Option<IgnoredLink>,
    pub hours_apart: f32,
}

/// The contribution of a feature to the log-odds, relative to the average pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FeatureContribution {
    pub feature: &'static str,
    pub log_odds: f32,
}

impl Clusterer {
    /// Explains why an item belongs to the story with these members. `log_odds` is [`f32::MAX`] if a rule joins them.
    pub(super) fn join_evidence(
        &self,
        seq: ItemSeq,
        members: &[ItemSeq],
        log_odds: f32,
        copy: Option<CopyMatch>,
    ) -> JoinEvidence {
        let item = &self.window[seq];
        let latest = members.iter().rev().filter(|member| **member != seq).take(MAX_COMPARED_MEMBERS);
        let others: Vec<&IndexedItem> = latest.map(|member| &self.window[*member]).collect();
        let mut reasons = Vec::new();
        let same_link = others.iter().rev().find(|other| self.window.have_same_link(item, other));
        reasons.extend(same_link.map(|other| JoinReason::SameLink { item: other.id }));
        if let Some(CopyMatch { original, containment }) = copy {
            reasons.push(JoinReason::Copy { item: self.window[original].id, similarity: containment });
        }
        reasons.extend(self.similar_title(item));
        let terms = self.shared_terms(item, &others);
        if !terms.is_empty() {
            reasons.push(JoinReason::SharedTerms { terms });
        }
        let numbers = self.differing_numbers(item, &others);
        if !numbers.is_empty() {
            reasons.push(JoinReason::DifferentNumbers { numbers });
        }
        let outlets: BTreeSet<_> = others.iter().map(|other| other.outlet).collect();
        let seconds = others.iter().map(|other| (other.ranked_at - item.ranked_at).unsigned_abs()).max().unwrap_or(0);
        reasons.push(JoinReason::StorySize { outlets: outlets.len() as u32, hours: (seconds / 3600) as u32 + 1 });
        JoinEvidence { score: sigmoid(log_odds), threshold: self.options.threshold, reasons }
    }

    /// Returns the shared terms with the largest weights: a term's weight in the item, multiplied by the square root of
    /// the share of other items that contain the term.
    fn shared_terms(&self, item: &IndexedItem, others: &[&IndexedItem]) -> Vec<String> {
        let mut shared: Vec<(f32, TermId)> = Vec::new();
        for term in &item.terms {
            let containing = others.iter().filter(|other| other.contains(term.id)).count();
            if containing > 0 {
                let share = containing as f32 / others.len() as f32;
                shared.push((term.weight() * share.sqrt(), term.id));
            }
        }
        shared.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        shared.iter().take(MAX_EVIDENCE_TERMS).map(|(_, id)| self.surface_form(*id)).collect()
    }

    /// Returns the numbers of the item's title that no other item contains, if another title has a different number
    /// after the same word.
    fn differing_numbers(&self, item: &IndexedItem, others: &[&IndexedItem]) -> Vec<String> {
        let numbers = item.title_numbers.iter().filter(|own| {
            let mut others_numbers = others.iter().flat_map(|other| other.title_numbers.iter());
            others_numbers.any(|number| number.word == own.word)
                && !others.iter().any(|other| other.contains(own.number))
        });
        numbers.map(|number| self.surface_form(number.number)).collect()
    }

    /// Returns the nearest neighbor if its title is nearly equal to the item's title. Titles with numbers are skipped,
    /// because a single digit is significant.
    fn similar_title(&self, item: &IndexedItem) -> Option<JoinReason> {
        let nearest = item.neighbors.first().filter(|nearest| nearest.cosine() > MIN_TITLE_COSINE)?;
        let other = self.window.get(nearest.seq)?;
        if item.title.chars().count() < MIN_TITLE_CHARS || !item.title_numbers.is_empty() {
            return None;
        }
        let similarity = strsim::normalized_damerau_levenshtein(&item.title, &other.title);
        (similarity >= MIN_TITLE_SIMILARITY)
            .then_some(JoinReason::SimilarTitle { item: other.id, similarity: similarity as f32 })
    }

    fn surface_form(&self, term: TermId) -> String {
        self.window.term_index.surface_form(term).to_owned()
    }

    /// Explains a pair of items. Returns `None` if one of the items is not in the window.
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
        let lexical = self.model.log_odds(&features);
        let query = self.window.embedding_query(self.window.seq_of(first)?);
        let similarity = query.and_then(|query| query.similarity(self.window.seq_of(second)?));
        let log_odds = similarity.map_or(lexical, |similarity| self.encoder_model.log_odds(lexical, &similarity));
        let contributions = FEATURE_NAMES.into_iter().zip(self.model.contributions(&features));
        let contributions = contributions.chain([(ENCODER_INPUT_NAMES[1], log_odds - lexical)]);
        let mut contributions: Vec<FeatureContribution> = contributions
            .map(|(feature, log_odds)| FeatureContribution { feature, log_odds })
            .filter(|contribution| contribution.log_odds.abs() >= MIN_CONTRIBUTION)
            .collect();
        contributions.sort_by(|x, y| y.log_odds.abs().total_cmp(&x.log_odds.abs()));
        Some(PairExplanation {
            score: sigmoid(log_odds),
            threshold: self.options.threshold,
            shared_terms: self.rarest_terms(a, |term| b.contains(term.id)),
            only_in_first: self.rarest_terms(a, |term| term.in_title() && !b.contains(term.id)),
            only_in_second: self.rarest_terms(b, |term| term.in_title() && !a.contains(term.id)),
            contributions,
            rule: self.window.rule(a, b),
            ignored_link: self.window.ignored_link(a, b),
            hours_apart: (a.ranked_at - b.ranked_at).unsigned_abs() as f32 / 3600.0,
        })
    }

    fn rarest_terms(&self, item: &IndexedItem, filter: impl Fn(&WeightedTerm) -> bool) -> Vec<String> {
        let mut terms: Vec<&WeightedTerm> = item.terms.iter().filter(|term| filter(term)).collect();
        terms.sort_by(|x, y| y.idf.cmp(&x.idf).then(x.id.cmp(&y.id)));
        terms.iter().take(MAX_LISTED_TERMS).map(|term| self.surface_form(term.id)).collect()
    }
}
