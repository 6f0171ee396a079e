//! Describes the operator's grouping constraints.

use crate::domain::{ConstraintKind, GroupingConstraint, ItemId};

/// Describes a constraint: `decision 3: items 4, 5 belong with items 1, 2`.
pub fn constraint_text(constraint: &GroupingConstraint) -> String {
    let list = |items: &[ItemId]| items.iter().map(ItemId::to_string).collect::<Vec<_>>().join(", ");
    let (id, moved, stayed) = (constraint.id, list(&constraint.moved), list(&constraint.stayed));
    match constraint.kind {
        ConstraintKind::Merge => format!("decision {id}: items {moved} belong with items {stayed}"),
        ConstraintKind::Split => {
            format!("decision {id}: items {moved} belong to a different story from items {stayed}")
        }
        ConstraintKind::CannotLink => {
            format!("decision {id}: items {stayed} and {moved} must stay in separate stories")
        }
        ConstraintKind::StorylineMerge => {
            format!("decision {id}: the stories of items {moved} belong to the storyline of items {stayed}")
        }
        ConstraintKind::StorylineSplit => {
            format!(
                "decision {id}: the stories of items {moved} belong to a different storyline from those of items {stayed}"
            )
        }
    }
}
