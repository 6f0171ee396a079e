//! Shares a small read of the database among simultaneous requests. A thread and a transaction for each request would
//! take longer than the rest of a 304 response.
//!
//! No request gets the result of a read that started before the request, so no response is outdated.

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

pub struct SharedRead<T> {
    /// The number of reads that have started.
    started: AtomicU64,
    /// The number and the result of the last read that succeeded. Locked during a read.
    last: Mutex<Option<(u64, T)>>,
}

impl<T> Default for SharedRead<T> {
    fn default() -> Self {
        SharedRead { started: AtomicU64::new(0), last: Mutex::new(None) }
    }
}

impl<T: Copy> SharedRead<T> {
    /// Returns the result of `read`, or of an identical read that another request started after this call.
    pub async fn get<E>(&self, read: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, E> {
        let started_before = self.started.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some((number, result)) = *last
            && number > started_before
        {
            return Ok(result);
        }
        let number = self.started.fetch_add(1, Ordering::SeqCst) + 1;
        let result = read().await?;
        *last = Some((number, result));
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;

    /// A read that returns its number once it has a permit.
    #[derive(Clone)]
    struct Reads {
        shared: Arc<SharedRead<usize>>,
        count: Arc<AtomicUsize>,
        permits: Arc<Semaphore>,
    }

    impl Reads {
        fn new() -> Reads {
            Reads { shared: Arc::default(), count: Arc::default(), permits: Arc::new(Semaphore::new(0)) }
        }

        async fn get(self) -> usize {
            let read = async || {
                let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
                self.permits.acquire().await.unwrap().forget();
                Ok::<_, Infallible>(number)
            };
            let Ok(number) = self.shared.get(read).await;
            number
        }
    }

    #[tokio::test]
    async fn requests_during_a_read_share_the_next_one() {
        let (reads, mut requests) = (Reads::new(), JoinSet::new());
        requests.spawn(reads.clone().get());
        while reads.count.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        // These requests must not get the result of the first read, which started before them.
        (0..10).for_each(|_| drop(requests.spawn(reads.clone().get())));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        reads.permits.add_permits(2);
        let mut results = requests.join_all().await;
        results.sort_unstable();
        assert_eq!(results, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    }

    #[tokio::test]
    async fn request_after_a_read_starts_another_one() {
        let reads = Reads::new();
        reads.permits.add_permits(2);
        assert_eq!((reads.clone().get().await, reads.get().await), (1, 2));
    }
}
