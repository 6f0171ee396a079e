//! The languages in which feeds show stories. Each language is decided once, when the story enters the feed, and never
//! changes. An entry without a recorded language shows the editions of the story.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use crate::domain::StoryId;
use rusqlite::params;

/// Returns the recorded language of a story's entry in a feed, or `Some(None)` if the entry shows the editions of the
/// story. If the story was published by a version that did not record entry languages, this applies to all its entries.
pub fn find(db: &ReadConnection, feed: &str, story: StoryId) -> Result<Option<Option<String>>> {
    let sql = "SELECT lang FROM entry_language WHERE feed IN (?1, '') AND story_id = ?2";
    db.first(sql, params![feed, story.to_row()])
}

/// Records the language of a story's entry in a feed. A recorded language does not change.
pub fn record(db: &WriteConnection, feed: &str, story: StoryId, language: Option<&str>) -> Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO entry_language (feed, story_id, lang) VALUES (?1, ?2, ?3)",
        params![feed, story.to_row(), language],
    )?;
    Ok(())
}

/// Returns the languages of a story's entries, including removed ones.
pub fn of_story(db: &ReadConnection, story: StoryId) -> Result<Vec<String>> {
    db.all(
        "SELECT DISTINCT lang FROM entry_language WHERE story_id = ?1 AND lang IS NOT NULL ORDER BY lang",
        [story.to_row()],
    )
}
