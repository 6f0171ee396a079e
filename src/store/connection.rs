//! The connections that the functions of [`crate::store`] take: SQLite behind methods that only `store` may call.
//!
//! Both run inside a transaction, which the caller opens and ends.

use super::Result;
use super::rows::from_row;
use rusqlite::{CachedStatement, Connection, Params, Row};
use serde::de::DeserializeOwned;
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

    /// All rows of a query, each converted by [`from_row`].
    pub(super) fn all<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<Vec<T>> {
        self.map(sql, params, from_row)
    }

    /// All rows of a query, each converted by `read`.
    pub(super) fn map<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.prepare_cached(sql)?.query_and_then(params, read)?.collect()
    }

    /// The first row of a query, if there is one.
    pub(super) fn first<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<Option<T>> {
        self.prepare_cached(sql)?.query_and_then(params, from_row)?.next().transpose()
    }

    /// The first row of a query that always has one.
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
