//! The clusterer: assigns each item that arrives to a story. It performs no I/O and reads no clock.

use super::candidates::{NeighborSearch, add_postings};
use super::constraints::Constraint;
use super::headline_kind::HeadlineClassifier;
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::language::LanguageRegistry;
use super::linkage::Linkage;
use super::near_duplicates::ShingleSketch;
use super::neighbor::NeighborList;
use super::neighbor_scoring::score_neighbors;
use super::options::Options;
use super::pair_features::PairFeatures;
use super::pair_model::PairModel;
use super::term_weights::TermVector;
use super::tokenizer::{StemCache, TermHash, TokenizedText};
use super::weighted_term::TermAggregates;
use super::window::{ItemWindow, UNASSIGNED};
use crate::domain::{ConstraintKind, GroupingConstraint, Item, ItemId, StoryAssignment, StoryId, StoryPlacement};
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

/// Assigns items to stories. Keeps what it needs of the items of the last days in memory.
pub struct Clusterer {
    pub(super) options: Options,
    pub(super) linkage: Linkage,
    pub(super) model: PairModel,
    pub(super) window: ItemWindow,
    languages: LanguageRegistry,
    stems: StemCache,
    headlines: HeadlineClassifier,
    search: NeighborSearch,
    /// The items that the next reclustering pass starts from.
    pub(super) changed: Vec<ItemSeq>,
    /// The number of documents when all items were last scored again.
    pub(super) documents_at_rescore: usize,
    recorded_pairs: Option<Vec<TrainingPair>>,
}

/// A scored pair, for training.
#[derive(Debug, Clone, Copy)]
pub struct TrainingPair {
    /// In ascending order.
    pub items: [ItemId; 2],
    pub features: PairFeatures,
}

impl Clusterer {
    pub fn new(options: Options) -> Self {
        let linkage = Linkage::new(&options);
        Clusterer::with_model(options, PairModel::learned(), linkage)
    }

    /// A clusterer with another pair model and linkage, for training.
    pub fn with_model(options: Options, model: PairModel, linkage: Linkage) -> Self {
        Clusterer {
            options,
            linkage,
            model,
            window: ItemWindow::default(),
            languages: LanguageRegistry::default(),
            stems: StemCache::default(),
            headlines: HeadlineClassifier::default(),
            search: NeighborSearch::default(),
            changed: Vec::new(),
            documents_at_rescore: 0,
            recorded_pairs: None,
        }
    }

    /// Records every pair that is scored from now on, for [`Clusterer::take_recorded_pairs`].
    pub fn record_pairs(&mut self) {
        self.recorded_pairs = Some(Vec::new());
    }

    /// Returns the recorded pairs in the order of their scoring, and stops recording.
    pub fn take_recorded_pairs(&mut self) -> Vec<TrainingPair> {
        self.recorded_pairs.take().unwrap_or_default()
    }

    /// The number of items in the window.
    pub fn active_items(&self) -> usize {
        self.window.len()
    }

    /// Adds an item that was assigned before, after a restart. Items must be restored in order of their ids.
    pub fn restore(&mut self, item: &Item, story: StoryId, copy_of: Option<ItemId>) {
        let seq = self.add_item(item);
        self.set_story(seq, story, copy_of);
    }

    /// Assigns an item to a story and adds it to the window. Items must arrive in order of their ids.
    ///
    /// `mint` creates the id of a new story. Its argument reports whether the clusterer already knows an id.
    pub fn assign(&mut self, item: &Item, mint: impl FnOnce(&dyn Fn(StoryId) -> bool) -> StoryId) -> StoryAssignment {
        let seq = self.add_item(item);
        let found = self.match_story(seq);
        let (story, placement) = match found.story {
            Some(story) => (story, StoryPlacement::Joined),
            None => (mint(&|id| self.window.contains_story(id)), StoryPlacement::Created),
        };
        self.set_story(seq, story, found.copy_of);
        StoryAssignment { item: item.id, story, placement, copy_of: found.copy_of, evidence: found.evidence }
    }

    fn set_story(&mut self, seq: ItemSeq, story: StoryId, copy_of: Option<ItemId>) {
        if let Some(item) = self.window.get_mut(seq) {
            item.copy_of = copy_of;
        }
        self.window.assign_story(seq, story);
    }

    /// Applies an operator's constraint from now on. Ignores items outside the window.
    pub fn add_constraint(&mut self, constraint: &GroupingConstraint) {
        let decision = constraint.id.0;
        for (side, items) in [(0, &constraint.stayed), (1, &constraint.moved)] {
            let must_link = match constraint.kind {
                ConstraintKind::Merge => true,
                ConstraintKind::Split => side == 1,
                ConstraintKind::CannotLink => false,
            };
            for item in items {
                let Some(seq) = self.window.seq_of(*item) else { continue };
                if constraint.kind != ConstraintKind::Merge {
                    self.window.add_constraint(*item, Constraint::CannotLink { decision, side });
                }
                if must_link {
                    self.window.add_constraint(*item, Constraint::MustLink { decision });
                }
                self.changed.push(seq);
            }
        }
    }

    /// Adds an item to the window without a story, and scores its neighbors.
    fn add_item(&mut self, item: &Item) -> ItemSeq {
        let first_seen_at = item.first_seen_at.as_second();
        self.window.expire(first_seen_at - self.options.window.as_secs());
        let language = self.languages.resolve(item.lang.as_deref());
        let language = self.languages.get(language);
        let text = TokenizedText::new(&item.title, &item.grouping_text(), language, &mut self.stems);
        let (outlet, within_quota) = self.window.register_outlet(&item.outlet);
        let TermVector { terms, title_numbers, spellings } =
            TermVector::new(&text, language, within_quota, &mut self.window.term_index);
        let hashes: SmallVec<[TermHash; 128]> = text.terms().collect();
        let seq = self.window.push(IndexedItem {
            id: item.id,
            story: UNASSIGNED,
            copy_of: None,
            outlet,
            ranked_at: item.ranked_at.as_second(),
            first_seen_at,
            url_hash: item.canonical_url.as_deref().map_or(0, |url| xxh3_64(url.as_bytes()).max(1)),
            sketch: ShingleSketch::new(&hashes),
            kind: self.headlines.classify(&text.normalized_title),
            title_hash: xxh3_64(text.normalized_title.as_bytes()) as u32,
            title: text.normalized_title.into_boxed_str(),
            aggregates: TermAggregates::new(&terms),
            terms,
            title_numbers,
            neighbors: NeighborList::new(),
            new_neighbors: 0,
            excluded: !within_quota,
            leader: self.window.next_seq(),
        });
        self.score_neighbors(seq);
        // Only scoring shows that an item repeats another one's headline. Its spellings must not count then.
        if self.window.get(seq).is_some_and(|item| item.excluded) {
            for (term, capitalized) in spellings {
                self.window.term_index.uncount_spelling(term, capitalized);
            }
        } else {
            add_postings(&mut self.window, seq);
            self.changed.push(seq);
        }
        seq
    }

    pub(super) fn score_neighbors(&mut self, seq: ItemSeq) {
        let is_recording = self.recorded_pairs.is_some();
        let mut pairs = Vec::new();
        score_neighbors(&mut self.window, seq, &self.model, &mut self.search, |other, features| {
            if is_recording {
                pairs.push((other, *features));
            }
        });
        let id = |seq| self.window.get(seq).map(|item| item.id);
        let (Some(recorded), Some(own)) = (&mut self.recorded_pairs, id(seq)) else { return };
        for (other, features) in pairs {
            if let Some(other) = id(other) {
                recorded.push(TrainingPair { items: [own.min(other), own.max(other)], features });
            }
        }
    }
}
