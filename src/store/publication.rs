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
    db.one("SELECT version FROM publication", [])
}

/// Counts the changes of feeds only.
pub fn feeds_version(db: &ReadConnection) -> Result<i64> {
    db.one("SELECT feeds_version FROM publication", [])
}

/// The identity of this database's feeds: 32 random hexadecimal digits, created with the database.
pub fn instance(db: &ReadConnection) -> Result<String> {
    db.one("SELECT instance FROM publication", [])
}
