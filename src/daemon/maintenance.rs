//! Hourly maintenance: deletes old poll records and stories, and optimizes the database.

use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::domain::duration::before;
use crate::store::retention::{self, RetentionPolicy};
use crate::store::{self, Maintenance, Store, robots_txt, tombstones, websub_subscribers};
use jiff::SignedDuration;

/// The number of newest published stories to keep regardless of age.
const MIN_KEPT_STORIES: u32 = 1_000;
/// The interval between maintenance runs.
const INTERVAL: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn run(context: TaskContext) {
    let (store, options, clock) = (context.store(), &context.config.daemon, context.clock());
    loop {
        let round = Maintenance { polls_before: before(clock.now(), options.poll_retention) };
        match store.write(move |db| round.run(db)).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "deleted old poll records"),
            Err(error) => tracing::error!(%error, "cannot maintain the database"),
        }
        let keep = RetentionPolicy { from: before(clock.now(), options.story_retention), newest: MIN_KEPT_STORIES };
        match remove_old(store, keep, clock).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "deleted old stories"),
            Err(error) => tracing::error!(%error, "cannot delete old stories"),
        }
        clock.sleep(INTERVAL).await;
    }
}

/// Deletes in small transactions, so that other writes can run in between.
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
