//! The clusterer, which assigns each arriving item to a story. It performs no I/O and reads no clock.

use super::agglomerative::Constraint;
use super::candidates::{NeighborSearch, add_postings};
use super::encoder_model::{EmbeddingSimilarity, EncoderModel};
use super::headline_kind::HeadlineClassifier;
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::language::LanguageRegistry;
use super::link_index::LinkKey;
use super::linkage::Linkage;
use super::near_duplicates::ShingleSketch;
use super::neighbor::NeighborList;
use super::options::Options;
use super::pair_features::PairFeatures;
use super::pair_model::PairModel;
use super::term_weights::{Spellings, TermAggregates, TermVector};
use super::title_profile::{DateWords, TitleProfile};
use super::tokenizer::{StemCache, TermHash, TokenizedText};
use super::window::{ItemWindow, UNASSIGNED};
use crate::domain::{ConstraintKind, GroupingConstraint, Item, ItemId, StoryAssignment, StoryId, StoryPlacement};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// The state for assigning items to stories. It contains the required data about the items of the last few days.
pub struct Clusterer {
    pub(super) options: Options,
    pub linkage: Linkage,
    pub model: PairModel,
    pub encoder_model: EncoderModel,
    pub(super) window: ItemWindow,
    languages: LanguageRegistry,
    stems: StemCache,
    headlines: HeadlineClassifier,
    date_words: DateWords,
    pub(super) search: NeighborSearch,
    /// The items from which the next reclustering pass starts.
    pub(super) changed: Vec<ItemSeq>,
    /// The document count at the time when all items were last rescored.
    pub(super) documents_at_rescore: usize,
    /// The latest features of each scored pair, for training; `None` if they are not recorded. The IDs of a pair are in
    /// ascending order.
    pub recorded_pairs: Option<BTreeMap<[ItemId; 2], RecordedPair>>,
}

/// The features of a scored pair.
#[derive(Debug, Clone, Copy)]
pub struct RecordedPair {
    pub features: PairFeatures,
    /// `None` unless both items have an embedding.
    pub similarity: Option<EmbeddingSimilarity>,
}

/// An item whose terms have been counted.
struct IndexedText {
    indexed: IndexedItem,
    /// The spellings that were counted.
    spellings: Spellings,
    /// The number of the item's language.
    language: u8,
}

impl Clusterer {
    pub fn new(options: Options) -> Self {
        Clusterer {
            linkage: Linkage::new(&options),
            options,
            model: PairModel::learned(),
            encoder_model: EncoderModel::learned(),
            window: ItemWindow::default(),
            languages: LanguageRegistry::default(),
            stems: StemCache::default(),
            headlines: HeadlineClassifier::default(),
            date_words: DateWords::default(),
            search: NeighborSearch::default(),
            changed: Vec::new(),
            documents_at_rescore: 0,
            recorded_pairs: None,
        }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Returns the number of items in the window.
    pub fn active_items(&self) -> usize {
        self.window.len()
    }

    /// Adds an item that was assigned before a restart. Items must be restored in order of their IDs.
    pub fn restore(&mut self, item: &Item, story: StoryId) {
        let seq = self.add_item(item);
        self.window.assign_story(seq, story);
    }

    /// Assigns an item to a story and adds it to the window. Items must arrive in order of their IDs.
    ///
    /// `mint` creates the ID of a new story. Its argument is a function that reports whether the clusterer knows an ID.
    ///
    /// # Errors
    ///
    /// Fails if `mint` fails. The clusterer then holds an item without a story and must be discarded.
    pub fn assign<E>(
        &mut self,
        item: &Item,
        mint: impl FnOnce(&dyn Fn(StoryId) -> bool) -> Result<StoryId, E>,
    ) -> Result<StoryAssignment, E> {
        let seq = self.add_item(item);
        let found = self.match_story(seq);
        let (story, placement) = match found.story {
            Some(story) => (story, StoryPlacement::Joined),
            None => (mint(&|id| self.window.contains_story(id))?, StoryPlacement::Created),
        };
        self.window.assign_story(seq, story);
        Ok(StoryAssignment { item: item.id, story, placement, copy_of: found.copy_of, evidence: found.evidence })
    }

    /// Applies an operator's constraint to future decisions. Ignores items outside the window.
    pub fn add_constraint(&mut self, constraint: &GroupingConstraint) {
        let decision = constraint.id.0;
        for (side, items) in [(0, &constraint.stayed), (1, &constraint.moved)] {
            let (must_link, cannot_link) =
                (Constraint::MustLink { decision }, Constraint::CannotLink { decision, side });
            let constraints: &[Constraint] = match constraint.kind {
                ConstraintKind::Merge => &[must_link],
                ConstraintKind::Split if side == 1 => &[cannot_link, must_link],
                ConstraintKind::Split | ConstraintKind::CannotLink => &[cannot_link],
                ConstraintKind::StorylineMerge | ConstraintKind::StorylineSplit => &[],
            };
            for item in items {
                if let Some(seq) = self.window.seq_of(*item) {
                    self.window.add_constraints(*item, constraints);
                    self.changed.push(seq);
                }
            }
        }
    }

    /// Replaces the text of an item that was revised. The item stays in its story until the next reclustering pass.
    /// Ignores items outside the window.
    pub fn revise(&mut self, item: &Item) {
        let Some(seq) = self.window.seq_of(item.id) else { return };
        let story = self.window[seq].story;
        self.window.withdraw(seq);
        let IndexedText { indexed, spellings, language } = self.index_text(item, seq);
        self.window.replace(seq, indexed);
        self.window.vectors.set(seq.offset_from(self.window.first_seq()), language, item.embedding.as_ref());
        self.connect(seq, &spellings);
        self.window.assign_story(seq, story);
        self.changed.push(seq);
    }

    /// Adds an item to the window without a story and scores its neighbors.
    fn add_item(&mut self, item: &Item) -> ItemSeq {
        let expired_before = item.first_seen_at.as_second() - self.options.window.as_secs();
        let identifying_again = self.window.expire(expired_before);
        self.changed.extend(identifying_again);
        let IndexedText { indexed, spellings, language } = self.index_text(item, self.window.next_seq());
        let seq = self.window.push(indexed);
        self.window.vectors.push(language, item.embedding.as_ref());
        self.connect(seq, &spellings);
        if !self.window[seq].excluded {
            self.changed.push(seq);
        }
        seq
    }

    /// Tokenizes the text of an item and counts its terms.
    fn index_text(&mut self, item: &Item, seq: ItemSeq) -> IndexedText {
        let language = self.languages.resolve(item.lang.as_deref());
        let text = TokenizedText::new(&item.title, &item.grouping_text(), language, &mut self.stems);
        let (outlet, within_quota) = self.window.register_outlet(&item.outlet);
        let TermVector { terms, title_numbers, spellings } =
            TermVector::new(&text, language, within_quota, &mut self.window.term_index);
        let hashes: SmallVec<[TermHash; 128]> = text.terms().collect();
        let indexed = IndexedItem {
            id: item.id,
            story: UNASSIGNED,
            outlet,
            ranked_at: item.ranked_at.as_second(),
            first_seen_at: item.first_seen_at.as_second(),
            source: item.source,
            link: item.canonical_url.as_deref().map(LinkKey::new),
            sketch: ShingleSketch::new(&hashes),
            kind: self.headlines.classify(&text.normalized_title),
            title_hash: xxh3_64(text.normalized_title.as_bytes()) as u32,
            title_profile: TitleProfile::new(&text, &self.date_words),
            title: text.normalized_title.into_boxed_str(),
            aggregates: TermAggregates::new(&terms),
            terms,
            title_numbers,
            neighbors: NeighborList::new(),
            new_neighbors: 0,
            excluded: !within_quota,
            leader: seq,
        };
        IndexedText { indexed, spellings, language: language.id }
    }

    /// Adds an item to the indexes of links and terms, and scores its neighbors.
    fn connect(&mut self, seq: ItemSeq, spellings: &Spellings) {
        self.add_link(seq);
        self.score_neighbors(seq);
        // Scoring shows whether an item repeats another item's headline. The spellings of such an item must not count.
        if self.window[seq].excluded {
            for (term, capitalized) in spellings {
                self.window.term_index.spellings_mut(*term).uncount(*capitalized);
            }
        } else {
            add_postings(&mut self.window, seq);
        }
    }

    /// Indexes the link of an item. If the link no longer identifies one event, the items with the link are regrouped.
    fn add_link(&mut self, seq: ItemSeq) {
        let item = &self.window[seq];
        let (source, link) = (item.source, item.link);
        let Some(link) = link.filter(|link| self.window.links.add(*link, source, seq)) else { return };
        let holders = self.window.links.items(link).to_vec();
        for holder in holders.iter().filter(|holder| **holder != seq) {
            if self.window[*holder].excluded {
                self.score_neighbors(*holder);
            }
        }
        self.changed.extend(holders);
    }
}
