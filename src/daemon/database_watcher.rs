//! Wakes the daemon's tasks when any program has committed to the database and when work becomes due.
//!
//! The watcher does not know what has changed. Each task reads its own queue again, so a crash loses no work.

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store::{self, ChangeDetector, Store};
use std::time::Duration;
use tokio::sync::watch;

/// The interval at which the watcher checks the version of the database.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// The delay before a task or the watcher itself retries after an error.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The time at which a task reads its queue again. A change of the database wakes the task earlier, except after a
/// failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextRun {
    AfterChange,
    At(Timestamp),
    /// The task runs again after [`RETRY_DELAY`], or later if the database cannot be read or written, because its last
    /// run failed. A change does not wake the task earlier: on a damaged file, other tasks may still commit.
    Retry,
}

impl From<Option<Timestamp>> for NextRun {
    fn from(due: Option<Timestamp>) -> Self {
        due.map_or(NextRun::AfterChange, NextRun::At)
    }
}

/// Lets one task wait for work. Each clone tracks the changes that its task has seen.
#[derive(Clone)]
pub(super) struct WorkSignal {
    changes: watch::Receiver<()>,
    clock: Clock,
    store: Store,
}

impl WorkSignal {
    pub(super) fn new(changes: &watch::Sender<()>, clock: &Clock, store: &Store) -> WorkSignal {
        WorkSignal { changes: changes.subscribe(), clock: clock.clone(), store: store.clone() }
    }

    /// Waits for a change of the database since the last call returned, or until `next`. Cancelling this function does
    /// not lose a change.
    pub(super) async fn wait(&mut self, next: NextRun) {
        let due = async {
            match next {
                NextRun::AfterChange | NextRun::Retry => std::future::pending().await,
                NextRun::At(at) => self.clock.sleep_until(at).await,
            }
        };
        if next == NextRun::Retry {
            return tokio::time::sleep(RETRY_DELAY.max(self.store.retry_delay())).await;
        }
        tokio::select! {
            Ok(()) = self.changes.changed() => {}
            _ = due => {}
        }
    }
}

/// Notifies the receivers of `changes` after each commit to the database.
pub(super) async fn watch(store: Store, changes: watch::Sender<()>) {
    loop {
        let Err(error) = watch_connection(&store, &changes).await;
        error.log("the database cannot be watched for changes; retrying");
        // Until the watcher works again, the tasks read their queues after each delay.
        changes.send_replace(());
        tokio::time::sleep(RETRY_DELAY.max(store.retry_delay())).await;
    }
}

async fn watch_connection(store: &Store, changes: &watch::Sender<()>) -> store::Result<std::convert::Infallible> {
    let mut detector = ChangeDetector::open(store).await?;
    loop {
        let has_changed;
        (detector, has_changed) = detector.detect().await?;
        if has_changed {
            changes.send_replace(());
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::publication;
    use jiff::SignedDuration;

    #[tokio::test(flavor = "multi_thread")]
    async fn commit_of_any_program_wakes_a_waiting_task() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let (store, other_program) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        let (changes, clock) = (watch::Sender::default(), Clock::manual(Timestamp::UNIX_EPOCH));
        let mut signal = WorkSignal::new(&changes, &clock, &store);
        let watcher = tokio::spawn(watch(store.clone(), changes.clone()));
        // The first comparison counts as a change.
        signal.wait(NextRun::AfterChange).await;
        for writer in [&store, &other_program] {
            writer.write(publication::touch).await.unwrap();
            signal.wait(NextRun::AfterChange).await;
        }
        let no_change = tokio::time::timeout(3 * CHECK_INTERVAL, signal.wait(NextRun::AfterChange)).await;
        assert!(no_change.is_err(), "a read is not a change");
        watcher.abort();
    }

    #[tokio::test]
    async fn task_runs_at_its_due_time_without_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("news.db")).unwrap();
        let (changes, clock) = (watch::Sender::default(), Clock::manual(Timestamp::UNIX_EPOCH));
        let mut signal = WorkSignal::new(&changes, &clock, &store);
        clock.advance(SignedDuration::from_hours(1));
        signal.wait(NextRun::At(clock.now())).await;
    }
}
