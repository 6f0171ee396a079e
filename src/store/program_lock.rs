//! Shows which programs are still running, so that the leases of a killed program end immediately.
//!
//! A program that takes leases locks a file of its own next to the database. The operating system releases the lock
//! when the program ends, however it ends. In contrast to process IDs, this works if IDs are reused, if the programs
//! run in different containers, and on every file system whose locks are reliable enough for SQLite.

use super::file_name::{folder_of, with_suffix};
use super::file_owner::{LOCK_FILE_MODE, create_file};
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The lock of this program. It is released when the value is dropped.
pub(super) struct ProgramLock {
    /// A random string. Other programs use it to find the file.
    pub id: String,
    path: PathBuf,
    _file: File,
}

impl ProgramLock {
    /// Creates and locks a file for this program and deletes the files of programs that have ended.
    pub fn acquire(database: &Path) -> io::Result<ProgramLock> {
        delete_unlocked_files(database)?;
        loop {
            let id = format!("{:016x}", random_number() as u64);
            let path = lock_path(database, &id);
            let file = create_file(&path, LOCK_FILE_MODE)?;
            file.lock()?;
            // Another program deletes the file if it examines the file before it is locked.
            if file.metadata()?.nlink() > 0 {
                return Ok(ProgramLock { id, path, _file: file });
            }
        }
    }

    /// Returns whether the program with this ID has ended. If this cannot be determined, the program is assumed to be
    /// running.
    pub fn has_ended(database: &Path, id: &str) -> bool {
        match File::open(lock_path(database, id)) {
            // A lock for reading does not need write access, and conflicts with the lock of the program.
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl Drop for ProgramLock {
    fn drop(&mut self) {
        // If this fails, the next program deletes the file.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The standard library seeds its hashers randomly, so no dependency is needed for a random number.
pub(super) fn random_number() -> i64 {
    std::hash::RandomState::new().build_hasher().finish() as i64
}

fn lock_path(database: &Path, id: &str) -> PathBuf {
    with_suffix(database, &format!(".program-{id}.lock"))
}

fn delete_unlocked_files(database: &Path) -> io::Result<()> {
    let start = lock_path(database, "");
    let start = start.file_name().unwrap_or_default().as_encoded_bytes().strip_suffix(b".lock").unwrap_or_default();
    for entry in std::fs::read_dir(folder_of(database))? {
        let entry = entry?;
        let is_lock_file = entry.file_name().as_encoded_bytes().starts_with(start);
        if is_lock_file && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_has_ended_once_its_lock_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("news.db");
        let (first, second) = (ProgramLock::acquire(&database).unwrap(), ProgramLock::acquire(&database).unwrap());
        assert!(!ProgramLock::has_ended(&database, &first.id) && !ProgramLock::has_ended(&database, &second.id));
        let ended = first.id.clone();
        drop(first);
        assert!(ProgramLock::has_ended(&database, &ended) && !ProgramLock::has_ended(&database, &second.id));
    }

    #[test]
    fn only_files_of_killed_programs_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let others = ["news.db", "news.db.lock", "news.db2.program-1.lock"];
        others.iter().chain(&["news.db.program-1.lock"]).for_each(|name| drop(File::create(path(name)).unwrap()));
        let running = ProgramLock::acquire(&path("news.db")).unwrap();
        let own = ProgramLock::acquire(&path("news.db")).unwrap();
        assert!(others.iter().all(|name| path(name).exists()) && running.path.exists() && own.path.exists());
        assert!(!path("news.db.program-1.lock").exists());
    }
}
