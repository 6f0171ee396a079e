//! The version counters of published content, and the identity of this database.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};

/// Records that published content has changed.
pub fn touch(db: &WriteConnection) -> Result<()> {
    db.execute("UPDATE publication SET version = version + 1", [])?;
    Ok(())
}

/// Records that feeds have changed. Triggers record all changes except added entries.
pub(super) fn touch_feeds(db: &WriteConnection) -> Result<()> {
    db.execute("UPDATE publication SET feeds_version = feeds_version + 1", [])?;
    Ok(())
}

/// Returns the number of changes of published content. A rendered document is valid as long as this number stays the
/// same.
pub fn version(db: &ReadConnection) -> Result<i64> {
    db.one("SELECT version FROM publication", [])
}

/// Returns the number of changes of feeds. Changes that affect only pages do not count.
pub fn feeds_version(db: &ReadConnection) -> Result<i64> {
    db.one("SELECT feeds_version FROM publication", [])
}

/// Returns the number of changes of the tags and languages of sources.
pub fn facets_version(db: &ReadConnection) -> Result<i64> {
    db.one("SELECT facets_version FROM publication", [])
}

/// Returns the number of changes of the source attributes by which feeds select stories.
pub(super) fn selection_version(db: &ReadConnection) -> Result<i64> {
    db.one("SELECT selection_version FROM publication", [])
}

/// Returns the identity of this database's feeds: 32 random hexadecimal digits, generated with the database.
pub fn instance(db: &ReadConnection) -> Result<String> {
    db.one("SELECT instance FROM publication", [])
}
