//! Finds the story that a new item joins: by its URL, as a copy of another item, or by its scored pairs.

use super::clusterer::Clusterer;
use super::equal_titles::EqualTitles;
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::linkage::{ClusterLink, MIN_PAIR_LOG_ODDS};
use super::near_duplicates::MIN_COPY_CONTAINMENT;
use super::neighbor::MAX_NEIGHBORS;
use crate::domain::{ItemId, JoinEvidence, JoinReason, StoryId};
use smallvec::SmallVec;

/// The minimum cosine between a copy and its original.
const MIN_COPY_COSINE: f32 = 0.3;

/// The story that an item joins, with the evidence. Without a story, the evidence is for the best candidate.
#[derive(Default)]
pub(super) struct StoryMatch {
    pub story: Option<StoryId>,
    pub copy_of: Option<ItemId>,
    pub evidence: JoinEvidence,
}

/// The item whose text another item repeats.
#[derive(Debug, Clone, Copy)]
pub(super) struct CopyMatch {
    pub original: ItemSeq,
    /// The share of the shorter text that the longer text contains, 0 to 1.
    pub containment: f32,
}

impl Clusterer {
    pub(super) fn match_story(&self, seq: ItemSeq) -> StoryMatch {
        let item = &self.window[seq];
        if let Some(first) = self.window.same_link(seq).iter().find(|first| **first != seq) {
            let first = &self.window[*first];
            let reasons = vec![JoinReason::SameLink { item: first.id }];
            let evidence = JoinEvidence { score: 1.0, threshold: self.options.threshold, reasons };
            return StoryMatch { story: Some(first.story), copy_of: Some(first.id), evidence };
        }
        let copy = self.find_original(item, |_| true);
        let original = copy.map(|copy| &self.window[copy.original]);
        let best = match original {
            Some(original) => Some((original.story, f32::MAX)),
            None => self.best_story(item),
        };
        let Some((story, log_odds)) = best else { return StoryMatch::default() };
        let joins = self.linkage.joins(log_odds);
        StoryMatch {
            story: joins.then_some(story),
            copy_of: original.filter(|_| joins).map(|original| original.id),
            evidence: self.join_evidence(seq, self.window.members(story), log_odds, copy),
        }
    }

    /// Returns an earlier item among `members` that has the item's link, or whose text the item repeats.
    pub(super) fn original_among(&self, seq: ItemSeq, members: &[ItemSeq]) -> Option<ItemSeq> {
        let is_earlier = |other: &ItemSeq| other.precedes(seq) && members.contains(other);
        let same_link = self.window.same_link(seq).iter().copied().find(is_earlier);
        let copy = || self.find_original(&self.window[seq], is_earlier).map(|copy| copy.original);
        same_link.or_else(copy)
    }

    /// Returns the neighbor whose text an item repeats, if `may_be` accepts it. An item that repeats a headline of its
    /// own outlet is a copy if the headline names one event, regardless of the text.
    fn find_original(&self, item: &IndexedItem, may_be: impl Fn(&ItemSeq) -> bool) -> Option<CopyMatch> {
        let similar = item.neighbors.iter().take_while(|neighbor| neighbor.cosine() > MIN_COPY_COSINE);
        let similar = similar.filter(|neighbor| may_be(&neighbor.seq));
        let copies = similar.filter_map(|neighbor| {
            let other = self.window.get(neighbor.seq)?;
            let is_republished =
                other.outlet == item.outlet && other.has_same_title(item) && EqualTitles(item, other).are_copies();
            let containment = if is_republished { 1.0 } else { item.sketch.containment(&other.sketch) };
            (!self.window.are_separate(item, other)).then_some(CopyMatch { original: neighbor.seq, containment })
        });
        copies
            .filter(|copy| copy.containment >= MIN_COPY_CONTAINMENT)
            .max_by(|a, b| a.containment.total_cmp(&b.containment).then(b.original.0.cmp(&a.original.0)))
    }

    /// Returns the story with the strongest link to an item, and the log-odds of the link.
    fn best_story(&self, item: &IndexedItem) -> Option<(StoryId, f32)> {
        let mut candidates: SmallVec<[(StoryId, ClusterLink); MAX_NEIGHBORS]> = SmallVec::new();
        let neighbors = item.neighbors.iter().filter_map(|neighbor| self.window.get(neighbor.seq));
        let separate = neighbors.filter(|other| self.window.are_separate(item, other));
        let excluded: SmallVec<[StoryId; 4]> = separate.map(|other| other.story).collect();
        for neighbor in item.neighbors.iter().filter(|neighbor| neighbor.log_odds() > MIN_PAIR_LOG_ODDS) {
            let other = self.window.get(neighbor.seq).filter(|other| !excluded.contains(&other.story));
            let Some(other) = other else { continue };
            let link = ClusterLink::new(neighbor.log_odds());
            match candidates.iter_mut().find(|(story, _)| *story == other.story) {
                Some((_, known)) => *known = known.merge(link),
                None => candidates.push((other.story, link)),
            }
        }
        let log_odds = |(story, link)| (story, self.linkage.log_odds(link, [1, self.window.active_members(story)]));
        candidates.into_iter().map(log_odds).max_by(|(a, one), (b, other)| one.total_cmp(other).then(b.cmp(a)))
    }
}
