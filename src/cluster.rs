//! Finds the items that report the same event, one item at a time, in the order in which they were stored.
//!
//! Pure: items in, assignments out, the same for the same past on every machine. It reads no database and no clock;
//! [`crate::daemon`] feeds it, writes down what it says, and restores it after a restart.
//!
//! An item becomes a vector of stemmed terms (TF-IDF over title and summary). An inverted index over each recent
//! item's strongest terms yields the candidates; the item joins the story to which it is nearest on the mean of its
//! best member and all members (mixed linkage: the best alone chains sagas, the mean alone misses paraphrases), if
//! that is near enough and no number stands against it. The method and its figures: `docs/clustering.md`.

mod decide;
mod frequency;
mod memory;
pub mod score;
mod vector;
mod words;

use crate::model::{Assignment, Evidence, Item, ItemId, Merge, Placed, Placement, Reason, StoryId};
use decide::{Nearness, Side};
use frequency::Frequencies;
use jiff::SignedDuration;
use memory::{Memory, Merged, Remembered};
use serde::{Deserialize, Serialize};
use vector::Vector;
use words::Text;

/// How near is near enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Items first seen so long ago are no longer compared with.
    #[serde(with = "crate::model::duration")]
    pub window: SignedDuration,
    /// The score, 0 to 1, from which an item joins a story.
    pub threshold: f32,
    /// The time between two items, in hours, at which their likeness counts for 61% (one sigma of a Gaussian).
    pub sigma_hours: f32,
    /// How much more a word in the title weighs than one in the summary.
    pub title_weight: f32,
    /// The share of the best member, against the mean of all, in the likeness to a story.
    pub best_share: f32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            window: SignedDuration::from_hours(72),
            threshold: 0.27,
            sigma_hours: 36.0,
            title_weight: 2.0,
            best_share: 0.5,
        }
    }
}

/// The likeness of two texts from which one is called a copy of the other.
const COPY: f32 = 0.6;
/// The likeness of two titles, letter by letter, that is worth a second look.
const NEAR_TITLE: f64 = 0.9;
/// The likeness of two titles with other numbers in them from which they are two of a series.
const SAME_BUT_NUMBER: f64 = 0.75;
/// Items up to which a story is small: it may still be merged into another.
const SMALL: usize = 3;
/// The share of the threshold from which a story that an item did not join is looked at again.
const NEAR: f32 = 0.5;
/// Members of a story that an item is compared with, the latest ones.
const MEMBERS: usize = 40;

/// Places items. Holds what is needed of the items of the last days in memory.
pub struct Clusterer {
    options: Options,
    frequencies: Frequencies,
    memory: Memory,
}

impl Clusterer {
    pub fn new(options: Options) -> Self {
        let memory = Memory::new(options.window);
        Clusterer { options, frequencies: Frequencies::default(), memory }
    }

    /// Takes in an item that was placed before, as after a restart. Items come in order of their ids.
    pub fn restore(&mut self, item: &Item, story: StoryId, copy_of: Option<ItemId>) {
        let (text, vector) = self.look_at(item);
        self.memory.remember(item, story, copy_of, text, vector);
    }

    /// Says where an item belongs, and remembers it there. `mint` gives the id for a story that the item founds; it is
    /// told which ids this clusterer knows.
    ///
    /// What the item shows of others is looked at again at once: small stories that were near it may now be near
    /// enough to its story, so that the order of arrival decides less.
    pub fn place(&mut self, item: &Item, mint: impl FnOnce(&dyn Fn(StoryId) -> bool) -> StoryId) -> Placed {
        let (text, vector) = self.look_at(item);
        let Found { joins, evidence, copy_of, near } = self.find(item, &text, &vector);
        let (story, placement) = match joins {
            Some(story) => (story, Placement::Joined),
            None => (mint(&|id| self.memory.knows(id)), Placement::Founded),
        };
        self.memory.remember(item, story, copy_of, text, vector);
        let merges = self.look_again(story, near);
        Placed { assignment: Assignment { item: item.id, story, placement, copy_of, evidence }, merges }
    }

    /// Merges small stories that were near the item into the story that it came to, where they are near enough now.
    fn look_again(&mut self, mut story: StoryId, near: Vec<StoryId>) -> Vec<Merge> {
        let mut merges = Vec::new();
        for other in near {
            let (few, many) =
                if self.memory.size(other) <= self.memory.size(story) { (other, story) } else { (story, other) };
            if other == story || self.memory.size(few) > SMALL {
                continue;
            }
            let members = self.memory.members(many, MEMBERS);
            let moving = self.memory.members(few, MEMBERS);
            let sum: f32 = moving.iter().map(|m| decide::nearness(m.side(), &members, &self.options).score).sum();
            let score = sum / moving.len().max(1) as f32;
            if score < self.options.threshold {
                continue;
            }
            let Some(Merged { from, into, items }) = self.memory.merge(few, many) else {
                continue;
            };
            let (needed, reasons) = (self.options.threshold, vec![Reason::Merged { from }]);
            let evidence = Evidence { score: score.clamp(0.0, 1.0), needed, reasons };
            merges.push(Merge { from, into, items: items.into_iter().map(|id| (id, evidence.clone())).collect() });
            story = into;
        }
        merges
    }

    /// Items held in memory.
    pub fn active_items(&self) -> usize {
        self.memory.len()
    }

    fn look_at(&mut self, item: &Item) -> (Text, Vector) {
        self.memory.expire(item.first_seen_at);
        let text = Text::new(&item.title, &item.summary, item.lang.as_deref());
        self.frequencies.count(text.terms.keys().copied());
        let vector = Vector::new(&text, &self.frequencies, self.options.title_weight);
        (text, vector)
    }

    fn find(&self, item: &Item, text: &Text, vector: &Vector) -> Found {
        if let Some(twin) = self.memory.by_link(item) {
            let copy_of = Some(twin.copy_of.unwrap_or(twin.id));
            let evidence = Evidence {
                score: 1.0,
                needed: self.options.threshold,
                reasons: vec![Reason::SameLink { with: twin.id }],
            };
            return Found { joins: Some(twin.story), evidence, copy_of, near: Vec::new() };
        }
        let side = Side { ranked_at: item.ranked_at, title: &text.title, numbers: &text.numbers, vector };
        let mut best: Option<(StoryId, Nearness)> = None;
        let mut near = Vec::new();
        for story in self.memory.candidates(vector) {
            let nearness = decide::nearness(side, &self.memory.members(story, MEMBERS), &self.options);
            if nearness.score >= NEAR * self.options.threshold {
                near.push(story);
            }
            if best.as_ref().is_none_or(|(_, known)| nearness.score > known.score) {
                best = Some((story, nearness));
            }
        }
        let Some((story, nearness)) = best else {
            return Found { joins: None, evidence: Evidence::default(), copy_of: None, near };
        };
        let copy = self.copy(text, &self.memory.members(story, MEMBERS));
        let joins = nearness.score >= self.options.threshold || copy.is_some();
        let evidence = self.evidence(item, text, vector, story, &nearness, copy);
        let copy_of = copy.map(|(original, _)| original.copy_of.unwrap_or(original.id));
        Found { joins: joins.then_some(story), evidence, copy_of: copy_of.filter(|_| joins), near }
    }

    fn copy<'m>(&self, text: &Text, members: &[&'m Remembered]) -> Option<(&'m Remembered, f32)> {
        let likely = members.iter().map(|m| (*m, text.sketch.likeness(&m.sketch))).filter(|(_, like)| *like >= COPY);
        likely.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.id.cmp(&a.0.id)))
    }

    fn evidence(
        &self,
        item: &Item,
        text: &Text,
        vector: &Vector,
        story: StoryId,
        nearness: &Nearness,
        copy: Option<(&Remembered, f32)>,
    ) -> Evidence {
        let members = self.memory.members(story, MEMBERS);
        let mut reasons = Vec::new();
        if let Some((original, likeness)) = copy {
            reasons.push(Reason::Copy { of: original.id, likeness });
        }
        if let Some((with, likeness)) = nearness.near_title {
            reasons.push(Reason::NearTitle { with, likeness });
        }
        let shared = vector.shared_with(members.iter().map(|m| &m.vector), 4);
        let terms: Vec<String> = shared.iter().filter_map(|term| text.written(*term)).collect();
        if !terms.is_empty() {
            reasons.push(Reason::Terms { terms });
        }
        if !nearness.other_numbers.is_empty() {
            reasons.push(Reason::OtherNumbers { numbers: nearness.other_numbers.clone() });
        }
        let mut outlets: Vec<&str> = members.iter().map(|m| m.outlet.as_str()).collect();
        outlets.sort();
        outlets.dedup();
        let gap = members.iter().map(|m| m.ranked_at.duration_since(item.ranked_at).abs().as_hours()).max();
        reasons.push(Reason::Company { outlets: outlets.len() as u32, hours: gap.unwrap_or(0) as u32 + 1 });
        Evidence { score: nearness.score.clamp(0.0, 1.0), needed: self.options.threshold, reasons }
    }
}

struct Found {
    joins: Option<StoryId>,
    evidence: Evidence,
    copy_of: Option<ItemId>,
    /// Stories that were near enough to be looked at again.
    near: Vec<StoryId>,
}

#[cfg(test)]
mod tests;
