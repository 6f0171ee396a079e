//! The operator's decisions taken in, and why two items are, or are not, together.

use super::pair_features::{BloomPrefilter, FEATURE_NAMES, LocalDensity, SharedTerm, features};
use super::window::{Constraint, IndexedItem};
use super::{Clusterer, agglomerative, candidates, sigmoid};
use crate::domain::{ConstraintKind, GroupingConstraint, ItemId};
use serde::Serialize;

/// How two items stand to each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairExplanation {
    /// The judged chance, 0 to 1, that both report one event. A story may still hold both, by way of others.
    pub score: f32,
    pub needed: f32,
    /// The terms that both hold, the rarest first.
    pub shared: Vec<String>,
    /// The rarest terms of each title that the other item lacks.
    pub only_one: Vec<String>,
    pub only_other: Vec<String>,
    /// What spoke for one event and what against it, in log-odds against the mean pair, the strongest first.
    pub spoke: Vec<(&'static str, f32)>,
    /// A rule that keeps them apart, whatever the score.
    pub rule: Option<&'static str>,
    pub hours_apart: f32,
}

/// Terms that are named in each list.
const MAX_NAMED_TERMS: usize = 6;

impl Clusterer {
    /// Keeps to a decision from now on. Items that are not remembered are passed over.
    pub fn add_constraint(&mut self, decision: &GroupingConstraint) {
        let id = decision.id.0;
        for (side, items) in [(0, &decision.stayed), (1, &decision.moved)] {
            for item in items {
                let Some(place) = self.window.place_of(*item) else { continue };
                let tags = self.window.tags.entry(*item).or_default();
                match decision.kind {
                    ConstraintKind::Merge => tags.push(Constraint::MustLink(id)),
                    ConstraintKind::CannotLink => tags.push(Constraint::CannotLink(id, side)),
                    ConstraintKind::Split => {
                        tags.push(Constraint::CannotLink(id, side));
                        if side == 1 {
                            tags.push(Constraint::MustLink(id));
                        }
                    }
                }
                self.fresh.push(place);
            }
        }
    }

    /// Why two items are, or are not, together; nothing where one of them is not remembered.
    pub fn explain(&self, one: ItemId, other: ItemId) -> Option<PairExplanation> {
        let a = self.window.at(self.window.place_of(one)?)?;
        let b = self.window.at(self.window.place_of(other)?)?;
        let crowds = [LocalDensity::of(&a.near), LocalDensity::of(&b.near)];
        let mut both: Vec<SharedTerm> = Vec::new();
        let cosine = BloomPrefilter::new(&a.terms).overlap(&b.terms, &mut both);
        let features = features((a, b), cosine, &both, candidates::company(&a.near, &b.near), crowds);
        let mut spoke: Vec<(&'static str, f32)> = FEATURE_NAMES
            .iter()
            .copied()
            .zip(self.model.parts(&features))
            .filter(|(_, part)| part.abs() >= 0.05)
            .collect();
        spoke.sort_by(|x, y| y.1.abs().total_cmp(&x.1.abs()));
        let (tags, others) = (self.window.tags(one), self.window.tags(other));
        let rule = if agglomerative::apart(tags, others) {
            Some("the operator set them apart")
        } else if candidates::is_cannot_link(a, b) {
            Some("their numbers differ where the rest is the same: they are two of a series")
        } else {
            None
        };
        Some(PairExplanation {
            score: sigmoid(self.model.score(&features)),
            needed: self.options.threshold,
            shared: self.rarest(a, |entry, _| b.holds(entry)),
            only_one: self.rarest(a, |entry, in_title| in_title && !b.holds(entry)),
            only_other: self.rarest(b, |entry, in_title| in_title && !a.holds(entry)),
            spoke,
            rule,
            hours_apart: (a.ranked_at - b.ranked_at).unsigned_abs() as f32 / 3600.0,
        })
    }

    fn rarest(&self, item: &IndexedItem, which: impl Fn(u32, bool) -> bool) -> Vec<String> {
        let mut terms: Vec<_> = item.terms.iter().filter(|term| which(term.entry, term.in_title())).collect();
        terms.sort_by(|x, y| y.rarity.cmp(&x.rarity).then(x.entry.cmp(&y.entry)));
        terms.iter().take(MAX_NAMED_TERMS).map(|term| self.window.vocabulary.written(term.entry).to_owned()).collect()
    }
}
