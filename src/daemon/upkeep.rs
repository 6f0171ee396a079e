//! What keeps a long-running service well: old records go, systemd hears from us.

use super::supervisor::is_lost;
use crate::clock::Clock;
use crate::config::Running;
use crate::domain::duration::before;
use crate::serve::TaskHealth;
use crate::store::retention::{self, RetentionPolicy};
use crate::store::{self, Maintenance, Store, robots_txt, tombstones, websub_subscribers};
use jiff::SignedDuration;
use sd_notify::NotifyState;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The newest published stories stay, however old they are.
const STAY: u32 = 1_000;
/// Between two rounds of maintenance.
const ROUND: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn run(store: Store, options: Running, clock: Clock, stop: CancellationToken) {
    tokio::select! {
        _ = stop.cancelled() => {}
        _ = maintain(&store, &options, &clock) => {}
    }
}

/// Tells systemd that we live.
pub(super) async fn watch(store: Store, health: TaskHealth, stop: CancellationToken) {
    tokio::select! {
        _ = stop.cancelled() => {}
        _ = watchdog(&store, &health) => {}
    }
}

async fn maintain(store: &Store, options: &Running, clock: &Clock) {
    loop {
        let round = Maintenance { polls_before: before(clock.now(), options.keep_polls) };
        match store.write(move |db| round.run(db)).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "old records of polls were dropped"),
            Err(error) => tracing::error!(%error, "maintenance of the database failed"),
        }
        let keep = RetentionPolicy { from: before(clock.now(), options.keep_stories), newest: STAY };
        match remove_old(store, keep, clock).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old stories were removed"),
            Err(error) => tracing::error!(%error, "old stories could not be removed"),
        }
        clock.sleep(ROUND).await;
    }
}

/// In small steps, between which others write.
async fn remove_old(store: &Store, keep: RetentionPolicy, clock: &Clock) -> store::Result<usize> {
    let now = clock.now();
    let forget = move |db: &_| {
        robots_txt::delete_expired(db, now)?;
        websub_subscribers::delete_expired(db, now)?;
        tombstones::delete_expired(db, now)
    };
    store.write(forget).await?;
    let mut all = 0;
    loop {
        match store.write(move |db| retention::delete_old_stories(db, keep, now)).await? {
            0 => return Ok(all),
            removed => all += removed,
        }
    }
}

/// For as long as the database answers and no task is lost: a daemon that can't read, poll, group or publish is of no use.
async fn watchdog(store: &Store, health: &TaskHealth) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    loop {
        match store.read(crate::store::publication::version).await {
            Ok(_) if is_lost(health) => tracing::error!("a task stays down; systemd's watchdog is not fed"),
            Ok(_) => notify(NotifyState::Watchdog),
            Err(error) => tracing::error!(%error, "the database does not answer; systemd's watchdog is not fed"),
        }
        tokio::time::sleep((limit / 3).max(Duration::from_millis(100))).await;
    }
}

pub(super) fn tell_ready() {
    notify(NotifyState::Ready);
}

pub(super) fn tell_stopping() {
    notify(NotifyState::Stopping);
}

fn notify(state: NotifyState<'_>) {
    // Without systemd there is nobody to tell, and that is no error.
    let _ = sd_notify::notify(&[state]);
}
