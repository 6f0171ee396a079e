//! Opens SQLite databases: the default path, pragmas and migrations.

use super::connection::{ReadConnection, WriteConnection};
use super::item_content::original_content;
use super::search_text::indexed_text;
use super::{Error, Result};
use crate::identity::recognition::text_hash;
use crate::urls::canonical::canonical_url_from_str;
use crate::urls::redact::redact_urls;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// How long one process waits while another process writes.
const BUSY: Duration = Duration::from_secs(20);
/// The interval between retries of a change that SQLite refuses without waiting ([`retry_while_busy`]).
const RETRY_DELAY: Duration = Duration::from_millis(20);
/// The maximum number of attempts to apply the migrations.
const MAX_MIGRATION_ATTEMPTS: u32 = 50;

/// Returns the default database path: in systemd's `STATE_DIRECTORY` if set, otherwise in the platform's state
/// directory.
pub fn default_path() -> PathBuf {
    use etcetera::BaseStrategy;
    let systemd = std::env::var_os("STATE_DIRECTORY").filter(|dir| !dir.is_empty());
    let folder = systemd.map(PathBuf::from).or_else(|| {
        let base = etcetera::choose_base_strategy().ok()?;
        Some(base.state_dir().unwrap_or_else(|| base.data_dir()).join("newsfold"))
    });
    folder.unwrap_or_default().join("newsfold.db")
}

/// Opens the write connection and applies pending migrations, each in its own transaction.
pub(super) fn open_writer(path: &Path) -> Result<WriteConnection> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let cannot = |cause: std::io::Error| format!("cannot create its directory {}: {cause}", folder.display());
        std::fs::create_dir_all(folder).map_err(|cause| Error::Open {
            path: path.to_owned(),
            cause: cannot(cause).into(),
            next: NO_PLACE,
        })?;
    }
    let open = |cause: rusqlite::Error| {
        let next = match cause.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => "Move the file away, or choose another one with --database FILE",
            Some(ErrorCode::DatabaseBusy) => "Another process is writing to it; try again",
            Some(ErrorCode::DatabaseCorrupt) => {
                "It is damaged: restore a backup, or choose another file with --database FILE"
            }
            Some(ErrorCode::DiskFull) => "Free space on its disk",
            _ => NO_PLACE,
        };
        Error::Open { path: path.to_owned(), cause: cause.into(), next }
    };
    let mut connection = Connection::open(path).map_err(open)?;
    retry_while_busy(|| prepare(&connection)).map_err(open)?;
    migrate(path, &mut connection, &embedded::migrations::runner())?;
    Ok(WriteConnection::new(connection))
}

/// Retries a change that SQLite refuses immediately while another program makes the same change, such as the switch to
/// WAL mode of a new database.
fn retry_while_busy(change: impl Fn() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY;
    loop {
        match change() {
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                std::thread::sleep(RETRY_DELAY);
            }
            done => return done,
        }
    }
}

/// Applies the pending migrations of `runner`. If several programs apply them at the same time, all but one fail at
/// each migration. These programs then continue with the next migration.
///
/// # Errors
/// Returns [`Error::Unsupported`] if newsfold 0.1.0 created the database, because its first migration was different.
fn migrate(path: &Path, connection: &mut Connection, runner: &refinery::Runner) -> Result<()> {
    use refinery::error::Kind;
    let path = path.to_owned();
    let deadline = Instant::now() + BUSY;
    for attempt in 1.. {
        let Err(cause) = runner.run(connection) else { break };
        match cause.kind() {
            Kind::Connection(..) if attempt < MAX_MIGRATION_ATTEMPTS && Instant::now() < deadline => {
                std::thread::sleep(RETRY_DELAY);
            }
            Kind::DivergentVersion(applied, _) if applied.version() == 1 => return Err(Error::Unsupported { path }),
            _ => return Err(Error::Migrate { path, cause: Box::new(cause) }),
        }
    }
    Ok(())
}

/// The next step if the database cannot be created or written.
const NO_PLACE: &str = "Choose a path that this user can write to with --database FILE, NEWSFOLD_DATABASE or `database` \
     in the configuration, or give this user write permission";

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, because many servers do not send an item again after they have sent the corresponding cache validators.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    prepare_queries(connection)
}

/// Applies the settings that read and write connections share.
fn prepare_queries(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("redact_urls", 1, flags, |call| {
        Ok(call.get::<Option<String>>(0)?.map(|text| redact_urls(&text)))
    })?;
    connection
        .create_scalar_function("text_hash", 1, flags, |call| Ok(call.get_raw(0).as_str_or_null()?.map(text_hash)))?;
    connection.create_scalar_function("canonical_url", 1, flags, |call| {
        Ok(call.get_raw(0).as_str_or_null()?.and_then(canonical_url_from_str))
    })?;
    // The flag lets triggers call these functions regardless of `trusted_schema`.
    let flags = flags | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("original_content", 2, flags, |call| {
        let summary = call.get_raw(1).as_str()?;
        Ok(call.get_raw(0).as_str_or_null()?.map(|stored| original_content(stored, summary).into_owned()))
    })?;
    connection.create_scalar_function("search_text", 1, flags, |call| {
        Ok(indexed_text(call.get_raw(0).as_str()?).into_owned())
    })
}

pub(super) fn open_reader(path: &Path) -> Result<ReadConnection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", "ON")?;
    prepare_queries(&connection)?;
    Ok(ReadConnection::new(connection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use refinery::{Migration, Runner, Target};

    /// Returns the migrations of this version and a later one that exists only in the tests.
    fn with_later_migration() -> Runner {
        let mut migrations = embedded::migrations::runner().get_migrations().clone();
        let sql = "ALTER TABLE source ADD COLUMN country TEXT NOT NULL DEFAULT 'unknown'";
        migrations.push(Migration::unapplied("V1000__country", sql).unwrap());
        Runner::new(&migrations)
    }

    #[test]
    fn database_of_an_older_version_is_migrated_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        drop(open_writer(&path).unwrap());
        let mut connection = Connection::open(&path).unwrap();
        let add =
            "INSERT INTO source (url, outlet, added_at, next_poll_at) VALUES ('https://a.example', 'a.example', 0, 0)";
        connection.execute(add, []).unwrap();
        migrate(&path, &mut connection, &with_later_migration()).unwrap();
        let row: (String, String) = connection
            .query_row("SELECT outlet, country FROM source", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(row, ("a.example".to_owned(), "unknown".to_owned()));
    }

    #[test]
    fn programs_that_open_a_new_or_older_database_at_the_same_time_all_succeed() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..10 {
            let path = folder.path().join(format!("{round}.db"));
            if round % 2 == 1 {
                let mut connection = Connection::open(&path).unwrap();
                embedded::migrations::runner().set_target(Target::Version(1)).run(&mut connection).unwrap();
            }
            std::thread::scope(|scope| {
                let open = || open_writer(&path).map(drop).map_err(|error| error.to_string());
                let programs: Vec<_> = (0..12).map(|_| scope.spawn(open)).collect();
                for program in programs {
                    assert_eq!(program.join().unwrap(), Ok(()), "in round {round}");
                }
            });
        }
    }

    #[test]
    fn database_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        drop(open_writer(&path).unwrap());
        let mut connection = Connection::open(&path).unwrap();
        migrate(&path, &mut connection, &with_later_migration()).unwrap();
        drop(connection);
        let refusal = open_writer(&path).err().unwrap();
        assert!(matches!(refusal, Error::Migrate { .. }), "{refusal}");
        assert!(refusal.to_string().contains("use the newsfold version that wrote it"), "{refusal}");
    }

    #[test]
    fn database_of_version_0_1_0_is_refused_with_the_next_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let old =
            [("V1__initial", "CREATE TABLE source (id INTEGER)"), ("V2__leases", "CREATE TABLE lease (kind TEXT)")]
                .map(|(name, sql)| Migration::unapplied(name, sql).unwrap());
        Runner::new(&old).run(&mut Connection::open(&path).unwrap()).unwrap();
        let refusal = open_writer(&path).err().unwrap();
        assert!(matches!(refusal, Error::Unsupported { .. }), "{refusal}");
        let text = refusal.to_string();
        assert!(text.contains("newsfold 0.1.0") && text.contains("`newsfold source import FILE`"), "{text}");
    }
}
