//! The stories that people look through: narrowed by words, tag, language and outlets, the last changed first.
//!
//! Whatever is asked for, the work is bounded: what many stories could meet is looked for among the newest ones, and what few can
//! meet is looked up from those few.

use super::connection::ReadConnection;
use super::stories::load;
use super::{Result, rows};
use crate::domain::Story;
use rusqlite::{ToSql, params};

/// Stories, counted from the one that changed last, among which those that are asked for are looked for one by one.
const LOOKED_THROUGH: u32 = 10_000;
/// Items, the newest first, that words or a tag may find.
const FOUND: u32 = 5_000;

/// Which published stories to list. Nothing that is not given narrows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorySearch {
    /// An FTS5 expression, as [`super::words::query`] makes it.
    pub words: Option<String>,
    pub tag: Option<String>,
    pub lang: Option<String>,
    pub min_outlets: u32,
    /// How many to pass over, and how many to list at most.
    pub skip: u32,
    pub limit: u32,
}

/// What was listed.
pub struct SearchResults {
    pub stories: Vec<Story>,
    /// Whether there are older ones.
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

/// Whether the sources with a tag have so few items that those are what to begin with.
fn is_rare(db: &ReadConnection, tag: Option<&str>) -> Result<bool> {
    let Some(tag) = tag else { return Ok(false) };
    let mut count = db.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM source_tag CROSS JOIN item USING (source_id) WHERE tag = ?1 LIMIT ?2)",
    )?;
    Ok(count.query_row(params![tag, FOUND + 1], |row| row.get::<_, u32>(0))? <= FOUND)
}

/// When the last of the stories that are looked through changed.
fn looked_through(db: &ReadConnection) -> Result<i64> {
    let mut statement = db.prepare_cached(
        "SELECT coalesce((SELECT updated_at FROM story WHERE merged_into IS NULL
                          ORDER BY updated_at DESC LIMIT 1 OFFSET ?1), 0)",
    )?;
    Ok(statement.query_row([LOOKED_THROUGH], |row| row.get(0))?)
}

/// What stories may be narrowed to.
#[derive(Debug, Clone, Default)]
pub struct SearchFacets {
    pub tags: Vec<String>,
    pub languages: Vec<String>,
}

/// The tags and languages of the sources that were not removed, at most so many of each that people look through them.
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
