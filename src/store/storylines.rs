//! Storylines with their stories, and the operator's constraints on them.

use super::connection::ReadConnection;
use super::{Result, stories};
use crate::domain::{ConstraintKind, GroupingConstraint, ItemId, StoryId, Storyline, StorylineId};
use jiff::Timestamp;
use serde::Deserialize;

/// A storyline by its id. A merged storyline has no stories.
pub fn get(db: &ReadConnection, id: StorylineId) -> Result<Option<Storyline>> {
    #[derive(Deserialize)]
    struct Row {
        created_at: Timestamp,
        merged_into: Option<StorylineId>,
    }
    let row: Option<Row> = db.first("SELECT created_at, merged_into FROM storyline WHERE id = ?1", [id.to_row()])?;
    let Some(Row { created_at, merged_into }) = row else { return Ok(None) };
    let stories = stories::load(db, story_ids(db, id)?)?;
    Ok(Some(Storyline { id, created_at, merged_into, stories }))
}

/// The stories of a storyline, ordered by the time of their creation.
pub fn story_ids(db: &ReadConnection, id: StorylineId) -> Result<Vec<StoryId>> {
    db.all(
        "SELECT id FROM story WHERE storyline_id = ?1 AND merged_into IS NULL ORDER BY created_at, id",
        [id.to_row()],
    )
}

/// The storylines with the most recent changes that have at least this number of stories, most recent first.
pub fn recent(db: &ReadConnection, min_stories: u32, limit: u32) -> Result<Vec<Storyline>> {
    let ids: Vec<StorylineId> = db.all(
        "SELECT storyline_id FROM story WHERE merged_into IS NULL
         GROUP BY storyline_id HAVING count(*) >= ?1 ORDER BY max(updated_at) DESC, storyline_id LIMIT ?2",
        [min_stories, limit],
    )?;
    ids.into_iter().filter_map(|id| get(db, id).transpose()).collect()
}

/// At most two storylines in a range of ids, which suffices to decide whether a prefix is ambiguous.
pub fn find_in_id_range(db: &ReadConnection, rows: std::ops::RangeInclusive<i64>) -> Result<Vec<StorylineId>> {
    db.all("SELECT id FROM storyline WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 2", [*rows.start(), *rows.end()])
}

/// The stories on both sides of a constraint on storylines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorylineConstraint {
    pub kind: ConstraintKind,
    pub stayed: Vec<StoryId>,
    pub moved: Vec<StoryId>,
}

/// The stories that now contain the items of constraints on storylines.
pub fn constraints_on_stories(db: &ReadConnection, all: &[GroupingConstraint]) -> Result<Vec<StorylineConstraint>> {
    let stories = |items: &[ItemId]| {
        let found = items.iter().filter_map(|item| stories::story_of_item(db, *item).transpose());
        found.collect::<Result<Vec<StoryId>>>()
    };
    let on_storylines = all.iter().filter(|constraint| constraint.kind.is_on_storylines());
    on_storylines
        .map(|constraint| {
            let (stayed, moved) = (stories(&constraint.stayed)?, stories(&constraint.moved)?);
            Ok(StorylineConstraint { kind: constraint.kind, stayed, moved })
        })
        .collect()
}
