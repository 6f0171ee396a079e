//! Converts rows to domain types, and values to column text.
//!
//! [`from_row`] deserializes a type whose fields have the names of the columns. It applies the schema's conventions,
//! which `serde_rusqlite` does not support: times are numbers of milliseconds, and lists and structs are JSON.

use super::{Error, Result};
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::de::value::{Error as ValueError, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};

macro_rules! outlet_sql {
    () => {
        "CASE WHEN source.aggregator THEN coalesce(item.reporter_outlet, source.outlet) ELSE source.outlet END"
    };
}

// The name of the outlet is the same for all its sources: a name that the operator has set for one of them, or else the
// name in the title of one of the oldest sources. The limit bounds the cost for an outlet with very many sources.
macro_rules! outlet_name_sql {
    () => {
        "CASE WHEN source.aggregator AND item.reporter_outlet IS NOT NULL
              THEN coalesce(confirmed_outlet_name(item.reporter_name, item.reporter_outlet), item.reporter_outlet)
              ELSE coalesce(source.outlet_name,
                            (SELECT named.outlet_name FROM source AS named
                             WHERE named.outlet = source.outlet AND named.outlet_name IS NOT NULL ORDER BY named.id LIMIT 1),
                            (SELECT outlet_name(title, source.outlet) AS name
                             FROM (SELECT coalesce(title, feed_title) AS title FROM source AS same
                                   WHERE same.outlet = source.outlet ORDER BY same.id LIMIT 10)
                             WHERE name IS NOT NULL LIMIT 1),
                            source.outlet) END"
    };
}

macro_rules! language_sql {
    () => {
        "coalesce(item.lang, source.lang, source.feed_lang)"
    };
}

/// The language of an item, from `item` joined with `source`.
pub(super) const LANGUAGE: &str = language_sql!();

/// The display name of an item's outlet, from `item` joined with `source`.
pub(super) const OUTLET_NAME: &str = outlet_name_sql!();

/// The outlet of an item, from `item` joined with `source`.
pub(super) const OUTLET: &str = outlet_sql!();

macro_rules! canonical_url_sql {
    () => {
        "coalesce(item.canonical_url, canonical_url(item.url))"
    };
}

/// The canonical URL of an item. The column contains the canonical URL only if it differs from the canonical form of
/// the item's URL.
pub(super) const CANONICAL_URL: &str = canonical_url_sql!();

/// The columns of [`crate::domain::Item`]. `$texts` contains the columns `content` and `article`. A guid that equals the
/// URL is stored as an empty string.
macro_rules! item_columns_sql {
    ($source_title:literal, $canonical_url:expr, $texts:literal) => {
        concat!(
            "item.id, item.source_id, ",
            $source_title,
            " AS source_title, source.url AS source_url, ",
            outlet_sql!(),
            " AS outlet, ",
            outlet_name_sql!(),
            " AS outlet_name,
             CASE WHEN item.reporter_outlet IS source.outlet OR source.aggregator AND item.reporter_outlet IS NOT NULL
                       OR item.reporter_name IN (source.title, source.feed_title)
                  THEN NULL ELSE item.reporter_name END AS reporter,
             source.priority, CASE item.guid WHEN '' THEN item.url ELSE item.guid END AS guid, item.url, ",
            $canonical_url,
            " AS canonical_url, item.title, item.summary, item.author,
             ",
            language_sql!(),
            " AS lang, item.image, item.enclosures,
             item.published_at, item.first_seen_at, item.ranked_at, item.backlog_reason,
             CASE WHEN source.added_at >= (SELECT min(added_at) FROM source) + 86400000
                  THEN item.first_seen_at - source.added_at END AS source_age,
             ",
            $texts
        )
    };
}

/// The columns of [`crate::domain::Item`]. Only the beginning of an article that may not be published is read.
pub(super) const ITEM_COLUMNS: &str = item_columns_sql!(
    "redact_urls(coalesce(source.title, source.feed_title, source.url))",
    canonical_url_sql!(),
    "original_content(item.content, item.summary) AS content,
     CASE WHEN item.full_text IS NULL THEN NULL
          WHEN source.full_text = 'publish' THEN json_object('text', item.full_text, 'publishable', json('true'))
          ELSE json_object('text', substr(item.full_text, 1, 1200), 'publishable', json('false')) END AS article"
);

/// The column `embedding` of [`crate::domain::Item`]: the embedding by the current encoder. Only queries for grouping
/// read it.
pub(super) const EMBEDDING: &str =
    "(SELECT vector FROM item_embedding JOIN encoder_model ON encoder_model.id = encoder_id
     WHERE item_id = item.id AND is_current) AS embedding";

/// The columns of [`crate::domain::Item`] that lists of stories show, without those that are computed from other columns.
pub(super) const HEADLINE_COLUMNS: &str = item_columns_sql!("''", "NULL", "NULL AS content, NULL AS article");

/// Reads structs by column name, tuples by column order, and any other type from the first column.
pub(super) fn from_row<T: DeserializeOwned>(row: &Row<'_>) -> Result<T> {
    let first = row.get_ref(0)?;
    T::deserialize(Column { value: first, row: Some(row) })
        .map_err(|e| Error::Corrupt(format!("a row of {}: {e}", std::any::type_name::<T>())))
}

/// Reads one column.
pub(super) fn column<T: DeserializeOwned>(row: &Row<'_>, name: &str) -> Result<T> {
    let value = row.get_ref(name)?;
    T::deserialize(Column { value, row: None }).map_err(|e| Error::Corrupt(format!("the column {name}: {e}")))
}

pub(super) fn milliseconds(time: Option<Timestamp>) -> Option<i64> {
    time.map(|t| t.as_millisecond())
}

/// Serializes a list as a JSON array for `json_each`, so that a query needs no placeholder per element.
pub(super) fn json_list<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".into())
}

/// Serializes a value as the JSON text of a column.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Corrupt(e.to_string()))
}

/// The value of a column. If `row` is set, the value is the first column of that row, and the whole row is read.
struct Column<'de> {
    value: ValueRef<'de>,
    row: Option<&'de Row<'de>>,
}

impl<'de> Column<'de> {
    fn each(row: &'de Row<'de>) -> impl Iterator<Item = Column<'de>> {
        (0..row.as_ref().column_count())
            .filter_map(|index| row.get_ref(index).ok())
            .map(|value| Column { value, row: None })
    }
}

impl<'de> IntoDeserializer<'de, ValueError> for Column<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

type Read<V> = std::result::Result<V, ValueError>;

impl<'de> Deserializer<'de> for Column<'de> {
    type Error = ValueError;

    /// Returns false, because the ID of a story is stored as a number.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        let Some(row) = self.row else { return self.deserialize_any(visitor) };
        visitor.visit_map(MapDeserializer::new(row.as_ref().column_names().zip(Column::each(row))))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Read<V::Value> {
        let Some(row) = self.row else { return self.deserialize_any(visitor) };
        visitor.visit_seq(SeqDeserializer::new(Column::each(row)))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.value {
            ValueRef::Null => visitor.visit_unit(),
            ValueRef::Integer(number) => visitor.visit_i64(number),
            ValueRef::Real(number) => visitor.visit_f64(number),
            ValueRef::Blob(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            ValueRef::Text(json) => {
                serde_json::Deserializer::from_slice(json).deserialize_any(visitor).map_err(ValueError::custom)
            }
        }
    }

    /// Reads text or a time. A [`Timestamp`] can only be deserialized from text.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.value {
            ValueRef::Text(_) => visitor.visit_str(self.value.as_str().map_err(ValueError::custom)?),
            ValueRef::Integer(milliseconds) => {
                let time = Timestamp::from_millisecond(milliseconds).map_err(ValueError::custom)?;
                visitor.visit_str(&time.to_string())
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_bool(self.value.as_i64().map_err(ValueError::custom)? != 0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.value == ValueRef::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_enum(self.value.as_str().map_err(ValueError::custom)?.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct seq
        tuple_struct map identifier
    }
}
