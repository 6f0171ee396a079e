//! Constraints on storylines: they merge two storylines, move a story to another storyline, or split stories off.
//!
//! Each constraint identifies a story by its lead.

use super::super::{Error, Result, storyline_membership, storylines};
use super::{
    AppliedConstraint, ConstraintListResult, ConstraintRefusal, ConstraintResult, applied, between, finish, ids, insert,
};
use crate::domain::{ConstraintId, ConstraintKind, ItemId, Story, StoryId, Storyline, StorylineEvidence, StorylineId};
use crate::store::{ReadConnection, WriteConnection};
use jiff::Timestamp;

/// Merges two storylines permanently. The older ID is kept, and the other ID redirects to it.
pub fn merge_storylines(
    db: &WriteConnection,
    one: &Storyline,
    other: &Storyline,
    now: Timestamp,
) -> Result<ConstraintResult> {
    if one.id == other.id {
        return Ok(Err(ConstraintRefusal::SameStoryline(one.id)));
    }
    if let Some(against) = separating_storylines(db, &one.stories, &other.stories)? {
        return Ok(Err(ConstraintRefusal::Against(against)));
    }
    let older = (one.created_at, one.id) <= (other.created_at, other.id);
    let (into, from) = if older { (one, other) } else { (other, one) };
    Ok(Ok(move_stories(db, &from.stories, into, now)?))
}

/// Moves a story to another storyline permanently. Returns two constraints if the story leaves other stories. The first
/// constraint separates the story from those stories, because the next pass might otherwise merge the two storylines.
pub fn move_story(
    db: &WriteConnection,
    story: &Story,
    into: &Storyline,
    now: Timestamp,
) -> Result<ConstraintListResult> {
    if story.storyline == into.id {
        return Ok(Err(ConstraintRefusal::SameStoryline(into.id)));
    }
    let moved = std::slice::from_ref(story);
    if let Some(against) = separating_storylines(db, &into.stories, moved)? {
        return Ok(Err(ConstraintRefusal::Against(against)));
    }
    let from = storylines::get(db, story.storyline)?.ok_or_else(|| missing_storyline(story.storyline))?;
    let mut applied = Vec::new();
    if from.stories.len() > 1 {
        match split_storyline(db, &from, &[story.id], now)? {
            Ok(split) => applied.push(split),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    applied.push(move_stories(db, moved, into, now)?);
    Ok(Ok(applied))
}

/// Splits stories off a storyline permanently, into a new storyline.
pub fn split_storyline(
    db: &WriteConnection,
    storyline: &Storyline,
    moved: &[StoryId],
    now: Timestamp,
) -> Result<ConstraintResult> {
    if let Some(story) = moved.iter().find(|moved| storyline.stories.iter().all(|story| story.id != **moved)) {
        return Ok(Err(ConstraintRefusal::NotInStoryline { story: *story, storyline: storyline.id }));
    }
    let (moved, stayed): (Vec<&Story>, Vec<&Story>) =
        storyline.stories.iter().partition(|story| moved.contains(&story.id));
    let (Some(first), false) = (moved.first(), stayed.is_empty()) else {
        return Ok(Err(ConstraintRefusal::NoStoryStays(storyline.id)));
    };
    let (stayed_items, moved_items) = (all_ids(stayed.iter().copied()), all_ids(moved.iter().copied()));
    if let Some(against) = between(db, &stayed_items, &moved_items, &[ConstraintKind::StorylineMerge], false)? {
        return Ok(Err(ConstraintRefusal::Against(against)));
    }
    let (stayed, leads) = (leads(stayed), leads(moved.iter().copied()));
    let id = insert(db, ConstraintKind::StorylineSplit, now, &stayed, &leads)?;
    let new = storyline_membership::mint_id(db, first.id)?;
    storyline_membership::create(db, new, now)?;
    let evidence = StorylineEvidence { constraint: Some(id), ..StorylineEvidence::default() };
    moved.iter().try_for_each(|story| storyline_membership::move_story(db, story.id, new, &evidence))?;
    storyline_membership::enqueue_reviews(db, storyline.id)?;
    storyline_membership::enqueue_reviews(db, new)?;
    finish(db, id, moved.iter().map(|story| story.id), now)
}

/// Returns the active constraint that keeps stories of both lists in different storylines.
fn separating_storylines(db: &ReadConnection, one: &[Story], other: &[Story]) -> Result<Option<ConstraintId>> {
    between(db, &all_ids(one), &all_ids(other), &[ConstraintKind::StorylineSplit], true)
}

fn move_stories(db: &WriteConnection, moved: &[Story], into: &Storyline, now: Timestamp) -> Result<AppliedConstraint> {
    let id = insert(db, ConstraintKind::StorylineMerge, now, &leads(&into.stories), &leads(moved))?;
    let evidence = StorylineEvidence { constraint: Some(id), ..StorylineEvidence::default() };
    for story in moved {
        let from = storyline_membership::storyline_of(db, story.id)?;
        storyline_membership::move_story(db, story.id, into.id, &evidence)?;
        from.map_or(Ok(()), |from| storyline_membership::redirect(db, from, into.id))?;
    }
    applied(db, id, moved.iter().map(|story| story.id), now)
}

fn missing_storyline(id: StorylineId) -> Error {
    Error::Corrupt(format!("storyline {id} no longer exists"))
}

/// Returns the leads of stories. Constraints on storylines identify each story by its lead.
fn leads<'s>(stories: impl IntoIterator<Item = &'s Story>) -> Vec<ItemId> {
    stories.into_iter().filter_map(|story| story.lead().map(|lead| lead.item.id)).collect()
}

fn all_ids<'s>(stories: impl IntoIterator<Item = &'s Story>) -> Vec<ItemId> {
    stories.into_iter().flat_map(ids).collect()
}
