//! The grouper: keeps the terms of the items in the window, with their stories.

use super::item_terms::{Report, TermNumber, TermTable};
use super::outlet_weights::OutletWeights;
use super::story_text::StoryText;
use super::story_vectors::StoryVectors;
use super::term_census::TermCensus;
use super::term_statistics::{ALL_DOCUMENTS, LongTermStatistics};
use super::weighted_stories::WeightedStories;
use crate::cluster::headline_kind::HeadlineClassifier;
use crate::cluster::language::{LanguageRegistry, LanguageRules};
use crate::cluster::tokenizer::{StemCache, TokenizedText};
use crate::domain::{Item, ItemId, StoryId, StorylineMember, TermFrequency};
use indexmap::IndexSet;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The items that are compared. The grouper performs no I/O and reads no clock. The outcome of a pass depends only on
/// the items and their stories, so that a restart does not change the outcome.
#[derive(Default)]
pub struct StorylineGrouper {
    /// The items in order of their IDs.
    reports: BTreeMap<ItemId, Report>,
    terms: TermTable,
    outlets: IndexSet<String>,
    /// Subtags of languages, by number.
    language_names: Vec<String>,
    languages: LanguageRegistry,
    stems: StemCache,
    headlines: HeadlineClassifier,
    statistics: LongTermStatistics,
}

impl StorylineGrouper {
    /// Adds an item to its story.
    pub fn add(&mut self, item: &Item, story: StoryId) {
        let (language, text) = tokenized(item, &mut self.languages, &mut self.stems);
        // A roundup reports many events, so its terms must not relate its story to other stories.
        let terms = match self.headlines.classify(&text.normalized_title).roundup {
            true => Box::default(),
            false => self.terms.add(&text, language.capitals_mark_names),
        };
        let name = &language.subtag;
        let known = self.language_names.iter().position(|known| known == name);
        let language = known.unwrap_or_else(|| {
            self.language_names.push(name.clone());
            self.language_names.len() - 1
        });
        let report = Report {
            story,
            outlet: self.outlets.insert_full(item.outlet.clone()).0 as u32,
            language: language as u32,
            ranked_at: item.ranked_at.as_second(),
            terms,
            embedding: item.embedding.clone(),
        };
        if let Some(replaced) = self.reports.insert(item.id, report) {
            self.terms.remove(&replaced.terms);
        }
    }

    /// Removes an item; [`StorylineGrouper::retain`] then reports it as missing.
    pub fn remove(&mut self, item: ItemId) {
        if let Some(removed) = self.reports.remove(&item) {
            self.terms.remove(&removed.terms);
        }
    }

    /// Keeps only the items of these members, with their current stories. Returns the items that are missing, in order.
    /// [`StorylineGrouper::add`] adds missing items.
    pub fn retain(&mut self, members: &[StorylineMember]) -> Vec<ItemId> {
        let stories: BTreeMap<ItemId, StoryId> = members.iter().map(|member| (member.item, member.story)).collect();
        let terms = &mut self.terms;
        self.reports.retain(|item, report| match stories.get(item) {
            Some(story) => {
                report.story = *story;
                true
            }
            None => {
                terms.remove(&report.terms);
                false
            }
        });
        stories.into_keys().filter(|item| !self.reports.contains_key(item)).collect()
    }

    /// Sets the long-term frequencies that the installation has counted.
    pub fn set_statistics(&mut self, counted: Vec<TermFrequency>) {
        self.statistics = LongTermStatistics::new(counted);
    }

    /// Counts the documents that contain each term, by language.
    pub fn count_terms(&mut self, items: &[Item]) -> Vec<TermFrequency> {
        let mut counts: BTreeMap<(String, i64), f64> = BTreeMap::new();
        for item in items {
            let (language, text) = tokenized(item, &mut self.languages, &mut self.stems);
            let mut terms: Vec<i64> = text.terms().chain([ALL_DOCUMENTS]).map(|term| term.0 as i64).collect();
            terms.sort_unstable();
            terms.dedup();
            for term in terms {
                *counts.entry((language.subtag.clone(), term)).or_default() += 1.0;
            }
        }
        let frequency = |((language, term), documents)| TermFrequency { language, term, documents };
        counts.into_iter().map(frequency).collect()
    }

    /// Counts the terms of all items, and returns the stories with their terms, in order of their first items. Outlets
    /// with too many items have less weight.
    pub fn weigh(&self) -> WeightedStories {
        self.weigh_by(OutletWeights::new)
    }

    /// Does the same as [`StorylineGrouper::weigh`], but gives all items the same weight. In a few stories, an outlet's
    /// number of items does not show whether the outlet publishes too much.
    pub fn weigh_equally(&self) -> WeightedStories {
        self.weigh_by(OutletWeights::equal)
    }

    fn weigh_by(&self, weights: fn(&[&Report]) -> OutletWeights) -> WeightedStories {
        let reports: Vec<&Report> = self.reports.values().collect();
        let weights = weights(&reports);
        let census = TermCensus::new(&reports, &weights, &self.terms, &self.language_names, &self.statistics);
        let mut positions: FxHashMap<StoryId, usize> = FxHashMap::default();
        let mut members: Vec<(StoryId, Vec<&Report>)> = Vec::new();
        for report in reports {
            let position = *positions.entry(report.story).or_insert(members.len());
            if position == members.len() {
                members.push((report.story, Vec::new()));
            }
            members[position].1.push(report);
        }
        let stories = members.iter().map(|(id, reports)| StoryText::new(*id, reports, &weights, &census)).collect();
        let reports: Vec<Vec<&Report>> = members.into_iter().map(|(_, reports)| reports).collect();
        WeightedStories { stories, census, positions, vectors: StoryVectors::new(&reports, &weights) }
    }

    /// Returns the terms with these numbers as the text of an item spells them. Omits terms that the item does not
    /// contain.
    pub(super) fn spell(&mut self, item: &Item, terms: &[TermNumber]) -> Vec<(TermNumber, String)> {
        let (_, text) = tokenized(item, &mut self.languages, &mut self.stems);
        let tokens = [(true, &text.title), (false, &text.summary)];
        let tokens = tokens.iter().flat_map(|(in_title, tokens)| tokens.iter().map(move |token| (*in_title, token)));
        let spelling = |term: &TermNumber| {
            let hash = self.terms.get(*term).hash;
            let (in_title, token) = tokens.clone().find(|(_, token)| token.term == hash)?;
            Some((*term, text.surface_form(in_title, token).to_owned()))
        };
        terms.iter().filter_map(spelling).collect()
    }
}

/// Returns the terms of an item, and the rules of its language.
fn tokenized<'l>(
    item: &Item,
    languages: &'l mut LanguageRegistry,
    stems: &mut StemCache,
) -> (&'l LanguageRules, TokenizedText) {
    let language = languages.resolve(item.lang.as_deref());
    (language, TokenizedText::new(&item.title, &item.grouping_text(), language, stems))
}
