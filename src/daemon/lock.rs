//! Lock files next to the database: one daemon per database, and one program at a time that groups its items. The
//! operating system releases a lock when its holder ends, even after a crash.

use crate::store::{open_lock_file, step_if_not_writable, with_suffix};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The interval between attempts to acquire the lock.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// The maximum time for which a starting daemon waits, because a command may hold the lock briefly.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The suffix of the name of the daemon's lock file.
const DAEMON_LOCK: &str = ".lock";

/// A lock that is held until this value is dropped.
#[derive(Debug)]
pub struct DatabaseLock {
    _file: File,
}

/// The reason why the lock could not be acquired.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another newsfold daemon is using {0}; stop it first, or choose another database with --database")]
    Held(PathBuf),
    #[error("cannot lock {path}: {cause}. {next}")]
    Failed { path: PathBuf, cause: std::io::Error, next: &'static str },
}

impl DatabaseLock {
    /// Acquires the daemon's lock on a database.
    ///
    /// # Errors
    ///
    /// Returns an error if another daemon holds the lock, or if the lock file cannot be created.
    pub fn acquire(database: &Path) -> Result<DatabaseLock, LockError> {
        DatabaseLock::named(database, DAEMON_LOCK)
    }

    /// Acquires the lock for a daemon. Waits for commands that hold it briefly.
    ///
    /// # Errors
    ///
    /// See [`DatabaseLock::acquire`].
    pub async fn acquire_for_daemon(database: &Path) -> Result<DatabaseLock, LockError> {
        let deadline = Instant::now() + MAX_WAIT;
        loop {
            match DatabaseLock::acquire(database) {
                Err(LockError::Held(_)) if Instant::now() < deadline => tokio::time::sleep(RETRY_DELAY).await,
                taken => return taken,
            }
        }
    }

    /// Returns whether a daemon is running on a database.
    pub fn is_held(database: &Path) -> bool {
        let lock = File::open(with_suffix(database, DAEMON_LOCK));
        lock.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Waits until no other program groups the items of this database. A command holds this lock briefly if no daemon
    /// is running. A daemon holds it for its whole lifetime.
    pub(super) async fn acquire_for_grouping(database: &Path) -> Result<DatabaseLock, LockError> {
        loop {
            match DatabaseLock::named(database, ".grouping.lock") {
                Err(LockError::Held(_)) => tokio::time::sleep(RETRY_DELAY).await,
                taken => return taken,
            }
        }
    }

    fn named(database: &Path, ending: &str) -> Result<DatabaseLock, LockError> {
        let path = with_suffix(database, ending);
        let failed = |cause| LockError::Failed { path: path.clone(), cause, next: step_if_not_writable(&path) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = open_lock_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(DatabaseLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(database.to_owned())),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }
}
