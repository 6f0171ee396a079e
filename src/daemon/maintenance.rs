//! Hourly maintenance: deletes old poll records and stories, and optimizes the database.

use super::clock_jump_guard::has_polled_steadily;
use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::domain::duration::before;
use crate::store::retention::{self, RetentionPolicy};
use crate::store::{self, Store, robots_txt, tombstones, websub_subscribers};
use jiff::SignedDuration;

/// The interval between maintenance runs.
const INTERVAL: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn run(context: TaskContext) {
    let (store, options, clock) = (context.store(), &context.config.daemon, context.clock());
    loop {
        if !has_polled_steadily(store, options, clock).await {
            clock.sleep(INTERVAL).await;
            continue;
        }
        let polls_before = before(clock.now(), options.poll_retention);
        match store.write(move |db| retention::delete_old_polls(db, polls_before)).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "deleted old poll records"),
            Err(error) => error.log("database maintenance failed"),
        }
        let keep =
            RetentionPolicy { from: before(clock.now(), options.story_retention), newest: retention::MIN_KEPT_STORIES };
        match delete_expired_data(store, keep, clock).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "deleted old stories"),
            Err(error) => error.log("cannot delete old stories"),
        }
        clock.sleep(INTERVAL).await;
    }
}

/// Deletes expired data in small transactions, so that other writes can run in between.
async fn delete_expired_data(store: &Store, keep: RetentionPolicy, clock: &Clock) -> store::Result<usize> {
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
