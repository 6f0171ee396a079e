//! The health of the daemon's tasks. The daemon records it; `/healthz` and the health page report it.
//!
//! This module does not restart tasks; the daemon does.

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
    /// Records that a task ended unexpectedly. If the task fails again before [`TaskHealth::up`], the time of its first
    /// failure is kept.
    pub fn down(&self, task: &'static str, reason: &str) {
        let mut failures = self.0.lock();
        let since = failures.get(task).map_or_else(Instant::now, |failure| failure.since);
        failures.insert(task, TaskFailure { since, reason: reason.to_owned() });
    }

    /// Records that a task is running stably again.
    pub fn up(&self, task: &'static str) {
        self.0.lock().remove(task);
    }

    /// Returns the time since the earliest failure among the tasks that are down.
    pub fn longest_down(&self) -> Option<Duration> {
        self.0.lock().values().map(|failure| failure.since.elapsed()).max()
    }

    /// Returns the tasks that are down, each with the reason.
    pub fn reasons(&self) -> BTreeMap<&'static str, String> {
        self.0.lock().iter().map(|(task, failure)| (*task, failure.reason.clone())).collect()
    }
}
