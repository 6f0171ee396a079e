//! Upkeep of the database: old rows, SQLite's statistics, and the integrity check.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use jiff::Timestamp;

/// The periodic maintenance of the daemon.
pub struct Maintenance {
    /// Records of polls that started earlier are deleted, except the newest one of each source.
    pub polls_before: Timestamp,
}

impl Maintenance {
    /// Drops old records of polls and lets SQLite look after its statistics. Returns how many records went.
    pub fn run(&self, db: &WriteConnection) -> Result<usize> {
        let dropped = db.execute(
            "DELETE FROM poll WHERE started_at < ?1
             AND id <> (SELECT max(id) FROM poll newest WHERE newest.source_id = poll.source_id)",
            [self.polls_before.as_millisecond()],
        )?;
        super::operator_events::delete_before(db, self.polls_before)?;
        super::origins::delete_expired_holds(db, self.polls_before)?;
        super::origins::delete_requests_before(db, self.polls_before)?;
        db.sqlite().execute_batch("PRAGMA optimize")?;
        Ok(dropped)
    }
}

/// What SQLite finds wrong with the file; empty when it is whole.
pub fn damage(db: &ReadConnection) -> Result<Vec<String>> {
    let mut check = db.prepare_cached("PRAGMA integrity_check")?;
    let mut found: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    found.retain(|line| line != "ok");
    Ok(found)
}
