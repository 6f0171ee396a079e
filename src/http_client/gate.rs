//! One request at a time to an origin, and a pause between two (RFC 6454 says what an origin is).
//!
//! Within this program; what other programs on this machine do is agreed upon before, in [`super::Turn`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use url::Url;

/// Scheme, host and port: what one server answers for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// The origin of a URL.
pub fn origin(url: &Url) -> Origin {
    Origin(url.origin().ascii_serialization())
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// When the last request to an origin ended, kept behind the lock that the next one takes.
type Gate = Arc<tokio::sync::Mutex<Option<Instant>>>;

#[derive(Clone)]
pub(super) struct Gates {
    gap: Duration,
    open: Arc<Mutex<HashMap<Origin, Gate>>>,
}

/// The right to ask one origin; dropping it starts the pause.
pub(super) struct Pass(OwnedMutexGuard<Option<Instant>>);

impl Drop for Pass {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

/// Gates kept beyond which those that nobody uses or waits out are forgotten.
const KEPT: usize = 4096;

impl Gates {
    pub(super) fn new(gap: Duration) -> Self {
        Gates { gap, open: Arc::default() }
    }

    /// Waits for the origin's turn. Whoever is dropped while waiting simply leaves the queue.
    pub(super) async fn enter(&self, url: &Url) -> Pass {
        let gate = {
            let mut open = self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if open.len() > KEPT {
                let gap = self.gap;
                open.retain(|_, gate| {
                    Arc::strong_count(gate) > 1
                        || gate.try_lock().is_ok_and(|last| last.is_some_and(|last| last.elapsed() < gap))
                });
            }
            open.entry(origin(url)).or_default().clone()
        };
        let last = gate.lock_owned().await;
        if let Some(ended) = *last {
            tokio::time::sleep_until(ended + self.gap).await;
        }
        Pass(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_to_one_origin_follow_each_other_with_a_pause() {
        let gates = Gates::new(Duration::from_secs(1));
        let start = Instant::now();
        let mut waiting = Vec::new();
        for path in ["a", "b", "c"] {
            let gates = gates.clone();
            waiting.push(tokio::spawn(async move {
                let pass = gates.enter(&Url::parse(&format!("https://one.example/{path}")).unwrap()).await;
                let entered = start.elapsed();
                tokio::time::sleep(Duration::from_secs(3)).await;
                drop(pass);
                entered
            }));
        }
        let other = gates.enter(&Url::parse("https://two.example/").unwrap()).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "another origin has a gate of its own");
        drop(other);
        let mut entered = Vec::new();
        for task in waiting {
            entered.push(task.await.unwrap().as_secs());
        }
        entered.sort();
        assert_eq!(entered, [0, 4, 8]);
    }
}
