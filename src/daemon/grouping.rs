//! Assigns stored items to stories, in the order in which they were stored, and records the evidence.
//!
//! The task does not have its own queue: it queries the items without a story, so it resumes after a crash.

use super::database_watcher::NextRun;
use super::grouped_sources::GroupedSources;
use super::lock::DatabaseLock;
use super::storyline_grouping::StorylineSession;
use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::cluster::Clusterer;
use crate::config::Config;
use crate::domain::duration::after;
use crate::domain::{
    AssignedItem, Item, ItemId, JoinEvidence, StoryAssignment, StoryId, StoryPlacement, StoryRegrouping, Timestamp,
};
use crate::metrics::{METRICS, seconds_since};
use crate::publish::choose_lead;
use crate::store::grouping_progress::{self, GroupingInput};
use crate::store::{
    self, ReadConnection, Store, WriteConnection, article_queue, constraints, editions, items, revised_items, stories,
};
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// The maximum number of items assigned per transaction.
const BATCH: u32 = 500;
/// The maximum number of revised items that a reclustering pass reads again.
const MAX_REVISED_ITEMS: u32 = 5_000;
/// The minimum delay before a timed reclustering, regardless of `cluster.recluster_interval`.
const MIN_RECLUSTER_DELAY: SignedDuration = SignedDuration::from_secs(1);

pub(super) async fn run(mut context: TaskContext) {
    // Wait until a running command has finished grouping, because two programs could give the same ID to two stories.
    let lock = tokio::select! {
        _ = context.shutdown.cancelled() => return,
        lock = DatabaseLock::acquire_for_grouping(context.store().path()) => lock,
    };
    let _lock = match lock {
        Ok(lock) => lock,
        // The supervisor restarts the task.
        Err(error) => return tracing::error!(%error, "items cannot be grouped"),
    };
    let mut session = None;
    loop {
        let Some(result) = context.shutdown.run_until_cancelled(catch_up(&mut session, &context)).await else {
            // The store finishes a write whose future is dropped. The next session starts after it.
            let _ = context.store().write(|_| Ok(())).await;
            return;
        };
        let next = match result {
            Ok(next) => next.into(),
            Err(store::Error::Outdated) => {
                tracing::info!("the operator has changed the grouping; starting again from the database");
                session = None;
                continue;
            }
            Err(error) => {
                error.log("items could not be grouped; retrying");
                // The clusterer and the database may differ now. The database is authoritative.
                session = None;
                NextRun::Retry
            }
        };
        tokio::select! {
            _ = context.shutdown.cancelled() => return,
            _ = context.work.wait(next) => {}
        }
    }
}

/// Performs all grouping that is due. Returns when more work becomes due.
async fn catch_up(session: &mut Option<GroupingSession>, context: &TaskContext) -> store::Result<Option<Timestamp>> {
    let (store, clock) = (context.store(), context.clock());
    let session = match session {
        Some(session) => session,
        None => session.insert(GroupingSession::restore(store, &context.config, clock).await?),
    };
    let start = Instant::now();
    // If an item became assignable during the pass, the time at which it is due has already passed.
    let started_at = clock.now();
    session.catch_up(store, clock).await?;
    METRICS.grouping_duration.observe(seconds_since(start));
    context.health.record_progress("grouping", clock.now());
    let reclustered_at = session.reclustered_at;
    context.regrouped_at.send_if_modified(|at| std::mem::replace(at, reclustered_at) != reclustered_at);
    let next_recluster = after(reclustered_at, session.recluster_interval().max(MIN_RECLUSTER_DELAY));
    let next_item = store.read(move |db| article_queue::next_assignable_at(db, started_at)).await?;
    Ok(next_item.into_iter().chain([next_recluster]).min())
}

/// A clusterer and the state of the database that it reflects.
pub(super) struct GroupingSession {
    config: Arc<Config>,
    /// `None` after a panic, which may have left the clusterer in an inconsistent state.
    clusterer: Option<Clusterer>,
    /// `None` if a pass failed.
    storylines: Option<StorylineSession>,
    /// The version of the operator's constraints that the clusterer uses.
    constraints_version: i64,
    /// [`Timestamp::MIN`] at startup, so that reclustering is due immediately.
    reclustered_at: Timestamp,
    /// Whether items have been assigned since the last reclustering.
    has_new_items: bool,
    /// The input of the last pass; `None` if it failed for some items.
    grouped: Option<GroupingInput>,
}

/// Groups the items of the database once. Does nothing if nothing has changed since the last complete pass.
pub(super) async fn group_once(store: &Store, config: &Arc<Config>, clock: &Clock) -> store::Result<()> {
    let (settings, now) = (settings_of_passes(config), clock.now());
    if store.read(move |db| grouping_progress::is_complete(db, &settings, now)).await? {
        tracing::debug!("nothing has changed since the last grouping pass");
        return Ok(());
    }
    let mut session = GroupingSession::restore(store, config, clock).await?;
    session.catch_up(store, clock).await?;
    let GroupingSession { grouped: Some(input), reclustered_at, .. } = session else { return Ok(()) };
    store.write(move |db| grouping_progress::record(db, &input, reclustered_at)).await
}

/// Returns text that identifies the settings and the version of the program, which affect the result of a pass.
fn settings_of_passes(config: &Config) -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), config.fingerprint())
}

impl GroupingSession {
    /// Rebuilds the clusterer from the items in its window.
    pub(super) async fn restore(store: &Store, config: &Arc<Config>, clock: &Clock) -> store::Result<GroupingSession> {
        let (since, config) = (clock.now() - config.cluster.window, config.clone());
        let restore = move |db: &ReadConnection| {
            let mut grouped = GroupedSources::new(&config.cluster.tags);
            let assigned = grouped
                .retain(db, stories::assigned_between(db, since, Timestamp::MAX)?, |assigned| assigned.item.source)?;
            let mut clusterer = restored_clusterer(db, &config, &assigned)?;
            for constraint in constraints::active_since(db, since)? {
                clusterer.add_constraint(&constraint);
            }
            let constraints_version = constraints::version(db)?;
            tracing::debug!(items = clusterer.active_items(), "restored the clusterer");
            let clusterer = Some(clusterer);
            Ok(GroupingSession {
                config,
                clusterer,
                storylines: None,
                constraints_version,
                reclustered_at: Timestamp::MIN,
                has_new_items: false,
                grouped: None,
            })
        };
        store.read(restore).await
    }

    /// Assigns all items without a story and reclusters if that is due.
    ///
    /// # Errors
    /// Returns [`store::Error::Outdated`] if the operator has changed the constraints since the session was restored.
    pub(super) async fn catch_up(&mut self, store: &Store, clock: &Clock) -> store::Result<()> {
        if store.read(constraints::version).await? != self.constraints_version {
            return Err(store::Error::Outdated);
        }
        while self.assign_batch(store, clock).await? {
            self.has_new_items = true;
        }
        let now = clock.now();
        if after(self.reclustered_at, self.recluster_interval()) <= now {
            self.reclustered_at = now;
            self.has_new_items = false;
            let settings = settings_of_passes(&self.config);
            let input = store.read(move |db| grouping_progress::input(db, &settings)).await?;
            self.recluster(store, now).await?;
            self.regroup_storylines(store, now).await?;
            let is_complete =
                self.clusterer.is_some() && self.storylines.as_ref().is_some_and(StorylineSession::is_complete);
            self.grouped = is_complete.then_some(input);
        }
        Ok(())
    }

    /// Groups stories into storylines. A failure leaves the storylines as they are, and does not affect the assignment
    /// of items.
    async fn regroup_storylines(&mut self, store: &Store, now: Timestamp) -> store::Result<()> {
        let storylines = self.storylines.take().unwrap_or_else(StorylineSession::new);
        match storylines.regroup(store, &self.config.cluster, self.constraints_version, now).await {
            Ok(session) => self.storylines = Some(session),
            Err(store::Error::Outdated) => return Err(store::Error::Outdated),
            Err(error) => error.log("stories could not be grouped into storylines; the next pass retries"),
        }
        Ok(())
    }

    /// Returns the time between reclustering passes. A story is published only after a pass over its first items. If
    /// there are new items, a pass is therefore due before their publishing delay ends.
    fn recluster_interval(&self) -> SignedDuration {
        let interval = self.config.cluster.recluster_interval;
        if self.has_new_items { interval.min(self.config.publish.delay) } else { interval }
    }

    /// Assigns the next items. Returns whether any items were waiting.
    async fn assign_batch(&mut self, store: &Store, clock: &Clock) -> store::Result<bool> {
        let Some(clusterer) = self.clusterer.take() else {
            *self = GroupingSession::restore(store, &self.config, clock).await?;
            return Ok(true);
        };
        let (now, config) = (clock.now(), self.config.clone());
        let assign = move |db: &ReadConnection| assign_batch(db, clusterer, &config.cluster.tags, now);
        let (clusterer, assignments) = store.read(assign).await?;
        self.clusterer = clusterer;
        if assignments.is_empty() {
            return Ok(false);
        }
        let joined = assignments.iter().filter(|assignment| assignment.placement == StoryPlacement::Joined);
        joined.for_each(|assignment| METRICS.join_score.observe(assignment.evidence.score.into()));
        let (version, now) = (self.constraints_version, clock.now());
        let assign = move |db: &WriteConnection| {
            constraints::expect_version(db, version)?;
            stories::assign_items(db, &assignments, now)
        };
        store.write(assign).await?;
        Ok(true)
    }

    async fn recluster(&mut self, store: &Store, now: Timestamp) -> store::Result<()> {
        let Some(mut clusterer) = self.clusterer.take() else { return Ok(()) };
        let (clusterer, revised, regrouping) = store
            .read(move |db| {
                let revised = revised_items::get(db, MAX_REVISED_ITEMS)?;
                let revise = || revised.items.iter().for_each(|item| clusterer.revise(item));
                if catch_unwind(AssertUnwindSafe(revise)).is_err() {
                    tracing::error!("a panic while reading revised items; starting again from the database");
                    return Ok((None, revised, StoryRegrouping::default()));
                }
                let mint = |first_item, is_known: &dyn Fn(StoryId) -> bool| mint_id(db, first_item, is_known);
                let regrouping = clusterer.recluster(now, mint, |story| editions::published_story(db, story))?;
                Ok((Some(clusterer), revised, regrouping))
            })
            .await?;
        self.clusterer = clusterer;
        if let Some(storylines) = &mut self.storylines {
            storylines.forget(revised.items.iter().map(|item| item.id));
        }
        if regrouping.is_empty() && revised.items.is_empty() {
            return Ok(());
        }
        let (moved, split) = (regrouping.moved.len(), regrouping.created.len());
        tracing::debug!(moved, split, "stories changed by reclustering");
        let (version, config) = (self.constraints_version, self.config.clone());
        let apply = move |db: &WriteConnection| {
            constraints::expect_version(db, version)?;
            revised_items::remove(db, &revised)?;
            for story in stories::apply_regrouping(db, &regrouping, now)? {
                if let Some(lead) = choose_lead(&story, &config.publish) {
                    stories::set_lead(db, story.id, lead.item.id)?;
                }
            }
            Ok(())
        };
        store.write(apply).await
    }
}

/// Returns a clusterer that contains these items. Omits each item that makes it panic, so that the other items are
/// grouped.
fn restored_clusterer(db: &ReadConnection, config: &Config, items: &[AssignedItem]) -> store::Result<Clusterer> {
    let mut omitted: BTreeSet<ItemId> = BTreeSet::new();
    'restart: loop {
        let mut clusterer = Clusterer::new(config.cluster.clone());
        for assigned in items.iter().filter(|assigned| !omitted.contains(&assigned.item.id)) {
            db.expect_needed()?;
            let restore = || clusterer.restore(&assigned.item, assigned.story);
            if catch_unwind(AssertUnwindSafe(restore)).is_err() {
                tracing::error!(item = %assigned.item.id, "grouping this item panicked; the item stays in its story");
                omitted.insert(assigned.item.id);
                continue 'restart;
            }
        }
        return Ok(clusterer);
    }
}

/// Assigns the next items. Does not return the clusterer after a panic, because its state may be inconsistent.
fn assign_batch(
    db: &ReadConnection,
    mut clusterer: Clusterer,
    grouped_tags: &[String],
    now: Timestamp,
) -> store::Result<(Option<Clusterer>, Vec<StoryAssignment>)> {
    let mut assignments = Vec::new();
    let mut grouped = GroupedSources::new(grouped_tags);
    for item in items::unassigned(db, BATCH, now)? {
        db.expect_needed()?;
        if !grouped.contains(db, item.source)? {
            assignments.push(separate_story(db, &item)?);
            continue;
        }
        let assign = || clusterer.assign(&item, |is_known| stories::mint_id(db, &item, is_known));
        match catch_unwind(AssertUnwindSafe(assign)) {
            Ok(assignment) => assignments.push(assignment?),
            Err(_) => {
                tracing::error!(item = %item.id, "grouping this item panicked; the item gets its own story");
                assignments.push(separate_story(db, &item)?);
                return Ok((None, assignments));
            }
        }
    }
    Ok((Some(clusterer), assignments))
}

/// Returns the assignment of an item to a new story, without comparing it with other items.
fn separate_story(db: &ReadConnection, item: &Item) -> store::Result<StoryAssignment> {
    let story = stories::mint_id(db, item, |_| false)?;
    let (placement, evidence) = (StoryPlacement::Created, JoinEvidence::default());
    Ok(StoryAssignment { item: item.id, story, placement, copy_of: None, evidence })
}

/// Generates the ID of a story that splits off.
fn mint_id(db: &ReadConnection, first_item: ItemId, is_known: impl Fn(StoryId) -> bool) -> store::Result<StoryId> {
    let missing = || store::Error::Corrupt(format!("item {first_item} is in the window but not in the database"));
    stories::mint_id(db, &items::get(db, first_item)?.ok_or_else(missing)?, is_known)
}
