//! Replaces the database with a backup.

use super::backup::{CopyProgress, copy, remove_if_present, rename, sync_folder_of};
use super::backup_check::check_backup;
use super::file_name::with_suffix;
use super::file_owner::set_owner_of_replaced;
use super::{Error, Result};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Replaces the database at `path` with a copy of `backup`. Returns the new path of the previous database. The caller
/// makes sure that no other program uses it.
///
/// # Errors
/// Returns [`Error::Backup`] if the file is damaged, is not a newsfold database, or is a database of a later version.
pub fn restore(
    backup: &Path,
    path: &Path,
    progress: impl FnMut(CopyProgress) -> ControlFlow<()>,
) -> Result<Option<PathBuf>> {
    check_backup(backup).map_err(|problem| Error::Backup { path: backup.to_owned(), problem })?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|cause| Error::File { path: folder.to_owned(), cause })?;
    }
    let new = with_suffix(path, ".restored");
    copy(backup, &new, progress)?;
    set_owner_of_replaced(&new, path).map_err(|cause| Error::File { path: new.clone(), cause })?;
    let previous = path.exists().then(|| unused_name(path));
    if let Some(previous) = &previous {
        // Without changes, the write-ahead log is not needed.
        let log = with_suffix(path, "-wal");
        if log.metadata().is_ok_and(|log| log.len() > 0) {
            rename(&log, &with_suffix(previous, "-wal"))?;
        }
        rename(path, previous)?;
    }
    // SQLite would apply a write-ahead log of the previous database to the new one.
    for suffix in ["-wal", "-shm"] {
        remove_if_present(&with_suffix(path, suffix))?;
    }
    rename(&new, path)?;
    sync_folder_of(path)?;
    Ok(previous)
}

/// Returns a path for the previous database that no earlier restore has used.
fn unused_name(path: &Path) -> PathBuf {
    let first = with_suffix(path, ".before-restore");
    let others = (2..).map(|number| with_suffix(&first, &format!("-{number}")));
    let is_unused = |name: &PathBuf| !name.exists() && !with_suffix(name, "-wal").exists();
    std::iter::once(first.clone()).chain(others).find(is_unused).expect("the numbers do not end")
}
