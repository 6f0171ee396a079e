//! The check of a database file for damage.

use super::access_failures::{is_damage, sqlite_message};
use super::connection::ReadConnection;
use super::{Error, Result};

/// Returns the errors that SQLite finds in the file, at most about twenty; empty if the file is intact.
pub fn damage(db: &ReadConnection) -> Result<Vec<String>> {
    match find_damage(db) {
        // The damage is where SQLite begins to read.
        Err(Error::Sqlite(error)) if is_damage(&error) => Ok(vec![sqlite_message(&error)]),
        Err(Error::NotRead { cause, is_damage: true, .. }) => Ok(vec![cause]),
        found => found,
    }
}

fn find_damage(db: &ReadConnection) -> Result<Vec<String>> {
    let mut found: Vec<String> = db.all("PRAGMA integrity_check(20)", [])?;
    found.retain(|line| line != "ok");
    let without_parent = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1";
    let orphans: Vec<(String, u64)> = db.all(without_parent, [])?;
    found.extend(orphans.iter().map(|(table, rows)| format!("{rows} rows of {table} refer to rows that do not exist")));
    Ok(found)
}
