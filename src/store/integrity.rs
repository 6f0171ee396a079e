//! The check of a database file for damage.

use super::Result;
use super::connection::ReadConnection;

/// Returns the errors that SQLite finds in the file; empty if the file is intact.
pub fn damage(db: &ReadConnection) -> Result<Vec<String>> {
    let mut found: Vec<String> = db.all("PRAGMA integrity_check", [])?;
    found.retain(|line| line != "ok");
    let without_parent = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1";
    let orphans: Vec<(String, u64)> = db.all(without_parent, [])?;
    found.extend(orphans.iter().map(|(table, rows)| format!("{rows} rows of {table} refer to rows that do not exist")));
    Ok(found)
}
