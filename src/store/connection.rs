//! The connections that the functions of [`crate::store`] take: SQLite behind methods that only `store` may call.
//!
//! Both run inside a transaction, which the caller opens and ends.

use super::Result;
use rusqlite::{CachedStatement, Connection, Params};
use std::ops::Deref;

/// A consistent view of the database.
pub struct ReadConnection(Connection);

/// The one connection that changes the database. It reads as well.
pub struct WriteConnection(ReadConnection);

impl ReadConnection {
    pub(super) fn new(connection: Connection) -> Self {
        ReadConnection(connection)
    }

    /// SQLite's own connection, for transactions and pragmas.
    pub(super) fn sqlite(&self) -> &Connection {
        &self.0
    }

    pub(super) fn prepare_cached(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.0.prepare_cached(sql)
    }
}

impl WriteConnection {
    pub(super) fn new(connection: Connection) -> Self {
        WriteConnection(ReadConnection(connection))
    }

    /// Runs one statement and returns the number of rows that it changed.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        Ok(self.prepare_cached(sql)?.execute(params)?)
    }

    pub(super) fn last_insert_rowid(&self) -> i64 {
        self.sqlite().last_insert_rowid()
    }
}

impl Deref for WriteConnection {
    type Target = ReadConnection;

    fn deref(&self) -> &ReadConnection {
        &self.0
    }
}
