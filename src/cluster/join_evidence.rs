//! What made an item join a story, in facts that [`crate::domain::JoinReason`] can say in words.

use super::near_duplicates::MIN_COPY_CONTAINMENT;
use super::term_index::ItemSeq;
use super::window::{IndexedItem, ItemWindow};
use super::{Clusterer, sigmoid};
use crate::domain::{JoinEvidence, JoinReason};
use std::collections::BTreeSet;

/// Shared terms that are named.
const MAX_NAMED_TERMS: usize = 4;
/// StoryMembers of a story that are asked what they share, the latest ones.
const MAX_COMPARED_MEMBERS: usize = 40;
/// The cosine below which no neighbour is asked whether it is the same text.
const MIN_COPY_COSINE: f32 = 0.3;
/// The cosine below which no title is compared letter by letter.
const MIN_TITLE_COSINE: f32 = 0.6;
/// The likeness of two titles, letter by letter, that is worth saying.
const MIN_TITLE_SIMILARITY: f64 = 0.9;

/// The neighbour whose text an item repeats, and how much of it.
pub(super) fn copy(window: &ItemWindow, item: &IndexedItem) -> Option<(ItemSeq, f32)> {
    let alike = item.near.iter().take_while(|near| near.cosine() > MIN_COPY_COSINE);
    let shares = alike.filter_map(|near| {
        let other = window.at(near.place)?;
        let share = item.sketch.containment(&other.sketch);
        // An outlet's own headline over again is the same report, whatever its body says.
        let again =
            other.outlet == item.outlet && other.is_titled_as(item) && !super::candidates::is_cannot_link(item, other);
        let share = if again { 1.0 } else { share };
        (share >= MIN_COPY_CONTAINMENT).then_some((near.place, share))
    });
    shares.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
}

impl Clusterer {
    /// Why an item is with these others. `link` is in log-odds, infinite where a rule decided.
    pub(super) fn evidence(
        &self,
        place: ItemSeq,
        members: &[ItemSeq],
        link: f32,
        copy: Option<(&IndexedItem, f32)>,
    ) -> JoinEvidence {
        let needed = self.options.threshold;
        let Some(item) = self.window.at(place) else { return JoinEvidence::default() };
        let others: Vec<&IndexedItem> = members
            .iter()
            .rev()
            .filter(|member| **member != place)
            .take(MAX_COMPARED_MEMBERS)
            .filter_map(|member| self.window.at(*member))
            .collect();
        let mut reasons = Vec::new();
        if let Some((original, likeness)) = copy {
            reasons.push(JoinReason::Copy { of: original.id, likeness });
        }
        reasons.extend(self.near_title(item));
        let terms = self.shared(item, &others);
        if !terms.is_empty() {
            reasons.push(JoinReason::Terms { terms });
        }
        let numbers = self.other_numbers(item, &others);
        if !numbers.is_empty() {
            reasons.push(JoinReason::OtherNumbers { numbers });
        }
        let outlets: BTreeSet<u32> = others.iter().map(|other| other.outlet).collect();
        let gap = others.iter().map(|other| (other.ranked_at - item.ranked_at).unsigned_abs()).max().unwrap_or(0);
        reasons.push(JoinReason::Company { outlets: outlets.len() as u32, hours: (gap / 3600) as u32 + 1 });
        JoinEvidence { score: sigmoid(link), needed, reasons }
    }

    /// The terms that weigh most in what an item shares with others.
    fn shared(&self, item: &IndexedItem, others: &[&IndexedItem]) -> Vec<String> {
        let mut shared: Vec<(f32, u32)> = Vec::new();
        for term in &item.terms {
            let holders = others.iter().filter(|other| other.holds(term.entry)).count();
            if holders > 0 {
                let part = holders as f32 / others.len() as f32;
                shared.push((term.weight() * part.sqrt(), term.entry));
            }
        }
        shared.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        shared
            .iter()
            .take(MAX_NAMED_TERMS)
            .map(|(_, entry)| self.window.vocabulary.written(*entry).to_owned())
            .collect()
    }

    /// Numbers of the item's title where the others' titles have others, and none has the item's.
    fn other_numbers(&self, item: &IndexedItem, others: &[&IndexedItem]) -> Vec<String> {
        let known = || others.iter().flat_map(|other| other.numbers.iter());
        let has = |entry: u32| others.iter().any(|other| other.holds(entry));
        let differing = item.numbers.iter().filter(|n| known().any(|m| m.of == n.of) && !has(n.number));
        differing.map(|n| self.window.vocabulary.written(n.number).to_owned()).collect()
    }

    /// The nearest neighbour, where its title is nearly the item's.
    fn near_title(&self, item: &IndexedItem) -> Option<JoinReason> {
        let near = item.near.first().filter(|near| near.cosine() > MIN_TITLE_COSINE)?;
        let other = self.window.at(near.place)?;
        // Short titles are alike by chance, and so are those that differ in a number.
        if item.title.chars().count() < 20 || !item.numbers.is_empty() {
            return None;
        }
        let likeness = strsim::normalized_damerau_levenshtein(&item.title, &other.title);
        (likeness >= MIN_TITLE_SIMILARITY)
            .then_some(JoinReason::NearTitle { with: other.id, likeness: likeness as f32 })
    }
}
