//! The health of the daemon's tasks. The daemon records the health, and `/healthz` and the health page report it.
//!
//! This module does not restart tasks. The daemon restarts them.

use crate::domain::Timestamp;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The daemon's tasks that are down, the failures of components, and the times at which tasks last did their work.
/// Clones share their state.
#[derive(Clone, Default)]
pub struct TaskHealth {
    failures: Arc<Mutex<BTreeMap<&'static str, TaskFailure>>>,
    /// The reasons why components do not work.
    faults: Arc<Mutex<BTreeMap<&'static str, String>>>,
    /// The reasons why deliveries to other systems fail, by component and destination.
    delivery_failures: Arc<Mutex<BTreeMap<&'static str, BTreeMap<String, String>>>>,
    progress: Arc<Mutex<BTreeMap<&'static str, Timestamp>>>,
}

struct TaskFailure {
    since: Instant,
    reason: String,
}

impl TaskHealth {
    /// Records that a task ended unexpectedly. If the task fails again before [`TaskHealth::up`], the time of its first
    /// failure is kept.
    pub fn down(&self, task: &'static str, reason: &str) {
        let mut failures = self.failures.lock();
        let since = failures.get(task).map_or_else(Instant::now, |failure| failure.since);
        failures.insert(task, TaskFailure { since, reason: reason.to_owned() });
    }

    /// Records that a task is running stably again.
    pub fn up(&self, task: &'static str) {
        self.failures.lock().remove(task);
    }

    /// Records why a component, such as the encoder, does not work; `None` if it works again. Unlike a task that is
    /// down, a failed component does not cause systemd to restart the daemon, because a restart would not repair it.
    pub fn set_fault(&self, component: &'static str, reason: Option<String>) {
        let mut faults = self.faults.lock();
        match reason {
            Some(reason) => faults.insert(component, reason),
            None => faults.remove(component),
        };
    }

    /// Records why a component, such as the webhooks, cannot deliver to a destination; `None` if it can deliver again.
    /// A failed delivery does not make the daemon unhealthy, because the other system usually causes it.
    pub fn set_delivery_failure(&self, component: &'static str, destination: &str, reason: Option<String>) {
        let mut failures = self.delivery_failures.lock();
        match reason {
            Some(reason) => _ = failures.entry(component).or_default().insert(destination.to_owned(), reason),
            None => {
                let destinations = failures.entry(component).or_default();
                destinations.remove(destination);
                if destinations.is_empty() {
                    failures.remove(component);
                }
            }
        }
    }

    /// Returns whether the last delivery of a component to a destination failed.
    pub fn has_delivery_failure(&self, component: &str, destination: &str) -> bool {
        self.delivery_failures.lock().get(component).is_some_and(|failures| failures.contains_key(destination))
    }

    /// Forgets the failures of a component, because it starts with another configuration.
    pub fn forget_delivery_failures(&self, component: &str) {
        self.delivery_failures.lock().remove(component);
    }

    /// Returns the components whose deliveries fail, each with the reasons.
    pub fn warnings(&self) -> BTreeMap<&'static str, String> {
        let join = |failures: &BTreeMap<String, String>| failures.values().cloned().collect::<Vec<_>>().join("; ");
        self.delivery_failures.lock().iter().map(|(component, failures)| (*component, join(failures))).collect()
    }

    /// Records that a task has done the work that was due.
    pub fn record_progress(&self, task: &'static str, at: Timestamp) {
        self.progress.lock().insert(task, at);
    }

    /// Returns when a task last did the work that was due; `None` if it has not done any work yet.
    pub fn last_progress(&self, task: &str) -> Option<Timestamp> {
        self.progress.lock().get(task).copied()
    }

    /// Returns the time since the earliest failure among the tasks that are down.
    pub fn longest_down(&self) -> Option<Duration> {
        self.failures.lock().values().map(|failure| failure.since.elapsed()).max()
    }

    /// Returns the tasks that are down and the components that do not work, each with the reason.
    pub fn reasons(&self) -> BTreeMap<&'static str, String> {
        let mut reasons = self.faults.lock().clone();
        reasons.extend(self.failures.lock().iter().map(|(task, failure)| (*task, failure.reason.clone())));
        reasons
    }
}
