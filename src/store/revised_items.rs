//! The items that grouping must read again, because their text, link or embedding changed after they were stored.
//! Triggers on the tables `item` and `item_embedding` add them.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{EMBEDDING, ITEM_COLUMNS, column, from_row};
use crate::domain::Item;

/// Revised items.
#[derive(Debug, Default)]
pub struct RevisedItems {
    pub items: Vec<Item>,
    /// The sequence number of the last revision among them.
    last: i64,
}

/// Returns the revised items, at most `limit`.
pub fn get(db: &ReadConnection, limit: u32) -> Result<RevisedItems> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, {EMBEDDING}, sequence FROM revised_item JOIN item ON item.id = item_id
         JOIN source ON source.id = item.source_id ORDER BY sequence LIMIT ?1"
    );
    let rows = db.map(&sql, [limit], |row| Ok((from_row(row)?, column(row, "sequence")?)))?;
    let last = rows.last().map_or(0, |(_, sequence)| *sequence);
    Ok(RevisedItems { items: rows.into_iter().map(|(item, _)| item).collect(), last })
}

/// Removes revised items that the grouping has read. Items that have been revised again since then remain.
pub fn remove(db: &WriteConnection, revised: &RevisedItems) -> Result<()> {
    db.execute("DELETE FROM revised_item WHERE sequence <= ?1", [revised.last])?;
    Ok(())
}
