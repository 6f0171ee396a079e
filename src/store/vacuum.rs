//! Compacts the database file.

use super::{Result, open};
use std::path::Path;

/// Rewrites the file without unused pages. Other programs cannot write in the meantime.
pub fn vacuum(path: &Path) -> Result<()> {
    let db = open::open_writer(path)?;
    Ok(db.sqlite().execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?)
}
