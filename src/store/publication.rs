//! The version counters of what is published, and the identity of this database.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};

/// Says that something which we publish has changed.
pub fn touch(db: &WriteConnection) -> Result<()> {
    db.execute("UPDATE publication SET version = version + 1", [])?;
    Ok(())
}

/// Counts the changes to what we publish: a rendering made at one version is good until the next.
pub fn version(db: &ReadConnection) -> Result<i64> {
    Ok(db.prepare_cached("SELECT version FROM publication")?.query_row([], |row| row.get(0))?)
}

/// Counts the changes to feeds alone.
pub fn feeds_version(db: &ReadConnection) -> Result<i64> {
    Ok(db.prepare_cached("SELECT feeds_version FROM publication")?.query_row([], |row| row.get(0))?)
}

/// What tells this database's feeds from those of every other: 32 hexadecimal digits, made with the database.
pub fn instance(db: &ReadConnection) -> Result<String> {
    Ok(db.prepare_cached("SELECT instance FROM publication")?.query_row([], |row| row.get(0))?)
}
