//! Hourly maintenance: deletes old poll records and stories, and optimizes the database.

use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::config::DaemonOptions;
use crate::domain::duration::before;
use crate::store::retention::{self, RetentionPolicy};
use crate::store::{self, Maintenance, Store, polls, robots_txt, tombstones, websub_subscribers};
use jiff::SignedDuration;

/// The number of newest published stories to keep regardless of age.
const MIN_KEPT_STORIES: u32 = 1_000;
/// The range of the time since the start of a poll. Old data is deleted only if a poll started at least
/// `MIN_OBSERVATION` and at most `MAX_PAUSE` ago. Without such a poll, the clock may have jumped.
const MIN_OBSERVATION: SignedDuration = SignedDuration::from_hours(24);
const MAX_PAUSE: SignedDuration = SignedDuration::from_hours(8 * 24);
/// The interval between maintenance runs.
const INTERVAL: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn run(context: TaskContext) {
    let (store, options, clock) = (context.store(), &context.config.daemon, context.clock());
    loop {
        if !has_polled_steadily(store, options, clock).await {
            clock.sleep(INTERVAL).await;
            continue;
        }
        let round = Maintenance { polls_before: before(clock.now(), options.poll_retention) };
        match store.write(move |db| round.run(db)).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "deleted old poll records"),
            Err(error) => error.log("database maintenance failed"),
        }
        let keep = RetentionPolicy { from: before(clock.now(), options.story_retention), newest: MIN_KEPT_STORIES };
        match delete_expired_data(store, keep, clock).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "deleted old stories"),
            Err(error) => error.log("cannot delete old stories"),
        }
        clock.sleep(INTERVAL).await;
    }
}

/// Returns whether the daemon has polled for long enough since the clock last jumped, so that old data may be deleted.
/// After a jump by years, everything would look old.
async fn has_polled_steadily(store: &Store, options: &DaemonOptions, clock: &Clock) -> bool {
    let now = clock.now();
    let observed = MIN_OBSERVATION.min(options.poll_retention / 2);
    let read = move |db: &_| polls::started_within_and_before(db, before(now, MAX_PAUSE), before(now, observed));
    match store.read(read).await {
        Ok((true, _)) => true,
        Ok((false, is_used)) => {
            if is_used {
                tracing::warn!(%now, "the clock has jumped, or newsfold was stopped for a week: nothing is deleted for a day");
            }
            false
        }
        Err(error) => {
            error.log("cannot check the clock; nothing is deleted");
            false
        }
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
