//! The clock, which is passed to all code that needs the current time, so that a test with real sockets can advance the
//! time by hours.
//!
//! A clock does not measure durations. Request timeouts use `tokio::time`.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// The system clock, or a clock that a test sets.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The time that a test has set; `None` for the system clock.
    manual: Option<watch::Sender<Timestamp>>,
}

impl Clock {
    pub fn system() -> Self {
        Clock { manual: None }
    }

    /// Creates a clock that stays at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Clock { manual: Some(watch::Sender::new(start)) }
    }

    /// Returns the current time in whole milliseconds, the precision of the database.
    pub fn now(&self) -> Timestamp {
        let now = self.manual.as_ref().map_or_else(Timestamp::now, |now| *now.borrow());
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Advances a manual clock and wakes the tasks that sleep on it. Has no effect on the system clock.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(now) = &self.manual {
            now.send_modify(|now| *now += by);
        }
    }

    /// Waits until the clock reaches `then`.
    pub async fn sleep_until(&self, then: Timestamp) {
        match &self.manual {
            None => {
                let left = then.duration_since(Timestamp::now());
                tokio::time::sleep(left.try_into().unwrap_or_default()).await;
            }
            // `self` owns the sender, so the wait cannot fail while `self` is borrowed.
            Some(now) => _ = now.subscribe().wait_for(|now| *now >= then).await,
        }
    }

    /// Waits for `span` on this clock.
    pub async fn sleep(&self, span: SignedDuration) {
        self.sleep_until(self.now().checked_add(span).unwrap_or(Timestamp::MAX)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_task_wakes_when_the_clock_passes_its_time() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(SignedDuration::from_hours(2)).await;
                clock.now()
            }
        });
        tokio::task::yield_now().await;
        clock.advance(SignedDuration::from_hours(1));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(sleeper.await.unwrap().as_second(), 7200);
    }
}
