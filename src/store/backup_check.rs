//! Checks backups: a new one before it replaces an earlier one, and an existing one before it is restored.

use super::backup::{CopyProgress, copy_and_check};
use super::integrity::damage;
use super::migration::{applied_version, newest_version};
use super::open::open_reader;
use super::{Error, Result};
use std::ops::ControlFlow;
use std::path::Path;

/// Copies the database `from` to the file `to` like [`copy`](super::backup::copy), and checks the copy.
///
/// # Errors
/// Returns [`Error::Damaged`] if the database is damaged. `to` is then unchanged.
pub fn back_up(from: &Path, to: &Path, progress: impl FnMut(CopyProgress) -> ControlFlow<()>) -> Result<()> {
    copy_and_check(from, to, progress, |copy| {
        let damage = damage(&open_reader(copy)?)?;
        let next = "No backup was written. Restore an earlier one with `newsfold db restore FILE`";
        if damage.is_empty() { Ok(()) } else { Err(Error::Damaged { path: from.to_owned(), damage, next }) }
    })
}

/// Checks whether a file is a complete database that this version can read.
pub(super) fn check_backup(file: &Path) -> std::result::Result<(), String> {
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
