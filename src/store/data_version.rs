//! Detects whether the database has changed. The check is fast enough for each request.

use super::Result;
use super::connection::ReadConnection;
use super::open::open_reader;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

/// A number that changes when any connection commits, in this process or in another. Numbers of one [`DataVersions`] can
/// be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataVersion(i64);

/// A separate connection for [`PRAGMA data_version`](https://www.sqlite.org/pragma.html#pragma_data_version). It opens
/// when it is first used.
#[derive(Default)]
pub(super) struct DataVersions(Mutex<Option<ReadConnection>>);

impl DataVersions {
    /// Returns the current version, in about two microseconds: the pragma reads no table. Never waits for another
    /// connection. Returns `None` if the version is not available, for example because the database is locked.
    pub(super) fn current(&self, path: &Path) -> Option<DataVersion> {
        let mut connection = self.0.lock();
        if connection.is_none() {
            *connection = open(path).ok();
        }
        connection.as_ref().and_then(|connection| read(connection.sqlite()).ok()).map(DataVersion)
    }
}

fn open(path: &Path) -> Result<ReadConnection> {
    let connection = open_reader(path)?;
    connection.sqlite().busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

fn read(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
