//! Database maintenance: deletes old rows, updates SQLite's statistics, and checks integrity.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use jiff::Timestamp;

/// The periodic maintenance of the daemon.
pub struct Maintenance {
    /// Poll records older than this are deleted, except the newest record of each source.
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
    Ok(found)
}
