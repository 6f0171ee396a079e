//! The published stories that match a feed's selection.

use super::Result;
use super::connection::ReadConnection;
use super::rows::{collect, json_list};
use super::stories::load;
use crate::domain::duration::before;
use crate::domain::{FeedSelection, Story, StoryId};
use rusqlite::params;

/// The published stories that match a selection, newest first. Limit, age and order are not applied. If `among` names
/// stories, only those. Depends on the database alone, never on the time.
pub fn matching(db: &ReadConnection, selection: &FeedSelection, among: Option<&[StoryId]>) -> Result<Vec<StoryId>> {
    let rows: Option<Vec<i64>> = among.map(|ids| ids.iter().map(|id| id.to_row()).collect());
    let from = if rows.is_some() { "json_each(?7) AS named JOIN story ON story.id = named.value" } else { "story" };
    // With few stories, each one is checked against the index; otherwise all matches of the index are listed.
    let says = |expression: &str| match among {
        Some(_) => one_says(expression),
        None => format!(
            "story.id IN (SELECT story_id FROM item WHERE story_id IS NOT NULL
                          AND item.id IN (SELECT rowid FROM item_fts WHERE item_fts MATCH {expression}))"
        ),
    };
    let (words, without) = (says("?4"), says("?5"));
    let sql = format!(
        "SELECT story.id FROM {from}
         WHERE published_at IS NOT NULL AND merged_into IS NULL AND ?7 IS ?7
         AND (?1 = '[]' OR EXISTS (SELECT 1 FROM item JOIN source_tag USING (source_id)
              WHERE item.story_id = story.id AND tag IN (SELECT value FROM json_each(?1))))
         AND (?2 = '[]' OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND outlet IN (SELECT value FROM json_each(?2))))
         AND (?3 = '[]' OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id
              AND coalesce(item.lang, source.lang, source.feed_lang) IN (SELECT value FROM json_each(?3))))
         AND (?4 IS NULL OR {words})
         AND (?5 IS NULL OR NOT {without})
         AND (?6 <= 1 OR (SELECT count(DISTINCT outlet) FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND item.copy_of IS NULL) >= ?6)
         ORDER BY published_at DESC, story.id DESC"
    );
    let list = rows.map(|rows| json_list(&rows));
    collect(
        &mut *db.prepare_cached(&sql)?,
        params![
            json_list(&selection.tags),
            json_list(&selection.outlets),
            json_list(&selection.languages),
            selection.query,
            selection.exclude_query,
            selection.min_outlets,
            list,
        ],
        |row| Ok(StoryId::from_row(row.get(0)?)),
    )
}

/// The stories that match a selection now, in their present state, newest first.
pub fn select(db: &ReadConnection, selection: &FeedSelection) -> Result<Vec<Story>> {
    let mut ids: Vec<i64> = matching(db, selection, None)?.into_iter().map(|id| id.to_row()).collect();
    ids.truncate(selection.limit as usize);
    let mut stories = load(db, &ids)?;
    let dated = |story: &Story| story.published.as_ref().map(|published| published.at);
    if let (Some(age), Some(newest)) = (selection.max_age, stories.first().and_then(dated)) {
        stories.retain(|story| dated(story).is_some_and(|at| at >= before(newest, age)));
    }
    Ok(stories)
}

/// An SQL condition: an item of the story matches an expression. Starts from the story's items, since an expression
/// may have many matches.
fn one_says(expression: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM item CROSS JOIN item_fts ON item_fts.rowid = item.id
                 WHERE item.story_id = story.id AND item_fts MATCH {expression})"
    )
}

/// Whether an item of a story matches an FTS5 expression.
pub fn matches_expression(db: &ReadConnection, story: StoryId, words: &str) -> Result<bool> {
    let mut any = db.prepare_cached(&format!("SELECT 1 FROM story WHERE id = ?1 AND {}", one_says("?2")))?;
    Ok(any.exists(params![story.to_row(), words])?)
}
