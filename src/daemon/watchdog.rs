//! Reports to systemd: ready, stopping, and the watchdog's keep-alive. Without systemd, nothing is sent.

use super::supervisor::has_unrecoverable_task;
use super::task_context::TaskContext;
use crate::serve::TaskHealth;
use crate::store::{Store, publication};
use sd_notify::NotifyState;
use std::time::Duration;

/// Sends keep-alives until shutdown.
pub(super) async fn run(context: TaskContext) {
    tokio::select! {
        _ = context.shutdown.cancelled() => {}
        _ = send_keep_alives(context.store(), &context.health) => {}
    }
}

/// Sends keep-alives while the database answers and no task is unrecoverable. A daemon that cannot read, poll, group or
/// publish is of no use, so systemd restarts it.
async fn send_keep_alives(store: &Store, health: &TaskHealth) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    loop {
        match store.read(publication::version).await {
            Ok(_) if has_unrecoverable_task(health) => {
                tracing::error!("a task stays down; no keep-alive is sent to systemd's watchdog")
            }
            Ok(_) => notify(NotifyState::Watchdog),
            Err(error) => {
                tracing::error!(%error, "the database does not respond; no keep-alive is sent to systemd's watchdog")
            }
        }
        tokio::time::sleep((limit / 3).max(Duration::from_millis(100))).await;
    }
}

/// Reports that the daemon accepts connections.
pub(super) fn report_ready() {
    notify(NotifyState::Ready);
}

/// Reports that the daemon is shutting down.
pub(super) fn report_stopping() {
    notify(NotifyState::Stopping);
}

fn notify(state: NotifyState<'_>) {
    // Without systemd there is no receiver, which is not an error.
    let _ = sd_notify::notify(&[state]);
}
