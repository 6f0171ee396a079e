//! Story search by expression, tag, language and number of outlets. The most recently updated stories come first.
//!
//! The cost of every query is bounded. Conditions that many stories may satisfy are checked only on the newest stories.
//! If only few stories can match, the search starts from the matches.

use super::Result;
use super::connection::ReadConnection;
use super::fts_query::indexed_expression;
use super::row_conversion::{LANGUAGE, OUTLET, json_list};
use super::stories::load_headlines;
use crate::domain::{Story, StoryId};
use rusqlite::{ToSql, params};

/// The number of most recently updated stories to check individually.
const MAX_CHECKED_STORIES: u32 = 10_000;
/// The maximum number of matching items to consider for an expression or a tag, newest first.
const MAX_MATCHING_ITEMS: u32 = 5_000;

/// The search criteria. Empty fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorySearch {
    /// An FTS5 expression, as created by [`super::fts_query::from_user_input`].
    pub words: Option<String>,
    pub tag: Option<String>,
    /// The languages. At least one of them must match.
    pub languages: Vec<String>,
    pub min_outlets: u32,
    /// Whether an expression also finds stories that contain only backlog. These stories follow the published stories.
    pub with_backlog: bool,
    /// The number of results to skip, and the maximum number of results to return.
    pub skip: u32,
    pub limit: u32,
}

/// One page of results.
pub struct SearchResults {
    pub stories: Vec<Story>,
    /// Whether more results exist.
    pub more: bool,
}

fn conditions() -> String {
    format!(
        "merged_into IS NULL
         AND (:tag IS NULL OR EXISTS (SELECT 1 FROM item JOIN source_tag USING (source_id)
              WHERE item.story_id = story.id AND tag = :tag))
         AND (:languages = '[]' OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND {LANGUAGE}
                  IN (SELECT value FROM json_each(:languages))))
         AND (:outlets <= 1 OR (SELECT count(DISTINCT {OUTLET}) FROM item JOIN source ON source.id = item.source_id
              WHERE item.story_id = story.id AND item.copy_of IS NULL) >= :outlets)"
    )
}

pub fn search(db: &ReadConnection, search: &StorySearch) -> Result<SearchResults> {
    let mut ids = find(db, &StorySearch { limit: search.limit + 1, ..search.clone() })?;
    let more = ids.len() > search.limit as usize;
    ids.truncate(search.limit as usize);
    Ok(SearchResults { stories: load_headlines(db, ids)?, more })
}

/// Returns the IDs of the stories that match, most recently updated first.
pub fn find(db: &ReadConnection, search: &StorySearch) -> Result<Vec<StoryId>> {
    let languages = json_list(&search.languages);
    let mut params: Vec<(&str, &dyn ToSql)> = vec![
        (":tag", &search.tag),
        (":languages", &languages),
        (":outlets", &search.min_outlets),
        (":limit", &search.limit),
        (":skip", &search.skip),
    ];
    let floor;
    let words = search.words.as_deref().map(indexed_expression);
    let from = if let Some(words) = &words {
        params.extend([(":words", words as &dyn ToSql), (":found", &MAX_MATCHING_ITEMS)]);
        "(SELECT DISTINCT item.story_id AS id
          FROM (SELECT rowid FROM item_fts WHERE item_fts MATCH :words ORDER BY rowid DESC LIMIT :found) AS found
          CROSS JOIN item ON item.id = found.rowid) AS found CROSS JOIN story ON story.id = found.id WHERE"
    } else if is_rare(db, search.tag.as_deref())? {
        "(SELECT DISTINCT story_id AS id FROM source_tag CROSS JOIN item USING (source_id) WHERE tag = :tag) AS found
         CROSS JOIN story ON story.id = found.id WHERE"
    } else {
        floor = oldest_checked_update(db)?;
        params.push((":floor", &floor));
        "story WHERE updated_at >= :floor AND"
    };
    let (published, order) = match search.words.is_some() && search.with_backlog {
        true => ("(published_at IS NOT NULL OR has_news = 0)", "published_at IS NULL, updated_at DESC"),
        false => ("published_at IS NOT NULL", "updated_at DESC"),
    };
    let conditions = conditions();
    let sql = format!(
        "SELECT story.id FROM {from} {published} AND {conditions}
         ORDER BY {order}, published_at DESC, story.id DESC LIMIT :limit OFFSET :skip"
    );
    db.all(&sql, params.as_slice())
}

/// Returns whether the sources with a tag have so few items that the search can start from these items.
fn is_rare(db: &ReadConnection, tag: Option<&str>) -> Result<bool> {
    let Some(tag) = tag else { return Ok(false) };
    let sql =
        "SELECT count(*) FROM (SELECT 1 FROM source_tag CROSS JOIN item USING (source_id) WHERE tag = ?1 LIMIT ?2)";
    Ok(db.one::<u32>(sql, params![tag, MAX_MATCHING_ITEMS + 1])? <= MAX_MATCHING_ITEMS)
}

/// Returns the update time of the oldest story to check.
fn oldest_checked_update(db: &ReadConnection) -> Result<i64> {
    db.one(
        "SELECT coalesce((SELECT updated_at FROM story WHERE merged_into IS NULL AND published_at IS NOT NULL
                          ORDER BY updated_at DESC LIMIT 1 OFFSET ?1), 0)",
        [MAX_CHECKED_STORIES],
    )
}

/// The values by which stories can be filtered.
#[derive(Debug, Clone, Default)]
pub struct SearchFacets {
    pub tags: Vec<String>,
    /// The tags with the most sources, in descending order of the number of sources.
    pub main_tags: Vec<String>,
    pub languages: Vec<String>,
}

/// The maximum number of main tags.
const MAX_MAIN_TAGS: u32 = 12;

/// Returns the tags and languages of all sources except removed sources, limited to a number that people can scan.
pub fn facets(db: &ReadConnection) -> Result<SearchFacets> {
    Ok(SearchFacets {
        tags: db.all(
            "SELECT DISTINCT tag FROM source_tag JOIN source ON source.id = source_id
             WHERE state <> 'removed' ORDER BY tag LIMIT 300",
            [],
        )?,
        main_tags: db.all(
            "SELECT tag FROM source_tag JOIN source ON source.id = source_id
             WHERE state <> 'removed' GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?1",
            [MAX_MAIN_TAGS],
        )?,
        languages: db.all(
            "SELECT DISTINCT coalesce(lang, feed_lang) AS language FROM source
             WHERE state <> 'removed' AND language IS NOT NULL ORDER BY language LIMIT 100",
            [],
        )?,
    })
}
