//! Counts the terms of the window. Determines which terms are rare in the long term, which terms burst now, and how
//! much the items that contain them have in common.

use super::item_terms::{Report, TermNumber, TermTable};
use super::options::{
    FULL_BURST_OUTLETS, FULL_DOMINANCE_COHESION, FULL_DOMINANCE_OUTLETS, FULL_DOMINANCE_RATE, MIN_BURST_OUTLETS,
    MIN_BURST_RATIO, REFERENCE_DOCUMENTS,
};
use super::outlet_weights::OutletWeights;
use super::term_statistics::LongTermStatistics;
use crate::cluster::tokenizer::TermHash;

/// The facts about each term, by term number.
pub(super) struct TermCensus {
    terms: Vec<TermFacts>,
    pub items: f64,
    pub outlets: f64,
}

/// The facts about a term.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TermFacts {
    /// The inverse document frequency in the long term.
    pub long_term_idf: f64,
    /// The inverse document frequency in the window.
    pub window_idf: f64,
    /// The weighted number of items in the window that contain the term.
    pub items: f64,
    /// The weighted number of outlets in the window that use the term.
    pub outlets: f64,
    /// Whether most items capitalize the term where other words are not capitalized.
    pub is_name: bool,
    /// The ratio of the term's rate in the window to its long-term rate.
    pub rate: f64,
    pub burst: Option<Burst>,
}

/// A term that occurs far more often than in the long term, at several outlets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burst {
    /// The logarithm of the rate, reduced if few outlets use the term.
    pub strength: f64,
    /// The mean cosine of the items that contain the term, computed without the term. It is near 0 if the items share
    /// only a topic.
    pub cohesion: f64,
    /// Cohesion times the share of outlets.
    pub spread: f64,
    /// The logarithm of the rate, at most that of [`FULL_DOMINANCE_RATE`], reduced if few outlets use the term or if
    /// the items that contain it have little in common.
    pub dominance: f64,
}

/// The reports in which terms are counted.
struct CountedReports<'a> {
    reports: &'a [&'a Report],
    weights: &'a OutletWeights,
    languages: &'a [String],
    statistics: &'a LongTermStatistics,
    /// The weighted number of reports in each language.
    by_language: Vec<f64>,
    /// The weighted number of all reports.
    items: f64,
}

impl TermCensus {
    /// Counts the terms of the reports.
    pub(super) fn new(
        reports: &[&Report],
        weights: &OutletWeights,
        table: &TermTable,
        languages: &[String],
        statistics: &LongTermStatistics,
    ) -> Self {
        let mut postings: Vec<Vec<u32>> = vec![Vec::new(); table.len()];
        let mut by_language = vec![0.0; languages.len()];
        for (position, report) in reports.iter().enumerate() {
            by_language[report.language as usize] += weights.get(report);
            for term in &report.terms {
                postings[term.number.0 as usize].push(position as u32);
            }
        }
        let items = reports.iter().map(|report| weights.get(report)).sum();
        let counted = CountedReports { reports, weights, languages, statistics, by_language, items };
        let outlets = weights.outlets(reports.iter().copied());
        let mut census = TermCensus { terms: vec![TermFacts::default(); table.len()], items, outlets };
        for (number, posting) in postings.iter().enumerate().filter(|(_, posting)| !posting.is_empty()) {
            let term = TermNumber(number as u32);
            census.terms[number] = counted.facts(term, table.get(term).hash, posting);
        }
        census.measure_cohesion(&postings, reports, weights, table);
        census
    }

    /// Returns one more than the largest term number.
    pub(super) fn len(&self) -> usize {
        self.terms.len()
    }

    pub(super) fn get(&self, term: TermNumber) -> &TermFacts {
        &self.terms[term.0 as usize]
    }

    /// Finds the bursts. Adds the weighted unit vectors of the items of each burst. The squared length of the sum
    /// equals the sum of the squared weights plus the weighted sum of the cosines of all pairs.
    fn measure_cohesion(
        &mut self,
        postings: &[Vec<u32>],
        reports: &[&Report],
        weights: &OutletWeights,
        table: &TermTable,
    ) {
        let mut sum = vec![0.0; postings.len()];
        let mut touched: Vec<u32> = Vec::new();
        for (number, posting) in postings.iter().enumerate() {
            let facts = self.terms[number];
            if facts.outlets < MIN_BURST_OUTLETS || facts.rate <= MIN_BURST_RATIO {
                continue;
            }
            // Numbers are not bursts, because otherwise the number of each new year would be a burst.
            if table.get(TermNumber(number as u32)).is_number {
                continue;
            }
            let (mut items, mut squares) = (0.0, 0.0);
            for position in posting {
                let report = reports[*position as usize];
                let (terms, own) = (&report.terms, weights.get(report));
                let weight = |term: &super::item_terms::ReportTerm| {
                    let weight =
                        if term.in_title { 1.0 } else { 0.6 } * self.terms[term.number.0 as usize].long_term_idf;
                    if term.number.0 as usize == number { 0.0 } else { weight }
                };
                let norm = terms.iter().map(|term| weight(term) * weight(term)).sum::<f64>().sqrt();
                if norm < 1e-3 {
                    continue;
                }
                items += own;
                squares += own * own;
                for term in terms {
                    let cell = &mut sum[term.number.0 as usize];
                    if *cell == 0.0 {
                        touched.push(term.number.0);
                    }
                    *cell += own * weight(term) / norm;
                }
            }
            let square: f64 = touched.iter().map(|term| sum[*term as usize] * sum[*term as usize]).sum();
            touched.drain(..).for_each(|term| sum[term as usize] = 0.0);
            // The weights of all pairs of two different items.
            let pairs = items * items - squares;
            let cohesion = if pairs > 0.0 { (square - squares) / pairs } else { 0.0 };
            let outlets = facts.outlets;
            self.terms[number].burst = Some(Burst {
                strength: libm::log(facts.rate) * (outlets / FULL_BURST_OUTLETS).min(1.0),
                cohesion,
                spread: cohesion * outlets / self.outlets,
                dominance: libm::log(facts.rate.min(FULL_DOMINANCE_RATE))
                    * (outlets / self.outlets / FULL_DOMINANCE_OUTLETS).min(1.0)
                    * (cohesion / FULL_DOMINANCE_COHESION).clamp(0.0, 1.0),
            });
        }
    }
}

impl CountedReports<'_> {
    /// Returns the facts about a term that the reports at these positions contain.
    fn facts(&self, term: TermNumber, hash: TermHash, posting: &[u32]) -> TermFacts {
        let reports = || posting.iter().map(|position| self.reports[*position as usize]);
        let mut in_language = vec![0.0; self.languages.len()];
        let mut capitalized = 0.0;
        for report in reports() {
            let weight = self.weights.get(report);
            in_language[report.language as usize] += weight;
            let own = report.terms.binary_search_by_key(&term, |own| own.number);
            capitalized += match own.ok().and_then(|own| report.terms[own].is_capitalized) {
                Some(true) => weight,
                Some(false) => -weight,
                None => 0.0,
            };
        }
        let items: f64 = reports().map(|report| self.weights.get(report)).sum();
        let (mut expected, mut mean_frequency) = (0.0, 0.0);
        for (language, count) in in_language.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let frequency = self.statistics.frequency(&self.languages[language], hash);
            expected += frequency * self.by_language[language];
            mean_frequency += frequency * count / items;
        }
        let floor = 0.5 / REFERENCE_DOCUMENTS * self.items;
        TermFacts {
            long_term_idf: libm::log((REFERENCE_DOCUMENTS + 1.0) / (REFERENCE_DOCUMENTS * mean_frequency + 1.0)),
            window_idf: libm::log((self.items + 1.0) / (items + 0.5)),
            items,
            outlets: self.weights.outlets(reports()),
            is_name: capitalized > 0.0,
            rate: items / (expected + floor).max(0.5),
            burst: None,
        }
    }
}
