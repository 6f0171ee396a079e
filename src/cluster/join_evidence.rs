//! Collects the evidence for a join, as [`JoinReason`]s.

use super::clusterer::Clusterer;
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::pair_model::sigmoid;
use super::story_match::CopyMatch;
use super::term_index::TermId;
use crate::domain::{JoinEvidence, JoinReason};
use std::collections::BTreeSet;

/// The maximum number of shared terms that are listed.
const MAX_LISTED_TERMS: usize = 4;
/// The maximum number of a story's members that an item is compared with, the latest ones.
const MAX_COMPARED_MEMBERS: usize = 40;
/// Titles are compared letter by letter only above this cosine.
const MIN_TITLE_COSINE: f32 = 0.6;
/// Shorter titles are similar by chance.
const MIN_TITLE_CHARS: usize = 20;
/// The minimum Damerau–Levenshtein similarity of two titles that is reported, 0 to 1.
const MIN_TITLE_SIMILARITY: f64 = 0.9;

impl Clusterer {
    /// Why an item belongs with these members. `log_odds` is that of the link, or [`f32::MAX`] if a rule decided.
    pub(super) fn join_evidence(
        &self,
        seq: ItemSeq,
        members: &[ItemSeq],
        log_odds: f32,
        copy: Option<CopyMatch>,
    ) -> JoinEvidence {
        let Some(item) = self.window.get(seq) else { return JoinEvidence::default() };
        let latest = members.iter().rev().filter(|member| **member != seq).take(MAX_COMPARED_MEMBERS);
        let others: Vec<&IndexedItem> = latest.filter_map(|member| self.window.get(*member)).collect();
        let mut reasons = Vec::new();
        if let Some(CopyMatch { original, containment: similarity }) = copy
            && let Some(original) = self.window.get(original)
        {
            reasons.push(JoinReason::Copy { of: original.id, similarity });
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
        JoinEvidence { score: sigmoid(log_odds), needed: self.options.threshold, reasons }
    }

    /// The shared terms with the largest weights: the item's weight times the square root of the share of the others that
    /// contain the term.
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
        shared.iter().take(MAX_LISTED_TERMS).map(|(_, id)| self.surface_form(*id)).collect()
    }

    /// The numbers of the item's title that no other item contains, where another title has a different number after the same
    /// word.
    fn differing_numbers(&self, item: &IndexedItem, others: &[&IndexedItem]) -> Vec<String> {
        let numbers = item.title_numbers.iter().filter(|own| {
            let mut others_numbers = others.iter().flat_map(|other| other.title_numbers.iter());
            others_numbers.any(|number| number.word == own.word)
                && !others.iter().any(|other| other.contains(own.number))
        });
        numbers.map(|number| self.surface_form(number.number)).collect()
    }

    /// The nearest neighbor, if its title is nearly equal to the item's. Titles with numbers are not compared, because one
    /// digit makes a difference.
    fn similar_title(&self, item: &IndexedItem) -> Option<JoinReason> {
        let nearest = item.neighbors.first().filter(|nearest| nearest.cosine() > MIN_TITLE_COSINE)?;
        let other = self.window.get(nearest.seq)?;
        if item.title.chars().count() < MIN_TITLE_CHARS || !item.title_numbers.is_empty() {
            return None;
        }
        let similarity = strsim::normalized_damerau_levenshtein(&item.title, &other.title);
        (similarity >= MIN_TITLE_SIMILARITY)
            .then_some(JoinReason::SimilarTitle { with: other.id, similarity: similarity as f32 })
    }

    pub(super) fn surface_form(&self, term: TermId) -> String {
        self.window.term_index.surface_form(term).to_owned()
    }
}
