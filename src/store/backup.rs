//! Copies of the database, made while other programs use it.
//!
//! A copy is one file that needs no write-ahead log. It appears under its name only when it is complete and durable.

use super::access_failures::{failure_cause, sqlite_message};
use super::disk_space::is_disk_full;
use super::file_name::{folder_of, with_suffix};
use super::{Error, Result};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The number of pages that are copied between two reports of progress: 4 MiB.
const PAGES_PER_STEP: i32 = 1024;
/// The delay before a step that SQLite refused is repeated.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// The maximum time for which a copy waits for a program that locks the database.
const BUSY: Duration = Duration::from_secs(20);
/// The permissions of a copy. Only its owner has access, because the database can contain secrets of sources.
const OWNER_ONLY: u32 = 0o600;

/// The progress of copying a database.
#[derive(Debug, Clone, Copy)]
pub struct CopyProgress {
    pub copied_pages: u64,
    pub all_pages: u64,
}

/// Copies the database `from` to the file `to`, and replaces that file if it exists. Reports the progress. Other
/// programs can read and write the database in the meantime. The copy contains the state at the beginning.
///
/// # Errors
/// Returns [`Error::Interrupted`] if `progress` breaks. `to` is then unchanged.
pub fn copy(from: &Path, to: &Path, progress: impl FnMut(CopyProgress) -> ControlFlow<()>) -> Result<()> {
    copy_and_check(from, to, progress, |_| Ok(()))
}

/// Returns the path of a copy until it is complete.
fn incomplete_path(to: &Path) -> PathBuf {
    with_suffix(to, &format!(".{}.tmp", std::process::id()))
}

/// Copies the database like [`copy`], but only if `check` accepts the copy.
pub(super) fn copy_and_check(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(CopyProgress) -> ControlFlow<()>,
    check: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let incomplete = incomplete_path(to);
    let copied = copy_to_new_file(from, &incomplete, &mut progress).and_then(|copied| {
        check(&incomplete)?;
        // The copy may have been interrupted during the check.
        if progress(copied).is_break() { Err(Error::Interrupted) } else { Ok(()) }
    });
    let result = copied.map_err(|error| in_words(from, to, error)).and_then(|()| {
        // SQLite would apply the write-ahead log of the replaced file to the new file.
        for suffix in ["-wal", "-shm"] {
            remove_if_present(&with_suffix(to, suffix))?;
        }
        rename(&incomplete, to)?;
        sync_folder_of(to)
    });
    if result.is_err() {
        let _ = fs::remove_file(&incomplete);
    }
    result
}

/// Replaces SQLite's message with the cause and the next step.
fn in_words(from: &Path, to: &Path, error: Error) -> Error {
    let disk_full =
        |path: &Path, message: &str| format!("the disk of {} is full; free up space on it ({message})", path.display());
    let problem = match &error {
        Error::File { cause, .. } if cause.kind() == io::ErrorKind::StorageFull => disk_full(to, &cause.to_string()),
        Error::Sqlite(cause) => {
            let message = sqlite_message(cause);
            match cause.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => disk_full(to, &message),
                Some(ErrorCode::SystemIoFailure) if is_disk_full(to) => disk_full(to, &message),
                _ => failure_cause(cause, from).map_or(message, |cause| cause.text),
            }
        }
        _ => return error,
    };
    Error::Copy { from: from.to_owned(), to: to.to_owned(), problem }
}

fn copy_to_new_file(
    from: &Path,
    to: &Path,
    progress: &mut impl FnMut(CopyProgress) -> ControlFlow<()>,
) -> Result<CopyProgress> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.busy_timeout(BUSY)?;
    // The transaction keeps the snapshot. Without it, each write of another program would restart the copy.
    let _snapshot = source.unchecked_transaction()?;
    source.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let created = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(to);
    let file = created.map_err(|cause| Error::File { path: to.to_owned(), cause })?;
    let mut target = Connection::open(to)?;
    let backup = Backup::new(&source, &mut target)?;
    let copied = loop {
        let step = backup.step(PAGES_PER_STEP)?;
        let (all, remaining) = (backup.progress().pagecount, backup.progress().remaining);
        let copied = CopyProgress { copied_pages: (all - remaining) as u64, all_pages: all as u64 };
        if progress(copied).is_break() {
            return Err(Error::Interrupted);
        }
        match step {
            StepResult::Done => break copied,
            StepResult::More => {}
            _ => std::thread::sleep(RETRY_DELAY),
        }
    };
    drop(backup);
    // The header of the source requires a write-ahead log, which a program could not create in a read-only directory.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, cause)| cause)?;
    file.sync_all().map_err(|cause| Error::File { path: to.to_owned(), cause })?;
    Ok(copied)
}

pub(super) fn remove_if_present(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(Error::File { path: path.to_owned(), cause }),
        _ => Ok(()),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|cause| Error::File { path: to.to_owned(), cause })
}

/// Syncs the directory that contains a file, so that its entries are durable.
pub(super) fn sync_folder_of(file: &Path) -> Result<()> {
    let folder = folder_of(file);
    let synced: io::Result<()> = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|cause| Error::File { path: folder.to_owned(), cause })
}
