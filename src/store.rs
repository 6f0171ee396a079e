//! SQLite storage in WAL mode: one writer thread that batches writes, and read-only connections for readers.
//!
//! The store makes no decisions. [`crate::crawl`] decides how a poll affects its source, [`crate::cluster`] decides
//! which story an item belongs to, and [`crate::publish`] decides what to publish. The store writes each result in one
//! transaction.
//!
//! The functions of the submodules take a connection: `store.write(move |db| polls::record_poll(db, …))` and
//! `store.read(|db| stories::recent(db, …))`. A write is durable once its future resolves (`synchronous = FULL`).

pub mod article_queue;
pub mod backup;
pub mod constraints;
pub mod daemon_state;
pub mod editions;
pub mod embeddings;
pub mod entry_languages;
pub mod feed_entries;
pub mod feed_last_modified;
pub mod feed_selections;
pub mod feed_tokens;
pub mod fts_query;
pub mod grouping_progress;
pub mod hub_notifications;
mod item_content;
pub mod item_revisions;
pub mod items;
pub mod operator_events;
pub mod origins;
pub mod poll_leases;
pub mod poll_schedule;
pub mod polls;
pub mod publication;
pub mod queue_lengths;
pub mod retention;
pub mod review_queue;
pub mod revised_items;
pub mod robots_txt;
pub mod row_counts;
pub mod sources;
pub mod stories;
pub mod story_activity;
pub mod story_search;
pub mod story_selection;
pub mod storyline_membership;
pub mod storylines;
pub mod table_sizes;
pub mod term_frequencies;
pub mod text_index;
pub mod tombstones;
pub mod webhooks;
pub mod websub_subscriber_requests;
pub mod websub_subscribers;
pub mod websub_subscriptions;

mod access_failures;
mod backup_check;
mod change_detector;
mod connection;
mod connection_settings;
mod data_version;
mod database_path;
mod disk_space;
mod file_name;
mod file_owner;
mod full_text_index;
mod identity_lookup;
mod integrity;
mod migration;
mod open;
mod program_lock;
mod read_cancellation;
mod restore;
mod row_conversion;
mod search_text;
mod source_problems;
mod vacuum;
mod writer;

pub use backup_check::back_up;
pub use change_detector::ChangeDetector;
use connection::ActiveRead;
pub use connection::{ReadConnection, WriteConnection};
pub use data_version::DataVersion;
pub use database_path::{SERVICE_DATABASE, default_path, follow_links, is_service_database_unreadable, is_unreadable};
pub use disk_space::DiskUsage;
pub use file_name::{folder_of, with_suffix};
pub use file_owner::open_lock_file;
pub use integrity::damage;
pub use open::step_if_not_writable;
pub use restore::restore;
pub use vacuum::vacuum;

use access_failures::{Access, AccessFailures};
use parking_lot::Mutex;
use read_cancellation::ReadCancellation;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The reason why a database operation failed. A source never causes such an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open the database {path}: {cause}. {next}")]
    Open { path: PathBuf, cause: Box<dyn std::error::Error + Send + Sync>, next: &'static str },
    #[error(
        "the database {path} was written by newsfold 0.1.0, which this version cannot read. Move the file away and add \
         the sources again with `newsfold source import FILE`; `newsfold source export` of version 0.1.0 writes it"
    )]
    Unsupported { path: PathBuf },
    #[error(
        "cannot migrate the database {path} to this version: {problem}. \
         The database was not changed. {next}"
    )]
    Migrate { path: PathBuf, problem: String, next: &'static str },
    #[error("{path} is the database of another program. Choose another file with --database FILE")]
    Foreign { path: PathBuf },
    #[error("cannot use {path}: {cause}")]
    File { path: PathBuf, cause: std::io::Error },
    #[error("cannot restore {path}: {problem}")]
    Backup { path: PathBuf, problem: String },
    #[error("cannot copy the database {from} to {to}: {problem}")]
    Copy { from: PathBuf, to: PathBuf, problem: String },
    #[error("the copy was interrupted")]
    Interrupted,
    #[error("the database {path} is damaged. {next}. SQLite reports:\n{}", damage.join("\n"))]
    Damaged { path: PathBuf, damage: Vec<String>, next: &'static str },
    #[error("database error: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database contains a value that this version cannot read: {0}")]
    Corrupt(String),
    /// A read failed because of the file, its disk or another program. The store has logged the failure and its cause.
    #[error("cannot read the database {path}: {cause}")]
    NotRead { path: PathBuf, cause: String, is_damage: bool },
    /// A write failed for such a reason. The store has logged the failure and its cause.
    #[error("cannot write to the database {path}: {cause}")]
    NotWritten { path: PathBuf, cause: String },
    #[error("a database task panicked: {0}")]
    Panicked(String),
    #[error("the grouping constraints have changed in the meantime")]
    Outdated,
    #[error("the database writer has stopped")]
    Stopped,
    /// The future of the read was dropped, so no caller receives this error.
    #[error("the read was cancelled")]
    Cancelled,
}

impl Error {
    /// Logs a failure of the daemon, unless the store has already logged its cause. A full disk, for example, makes
    /// every task fail.
    pub fn log(&self, what: &str) {
        match self {
            Error::NotRead { .. } | Error::NotWritten { .. } => tracing::debug!(error = %self, "{what}"),
            _ => tracing::error!(error = %self, "{what}"),
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// An open database. Cloning is cheap. Dropping the last clone stops the writer thread.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    /// The device and the inode of the file when it was opened.
    identity: Option<(u64, u64)>,
    /// Whether the deletion or replacement of the file has been logged.
    is_missing_file_logged: AtomicBool,
    failed_reads: AccessFailures,
    writer: writer::Writer,
    idle_readers: Mutex<Vec<ReadConnection>>,
    data_versions: data_version::DataVersions,
    /// The permits that limit the number of readers. Each reader has its own page cache and three open files.
    reader_permits: Arc<Semaphore>,
}

/// The maximum number of simultaneous reads. Additional reads would only wait for a processor core or for the disk.
const MAX_READERS: usize = 16;

impl Store {
    /// Opens the database at `path`. Creates it if it does not exist and applies pending migrations.
    pub fn open(path: &Path) -> Result<Store> {
        let connection = open::open_writer(path)?;
        let writer = writer::Writer::start(connection)?;
        let shared = Shared {
            path: path.to_owned(),
            identity: file_identity(path),
            is_missing_file_logged: AtomicBool::default(),
            failed_reads: AccessFailures::new(Access::Read, path.to_owned()),
            writer,
            idle_readers: Mutex::new(Vec::new()),
            data_versions: data_version::DataVersions::default(),
            reader_permits: Arc::new(Semaphore::new(MAX_READERS)),
        };
        Ok(Store { shared: Arc::new(shared) })
    }

    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Runs `work` in the writer's current transaction and returns once that transaction is durable.
    ///
    /// An error or a panic rolls back only the changes of `work`, not the other changes of the batch.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.shared.writer.write(work).await
    }

    /// Returns the time until the next attempt to write after a failure; zero if writes are possible. Until then,
    /// writes fail.
    pub fn write_retry_delay(&self) -> Duration {
        self.shared.writer.failures.retry_delay()
    }

    /// Returns the time until a task whose work failed should try again; zero if it need not wait.
    pub fn retry_delay(&self) -> Duration {
        self.write_retry_delay().max(self.shared.failed_reads.retry_delay())
    }

    /// Returns the cause of the last failed write, unless writes have succeeded for a while since then.
    pub fn write_failure(&self) -> Option<String> {
        self.shared.writer.failures.current_cause().map(|cause| cause.text)
    }

    /// Returns the cause of the last failed read, unless reads have succeeded for a while since then.
    pub fn read_failure(&self) -> Option<String> {
        self.shared.failed_reads.current_cause().map(|cause| cause.text)
    }

    /// Returns the problem with the database file, if any: it was deleted or replaced since it was opened, or it is
    /// damaged. Logs once that it was deleted or replaced.
    pub fn file_fault(&self) -> Option<String> {
        let missing = self.missing_file();
        let was_logged = self.shared.is_missing_file_logged.swap(missing.is_some(), Ordering::Relaxed);
        if let Some(fault) = missing.filter(|_| !was_logged) {
            tracing::error!(database = %self.path().display(), "the database cannot be used: {fault}");
        }
        let found = [&self.shared.failed_reads, &self.shared.writer.failures].map(AccessFailures::current_cause);
        let damage = found.into_iter().flatten().find(|cause| cause.is_damage).map(|cause| cause.text);
        missing.map(str::to_owned).or(damage)
    }

    fn missing_file(&self) -> Option<&'static str> {
        match file_identity(self.path()) {
            None => Some("its file was deleted; restore it from a backup and restart newsfold"),
            present if present != self.shared.identity => Some("its file was replaced; restart newsfold"),
            _ => None,
        }
    }

    /// Runs `work` on a consistent, read-only snapshot of the database. If the future is dropped, the current statement
    /// and all later statements of `work` fail.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared.clone();
        let permit = shared.reader_permits.clone().acquire_owned().await.map_err(|_| Error::Stopped)?;
        let cancellation = ReadCancellation::default();
        let _cancel_on_drop = cancellation.cancel_on_drop();
        let read_now = move || {
            // A read whose future is dropped occupies its connection until `work` returns.
            let _permit = permit;
            shared.read_now(cancellation, work)
        };
        let joined = tokio::task::spawn_blocking(read_now).await;
        joined.map_err(|join| Error::Panicked(join.to_string()))?
    }

    /// Returns a number that changes with each commit to the database; `None` if it cannot be read immediately. Fast
    /// enough to be called for each request.
    pub fn data_version(&self) -> Option<DataVersion> {
        self.shared.data_versions.current(&self.shared.path)
    }

    /// Moves the write-ahead log into the database file, as a clean shutdown does.
    pub async fn checkpoint(&self) -> Result<()> {
        self.shared.writer.checkpoint().await
    }
}

impl Shared {
    fn read_now<T>(
        &self,
        cancellation: ReadCancellation,
        work: impl FnOnce(&ReadConnection) -> Result<T>,
    ) -> Result<T> {
        cancellation.check()?;
        let idle = self.idle_readers.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.failed_reads.in_words(open::open_reader(&self.path))?,
        };
        let result = connection.run(ActiveRead { cancellation, failures: self.failed_reads.clone() }, work);
        self.idle_readers.lock().push(connection);
        if result.is_ok() {
            self.failed_reads.record_success();
        }
        result
    }
}

/// Returns the device and the inode of a file; `None` if it does not exist.
fn file_identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
