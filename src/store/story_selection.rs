//! The published stories that match a feed's selection.

use super::connection::ReadConnection;
use super::fts_query::indexed_expression;
use super::row_conversion::{LANGUAGE, OUTLET, json_list};
use super::stories::load;
use super::{Error, Result};
use crate::domain::duration::before;
use crate::domain::{FeedFilters, FeedSelection, FilteredItem, Story, StoryId};
use rusqlite::params;
use std::collections::BTreeMap;

/// Returns the published stories that match a selection, newest first. Ignores the limit, the maximum age and the
/// order. The result depends only on the database, never on the time.
pub fn matching(db: &ReadConnection, selection: &FeedSelection) -> Result<Vec<StoryId>> {
    let matches = |expression: &str| {
        format!(
            "story.id IN (SELECT story_id FROM item WHERE story_id IS NOT NULL
                          AND item.id IN (SELECT rowid FROM item_fts WHERE item_fts MATCH {expression}))"
        )
    };
    let (query, exclude_query) = (matches("?4"), matches("?5"));
    let sql = format!(
        "SELECT story.id FROM story
         WHERE published_at IS NOT NULL AND merged_into IS NULL
         AND (?1 = '[]' OR EXISTS (SELECT 1 FROM item JOIN source_tag USING (source_id)
              WHERE item.story_id = story.id AND tag IN (SELECT value FROM json_each(?1))))
         AND (?2 = '[]' OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND {OUTLET} IN (SELECT value FROM json_each(?2))))
         AND (?3 = '[]' OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id
              AND {LANGUAGE} IN (SELECT value FROM json_each(?3))))
         AND (?4 IS NULL OR {query})
         AND (?5 IS NULL OR NOT {exclude_query})
         AND (?6 <= 1 OR (SELECT count(DISTINCT {OUTLET}) FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND item.copy_of IS NULL) >= ?6)
         ORDER BY published_at DESC, story.id DESC"
    );
    let found = db.all(
        &sql,
        params![
            json_list(&selection.tags),
            json_list(&selection.outlets),
            json_list(&selection.languages),
            selection.query.as_deref().map(indexed_expression),
            selection.exclude_query.as_deref().map(indexed_expression),
            selection.min_outlets,
        ],
    )?;
    passing_filters(db, selection, found)
}

/// Returns the stories that pass the item filters of a selection, in the given order.
pub fn passing_filters(db: &ReadConnection, selection: &FeedSelection, found: Vec<StoryId>) -> Result<Vec<StoryId>> {
    // The filters are not part of the SQL query.
    let filters = compile_filters(selection)?;
    if filters.is_empty(0) {
        return Ok(found);
    }
    let mut passing = Vec::new();
    for story in found {
        if let (true, false) = filters.matches(0, &filtered_items(db, story)?, &mut BTreeMap::new()) {
            passing.push(story);
        }
    }
    Ok(passing)
}

/// Returns the items of a story as filters read them.
pub fn filtered_items(db: &ReadConnection, story: StoryId) -> Result<Vec<FilteredItem>> {
    db.all(
        "SELECT author, coalesce(categories, '[]') AS categories, url, title, summary FROM item WHERE story_id = ?1",
        [story.to_row()],
    )
}

/// Returns whether an item of a story matches the filter of a selection, and whether an item matches an excluding
/// filter. See [`FeedSelection`].
pub fn filter_matches(db: &ReadConnection, selection: &FeedSelection, story: StoryId) -> Result<(bool, bool)> {
    Ok(compile_filters(selection)?.matches(0, &filtered_items(db, story)?, &mut BTreeMap::new()))
}

fn compile_filters(selection: &FeedSelection) -> Result<FeedFilters> {
    // The configuration has been validated.
    FeedFilters::new([selection]).map_err(|(key, error)| Error::Corrupt(format!("{key} of a feed's filter {error}")))
}

/// Returns the stories that currently match a selection, in their current state, newest first.
pub fn select(db: &ReadConnection, selection: &FeedSelection) -> Result<Vec<Story>> {
    let ids = matching(db, selection)?;
    let mut stories = load(db, ids.into_iter().take(selection.limit as usize))?;
    if let (Some(age), Some(newest)) = (selection.max_age, stories.first().and_then(|story| story.published_at)) {
        stories.retain(|story| story.published_at.is_some_and(|at| at >= before(newest, age)));
    }
    Ok(stories)
}

/// Returns an SQL condition that is true if an item of the story matches an expression. The condition starts from the
/// story's items, because an expression may have many matches.
fn item_matches(expression: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM item CROSS JOIN item_fts ON item_fts.rowid = item.id
                 WHERE item.story_id = story.id AND item_fts MATCH {expression})"
    )
}

/// Returns whether an item of a story matches an FTS5 expression.
pub fn matches_expression(db: &ReadConnection, story: StoryId, words: &str) -> Result<bool> {
    let sql = format!("SELECT 1 FROM story WHERE id = ?1 AND {}", item_matches("?2"));
    db.exists(&sql, params![story.to_row(), indexed_expression(words)])
}
