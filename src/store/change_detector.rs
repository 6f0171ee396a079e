//! Detects commits to the database by any other connection, in this process or in another process.

use super::connection::ReadConnection;
use super::{Error, Result, Store, open};

/// A read-only connection and the last data version that it saw.
pub struct ChangeDetector {
    store: Store,
    connection: ReadConnection,
    version: Option<i64>,
}

impl ChangeDetector {
    /// Opens a separate connection to the database of `store`.
    pub async fn open(store: &Store) -> Result<ChangeDetector> {
        let store = store.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let connection = store.shared.failed_reads.in_words(open::open_reader(store.path()))?;
            Ok(ChangeDetector { store, connection, version: None })
        });
        opened.await.map_err(|join| Error::Panicked(join.to_string()))?
    }

    /// Returns whether another connection has committed since the last call, according to [`PRAGMA
    /// data_version`][pragma]. The first call returns true.
    ///
    /// [pragma]: https://www.sqlite.org/pragma.html#pragma_data_version
    pub async fn detect(mut self) -> Result<(ChangeDetector, bool)> {
        let checked = tokio::task::spawn_blocking(move || {
            let version = self.connection.sqlite().query_row("PRAGMA data_version", [], |row| row.get(0));
            let version = self.store.shared.failed_reads.in_words(version.map_err(Error::from))?;
            let has_changed = self.version.replace(version) != Some(version);
            Ok((self, has_changed))
        });
        checked.await.map_err(|join| Error::Panicked(join.to_string()))?
    }
}
