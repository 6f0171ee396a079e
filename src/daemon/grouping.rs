//! Places stored items into stories, in the order in which they were stored, and writes down where and why.
//!
//! Items without a story are a query: what a crash leaves undone is done at the next start.

use super::lock::DatabaseLock;
use super::{LOOK, Signals};
use crate::clock::Clock;
use crate::cluster::{Clusterer, Options};
use crate::domain::{Item, JoinEvidence, Story, StoryAssignment, StoryId, StoryPlacement, StoryRegrouping, Timestamp};
use crate::publish::{self, choose_lead};
use crate::store::{self, ReadConnection, Store, constraints, items, stories};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio_util::sync::CancellationToken;

/// Items placed between two writes.
const BATCH: u32 = 500;

pub(super) async fn run(
    store: Store,
    options: (Options, publish::Options),
    clock: Clock,
    signals: Signals,
    stop: CancellationToken,
) {
    // A command that was at it when we started has to end first: two at once would give one id to two stories.
    let alone = tokio::select! {
        _ = stop.cancelled() => return,
        alone = DatabaseLock::acquire_for_grouping(store.path()) => alone,
    };
    let _alone = match alone {
        Ok(alone) => alone,
        // The supervisor tells of it and tries again.
        Err(error) => return tracing::error!(%error, "items cannot be grouped"),
    };
    let mut grouping = None;
    loop {
        match step(&mut grouping, &store, &options, &clock).await {
            Ok(changed) => {
                let looked_at = grouping.as_ref().and_then(|grouping| grouping.looked_at);
                looked_at.into_iter().for_each(|at| signals.looked_at.set(at));
                if changed {
                    signals.stories_changed.notify_one();
                }
            }
            Err(store::Error::Outdated) => {
                tracing::info!("the operator decided about stories; the grouping starts from there");
                grouping = None;
                continue;
            }
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

async fn step(
    grouping: &mut Option<Grouping>,
    store: &Store,
    options: &(Options, publish::Options),
    clock: &Clock,
) -> store::Result<bool> {
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
    options: (Options, publish::Options),
    clusterer: Option<Clusterer>,
    /// The version of the operator's decisions that it keeps to.
    decided: i64,
    /// When the second look was last taken; at the start it is due at once.
    looked_at: Option<Timestamp>,
}

impl Grouping {
    /// Begins where the database stands.
    pub(super) async fn restore(
        store: &Store,
        options: &(Options, publish::Options),
        clock: &Clock,
    ) -> store::Result<Grouping> {
        let since = clock.now() - options.0.window;
        let options = options.clone();
        store
            .read(move |db| {
                let mut clusterer = Clusterer::new(options.0.clone());
                for (item, story, copy_of) in stories::assigned_since(db, since)? {
                    clusterer.restore(&item, story, copy_of);
                }
                for decision in constraints::active_since(db, since)? {
                    clusterer.add_constraint(&decision);
                }
                let decided = constraints::version(db)?;
                tracing::debug!(items = clusterer.active_items(), "the clusterer remembers");
                Ok(Grouping { options, clusterer: Some(clusterer), decided, looked_at: None })
            })
            .await
    }

    /// Places all items that have no story yet, and takes a second look when one is due. Returns whether anything
    /// changed.
    pub(super) async fn catch_up(&mut self, store: &Store, clock: &Clock) -> store::Result<bool> {
        let mut any = false;
        if store.read(constraints::version).await? != self.decided {
            return Err(store::Error::Outdated);
        }
        let decided = self.decided;
        loop {
            let Some(clusterer) = self.clusterer.take() else {
                *self = Grouping::restore(store, &self.options, clock).await?;
                continue;
            };
            let now = clock.now();
            let (clusterer, placed) = store.read(move |db| place_batch(db, clusterer, now)).await?;
            self.clusterer = clusterer;
            if placed.is_empty() {
                break;
            }
            any = true;
            let now = clock.now();
            store
                .write(move |db| {
                    constraints::expect_version(db, decided)?;
                    stories::assign_items(db, &placed, now)
                })
                .await?;
        }
        let now = clock.now();
        if self.looked_at.is_none_or(|looked_at| looked_at + self.options.0.recluster_interval <= now) {
            self.looked_at = Some(now);
            any |= self.recluster(store, now).await?;
        }
        Ok(any)
    }

    async fn recluster(&mut self, store: &Store, now: Timestamp) -> store::Result<bool> {
        let Some(mut clusterer) = self.clusterer.take() else { return Ok(false) };
        let (clusterer, regrouped) = store
            .read(move |db| {
                let regrouped = recluster(db, &mut clusterer, now)?;
                Ok((clusterer, regrouped))
            })
            .await?;
        self.clusterer = Some(clusterer);
        if regrouped.is_empty() {
            return Ok(false);
        }
        tracing::debug!(
            moved = regrouped.moved.len(),
            split = regrouped.founded.len(),
            "a second look changed stories"
        );
        let (decided, publishing) = (self.decided, self.options.1.clone());
        store
            .write(move |db| {
                constraints::expect_version(db, decided)?;
                let lead = |story: &Story| choose_lead(story, &publishing).map(|lead| lead.item.id);
                stories::apply_regrouping(db, &regrouped, now, &lead)
            })
            .await?;
        Ok(true)
    }
}

/// Places the next items. After a panic the clusterer is not given back, because it may be half changed.
fn place_batch(
    db: &ReadConnection,
    mut clusterer: Clusterer,
    now: Timestamp,
) -> store::Result<(Option<Clusterer>, Vec<StoryAssignment>)> {
    let mut placed = Vec::new();
    for item in items::unassigned(db, BATCH, now)? {
        let place = || minting(|failure| clusterer.assign(&item, |taken| mint(db, &item, taken, failure)));
        match catch_unwind(AssertUnwindSafe(place)) {
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

fn recluster(db: &ReadConnection, clusterer: &mut Clusterer, now: Timestamp) -> store::Result<StoryRegrouping> {
    minting(|failure| {
        clusterer.recluster(now, |founder, taken| match items::get(db, founder) {
            Ok(Some(item)) => mint(db, &item, taken, failure),
            Ok(None) => fail(failure, store::Error::Corrupt(format!("item {founder} is remembered and not stored"))),
            Err(error) => fail(failure, error),
        })
    })
}

/// Runs what mints ids; an error of the database on the way is the outcome, whatever came of the rest.
fn minting<T>(work: impl FnOnce(&mut Option<store::Error>) -> T) -> store::Result<T> {
    let mut failure = None;
    let done = work(&mut failure);
    failure.map_or(Ok(done), Err)
}

fn mint(
    db: &ReadConnection,
    founder: &Item,
    taken: &dyn Fn(StoryId) -> bool,
    failure: &mut Option<store::Error>,
) -> StoryId {
    stories::mint_id(db, founder, taken).unwrap_or_else(|error| fail(failure, error))
}

/// An id that is never used, because the failure goes before it.
fn fail(failure: &mut Option<store::Error>, error: store::Error) -> StoryId {
    *failure = Some(error);
    StoryId::from_row(0)
}

fn alone(db: &ReadConnection, item: &Item) -> store::Result<StoryAssignment> {
    let story = stories::mint_id(db, item, |_| false)?;
    let evidence = JoinEvidence::default();
    Ok(StoryAssignment { item: item.id, story, placement: StoryPlacement::Founded, copy_of: None, evidence })
}
