//! Conversion between SQLite's columns and the domain's types: times, enum texts, JSON.

use super::{Error, Result};
use crate::domain::{ArticleText, Item, ItemId, SourceId};
use crate::urls::redact::redact_url;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Row;

/// The columns that [`item`] reads, from `item` joined with its `source`.
pub(super) const ITEM_COLUMNS: &str = "item.id, item.source_id, coalesce(source.title, source.feed_title, source.url), \
     source.url, source.outlet, source.priority, item.guid, item.url, item.canonical_url, item.title, item.summary, \
     item.content, item.author, coalesce(item.lang, source.lang, source.feed_lang), item.image, item.published_at, \
     item.first_seen_at, item.ranked_at, \
     CASE WHEN source.added_at >= (SELECT min(added_at) FROM source) + 86400000 \
          THEN item.first_seen_at - source.added_at END, \
     CASE source.full_text_mode WHEN 'publish' THEN item.full_text ELSE substr(item.full_text, 1, 1200) END, \
     source.full_text_mode = 'publish'";
/// The number of these columns.
pub(super) const ITEM_WIDTH: usize = 21;

pub(super) fn item(row: &Row<'_>) -> Result<Item> {
    Ok(Item {
        id: ItemId(row.get(0)?),
        source: SourceId(row.get(1)?),
        // The URL replaces the title of a source without one.
        source_title: redact_url(&row.get::<_, String>(2)?),
        source_url: row.get(3)?,
        outlet: row.get(4)?,
        priority: row.get(5)?,
        guid: row.get(6)?,
        url: row.get(7)?,
        canonical_url: row.get(8)?,
        title: row.get(9)?,
        summary: row.get(10)?,
        content: row.get(11)?,
        author: row.get(12)?,
        lang: row.get(13)?,
        image: row.get(14)?,
        published_at: maybe_time(row.get(15)?)?,
        first_seen_at: time(row.get(16)?)?,
        ranked_at: time(row.get(17)?)?,
        source_age: row.get::<_, Option<i64>>(18)?.map(SignedDuration::from_millis),
        article: match row.get::<_, Option<String>>(19)? {
            Some(text) => Some(ArticleText { text, publishable: row.get(20)? }),
            None => None,
        },
    })
}

pub(super) fn time(milliseconds: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds).map_err(|e| Error::Corrupt(format!("a time of {milliseconds} ms: {e}")))
}

pub(super) fn maybe_time(milliseconds: Option<i64>) -> Result<Option<Timestamp>> {
    milliseconds.map(time).transpose()
}

pub(super) fn milliseconds(time: Option<Timestamp>) -> Option<i64> {
    time.map(|t| t.as_millisecond())
}

/// Parses the text of an enum.
pub(super) fn word<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::Corrupt(format!("the word ‘{text}’")))
}

/// A list as a JSON array for `json_each`, so that its length needs no placeholders.
pub(super) fn json_list<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".into())
}

/// A value as the JSON text of a column.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Corrupt(e.to_string()))
}

/// The value of a column that holds JSON text.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::Corrupt(format!("{text}: {e}")))
}

/// Reads all rows of a query with a function that may fail.
pub(super) fn collect<T, P: rusqlite::Params>(
    statement: &mut rusqlite::Statement<'_>,
    params: P,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut rows = statement.query(params)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}
