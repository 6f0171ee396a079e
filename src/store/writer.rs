//! The writer thread: runs all waiting jobs in one transaction, and replies once the transaction is durable.
//!
//! Batching makes thousands of small writes per second possible, although each commit calls fsync. Each job has a
//! savepoint, so a failing job does not affect the others.

use super::connection::WriteConnection;
use super::{Error, Result};
use crate::domain::panic_text::panic_text;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use tokio::sync::oneshot;

/// The maximum number of jobs in a transaction.
const BATCH: usize = 128;
/// The maximum number of queued jobs. When the queue is full, callers wait.
const QUEUE: usize = 1024;

/// Runs a job in the open transaction, or without a connection if the transaction could not begin. Returns a function
/// that replies with the result of the commit.
type Work = Box<dyn FnOnce(Option<&WriteConnection>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

enum Job {
    Work(Work),
    Checkpoint(oneshot::Sender<Result<()>>),
}

pub(super) struct Writer {
    jobs: mpsc::SyncSender<Job>,
}

impl Writer {
    pub(super) fn start(connection: WriteConnection) -> Result<Writer> {
        let (jobs, waiting) = mpsc::sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(connection, waiting))
            .map_err(|e| Error::Panicked(format!("the writer thread did not start: {e}")))?;
        Ok(Writer { jobs })
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |db| {
            let done = db.map_or(Err(Error::Stopped), |db| in_savepoint(db, work));
            Box::new(move |committed| {
                // The receiver no longer exists if the caller was cancelled. The write is kept.
                let _ = reply.send(committed.and(done));
            })
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

fn run(connection: WriteConnection, waiting: mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                Job::Work(work) => next = batch(&connection, work, &waiting),
                Job::Checkpoint(reply) => {
                    let done = connection.sqlite().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                    let _ = reply.send(done.map_err(Error::from));
                }
            }
        }
    }
}

/// Runs one transaction with `first` and the waiting jobs. Returns a job that cannot run in a transaction.
fn batch(connection: &WriteConnection, first: Work, waiting: &mpsc::Receiver<Job>) -> Option<Job> {
    // IMMEDIATE, because upgrading a read transaction fails immediately if another process writes.
    if let Err(cause) = connection.sqlite().execute_batch("BEGIN IMMEDIATE") {
        first(None)(Err(Error::NotWritten(cause.to_string())));
        return None;
    }
    let mut answers = vec![first(Some(connection))];
    let mut left_over = None;
    // A full disk can end the transaction early. The next job must not start a new one.
    while answers.len() < BATCH && !connection.sqlite().is_autocommit() {
        match waiting.try_recv() {
            Ok(Job::Work(work)) => answers.push(work(Some(connection))),
            Ok(other) => {
                left_over = Some(other);
                break;
            }
            Err(_) => break,
        }
    }
    let failure = connection.sqlite().execute_batch("COMMIT").err().map(|cause| cause.to_string());
    if failure.is_some() && !connection.sqlite().is_autocommit() {
        // A failed commit leaves the transaction open, which would make every later commit fail.
        let _ = connection.sqlite().execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(match &failure {
            None => Ok(()),
            Some(cause) => Err(Error::NotWritten(cause.clone())),
        });
    }
    left_over
}

fn in_savepoint<T>(db: &WriteConnection, work: impl FnOnce(&WriteConnection) -> Result<T>) -> Result<T> {
    db.sqlite().execute_batch("SAVEPOINT work")?;
    let done =
        catch_unwind(AssertUnwindSafe(|| work(db))).unwrap_or_else(|panic| Err(Error::Panicked(panic_text(&*panic))));
    if done.is_err() {
        db.sqlite().execute_batch("ROLLBACK TO work")?;
    }
    db.sqlite().execute_batch("RELEASE work")?;
    done
}
