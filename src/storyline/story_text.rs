//! The text of a story: the terms of its items, weighted by the long-term and by the window's document frequencies.

use super::item_terms::{Report, ReportTerm, TermNumber};
use super::outlet_weights::OutletWeights;
use super::term_census::TermCensus;
use crate::domain::StoryId;

/// A story in the window.
pub(super) struct StoryText {
    pub id: StoryId,
    /// The terms in order of term number.
    pub terms: Vec<StoryTerm>,
    /// The logarithm of the weighted number of the story's items in the window, at least 0.
    pub log_items: f64,
    /// The highest weight of these items.
    pub weight: f64,
    /// The mean time of these items, in seconds since 1970.
    pub time: f64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct StoryTerm {
    pub number: TermNumber,
    /// Components of unit vectors, by long-term and by window statistics.
    pub long_term_weight: f64,
    pub window_weight: f64,
    pub in_title: bool,
    pub is_name: bool,
    pub is_burst: bool,
}

/// The minimum weight of a report that contributes to the text of its story, relative to the highest weight of its
/// reports.
const MIN_RELATIVE_WEIGHT: f64 = 0.5;

/// Returns the reports that contribute to the text of their story. An outlet that repeats the headlines of other
/// outlets must not determine the text.
pub(super) fn contributing<'a>(reports: &[&'a Report], weights: &OutletWeights) -> Vec<&'a Report> {
    let min = MIN_RELATIVE_WEIGHT * highest_weight(reports, weights);
    reports.iter().filter(|report| weights.get(report) >= min).copied().collect()
}

fn highest_weight(reports: &[&Report], weights: &OutletWeights) -> f64 {
    reports.iter().map(|report| weights.get(report)).fold(0.0, f64::max)
}

impl StoryText {
    /// Creates the text of a story. `reports` are the story's items in the window, at least one.
    pub(super) fn new(id: StoryId, reports: &[&Report], weights: &OutletWeights, census: &TermCensus) -> StoryText {
        let weight = highest_weight(reports, weights);
        let reports = contributing(reports, weights);
        let items: f64 = reports.iter().map(|report| weights.get(report)).sum();
        let terms_of = |report: &&Report| {
            let weight = weights.get(report);
            report.terms.iter().map(move |term| (*term, weight)).collect::<Vec<_>>()
        };
        let mut occurrences: Vec<(ReportTerm, f64)> = reports.iter().flat_map(terms_of).collect();
        occurrences.sort_unstable_by_key(|(term, weight)| (*term, weight.to_bits()));
        let mut terms: Vec<StoryTerm> = Vec::with_capacity(occurrences.len());
        for same_term in occurrences.chunk_by(|(a, _), (b, _)| a.number == b.number) {
            let count = same_term.iter().map(|(term, weight)| if term.in_title { *weight } else { 0.5 * weight });
            let number = same_term[0].0.number;
            let (tf, facts) = ((count.sum::<f64>() / items).sqrt(), census.get(number));
            terms.push(StoryTerm {
                number,
                long_term_weight: tf * facts.long_term_idf,
                window_weight: tf * facts.window_idf,
                in_title: same_term.iter().any(|(term, _)| term.in_title),
                is_name: facts.is_name,
                is_burst: facts.burst.is_some(),
            });
        }
        let norm = |weight: fn(&StoryTerm) -> f64| {
            terms.iter().map(|term| weight(term) * weight(term)).sum::<f64>().sqrt().max(1e-6)
        };
        let (long_term, window) = (norm(|term| term.long_term_weight), norm(|term| term.window_weight));
        for term in &mut terms {
            term.long_term_weight /= long_term;
            term.window_weight /= window;
        }
        let time = reports.iter().map(|report| weights.get(report) * report.ranked_at as f64).sum::<f64>() / items;
        StoryText { id, terms, log_items: libm::log(items.max(1.0)), weight, time }
    }

    /// Returns the terms that two stories share.
    pub(super) fn shared<'a>(&'a self, other: &'a StoryText) -> impl Iterator<Item = [&'a StoryTerm; 2]> {
        let mut others = other.terms.iter().peekable();
        self.terms.iter().filter_map(move |term| {
            while others.next_if(|candidate| candidate.number < term.number).is_some() {}
            others.next_if(|candidate| candidate.number == term.number).map(|candidate| [term, candidate])
        })
    }
}
