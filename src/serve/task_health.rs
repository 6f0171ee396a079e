//! The health of the daemon's tasks. The daemon records it; `/healthz` and the health page report it.
//!
//! It does not restart tasks; the daemon does.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The daemon's tasks that are down. Clones share their state.
#[derive(Clone, Default)]
pub struct TaskHealth(Arc<Mutex<BTreeMap<&'static str, TaskFailure>>>);

struct TaskFailure {
    since: Instant,
    reason: String,
}

impl TaskHealth {
    /// Records that a task has ended unexpectedly. A task that fails again before [`TaskHealth::up`] keeps the time of
    /// its first failure.
    pub fn down(&self, task: &'static str, reason: &str) {
        let mut failures = self.0.lock();
        let since = failures.get(task).map_or_else(Instant::now, |failure| failure.since);
        failures.insert(task, TaskFailure { since, reason: reason.to_owned() });
    }

    /// Records that a task runs stably again.
    pub fn up(&self, task: &'static str) {
        self.0.lock().remove(task);
    }

    /// How long the task that failed first has been down.
    pub fn longest_down(&self) -> Option<Duration> {
        self.0.lock().values().map(|failure| failure.since.elapsed()).max()
    }

    /// The tasks that are down, with the reason for each.
    pub fn reasons(&self) -> BTreeMap<&'static str, String> {
        self.0.lock().iter().map(|(task, failure)| (*task, failure.reason.clone())).collect()
    }
}
