//! What made an item join a story, in facts that [`crate::domain::JoinReason`] can say in words.

use super::copies::COPY;
use super::memory::{Memory, Remembered};
use super::vocabulary::Place;
use super::{Clusterer, chance};
use crate::domain::{JoinEvidence, JoinReason};
use std::collections::BTreeSet;

/// Shared terms that are named.
const NAMED: usize = 4;
/// Members of a story that are asked what they share, the latest ones.
const ASKED: usize = 40;
/// The cosine below which no neighbour is asked whether it is the same text.
const ALIKE: f32 = 0.3;
/// The cosine below which no title is compared letter by letter.
const VERY_ALIKE: f32 = 0.6;
/// The likeness of two titles, letter by letter, that is worth saying.
const NEAR_TITLE: f64 = 0.9;

/// The neighbour whose text an item repeats, and how much of it.
pub(super) fn copy(memory: &Memory, item: &Remembered) -> Option<(Place, f32)> {
    let alike = item.near.iter().take_while(|near| near.cosine() > ALIKE);
    let shares = alike.filter_map(|near| {
        let other = memory.at(near.place)?;
        let share = item.sketch.containment(&other.sketch);
        // An outlet's own headline over again is the same report, whatever its body says.
        let again = other.outlet == item.outlet && other.is_titled_as(item) && !super::near::kept_apart(item, other);
        let share = if again { 1.0 } else { share };
        (share >= COPY).then_some((near.place, share))
    });
    shares.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
}

impl Clusterer {
    /// Why an item is with these others. `link` is in log-odds, infinite where a rule decided.
    pub(super) fn evidence(
        &self,
        place: Place,
        members: &[Place],
        link: f32,
        copy: Option<(&Remembered, f32)>,
    ) -> JoinEvidence {
        let needed = self.options.threshold;
        let Some(item) = self.memory.at(place) else { return JoinEvidence::default() };
        let others: Vec<&Remembered> = members
            .iter()
            .rev()
            .filter(|member| **member != place)
            .take(ASKED)
            .filter_map(|member| self.memory.at(*member))
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
        JoinEvidence { score: chance(link), needed, reasons }
    }

    /// The terms that weigh most in what an item shares with others.
    fn shared(&self, item: &Remembered, others: &[&Remembered]) -> Vec<String> {
        let mut shared: Vec<(f32, u32)> = Vec::new();
        for term in &item.terms {
            let holders = others.iter().filter(|other| other.holds(term.entry)).count();
            if holders > 0 {
                let part = holders as f32 / others.len() as f32;
                shared.push((term.weight() * part.sqrt(), term.entry));
            }
        }
        shared.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        shared.iter().take(NAMED).map(|(_, entry)| self.memory.vocabulary.written(*entry).to_owned()).collect()
    }

    /// Numbers of the item's title where the others' titles have others, and none has the item's.
    fn other_numbers(&self, item: &Remembered, others: &[&Remembered]) -> Vec<String> {
        let known = || others.iter().flat_map(|other| other.numbers.iter());
        let has = |entry: u32| others.iter().any(|other| other.holds(entry));
        let differing = item.numbers.iter().filter(|n| known().any(|m| m.of == n.of) && !has(n.number));
        differing.map(|n| self.memory.vocabulary.written(n.number).to_owned()).collect()
    }

    /// The nearest neighbour, where its title is nearly the item's.
    fn near_title(&self, item: &Remembered) -> Option<JoinReason> {
        let near = item.near.first().filter(|near| near.cosine() > VERY_ALIKE)?;
        let other = self.memory.at(near.place)?;
        // Short titles are alike by chance, and so are those that differ in a number.
        if item.title.chars().count() < 20 || !item.numbers.is_empty() {
            return None;
        }
        let likeness = strsim::normalized_damerau_levenshtein(&item.title, &other.title);
        (likeness >= NEAR_TITLE).then_some(JoinReason::NearTitle { with: other.id, likeness: likeness as f32 })
    }
}
