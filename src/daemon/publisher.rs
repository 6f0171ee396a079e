//! Publishes stories that have settled: the policy says what to freeze, the database keeps it.

use super::{LOOK, Signals};
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::model::duration::before;
use crate::publish::{Options, first_publication};
use crate::store::{self, Store, stories};
use tokio_util::sync::CancellationToken;

/// Stories published between two looks.
const BATCH: u32 = 500;

pub(super) async fn run(store: Store, options: Options, clock: Clock, signals: Signals, stop: CancellationToken) {
    loop {
        if let Err(error) = catch_up(&store, &options, clock.now(), signals.looked_at.get()).await {
            tracing::error!(%error, "stories could not be published; trying again");
        }
        tokio::select! {
            _ = stop.cancelled() => return,
            _ = signals.stories_changed.notified() => {}
            _ = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Publishes all stories whose time has come, of those that a second look has seen.
pub(super) async fn catch_up(
    store: &Store,
    options: &Options,
    now: Timestamp,
    looked_at: Timestamp,
) -> store::Result<()> {
    let founded_before = before(now, options.settle).min(looked_at);
    let mut after = None;
    loop {
        let settled = store.read(move |db| stories::unpublished(db, founded_before, after, BATCH)).await?;
        let Some(last) = settled.last() else { return Ok(()) };
        after = Some((last.founded_at, last.id));
        let mut due: Vec<_> = Vec::new();
        for story in &settled {
            if let Some((lead, published)) = first_publication(story, now, options) {
                due.push((story.id, lead.item.id, published));
            }
        }
        store
            .write(move |db| {
                for (story, lead, published) in &due {
                    stories::publish(db, *story, *lead, published)?;
                }
                Ok(())
            })
            .await?;
    }
}
