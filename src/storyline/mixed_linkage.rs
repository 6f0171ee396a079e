//! Agglomerative clustering over sparse similarities, with a mixture of average linkage and single linkage. The
//! similarity of two groups is the weighted mean of two values: the similarity of their best pair, which has the weight
//! [`BEST_PAIR_SHARE`], and the weighted mean similarity of all their pairs. The two most similar groups merge first.
//! Clustering ends when no similarity exceeds the threshold. A pair that was not compared has the similarity 0.
//!
//! If only the mean were used, a story that resembles only a few stories of a large storyline would stay outside the
//! storyline. If only the best pair were used, one misleading pair would join two storylines.

use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The weight of the best pair in the similarity of two groups.
const BEST_PAIR_SHARE: f64 = 0.3;

/// The nodes to group, the similarities of their pairs, and the constraints on the result.
#[derive(Debug, Default)]
pub(super) struct LinkageInput {
    /// The weights of the nodes, which are numbered from 0.
    pub weights: Vec<f64>,
    /// Each pair appears once, in ascending order of its nodes.
    pub similarities: Vec<([u32; 2], f32)>,
    /// Pairs that share a group from the start.
    pub must_link: Vec<[u32; 2]>,
    /// Pairs that never share a group.
    pub cannot_link: Vec<[u32; 2]>,
}

struct Group {
    /// The sum of the weights of the nodes.
    weight: f64,
    links: FxHashMap<u32, GroupLink>,
    /// The groups with which this group must not merge.
    forbidden: Vec<u32>,
    version: u32,
}

/// The compared pairs of two groups.
#[derive(Debug, Clone, Copy, Default)]
struct GroupLink {
    /// The weighted sum of the similarities.
    sum: f64,
    /// The highest similarity.
    best: f64,
}

/// A possible merge: the bit pattern of the similarity, the groups in ascending order, and the versions of both groups.
/// The bit pattern of a positive number sorts like the number. If several candidates have equal similarities, the
/// groups with the lowest numbers merge first.
type Candidate = (u64, Reverse<[u32; 2]>, [u32; 2]);

/// Groups the nodes. Returns the first node of each node's group.
pub(super) fn group(input: &LinkageInput, threshold: f64) -> Vec<u32> {
    let mut linkage = MixedLinkage::new(input, threshold);
    linkage.run();
    (0..input.weights.len() as u32).map(|node| linkage.owner(node)).collect()
}

struct MixedLinkage {
    groups: Vec<Group>,
    owners: Vec<u32>,
    threshold: f64,
    queue: BinaryHeap<Candidate>,
}

impl MixedLinkage {
    fn new(input: &LinkageInput, threshold: f64) -> MixedLinkage {
        let nodes = input.weights.len() as u32;
        let group =
            |weight: &f64| Group { weight: *weight, links: FxHashMap::default(), forbidden: Vec::new(), version: 0 };
        let mut linkage = MixedLinkage {
            groups: input.weights.iter().map(group).collect(),
            owners: (0..nodes).collect(),
            threshold,
            queue: BinaryHeap::new(),
        };
        for ([a, b], similarity) in &input.similarities {
            let best = f64::from(*similarity);
            let link = GroupLink { sum: best * input.weights[*a as usize] * input.weights[*b as usize], best };
            linkage.groups[*a as usize].links.insert(*b, link);
            linkage.groups[*b as usize].links.insert(*a, link);
        }
        for [a, b] in &input.cannot_link {
            linkage.groups[*a as usize].forbidden.push(*b);
            linkage.groups[*b as usize].forbidden.push(*a);
        }
        for [a, b] in &input.must_link {
            let (a, b) = (linkage.owner(*a), linkage.owner(*b));
            if a != b && linkage.may_merge(a, b) {
                linkage.merge(a.min(b), a.max(b));
            }
        }
        for group in 0..nodes {
            if linkage.owners[group as usize] == group {
                linkage.enqueue(group, |other| other > group);
            }
        }
        linkage
    }

    fn run(&mut self) {
        while let Some((_, Reverse([a, b]), versions)) = self.queue.pop() {
            let current = [a, b].map(|group| self.groups[group as usize].version);
            let are_alive = [a, b].iter().all(|group| self.owners[*group as usize] == *group);
            if are_alive && current == versions && self.may_merge(a, b) {
                self.merge(a, b);
                self.enqueue(a, |_| true);
            }
        }
    }

    fn owner(&self, mut node: u32) -> u32 {
        while self.owners[node as usize] != node {
            node = self.owners[node as usize];
        }
        node
    }

    fn may_merge(&self, a: u32, b: u32) -> bool {
        !self.groups[a as usize].forbidden.iter().any(|forbidden| self.owner(*forbidden) == b)
    }

    /// Enqueues the merges of a group with the neighbors that `wanted` accepts.
    fn enqueue(&mut self, group: u32, wanted: impl Fn(u32) -> bool) {
        let own = &self.groups[group as usize];
        for (other, link) in own.links.iter().filter(|(other, _)| wanted(**other)) {
            let mean = link.sum / (own.weight * self.groups[*other as usize].weight);
            let similarity = BEST_PAIR_SHARE * link.best + (1.0 - BEST_PAIR_SHARE) * mean;
            if similarity > self.threshold {
                let (a, b) = (group.min(*other), group.max(*other));
                let versions = [a, b].map(|group| self.groups[group as usize].version);
                self.queue.push((similarity.to_bits(), Reverse([a, b]), versions));
            }
        }
    }

    /// Merges group `b` into group `a`.
    fn merge(&mut self, a: u32, b: u32) {
        let links = std::mem::take(&mut self.groups[b as usize].links);
        let forbidden = std::mem::take(&mut self.groups[b as usize].forbidden);
        let weight = self.groups[b as usize].weight;
        self.owners[b as usize] = a;
        let group = &mut self.groups[a as usize];
        group.weight += weight;
        group.version += 1;
        group.forbidden.extend(forbidden);
        group.links.remove(&b);
        for (other, link) in links.into_iter().filter(|(other, _)| *other != a) {
            let total = self.groups[a as usize].links.entry(other).or_default();
            total.sum += link.sum;
            total.best = total.best.max(link.best);
            let total = *total;
            let links = &mut self.groups[other as usize].links;
            links.remove(&b);
            links.insert(a, total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(nodes: usize, similarities: &[([u32; 2], f32)]) -> LinkageInput {
        LinkageInput { weights: vec![1.0; nodes], similarities: similarities.to_vec(), ..LinkageInput::default() }
    }

    #[test]
    fn similar_nodes_merge_and_others_stay_apart() {
        let input = input(4, &[([0, 1], 0.9), ([1, 2], 0.1), ([2, 3], 0.6)]);
        assert_eq!(group(&input, 0.5), [0, 0, 2, 2]);
    }

    #[test]
    fn best_pair_counts_more_than_pairs_that_were_not_compared() {
        // The similarity of node 2 to the group of nodes 0 and 1 is 0.3 * 0.8 + 0.7 * 0.4.
        let input = input(3, &[([0, 1], 0.9), ([1, 2], 0.8)]);
        assert_eq!(group(&input, 0.53), [0, 0, 2]);
        assert_eq!(group(&input, 0.51), [0, 0, 0]);
    }

    #[test]
    fn must_links_and_cannot_links_override_similarities() {
        let mut input = input(4, &[([0, 1], 0.9), ([2, 3], 0.9)]);
        input.must_link = vec![[1, 2]];
        input.cannot_link = vec![[0, 1]];
        assert_eq!(group(&input, 0.3), [0, 1, 1, 1]);
    }
}
