//! Applies the migrations in `migrations/`, each in its own transaction. Copies the database before the first one, so
//! that an operator can return to the earlier version of newsfold.

use super::backup;
use super::file_name::with_suffix;
use super::write_failures::step_after_disk_failure;
use super::{Error, Result};
use refinery::Runner;
use rusqlite::{Connection, OptionalExtension};
use std::fs::File;
use std::path::Path;

mod embedded {
    refinery::embed_migrations!("migrations");
}

pub(super) fn runner() -> Runner {
    embedded::migrations::runner()
}

/// Returns the version of the schema after all migrations of `runner`.
pub(super) fn newest_version(runner: &Runner) -> i32 {
    runner.get_migrations().iter().map(|migration| migration.version()).max().unwrap_or_default()
}

/// Applies the pending migrations of `runner`. Waits while another program applies them.
///
/// # Errors
/// Returns [`Error::Unsupported`] if newsfold 0.1.0 created the database, because its first migration was different.
pub(super) fn migrate(path: &Path, connection: &mut Connection, runner: &Runner) -> Result<()> {
    let failed = |cause| Error::Migrate { path: path.to_owned(), next: next_step(&cause), cause: Box::new(cause) };
    let newest = newest_version(runner);
    let _lock = if applied_version(connection)? < newest { Some(lock(path)?) } else { None };
    let applied = applied_version(connection)?;
    if applied > 0 {
        let history = runner.get_applied_migrations(connection).map_err(failed)?;
        let of_version = |version| move |migration: &&refinery::Migration| migration.version() == version;
        let own = runner.get_migrations().iter().find(of_version(1));
        if history.iter().find(of_version(1)).map(|first| first.checksum()) != own.map(|first| first.checksum()) {
            return Err(Error::Unsupported { path: path.to_owned() });
        }
        if applied < newest {
            let copy = with_suffix(path, &format!(".v{applied}-backup"));
            backup::copy(path, &copy, |_| {})?;
            tracing::info!(backup = %copy.display(), "copied the database before its migration");
        }
    }
    runner.run(connection).map_err(failed)?;
    Ok(())
}

/// Returns what the operator should do after a failed migration.
fn next_step(failure: &refinery::Error) -> &'static str {
    let causes = std::iter::successors(Some(failure as &(dyn std::error::Error + 'static)), |error| error.source());
    let sqlite = causes.filter_map(|error| error.downcast_ref()).next();
    sqlite.and_then(step_after_disk_failure).unwrap_or("Use the newsfold version that wrote it, or restore a backup")
}

/// Returns the version of the schema; 0 for an empty database.
pub(super) fn applied_version(connection: &Connection) -> Result<i32> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'refinery_schema_history'";
    if connection.query_one(sql, [], |row| row.get::<_, u32>(0))? == 0 {
        return Ok(0);
    }
    let newest = "SELECT version FROM refinery_schema_history ORDER BY version DESC LIMIT 1";
    Ok(connection.query_one(newest, [], |row| row.get("version")).optional()?.unwrap_or_default())
}

/// Waits until no other program applies migrations to the database.
fn lock(path: &Path) -> Result<File> {
    let lock_path = with_suffix(path, ".migration.lock");
    // A file opened for reading can be locked, so the service can lock a file that was created by root.
    let locked = File::open(&lock_path).or_else(|_| File::create(&lock_path)).and_then(|file| {
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
    use refinery::{Migration, Target};

    /// Returns the migrations of this version and a later one that exists only in the tests.
    fn with_later_migration() -> Runner {
        let mut migrations = runner().get_migrations().clone();
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
        let version = applied_version(&Connection::open(&path).unwrap()).unwrap();
        assert_eq!(version, 1000);
        let newest = runner().get_migrations().len();
        let copy = Connection::open(with_suffix(&path, &format!(".v{newest}-backup"))).unwrap();
        assert_eq!(applied_version(&copy).unwrap(), newest as i32, "the database was copied before its migration");
        let sources: u32 = copy.query_one("SELECT count(*) FROM source", [], |row| row.get(0)).unwrap();
        assert_eq!(sources, 1);
    }

    #[test]
    fn stories_published_before_entries_had_languages_keep_their_link_in_all_feeds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let mut connection = Connection::open(&path).unwrap();
        runner().set_target(Target::Version(2)).run(&mut connection).unwrap();
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
                let mut connection = Connection::open(&path).unwrap();
                runner().set_target(Target::Version(1)).run(&mut connection).unwrap();
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
        assert!(refusal.to_string().contains("Use the newsfold version that wrote it"), "{refusal}");
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
