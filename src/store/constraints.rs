//! Grouping constraints: applied at once, stored for every later clustering pass, and undone on request.

use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, maybe_time, time, word};
use super::stories::{self, ChooseLead};
use super::{Error, Result, items, publication};
use crate::domain::{
    ConstraintId, ConstraintKind, GroupingConstraint, ItemId, JoinEvidence, JoinReason, Story, StoryId,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;

/// Why a constraint cannot be added or undone. The operator can correct it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConstraintRefusal {
    #[error("both are story {0} already")]
    SameStory(StoryId),
    #[error("item {item} is not in story {story}; `newsfold story show {story}` lists its items")]
    NotInStory { item: ItemId, story: StoryId },
    #[error("item {0} has no story yet; the daemon assigns it")]
    NotPlaced(ItemId),
    #[error("these are all items of story {0}; leave at least one in it")]
    NothingStays(StoryId),
    #[error("name two different items")]
    SameItem,
    #[error("decision {0} conflicts with this; undo it first: `newsfold story undo {0}`")]
    Against(ConstraintId),
    #[error("there is no decision {0}; `newsfold story decisions` lists them")]
    Unknown(ConstraintId),
    #[error("decision {0} is already undone")]
    Undone(ConstraintId),
}

pub type Decided = std::result::Result<GroupingConstraint, ConstraintRefusal>;

/// Merges two stories permanently. The older id is kept; the other one redirects.
pub fn merge_stories(
    db: &WriteConnection,
    one: &Story,
    other: &Story,
    now: Timestamp,
    lead: ChooseLead<'_>,
) -> Result<Decided> {
    if one.id == other.id {
        return Ok(Err(ConstraintRefusal::SameStory(one.id)));
    }
    let older = (one.created_at, one.id) <= (other.created_at, other.id);
    let (into, from) = if older { (one, other) } else { (other, one) };
    let (stayed, moved) = (ids(into), ids(from));
    if let Some(against) = between(db, &stayed, &moved, &[ConstraintKind::Split, ConstraintKind::CannotLink], true)? {
        return Ok(Err(ConstraintRefusal::Against(against)));
    }
    let decision = record(db, ConstraintKind::Merge, now, &stayed, &moved)?;
    carry(db, &moved, into.id, decision, now)?;
    stories::redirect(db, from.id, into.id)?;
    finish(db, [into.id, from.id], now, lead)?;
    Ok(Ok(get(db, decision)?))
}

/// Splits items off a story permanently, into a new story.
pub fn split_story(
    db: &WriteConnection,
    story: &Story,
    moved: &[ItemId],
    now: Timestamp,
    lead: ChooseLead<'_>,
) -> Result<Decided> {
    let all = ids(story);
    if let Some(item) = moved.iter().find(|item| !all.contains(item)) {
        return Ok(Err(ConstraintRefusal::NotInStory { item: *item, story: story.id }));
    }
    let moved: Vec<ItemId> = all.iter().copied().filter(|item| moved.contains(item)).collect();
    let stayed: Vec<ItemId> = all.into_iter().filter(|item| !moved.contains(item)).collect();
    if stayed.is_empty() {
        return Ok(Err(ConstraintRefusal::NothingStays(story.id)));
    }
    leave(db, ConstraintKind::Split, story, &stayed, &moved, now, lead)
}

/// Separates two items permanently. If they are in one story, the second one leaves it.
pub fn separate_items(
    db: &WriteConnection,
    one: ItemId,
    other: ItemId,
    now: Timestamp,
    lead: ChooseLead<'_>,
) -> Result<Decided> {
    if one == other {
        return Ok(Err(ConstraintRefusal::SameItem));
    }
    let mut homes = Vec::new();
    for item in [one, other] {
        match stories::story_of_item(db, item)?.map(|id| stories::get(db, id)).transpose()?.flatten() {
            Some(story) => homes.push(story),
            None => return Ok(Err(ConstraintRefusal::NotPlaced(item))),
        }
    }
    if homes[0].id == homes[1].id {
        return leave(db, ConstraintKind::CannotLink, &homes[0], &[one], &[other], now, lead);
    }
    let decision = record(db, ConstraintKind::CannotLink, now, &[one], &[other])?;
    Ok(Ok(get(db, decision)?))
}

/// Undoes a constraint. The items that it moved return if possible, and later passes may group them freely.
pub fn undo(db: &WriteConnection, id: ConstraintId, now: Timestamp, lead: ChooseLead<'_>) -> Result<Decided> {
    let Some(decision) = maybe(db, id)? else { return Ok(Err(ConstraintRefusal::Unknown(id))) };
    if decision.undone_at.is_some() {
        return Ok(Err(ConstraintRefusal::Undone(id)));
    }
    db.execute("UPDATE grouping_constraint SET undone_at = ?2 WHERE id = ?1", params![id.0, now.as_millisecond()])?;
    let mut touched = BTreeSet::new();
    for item in &decision.moved {
        let before: i64 = db
            .prepare_cached(
                "SELECT previous_story_id FROM grouping_constraint_item WHERE constraint_id = ?1 AND item_id = ?2",
            )?
            .query_row([id.0, item.0], |row| row.get(0))?;
        let before = StoryId::from_row(before);
        let Some(now_in) = stories::story_of_item(db, *item)? else { continue };
        if decision.kind == ConstraintKind::Merge {
            // The merged story becomes a story of its own again.
            db.execute("UPDATE story SET merged_into = NULL WHERE id = ?1", [before.to_row()])?;
        }
        let stands = stories::get(db, before)?.is_some_and(|story| story.merged_into.is_none());
        if stands && now_in != before {
            carry(db, &[*item], before, id, now)?;
            touched.extend([before, now_in]);
            stories::redirect(db, now_in, before)?;
        }
    }
    finish(db, touched, now, lead)?;
    Ok(Ok(get(db, id)?))
}

/// All constraints, newest first.
pub fn list(db: &ReadConnection) -> Result<Vec<GroupingConstraint>> {
    let ids = collect(&mut *db.prepare_cached("SELECT id FROM grouping_constraint ORDER BY id DESC")?, [], |row| {
        Ok(row.get(0)?)
    })?;
    ids.into_iter().map(|id| get(db, ConstraintId(id))).collect()
}

/// The active constraints on items of a story.
pub fn active_in_story(db: &ReadConnection, story: StoryId) -> Result<Vec<GroupingConstraint>> {
    let sql = "SELECT DISTINCT grouping_constraint.id FROM grouping_constraint JOIN grouping_constraint_item ON constraint_id = grouping_constraint.id
               JOIN item ON item.id = item_id WHERE item.story_id = ?1 AND undone_at IS NULL ORDER BY grouping_constraint.id";
    let ids = collect(&mut *db.prepare_cached(sql)?, [story.to_row()], |row| Ok(row.get(0)?))?;
    ids.into_iter().map(|id| get(db, ConstraintId(id))).collect()
}

/// The active constraints on items first seen since a time, as the clusterer needs them.
pub fn active_since(db: &ReadConnection, since: Timestamp) -> Result<Vec<GroupingConstraint>> {
    let sql = "SELECT DISTINCT grouping_constraint.id FROM grouping_constraint JOIN grouping_constraint_item ON constraint_id = grouping_constraint.id
               JOIN item ON item.id = item_id WHERE undone_at IS NULL AND first_seen_at >= ?1 ORDER BY grouping_constraint.id";
    let ids = collect(&mut *db.prepare_cached(sql)?, [since.as_millisecond()], |row| Ok(row.get(0)?))?;
    ids.into_iter().map(|id| get(db, ConstraintId(id))).collect()
}

/// A version that increases whenever a constraint is added or undone.
pub fn version(db: &ReadConnection) -> Result<i64> {
    let sql = "SELECT count(*) + count(undone_at) FROM grouping_constraint";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Fails with [`Error::Outdated`] if the constraints changed since `version`.
pub fn expect_version(db: &ReadConnection, version: i64) -> Result<()> {
    if self::version(db)? == version { Ok(()) } else { Err(Error::Outdated) }
}

fn leave(
    db: &WriteConnection,
    kind: ConstraintKind,
    story: &Story,
    stayed: &[ItemId],
    moved: &[ItemId],
    now: Timestamp,
    lead: ChooseLead<'_>,
) -> Result<Decided> {
    if let Some(against) = between(db, stayed, moved, &[ConstraintKind::Merge], false)? {
        return Ok(Err(ConstraintRefusal::Against(against)));
    }
    let founder = moved.first().map(|item| items::get(db, *item)).transpose()?.flatten();
    let founder = founder.ok_or_else(|| Error::Corrupt("a story holds an item that is not stored".into()))?;
    let new = stories::mint_id(db, &founder, |_| false)?;
    let decision = record(db, kind, now, stayed, moved)?;
    stories::create(db, new, founder.id, now)?;
    carry(db, moved, new, decision, now)?;
    finish(db, [story.id, new], now, lead)?;
    Ok(Ok(get(db, decision)?))
}

fn ids(story: &Story) -> Vec<ItemId> {
    story.items.iter().map(|report| report.item.id).collect()
}

/// An active constraint of one of these kinds with items in both lists: on different sides if `opposed`, else on any.
fn between(
    db: &ReadConnection,
    one: &[ItemId],
    other: &[ItemId],
    kinds: &[ConstraintKind],
    opposed: bool,
) -> Result<Option<ConstraintId>> {
    let sql = "SELECT grouping_constraint.id, kind, side FROM grouping_constraint JOIN grouping_constraint_item ON constraint_id = grouping_constraint.id
               WHERE item_id = ?1 AND undone_at IS NULL";
    let sides = |items: &[ItemId]| -> Result<BTreeSet<(i64, i64)>> {
        let mut found = BTreeSet::new();
        for item in items {
            found.extend(collect(&mut *db.prepare_cached(sql)?, [item.0], |row| {
                let kind = word(&row.get::<_, String>(1)?)?;
                Ok((row.get::<_, i64>(0)?, kind, row.get::<_, i64>(2)?))
            })?);
        }
        Ok(found.into_iter().filter(|(_, kind, _)| kinds.contains(kind)).map(|(id, _, side)| (id, side)).collect())
    };
    let (ours, theirs) = (sides(one)?, sides(other)?);
    let meets = |(id, side): &&(i64, i64)| theirs.iter().any(|(i, s)| i == id && (!opposed || s != side));
    Ok(ours.iter().find(meets).map(|(id, _)| ConstraintId(*id)))
}

fn record(
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
    let sql = "INSERT INTO grouping_constraint_item (constraint_id, item_id, side, previous_story_id)
               SELECT ?1, id, ?3, story_id FROM item WHERE id = ?2";
    for (items, side) in [(stayed, 0), (moved, 1)] {
        for item in items {
            db.execute(sql, params![id, item.0, side])?;
        }
    }
    Ok(ConstraintId(id))
}

fn carry(db: &WriteConnection, items: &[ItemId], into: StoryId, decision: ConstraintId, now: Timestamp) -> Result<()> {
    let evidence =
        JoinEvidence { score: 1.0, threshold: 0.0, reasons: vec![JoinReason::Constrained { constraint: decision }] };
    items.iter().try_for_each(|item| stories::move_item(db, *item, into, &evidence, now))
}

fn finish(
    db: &WriteConnection,
    touched: impl IntoIterator<Item = StoryId>,
    now: Timestamp,
    lead: ChooseLead<'_>,
) -> Result<()> {
    stories::settle_changed(db, touched.into_iter().collect(), now, lead)?;
    publication::touch(db)
}

fn get(db: &ReadConnection, id: ConstraintId) -> Result<GroupingConstraint> {
    maybe(db, id)?.ok_or_else(|| Error::Corrupt(format!("decision {id} is gone")))
}

fn maybe(db: &ReadConnection, id: ConstraintId) -> Result<Option<GroupingConstraint>> {
    let row = db
        .prepare_cached("SELECT kind, made_at, undone_at FROM grouping_constraint WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?)))
        .optional()?;
    let Some((kind, made_at, undone_at)) = row else { return Ok(None) };
    let sql = "SELECT item_id, side FROM grouping_constraint_item WHERE constraint_id = ?1 ORDER BY item_id";
    let items = collect(&mut *db.prepare_cached(sql)?, [id.0], |row| Ok((ItemId(row.get(0)?), row.get::<_, i64>(1)?)))?;
    let side = |wanted: i64| items.iter().filter(|(_, side)| *side == wanted).map(|(item, _)| *item).collect();
    Ok(Some(GroupingConstraint {
        id,
        kind: word(&kind)?,
        made_at: time(made_at)?,
        undone_at: maybe_time(undone_at)?,
        stayed: side(0),
        moved: side(1),
    }))
}
