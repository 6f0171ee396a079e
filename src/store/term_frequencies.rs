//! Long-term document frequencies of terms, by language. They decay with age, and their number is bounded.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::ITEM_COLUMNS;
use crate::domain::{Item, TermFrequency};
use jiff::Timestamp;
use rusqlite::params;

/// The time after which a document has half of its weight.
const HALF_LIFE_DAYS: f64 = 30.0;
/// The maximum number of terms kept per language. The most frequent terms are kept.
const MAX_TERMS: u32 = 50_000;
/// The count below which a term is forgotten.
const MIN_DOCUMENTS: f64 = 0.3;

/// Returns all frequencies.
pub fn all(db: &ReadConnection) -> Result<Vec<TermFrequency>> {
    db.all("SELECT language, term, documents FROM term_frequency", [])
}

/// Returns the time up to which items have been counted; `None` if no items have been counted.
pub fn counted_until(db: &ReadConnection) -> Result<Option<Timestamp>> {
    db.first("SELECT counted_until FROM term_frequency_progress", [])
}

/// Returns the items to count next: the news that was first seen in this time span. Excludes copies, because otherwise
/// the text of one outlet would be counted many times.
pub fn uncounted_items(db: &ReadConnection, after: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM item JOIN source ON source.id = item.source_id
         WHERE first_seen_at > ?1 AND first_seen_at <= ?2 AND copy_of IS NULL AND backlog_reason IS NULL
         ORDER BY first_seen_at, item.id LIMIT ?3"
    );
    db.all(&sql, params![after.as_millisecond(), until.as_millisecond(), limit])
}

/// Adds counts of documents that were first seen until `until`, after older counts have decayed.
pub fn add(db: &WriteConnection, counts: &[TermFrequency], until: Timestamp) -> Result<()> {
    let last = counted_until(db)?.unwrap_or(until);
    let days = until.duration_since(last).as_secs_f64().max(0.0) / 86_400.0;
    db.execute("UPDATE term_frequency SET documents = documents * ?1", [libm::exp2(-days / HALF_LIFE_DAYS)])?;
    for TermFrequency { language, term, documents } in counts {
        db.execute(
            "INSERT INTO term_frequency (language, term, documents) VALUES (?1, ?2, ?3)
             ON CONFLICT (language, term) DO UPDATE SET documents = documents + excluded.documents",
            params![language, term, documents],
        )?;
    }
    db.execute("DELETE FROM term_frequency WHERE documents < ?1", [MIN_DOCUMENTS])?;
    let languages: Vec<String> = db.all("SELECT DISTINCT language FROM term_frequency", [])?;
    for language in languages {
        db.execute(
            "DELETE FROM term_frequency WHERE language = ?1 AND documents <= (
                 SELECT documents FROM term_frequency WHERE language = ?1 ORDER BY documents DESC LIMIT 1 OFFSET ?2)",
            params![language, MAX_TERMS],
        )?;
    }
    db.execute(
        "INSERT INTO term_frequency_progress (singleton, counted_until) VALUES (1, ?1)
         ON CONFLICT (singleton) DO UPDATE SET counted_until = excluded.counted_until",
        [until.as_millisecond()],
    )?;
    Ok(())
}
