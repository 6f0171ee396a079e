//! Notifies systemd of readiness and shutdown, and sends keep-alives to its watchdog. Without systemd, nothing is sent.

use super::supervisor::has_unrecoverable_task;
use super::task_context::TaskContext;
use crate::store::publication;
use sd_notify::NotifyState;
use std::time::Duration;

/// Sends keep-alives while the database responds and every task is healthy or recoverable. A daemon that cannot read,
/// poll, group or publish is useless, so systemd restarts it.
pub(super) async fn run(context: TaskContext) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    loop {
        match context.store().read(publication::version).await {
            Ok(_) if has_unrecoverable_task(&context.health) => {
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

pub(super) fn notify(state: NotifyState<'_>) {
    // Without systemd, there is no receiver, which is not an error.
    let _ = sd_notify::notify(&[state]);
}
