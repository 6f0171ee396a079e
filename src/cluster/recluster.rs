//! Reclustering: regroups recent items, so that the order of arrival is irrelevant.
//!
//! A pass starts from the items that arrived or gained a neighbor since the last pass. From scratch, it regroups all
//! items in the stories of these items and of their neighbors. Items that are older than the revision window stay
//! together, but new items can still join them. A published story stays with the report to which its entry links. Any
//! other story stays with the group that contains most of its items. If several stories stay with one group, the oldest
//! published story survives.

use super::agglomerative::{Constraint, GroupingConstraints, ItemLink, agglomerate};
use super::clusterer::Clusterer;
use super::indexed_item::IndexedItem;
use super::item_seq::ItemSeq;
use super::linkage::{ClusterLink, MIN_PAIR_LOG_ODDS};
use super::neighbor::Neighbor;
use super::surviving_story::surviving_story;
use crate::domain::{
    CreatedStory, ItemId, ItemMove, JoinEvidence, JoinReason, PublishedStory, StoryId, StoryMerge, StoryRegrouping,
    Timestamp,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// The minimum log-odds of a neighbor whose story is included in the pass.
const MIN_NEIGHBORHOOD_LOG_ODDS: f32 = -1.5;
/// The maximum length of a chain of followers. A chain forms when an item is excluded after others have followed it.
const MAX_FOLLOWER_CHAIN: usize = 8;
/// The range of document counts in which growth by half causes all items to be rescored. Below this range, the
/// statistics cover too few documents; above it, growth has little effect.
const FULL_RESCORE_DOCUMENTS: RangeInclusive<usize> = 300..=20_000;

impl Clusterer {
    /// Regroups the changed items and their neighborhoods, and returns the changes.
    ///
    /// `mint` creates the ID of a story that splits off, given its first item. The second argument reports whether the
    /// clusterer knows an ID. `published` returns the published state of a story; `None` if the story is not published.
    ///
    /// # Errors
    ///
    /// Fails if `mint` or `published` fails. The clusterer has then lost changes and must be discarded.
    pub fn recluster<E>(
        &mut self,
        now: Timestamp,
        mut mint: impl FnMut(ItemId, &dyn Fn(StoryId) -> bool) -> Result<StoryId, E>,
        published: impl Fn(StoryId) -> Result<Option<PublishedStory>, E>,
    ) -> Result<StoryRegrouping, E> {
        let mut regrouping = StoryRegrouping::default();
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            return Ok(regrouping);
        }
        let changed = if self.needs_full_rescore() { self.rescore_all() } else { self.rescore_stale(&changed) };
        let frozen_before = now.as_second() - self.options.revision_window.as_secs();
        let mut participants = self.participants(&changed);
        let mut groups = self.group(&participants, frozen_before);
        self.add_followers(&mut participants, &mut groups);
        let present = self.stories_of_groups(&participants, &groups, &published)?;
        let mut stories: Vec<StoryId> = Vec::new();
        for (group, present) in groups.iter().zip(&present) {
            let members: Vec<ItemSeq> = group.iter().map(|position| participants[*position as usize]).collect();
            let story = match surviving_story(present, &published)? {
                Some(story) => story,
                None => {
                    let first_item = self.window[members[0]].id;
                    let story = mint(first_item, &|id| self.window.contains_story(id))?;
                    regrouping.created.push(CreatedStory { story, first_item });
                    story
                }
            };
            stories.push(story);
            for seq in &members {
                let (item, from) = (self.window[*seq].id, self.window[*seq].story);
                if from != story {
                    let evidence = self.regrouping_evidence(*seq, &members, from);
                    let copy_of = self.original_among(*seq, &members).map(|original| self.window[original].id);
                    self.window.assign_story(*seq, story);
                    regrouping.moved.push(ItemMove { item, from, into: story, copy_of, evidence });
                }
            }
        }
        for (present, into) in present.iter().zip(stories) {
            present.iter().for_each(|from| self.redirect_if_empty(*from, into, &mut regrouping));
        }
        Ok(regrouping)
    }

    /// Returns whether a small window has grown by half since all of its items were last scored: the first items were
    /// scored with IDFs from few documents.
    fn needs_full_rescore(&mut self) -> bool {
        let documents = self.window.term_index.document_count as usize;
        let needed = FULL_RESCORE_DOCUMENTS.contains(&documents)
            && documents > self.documents_at_rescore + self.documents_at_rescore / 2;
        if needed {
            self.documents_at_rescore = documents;
        }
        needed
    }

    /// Reweights and rescores all items. Returns them in order of arrival.
    fn rescore_all(&mut self) -> Vec<ItemSeq> {
        let first = self.window.first_seq();
        let all: Vec<ItemSeq> = (0..self.window.len()).map(|n| first.advance(n)).collect();
        all.iter().for_each(|seq| self.window.reweight(*seq));
        all.iter().for_each(|seq| self.score_neighbors(*seq));
        all
    }

    /// Reweights and rescores the stale items among the changed items and their neighbors. Returns the changed items
    /// and their neighbors in order of arrival.
    fn rescore_stale(&mut self, changed: &[ItemSeq]) -> Vec<ItemSeq> {
        let mut all: FxHashSet<ItemSeq> = changed.iter().copied().collect();
        for item in changed.iter().filter_map(|seq| self.window.get(*seq)) {
            all.extend(close_neighbors(item));
        }
        let all = self.in_order(all.into_iter().filter(|seq| self.window.get(*seq).is_some()));
        for seq in &all {
            if self.window.get(*seq).is_some_and(IndexedItem::is_stale) {
                self.window.reweight(*seq);
                self.score_neighbors(*seq);
            }
        }
        all
    }

    fn in_order(&self, items: impl Iterator<Item = ItemSeq>) -> Vec<ItemSeq> {
        let mut items: Vec<ItemSeq> = items.collect();
        items.sort_unstable_by_key(|seq| seq.offset_from(self.window.first_seq()));
        items
    }

    /// Returns, in order of arrival, the active members of the stories that contain these items, their neighbors, or
    /// items with the same link.
    fn participants(&self, changed: &[ItemSeq]) -> Vec<ItemSeq> {
        let mut stories: FxHashSet<StoryId> = FxHashSet::default();
        for (seq, item) in changed.iter().filter_map(|seq| Some((*seq, self.window.get(*seq)?))) {
            stories.insert(item.story);
            stories.extend(self.window.same_link(seq).iter().map(|other| self.window[*other].story));
            stories.extend(close_neighbors(item).filter_map(|seq| self.window.get(seq)).map(|other| other.story));
        }
        let members = stories.iter().flat_map(|story| self.window.members(*story)).copied();
        self.in_order(members.filter(|seq| !self.window[*seq].excluded))
    }

    /// Groups the participants according to their pairs and constraints.
    fn group(&self, participants: &[ItemSeq], frozen_before: i64) -> Vec<Vec<u32>> {
        let positions = positions(participants);
        let items: Vec<&IndexedItem> = participants.iter().map(|seq| &self.window[*seq]).collect();
        let mut links: Vec<ItemLink> = Vec::new();
        for (position, item) in (0u32..).zip(&items) {
            for neighbor in &item.neighbors {
                let Some(other) = positions.get(&neighbor.seq) else { continue };
                let is_separate = self.window.are_separate(item, items[*other as usize]);
                if is_separate || neighbor.log_odds() > MIN_PAIR_LOG_ODDS {
                    let (first, second) = (position.min(*other), position.max(*other));
                    let log_odds = (!is_separate).then(|| neighbor.log_odds());
                    links.push(ItemLink { first, second, log_odds });
                }
            }
        }
        // Both items may list the pair. The higher score is used.
        links.sort_unstable_by(|a, b| {
            let score = |link: &ItemLink| link.log_odds.unwrap_or(f32::MIN);
            (a.first, a.second).cmp(&(b.first, b.second)).then(score(b).total_cmp(&score(a)))
        });
        links.dedup_by_key(|link| (link.first, link.second));
        let constraints = GroupingConstraints {
            of_items: items.iter().map(|item| self.window.constraints(item.id)).collect(),
            must_link: self.must_link(&items, frozen_before),
            same_link: self.same_link(participants),
        };
        agglomerate(&constraints, &links, &self.linkage)
    }

    /// Returns, for each link that identifies one event, the positions of the items with that link.
    fn same_link(&self, participants: &[ItemSeq]) -> Vec<Vec<u32>> {
        let mut by_first: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut first_positions: FxHashMap<ItemSeq, u32> = FxHashMap::default();
        for (position, seq) in (0u32..).zip(participants) {
            if let Some(first) = self.window.same_link(*seq).first() {
                let first = *first_positions.entry(*first).or_insert(position);
                by_first.entry(first).or_default().push(position);
            }
        }
        by_first.into_values().filter(|items| items.len() > 1).collect()
    }

    /// Returns the positions of items that stay together regardless of their scores: items of a story that are older
    /// than the revision window, and items with a must-link constraint.
    fn must_link(&self, items: &[&IndexedItem], frozen_before: i64) -> Vec<Vec<u32>> {
        let mut frozen: BTreeMap<StoryId, Vec<u32>> = BTreeMap::new();
        let mut constrained: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (position, item) in (0u32..).zip(items) {
            if item.first_seen_at < frozen_before {
                frozen.entry(item.story).or_default().push(position);
            }
            for constraint in self.window.constraints(item.id) {
                if let Constraint::MustLink { decision } = constraint {
                    constrained.entry(*decision).or_default().push(position);
                }
            }
        }
        frozen.into_values().chain(constrained.into_values()).filter(|items| items.len() > 1).collect()
    }

    /// Adds the excluded items of the participants' stories to the groups of their leaders. Excluded items with a
    /// constraint remain in their stories.
    fn add_followers(&self, participants: &mut Vec<ItemSeq>, groups: &mut [Vec<u32>]) {
        let positions = positions(participants);
        let stories: BTreeSet<StoryId> = participants.iter().map(|seq| self.window[*seq].story).collect();
        let mut group_of = vec![0; participants.len()];
        for (number, group) in groups.iter().enumerate() {
            group.iter().for_each(|position| group_of[*position as usize] = number);
        }
        for seq in stories.iter().flat_map(|story| self.window.members(*story)) {
            let item = &self.window[*seq];
            let Some(leader) = positions.get(&self.leader_of(item)).filter(|_| item.excluded) else { continue };
            let group = group_of[*leader as usize];
            let is_separate = |neighbor: &Neighbor| {
                positions.get(&neighbor.seq).is_some_and(|other| group_of[*other as usize] == group)
                    && self.window.get(neighbor.seq).is_some_and(|other| self.window.are_separate(item, other))
            };
            if self.window.constraints(item.id).is_empty() && !item.neighbors.iter().any(is_separate) {
                groups[group].push(participants.len() as u32);
                participants.push(*seq);
            }
        }
    }

    /// Returns the active item at the end of the chain of leaders that starts at this item.
    fn leader_of(&self, item: &IndexedItem) -> ItemSeq {
        let mut leader = item.leader;
        for _ in 0..MAX_FOLLOWER_CHAIN {
            match self.window.get(leader) {
                Some(next) if next.excluded => leader = next.leader,
                _ => break,
            }
        }
        leader
    }

    /// Returns the stories that stay with each group, in order of their earliest items.
    fn stories_of_groups<E>(
        &self,
        participants: &[ItemSeq],
        groups: &[Vec<u32>],
        published: impl Fn(StoryId) -> Result<Option<PublishedStory>, E>,
    ) -> Result<Vec<Vec<StoryId>>, E> {
        let item_at = |position: u32| &self.window[participants[position as usize]];
        // Maps each story to the groups with its items and the number of these items.
        let mut parts: FxHashMap<StoryId, SmallVec<[(usize, usize); 2]>> = FxHashMap::default();
        for (group, positions) in groups.iter().enumerate() {
            for position in positions {
                let parts = parts.entry(item_at(*position).story).or_default();
                match parts.last_mut() {
                    Some((last, count)) if *last == group => *count += 1,
                    _ => parts.push((group, 1)),
                }
            }
        }
        let mut stories: Vec<Vec<StoryId>> = vec![Vec::new(); groups.len()];
        for story in (0..participants.len() as u32).map(|position| item_at(position).story) {
            let Some(parts) = parts.remove(&story) else { continue };
            let linked = if parts.len() > 1 { published(story)?.map(|published| published.linked) } else { None };
            let has_linked = |(group, _): &&(usize, usize)| {
                groups[*group].iter().any(|position| Some(item_at(*position).id) == linked)
            };
            // `max_by_key` returns the last of several equal groups, so reversing the order selects the first one.
            let largest = || parts.iter().rev().max_by_key(|(_, count)| *count);
            if let Some((group, _)) = parts.iter().find(has_linked).or_else(largest) {
                stories[*group].push(story);
            }
        }
        Ok(stories)
    }

    /// Redirects a story that has lost all active items to the story of its group. The excluded items move too.
    fn redirect_if_empty(&mut self, from: StoryId, into: StoryId, regrouping: &mut StoryRegrouping) {
        if from == into || self.window.active_members(from) > 0 {
            return;
        }
        for seq in self.window.members(from).to_vec() {
            self.window.assign_story(seq, into);
            let reasons = vec![JoinReason::Merged { from }];
            let evidence = JoinEvidence { score: 1.0, threshold: self.options.threshold, reasons };
            regrouping.moved.push(ItemMove { item: self.window[seq].id, from, into, copy_of: None, evidence });
        }
        regrouping.merged.push(StoryMerge { from, into });
    }

    fn regrouping_evidence(&self, seq: ItemSeq, members: &[ItemSeq], from: StoryId) -> JoinEvidence {
        let neighbors = self.window[seq].neighbors.iter();
        let linked =
            neighbors.filter(|neighbor| neighbor.log_odds() > MIN_PAIR_LOG_ODDS && members.contains(&neighbor.seq));
        let log_odds = match linked.map(|neighbor| ClusterLink::new(neighbor.log_odds())).reduce(ClusterLink::merge) {
            Some(link) => self.linkage.log_odds(link, [1, members.len().saturating_sub(1).max(1)]),
            None => self.linkage.missing_pair,
        };
        let mut evidence = self.join_evidence(seq, members, log_odds, None);
        evidence.reasons.push(JoinReason::Regrouped { from });
        evidence
    }
}

fn close_neighbors(item: &IndexedItem) -> impl Iterator<Item = ItemSeq> {
    let close = item.neighbors.iter().filter(|neighbor| neighbor.log_odds() > MIN_NEIGHBORHOOD_LOG_ODDS);
    close.map(|neighbor| neighbor.seq)
}

fn positions(participants: &[ItemSeq]) -> FxHashMap<ItemSeq, u32> {
    participants.iter().copied().zip(0..).collect()
}
