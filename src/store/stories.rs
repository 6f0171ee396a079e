//! Stories: their items and the evidence for each, their publication, and lists of stories.

use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{EMBEDDING, HEADLINE_COLUMNS, ITEM_COLUMNS, OUTLET, column, from_row, json_list, to_json};
use super::{Error, Result, publication, storyline_membership};
use crate::domain::{
    AssignedItem, Item, ItemId, JoinEvidence, Story, StoryAssignment, StoryId, StoryItem, StoryPlacement,
    StoryRegrouping, StorylineId,
};
use jiff::Timestamp;
use rusqlite::{Row, params};
use std::collections::BTreeSet;

/// Returns an unused ID for a story that this item starts. The ID depends only on the contents of the database.
pub fn mint_id(db: &ReadConnection, first_item: &Item, taken: impl Fn(StoryId) -> bool) -> Result<StoryId> {
    for attempt in 0.. {
        let id = StoryId::mint(&first_item.source_url, &first_item.guid, attempt);
        if !taken(id) && !db.exists("SELECT 1 FROM story WHERE id = ?1", [id.to_row()])? {
            return Ok(id);
        }
    }
    Err(Error::Corrupt("all story IDs are taken".into()))
}

/// Records assignments of items in the order of the decisions.
pub fn assign_items(db: &WriteConnection, assignments: &[StoryAssignment], now: Timestamp) -> Result<()> {
    assignments.iter().try_for_each(|assignment| assign(db, assignment, now))?;
    publication::touch(db)
}

/// Records an assignment. An item that already has a story remains in that story.
fn assign(db: &WriteConnection, assignment: &StoryAssignment, now: Timestamp) -> Result<()> {
    if assignment.placement == StoryPlacement::Created {
        create(db, assignment.story, assignment.item, now)?;
    }
    let (story, now) = (assignment.story.to_row(), now.as_millisecond());
    db.execute(
        "UPDATE item SET story_id = ?2, evidence = ?4, assigned_at = ?5,
             copy_of = (SELECT coalesce(original.copy_of, original.id) FROM item AS original
                        WHERE original.id = ?3 AND original.story_id = ?2)
         WHERE id = ?1 AND story_id IS NULL",
        params![assignment.item.0, story, assignment.copy_of.map(|i| i.0), to_json(&assignment.evidence)?, now],
    )?;
    db.execute("UPDATE story SET updated_at = max(updated_at, ?2) WHERE id = ?1", params![story, now])?;
    Ok(())
}

/// Applies a reclustering and returns the stories that lost their lead. Publication dates are unchanged.
pub fn apply_regrouping(db: &WriteConnection, regrouped: &StoryRegrouping, now: Timestamp) -> Result<Vec<Story>> {
    for created in &regrouped.created {
        create(db, created.story, created.first_item, now)?;
    }
    let mut touched = BTreeSet::new();
    for moved in &regrouped.moved {
        let evidence = operators_evidence(db, moved.item)?.unwrap_or_else(|| moved.evidence.clone());
        move_item(db, moved.item, moved.into, &evidence, now)?;
        if let Some(original) = moved.copy_of {
            set_copy_of(db, moved.item, Some(original))?;
        }
        touched.extend([moved.from, moved.into]);
    }
    for merge in &regrouped.merged {
        redirect(db, merge.from, merge.into)?;
    }
    mark_updated(db, touched, now)
}

/// Creates a story without items, in its own storyline.
pub(super) fn create(db: &WriteConnection, story: StoryId, by: ItemId, now: Timestamp) -> Result<()> {
    let storyline = storyline_membership::mint_id(db, story)?;
    storyline_membership::create(db, storyline, now)?;
    db.execute(
        "INSERT INTO story (id, created_at, updated_at, lead_item_id, storyline_id) VALUES (?1, ?2, ?2, ?3, ?4)",
        params![story.to_row(), now.as_millisecond(), by.0, storyline.to_row()],
    )?;
    Ok(())
}

pub(super) fn move_item(
    db: &WriteConnection,
    item: ItemId,
    into: StoryId,
    evidence: &JoinEvidence,
    now: Timestamp,
) -> Result<()> {
    db.execute(
        "UPDATE item SET story_id = ?2, evidence = ?3, assigned_at = ?4 WHERE id = ?1",
        params![item.0, into.to_row(), to_json(evidence)?, now.as_millisecond()],
    )?;
    Ok(())
}

/// Returns the evidence of an item that an active constraint has placed. The evidence refers to the constraint even
/// after later moves.
fn operators_evidence(db: &ReadConnection, item: ItemId) -> Result<Option<JoinEvidence>> {
    let sql = "SELECT evidence FROM item, json_each(evidence, '$.reasons') JOIN grouping_constraint AS placed_by
                   ON placed_by.id = value ->> '$.constrained.constraint'
               WHERE item.id = ?1 AND undone_at IS NULL";
    Ok(db.map(sql, [item.0], |row| column(row, "evidence"))?.pop())
}

fn set_copy_of(db: &WriteConnection, item: ItemId, original: Option<ItemId>) -> Result<()> {
    db.execute("UPDATE item SET copy_of = ?2 WHERE id = ?1", params![item.0, original.map(|original| original.0)])?;
    Ok(())
}

/// Redirects a story, and all stories that redirect to it, to another story. A story that still contains items outside
/// the clusterer's window is kept. The storyline of a story also redirects if it contained only that story.
pub(super) fn redirect(db: &WriteConnection, from: StoryId, into: StoryId) -> Result<()> {
    db.execute(
        "UPDATE story SET merged_into = ?2 WHERE (id = ?1 OR merged_into = ?1)
         AND NOT EXISTS (SELECT 1 FROM item WHERE story_id = ?1)",
        [from.to_row(), into.to_row()],
    )?;
    match (storyline_membership::storyline_of(db, from)?, storyline_membership::storyline_of(db, into)?) {
        (Some(from), Some(into)) => storyline_membership::redirect(db, from, into),
        _ => Ok(()),
    }
}

/// Makes a merged story, and its storyline if that was merged as well, separate again.
pub(super) fn restore(db: &WriteConnection, story: StoryId) -> Result<()> {
    db.execute("UPDATE story SET merged_into = NULL WHERE id = ?1", [story.to_row()])?;
    db.execute(
        "UPDATE storyline SET merged_into = NULL WHERE id = (SELECT storyline_id FROM story WHERE story.id = ?1)",
        [story.to_row()],
    )?;
    Ok(())
}

/// Marks stories as updated and returns the stories that lost their lead.
pub(super) fn mark_updated(db: &WriteConnection, stories: BTreeSet<StoryId>, now: Timestamp) -> Result<Vec<Story>> {
    publication::touch(db)?;
    let sql = "UPDATE story SET updated_at = max(updated_at, ?2) WHERE id = ?1";
    for story in &stories {
        db.execute(sql, [story.to_row(), now.as_millisecond()])?;
    }
    let mut leaderless = load(db, stories)?;
    for story in &mut leaderless {
        for (item, original) in story.corrected_copies() {
            set_copy_of(db, item, original)?;
            story.items.iter_mut().filter(|i| i.item.id == item).for_each(|i| i.copy_of = original);
        }
    }
    leaderless.retain(|story| story.items.iter().all(|report| report.item.id != story.lead));
    Ok(leaderless)
}

pub fn set_lead(db: &WriteConnection, story: StoryId, lead: ItemId) -> Result<()> {
    db.execute("UPDATE story SET lead_item_id = ?2 WHERE id = ?1", [story.to_row(), lead.0])?;
    Ok(())
}

/// Publishes a story with its lead and its date. The date never changes afterwards.
///
/// Returns false and changes nothing if the story has been published or merged in the meantime.
pub fn publish(db: &WriteConnection, story: StoryId, lead: ItemId, at: Timestamp) -> Result<bool> {
    let done = db.execute(
        "UPDATE story SET published_at = ?2, lead_item_id = ?3
             WHERE id = ?1 AND published_at IS NULL AND merged_into IS NULL",
        params![story.to_row(), at.as_millisecond(), lead.0],
    )?;
    Ok(done == 1)
}

/// Returns the unpublished stories with news that were created before or at `created_until`, oldest first, starting
/// after the story `after`.
pub fn unpublished(
    db: &ReadConnection,
    created_until: Timestamp,
    after: Option<(Timestamp, StoryId)>,
    limit: u32,
) -> Result<Vec<Story>> {
    let (at, id) = after.map_or((i64::MIN, 0), |(at, id)| (at.as_millisecond(), id.to_row()));
    let ids: Vec<StoryId> = db.all(
        "SELECT id FROM story WHERE published_at IS NULL AND merged_into IS NULL AND has_news = 1 AND created_at <= ?1
         AND (created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?4",
        params![created_until.as_millisecond(), at, id, limit],
    )?;
    load(db, ids)
}

/// Returns the unpublished stories with news of these storylines that were created after `created_after` and before or at
/// `created_until`, at most `limit`: those with the most items.
pub fn unpublished_in_storylines(
    db: &ReadConnection,
    storylines: impl IntoIterator<Item = StorylineId>,
    (created_after, created_until): ((Timestamp, StoryId), Timestamp),
    limit: u32,
) -> Result<Vec<Story>> {
    let storylines = json_list(&storylines.into_iter().map(StorylineId::to_row).collect::<Vec<_>>());
    let (after, id) = created_after;
    let ids: Vec<StoryId> = db.all(
        "SELECT story.id FROM json_each(?1) AS listed CROSS JOIN story ON storyline_id = listed.value
         WHERE published_at IS NULL AND merged_into IS NULL AND has_news = 1 AND created_at <= ?2
         AND (created_at, story.id) > (?3, ?4) 
         ORDER BY (SELECT count(*) FROM item WHERE story_id = story.id) DESC, created_at, story.id LIMIT ?5",
        params![storylines, created_until.as_millisecond(), after.as_millisecond(), id.to_row(), limit],
    )?;
    load(db, ids)
}

/// Returns the storyline of a story that can be published; `None` if it is published or merged.
pub fn storyline_of_unpublished(db: &ReadConnection, story: StoryId) -> Result<Option<StorylineId>> {
    db.first(
        "SELECT storyline_id FROM story WHERE id = ?1 AND published_at IS NULL AND merged_into IS NULL",
        [story.to_row()],
    )
}

/// Returns whether a story has been published.
pub fn any_published(db: &ReadConnection) -> Result<bool> {
    db.one("SELECT EXISTS (SELECT 1 FROM story WHERE published_at IS NOT NULL)", [])
}

/// Returns the creation time of the oldest unpublished story with news that was created after a given time.
pub fn first_unpublished_after(db: &ReadConnection, after: Timestamp) -> Result<Option<Timestamp>> {
    db.one(
        "SELECT min(created_at) FROM story
         WHERE published_at IS NULL AND merged_into IS NULL AND has_news = 1 AND created_at > ?1",
        [after.as_millisecond()],
    )
}

/// Returns the most recently updated stories with news, newest first, followed by stories that contain only backlog.
pub fn recent(db: &ReadConnection, min_outlets: u32, limit: u32) -> Result<Vec<Story>> {
    let mut ids = recent_ids(db, true, min_outlets, limit)?;
    ids.extend(recent_ids(db, false, min_outlets, limit - ids.len() as u32)?);
    load(db, ids)
}

fn recent_ids(db: &ReadConnection, has_news: bool, min_outlets: u32, limit: u32) -> Result<Vec<StoryId>> {
    let sql = format!(
        "SELECT id FROM story WHERE merged_into IS NULL AND has_news = ?3
         AND (?1 <= 1 OR (SELECT count(DISTINCT {OUTLET}) FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND item.copy_of IS NULL) >= ?1)
         ORDER BY updated_at DESC, published_at DESC, id DESC LIMIT ?2"
    );
    db.all(&sql, params![min_outlets, limit, has_news])
}

/// Returns a story by its ID. A merged story has no items.
pub fn get(db: &ReadConnection, id: StoryId) -> Result<Option<Story>> {
    Ok(load(db, [id])?.pop())
}

/// Returns all published stories, including merged ones.
pub fn published_ids(db: &ReadConnection) -> Result<Vec<StoryId>> {
    db.all("SELECT id FROM story WHERE published_at IS NOT NULL ORDER BY id", [])
}

/// Returns at most two stories in a range of IDs, which suffices to decide whether a prefix is ambiguous.
pub fn find_in_id_range(db: &ReadConnection, rows: std::ops::RangeInclusive<i64>) -> Result<Vec<StoryId>> {
    db.all("SELECT id FROM story WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 2", [*rows.start(), *rows.end()])
}

/// Returns the item that represents a story.
pub fn lead(db: &ReadConnection, story: StoryId) -> Result<Option<Item>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM item JOIN source ON source.id = item.source_id
         WHERE item.id = (SELECT lead_item_id FROM story WHERE id = ?1)"
    );
    db.first(&sql, [story.to_row()])
}

/// Returns the story of an item; `None` until the clusterer has assigned it.
pub fn story_of_item(db: &ReadConnection, item: ItemId) -> Result<Option<StoryId>> {
    Ok(db.first("SELECT story_id FROM item WHERE id = ?1", [item.0])?.flatten())
}

/// Returns the assigned items first seen within a time span, ordered by ID.
pub fn assigned_between(db: &ReadConnection, from: Timestamp, until: Timestamp) -> Result<Vec<AssignedItem>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, {EMBEDDING}, item.story_id FROM item JOIN source ON source.id = item.source_id
         WHERE item.first_seen_at BETWEEN ?1 AND ?2 AND item.story_id IS NOT NULL ORDER BY item.id"
    );
    db.map(&sql, [from.as_millisecond(), until.as_millisecond()], |row| {
        Ok(AssignedItem { item: from_row(row)?, story: column(row, "story_id")? })
    })
}

/// Loads stories with all their items, in the order of `ids`.
pub fn load(db: &ReadConnection, ids: impl IntoIterator<Item = StoryId>) -> Result<Vec<Story>> {
    load_with(db, ids, &format!("{ITEM_COLUMNS}, item.evidence"))
}

/// Loads stories for lists: their items have no content, article or evidence, no canonical URL and no title of the source.
pub fn load_headlines(db: &ReadConnection, ids: impl IntoIterator<Item = StoryId>) -> Result<Vec<Story>> {
    load_with(db, ids, &format!("{HEADLINE_COLUMNS}, NULL AS evidence"))
}

fn load_with(db: &ReadConnection, ids: impl IntoIterator<Item = StoryId>, columns: &str) -> Result<Vec<Story>> {
    let items = format!(
        "SELECT {columns}, item.copy_of, item.assigned_at
         FROM item JOIN source ON source.id = item.source_id
         WHERE item.story_id = ?1 ORDER BY item.ranked_at, item.id"
    );
    let mut stories = Vec::new();
    for id in ids {
        let id = [id.to_row()];
        for mut story in db.map(STORY, id, story)? {
            story.items = db.map(&items, id, story_item)?;
            stories.push(story);
        }
    }
    Ok(stories)
}

const STORY: &str = "SELECT *, (SELECT json_group_array(DISTINCT tag ORDER BY tag)
        FROM item JOIN source_tag USING (source_id) WHERE story_id = story.id) AS tags,
    (SELECT count(*) FROM story AS merged WHERE merged.merged_into = story.id AND merged.published_at IS NOT NULL) AS merged_count
    FROM story WHERE id = ?1";

/// Reads a story without its items.
fn story(row: &Row<'_>) -> Result<Story> {
    Ok(Story {
        id: column(row, "id")?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        published_at: column(row, "published_at")?,
        merged_into: column(row, "merged_into")?,
        storyline: column(row, "storyline_id")?,
        storyline_evidence: column::<Option<_>>(row, "storyline_evidence")?.unwrap_or_default(),
        lead: column(row, "lead_item_id")?,
        items: Vec::new(),
        tags: column(row, "tags")?,
        merged_count: column(row, "merged_count")?,
    })
}

fn story_item(row: &Row<'_>) -> Result<StoryItem> {
    Ok(StoryItem {
        item: from_row(row)?,
        copy_of: column(row, "copy_of")?,
        evidence: column::<Option<_>>(row, "evidence")?.unwrap_or_default(),
        assigned_at: column::<Option<_>>(row, "assigned_at")?.unwrap_or(Timestamp::UNIX_EPOCH),
    })
}
