//! One daemon a database, and one at a time that groups its items: locks beside it that the system releases when their
//! holder ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often one who waits looks again.
const LOOK: Duration = Duration::from_millis(50);

/// Held for as long as it lives.
#[derive(Debug)]
pub struct DatabaseLock {
    _file: File,
}

/// Why the lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another newsfold daemon runs on {0}; stop it first, or choose another database with --database")]
    Held(PathBuf),
    #[error(
        "cannot lock {path}: {cause}. Choose a place that this user may write with --database FILE or `database` in the \
         configuration, or give this user the right to write there"
    )]
    Failed { path: PathBuf, cause: std::io::Error },
}

impl DatabaseLock {
    /// Takes the lock of the database at `path`, or says who has it.
    pub fn acquire(database: &Path) -> Result<DatabaseLock, LockError> {
        DatabaseLock::named(database, ".lock")
    }

    /// Waits until nobody else groups the items of this database. A command does it where no daemon runs, and is done
    /// soon; the daemon does it for as long as it runs.
    pub(super) async fn acquire_for_grouping(database: &Path) -> Result<DatabaseLock, LockError> {
        loop {
            match DatabaseLock::named(database, ".grouping.lock") {
                Err(LockError::Held(_)) => tokio::time::sleep(LOOK).await,
                taken => return taken,
            }
        }
    }

    fn named(database: &Path, ending: &str) -> Result<DatabaseLock, LockError> {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        let failed = |cause| LockError::Failed { path: path.clone(), cause };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        // Reading is enough to lock, and works on a file that root's command line made before the service did.
        let file = File::open(&path).or_else(|_| File::create(&path)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(DatabaseLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(database.to_owned())),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }
}
