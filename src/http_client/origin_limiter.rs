//! Sends one request at a time to each origin, with a delay between requests.
//!
//! The limiter covers only this program. Programs on the same database coordinate first, in [`super::AcquirePermit`].

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// The end of the last request to an origin. The next request locks the mutex.
type LastRequestEnd = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// The limiter of the requests to each origin. Clones share the limits.
#[derive(Clone)]
pub(super) struct OriginLimiter {
    delay: Duration,
    origins: Arc<Mutex<HashMap<String, LastRequestEnd>>>,
}

/// Permission for one request to an origin. Dropping it starts the delay.
pub(super) struct LimiterGuard(OwnedMutexGuard<Option<Instant>>);

impl Drop for LimiterGuard {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

/// The number of stored origins above which origins without a request or a running delay are removed.
const MAX_ORIGINS: usize = 4096;

impl OriginLimiter {
    pub(super) fn new(delay: Duration) -> Self {
        OriginLimiter { delay, origins: Arc::default() }
    }

    /// Waits until a request to the origin may be sent. Dropping the future gives up the place in the queue.
    pub(super) async fn acquire(&self, origin: String) -> LimiterGuard {
        let last_end = self.last_end(origin).lock_owned().await;
        if let Some(ended) = *last_end {
            tokio::time::sleep_until(ended + self.delay).await;
        }
        LimiterGuard(last_end)
    }

    fn last_end(&self, origin: String) -> LastRequestEnd {
        let mut origins = self.origins.lock();
        if origins.len() > MAX_ORIGINS {
            origins.retain(|_, last_end| {
                let is_delayed = |end: Option<Instant>| end.is_some_and(|end| end.elapsed() < self.delay);
                Arc::strong_count(last_end) > 1 || last_end.try_lock().is_ok_and(|end| is_delayed(*end))
            });
        }
        origins.entry(origin).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[tokio::test(start_paused = true)]
    async fn requests_to_one_origin_follow_each_other_after_a_delay() {
        let limiter = OriginLimiter::new(Duration::from_secs(1));
        let start = Instant::now();
        let mut requests = Vec::new();
        for _ in 0..3 {
            let limiter = limiter.clone();
            requests.push(tokio::spawn(async move {
                let guard = limiter.acquire("https://one.example".into()).await;
                let started = start.elapsed();
                tokio::time::sleep(Duration::from_secs(3)).await;
                drop(guard);
                started
            }));
        }
        let other = limiter.acquire("https://two.example".into()).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "another origin does not wait");
        drop(other);
        let mut started = Vec::new();
        for request in requests {
            started.push(request.await.unwrap().as_secs());
        }
        started.sort();
        assert_eq!(started, [0, 4, 8]);
    }
}
