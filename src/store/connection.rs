//! The connections that the functions of [`crate::store`] take. Only `store` may call the methods that access SQLite.
//!
//! Both types run inside a transaction, which the caller begins and ends.

use super::Result;
use super::rows::from_row;
use rusqlite::{CachedStatement, Connection, Params, Row};
use serde::de::DeserializeOwned;
use std::ops::Deref;

/// A read-only connection with a consistent snapshot of the database.
pub struct ReadConnection(Connection);

/// The only connection that can change the database. It can also read.
pub struct WriteConnection(ReadConnection);

impl ReadConnection {
    pub(super) fn new(connection: Connection) -> Self {
        ReadConnection(connection)
    }

    /// Returns the underlying SQLite connection, for transactions and pragmas.
    pub(super) fn sqlite(&self) -> &Connection {
        &self.0
    }

    pub(super) fn prepare_cached(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.0.prepare_cached(sql)
    }

    /// Returns all rows of a query, each converted by [`from_row`].
    pub(super) fn all<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<Vec<T>> {
        self.map(sql, params, from_row)
    }

    /// Returns all rows of a query, each converted by `read`.
    pub(super) fn map<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.prepare_cached(sql)?.query_and_then(params, read)?.collect()
    }

    /// Returns the first row of a query, if any.
    pub(super) fn first<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<Option<T>> {
        self.prepare_cached(sql)?.query_and_then(params, from_row)?.next().transpose()
    }

    /// Returns the first row of a query that always returns a row.
    pub(super) fn one<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<T> {
        self.first(sql, params)?.ok_or(rusqlite::Error::QueryReturnedNoRows.into())
    }

    pub(super) fn exists(&self, sql: &str, params: impl Params) -> Result<bool> {
        Ok(self.prepare_cached(sql)?.exists(params)?)
    }
}

impl WriteConnection {
    pub(super) fn new(connection: Connection) -> Self {
        WriteConnection(ReadConnection(connection))
    }

    /// Executes one statement and returns the number of changed rows.
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
