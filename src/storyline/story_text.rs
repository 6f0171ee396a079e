//! The text of a story: the terms of its items, weighted by the long-term and by the window's document frequencies.

use super::report::{Report, TermNumber};
use super::term_census::TermCensus;
use crate::domain::StoryId;

/// A story in the window.
pub(super) struct StoryText {
    pub id: StoryId,
    /// The terms in order of term number.
    pub terms: Vec<StoryTerm>,
    /// The number of the story's items in the window.
    pub items: usize,
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
}

impl StoryText {
    /// Creates the text of a story. `reports` are the story's items in the window, at least one.
    pub(super) fn new(id: StoryId, reports: &[&Report], census: &TermCensus) -> StoryText {
        let items = reports.len() as f64;
        let mut occurrences: Vec<_> = reports.iter().flat_map(|report| report.terms.iter().copied()).collect();
        occurrences.sort_unstable();
        let mut terms: Vec<StoryTerm> = Vec::with_capacity(occurrences.len());
        for same_term in occurrences.chunk_by(|a, b| a.number == b.number) {
            let count: f64 = same_term.iter().map(|term| if term.in_title { 1.0 } else { 0.5 }).sum();
            let (tf, facts) = ((count / items).sqrt(), census.get(same_term[0].number));
            terms.push(StoryTerm {
                number: same_term[0].number,
                long_term_weight: tf * facts.long_term_idf,
                window_weight: tf * facts.window_idf,
                in_title: same_term.iter().any(|term| term.in_title),
                is_name: facts.is_name,
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
        let time = reports.iter().map(|report| report.ranked_at as f64).sum::<f64>() / items;
        StoryText { id, terms, items: reports.len(), time }
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
