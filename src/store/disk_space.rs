//! The free space on the disk of the database, and how much of it newsfold needs.

use super::{Store, file_name};

/// The sizes of a database and of the free space on its disk.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DiskUsage {
    pub database_bytes: u64,
    /// The size of the file with the changes that are not in the database file yet.
    pub write_ahead_log_bytes: u64,
    pub free_bytes: u64,
}

/// The minimum free space on the disk of the database.
const MIN_FREE_MIB: u64 = 64;
const MIB: u64 = 1024 * 1024;

impl Store {
    /// Returns the sizes of the database and of the free space on its disk.
    pub fn disk_usage(&self) -> std::io::Result<DiskUsage> {
        let log = file_name::with_suffix(self.path(), "-wal");
        let disk = rustix::fs::statvfs(self.path())?;
        Ok(DiskUsage {
            database_bytes: std::fs::metadata(self.path())?.len(),
            write_ahead_log_bytes: std::fs::metadata(log).map_or(0, |log| log.len()),
            free_bytes: disk.f_bavail.saturating_mul(disk.f_frsize),
        })
    }

    /// Describes a shortage of space on the disk of the database; `None` if there is enough space or the amount is
    /// unknown.
    pub fn disk_shortage(&self) -> Option<String> {
        let free = self.disk_usage().ok()?.free_bytes / MIB;
        (free < MIN_FREE_MIB)
            .then(|| format!("only {free} MiB are free on the disk of the database; free at least {MIN_FREE_MIB} MiB"))
    }
}
