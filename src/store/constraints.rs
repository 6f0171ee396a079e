//! Grouping constraints: they apply immediately, are stored for later clustering passes, and can be undone.

mod storylines;
mod undo;

pub use storylines::{merge_storylines, move_story, split_storyline};
pub use undo::undo;

use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::json_list;
use super::{Error, Result, items, stories};
use crate::domain::{
    ConstraintId, ConstraintKind, GroupingConstraint, ItemId, JoinEvidence, JoinReason, Story, StoryId, StorylineId,
};
use jiff::Timestamp;
use rusqlite::params;

/// The reason why a constraint cannot be added or undone. The operator can correct the cause.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConstraintRefusal {
    #[error("both IDs refer to story {0}")]
    SameStory(StoryId),
    #[error("item {item} is not in story {story}; `newsfold story show {story}` lists its items")]
    NotInStory { item: ItemId, story: StoryId },
    #[error("item {0} has no story yet; wait until the daemon has assigned it")]
    NotPlaced(ItemId),
    #[error("these are all the items of story {0}; leave at least one item in it")]
    NothingStays(StoryId),
    #[error("specify two different items")]
    SameItem,
    #[error("both IDs refer to storyline {0}")]
    SameStoryline(StorylineId),
    #[error("story {story} is not in storyline {storyline}; `newsfold storyline show {storyline}` lists its stories")]
    NotInStoryline { story: StoryId, storyline: StorylineId },
    #[error("these are all the stories of storyline {0}; leave at least one story in it")]
    NoStoryStays(StorylineId),
    #[error("this conflicts with decision {0}; undo that decision first: `newsfold story undo {0}`")]
    Against(ConstraintId),
    #[error("there is no decision {0}; `newsfold story decisions` lists all decisions")]
    Unknown(ConstraintId),
    #[error("decision {0} is already undone")]
    Undone(ConstraintId),
}

/// A constraint that was added or undone, and the stories that lost their lead as a result.
#[derive(Debug)]
pub struct AppliedConstraint {
    pub constraint: GroupingConstraint,
    pub leaderless: Vec<Story>,
}

pub type ConstraintResult = std::result::Result<AppliedConstraint, ConstraintRefusal>;
/// The result of a command that may add several constraints.
pub type ConstraintListResult = std::result::Result<Vec<AppliedConstraint>, ConstraintRefusal>;

/// Merges two stories permanently. The ID of the oldest published story is kept, or else the older ID. The other ID
/// redirects to the kept ID.
pub fn merge_stories(db: &WriteConnection, one: &Story, other: &Story, now: Timestamp) -> Result<ConstraintResult> {
    if one.id == other.id {
        return Ok(Err(ConstraintRefusal::SameStory(one.id)));
    }
    let age = |story: &Story| (story.published_at.is_none(), story.created_at, story.id);
    let (into, from) = if age(one) <= age(other) { (one, other) } else { (other, one) };
    let (stayed, moved) = (ids(into), ids(from));
    let separating = [ConstraintKind::Split, ConstraintKind::CannotLink, ConstraintKind::StorylineSplit];
    if let Some(against) = between(db, &stayed, &moved, &separating, true)? {
        return Ok(Err(ConstraintRefusal::Against(against)));
    }
    let id = insert(db, ConstraintKind::Merge, now, &stayed, &moved)?;
    move_items(db, &moved, into.id, id, now)?;
    stories::redirect(db, from.id, into.id)?;
    finish(db, id, [into.id, from.id], now)
}

/// Splits items off a story permanently, into a new story. The other items keep the story's ID, even if its published
/// entry links to an item that leaves.
pub fn split_story(db: &WriteConnection, story: &Story, moved: &[ItemId], now: Timestamp) -> Result<ConstraintResult> {
    let all = ids(story);
    if let Some(item) = moved.iter().find(|item| !all.contains(item)) {
        return Ok(Err(ConstraintRefusal::NotInStory { item: *item, story: story.id }));
    }
    let moved: Vec<ItemId> = all.iter().copied().filter(|item| moved.contains(item)).collect();
    let stayed: Vec<ItemId> = all.into_iter().filter(|item| !moved.contains(item)).collect();
    if stayed.is_empty() {
        return Ok(Err(ConstraintRefusal::NothingStays(story.id)));
    }
    split_off(db, ConstraintKind::Split, &stayed, &moved, now)
}

/// Separates two items permanently. If both are in one story, the second item leaves it.
pub fn separate_items(db: &WriteConnection, one: ItemId, other: ItemId, now: Timestamp) -> Result<ConstraintResult> {
    if one == other {
        return Ok(Err(ConstraintRefusal::SameItem));
    }
    let Some(story_of_one) = stories::story_of_item(db, one)? else {
        return Ok(Err(ConstraintRefusal::NotPlaced(one)));
    };
    let Some(story_of_other) = stories::story_of_item(db, other)? else {
        return Ok(Err(ConstraintRefusal::NotPlaced(other)));
    };
    if story_of_one == story_of_other {
        return split_off(db, ConstraintKind::CannotLink, &[one], &[other], now);
    }
    let id = insert(db, ConstraintKind::CannotLink, now, &[one], &[other])?;
    finish(db, id, [], now)
}

const SELECT: &str = "SELECT id, kind, made_at, undone_at,
    (SELECT json_group_array(item_id ORDER BY item_id) FROM grouping_constraint_item
     WHERE constraint_id = grouping_constraint.id AND side = 0) AS stayed,
    (SELECT json_group_array(item_id ORDER BY item_id) FROM grouping_constraint_item
     WHERE constraint_id = grouping_constraint.id AND side = 1) AS moved
    FROM grouping_constraint";

/// Returns all constraints, newest first.
pub fn list(db: &ReadConnection) -> Result<Vec<GroupingConstraint>> {
    db.all(&format!("{SELECT} ORDER BY id DESC"), [])
}

/// Returns the active constraints on items of a story.
pub fn active_in_story(db: &ReadConnection, story: StoryId) -> Result<Vec<GroupingConstraint>> {
    let sql = format!(
        "{SELECT} WHERE undone_at IS NULL AND id IN (
             SELECT constraint_id FROM grouping_constraint_item JOIN item ON item.id = item_id WHERE story_id = ?1)
         ORDER BY id"
    );
    db.all(&sql, [story.to_row()])
}

/// Returns the active constraints on storylines that concern a story of this storyline.
pub fn active_in_storyline(db: &ReadConnection, storyline: StorylineId) -> Result<Vec<GroupingConstraint>> {
    let sql = format!(
        "{SELECT} WHERE undone_at IS NULL AND kind IN (SELECT value FROM json_each(?2)) AND id IN (
             SELECT constraint_id FROM grouping_constraint_item JOIN item ON item.id = item_id
             JOIN story ON story.id = story_id WHERE storyline_id = ?1)
         ORDER BY id"
    );
    let kinds = json_list(&[ConstraintKind::StorylineMerge, ConstraintKind::StorylineSplit]);
    db.all(&sql, params![storyline.to_row(), kinds])
}

/// Returns the active constraints on storylines.
pub fn active_on_storylines(db: &ReadConnection) -> Result<Vec<GroupingConstraint>> {
    let kinds = json_list(&[ConstraintKind::StorylineMerge, ConstraintKind::StorylineSplit]);
    let sql = format!("{SELECT} WHERE undone_at IS NULL AND kind IN (SELECT value FROM json_each(?1)) ORDER BY id");
    db.all(&sql, [kinds])
}

/// Returns the active constraints on items first seen since a given time, for the clusterer.
pub fn active_since(db: &ReadConnection, since: Timestamp) -> Result<Vec<GroupingConstraint>> {
    let sql = format!(
        "{SELECT} WHERE undone_at IS NULL AND EXISTS (
             SELECT 1 FROM grouping_constraint_item JOIN item ON item.id = item_id
             WHERE constraint_id = grouping_constraint.id AND first_seen_at >= ?1)
         ORDER BY id"
    );
    db.all(&sql, [since.as_millisecond()])
}

/// Returns the version of the constraints, which increases whenever a constraint is added or undone.
pub fn version(db: &ReadConnection) -> Result<i64> {
    db.one("SELECT count(*) + count(undone_at) FROM grouping_constraint", [])
}

/// Fails with [`Error::Outdated`] if the constraints have changed since `version`.
pub fn expect_version(db: &ReadConnection, version: i64) -> Result<()> {
    if self::version(db)? == version { Ok(()) } else { Err(Error::Outdated) }
}

/// Moves items from their story to a new story.
fn split_off(
    db: &WriteConnection,
    kind: ConstraintKind,
    stayed: &[ItemId],
    moved: &[ItemId],
    now: Timestamp,
) -> Result<ConstraintResult> {
    if let Some(against) = between(db, stayed, moved, &[ConstraintKind::Merge], false)? {
        return Ok(Err(ConstraintRefusal::Against(against)));
    }
    let missing = || Error::Corrupt("a story holds an item that is not stored".into());
    let old = moved.first().map(|item| stories::story_of_item(db, *item)).transpose()?.flatten().ok_or_else(missing)?;
    let first_item = moved.first().map(|item| items::get(db, *item)).transpose()?.flatten().ok_or_else(missing)?;
    let new = stories::mint_id(db, &first_item, |_| false)?;
    let id = insert(db, kind, now, stayed, moved)?;
    stories::create(db, new, first_item.id, now)?;
    move_items(db, moved, new, id, now)?;
    finish(db, id, [old, new], now)
}

fn ids(story: &Story) -> Vec<ItemId> {
    story.items.iter().map(|report| report.item.id).collect()
}

/// Returns an active constraint of one of these kinds with an item in each list, on different sides if `opposed` is
/// set.
fn between(
    db: &ReadConnection,
    one: &[ItemId],
    other: &[ItemId],
    kinds: &[ConstraintKind],
    opposed: bool,
) -> Result<Option<ConstraintId>> {
    db.first(
        "SELECT id FROM grouping_constraint_item AS ours
         JOIN grouping_constraint ON id = ours.constraint_id
         JOIN grouping_constraint_item AS theirs ON theirs.constraint_id = id
         WHERE ours.item_id IN (SELECT value FROM json_each(?1)) AND theirs.item_id IN (SELECT value FROM json_each(?2))
         AND kind IN (SELECT value FROM json_each(?3)) AND undone_at IS NULL AND (NOT ?4 OR ours.side <> theirs.side)
         ORDER BY id LIMIT 1",
        params![json_list(one), json_list(other), json_list(kinds), opposed],
    )
}

fn insert(
    db: &WriteConnection,
    kind: ConstraintKind,
    now: Timestamp,
    stayed: &[ItemId],
    moved: &[ItemId],
) -> Result<ConstraintId> {
    db.execute(
        "INSERT INTO grouping_constraint (kind, made_at) VALUES (?1, ?2)",
        params![kind.into_str(), now.as_millisecond()],
    )?;
    let id = db.last_insert_rowid();
    for (items, side) in [(stayed, 0), (moved, 1)] {
        db.execute(
            "INSERT INTO grouping_constraint_item
                 (constraint_id, item_id, side, previous_story_id, previous_storyline_id)
             SELECT ?1, item.id, ?3, story_id, storyline_id FROM item JOIN story ON story.id = story_id
             WHERE item.id IN (SELECT value FROM json_each(?2))",
            params![id, json_list(items), side],
        )?;
    }
    Ok(ConstraintId(id))
}

fn move_items(db: &WriteConnection, items: &[ItemId], into: StoryId, id: ConstraintId, now: Timestamp) -> Result<()> {
    let evidence =
        JoinEvidence { score: 1.0, threshold: 0.0, reasons: vec![JoinReason::Constrained { constraint: id }] };
    items.iter().try_for_each(|item| stories::move_item(db, *item, into, &evidence, now))
}

fn finish(
    db: &WriteConnection,
    id: ConstraintId,
    changed: impl IntoIterator<Item = StoryId>,
    now: Timestamp,
) -> Result<ConstraintResult> {
    Ok(Ok(applied(db, id, changed, now)?))
}

fn applied(
    db: &WriteConnection,
    id: ConstraintId,
    changed: impl IntoIterator<Item = StoryId>,
    now: Timestamp,
) -> Result<AppliedConstraint> {
    let leaderless = stories::mark_updated(db, changed.into_iter().collect(), now)?;
    let constraint = find(db, id)?.ok_or_else(|| Error::Corrupt(format!("decision {id} no longer exists")))?;
    Ok(AppliedConstraint { constraint, leaderless })
}

fn find(db: &ReadConnection, id: ConstraintId) -> Result<Option<GroupingConstraint>> {
    db.first(&format!("{SELECT} WHERE id = ?1"), [id.0])
}
