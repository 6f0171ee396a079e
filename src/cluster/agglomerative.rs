//! Agglomerative clustering of a few items by the log-odds of their pairs: the groups with the strongest link merge first.
//! The order of arrival does not matter.

use super::constraints::{Constraint, forbids_merge};
use super::linkage::{ClusterLink, Linkage};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Pairs with lower log-odds are not linked.
pub(super) const MIN_PAIR_LOG_ODDS: f32 = -3.5;

/// A pair of items, by position, with its score.
#[derive(Debug, Clone, Copy)]
pub(super) struct ItemLink {
    pub first: u32,
    pub second: u32,
    pub log_odds: f32,
}

/// Groups items. Returns the positions of each group in order, and the groups in order of their first item.
///
/// `constraints` are those of each item. The items of each list in `must_link` are merged regardless of their scores.
pub(super) fn agglomerate(
    constraints: &[&[Constraint]],
    must_link: &[Vec<u32>],
    links: &[ItemLink],
    linkage: &Linkage,
) -> Vec<Vec<u32>> {
    let mut clustering = Agglomeration::new(constraints, linkage);
    for ItemLink { first, second, log_odds } in links {
        clustering.links[*first as usize].insert(*second, ClusterLink::new(*log_odds));
        clustering.links[*second as usize].insert(*first, ClusterLink::new(*log_odds));
    }
    for items in must_link {
        for item in &items[1..] {
            clustering.merge(items[0], *item);
        }
    }
    clustering.run();
    let mut groups: Vec<Vec<u32>> = clustering.members.into_iter().filter(|members| !members.is_empty()).collect();
    groups.iter_mut().for_each(|members| members.sort_unstable());
    groups.sort_unstable_by_key(|members| members[0]);
    groups
}

struct Agglomeration<'a> {
    linkage: &'a Linkage,
    /// Empty for a group that was merged into another one.
    members: Vec<Vec<u32>>,
    links: Vec<FxHashMap<u32, ClusterLink>>,
    constraints: Vec<Vec<Constraint>>,
    /// Incremented when the group grows.
    versions: Vec<u32>,
    queue: BinaryHeap<MergeCandidate>,
}

/// Two groups that may merge. Outdated once the version of either has changed.
struct MergeCandidate {
    log_odds: f32,
    groups: [u32; 2],
    versions: [u32; 2],
}

impl<'a> Agglomeration<'a> {
    fn new(constraints: &[&[Constraint]], linkage: &'a Linkage) -> Agglomeration<'a> {
        Agglomeration {
            linkage,
            members: (0..constraints.len() as u32).map(|item| vec![item]).collect(),
            links: vec![FxHashMap::default(); constraints.len()],
            constraints: constraints.iter().map(|constraints| constraints.to_vec()).collect(),
            versions: vec![0; constraints.len()],
            queue: BinaryHeap::new(),
        }
    }

    fn run(&mut self) {
        for group in 0..self.members.len() as u32 {
            self.enqueue_merges(group, |other| group < other);
        }
        while let Some(MergeCandidate { groups, versions, .. }) = self.queue.pop() {
            let is_current = groups.map(|group| self.versions[group as usize]) == versions;
            if is_current && groups.iter().all(|group| !self.members[*group as usize].is_empty()) {
                self.merge(groups[0], groups[1]);
                self.enqueue_merges(groups[0], |_| true);
            }
        }
    }

    /// Enqueues the merges of a group with the linked groups that `filter` selects.
    fn enqueue_merges(&mut self, group: u32, filter: impl Fn(u32) -> bool) {
        for (other, link) in self.links[group as usize].iter().filter(|(other, _)| filter(**other)) {
            let sizes = [group, *other].map(|group| self.members[group as usize].len());
            let log_odds = self.linkage.log_odds(*link, sizes);
            if log_odds <= self.linkage.threshold
                || forbids_merge(&self.constraints[group as usize], &self.constraints[*other as usize])
            {
                continue;
            }
            let groups = [group.min(*other), group.max(*other)];
            let versions = groups.map(|group| self.versions[group as usize]);
            self.queue.push(MergeCandidate { log_odds, groups, versions });
        }
    }

    /// Merges group `b` into group `a`.
    fn merge(&mut self, a: u32, b: u32) {
        let members = std::mem::take(&mut self.members[b as usize]);
        self.members[a as usize].extend(members);
        let constraints = std::mem::take(&mut self.constraints[b as usize]);
        self.constraints[a as usize].extend(constraints);
        self.versions[a as usize] += 1;
        let links = std::mem::take(&mut self.links[b as usize]);
        self.links[a as usize].remove(&b);
        for (other, link) in links.into_iter().filter(|(other, _)| *other != a) {
            self.links[other as usize].remove(&b);
            let merged = self.links[a as usize].get(&other).map_or(link, |known| known.merge(link));
            self.links[a as usize].insert(other, merged);
            self.links[other as usize].insert(a, merged);
        }
    }
}

impl Ord for MergeCandidate {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal links sort by position, so that the outcome does not depend on the order of a hash map.
        self.log_odds.total_cmp(&other.log_odds).then_with(|| other.groups.cmp(&self.groups))
    }
}

impl PartialOrd for MergeCandidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for MergeCandidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for MergeCandidate {}
