//! Failed writes: determines when the next write is attempted and what is logged.
//!
//! On a full disk, every task would try to write again at once. After a failure, writes fail without an attempt until a
//! delay has passed. The delay doubles with each consecutive failure. The log contains the first failure and the
//! recovery, with the number of failed writes.

use super::{Error, Result};
use crate::domain::backoff::doubling;
use jiff::SignedDuration;
use parking_lot::Mutex;
use rusqlite::ErrorCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The delay before the second attempt, and the maximum delay.
const MIN_DELAY: SignedDuration = SignedDuration::from_secs(1);
const MAX_DELAY: SignedDuration = SignedDuration::from_secs(60);
/// The minimum time from the end of the last delay to a successful write that ends a series of failures. An earlier
/// success does not end the series, because on a nearly full disk, small writes succeed while large writes fail.
const MIN_SERIES_GAP: Duration = Duration::from_secs(10);

/// The failed writes of one store. Clones share the state.
#[derive(Clone, Default)]
pub(super) struct WriteFailures(Arc<Mutex<Option<FailureSeries>>>);

struct FailureSeries {
    cause: String,
    began: Instant,
    retry_at: Instant,
    attempts: u32,
    failed_writes: u64,
    /// Whether a write has succeeded since the last failure.
    has_succeeded: bool,
}

impl FailureSeries {
    fn ends_at(&self) -> Instant {
        self.retry_at + MIN_SERIES_GAP
    }
}

impl WriteFailures {
    /// Returns an error, and counts a failed write, if the delay after the last failure has not passed.
    pub(super) fn check(&self) -> Result<()> {
        match &mut *self.0.lock() {
            Some(series) if Instant::now() < series.retry_at => {
                series.failed_writes += 1;
                Err(Error::NotWritten(series.cause.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the time until the next attempt; zero if writes are possible.
    pub(super) fn retry_delay(&self) -> Duration {
        let series = self.0.lock();
        series.as_ref().map_or(Duration::ZERO, |series| series.retry_at.saturating_duration_since(Instant::now()))
    }

    /// Returns the cause of the last failure, unless writes have succeeded for a while since then.
    pub(super) fn current_cause(&self) -> Option<String> {
        let is_current = |series: &&FailureSeries| !series.has_succeeded || Instant::now() < series.ends_at();
        self.0.lock().as_ref().filter(is_current).map(|series| series.cause.clone())
    }

    /// Records a transaction that failed with `writes` writes.
    pub(super) fn record_failure(&self, cause: &str, writes: usize) {
        let now = Instant::now();
        let mut failures = self.0.lock();
        if failures.is_none() {
            tracing::error!(cause, "cannot write to the database; retrying with increasing delays");
        }
        let series = failures.get_or_insert_with(|| FailureSeries {
            cause: String::new(),
            began: now,
            retry_at: now,
            attempts: 0,
            failed_writes: 0,
            has_succeeded: false,
        });
        let delay = doubling(MIN_DELAY, MAX_DELAY, series.attempts).unsigned_abs();
        series.cause = cause.to_owned();
        (series.retry_at, series.has_succeeded) = (now + delay, false);
        series.attempts += 1;
        series.failed_writes += writes as u64;
    }

    /// Records a transaction that succeeded.
    pub(super) fn record_success(&self) {
        let mut failures = self.0.lock();
        let Some(series) = failures.as_mut() else { return };
        series.has_succeeded = true;
        if Instant::now() >= series.ends_at() {
            let (seconds, failed_writes) = (series.began.elapsed().as_secs(), series.failed_writes);
            tracing::warn!(failed_writes, seconds, "the database can be written again");
            *failures = None;
        }
    }
}

/// Returns what the operator should do if the disk caused this failure.
pub(super) fn step_after_disk_failure(cause: &rusqlite::Error) -> Option<&'static str> {
    match cause.sqlite_error_code()? {
        ErrorCode::DiskFull => Some("Free space on its disk"),
        // SQLite reports a full disk as an I/O error if it cannot create its shared memory.
        ErrorCode::SystemIoFailure => Some("Check whether its disk is full (`df`) or reports errors (`dmesg`)"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_delay_before_the_next_attempt() {
        let failures = WriteFailures::default();
        assert_eq!((failures.check().is_ok(), failures.retry_delay()), (true, Duration::ZERO));
        let mut delays = Vec::new();
        for _ in 0..8 {
            failures.record_failure("disk full", 3);
            assert!(failures.check().is_err());
            delays.push(failures.retry_delay().as_secs_f32().round());
        }
        assert_eq!(delays, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        assert_eq!(failures.current_cause().as_deref(), Some("disk full"));
        failures.record_success();
        assert!(failures.current_cause().is_some(), "larger writes may fail");
        failures.record_failure("disk full", 1);
        assert_eq!(failures.retry_delay().as_secs_f32().round(), 60.0, "the series continues");
    }
}
