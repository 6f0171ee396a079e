//! The writer thread: runs all waiting jobs in one transaction, and replies once the transaction is durable.
//!
//! Batching makes thousands of small writes per second possible, even though each commit calls fsync. Each job has a
//! savepoint, so a failing job does not affect the other jobs.

use super::access_failures::{Access, AccessFailures, FailureCause, is_damage};
use super::connection::WriteConnection;
use super::connection_settings::BUSY;
use super::feed_entries::count_new_editions;
use super::full_text_index::add_new_items;
use super::{Error, Result};
use crate::domain::panic_text::panic_text;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Once, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// The maximum number of jobs in a transaction.
const BATCH: usize = 128;
/// The maximum time for which a checkpoint waits for connections that read or write. The daemon must end within a second.
const CHECKPOINT_BUSY: Duration = Duration::from_millis(700);
/// The maximum number of queued jobs. When the queue is full, callers wait.
const QUEUE: usize = 1024;

/// Limits the log to one message about a damaged full-text index.
static INDEX_DAMAGE: Once = Once::new();

/// A job to run in the open transaction, or without a connection if the transaction could not begin.
type Work = Box<dyn FnOnce(Option<&WriteConnection>) -> FinishedJob + Send>;

/// A job that has run in the open transaction.
struct FinishedJob {
    /// The cause if the disk or another program made the job fail.
    failure: Option<FailureCause>,
    /// Replies with the result of the commit.
    answer: Answer,
}

type Answer = Box<dyn FnOnce(Result<()>) + Send>;

enum Job {
    Work(Work),
    Checkpoint(oneshot::Sender<Result<()>>),
}

pub(super) struct Writer {
    jobs: mpsc::SyncSender<Job>,
    pub failures: AccessFailures,
}

impl Writer {
    pub(super) fn start(connection: WriteConnection) -> Result<Writer> {
        let (jobs, waiting) = mpsc::sync_channel(QUEUE);
        let failures = AccessFailures::new(Access::Write, connection.path().to_owned());
        let recorded = failures.clone();
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(connection, waiting, recorded))
            .map_err(|e| Error::Panicked(format!("the writer thread did not start: {e}")))?;
        Ok(Writer { jobs, failures })
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.failures.check()?;
        let (reply, answer) = oneshot::channel();
        let failures = self.failures.clone();
        let work: Work = Box::new(move |db| {
            let done = db.map_or(Err(Error::Stopped), |db| in_savepoint(db, work));
            let failure = done.as_ref().err().and_then(|error| failures.cause_of_operation(error));
            let own_failure = failure.clone();
            let answer = Box::new(move |committed: Result<()>| {
                let done = own_failure.map_or(done, |cause| Err(failures.error(&cause)));
                // The receiver no longer exists if the caller was cancelled. The write is kept.
                let _ = reply.send(committed.and(done));
            });
            FinishedJob { failure, answer }
        });
        self.send(Job::Work(work)).await?;
        answer.await.map_err(|_| Error::Stopped)?
    }

    pub(super) async fn checkpoint(&self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Checkpoint(reply)).await?;
        answer.await.map_err(|_| Error::Stopped)?
    }

    async fn send(&self, job: Job) -> Result<()> {
        match self.jobs.try_send(job) {
            Ok(()) => Ok(()),
            Err(mpsc::TrySendError::Disconnected(_)) => Err(Error::Stopped),
            Err(mpsc::TrySendError::Full(job)) => {
                let jobs = self.jobs.clone();
                let sent = tokio::task::spawn_blocking(move || jobs.send(job)).await;
                sent.map_err(|e| Error::Panicked(e.to_string()))?.map_err(|_| Error::Stopped)
            }
        }
    }
}

fn run(connection: WriteConnection, waiting: mpsc::Receiver<Job>, failures: AccessFailures) {
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                Job::Work(work) => {
                    let written;
                    (written, next) = batch(&connection, work, &waiting, &failures);
                    match &written.failure {
                        Some(cause) => failures.record_failure(cause, written.answers.len()),
                        None => failures.record_success(),
                    }
                    for answer in written.answers {
                        answer(written.not_committed.as_ref().map_or(Ok(()), |cause| Err(failures.error(cause))));
                    }
                }
                Job::Checkpoint(reply) => {
                    let done = checkpoint(&connection).map_err(|error| failures.error(&failures.cause_of(&error)));
                    let _ = reply.send(done);
                }
            }
        }
    }
}

/// Moves the write-ahead log into the database file. If another connection still reads or writes, the log is not
/// truncated, but all changes that no reader needs are moved.
fn checkpoint(connection: &WriteConnection) -> rusqlite::Result<()> {
    let db = connection.sqlite();
    db.busy_timeout(CHECKPOINT_BUSY)?;
    let done = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    db.busy_timeout(BUSY)?;
    done
}

/// A transaction that has ended.
struct EndedTransaction {
    /// The cause if the transaction or a job in it failed.
    failure: Option<FailureCause>,
    /// The cause if the transaction was not committed.
    not_committed: Option<FailureCause>,
    answers: Vec<Answer>,
}

/// Runs one transaction with `first` and the waiting jobs. Also returns a job that cannot run in a transaction.
fn batch(
    connection: &WriteConnection,
    first: Work,
    waiting: &mpsc::Receiver<Job>,
    failures: &AccessFailures,
) -> (EndedTransaction, Option<Job>) {
    // The transaction is IMMEDIATE, because upgrading a read transaction fails immediately if another process writes.
    if let Err(error) = connection.sqlite().execute_batch("BEGIN IMMEDIATE") {
        let (cause, answers) = (Some(failures.cause_of(&error)), vec![first(None).answer]);
        return (EndedTransaction { failure: cause.clone(), not_committed: cause, answers }, None);
    }
    let mut finished = vec![first(Some(connection))];
    let mut left_over = None;
    // A full disk can end the transaction early. The next job must not start a new transaction.
    while finished.len() < BATCH && !connection.sqlite().is_autocommit() {
        match waiting.try_recv() {
            Ok(Job::Work(work)) => finished.push(work(Some(connection))),
            Ok(other) => {
                left_over = Some(other);
                break;
            }
            Err(_) => break,
        }
    }
    let failed_job = finished.iter().find_map(|job| job.failure.clone());
    let mut not_committed = commit(connection).err().map(|error| failures.cause_of(&error));
    if not_committed.is_some() {
        // The failure of a job may have ended the transaction.
        not_committed = failed_job.clone().or(not_committed);
        if !connection.sqlite().is_autocommit() {
            // A failed commit leaves the transaction open, which would make every later commit fail.
            let _ = connection.sqlite().execute_batch("ROLLBACK");
        }
    }
    let answers = finished.into_iter().map(|job| job.answer).collect();
    (EndedTransaction { failure: failed_job.or(not_committed.clone()), not_committed, answers }, left_over)
}

fn commit(connection: &WriteConnection) -> rusqlite::Result<()> {
    let db = connection.sqlite();
    if !db.is_autocommit() {
        db.execute_batch("SAVEPOINT text_index")?;
        match add_new_items(connection) {
            // A damaged index must not lose the jobs. A later transaction adds the items.
            Err(error) if is_damage(&error) => {
                db.execute_batch("ROLLBACK TO text_index")?;
                INDEX_DAMAGE.call_once(|| {
                    tracing::error!(%error, "the full-text index is damaged, so searches do not find new items; check \
                                             the database with `newsfold db check`");
                });
            }
            added => added?,
        }
        db.execute_batch("RELEASE text_index")?;
    }
    db.execute_batch("COMMIT")
}

fn in_savepoint<T>(db: &WriteConnection, work: impl FnOnce(&WriteConnection) -> Result<T>) -> Result<T> {
    db.sqlite().execute_batch("SAVEPOINT work")?;
    let done =
        catch_unwind(AssertUnwindSafe(|| work(db))).unwrap_or_else(|panic| Err(Error::Panicked(panic_text(&*panic))));
    let done = done.and_then(|result| count_new_editions(db).map(|()| result));
    if done.is_err() {
        db.sqlite().execute_batch("ROLLBACK TO work")?;
    }
    db.sqlite().execute_batch("RELEASE work")?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::open_writer;

    #[tokio::test]
    async fn locked_database_is_described_with_the_next_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let connection = open_writer(&path).unwrap();
        connection.sqlite().busy_timeout(Duration::from_millis(10)).unwrap();
        let other_program = open_writer(&path).unwrap();
        other_program.sqlite().execute_batch("BEGIN IMMEDIATE").unwrap();
        let writer = Writer::start(connection).unwrap();
        let error = writer.write(|_| Ok(())).await.unwrap_err().to_string();
        assert!(
            error.contains("another program has locked the database") && error.contains("end that program"),
            "{error}"
        );
        assert!(writer.failures.check().is_err());
    }

    #[tokio::test]
    async fn damaged_full_text_index_does_not_lose_the_jobs_of_the_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let other_program = open_writer(&path).unwrap();
        // The row with this id is the structure of the index. A connection that has read it would keep it.
        let structure: Vec<u8> = other_program.one("SELECT block FROM item_fts_data WHERE id = 10", []).unwrap();
        other_program
            .execute("UPDATE item_fts_data SET block = x'00000000ffffffffffffffffff' WHERE id = 10", [])
            .unwrap();
        let writer = Writer::start(open_writer(&path).unwrap()).unwrap();
        let insert = |title: &'static str| {
            writer.write(move |db| {
                db.execute(
                    "INSERT OR IGNORE INTO source (id, url, outlet, added_at, next_poll_at) VALUES (1, 'u', 'o', 0, 0)",
                    [],
                )?;
                let item = "INSERT INTO item (source_id, guid, title, summary, first_seen_at, ranked_at)
                            VALUES (1, ?1, ?1, '', 0, 0)";
                db.execute(item, [title])
            })
        };
        let found = || -> Vec<String> {
            let sql = "SELECT item.title FROM item_fts CROSS JOIN item ON item.id = item_fts.rowid
                       WHERE item_fts MATCH 'flood OR storm' ORDER BY item.title";
            other_program.all(sql, []).unwrap()
        };
        insert("flood").await.unwrap();
        assert_eq!(other_program.one::<i64>("SELECT count(*) FROM item", []).unwrap(), 1, "the job is committed");
        other_program.execute("UPDATE item_fts_data SET block = ?1 WHERE id = 10", [structure]).unwrap();
        insert("storm").await.unwrap();
        assert_eq!(found(), ["flood", "storm"]);
    }
}
