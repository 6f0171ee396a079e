//! The version counters of what is published, and the identity of this database.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};

/// Records that something published has changed.
pub fn touch(db: &WriteConnection) -> Result<()> {
    db.execute("UPDATE publication SET version = version + 1", [])?;
    Ok(())
}

/// Counts the changes of what is published. Anything rendered at one version is valid until it changes.
pub fn version(db: &ReadConnection) -> Result<i64> {
    Ok(db.prepare_cached("SELECT version FROM publication")?.query_row([], |row| row.get(0))?)
}

/// Counts the changes of feeds only.
pub fn feeds_version(db: &ReadConnection) -> Result<i64> {
    Ok(db.prepare_cached("SELECT feeds_version FROM publication")?.query_row([], |row| row.get(0))?)
}

/// The identity of this database's feeds: 32 random hexadecimal digits, created with the database.
pub fn instance(db: &ReadConnection) -> Result<String> {
    Ok(db.prepare_cached("SELECT instance FROM publication")?.query_row([], |row| row.get(0))?)
}
