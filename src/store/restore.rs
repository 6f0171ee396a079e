//! Replaces the database with a backup.

use super::backup::{CopyProgress, copy, remove_if_present, rename, sync_folder_of};
use super::file_name::with_suffix;
use super::file_owner::set_owner_of_replaced;
use super::integrity::damage;
use super::migration::{applied_version, newest_version};
use super::open::open_reader;
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
    check(backup).map_err(|problem| Error::Backup { path: backup.to_owned(), problem })?;
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

/// Checks whether a file is a complete database that this version can read.
fn check(file: &Path) -> std::result::Result<(), String> {
    let problem = |error: Error| error.to_string();
    if !file.exists() {
        return Err("the file does not exist".into());
    }
    if !file.is_file() {
        return Err("it is not a regular file".into());
    }
    let db = open_reader(file).map_err(problem)?;
    match applied_version(db.sqlite()).map_err(problem)? {
        0 => return Err("it is not a newsfold database".into()),
        version if version > newest_version() => return Err("it was written by a later version of newsfold".into()),
        _ => {}
    }
    let damage = damage(&db).map_err(problem)?;
    if damage.is_empty() { Ok(()) } else { Err(format!("it is damaged: {}", damage.join("; "))) }
}
