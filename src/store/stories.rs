//! Stories: which items they contain and why, their publication, and their lists.

use super::connection::{ReadConnection, WriteConnection};
use super::rows::{ITEM_COLUMNS, ITEM_WIDTH, collect, item, maybe_time, time};
use super::{Error, Result, publication};
use crate::domain::{
    Item, ItemId, JoinEvidence, Story, StoryAssignment, StoryId, StoryItem, StoryPlacement, StoryPublication,
    StoryRegrouping,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;

/// Chooses a new lead for a story that lost its lead: a rule of `publish`, which the store may not name.
pub type ChooseLead<'a> = &'a dyn Fn(&Story) -> Option<ItemId>;

/// An id for a story founded by this item: unused in this database, and a function of the database's contents alone.
pub fn mint_id(db: &ReadConnection, founder: &Item, taken: impl Fn(StoryId) -> bool) -> Result<StoryId> {
    let mut known = db.prepare_cached("SELECT 1 FROM story WHERE id = ?1")?;
    for attempt in 0.. {
        let id = StoryId::mint(&founder.source_url, &founder.guid, attempt);
        if !taken(id) && !known.exists([id.to_row()])? {
            return Ok(id);
        }
    }
    Err(Error::Corrupt("no story id is free".into()))
}

/// Records assignments of items, in the order in which they were decided.
pub fn assign_items(db: &WriteConnection, assignments: &[StoryAssignment], now: Timestamp) -> Result<()> {
    assignments.iter().try_for_each(|assignment| assign(db, assignment, now))?;
    publication::touch(db)
}

/// An item that already has a story stays there.
fn assign(db: &WriteConnection, assignment: &StoryAssignment, now: Timestamp) -> Result<()> {
    let (story, now) = (assignment.story.to_row(), now.as_millisecond());
    if assignment.placement == StoryPlacement::Created {
        db.execute(
            "INSERT INTO story (id, created_at, updated_at, lead_item_id) VALUES (?1, ?2, ?2, ?3)",
            params![story, now, assignment.item.0],
        )?;
    }
    let evidence = written(&assignment.evidence)?;
    db.execute(
        "UPDATE item SET story_id = ?2, copy_of = ?3, evidence = ?4, assigned_at = ?5
         WHERE id = ?1 AND story_id IS NULL",
        params![assignment.item.0, story, assignment.copy_of.map(|i| i.0), evidence, now],
    )?;
    db.execute("UPDATE story SET updated_at = max(updated_at, ?2) WHERE id = ?1", params![story, now])?;
    Ok(())
}

/// Applies a reclustering. `lead` chooses a new lead for a story that lost its lead. Published dates and links stay.
pub fn apply_regrouping(
    db: &WriteConnection,
    regrouped: &StoryRegrouping,
    now: Timestamp,
    lead: ChooseLead<'_>,
) -> Result<()> {
    for founded in &regrouped.created {
        create(db, founded.story, founded.founder, now)?;
    }
    let mut touched = BTreeSet::new();
    for moved in &regrouped.moved {
        move_item(db, moved.item, moved.into, &moved.evidence, now)?;
        touched.extend([moved.from, moved.into]);
    }
    for merge in &regrouped.merged {
        redirect(db, merge.from, merge.into)?;
    }
    settle_changed(db, touched, now, lead)?;
    publication::touch(db)
}

/// Creates a story without items.
pub(super) fn create(db: &WriteConnection, story: StoryId, by: ItemId, now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT INTO story (id, created_at, updated_at, lead_item_id) VALUES (?1, ?2, ?2, ?3)",
        params![story.to_row(), now.as_millisecond(), by.0],
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
        params![item.0, into.to_row(), written(evidence)?, now.as_millisecond()],
    )?;
    Ok(())
}

/// Makes a story, and all that redirect to it, redirect to another one. A story that still has items, which the
/// clusterer no longer holds, stays.
pub(super) fn redirect(db: &WriteConnection, from: StoryId, into: StoryId) -> Result<()> {
    db.execute(
        "UPDATE story SET merged_into = ?2 WHERE (id = ?1 OR merged_into = ?1)
         AND NOT EXISTS (SELECT 1 FROM item WHERE story_id = ?1)",
        [from.to_row(), into.to_row()],
    )?;
    Ok(())
}

/// Marks stories as updated, and chooses a lead for those that lost theirs.
pub(super) fn settle_changed(
    db: &WriteConnection,
    stories: BTreeSet<StoryId>,
    now: Timestamp,
    lead: ChooseLead<'_>,
) -> Result<()> {
    let ids: Vec<StoryId> = stories.into_iter().collect();
    for story in load(db, &ids.iter().map(|id| id.to_row()).collect::<Vec<i64>>())? {
        let kept = story.items.iter().any(|report| report.item.id == story.lead);
        let lead = if kept { Some(story.lead) } else { lead(&story) };
        db.execute("UPDATE story SET updated_at = max(updated_at, ?2), lead_item_id = coalesce(?3, lead_item_id) WHERE id = ?1", params![story.id.to_row(), now.as_millisecond(), lead.map(|lead| lead.0)])?;
    }
    Ok(())
}

fn written(evidence: &JoinEvidence) -> Result<String> {
    serde_json::to_string(evidence).map_err(|e| Error::Corrupt(e.to_string()))
}

/// Publishes a story: its lead, its link and its date. Link and date never change afterwards.
///
/// Returns false if the story was published or merged meanwhile; it is not changed then.
pub fn publish(db: &WriteConnection, story: StoryId, lead: ItemId, published: &StoryPublication) -> Result<bool> {
    let done = db.execute(
        "UPDATE story SET published_at = ?2, published_link = ?3, lead_item_id = ?4
             WHERE id = ?1 AND published_at IS NULL AND merged_into IS NULL",
        params![story.to_row(), published.at.as_millisecond(), published.link, lead.0],
    )?;
    Ok(done == 1)
}

/// Unpublished stories, oldest first, after a given one.
pub fn unpublished(
    db: &ReadConnection,
    founded_before: Timestamp,
    after: Option<(Timestamp, StoryId)>,
    limit: u32,
) -> Result<Vec<Story>> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM story WHERE published_at IS NULL AND merged_into IS NULL AND created_at <= ?1
         AND (created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?4",
    )?;
    let (at, id) = after.map_or((i64::MIN, 0), |(at, id)| (at.as_millisecond(), id.to_row()));
    let ids = collect(&mut statement, params![founded_before.as_millisecond(), at, id, limit], |row| Ok(row.get(0)?))?;
    load(db, &ids)
}

/// The creation time of the oldest unpublished story that was created after a time.
pub fn first_unpublished_after(db: &ReadConnection, after: Timestamp) -> Result<Option<Timestamp>> {
    let mut first = db.prepare_cached(
        "SELECT min(created_at) FROM story WHERE published_at IS NULL AND merged_into IS NULL AND created_at > ?1",
    )?;
    maybe_time(first.query_row([after.as_millisecond()], |row| row.get(0))?)
}

/// Which stories [`recent`] returns.
#[derive(Debug, Clone, Copy)]
pub struct RecentFilter {
    pub min_outlets: u32,
    pub limit: u32,
}

/// The stories that were updated last, newest first.
pub fn recent(db: &ReadConnection, which: RecentFilter) -> Result<Vec<Story>> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM story WHERE merged_into IS NULL
         AND (?1 <= 1 OR (SELECT count(DISTINCT outlet) FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND item.copy_of IS NULL) >= ?1)
         ORDER BY updated_at DESC, published_at DESC, id DESC LIMIT ?2",
    )?;
    let ids = collect(&mut statement, params![which.min_outlets, which.limit], |row| Ok(row.get(0)?))?;
    load(db, &ids)
}

/// A story by its id. A merged story has no items.
pub fn get(db: &ReadConnection, id: StoryId) -> Result<Option<Story>> {
    Ok(load(db, &[id.to_row()])?.pop())
}

/// All stories that have been published, including merged ones.
pub fn published_ids(db: &ReadConnection) -> Result<Vec<StoryId>> {
    let mut statement = db.prepare_cached("SELECT id FROM story WHERE published_at IS NOT NULL ORDER BY id")?;
    collect(&mut statement, [], |row| Ok(StoryId::from_row(row.get(0)?)))
}

/// At most two stories in a range of ids: enough to decide whether a prefix is unambiguous.
pub fn find_in_id_range(db: &ReadConnection, rows: std::ops::RangeInclusive<i64>) -> Result<Vec<StoryId>> {
    let mut statement = db.prepare_cached("SELECT id FROM story WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 2")?;
    collect(&mut statement, [*rows.start(), *rows.end()], |row| Ok(StoryId::from_row(row.get(0)?)))
}

/// The story of an item; `None` until the clusterer has assigned it.
pub fn story_of_item(db: &ReadConnection, item: ItemId) -> Result<Option<StoryId>> {
    let row = db
        .prepare_cached("SELECT story_id FROM item WHERE id = ?1")?
        .query_row([item.0], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(row.flatten().map(StoryId::from_row))
}

/// The assigned items first seen since a time, in order of id: what the clusterer restores after a restart.
pub fn assigned_since(db: &ReadConnection, since: Timestamp) -> Result<Vec<(Item, StoryId, Option<ItemId>)>> {
    assigned_between(db, since, Timestamp::MAX)
}

/// The assigned items first seen within a time span, in order of id.
pub fn assigned_between(
    db: &ReadConnection,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(Item, StoryId, Option<ItemId>)>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, item.story_id, item.copy_of FROM item JOIN source ON source.id = item.source_id
         WHERE item.first_seen_at BETWEEN ?1 AND ?2 AND item.story_id IS NOT NULL ORDER BY item.id"
    );
    collect(&mut *db.prepare_cached(&sql)?, [from.as_millisecond(), until.as_millisecond()], |row| {
        let story = StoryId::from_row(row.get(ITEM_WIDTH)?);
        Ok((item(row)?, story, row.get::<_, Option<i64>>(ITEM_WIDTH + 1)?.map(ItemId)))
    })
}

/// Loads stories with all their items, in the order of `ids`.
pub(super) fn load(db: &ReadConnection, ids: &[i64]) -> Result<Vec<Story>> {
    let mut head = db.prepare_cached(
        "SELECT created_at, updated_at, published_at, published_link, merged_into, lead_item_id FROM story WHERE id = ?1",
    )?;
    let items_sql = format!(
        "SELECT {ITEM_COLUMNS}, item.copy_of, item.evidence, item.assigned_at
         FROM item JOIN source ON source.id = item.source_id
         WHERE item.story_id = ?1 ORDER BY item.ranked_at, item.id"
    );
    let mut items = db.prepare_cached(&items_sql)?;
    let mut tags = db.prepare_cached(
        "SELECT DISTINCT tag FROM item JOIN source_tag USING (source_id) WHERE story_id = ?1 ORDER BY tag",
    )?;
    let mut merged_count =
        db.prepare_cached("SELECT count(*) FROM story WHERE merged_into = ?1 AND published_at IS NOT NULL")?;
    let mut stories = Vec::with_capacity(ids.len());
    for id in ids {
        let story = head
            .query_row([id], |row| {
                Ok((|| {
                    let published = match row.get::<_, Option<i64>>(2)? {
                        None => None,
                        Some(at) => Some(StoryPublication { at: time(at)?, link: row.get(3)? }),
                    };
                    Ok::<_, Error>(Story {
                        id: StoryId::from_row(*id),
                        created_at: time(row.get(0)?)?,
                        updated_at: time(row.get(1)?)?,
                        published,
                        merged_into: row.get::<_, Option<i64>>(4)?.map(StoryId::from_row),
                        lead: ItemId(row.get(5)?),
                        items: Vec::new(),
                        tags: Vec::new(),
                        merged_count: 0,
                    })
                })())
            })
            .optional()?
            .transpose()?;
        let Some(mut story) = story else { continue };
        story.items = collect(&mut items, [id], story_item)?;
        story.tags = collect(&mut tags, [id], |row| Ok(row.get(0)?))?;
        story.merged_count = merged_count.query_row([id], |row| row.get(0))?;
        stories.push(story);
    }
    Ok(stories)
}

fn story_item(row: &rusqlite::Row<'_>) -> Result<StoryItem> {
    let evidence: Option<String> = row.get(ITEM_WIDTH + 1)?;
    let evidence = evidence.map(|e| serde_json::from_str(&e)).transpose();
    Ok(StoryItem {
        item: item(row)?,
        copy_of: row.get::<_, Option<i64>>(ITEM_WIDTH)?.map(ItemId),
        evidence: evidence.map_err(|e| Error::Corrupt(format!("evidence: {e}")))?.unwrap_or_default(),
        assigned_at: maybe_time(row.get(ITEM_WIDTH + 2)?)?.unwrap_or(Timestamp::UNIX_EPOCH),
    })
}
