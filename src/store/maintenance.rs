//! Database maintenance: deletes old rows, updates SQLite's statistics, checks integrity, and compacts the file.

use super::connection::{ReadConnection, WriteConnection};
use super::{Result, open};
use jiff::Timestamp;
use std::path::Path;

/// The periodic maintenance of the daemon.
pub struct Maintenance {
    /// The time before which poll records are deleted, except the newest record of each source.
    pub polls_before: Timestamp,
}

impl Maintenance {
    /// Deletes old poll records and updates SQLite's statistics. Returns the number of deleted records.
    pub fn run(&self, db: &WriteConnection) -> Result<usize> {
        let deleted = db.execute(
            "DELETE FROM poll WHERE started_at < ?1
             AND id <> (SELECT max(id) FROM poll newest WHERE newest.source_id = poll.source_id)",
            [self.polls_before.as_millisecond()],
        )?;
        super::operator_events::delete_before(db, self.polls_before)?;
        super::origins::delete_expired_holds(db, self.polls_before)?;
        super::origins::delete_requests_before(db, self.polls_before)?;
        db.sqlite().execute_batch("PRAGMA optimize")?;
        Ok(deleted)
    }
}

/// Returns the errors that SQLite finds in the file; empty if the file is intact.
pub fn damage(db: &ReadConnection) -> Result<Vec<String>> {
    let mut found: Vec<String> = db.all("PRAGMA integrity_check", [])?;
    found.retain(|line| line != "ok");
    let without_parent = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1";
    let orphans: Vec<(String, u64)> = db.all(without_parent, [])?;
    found.extend(orphans.iter().map(|(table, rows)| format!("{rows} rows of {table} refer to rows that do not exist")));
    Ok(found)
}

/// Rewrites the file without unused pages. Other programs cannot write in the meantime.
pub fn vacuum(path: &Path) -> Result<()> {
    let db = open::open_writer(path)?;
    Ok(db.sqlite().execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?)
}
