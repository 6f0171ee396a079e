//! The editions of stories. An edition is written once and never changes.
//!
//! The text of most editions equals that of their lead. The database stores it once: the JSON of an edition omits the
//! values that are equal to the values of the item `shared_item_id`. Triggers copy them into the edition before the
//! item changes.

use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{column, from_row};
use super::{Error, Result};
use crate::domain::{Edition, EditionReason, EditionText, EditionTimes, FeedEntry, PublishedStory, Story, StoryId};
use jiff::Timestamp;
use rusqlite::params;
use serde_json::{Map, Value};

/// An edition to add.
#[derive(Debug, Clone, Copy)]
pub struct NewEdition<'a> {
    pub reason: EditionReason,
    pub for_language: Option<&'a str>,
    pub text: &'a EditionText,
}

/// Adds an edition after the story's latest edition. The lead of an edition that is not for a language becomes the lead
/// of the story. Returns the number of the edition.
pub fn add(db: &WriteConnection, story: &Story, edition: NewEdition<'_>, now: Timestamp) -> Result<u32> {
    let NewEdition { reason, for_language, text } = edition;
    let item: String = db.one(SHARED_VALUES, [text.lead.0])?;
    let item = serde_json::from_str(&item).map_err(|cause| Error::Corrupt(cause.to_string()))?;
    let shared = without_shared_values(text, &item)?;
    let number = db.one(
        "INSERT INTO edition (story_id, number, made_at, reason, for_language, outlet_count, text, shared_item_id)
         SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM edition WHERE story_id = ?1
         RETURNING number",
        params![
            story.id.to_row(),
            now.as_millisecond(),
            reason.into_str(),
            for_language,
            story.outlet_count(),
            shared,
            text.lead.0
        ],
    )?;
    if for_language.is_none() {
        super::stories::set_lead(db, story.id, text.lead)?;
    }
    Ok(number)
}

/// Returns the latest edition of a story that was created neither for a single feed nor for a language.
pub fn latest(db: &ReadConnection, story: StoryId) -> Result<Option<Edition>> {
    latest_for(db, story, None)
}

/// Returns the latest edition of a story for entries in a language that was not created for a single feed.
pub fn latest_in_language(db: &ReadConnection, story: StoryId, language: &str) -> Result<Option<Edition>> {
    latest_for(db, story, Some(language))
}

fn latest_for(db: &ReadConnection, story: StoryId, language: Option<&str>) -> Result<Option<Edition>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS} FROM edition
         WHERE story_id = ?1 AND reason <> 'entered' AND for_language IS ?2 ORDER BY number DESC LIMIT 1"
    );
    db.first(&sql, params![story.to_row(), language])
}

/// Returns the creation times of a story's first edition and of the latest edition that entries in `language` show.
/// Without a language, the second time is that of the latest edition of the story itself. Returns `None` if there is no
/// such edition.
pub fn times(db: &ReadConnection, story: StoryId, language: Option<&str>) -> Result<Option<EditionTimes>> {
    db.first(
        "SELECT (SELECT min(made_at) FROM edition WHERE story_id = ?1) AS first, max(made_at) AS last
         FROM edition WHERE story_id = ?1 AND for_language IS ?2 HAVING count(*) > 0",
        params![story.to_row(), language],
    )
}

/// Returns whether a story has editions for a language.
pub fn has_language_editions(db: &ReadConnection, story: StoryId) -> Result<bool> {
    db.exists("SELECT 1 FROM edition WHERE story_id = ?1 AND for_language IS NOT NULL", [story.to_row()])
}

/// Returns when the first edition of a story was created; `None` if it has no editions.
pub fn first_made_at(db: &ReadConnection, story: StoryId) -> Result<Option<Timestamp>> {
    db.one("SELECT min(made_at) FROM edition WHERE story_id = ?1", [story.to_row()])
}

/// Returns the published state of a story; `None` if the story is not published.
pub fn published_story(db: &ReadConnection, story: StoryId) -> Result<Option<PublishedStory>> {
    db.first(
        "SELECT created_at, edition.text ->> '$.linked' AS linked FROM story JOIN edition ON story_id = story.id
         WHERE story.id = ?1 AND published_at IS NOT NULL AND reason <> 'entered' AND for_language IS NULL
         ORDER BY number DESC LIMIT 1",
        [story.to_row()],
    )
}

/// Returns all editions of a story, in order.
pub fn list_of_story(db: &ReadConnection, story: StoryId) -> Result<Vec<Edition>> {
    let sql = format!("SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 ORDER BY number");
    db.all(&sql, [story.to_row()])
}

/// Returns the latest editions of the given stories, in the same order. Stories without an edition are omitted.
pub fn latest_entries(db: &ReadConnection, ids: &[StoryId]) -> Result<Vec<FeedEntry>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS}, story.published_at FROM edition JOIN story ON story.id = story_id
         WHERE story_id = ?1 AND reason <> 'entered' AND for_language IS NULL ORDER BY number DESC LIMIT 1"
    );
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let entry = db.map(&sql, [id.to_row()], |row| {
            Ok(FeedEntry { published_at: column(row, "published_at")?, edition: from_row(row)? })
        })?;
        all.extend(entry);
    }
    Ok(all)
}

/// The values that an edition may share with its lead, from `item`: pairs of a JSON path and a value. Two triggers in
/// `migrations/V6__shared_texts.sql` contain the same list.
macro_rules! shared_values_sql {
    () => {
        "'$.title', title, '$.link', url, '$.summary', summary, '$.content', original_content(content, summary),
         '$.article', full_text, '$.author', author, '$.image', image, '$.enclosures', json(enclosures)"
    };
}

/// The columns of [`Edition`]. The text includes the values that the edition shares with its lead. The full article is
/// omitted if its source no longer allows publication.
pub(super) const EDITION_COLUMNS: &str = concat!(
    "edition.story_id, edition.number, edition.made_at, edition.reason, edition.for_language, edition.outlet_count,
     (SELECT CASE WHEN text ->> '$.article' IS NULL OR EXISTS (
                 SELECT 1 FROM item JOIN source ON source.id = source_id
                 WHERE item.id = text ->> '$.lead' AND source.full_text = 'publish')
             THEN text ELSE json_set(text, '$.article', NULL) END
      FROM (SELECT CASE WHEN edition.shared_item_id IS NULL THEN edition.text ELSE (
                SELECT json_insert(edition.text, ",
    shared_values_sql!(),
    ", '$.reports[0].title', title, '$.reports[0].url', url)
                FROM item WHERE id = edition.shared_item_id) END AS text)) AS text"
);

/// The values of an item that its editions may share, as JSON.
const SHARED_VALUES: &str = concat!("SELECT json_insert('{}', ", shared_values_sql!(), ") FROM item WHERE id = ?1");

/// Returns the text as JSON, without the values that are equal to those of the lead, and without empty values.
fn without_shared_values(text: &EditionText, item: &Map<String, Value>) -> Result<String> {
    let corrupt = |cause: serde_json::Error| Error::Corrupt(cause.to_string());
    let Value::Object(mut text) = serde_json::to_value(text).map_err(corrupt)? else {
        return Err(Error::Corrupt("an edition is not a JSON object".into()));
    };
    let is_shared = |key: &str, value: &Value| item.get(key) == Some(value);
    text.retain(|key, value| match item.contains_key(key) {
        true => !is_shared(key, value),
        false => !is_empty(value),
    });
    let mut reports = text.get_mut("reports").and_then(Value::as_array_mut).into_iter().flatten();
    if let Some(report) = reports.next().and_then(Value::as_object_mut) {
        report.retain(|key, value| match key.as_str() {
            "title" => !is_shared("title", value),
            "url" => !is_shared("link", value),
            _ => !is_empty(value),
        });
    }
    for report in reports.filter_map(Value::as_object_mut) {
        report.retain(|_, value| !is_empty(value));
    }
    serde_json::to_string(&text).map_err(corrupt)
}

/// Returns whether a value equals the value that is read if it is missing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        _ => false,
    }
}
