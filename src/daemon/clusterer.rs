//! Places stored items into stories, in the order in which they were stored, and writes down where and why.
//!
//! Items without a story are a query: what a crash leaves undone is done at the next start.

use super::{LOOK, Signals};
use crate::clock::Clock;
use crate::cluster::{Clusterer, Options};
use crate::model::{Assignment, Evidence, Item, Placed, Placement};
use crate::store::{self, Store, items, stories};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio_util::sync::CancellationToken;

/// Items placed between two writes.
const BATCH: u32 = 500;

pub(super) async fn run(store: Store, options: Options, clock: Clock, signals: Signals, stop: CancellationToken) {
    let mut grouping = None;
    loop {
        match step(&mut grouping, &store, &options, &clock).await {
            Ok(true) => signals.stories_changed.notify_one(),
            Ok(false) => {}
            Err(error) => {
                // What is in memory and what is on disk may differ now; the disk is right.
                grouping = None;
                tracing::error!(%error, "items could not be placed; trying again");
            }
        }
        tokio::select! {
            _ = stop.cancelled() => return,
            _ = signals.items_stored.notified() => {}
            _ = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn step(grouping: &mut Option<Grouping>, store: &Store, options: &Options, clock: &Clock) -> store::Result<bool> {
    if grouping.is_none() {
        *grouping = Some(Grouping::restore(store, options, clock).await?);
    }
    match grouping {
        Some(grouping) => grouping.catch_up(store, clock).await,
        None => Ok(false),
    }
}

/// The clusterer with what it needs to start over.
pub(super) struct Grouping {
    options: Options,
    clusterer: Option<Clusterer>,
}

impl Grouping {
    /// Begins where the database stands.
    pub(super) async fn restore(store: &Store, options: &Options, clock: &Clock) -> store::Result<Grouping> {
        let since = clock.now() - options.window;
        let options = options.clone();
        store
            .read(move |db| {
                let mut clusterer = Clusterer::new(options.clone());
                for (item, story, copy_of) in stories::placed_since(db, since)? {
                    clusterer.restore(&item, story, copy_of);
                }
                tracing::debug!(items = clusterer.active_items(), "the clusterer remembers");
                Ok(Grouping { options, clusterer: Some(clusterer) })
            })
            .await
    }

    /// Places all items that have no story yet. Returns whether there were any.
    pub(super) async fn catch_up(&mut self, store: &Store, clock: &Clock) -> store::Result<bool> {
        let mut any = false;
        loop {
            let Some(clusterer) = self.clusterer.take() else {
                *self = Grouping::restore(store, &self.options, clock).await?;
                continue;
            };
            let (clusterer, placed) = store.read(move |db| place_batch(db, clusterer)).await?;
            if placed.is_empty() {
                self.clusterer = clusterer;
                return Ok(any);
            }
            any = true;
            let now = clock.now();
            store.write(move |db| stories::place(db, &placed, now)).await?;
            self.clusterer = clusterer;
        }
    }
}

/// Places the next items. After a panic the clusterer is not given back, because it may be half changed.
fn place_batch(db: &Connection, mut clusterer: Clusterer) -> store::Result<(Option<Clusterer>, Vec<Placed>)> {
    let mut placed = Vec::new();
    for item in items::unassigned(db, BATCH)? {
        match catch_unwind(AssertUnwindSafe(|| place(db, &mut clusterer, &item))) {
            Ok(one) => placed.push(one?),
            Err(_) => {
                tracing::error!(item = %item.id, "placing this item panicked; it stays alone");
                placed.push(alone(db, &item)?);
                return Ok((None, placed));
            }
        }
    }
    Ok((Some(clusterer), placed))
}

fn place(db: &Connection, clusterer: &mut Clusterer, item: &Item) -> store::Result<Placed> {
    let mut failure = None;
    let placed = clusterer.place(item, |taken| {
        stories::mint(db, item, taken).unwrap_or_else(|error| {
            failure = Some(error);
            crate::model::StoryId::mint(&item.source_url, &item.guid, 0)
        })
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(placed),
    }
}

fn alone(db: &Connection, item: &Item) -> store::Result<Placed> {
    let story = stories::mint(db, item, |_| false)?;
    let evidence = Evidence::default();
    let assignment = Assignment { item: item.id, story, placement: Placement::Founded, copy_of: None, evidence };
    Ok(Placed { assignment, merges: Vec::new() })
}
