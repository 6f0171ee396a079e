//! Compacts the database file.

use super::access_failures::{Access, AccessFailures};
use super::{Result, open};
use std::path::Path;

/// Rewrites the file without unused pages. Other programs cannot write in the meantime.
pub fn vacuum(path: &Path) -> Result<()> {
    let db = open::open_writer(path)?;
    let compacted = db.sqlite().execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    compacted.map_err(|error| {
        let failures = AccessFailures::new(Access::Write, path.to_owned());
        failures.error(&failures.cause_of(&error))
    })
}
