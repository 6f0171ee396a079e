//! Story search for people: by expression, tag, language and number of outlets, last updated first.
//!
//! The work is bounded for every query: conditions that many stories may meet are checked on the newest stories only,
//! and those that few can meet start from these few.

use super::connection::ReadConnection;
use super::stories::load;
use super::{Result, rows};
use crate::domain::Story;
use rusqlite::{ToSql, params};

/// The number of last updated stories that are checked one by one.
const LOOKED_THROUGH: u32 = 10_000;
/// The number of newest items that an expression or a tag may match.
const FOUND: u32 = 5_000;

/// Which published stories to find. Empty fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorySearch {
    /// An FTS5 expression, as [`super::fts_query::from_user_input`] makes it.
    pub words: Option<String>,
    pub tag: Option<String>,
    pub lang: Option<String>,
    pub min_outlets: u32,
    /// The number of results to skip, and the maximum number to return.
    pub skip: u32,
    pub limit: u32,
}

/// One page of results.
pub struct SearchResults {
    pub stories: Vec<Story>,
    /// Whether there are more results.
    pub more: bool,
}

const MEETS: &str = "merged_into IS NULL AND published_at IS NOT NULL
    AND (:tag IS NULL OR EXISTS (SELECT 1 FROM item JOIN source_tag USING (source_id)
         WHERE item.story_id = story.id AND tag = :tag))
    AND (:lang IS NULL OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = item.source_id
         WHERE item.story_id = story.id AND coalesce(item.lang, source.lang, source.feed_lang) = :lang))
    AND (:outlets <= 1 OR (SELECT count(DISTINCT outlet) FROM item JOIN source ON source.id = item.source_id
         WHERE item.story_id = story.id AND item.copy_of IS NULL) >= :outlets)
    ORDER BY updated_at DESC, published_at DESC, story.id DESC LIMIT :limit OFFSET :skip";

pub fn search(db: &ReadConnection, listing: &StorySearch) -> Result<SearchResults> {
    let limit = listing.limit + 1;
    let mut params: Vec<(&str, &dyn ToSql)> = vec![
        (":tag", &listing.tag),
        (":lang", &listing.lang),
        (":outlets", &listing.min_outlets),
        (":limit", &limit),
        (":skip", &listing.skip),
    ];
    let floor;
    let from = if let Some(words) = &listing.words {
        params.extend([(":words", words as &dyn ToSql), (":found", &FOUND)]);
        "(SELECT DISTINCT item.story_id AS id
          FROM (SELECT rowid FROM item_fts WHERE item_fts MATCH :words ORDER BY rowid DESC LIMIT :found) AS found
          CROSS JOIN item ON item.id = found.rowid) AS found CROSS JOIN story ON story.id = found.id WHERE"
    } else if is_rare(db, listing.tag.as_deref())? {
        "(SELECT DISTINCT story_id AS id FROM source_tag CROSS JOIN item USING (source_id) WHERE tag = :tag) AS found
         CROSS JOIN story ON story.id = found.id WHERE"
    } else {
        floor = looked_through(db)?;
        params.push((":floor", &floor));
        "story WHERE updated_at >= :floor AND"
    };
    let mut statement = db.prepare_cached(&format!("SELECT story.id FROM {from} {MEETS}"))?;
    let mut ids: Vec<i64> = rows::collect(&mut statement, params.as_slice(), |row| Ok(row.get(0)?))?;
    let more = ids.len() > listing.limit as usize;
    ids.truncate(listing.limit as usize);
    Ok(SearchResults { stories: load(db, &ids)?, more })
}

/// Whether the sources with a tag have so few items that the search can start from them.
fn is_rare(db: &ReadConnection, tag: Option<&str>) -> Result<bool> {
    let Some(tag) = tag else { return Ok(false) };
    let mut count = db.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM source_tag CROSS JOIN item USING (source_id) WHERE tag = ?1 LIMIT ?2)",
    )?;
    Ok(count.query_row(params![tag, FOUND + 1], |row| row.get::<_, u32>(0))? <= FOUND)
}

/// The update time of the oldest story that is checked.
fn looked_through(db: &ReadConnection) -> Result<i64> {
    let mut statement = db.prepare_cached(
        "SELECT coalesce((SELECT updated_at FROM story WHERE merged_into IS NULL
                          ORDER BY updated_at DESC LIMIT 1 OFFSET ?1), 0)",
    )?;
    Ok(statement.query_row([LOOKED_THROUGH], |row| row.get(0))?)
}

/// The values by which stories can be filtered.
#[derive(Debug, Clone, Default)]
pub struct SearchFacets {
    pub tags: Vec<String>,
    pub languages: Vec<String>,
}

/// The tags and languages of sources that are not removed, up to a number that people can read through.
pub fn facets(db: &ReadConnection) -> Result<SearchFacets> {
    let all =
        |sql: &str| -> Result<Vec<String>> { rows::collect(&mut *db.prepare_cached(sql)?, [], |row| Ok(row.get(0)?)) };
    Ok(SearchFacets {
        tags: all("SELECT DISTINCT tag FROM source_tag JOIN source ON source.id = source_id
                   WHERE state <> 'removed' ORDER BY tag LIMIT 300")?,
        languages: all("SELECT DISTINCT coalesce(lang, feed_lang) AS spoken FROM source
                        WHERE state <> 'removed' AND spoken IS NOT NULL ORDER BY spoken LIMIT 100")?,
    })
}
