//! The free space on the disk that holds the database, and how much of it newsfold needs.

use super::{Store, file_name};
use rustix::fs::{StatVfs, statvfs};
use std::path::Path;

/// The sizes of a database and of the free space on its disk.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DiskUsage {
    pub database_bytes: u64,
    /// The size of the file with the changes that are not in the database file yet.
    pub write_ahead_log_bytes: u64,
    pub free_bytes: u64,
}

/// The minimum free space on the disk that holds the database.
const MIN_FREE_MIB: u64 = 64;
const MIB: u64 = 1024 * 1024;
/// The free space below which a disk counts as full. SQLite may need several pages at the same time.
const FULL_DISK_BYTES: u64 = 256 * 1024;

/// Returns whether the disk of a file is full. The file may not exist.
pub(super) fn is_disk_full(path: &Path) -> bool {
    let disk = statvfs(path).or_else(|_| statvfs(file_name::folder_of(path)));
    disk.is_ok_and(|disk| free_bytes(&disk) < FULL_DISK_BYTES)
}

fn free_bytes(disk: &StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}

impl Store {
    /// Returns the sizes of the database and of the free space on its disk.
    pub fn disk_usage(&self) -> std::io::Result<DiskUsage> {
        let log = file_name::with_suffix(self.path(), "-wal");
        let disk = statvfs(self.path())?;
        Ok(DiskUsage {
            database_bytes: std::fs::metadata(self.path())?.len(),
            write_ahead_log_bytes: std::fs::metadata(log).map_or(0, |log| log.len()),
            free_bytes: free_bytes(&disk),
        })
    }

    /// Describes a shortage of disk space for the database; `None` if there is enough space or the amount is unknown.
    pub fn disk_shortage(&self) -> Option<String> {
        let free = self.disk_usage().ok()?.free_bytes / MIB;
        (free < MIN_FREE_MIB).then(|| {
            format!("only {free} MiB is free on the disk that holds the database; free up at least {MIN_FREE_MIB} MiB")
        })
    }
}
