//! The sizes of the tables in the database file, and of its unused part.

use super::Result;
use super::connection::ReadConnection;

/// The size of a table with its indexes.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct TableSize {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
}

/// Returns the sizes of all tables, largest first. Reads the whole file.
pub fn table_sizes(db: &ReadConnection) -> Result<Vec<TableSize>> {
    let sizes: Vec<(String, u64)> = db.all(
        "SELECT tbl_name, sum(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name)
         WHERE aggregate = TRUE GROUP BY tbl_name ORDER BY bytes DESC",
        [],
    )?;
    sizes
        .into_iter()
        .map(|(name, bytes)| {
            let rows = db.one(&format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\"")), [])?;
            Ok(TableSize { name, rows, bytes })
        })
        .collect()
}

/// Returns the number of bytes in the file that no table uses.
pub fn unused_bytes(db: &ReadConnection) -> Result<u64> {
    db.one("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size", [])
}
