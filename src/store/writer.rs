//! The writer thread: takes what is waiting, puts it into one transaction, and answers when that is on disk.
//!
//! Batching is what makes thousands of small writes a second possible with an fsync each commit; each piece of work
//! has a savepoint, so that one failing piece takes nothing else with it.

use super::connection::WriteConnection;
use super::{Error, Result};
use crate::domain::panic_text::panic_text;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use tokio::sync::oneshot;

/// How many pieces of work share a transaction at the most.
const BATCH: usize = 128;
/// How many may wait before those who bring more are held up.
const QUEUE: usize = 1024;

/// Does a piece of work inside the open transaction, or nothing where none could be opened, and returns who is to hear
/// how the transaction ended.
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
                // Nobody listens any more when the caller was abandoned; what was written stays written.
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

/// One transaction: `first` and what else is waiting. Returns a job that can't be part of a transaction.
fn batch(connection: &WriteConnection, first: Work, waiting: &mpsc::Receiver<Job>) -> Option<Job> {
    // IMMEDIATE, because upgrading a read transaction fails at once when another program writes.
    if let Err(cause) = connection.sqlite().execute_batch("BEGIN IMMEDIATE") {
        first(None)(Err(Error::NotWritten(cause.to_string())));
        return None;
    }
    let mut answers = vec![first(Some(connection))];
    let mut left_over = None;
    // A full disk can end the transaction from inside; what would come next must not begin one of its own.
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
        // A commit that failed leaves the transaction open; without this every later one would fail too.
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
