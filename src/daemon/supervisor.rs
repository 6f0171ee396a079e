//! Restarts the daemon's tasks. If a task panics or ends, the supervisor logs it, reports it in `/healthz`, and
//! restarts it with exponential backoff. The failure of one task does not affect the other tasks.

use crate::domain::doubling_delay::doubling;
use crate::domain::panic_text::join_error_text;
use crate::serve::TaskHealth;
use crate::wording::Audience;
use jiff::SignedDuration;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The delay before the first restart. It doubles with each consecutive failure.
const MIN_RESTART_DELAY: SignedDuration = SignedDuration::from_millis(250);
const MAX_RESTART_DELAY: SignedDuration = SignedDuration::from_secs(60);
/// The time after which a running task counts as stable, so that its backoff is reset.
const STABLE_AFTER: Duration = Duration::from_secs(60);
/// The time for which a task may be down before the process must be restarted.
const UNRECOVERABLE_AFTER: Duration = Duration::from_secs(30);

/// Runs the task that `start` creates and restarts it until `stop`.
pub(super) async fn supervise<F>(name: &'static str, health: TaskHealth, stop: CancellationToken, start: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut failures = 0;
    loop {
        // When the supervisor is aborted, dropping the set aborts the task.
        let mut task = JoinSet::new();
        task.spawn(start());
        let began = Instant::now();
        let ended = tokio::select! {
            ended = task.join_next() => ended,
            // A restarted task counts as running once it has run for its restart delay.
            _ = tokio::time::sleep(restart_delay(failures)), if failures > 0 => {
                health.up(name);
                task.join_next().await
            }
        };
        if stop.is_cancelled() {
            return;
        }
        let why = match ended {
            Some(Err(join)) => Audience::PUBLIC.remark(&format!("it panicked: {}", join_error_text(join))),
            _ => "the task ended unexpectedly".into(),
        };
        failures = if began.elapsed() >= STABLE_AFTER { 1 } else { failures + 1 };
        health.down(name, &why);
        let again = restart_delay(failures);
        tracing::error!(task = name, why, "a task of the daemon failed; restarting it in {again:?}");
        tokio::select! {
            _ = stop.cancelled() => return,
            _ = tokio::time::sleep(again) => {}
        }
    }
}

/// Returns whether a task has been down for so long that systemd's watchdog must restart the process.
pub(super) fn has_unrecoverable_task(health: &TaskHealth) -> bool {
    health.longest_down().is_some_and(|down| down > UNRECOVERABLE_AFTER)
}

fn restart_delay(failures: u32) -> Duration {
    doubling(MIN_RESTART_DELAY, MAX_RESTART_DELAY, failures.saturating_sub(1)).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::store::Store;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    /// Waits until `/healthz` responds with `status`, and returns the body.
    async fn until_health(url: &str, status: u16) -> String {
        crate::http_client::install_tls_provider();
        for _ in 0..3000 {
            let answer = reqwest::get(url).await.unwrap();
            if answer.status() == status {
                return answer.text().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("/healthz never responded with {status}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn panicked_task_is_reported_in_healthz_and_restarted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("news.db")).unwrap();
        let (health, stop) = (TaskHealth::default(), CancellationToken::new());
        let clock = Clock::system();
        let site =
            crate::serve::site(store, Config::default().site_options(), health.clone(), clock, axum::Router::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/healthz", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, site.router).into_future());

        let (fall, starts) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        let (told, counted, stopped) = (fall.clone(), starts.clone(), stop.clone());
        let kept = tokio::spawn(supervise("grouping", health.clone(), stop.clone(), move || {
            let (told, stopped) = (told.clone(), stopped.clone());
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::select! {
                    _ = told.notified() => panic!("a bug in grouping"),
                    _ = stopped.cancelled() => {}
                }
            }
        }));
        until_health(&url, 200).await;
        fall.notify_one();
        let said = until_health(&url, 503).await;
        assert!(said.contains("grouping") && said.contains("a bug in grouping"), "{said}");
        until_health(&url, 200).await;
        assert_eq!(starts.load(Ordering::SeqCst), 2);
        stop.cancel();
        kept.await.unwrap();
        assert_eq!(health.longest_down(), None, "a requested end is not a failure");
    }

    #[tokio::test(start_paused = true)]
    async fn task_that_always_fails_is_unrecoverable_and_restarted_ever_less_often() {
        let (health, stop) = (TaskHealth::default(), CancellationToken::new());
        let starts = Arc::new(AtomicU32::new(0));
        let counted = starts.clone();
        let kept = tokio::spawn(supervise("publisher", health.clone(), stop.clone(), move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        }));
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(health.longest_down().is_some() && !has_unrecoverable_task(&health));
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(has_unrecoverable_task(&health), "systemd's watchdog gets no keep-alives");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(starts.load(Ordering::SeqCst) < 80, "{starts:?}");
        stop.cancel();
        kept.await.unwrap();
    }
}
