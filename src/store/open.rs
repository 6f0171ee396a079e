//! Opens SQLite databases: creates the file, applies migrations, and names the next step if a file cannot be opened.

use super::access_failures::sqlite_message;
use super::connection::{ReadConnection, WriteConnection};
use super::connection_settings::{BUSY, set_up_reader, set_up_writer};
use super::disk_space::is_disk_full;
use super::file_owner::create_file;
use super::migration;
use super::{Error, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::path::Path;
use std::time::{Duration, Instant};

/// The interval between retries of a change that SQLite refuses without waiting ([`retry_while_busy`]).
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// The permissions of a new database. Only its owner can read it, because it can contain secrets. SQLite gives the same
/// owner and permissions to the write-ahead log.
const NEW_FILE_MODE: u32 = 0o600;

/// Opens the write connection and applies pending migrations.
pub(super) fn open_writer(path: &Path) -> Result<WriteConnection> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let cannot = |cause: std::io::Error| format!("cannot create its directory {}: {cause}", folder.display());
        std::fs::create_dir_all(folder).map_err(|cause| Error::Open {
            path: path.to_owned(),
            cause: cannot(cause).into(),
            next: step_if_not_writable(path),
        })?;
    }
    let open = |cause: rusqlite::Error| cannot_open(path, &cause);
    if path.metadata().is_ok_and(|file| !file.is_file()) {
        let cause = "it is not a regular file".into();
        return Err(Error::Open { path: path.to_owned(), cause, next: step_if_not_writable(path) });
    }
    // If this fails, SQLite fails to open the file too, and that error states the next step.
    let _ = create_file(path, NEW_FILE_MODE);
    let mut connection = Connection::open(path).map_err(open)?;
    // Refuse the database of another program before the settings of newsfold change its journal mode.
    if retry_while_busy(|| migration::is_foreign(&connection)).map_err(open)? {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    retry_while_busy(|| set_up_writer(&connection)).map_err(open)?;
    migration::migrate(path, &mut connection).map_err(|error| match error {
        Error::Sqlite(cause) => open(cause),
        other => other,
    })?;
    Ok(WriteConnection::new(connection))
}

/// Returns the error for a database that SQLite cannot open, with a description and the next step.
fn cannot_open(path: &Path, cause: &rusqlite::Error) -> Error {
    const DISK_FULL: (&str, &str) = ("its disk is full", "Free up space on it");
    let words = match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            let next = "Move the file away, or choose another file with --database FILE. If it was a database, restore a \
                        backup with `newsfold db restore FILE`";
            Some(("it is not a database", next))
        }
        Some(ErrorCode::DatabaseBusy) => Some(("another program is writing to it", "Try again")),
        Some(ErrorCode::DatabaseCorrupt) => Some((
            "it is damaged",
            "Restore a backup with `newsfold db restore FILE`, or choose another file with --database FILE",
        )),
        Some(ErrorCode::DiskFull) => Some(DISK_FULL),
        Some(ErrorCode::SystemIoFailure) if is_disk_full(path) => Some(DISK_FULL),
        Some(ErrorCode::SystemIoFailure) => {
            Some(("its disk reports an error", "Check whether it is full (`df`) or reports errors (`dmesg`)"))
        }
        _ => None,
    };
    let message = sqlite_message(cause);
    let (cause, next) = match words {
        Some((problem, next)) => (format!("{problem} ({message})"), next),
        None => (message, step_if_not_writable(path)),
    };
    Error::Open { path: path.to_owned(), cause: cause.into(), next }
}

/// Retries an operation that SQLite refuses immediately while another program changes a new database, such as the
/// switch to WAL mode.
fn retry_while_busy<T>(operation: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let deadline = Instant::now() + BUSY;
    loop {
        match operation() {
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                std::thread::sleep(RETRY_DELAY);
            }
            done => return done,
        }
    }
}

/// The next step if the database cannot be created or written.
const NO_PLACE: &str = "Choose a path that the current user can write to with --database FILE, NEWSFOLD_DATABASE or \
     `database` in the configuration, or give the current user write permission";
/// The next step if the file system of the database is read-only.
const READ_ONLY: &str = "Its file system is read-only: mount it writable, or choose a path on another file system with \
     --database FILE";

/// Returns the next step if the database or a file next to it cannot be created or written.
pub fn step_if_not_writable(path: &Path) -> &'static str {
    let existing = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let is_read_only = statvfs(existing).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY));
    if is_read_only { READ_ONLY } else { NO_PLACE }
}

pub(super) fn open_reader(path: &Path) -> Result<ReadConnection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )?;
    set_up_reader(&connection)?;
    Ok(ReadConnection::new(connection))
}
