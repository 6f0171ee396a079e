//! Row counts, for the command line and the health page.

use super::Result;
use super::connection::ReadConnection;

/// The number of rows of each kind.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RowCounts {
    pub sources: u64,
    pub items: u64,
    pub stories: u64,
    pub published: u64,
    pub unassigned: u64,
}

pub fn row_counts(db: &ReadConnection) -> Result<RowCounts> {
    let one =
        |sql: &str| -> Result<u64> { Ok(db.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))? as u64) };
    Ok(RowCounts {
        sources: one("SELECT count(*) FROM source WHERE state <> 'removed'")?,
        items: one("SELECT count(*) FROM item")?,
        stories: one("SELECT count(*) FROM story WHERE merged_into IS NULL")?,
        published: one("SELECT count(*) FROM story WHERE published_at IS NOT NULL AND merged_into IS NULL")?,
        unassigned: one("SELECT count(*) FROM item WHERE story_id IS NULL")?,
    })
}
