//! Storylines with their stories, and the operator's constraints on them.

use super::connection::ReadConnection;
use super::row_conversion::{LANGUAGE, OUTLET_NAME, json_list};
use super::{Result, stories};
use crate::domain::{ConstraintKind, Development, GroupingConstraint, ItemId, StoryId, Storyline, StorylineId};
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;

/// Returns a storyline by its ID. A merged storyline has no stories.
pub fn get(db: &ReadConnection, id: StorylineId) -> Result<Option<Storyline>> {
    load(db, id, || story_ids(db, id))
}

/// Returns a storyline with its newest published stories, at most `limit`.
pub fn with_published(db: &ReadConnection, id: StorylineId, limit: u32) -> Result<Option<Storyline>> {
    load(db, id, || {
        let mut newest: Vec<StoryId> = db.all(
            "SELECT id FROM story WHERE storyline_id = ?1 AND merged_into IS NULL AND published_at IS NOT NULL
             ORDER BY published_at DESC, id DESC LIMIT ?2",
            params![id.to_row(), limit],
        )?;
        newest.reverse();
        Ok(newest)
    })
}

pub fn count_stories(db: &ReadConnection, id: StorylineId) -> Result<u32> {
    db.one("SELECT count(*) FROM story WHERE storyline_id = ?1 AND merged_into IS NULL", [id.to_row()])
}

pub fn count_published(db: &ReadConnection, id: StorylineId) -> Result<u32> {
    db.one(
        "SELECT count(*) FROM story WHERE storyline_id = ?1 AND merged_into IS NULL AND published_at IS NOT NULL",
        [id.to_row()],
    )
}

/// Returns the storylines with several published stories.
pub fn with_several_published(db: &ReadConnection) -> Result<Vec<StorylineId>> {
    db.all(
        "SELECT storyline_id FROM story WHERE merged_into IS NULL AND published_at IS NOT NULL
         GROUP BY storyline_id HAVING count(*) > 1 ORDER BY storyline_id",
        [],
    )
}

fn load(
    db: &ReadConnection,
    id: StorylineId,
    story_ids: impl FnOnce() -> Result<Vec<StoryId>>,
) -> Result<Option<Storyline>> {
    #[derive(Deserialize)]
    struct Row {
        created_at: Timestamp,
        merged_into: Option<StorylineId>,
    }
    let row: Option<Row> = db.first("SELECT created_at, merged_into FROM storyline WHERE id = ?1", [id.to_row()])?;
    let Some(Row { created_at, merged_into }) = row else { return Ok(None) };
    Ok(Some(Storyline { id, created_at, merged_into, stories: stories::load(db, story_ids()?)? }))
}

/// Returns the stories of a storyline, ordered by the time of their creation.
fn story_ids(db: &ReadConnection, id: StorylineId) -> Result<Vec<StoryId>> {
    db.all(
        "SELECT id FROM story WHERE storyline_id = ?1 AND merged_into IS NULL ORDER BY created_at, id",
        [id.to_row()],
    )
}

/// The maximum number of stories that [`developments`] returns. The newest stories are returned.
const MAX_DEVELOPMENTS: u32 = 200;

/// Returns brief descriptions of the published stories of a storyline, newest first. A story is described by its lead.
/// If the lead is in a language other than `language`, the story is described by a report in `language`, if it has one:
/// the earliest original, or else the earliest copy. `has_entry` is false for all stories.
pub fn developments(db: &ReadConnection, id: StorylineId, language: Option<&str>) -> Result<Vec<Development>> {
    let sql = format!(
        "SELECT story.id AS story, item.title, {LANGUAGE} AS lang,
                item.url AS link, {OUTLET_NAME} AS outlet, story.published_at AS at,
                (SELECT outlet_count FROM edition WHERE edition.story_id = story.id ORDER BY number DESC LIMIT 1)
                    AS outlet_count, 0 AS has_entry
         FROM story JOIN item AS lead ON lead.id = lead_item_id JOIN source AS of_lead ON of_lead.id = lead.source_id
         JOIN item ON item.id = CASE WHEN coalesce(lead.lang, of_lead.lang, of_lead.feed_lang) IS ?2 THEN lead.id
             ELSE coalesce(
                 (SELECT report.id FROM item AS report JOIN source AS own ON own.id = report.source_id
                  WHERE report.story_id = story.id AND coalesce(report.lang, own.lang, own.feed_lang) = ?2
                  ORDER BY report.copy_of IS NOT NULL, report.ranked_at, report.id LIMIT 1), lead.id) END
         JOIN source ON source.id = item.source_id
         WHERE story.storyline_id = ?1 AND merged_into IS NULL AND story.published_at IS NOT NULL
         AND EXISTS (SELECT 1 FROM edition WHERE edition.story_id = story.id)
         ORDER BY story.published_at DESC, story.id DESC LIMIT {MAX_DEVELOPMENTS}"
    );
    db.all(&sql, params![id.to_row(), language])
}

/// Returns the storylines with at least `min_stories` stories, the most recently changed storylines first.
pub fn recent(db: &ReadConnection, min_stories: u32, limit: u32) -> Result<Vec<Storyline>> {
    let ids: Vec<StorylineId> = db.all(
        "SELECT storyline_id FROM story WHERE merged_into IS NULL
         GROUP BY storyline_id HAVING count(*) >= ?1 ORDER BY max(updated_at) DESC, storyline_id LIMIT ?2",
        [min_stories, limit],
    )?;
    ids.into_iter().filter_map(|id| get(db, id).transpose()).collect()
}

/// Returns at most two storylines in a range of IDs, which suffices to decide whether a prefix is ambiguous.
pub fn find_in_id_range(db: &ReadConnection, rows: std::ops::RangeInclusive<i64>) -> Result<Vec<StorylineId>> {
    db.all("SELECT id FROM storyline WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 2", [*rows.start(), *rows.end()])
}

/// The stories on both sides of a constraint on storylines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorylineConstraint {
    pub kind: ConstraintKind,
    pub stayed: Vec<(StoryId, StorylineId)>,
    pub moved: Vec<(StoryId, StorylineId)>,
}

/// Returns the stories, with their storylines, that now contain the items of constraints on storylines.
pub fn constraints_on_stories(db: &ReadConnection, all: &[GroupingConstraint]) -> Result<Vec<StorylineConstraint>> {
    let sql = "SELECT story.id, storyline_id FROM item JOIN story ON story.id = story_id
               WHERE item.id IN (SELECT value FROM json_each(?1)) ORDER BY item.id";
    let stories = |items: &[ItemId]| db.all(sql, [json_list(items)]);
    let on_storylines = all.iter().filter(|constraint| constraint.kind.is_on_storylines());
    on_storylines
        .map(|constraint| {
            let (stayed, moved) = (stories(&constraint.stayed)?, stories(&constraint.moved)?);
            Ok(StorylineConstraint { kind: constraint.kind, stayed, moved })
        })
        .collect()
}
