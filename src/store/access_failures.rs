//! Failed reads and writes: determines when the next attempt is made and what is logged.
//!
//! On a full disk or a damaged file, every task would immediately try again. After a failed write, writes fail without
//! an attempt until a delay has passed; after a failed read, the tasks wait for as long. The delay doubles with each
//! consecutive failure. The log contains the first failure, the number of failures once an hour, and the recovery.

use super::disk_space::is_disk_full;
use super::{Error, Result};
use crate::domain::doubling_delay::doubling;
use jiff::SignedDuration;
use parking_lot::Mutex;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The delay before the second attempt, and the maximum delay.
const MIN_DELAY: SignedDuration = SignedDuration::from_secs(1);
const MAX_DELAY: SignedDuration = SignedDuration::from_secs(60);
/// The minimum time from the end of the last delay to a success that ends a series of failures. An earlier success does
/// not end the series, because on a nearly full disk, small writes succeed while large writes fail.
const MIN_SERIES_GAP: Duration = Duration::from_secs(10);
/// The interval at which the log repeats that a series continues.
const REMINDER_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The operation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Describes why SQLite failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FailureCause {
    pub text: String,
    /// Whether the file is damaged. A damaged file does not recover while it is open.
    pub is_damage: bool,
}

/// The failed reads or writes of one store. Clones share the state.
#[derive(Clone)]
pub(super) struct AccessFailures {
    access: Access,
    path: PathBuf,
    series: Arc<Mutex<Option<FailureSeries>>>,
}

struct FailureSeries {
    cause: FailureCause,
    began: Instant,
    logged_at: Instant,
    retry_at: Instant,
    attempts: u32,
    failures: u64,
    /// Whether an operation has succeeded since the last failure.
    has_succeeded: bool,
}

impl FailureSeries {
    fn ends_at(&self) -> Instant {
        self.retry_at + MIN_SERIES_GAP
    }
}

impl AccessFailures {
    pub(super) fn new(access: Access, path: PathBuf) -> AccessFailures {
        AccessFailures { access, path, series: Arc::default() }
    }

    /// Returns an error, and counts a failure, if the delay after the last failure has not passed.
    pub(super) fn check(&self) -> Result<()> {
        match &mut *self.series.lock() {
            Some(series) if Instant::now() < series.retry_at => {
                series.failures += 1;
                Err(self.error(&series.cause))
            }
            _ => Ok(()),
        }
    }

    /// Returns the time until the next attempt; zero if an attempt may be made now.
    pub(super) fn retry_delay(&self) -> Duration {
        let series = self.series.lock();
        series.as_ref().map_or(Duration::ZERO, |series| series.retry_at.saturating_duration_since(Instant::now()))
    }

    /// Returns the cause of the last failure, unless operations have succeeded for a while since then.
    pub(super) fn current_cause(&self) -> Option<FailureCause> {
        let is_current = |series: &&FailureSeries| !series.has_succeeded || Instant::now() < series.ends_at();
        self.series.lock().as_ref().filter(is_current).map(|series| series.cause.clone())
    }

    /// Records an attempt in which this number of operations failed.
    pub(super) fn record_failure(&self, cause: &FailureCause, operations: usize) {
        let now = Instant::now();
        let mut current = self.series.lock();
        let series = current.get_or_insert_with(|| {
            self.log_failure(cause);
            FailureSeries {
                cause: cause.clone(),
                began: now,
                logged_at: now,
                retry_at: now,
                attempts: 0,
                failures: 0,
                has_succeeded: false,
            }
        });
        if cause.is_damage && !series.cause.is_damage {
            self.log_failure(cause);
        }
        if cause.is_damage || !series.cause.is_damage {
            series.cause.clone_from(cause);
        }
        series.failures += operations as u64;
        series.has_succeeded = false;
        // Reads that run at the same time fail in one attempt.
        if self.access == Access::Write || now >= series.retry_at {
            series.retry_at = now + doubling(MIN_DELAY, MAX_DELAY, series.attempts).unsigned_abs();
            series.attempts += 1;
        }
        if series.logged_at.elapsed() >= REMINDER_INTERVAL {
            series.logged_at = now;
            self.log_reminder(series);
        }
    }

    /// Records an operation that succeeded.
    pub(super) fn record_success(&self) {
        let mut current = self.series.lock();
        let Some(series) = current.as_mut().filter(|series| !series.cause.is_damage) else { return };
        series.has_succeeded = true;
        if Instant::now() >= series.ends_at() {
            let (seconds, failures) = (series.began.elapsed().as_secs(), series.failures);
            match self.access {
                Access::Read => tracing::warn!(failed_reads = failures, seconds, "the database can be read again"),
                Access::Write => tracing::warn!(failed_writes = failures, seconds, "the database can be written again"),
            }
            *current = None;
        }
    }

    /// Records a failure, and replaces SQLite's message with the cause and the next step.
    pub(super) fn in_words<T>(&self, result: Result<T>) -> Result<T> {
        let Some(cause) = result.as_ref().err().and_then(|error| self.cause_of_operation(error)) else { return result };
        self.record_failure(&cause, 1);
        Err(self.error(&cause))
    }

    /// Returns the cause if the file, its disk or another program made an operation fail. The operation itself causes
    /// all other errors.
    pub(super) fn cause_of_operation(&self, error: &Error) -> Option<FailureCause> {
        let Error::Sqlite(error) = error else { return None };
        failure_cause(error, &self.path)
    }

    /// Returns the cause of a failed transaction.
    pub(super) fn cause_of(&self, error: &rusqlite::Error) -> FailureCause {
        let unknown = || FailureCause { text: sqlite_message(error), is_damage: false };
        failure_cause(error, &self.path).unwrap_or_else(unknown)
    }

    pub(super) fn error(&self, cause: &FailureCause) -> Error {
        let FailureCause { text: cause, is_damage } = cause.clone();
        let path = self.path.clone();
        match self.access {
            Access::Read => Error::NotRead { path, cause, is_damage },
            Access::Write => Error::NotWritten { path, cause },
        }
    }

    fn log_failure(&self, cause: &FailureCause) {
        let (database, cause) = (self.path.display(), &cause.text);
        match self.access {
            Access::Read => {
                tracing::error!(%database, cause, "cannot read the database; retrying with increasing delays")
            }
            Access::Write => {
                tracing::error!(%database, cause, "cannot write to the database; retrying with increasing delays");
            }
        }
    }

    fn log_reminder(&self, series: &FailureSeries) {
        let (database, cause, failures) = (self.path.display(), &series.cause.text, series.failures);
        match self.access {
            Access::Read => {
                tracing::error!(%database, cause, failed_reads = failures, "the database still cannot be read")
            }
            Access::Write => {
                tracing::error!(%database, cause, failed_writes = failures, "the database still cannot be written");
            }
        }
    }
}

/// Describes why SQLite failed to access the file at `path`, with the next step; `None` if neither the file, nor its
/// disk, nor another program is the cause.
pub(super) fn failure_cause(error: &rusqlite::Error, path: &Path) -> Option<FailureCause> {
    let advice = match error.sqlite_error_code()? {
        ErrorCode::DiskFull => "the disk is full; free up space on it",
        // SQLite reports a full disk as an I/O error if it cannot create its shared memory.
        ErrorCode::SystemIoFailure if is_disk_full(path) => "the disk is full; free up space on it",
        ErrorCode::SystemIoFailure => {
            "the disk reports an error; check whether it is full (`df`) or reports errors (`dmesg`)"
        }
        ErrorCode::ReadOnly | ErrorCode::CannotOpen => {
            "the file cannot be opened or changed; check that it exists and that the current user may change it and its \
             directory"
        }
        ErrorCode::DatabaseBusy => {
            "another program has locked the database for too long; end that program, or wait until it has finished"
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            "it is damaged; check it with `newsfold db check`, and restore a backup with `newsfold db restore FILE`"
        }
        _ => return None,
    };
    Some(FailureCause { text: format!("{advice} ({})", sqlite_message(error)), is_damage: is_damage(error) })
}

/// Returns whether SQLite failed because the file is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Returns SQLite's message without the repetitions that rusqlite adds.
pub(super) fn sqlite_message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(access: Access) -> AccessFailures {
        AccessFailures::new(access, "news.db".into())
    }

    fn cause(is_damage: bool) -> FailureCause {
        FailureCause { text: "the disk is full".into(), is_damage }
    }

    #[test]
    fn each_failed_write_doubles_the_delay_before_the_next_attempt() {
        let failures = failures(Access::Write);
        assert_eq!((failures.check().is_ok(), failures.retry_delay()), (true, Duration::ZERO));
        let mut delays = Vec::new();
        for _ in 0..8 {
            failures.record_failure(&cause(false), 3);
            assert!(failures.check().is_err());
            delays.push(failures.retry_delay().as_secs_f32().round());
        }
        assert_eq!(delays, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        assert_eq!(failures.current_cause(), Some(cause(false)));
        failures.record_success();
        assert!(failures.current_cause().is_some(), "larger writes may fail");
        failures.record_failure(&cause(false), 1);
        assert_eq!(failures.retry_delay().as_secs_f32().round(), 60.0, "the series continues");
    }

    #[test]
    fn simultaneous_failed_reads_are_one_attempt() {
        let failures = failures(Access::Read);
        (0..8).for_each(|_| failures.record_failure(&cause(false), 1));
        assert_eq!(failures.retry_delay().as_secs_f32().round(), 1.0);
    }

    #[test]
    fn another_failure_does_not_replace_damage() {
        let failures = failures(Access::Read);
        for (is_damage, expected) in [(false, false), (true, true), (false, true)] {
            failures.record_failure(&cause(is_damage), 1);
            assert_eq!(failures.current_cause().unwrap().is_damage, expected);
        }
    }

    #[test]
    fn damage_is_not_ended_by_a_success() {
        let failures = failures(Access::Read);
        failures.record_failure(&cause(true), 1);
        failures.record_success();
        assert!(!failures.series.lock().as_ref().unwrap().has_succeeded);
    }
}
