//! Ends a read whose result is no longer needed. Without this, a long read would delay the end of the program, and its
//! snapshot would keep the write-ahead log from being moved into the database file.

use super::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a read was cancelled. Clones share the state.
#[derive(Clone, Default)]
pub(super) struct ReadCancellation(Arc<AtomicBool>);

/// Cancels a read when it is dropped.
pub(super) struct CancelOnDrop(ReadCancellation);

impl ReadCancellation {
    pub(super) fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns an error if the read was cancelled.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crate::store::Store;
    use tokio::sync::oneshot;

    const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    #[tokio::test(flavor = "multi_thread")]
    async fn dropped_read_ends_and_the_next_read_of_its_connection_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("news.db")).unwrap();
        let (started, has_started) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let endless = store.read(move |db| {
            started.send(()).unwrap();
            let results = [db.one::<i64>(ENDLESS, []).is_err(), db.one::<i64>("SELECT 1", []).is_err()];
            ended.send((results, db.expect_needed().is_err())).unwrap();
            Ok(())
        });
        tokio::select! {
            _ = endless => unreachable!("the statement does not end by itself"),
            started = has_started => started.unwrap(),
        }
        assert_eq!(has_ended.await.unwrap(), ([true, true], true));
        assert_eq!(store.read(|db| db.one::<i64>("SELECT 1", [])).await.unwrap(), 1);
    }
}
