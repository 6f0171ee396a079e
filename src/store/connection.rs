//! Opening SQLite: pragmas, migrations, where the file lives, and its upkeep.

use super::{Error, Result};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// How long one program waits for another that is writing.
const BUSY: Duration = Duration::from_secs(20);

/// Where the database is when nobody says otherwise: systemd's `STATE_DIRECTORY`, else the platform's place for state.
pub fn default_path() -> PathBuf {
    use etcetera::BaseStrategy;
    let systemd = std::env::var_os("STATE_DIRECTORY").filter(|dir| !dir.is_empty());
    let folder = systemd.map(PathBuf::from).or_else(|| {
        let base = etcetera::choose_base_strategy().ok()?;
        Some(base.state_dir().unwrap_or_else(|| base.data_dir()).join("newsfold"))
    });
    folder.unwrap_or_default().join("newsfold.db")
}

/// The one connection that writes. Migrations run here, each in a transaction of its own.
pub(super) fn open_writer(path: &Path) -> Result<Connection> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let cannot = |cause: std::io::Error| format!("its folder {} can't be made: {cause}", folder.display());
        std::fs::create_dir_all(folder).map_err(|cause| Error::Open {
            path: path.to_owned(),
            cause: cannot(cause).into(),
            next: NO_PLACE,
        })?;
    }
    let open = |cause: rusqlite::Error| {
        let next = match cause.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => "It is another file: move it away, or choose another with --database FILE",
            Some(ErrorCode::DatabaseBusy) => "Another program has been writing for long; try again",
            Some(ErrorCode::DatabaseCorrupt) => {
                "It is damaged: restore a backup, or choose another with --database FILE"
            }
            Some(ErrorCode::DiskFull) => "Make room on its disk",
            _ => NO_PLACE,
        };
        Error::Open { path: path.to_owned(), cause: cause.into(), next }
    };
    let mut connection = Connection::open(path).map_err(open)?;
    prepare(&connection).map_err(open)?;
    embedded::migrations::runner()
        .run(&mut connection)
        .map_err(|cause| Error::Migrate { path: path.to_owned(), cause: Box::new(cause) })?;
    Ok(connection)
}

/// What to do where a database can't be, or can't be written.
const NO_PLACE: &str = "Choose a place that this user may write with --database FILE, NEWSFOLD_DATABASE or `database` \
     in the configuration, or give this user the right to write there";

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, because an item whose validators were stored is never offered again by many servers.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// The upkeep that the daemon does now and then.
pub struct Maintenance {
    /// Records of polls that began before this are dropped; the newest one of each source stays.
    pub polls_before: Timestamp,
}

impl Maintenance {
    /// Drops old records of polls and lets SQLite look after its statistics. Returns how many records went.
    pub fn run(&self, db: &Connection) -> Result<usize> {
        let dropped = db.execute(
            "DELETE FROM poll WHERE started_at < ?1
             AND id <> (SELECT max(id) FROM poll newest WHERE newest.source_id = poll.source_id)",
            [self.polls_before.as_millisecond()],
        )?;
        super::events::forget(db, self.polls_before)?;
        super::origins::forget_past(db, self.polls_before)?;
        super::origins::forget_requests(db, self.polls_before)?;
        db.execute_batch("PRAGMA optimize")?;
        Ok(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_the_first_version_is_brought_to_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let mut first = Connection::open(&path).unwrap();
        embedded::migrations::runner().set_target(refinery::Target::Version(1)).run(&mut first).unwrap();
        let mut add = first
            .prepare("INSERT INTO source (url, outlet, site_url, added_at, next_poll_at) VALUES (?1, ?2, ?3, 0, 0)")
            .unwrap();
        let expected = [
            ("https://feeds.bbci.co.uk/rss", "bbci.co.uk", None, "guess"),
            ("https://feeds.bbci.co.uk/news", "bbc.co.uk", Some("https://www.bbc.co.uk/news"), "site"),
            ("https://feeds.feedburner.com/x", "mine.example", Some("https://x.example/"), "operator"),
        ];
        for (url, outlet, site, _) in expected {
            add.execute(rusqlite::params![url, outlet, site]).unwrap();
        }
        drop(add);
        drop(first);
        let now = open_writer(&path).unwrap();
        for (url, _, _, from) in expected {
            let found: String =
                now.query_row("SELECT outlet_from FROM source WHERE url = ?1", [url], |row| row.get(0)).unwrap();
            assert_eq!(found, from, "of {url}");
        }
    }
}
