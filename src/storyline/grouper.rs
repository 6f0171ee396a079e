//! The grouper: keeps the items of the window with their stories, and groups the stories into storylines.

use super::average_linkage::{LinkageInput, group};
use super::options::{MAX_TERM_STORIES, MIN_COSINE};
use super::pair_features::{StoryPairFeatures, pair_features};
use super::report::{Report, TermTable};
use super::story_text::StoryText;
use super::term_census::TermCensus;
use super::tree_model::TreeModel;
use crate::cluster::language::LanguageRegistry;
use crate::cluster::tokenizer::{StemCache, TokenizedText};
use crate::domain::{Item, ItemId, StoryId};
use indexmap::IndexSet;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Groups stories into storylines. It performs no I/O and reads no clock. The outcome of a pass depends only on the items
/// and their stories, so that a restart changes nothing.
#[derive(Default)]
pub struct StorylineGrouper {
    /// In order of their ids.
    reports: BTreeMap<ItemId, Report>,
    terms: TermTable,
    outlets: IndexSet<String>,
    /// Subtags of languages, by number.
    language_names: Vec<String>,
    languages: LanguageRegistry,
    stems: StemCache,
}

/// A pair of stories that was compared.
pub struct ComparedPair {
    pub stories: [StoryId; 2],
    pub features: StoryPairFeatures,
}

impl StorylineGrouper {
    /// Adds an item to its story.
    pub fn add(&mut self, item: &Item, story: StoryId) {
        let language = self.languages.resolve(item.lang.as_deref());
        let text = TokenizedText::new(&item.title, &item.grouping_text(), language, &mut self.stems);
        let terms = self.terms.add(&text, language.capitals_mark_names);
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
        };
        if let Some(replaced) = self.reports.insert(item.id, report) {
            self.terms.remove(&replaced.terms);
        }
    }

    /// Moves an item to another story.
    pub fn move_item(&mut self, item: ItemId, story: StoryId) {
        if let Some(report) = self.reports.get_mut(&item) {
            report.story = story;
        }
    }

    /// Groups all stories. Two groups merge if the mean probability of their pairs exceeds `threshold`. Returns each story
    /// with the first story of its group, in order of their first items.
    pub fn group(&self, model: &TreeModel, threshold: f64) -> Vec<(StoryId, StoryId)> {
        let (stories, census) = self.stories();
        let pairs = compared_pairs(&stories, &census);
        let similarities = pairs.map(|(pair, features)| (pair, model.probability(&features))).collect();
        let input = LinkageInput { nodes: stories.len(), similarities, ..LinkageInput::default() };
        let groups = group(&input, threshold);
        stories.iter().zip(groups).map(|(story, first)| (story.id, stories[first as usize].id)).collect()
    }

    /// Returns all pairs of stories that are compared, for training.
    pub fn compared_pairs(&self) -> Vec<ComparedPair> {
        let (stories, census) = self.stories();
        compared_pairs(&stories, &census)
            .map(|([a, b], features)| ComparedPair {
                stories: [stories[a as usize].id, stories[b as usize].id],
                features,
            })
            .collect()
    }

    /// Returns the stories of the window in order of their first items, and the counts of their terms.
    fn stories(&self) -> (Vec<StoryText>, TermCensus) {
        let reports: Vec<&Report> = self.reports.values().collect();
        let census = TermCensus::new(&reports, &self.terms, &self.language_names);
        let mut positions: FxHashMap<StoryId, usize> = FxHashMap::default();
        let mut members: Vec<(StoryId, Vec<&Report>)> = Vec::new();
        for report in reports {
            let position = *positions.entry(report.story).or_insert(members.len());
            if position == members.len() {
                members.push((report.story, Vec::new()));
            }
            members[position].1.push(report);
        }
        let stories = members.iter().map(|(id, reports)| StoryText::new(*id, reports, &census)).collect();
        (stories, census)
    }
}

/// The pairs of stories that share enough, in ascending order, with their features.
fn compared_pairs<'a>(
    stories: &'a [StoryText],
    census: &'a TermCensus,
) -> impl Iterator<Item = ([u32; 2], StoryPairFeatures)> + 'a {
    let mut postings: FxHashMap<u32, Vec<(u32, f64)>> = FxHashMap::default();
    for (position, story) in stories.iter().enumerate() {
        for term in &story.terms {
            postings.entry(term.number.0).or_default().push((position as u32, term.long_term_weight));
        }
    }
    postings.retain(|_, posting| posting.len() > 1 && posting.len() <= MAX_TERM_STORIES);
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
        candidates.sort_unstable();
        let pair = move |b: u32| ([a, b], pair_features(&stories[a as usize], &stories[b as usize], census));
        candidates.into_iter().map(pair).collect::<Vec<_>>()
    })
}
