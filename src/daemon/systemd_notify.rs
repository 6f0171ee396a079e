//! Notifies systemd of readiness and shutdown, and sends keep-alives to its watchdog. Without systemd, nothing is sent.

use super::supervisor::has_unrecoverable_task;
use super::task_context::TaskContext;
use crate::store::publication;
use sd_notify::NotifyState;
use std::time::Duration;

/// Sends keep-alives while no task is stuck. A database that cannot be read or written is reported in `/healthz`,
/// because a restart would not repair it.
pub(super) async fn run(context: TaskContext) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    loop {
        match context.store().read(publication::version).await {
            Ok(_) if has_unrecoverable_task(&context.health) => {
                tracing::error!("a task is still down; no keep-alive is sent to systemd's watchdog")
            }
            _ => notify(&[NotifyState::Watchdog]),
        }
        tokio::time::sleep((limit / 3).max(Duration::from_millis(100))).await;
    }
}

/// Announces that newsfold has started.
pub(super) fn notify_ready() {
    notify(&[NotifyState::Ready]);
}

/// Announces a reload, which [`notify_reloaded`] ends.
pub(super) fn notify_reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        notify(&[NotifyState::Reloading, now]);
    }
}

/// Announces the end of a reload. `status` is the text that `systemctl status` shows.
pub(super) fn notify_reloaded(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Announces the shutdown.
pub(super) fn notify_stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(states: &[NotifyState<'_>]) {
    // Without systemd, there is no receiver, which is not an error.
    let _ = sd_notify::notify(states);
}
