//! How the daemon is: what watches it from outside asks `/healthz`, what watches it from inside is told here.
//!
//! It restarts nothing; that is [`crate::daemon`]'s.

use super::{App, Failure};
use crate::store::items;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// The tasks of the daemon that are down, shared between who keeps them up and who tells of it.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Down>>>);

struct Down {
    since: Instant,
    why: String,
}

impl Health {
    /// A task has ended that never should. Falling again before it was seen to stand is one and the same fall.
    pub fn down(&self, task: &'static str, why: &str) {
        let mut down = self.lock();
        let since = down.get(task).map_or_else(Instant::now, |down| down.since);
        down.insert(task, Down { since, why: why.to_owned() });
    }

    /// A task runs again and has shown that it can.
    pub fn up(&self, task: &'static str) {
        self.lock().remove(task);
    }

    /// For how long the task that fell first has been down.
    pub fn longest_down(&self) -> Option<Duration> {
        self.lock().values().map(|down| down.since.elapsed()).max()
    }

    /// The tasks that are down, by name.
    pub(super) fn tasks_down(&self) -> Vec<&'static str> {
        self.lock().keys().copied().collect()
    }

    fn reasons(&self) -> BTreeMap<&'static str, String> {
        self.lock().iter().map(|(task, down)| (*task, down.why.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Down>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// `200` while the database answers and every task runs, else `503`; with how many items wait to be placed. Cheap,
/// however large the database is.
pub(super) async fn health(State(app): State<App>) -> Result<Response, Failure> {
    let waiting = app.store.read(items::backlog).await?;
    let down = app.health.reasons();
    let (status, word) =
        if down.is_empty() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "down") };
    let text = serde_json::json!({"status": word, "items_waiting": waiting, "down": down});
    Ok((status, axum::Json(text)).into_response())
}
