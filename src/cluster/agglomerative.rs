//! Agglomerative clustering of a few items by the log-odds of their pairs: the most strongly linked groups merge first.
//! The order of arrival is irrelevant. Must-link and cannot-link constraints are supported (Wagstaff and Cardie, 2000).

use super::linkage::{ClusterLink, Linkage};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A constraint on an item, identified by the decision from which it follows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Constraint {
    /// The item must share a group with all items that have the same constraint.
    MustLink { decision: i64 },
    /// The item must not share a group with an item on another side of the decision.
    CannotLink { decision: i64, side: u8 },
}

/// Returns whether a constraint forbids merging two groups.
pub(super) fn forbids_merge(one: &[Constraint], other: &[Constraint]) -> bool {
    one.iter().any(|constraint| {
        let Constraint::CannotLink { decision, side } = constraint else { return false };
        other
            .iter()
            .any(|other| matches!(other, Constraint::CannotLink { decision: d, side: s } if d == decision && s != side))
    })
}

/// The score of a pair of items. The items are given by their positions.
pub(super) struct ItemLink {
    pub first: u32,
    pub second: u32,
    /// The log-odds of the pair; `None` if a rule separates the items.
    pub log_odds: Option<f32>,
}

/// The constraints on groups, in addition to the scores. Items are given by their positions.
pub(super) struct GroupingConstraints<'a> {
    /// The operator's constraints on each item.
    pub of_items: Vec<&'a [Constraint]>,
    /// The items of each list are always merged.
    pub must_link: Vec<Vec<u32>>,
    /// The items of each list are merged unless the operator's constraints forbid it.
    pub same_link: Vec<Vec<u32>>,
}

/// Groups items. Returns the sorted positions of each group, with the groups ordered by their first item.
pub(super) fn agglomerate(given: &GroupingConstraints, links: &[ItemLink], linkage: &Linkage) -> Vec<Vec<u32>> {
    let groups = given.of_items.iter().zip(0..).map(|(constraints, item)| Group {
        members: vec![item],
        constraints: constraints.to_vec(),
        links: FxHashMap::default(),
    });
    let mut clustering = Agglomeration { linkage, groups: groups.collect() };
    for ItemLink { first, second, log_odds } in links {
        let link = log_odds.map_or(ClusterLink::SEPARATE, ClusterLink::new);
        clustering.groups[*first as usize].links.insert(*second, link);
        clustering.groups[*second as usize].links.insert(*first, link);
    }
    let mut owners = Owners((0..given.of_items.len() as u32).collect());
    for items in &given.must_link {
        items[1..].iter().for_each(|item| clustering.merge_owners(&mut owners, items[0], *item));
    }
    for items in &given.same_link {
        clustering.merge_same_link(&mut owners, items);
    }
    clustering.run();
    let mut groups: Vec<Vec<u32>> = clustering.groups.into_iter().map(|group| group.members).collect();
    groups.retain(|members| !members.is_empty());
    groups.iter_mut().for_each(|members| members.sort_unstable());
    groups.sort_unstable_by_key(|members| members[0]);
    groups
}

struct Agglomeration<'a> {
    linkage: &'a Linkage,
    groups: Vec<Group>,
}

/// The group to which each item belongs while constraints merge items.
struct Owners(Vec<u32>);

impl Owners {
    fn find(&mut self, item: u32) -> u32 {
        let mut item = item;
        while self.0[item as usize] != item {
            self.0[item as usize] = self.0[self.0[item as usize] as usize];
            item = self.0[item as usize];
        }
        item
    }
}

/// A group of items. It has no members and no links once it has been merged into another group.
#[derive(Default)]
struct Group {
    members: Vec<u32>,
    constraints: Vec<Constraint>,
    links: FxHashMap<u32, ClusterLink>,
}

/// Two groups that may merge: an integer that sorts like their log-odds, and the groups in ascending order. If several
/// candidates have equal log-odds, the groups with the lowest numbers merge first, so that the result does not depend
/// on the iteration order of a hash map.
type MergeCandidate = (i32, Reverse<[u32; 2]>);

impl Agglomeration<'_> {
    fn run(&mut self) {
        let all = (0..self.groups.len() as u32).flat_map(|group| self.candidates(group));
        let mut queue: BinaryHeap<MergeCandidate> = all.collect();
        while let Some(candidate) = queue.pop() {
            let (_, Reverse([a, b])) = candidate;
            // A candidate is outdated if one of its groups has changed.
            if self.candidate(a, b) == Some(candidate) {
                self.merge(a, b);
                queue.extend(self.candidates(a));
            }
        }
    }

    /// Merges the groups of two items, unless they are already in the same group.
    fn merge_owners(&mut self, owners: &mut Owners, one: u32, other: u32) {
        let (one, other) = (owners.find(one), owners.find(other));
        if one != other {
            self.merge(one, other);
            owners.0[other as usize] = one;
        }
    }

    /// Merges each item with the first item in the list with which it may share a group.
    fn merge_same_link(&mut self, owners: &mut Owners, items: &[u32]) {
        let mut firsts: Vec<u32> = Vec::new();
        for item in items {
            let group = owners.find(*item);
            let may_merge = |owners: &mut Owners, first: u32| {
                let (known, group) = (&self.groups[owners.find(first) as usize], &self.groups[group as usize]);
                !forbids_merge(&known.constraints, &group.constraints)
            };
            match firsts.iter().copied().find(|first| may_merge(owners, *first)) {
                Some(first) => self.merge_owners(owners, first, *item),
                None => firsts.push(*item),
            }
        }
    }

    fn candidates(&self, group: u32) -> impl Iterator<Item = MergeCandidate> {
        self.groups[group as usize].links.keys().filter_map(move |other| self.candidate(group, *other))
    }

    fn candidate(&self, a: u32, b: u32) -> Option<MergeCandidate> {
        let [one, other] = [a, b].map(|group| &self.groups[group as usize]);
        let link = one.links.get(&b).filter(|link| !link.separate)?;
        let log_odds = self.linkage.log_odds(*link, [one.members.len(), other.members.len()]);
        let may_merge = self.linkage.joins(log_odds) && !forbids_merge(&one.constraints, &other.constraints);
        let bits = log_odds.to_bits() as i32;
        // Reverses the order of negative numbers, as in `f32::total_cmp`.
        let order = bits ^ ((bits >> 31) as u32 >> 1) as i32;
        may_merge.then_some((order, Reverse([a.min(b), a.max(b)])))
    }

    /// Merges group `b` into group `a`.
    fn merge(&mut self, a: u32, b: u32) {
        let merged = std::mem::take(&mut self.groups[b as usize]);
        let group = &mut self.groups[a as usize];
        group.members.extend(merged.members);
        group.constraints.extend(merged.constraints);
        group.links.remove(&b);
        for (other, link) in merged.links.into_iter().filter(|(other, _)| *other != a) {
            let known = self.groups[a as usize].links.get(&other);
            let link = known.map_or(link, |known| known.merge(link));
            self.groups[a as usize].links.insert(other, link);
            let others = &mut self.groups[other as usize].links;
            others.remove(&b);
            others.insert(a, link);
        }
    }
}
