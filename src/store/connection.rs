//! The connections that the functions of [`crate::store`] take. Only `store` may call the methods that access SQLite.
//!
//! Both types run inside a transaction, which the caller begins and ends.

use super::Result;
use super::access_failures::AccessFailures;
use super::program_lock::ProgramLock;
use super::read_cancellation::ReadCancellation;
use super::row_conversion::from_row;
use rusqlite::{CachedStatement, Connection, Params, Row, StatementStatus};
use serde::de::DeserializeOwned;
use std::cell::OnceCell;
use std::ops::Deref;
use std::path::Path;
use tracing::Level;

/// The number of steps of SQLite's virtual machine after which a statement checks whether it was cancelled.
const STEPS_PER_CHECK: i32 = 10_000;

/// A read-only connection with a consistent snapshot of the database.
pub struct ReadConnection {
    sqlite: Connection,
    /// The current read of the store; `None` for other uses of a connection.
    active: Option<ActiveRead>,
}

/// A read of the store.
pub(super) struct ActiveRead {
    pub cancellation: ReadCancellation,
    /// Records failed statements. A page that reports an error hides it from the caller of the read.
    pub failures: AccessFailures,
}

/// The only connection that can change the database. It can also read.
pub struct WriteConnection {
    read: ReadConnection,
    /// Acquired with the first lease.
    program_lock: OnceCell<Option<ProgramLock>>,
}

impl ReadConnection {
    pub(super) fn new(sqlite: Connection) -> Self {
        ReadConnection { sqlite, active: None }
    }

    /// Runs `work` in a transaction. All statements fail once the read is cancelled.
    pub(super) fn run<T>(&mut self, read: ActiveRead, work: impl FnOnce(&ReadConnection) -> Result<T>) -> Result<T> {
        let cancellation = read.cancellation.clone();
        self.sqlite.progress_handler(STEPS_PER_CHECK, Some(move || cancellation.is_cancelled()))?;
        self.active = Some(read);
        let run = || {
            let _transaction = self.sqlite.unchecked_transaction()?;
            work(self)
        };
        let result = run();
        self.active = None;
        self.sqlite.progress_handler(0, None::<fn() -> bool>)?;
        result
    }

    /// Returns an error if the result of this read is no longer needed. Work that takes a long time between two
    /// statements calls this function.
    pub fn expect_needed(&self) -> Result<()> {
        self.active.as_ref().map_or(Ok(()), |read| read.cancellation.check())
    }

    /// Returns the path of the database file.
    pub(super) fn path(&self) -> &Path {
        Path::new(self.sqlite.path().unwrap_or_default())
    }

    /// Returns the underlying SQLite connection, for transactions and pragmas.
    pub(super) fn sqlite(&self) -> &Connection {
        &self.sqlite
    }

    /// Runs a statement. All statements except pragmas and those of transactions run here. The log records each
    /// statement with its cost, because the cost of a frequent statement must not grow with the size of the tables.
    fn with_statement<T>(&self, sql: &str, run: impl FnOnce(&mut CachedStatement<'_>) -> Result<T>) -> Result<T> {
        self.expect_needed()?;
        let result = self.run_statement(sql, run);
        match &self.active {
            Some(read) => read.failures.in_words(result),
            None => result,
        }
    }

    fn run_statement<T>(&self, sql: &str, run: impl FnOnce(&mut CachedStatement<'_>) -> Result<T>) -> Result<T> {
        let mut statement = self.sqlite.prepare_cached(sql)?;
        let result = run(&mut statement);
        if tracing::enabled!(Level::TRACE) {
            // The number of steps of SQLite's virtual machine, and the number of steps that advance a table scan.
            let steps = statement.reset_status(StatementStatus::VmStep);
            let scanned = statement.reset_status(StatementStatus::FullscanStep);
            tracing::trace!(steps, scanned, sql, "statement");
        }
        result
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
        self.with_statement(sql, |statement| statement.query_and_then(params, read)?.collect())
    }

    /// Returns the first row of a query, if any.
    pub(super) fn first<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<Option<T>> {
        self.with_statement(sql, |statement| statement.query_and_then(params, from_row)?.next().transpose())
    }

    /// Returns the first row of a query that always returns a row.
    pub(super) fn one<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<T> {
        self.first(sql, params)?.ok_or(rusqlite::Error::QueryReturnedNoRows.into())
    }

    pub(super) fn exists(&self, sql: &str, params: impl Params) -> Result<bool> {
        self.with_statement(sql, |statement| Ok(statement.exists(params)?))
    }
}

impl WriteConnection {
    pub(super) fn new(connection: Connection) -> Self {
        WriteConnection { read: ReadConnection::new(connection), program_lock: OnceCell::new() }
    }

    /// Executes one statement and returns the number of changed rows.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.with_statement(sql, |statement| Ok(statement.execute(params)?))
    }

    /// Returns the ID by which other programs detect whether this program is still running; `None` if the lock file
    /// cannot be created. Then the leases of this program end only when they expire.
    pub(super) fn program_id(&self) -> Option<&str> {
        let acquire = || {
            let lock = ProgramLock::acquire(self.path());
            lock.inspect_err(|error| tracing::warn!(%error, "the lock file of this program could not be created")).ok()
        };
        self.program_lock.get_or_init(acquire).as_ref().map(|lock| lock.id.as_str())
    }

    pub(super) fn last_insert_rowid(&self) -> i64 {
        self.sqlite().last_insert_rowid()
    }
}

impl Deref for WriteConnection {
    type Target = ReadConnection;

    fn deref(&self) -> &ReadConnection {
        &self.read
    }
}
