//! Agglomerative clustering with average linkage over sparse similarities. The two groups with the highest weighted mean
//! similarity of their pairs merge first, until no mean exceeds the threshold. The similarity of a pair that was not
//! compared counts as 0.

use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
    /// The weighted sums of similarities with other groups.
    links: FxHashMap<u32, f64>,
    /// The groups that this one may not merge with.
    forbidden: Vec<u32>,
    version: u32,
}

/// A possible merge: the bits of the mean similarity, which sort like the positive number; the groups in ascending
/// order; and the versions of both groups. If means are equal, the groups with the lowest numbers merge first.
type Candidate = (u64, Reverse<[u32; 2]>, [u32; 2]);

/// Groups the nodes. Returns the first node of each node's group.
pub(super) fn group(input: &LinkageInput, threshold: f64) -> Vec<u32> {
    let mut linkage = AverageLinkage::new(input, threshold);
    linkage.run();
    (0..input.weights.len() as u32).map(|node| linkage.owner(node)).collect()
}

struct AverageLinkage {
    groups: Vec<Group>,
    owners: Vec<u32>,
    threshold: f64,
    queue: BinaryHeap<Candidate>,
}

impl AverageLinkage {
    fn new(input: &LinkageInput, threshold: f64) -> AverageLinkage {
        let nodes = input.weights.len() as u32;
        let group =
            |weight: &f64| Group { weight: *weight, links: FxHashMap::default(), forbidden: Vec::new(), version: 0 };
        let mut linkage = AverageLinkage {
            groups: input.weights.iter().map(group).collect(),
            owners: (0..nodes).collect(),
            threshold,
            queue: BinaryHeap::new(),
        };
        for ([a, b], similarity) in &input.similarities {
            let sum = f64::from(*similarity) * input.weights[*a as usize] * input.weights[*b as usize];
            linkage.groups[*a as usize].links.insert(*b, sum);
            linkage.groups[*b as usize].links.insert(*a, sum);
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

    /// Adds the merges of a group with those of its neighbors that are `wanted`.
    fn enqueue(&mut self, group: u32, wanted: impl Fn(u32) -> bool) {
        let own = &self.groups[group as usize];
        for (other, sum) in own.links.iter().filter(|(other, _)| wanted(**other)) {
            let partner = &self.groups[*other as usize];
            let mean = sum / (own.weight * partner.weight);
            if mean > self.threshold {
                let (a, b) = (group.min(*other), group.max(*other));
                let versions = [a, b].map(|group| self.groups[group as usize].version);
                self.queue.push((mean.to_bits(), Reverse([a, b]), versions));
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
        for (other, sum) in links.into_iter().filter(|(other, _)| *other != a) {
            let total = self.groups[a as usize].links.entry(other).or_default();
            *total += sum;
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
    fn a_missing_pair_counts_as_zero() {
        // Node 2 is similar only to node 1, so its mean similarity to the group of nodes 0 and 1 is 0.4.
        let input = input(3, &[([0, 1], 0.9), ([1, 2], 0.8)]);
        assert_eq!(group(&input, 0.5), [0, 0, 2]);
        assert_eq!(group(&input, 0.3), [0, 0, 0]);
    }

    #[test]
    fn must_links_and_cannot_links_override_similarities() {
        let mut input = input(4, &[([0, 1], 0.9), ([2, 3], 0.9)]);
        input.must_link = vec![[1, 2]];
        input.cannot_link = vec![[0, 1]];
        assert_eq!(group(&input, 0.3), [0, 1, 1, 1]);
    }
}
