//! One request at a time to an origin, and a pause between two (RFC 6454 says what an origin is).
//!
//! Within this program; what other programs on this machine do is agreed upon before, in [`super::AcquirePermit`].

use super::origin::Origin;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use url::Url;

/// When the last request to an origin ended, kept behind the lock that the next one takes.
type Gate = Arc<tokio::sync::Mutex<Option<Instant>>>;

#[derive(Clone)]
pub(super) struct OriginLimiter {
    gap: Duration,
    open: Arc<Mutex<HashMap<Origin, Gate>>>,
}

/// The right to ask one origin; dropping it starts the pause.
pub(super) struct LimiterGuard(OwnedMutexGuard<Option<Instant>>);

impl Drop for LimiterGuard {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

/// OriginLimiter kept beyond which those that nobody uses or waits out are forgotten.
const KEPT: usize = 4096;

impl OriginLimiter {
    pub(super) fn new(gap: Duration) -> Self {
        OriginLimiter { gap, open: Arc::default() }
    }

    /// Waits for the origin's turn. Whoever is dropped while waiting simply leaves the queue.
    pub(super) async fn enter(&self, url: &Url) -> LimiterGuard {
        let origin_limiter = {
            let mut open = self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if open.len() > KEPT {
                let gap = self.gap;
                open.retain(|_, origin_limiter| {
                    Arc::strong_count(origin_limiter) > 1
                        || origin_limiter.try_lock().is_ok_and(|last| last.is_some_and(|last| last.elapsed() < gap))
                });
            }
            open.entry(Origin::from_url(url)).or_default().clone()
        };
        let last = origin_limiter.lock_owned().await;
        if let Some(ended) = *last {
            tokio::time::sleep_until(ended + self.gap).await;
        }
        LimiterGuard(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_to_one_origin_follow_each_other_with_a_pause() {
        let origin_limiter = OriginLimiter::new(Duration::from_secs(1));
        let start = Instant::now();
        let mut waiting = Vec::new();
        for path in ["a", "b", "c"] {
            let origin_limiter = origin_limiter.clone();
            waiting.push(tokio::spawn(async move {
                let pass = origin_limiter.enter(&Url::parse(&format!("https://one.example/{path}")).unwrap()).await;
                let entered = start.elapsed();
                tokio::time::sleep(Duration::from_secs(3)).await;
                drop(pass);
                entered
            }));
        }
        let other = origin_limiter.enter(&Url::parse("https://two.example/").unwrap()).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "another origin has a origin_limiter of its own");
        drop(other);
        let mut entered = Vec::new();
        for task in waiting {
            entered.push(task.await.unwrap().as_secs());
        }
        entered.sort();
        assert_eq!(entered, [0, 4, 8]);
    }
}
