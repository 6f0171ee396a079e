//! Applies the pending migrations in `migrations/` in one transaction. Copies the database first, so that an operator
//! can return to the earlier version of newsfold.
//!
//! The `user_version` of a database is the number of migrations that were applied to it.

use super::access_failures::{failure_cause, is_damage, sqlite_message};
use super::backup;
use super::file_name::with_suffix;
use super::file_owner::{open_lock_file, set_owner_of_replaced};
use super::{Error, Result};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

/// All migrations, in the order of their versions.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/V1__initial.sql"),
    include_str!("../../migrations/V2__storylines.sql"),
    include_str!("../../migrations/V3__search_letters.sql"),
    include_str!("../../migrations/V4__disk_events.sql"),
    include_str!("../../migrations/V5__daemon_state.sql"),
    include_str!("../../migrations/V6__shared_texts.sql"),
    include_str!("../../migrations/V7__outlet_names.sql"),
    include_str!("../../migrations/V8__revised_items.sql"),
    include_str!("../../migrations/V9__feed_search.sql"),
    include_str!("../../migrations/V10__request_settings.sql"),
    include_str!("../../migrations/V11__embeddings.sql"),
    include_str!("../../migrations/V12__feed_versions.sql"),
    include_str!("../../migrations/V13__item_categories.sql"),
    include_str!("../../migrations/V14__webhooks.sql"),
    include_str!("../../migrations/V15__added_entries.sql"),
    include_str!("../../migrations/V16__times_of_details.sql"),
    include_str!("../../migrations/V17__source_versions.sql"),
    include_str!("../../migrations/V18__entry_languages.sql"),
    include_str!("../../migrations/V19__grouping_progress.sql"),
    include_str!("../../migrations/V20__program_locks.sql"),
    include_str!("../../migrations/V21__outlets_of_sources.sql"),
    include_str!("../../migrations/V22__new_editions.sql"),
    include_str!("../../migrations/V23__text_index_per_transaction.sql"),
];
/// The `application_id` of a newsfold database: "newf" in ASCII.
const APPLICATION_ID: i32 = 0x6e65_7766;
/// The checksum of `V1__initial.sql` in the table `refinery_schema_history`, in which earlier versions of newsfold
/// stored the applied migrations.
const CHECKSUM_OF_INITIAL_SCHEMA: &str = "7499727991156343965";
const HAS_HISTORY: &str = "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'refinery_schema_history'";

/// Returns the version of the schema after all migrations.
pub(super) fn newest_version() -> u32 {
    MIGRATIONS.len() as u32
}

/// Applies the pending migrations. Waits while another program applies them.
///
/// # Errors
/// Returns [`Error::Unsupported`] if newsfold 0.1.0 created the database, because its first migration was different.
pub(super) fn migrate(path: &Path, connection: &mut Connection) -> Result<()> {
    migrate_to(path, connection, MIGRATIONS)
}

fn migrate_to(path: &Path, connection: &mut Connection, migrations: &[&str]) -> Result<()> {
    let failed = |problem, next| Error::Migrate { path: path.to_owned(), problem, next };
    let sqlite_failed = |cause: rusqlite::Error| match failure_cause(&cause, path) {
        Some(_) if is_damage(&cause) => {
            let problem = format!("it is damaged ({})", sqlite_message(&cause));
            failed(problem, "Restore a backup with `newsfold db restore FILE`")
        }
        Some(cause) => failed(cause.text, "Then run newsfold again"),
        None => failed(sqlite_message(&cause), "Restore a backup, or report the problem"),
    };
    let newest = migrations.len() as u32;
    if is_current(connection, newest)? {
        return Ok(());
    }
    let _lock = lock(path)?;
    claim(path, connection).map_err(|error| match error {
        Error::Sqlite(cause) => sqlite_failed(cause),
        other => other,
    })?;
    let applied = applied_version(connection)?;
    if applied > newest {
        let problem = format!("its schema version is {applied}, but this program supports versions up to {newest}");
        return Err(failed(problem, "Use the newsfold version that wrote the database, or restore a backup"));
    }
    if (1..newest).contains(&applied) {
        let copy = with_suffix(path, &format!(".v{applied}-backup"));
        backup::copy(path, &copy, |_| ControlFlow::Continue(()))
            .map_err(|error| failed(error.to_string(), "Then run newsfold again"))?;
        set_owner_of_replaced(&copy, path).map_err(|cause| Error::File { path: copy.clone(), cause })?;
        tracing::info!(backup = %copy.display(), "copied the database before its migration");
    }
    apply(connection, &migrations[applied as usize..], newest).map_err(sqlite_failed)
}

fn apply(connection: &mut Connection, pending: &[&str], newest: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in pending {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", newest)?;
    transaction.commit()
}

/// Returns whether another program created the database.
pub(super) fn is_foreign(connection: &Connection) -> rusqlite::Result<bool> {
    // Another process may create or convert the database at the same time. That process sets the ID before it creates
    // tables or when it deletes the table of migrations, so the ID must be read last.
    let has_tables: bool = connection.query_one("SELECT count(*) > 0 FROM sqlite_schema", [], |row| row.get(0))?;
    let has_history: bool = connection.query_one(HAS_HISTORY, [], |row| row.get(0))?;
    Ok(has_tables && !has_history && application_id(connection)? != APPLICATION_ID)
}

/// Returns whether the database belongs to newsfold and has the newest schema.
fn is_current(connection: &Connection, newest: u32) -> Result<bool> {
    Ok(application_id(connection)? == APPLICATION_ID && applied_version(connection)? == newest)
}

/// Marks a new database, or the database of an earlier version of newsfold, as a newsfold database.
fn claim(path: &Path, connection: &mut Connection) -> Result<()> {
    if application_id(connection)? == APPLICATION_ID {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if transaction.query_one(HAS_HISTORY, [], |row| row.get(0))? {
        let sql = "SELECT checksum FROM refinery_schema_history WHERE version = 1";
        let checksum: Option<String> = transaction.query_one(sql, [], |row| row.get("checksum")).optional()?;
        if checksum.as_deref() != Some(CHECKSUM_OF_INITIAL_SCHEMA) {
            return Err(Error::Unsupported { path: path.to_owned() });
        }
        transaction.pragma_update(None, "user_version", applied_version(&transaction)?)?;
        transaction.execute_batch("DROP TABLE refinery_schema_history")?;
    } else {
        transaction.pragma_update(None, "user_version", 0)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(transaction.commit()?)
}

/// Returns the version of the schema; 0 for an empty database and for a database of another program.
pub(super) fn applied_version(connection: &Connection) -> Result<u32> {
    if application_id(connection)? == APPLICATION_ID {
        return Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?);
    }
    if !connection.query_one(HAS_HISTORY, [], |row| row.get(0))? {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
    Ok(connection.query_one(newest, [], |row| row.get(0))?)
}

fn application_id(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// Waits until no other program applies migrations to the database.
fn lock(path: &Path) -> Result<File> {
    let lock_path = with_suffix(path, ".migration.lock");
    let locked = open_lock_file(&lock_path).and_then(|file| {
        file.lock()?;
        Ok(file)
    });
    locked.map_err(|cause| Error::File { path: lock_path, cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StoryId;
    use crate::store::entry_languages;
    use crate::store::open::open_writer;
    use rustix::process::geteuid;
    use std::os::unix::fs::{MetadataExt, chown};

    /// Applies the migrations of this version and a later migration that exists only in the tests.
    fn migrate_to_later_version(path: &Path) {
        let sql = "ALTER TABLE source ADD COLUMN country TEXT NOT NULL DEFAULT 'unknown'";
        let migrations = [MIGRATIONS, &[sql]].concat();
        migrate_to(path, &mut Connection::open(path).unwrap(), &migrations).unwrap();
    }

    /// Creates a database with an older schema.
    fn create_with_version(path: &Path, version: u32) -> Connection {
        let mut connection = Connection::open(path).unwrap();
        migrate_to(path, &mut connection, &MIGRATIONS[..version as usize]).unwrap();
        connection
    }

    /// Replaces the ID and the version of the database with the table of migrations that earlier versions of newsfold
    /// used.
    fn add_history(connection: &Connection, versions: u32, checksum: &str) {
        let table = "PRAGMA application_id = 0;
             PRAGMA user_version = 0;
             CREATE TABLE refinery_schema_history (version INT4 PRIMARY KEY, checksum VARCHAR(255));";
        connection.execute_batch(table).unwrap();
        for version in 1..=versions {
            let add = "INSERT INTO refinery_schema_history VALUES (?1, ?2)";
            connection.execute(add, (version, checksum)).unwrap();
        }
    }

    #[test]
    fn every_file_in_migrations_is_applied_in_its_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), MIGRATIONS.len());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let version = name.strip_prefix('V').and_then(|rest| rest.split_once("__")).unwrap().0;
            let applied = MIGRATIONS[version.parse::<usize>().unwrap() - 1];
            assert_eq!(applied, std::fs::read_to_string(&path).unwrap(), "{name}");
        }
    }

    #[test]
    fn database_of_an_older_version_is_migrated_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        drop(open_writer(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        let add =
            "INSERT INTO source (url, outlet, added_at, next_poll_at) VALUES ('https://a.example', 'a.example', 0, 0)";
        connection.execute(add, []).unwrap();
        migrate_to_later_version(&path);
        let row: (String, String) = connection
            .query_row("SELECT outlet, country FROM source", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(row, ("a.example".to_owned(), "unknown".to_owned()));
        let newest = newest_version();
        assert_eq!(applied_version(&connection).unwrap(), newest + 1);
        let copy = Connection::open(with_suffix(&path, &format!(".v{newest}-backup"))).unwrap();
        assert_eq!(applied_version(&copy).unwrap(), newest, "the database was copied before its migration");
        let sources: u32 = copy.query_one("SELECT count(*) FROM source", [], |row| row.get(0)).unwrap();
        assert_eq!(sources, 1);
    }

    #[test]
    fn copy_of_a_database_belongs_to_the_owner_of_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        drop(open_writer(&path).unwrap());
        // Only root can give the file to another user.
        let owner = if geteuid().is_root() { 65534 } else { geteuid().as_raw() };
        chown(&path, Some(owner), None).unwrap();
        migrate_to_later_version(&path);
        let copy = with_suffix(&path, &format!(".v{}-backup", newest_version())).metadata().unwrap();
        assert_eq!((copy.uid(), copy.mode() & 0o777), (owner, 0o600));
    }

    #[test]
    fn stories_published_before_entries_had_languages_keep_their_link_in_all_feeds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let connection = create_with_version(&path, 2);
        let add = "PRAGMA foreign_keys = OFF;
                   INSERT INTO story (id, created_at, updated_at, lead_item_id, published_at, storyline_id)
                   VALUES (1, 0, 0, 1, 0, 1), (2, 0, 0, 2, NULL, 2);";
        connection.execute_batch(add).unwrap();
        drop(connection);
        let db = open_writer(&path).unwrap();
        let language = |story| entry_languages::find(&db, "polski", StoryId::from_row(story)).unwrap();
        assert_eq!((language(1), language(2)), (Some(None), None));
    }

    #[test]
    fn programs_that_open_a_new_or_older_database_at_the_same_time_all_succeed() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..10 {
            let path = folder.path().join(format!("{round}.db"));
            if round % 2 == 1 {
                create_with_version(&path, 1);
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
        migrate_to_later_version(&path);
        let refusal = open_writer(&path).err().unwrap();
        assert!(matches!(refusal, Error::Migrate { .. }), "{refusal}");
        assert!(refusal.to_string().contains("Use the newsfold version that wrote the database"), "{refusal}");
    }

    #[test]
    fn database_of_version_0_1_0_is_refused_with_the_next_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE source (id INTEGER)").unwrap();
        add_history(&connection, 1, "1");
        let refusal = open_writer(&path).err().unwrap();
        assert!(matches!(refusal, Error::Unsupported { .. }), "{refusal}");
        let text = refusal.to_string();
        assert!(text.contains("newsfold 0.1.0") && text.contains("`newsfold source import FILE`"), "{text}");
    }

    #[test]
    fn database_with_the_history_table_of_earlier_versions_is_migrated() {
        let folder = tempfile::tempdir().unwrap();
        for applied in [1, newest_version()] {
            let path = folder.path().join(format!("{applied}.db"));
            if applied == 1 {
                create_with_version(&path, 1);
            } else {
                drop(open_writer(&path).unwrap());
            }
            add_history(&Connection::open(&path).unwrap(), applied, CHECKSUM_OF_INITIAL_SCHEMA);
            drop(open_writer(&path).unwrap());
            let connection = Connection::open(&path).unwrap();
            assert_eq!(applied_version(&connection).unwrap(), newest_version());
            assert!(!connection.query_one(HAS_HISTORY, [], |row| row.get::<_, bool>(0)).unwrap());
            assert_eq!(with_suffix(&path, ".v1-backup").exists(), applied == 1);
        }
    }

    #[test]
    fn database_of_another_program_is_refused_and_keeps_its_tables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("places.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE place (id); PRAGMA user_version = 3").unwrap();
        let refusal = open_writer(&path).err().unwrap();
        assert!(matches!(refusal, Error::Foreign { .. }), "{refusal}");
        let connection = Connection::open(&path).unwrap();
        assert_eq!(connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)), Ok(1));
        assert_eq!(applied_version(&connection).unwrap(), 0);
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "delete");
    }
}
