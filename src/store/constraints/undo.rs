//! Undoes a constraint: the items or stories that it moved return, unless another decision keeps them in place.

use super::super::{Result, stories, storyline_membership};
use super::{ConstraintRefusal, ConstraintResult, find, finish, move_items};
use crate::domain::{ConstraintId, ConstraintKind, GroupingConstraint, StoryId, StorylineEvidence, StorylineId};
use crate::store::WriteConnection;
use jiff::Timestamp;
use rusqlite::params;
use std::collections::BTreeSet;

/// Undoes a constraint. The items that the constraint moved return if possible, and later passes may group them freely.
pub fn undo(db: &WriteConnection, id: ConstraintId, now: Timestamp) -> Result<ConstraintResult> {
    let Some(constraint) = find(db, id)? else { return Ok(Err(ConstraintRefusal::Unknown(id))) };
    if constraint.undone_at.is_some() {
        return Ok(Err(ConstraintRefusal::Undone(id)));
    }
    db.execute("UPDATE grouping_constraint SET undone_at = ?2 WHERE id = ?1", params![id.0, now.as_millisecond()])?;
    if constraint.kind.is_on_storylines() {
        return return_to_storylines(db, &constraint, now);
    }
    let mut changed = BTreeSet::new();
    for item in constraint.moved {
        let previous: StoryId = db.one(
            "SELECT previous_story_id FROM grouping_constraint_item WHERE constraint_id = ?1 AND item_id = ?2",
            [id.0, item.0],
        )?;
        let Some(present) = stories::story_of_item(db, item)? else { continue };
        if constraint.kind == ConstraintKind::Merge {
            // The merged story becomes a separate story again.
            stories::restore(db, previous)?;
        }
        let exists = db.exists("SELECT 1 FROM story WHERE id = ?1 AND merged_into IS NULL", [previous.to_row()])?;
        if exists && present != previous {
            move_items(db, &[item], previous, id, now)?;
            changed.extend([previous, present]);
            stories::redirect(db, present, previous)?;
        }
    }
    finish(db, id, changed, now)
}

/// Undoes the moves of a constraint: each moved story goes back to its previous storyline, which becomes separate
/// again. A story that another active constraint has moved in the meantime stays where it is.
fn return_to_storylines(
    db: &WriteConnection,
    constraint: &GroupingConstraint,
    now: Timestamp,
) -> Result<ConstraintResult> {
    let mut changed = BTreeSet::new();
    for item in &constraint.moved {
        let previous: Option<StorylineId> = db.one(
            "SELECT previous_storyline_id FROM grouping_constraint_item WHERE constraint_id = ?1 AND item_id = ?2",
            [constraint.id.0, item.0],
        )?;
        let (Some(story), Some(previous)) = (stories::story_of_item(db, *item)?, previous) else { continue };
        if storyline_membership::operators_evidence(db, story)?.is_some() {
            continue;
        }
        let present = storyline_membership::storyline_of(db, story)?;
        if let Some(present) = present.filter(|present| *present != previous) {
            db.execute("UPDATE storyline SET merged_into = NULL WHERE id = ?1", [previous.to_row()])?;
            storyline_membership::move_story(db, story, previous, &StorylineEvidence::default())?;
            storyline_membership::redirect(db, present, previous)?;
            changed.insert(story);
        }
    }
    finish(db, constraint.id, changed, now)
}
