//! Backups that are checked before they replace an earlier one, so that each can be restored.

use super::backup::{CopyProgress, copy_and_check};
use super::integrity::damage;
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
