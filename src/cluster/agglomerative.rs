//! Groups a handful of items by the log-odds of their pairs: agglomerative clustering, the strongest link first.
//!
//! The link of two groups is the mean log-odds of all their pairs, a pair that was never a candidate counting as
//! [`Linkage::missing`], mixed with the best one: the best alone would chain sagas, the mean alone would miss paraphrases. Where
//! both groups are large it takes more. The order in which items came plays no part.

use super::Linkage;
use super::window::Constraint;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Log-odds from which a pair is kept.
pub(super) const MIN_PAIR_LOG_ODDS: f32 = -3.5;

/// A pair of items, by their positions, with its log-odds.
pub(super) type Pair = (u32, u32, f32);

/// Which items stand together: each group's positions in order, the groups in order of their first.
///
/// `cores` are items that stand together whatever their pairs say; `tags` are the operator's decisions for each item.
pub(super) fn group(tags: &[&[Constraint]], cores: &[Vec<u32>], pairs: &[Pair], linkage: &Linkage) -> Vec<Vec<u32>> {
    let mut grouping = Agglomeration::new(tags, linkage);
    for (a, b, score) in pairs {
        grouping.links[*a as usize].insert(*b, ClusterLink { sum: *score, pairs: 1, best: *score });
        grouping.links[*b as usize].insert(*a, ClusterLink { sum: *score, pairs: 1, best: *score });
    }
    for core in cores {
        for item in &core[1..] {
            grouping.join(core[0], *item);
        }
    }
    grouping.run();
    let mut groups: Vec<Vec<u32>> = grouping.members.into_iter().filter(|members| !members.is_empty()).collect();
    groups.iter_mut().for_each(|members| members.sort_unstable());
    groups.sort_unstable_by_key(|members| members[0]);
    groups
}

/// What the pairs between two groups say.
#[derive(Debug, Clone, Copy)]
struct ClusterLink {
    sum: f32,
    pairs: u32,
    best: f32,
}

/// Two groups that may join, as they were when this was written.
struct MergeCandidate {
    link: f32,
    groups: (u32, u32),
    versions: (u32, u32),
}

struct Agglomeration<'a> {
    linkage: &'a Linkage,
    /// Empty where a group went into another.
    members: Vec<Vec<u32>>,
    links: Vec<FxHashMap<u32, ClusterLink>>,
    tags: Vec<Vec<Constraint>>,
    versions: Vec<u32>,
    heap: BinaryHeap<MergeCandidate>,
}

impl<'a> Agglomeration<'a> {
    fn new(tags: &[&[Constraint]], linkage: &'a Linkage) -> Agglomeration<'a> {
        Agglomeration {
            linkage,
            members: (0..tags.len() as u32).map(|item| vec![item]).collect(),
            links: vec![FxHashMap::default(); tags.len()],
            tags: tags.iter().map(|tags| tags.to_vec()).collect(),
            versions: vec![0; tags.len()],
            heap: BinaryHeap::new(),
        }
    }

    fn run(&mut self) {
        for group in 0..self.members.len() as u32 {
            self.offer_all(group, |group, other| group < other);
        }
        while let Some(MergeCandidate { groups: (a, b), versions, .. }) = self.heap.pop() {
            let current = (self.versions[a as usize], self.versions[b as usize]) == versions;
            if current && !self.members[a as usize].is_empty() && !self.members[b as usize].is_empty() {
                self.join(a, b);
                self.offer_all(a, |_, _| true);
            }
        }
    }

    fn offer_all(&mut self, group: u32, which: impl Fn(u32, u32) -> bool) {
        for (other, bond) in &self.links[group as usize] {
            if !which(group, *other) {
                continue;
            }
            let sizes = (self.members[group as usize].len(), self.members[*other as usize].len());
            let link = self.linkage.link(bond.sum, bond.pairs as usize, bond.best, sizes);
            if link <= self.linkage.needed || apart(&self.tags[group as usize], &self.tags[*other as usize]) {
                continue;
            }
            let groups = (group.min(*other), group.max(*other));
            let versions = (self.versions[groups.0 as usize], self.versions[groups.1 as usize]);
            self.heap.push(MergeCandidate { link, groups, versions });
        }
    }

    /// `b` goes into `a`.
    fn join(&mut self, a: u32, b: u32) {
        let moved = std::mem::take(&mut self.members[b as usize]);
        self.members[a as usize].extend(moved);
        let tags = std::mem::take(&mut self.tags[b as usize]);
        self.tags[a as usize].extend(tags);
        self.versions[a as usize] += 1;
        let bonds = std::mem::take(&mut self.links[b as usize]);
        self.links[a as usize].remove(&b);
        for (other, bond) in bonds {
            if other == a {
                continue;
            }
            self.links[other as usize].remove(&b);
            let known = self.links[a as usize].entry(other);
            let known = known.and_modify(|known| {
                known.sum += bond.sum;
                known.pairs += bond.pairs;
                known.best = known.best.max(bond.best);
            });
            let known = *known.or_insert(bond);
            self.links[other as usize].insert(a, known);
        }
    }
}

/// Whether the operator set items of two groups apart.
pub(super) fn apart(one: &[Constraint], other: &[Constraint]) -> bool {
    one.iter().any(|tag| {
        let Constraint::CannotLink(decision, side) = tag else { return false };
        other.iter().any(|tag| matches!(tag, Constraint::CannotLink(d, s) if d == decision && s != side))
    })
}

impl Ord for MergeCandidate {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal links in order of position, so that nothing depends on the order of a hash map.
        self.link.total_cmp(&other.link).then_with(|| other.groups.cmp(&self.groups))
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
