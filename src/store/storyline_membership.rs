//! Stores which story belongs to which storyline.

use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{column, json_list, to_json};
use super::story_activity::story_list;
use super::{Error, Result, publication};
use crate::domain::{StoryId, StorylineEvidence, StorylineId, StorylineMember, StorylineRegrouping};
use jiff::Timestamp;
use rusqlite::{named_params, params};
use std::collections::BTreeSet;

/// Returns the ID of a storyline that this story starts. The ID depends only on the contents of the database. A story
/// that leaves a storyline returns to the storyline that it once started, unless that storyline contains other stories.
pub fn mint_id(db: &ReadConnection, story: StoryId) -> Result<StorylineId> {
    for attempt in 0.. {
        let id = StorylineId::mint(story, attempt);
        let others = "SELECT 1 FROM story WHERE storyline_id = ?1 AND id <> ?2 AND merged_into IS NULL";
        if !db.exists(others, [id.to_row(), story.to_row()])? && storyline_of(db, story)? != Some(id) {
            return Ok(id);
        }
    }
    Err(Error::Corrupt("all storyline IDs are taken".into()))
}

/// Creates a storyline without stories, or makes a merged storyline separate again.
pub(super) fn create(db: &WriteConnection, storyline: StorylineId, now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT INTO storyline (id, created_at) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET merged_into = NULL",
        [storyline.to_row(), now.as_millisecond()],
    )?;
    Ok(())
}

/// The items to compare, by the time at which they were first seen.
#[derive(Debug, Clone, Copy)]
pub struct MemberWindow {
    /// Items first seen after this time are compared, regardless of their storylines.
    pub all_since: Timestamp,
    /// Items of storylines with several stories are compared if they were first seen after this earlier time.
    pub related_since: Timestamp,
    /// The maximum number of items. The newest items are used.
    pub limit: u32,
}

/// Returns the news items in the window with their stories and storylines, ordered by ID.
pub fn members(db: &ReadConnection, window: MemberWindow) -> Result<Vec<StorylineMember>> {
    let mut members: Vec<StorylineMember> = db.all(
        "SELECT item.id AS item, item.source_id AS source, item.story_id AS story, story.storyline_id AS storyline,
                storyline.created_at AS storyline_created_at, item.first_seen_at
         FROM item JOIN story ON story.id = item.story_id JOIN storyline ON storyline.id = story.storyline_id
         WHERE item.first_seen_at >= min(?1, ?2) AND item.backlog_reason IS NULL
         AND (item.first_seen_at >= ?1 OR EXISTS (
             SELECT 1 FROM story AS other WHERE other.storyline_id = story.storyline_id AND other.id <> story.id
             AND other.merged_into IS NULL))
         ORDER BY +item.id DESC LIMIT ?3",
        params![window.all_since.as_millisecond(), window.related_since.as_millisecond(), window.limit],
    )?;
    members.reverse();
    Ok(members)
}

/// Applies a grouping. IDs of storylines never change: a storyline that is merged redirects.
pub fn apply_regrouping(db: &WriteConnection, regrouped: &StorylineRegrouping, now: Timestamp) -> Result<()> {
    for created in &regrouped.created {
        create(db, created.storyline, now)?;
    }
    for moved in &regrouped.moved {
        let evidence = operators_evidence(db, moved.story)?.unwrap_or_else(|| moved.evidence.clone());
        move_story(db, moved.story, moved.into, &evidence)?;
    }
    for merge in &regrouped.merged {
        db.execute(
            "UPDATE story SET storyline_id = ?2 WHERE storyline_id = ?1",
            [merge.from.to_row(), merge.into.to_row()],
        )?;
        redirect(db, merge.from, merge.into)?;
    }
    // A storyline that a story leaves may have lost its entry.
    let moved = regrouped.moved.iter().flat_map(|moved| [moved.from, moved.into]);
    for storyline in moved.chain(regrouped.merged.iter().map(|merge| merge.into)).collect::<BTreeSet<_>>() {
        enqueue_reviews(db, storyline)?;
    }
    publication::touch(db)
}

pub(super) fn move_story(
    db: &WriteConnection,
    story: StoryId,
    into: StorylineId,
    evidence: &StorylineEvidence,
) -> Result<()> {
    db.execute(
        "UPDATE story SET storyline_id = ?2, storyline_evidence = ?3 WHERE id = ?1",
        params![story.to_row(), into.to_row(), to_json(evidence)?],
    )?;
    Ok(())
}

/// Returns the evidence of a story that an active constraint has placed. The evidence refers to the constraint even
/// after later moves.
pub(super) fn operators_evidence(db: &ReadConnection, story: StoryId) -> Result<Option<StorylineEvidence>> {
    let sql = "SELECT storyline_evidence FROM story JOIN grouping_constraint AS placed_by
                   ON placed_by.id = storyline_evidence ->> '$.constraint'
               WHERE story.id = ?1 AND undone_at IS NULL";
    Ok(db.map(sql, [story.to_row()], |row| column(row, "storyline_evidence"))?.pop())
}

/// Redirects a storyline, and all storylines that redirect to it, to another storyline. Has no effect if the first
/// storyline still has stories.
pub(super) fn redirect(db: &WriteConnection, from: StorylineId, into: StorylineId) -> Result<()> {
    db.execute(
        "UPDATE storyline SET merged_into = ?2 WHERE (id = ?1 OR merged_into = ?1) AND id <> ?2
         AND NOT EXISTS (SELECT 1 FROM story WHERE storyline_id = ?1 AND merged_into IS NULL)",
        [from.to_row(), into.to_row()],
    )?;
    enqueue_reviews(db, from)?;
    enqueue_reviews(db, into)
}

/// Returns whether the storyline of a story contains other stories.
pub fn has_other_stories(db: &ReadConnection, story: StoryId) -> Result<bool> {
    db.exists(
        "SELECT 1 FROM story JOIN story AS other USING (storyline_id)
         WHERE story.id = ?1 AND other.id <> ?1 AND other.merged_into IS NULL",
        [story.to_row()],
    )
}

/// Enqueues the published stories of a storyline for review, because they may need an entry, or their entries may have
/// to list other stories.
pub fn enqueue_reviews(db: &WriteConnection, storyline: StorylineId) -> Result<()> {
    enqueue(db, storyline, "TRUE")
}

/// Enqueues the stories of a storyline that have entries, because their entries may have to list another story. A
/// storyline with a single story is not enqueued.
pub fn enqueue_entries(db: &WriteConnection, storyline: StorylineId) -> Result<()> {
    enqueue(
        db,
        storyline,
        "EXISTS (SELECT 1 FROM feed_entry WHERE feed_entry.story_id = story.id)
         AND (SELECT count(*) FROM (SELECT 1 FROM story WHERE storyline_id = ?1 AND merged_into IS NULL LIMIT 2)) = 2",
    )
}

/// Records that the entries of these stories' storylines must be reviewed once all new feeds are filled. Storylines with a
/// single story are omitted.
pub fn postpone_reviews(db: &WriteConnection, stories: &[StoryId]) -> Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO storyline_review_queue (storyline_id)
         SELECT storyline_id FROM json_each(?1) AS listed CROSS JOIN story ON story.id = listed.value
         WHERE EXISTS (SELECT 1 FROM story AS other WHERE other.storyline_id = story.storyline_id
                       AND other.id <> story.id AND other.merged_into IS NULL)",
        [story_list(stories)],
    )?;
    Ok(())
}

/// Returns whether reviews are postponed.
pub fn has_postponed_reviews(db: &ReadConnection) -> Result<bool> {
    db.exists("SELECT 1 FROM storyline_review_queue", [])
}

/// Enqueues the entries of at most `limit` storylines whose reviews were postponed. Returns whether more postponed
/// reviews remain.
pub fn enqueue_postponed_reviews(db: &WriteConnection, limit: u32) -> Result<bool> {
    let storylines: Vec<StorylineId> = db.all("SELECT storyline_id FROM storyline_review_queue LIMIT ?1", [limit])?;
    for storyline in storylines {
        enqueue_entries(db, storyline)?;
        db.execute("DELETE FROM storyline_review_queue WHERE storyline_id = ?1", [storyline.to_row()])?;
    }
    has_postponed_reviews(db)
}

fn enqueue(db: &WriteConnection, storyline: StorylineId, condition: &str) -> Result<()> {
    let sql = format!(
        "INSERT INTO story_review_queue (story_id, review_at, generation)
         SELECT id, 0, 1 FROM story
         WHERE storyline_id = ?1 AND published_at IS NOT NULL AND merged_into IS NULL AND {condition}
         ON CONFLICT (story_id) DO UPDATE SET review_at = 0, generation = generation + 1"
    );
    db.execute(&sql, [storyline.to_row()])?;
    Ok(())
}

/// Returns the storyline of a story; `None` if the story does not exist.
pub fn storyline_of(db: &ReadConnection, story: StoryId) -> Result<Option<StorylineId>> {
    db.first("SELECT storyline_id FROM story WHERE id = ?1", [story.to_row()])
}

/// Deletes the given storylines that have lost all their stories, and the storylines that redirect to them.
pub(super) fn delete_empty(db: &WriteConnection, among: &[i64]) -> Result<()> {
    let among = json_list(among);
    let gone = "SELECT value FROM json_each(:among) WHERE NOT EXISTS (SELECT 1 FROM story WHERE storyline_id = value)";
    let params = named_params! { ":among": among };
    db.execute(
        &format!(
            "DELETE FROM grouping_constraint_item WHERE previous_storyline_id IN ({gone})
             OR previous_storyline_id IN (SELECT id FROM storyline WHERE merged_into IN ({gone}))"
        ),
        params,
    )?;
    let redirecting = "merged_into IN ({gone}) AND NOT EXISTS (SELECT 1 FROM story WHERE storyline_id = storyline.id)";
    db.execute(&format!("DELETE FROM storyline WHERE {}", redirecting.replace("{gone}", gone)), params)?;
    db.execute(&format!("UPDATE storyline SET merged_into = NULL WHERE merged_into IN ({gone})"), params)?;
    db.execute(&format!("DELETE FROM storyline WHERE id IN ({gone})"), params)?;
    Ok(())
}
