//! A database that a test prepares for all tests with the same needs, because polls and grouping take seconds in a debug
//! build. Each test gets a copy whose sources belong to its own origin server.

use super::daemon_process::database_path;
use super::origin_server::OriginServer;
use rusqlite::Connection;
use std::path::Path;

pub struct SharedDatabase {
    file: Vec<u8>,
    /// The URL of the origin server of the test that prepared the database.
    origin: String,
}

impl SharedDatabase {
    /// Keeps the database in a directory. No program may use it.
    pub fn of(folder: &Path, origin: &OriginServer) -> SharedDatabase {
        let copy = folder.join("shared.db");
        // The copy includes changes that are only in the write-ahead log.
        Connection::open(database_path(folder)).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        let file = std::fs::read(&copy).unwrap();
        std::fs::remove_file(copy).unwrap();
        SharedDatabase { file, origin: origin.url("") }
    }

    /// Writes a copy of the database to a directory.
    pub fn copy_to(&self, folder: &Path, origin: &OriginServer) {
        std::fs::write(database_path(folder), &self.file).unwrap();
        let db = Connection::open(database_path(folder)).unwrap();
        let replace = "UPDATE source SET url = replace(url, ?1, ?2), validators_url = replace(validators_url, ?1, ?2)";
        db.execute(replace, [&self.origin, &origin.url("")]).unwrap();
    }
}
