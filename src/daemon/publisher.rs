//! Publishes stories after the publishing delay and writes new editions of published stories. [`crate::publish`] makes
//! the decisions, and the database stores the results.

use super::database_watcher::NextRun;
use super::feed_entering::{EditionsOnEntering, EnteringTime, enqueue_storyline, entered_variants, related_stories};
use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::domain::duration::{after, before};
use crate::domain::{Edition, EditionReason, EntryVariants, FeedVariant, PublishedFeed, Story, StoryId, Timestamp};
use crate::publish::{
    EditionReview, EditionStep, FoldingPolicy, Options, StoryFacts, compose_edition, first_publication, next_edition,
};
use crate::store::feed_entries::{MembershipPlan, NewEntry};
use crate::store::review_queue::{self, StoryReview};
use crate::store::{
    self, ReadConnection, Store, WriteConnection, editions, feed_entries, feed_tokens, publication, stories,
    storyline_membership,
};
use crate::websub::secrets;
use anyhow::Context;
use jiff::SignedDuration;
use std::sync::Arc;

/// The maximum number of stories per transaction.
const BATCH: u32 = 500;
/// The delay before rechecking stories whose sources are all on probation.
const PROBATION_RECHECK_DELAY: SignedDuration = SignedDuration::from_mins(1);

pub(super) async fn run(mut context: TaskContext) {
    let publisher = EditionPublisher::new(&context.config.publish);
    let mut regrouped = context.regrouped_at.subscribe();
    loop {
        let regrouped_at = *regrouped.borrow_and_update();
        let next = match publisher.publish(context.store(), context.clock(), regrouped_at).await {
            Ok(next) => {
                context.health.record_progress("publisher", context.clock().now());
                next.into()
            }
            Err(error) => {
                error.log("stories could not be published; retrying");
                NextRun::Retry
            }
        };
        tokio::select! {
            _ = context.shutdown.cancelled() => return,
            Ok(()) = regrouped.changed() => {}
            _ = context.work.wait(next) => {}
        }
    }
}

/// Writes the editions and feed entries that are due, so that nothing outdated is served after startup.
pub(super) async fn catch_up_editions(context: &TaskContext) -> store::Result<()> {
    EditionPublisher::new(&context.config.publish).catch_up(context.store(), context.clock().now()).await
}

/// Generates a new token for a private feed, which replaces the old one.
pub async fn rotate_feed_token(store: &Store, feed: &PublishedFeed, clock: &Clock) -> anyhow::Result<String> {
    let (name, now) = (feed.name.clone(), clock.now());
    let token =
        secrets::generate().context("the operating system returned no random bytes for a token; try again later")?;
    let new = token.clone();
    store.write(move |db| feed_tokens::replace(db, &name, &new, now)).await?;
    Ok(token)
}

/// Publishes stories according to a configuration.
#[derive(Clone)]
pub(super) struct EditionPublisher {
    options: Arc<Options>,
    feeds: Arc<Vec<PublishedFeed>>,
    folding: Arc<FoldingPolicy>,
}

impl EditionPublisher {
    pub(super) fn new(options: &Options) -> EditionPublisher {
        EditionPublisher {
            options: Arc::new(options.clone()),
            feeds: Arc::new(options.published_feeds()),
            folding: Arc::new(FoldingPolicy::new(options)),
        }
    }

    /// Publishes all due stories that were created no later than `regrouped_at`, and writes the editions that are due.
    /// Returns when more work becomes due.
    pub(super) async fn publish(
        &self,
        store: &Store,
        clock: &Clock,
        regrouped_at: Timestamp,
    ) -> store::Result<Option<Timestamp>> {
        // One time for all steps: work that becomes due between two of them would be neither done nor waited for.
        let now = clock.now();
        self.catch_up(store, now).await?;
        let in_probation = self.publish_new_stories(store, now, regrouped_at).await?;
        let recheck_at = in_probation.then(|| after(now, PROBATION_RECHECK_DELAY));
        let delay = self.options.delay;
        let next = move |db: &ReadConnection| {
            let story_at = stories::first_unpublished_after(db, before(now, delay))?.map(|at| after(at, delay));
            Ok([story_at, review_queue::next_review_at(db, now)?, recheck_at].into_iter().flatten().min())
        };
        store.read(next).await
    }

    /// Editions come before selections, because a story without an edition cannot enter a feed.
    async fn catch_up(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        self.create_feed_tokens(store, now).await?;
        self.write_due_editions(store, now).await?;
        self.apply_feed_selections(store, now).await
    }

    /// Returns whether unpublished stories remain because all their sources are on probation.
    async fn publish_new_stories(&self, store: &Store, now: Timestamp, regrouped_at: Timestamp) -> store::Result<bool> {
        let created_until = before(now, self.options.delay).min(regrouped_at);
        let (mut after, mut in_probation) = (None, false);
        loop {
            let mut due = store.read(move |db| stories::unpublished(db, created_until, after, BATCH)).await?;
            let Some(last) = due.last() else { return Ok(in_probation) };
            after = Some((last.created_at, last.id));
            let count = due.len();
            due.retain(|story| first_publication(story, now, &self.options).is_some());
            in_probation |= due.len() < count;
            if !due.is_empty() {
                let this = self.clone();
                store.write(move |db| this.write_first_editions(db, &due, now)).await?;
            }
        }
    }

    fn write_first_editions(&self, db: &WriteConnection, due: &[Story], now: Timestamp) -> store::Result<()> {
        let mut published: Vec<&Story> = Vec::new();
        for story in due {
            let Some((lead, published_at)) = first_publication(story, now, &self.options) else { continue };
            // Grouping may have moved the story to another storyline since the story was read. In that case, it is
            // published later.
            if storyline_membership::storyline_of(db, story.id)? != Some(story.storyline) {
                continue;
            }
            if stories::publish(db, story.id, lead.item.id, published_at)? {
                let related = related_stories(db, story, now, &self.folding)?;
                let text = compose_edition(story, lead, None, related, &self.options);
                editions::add(db, story, EditionReason::First, &text, now)?;
                published.push(story);
                enqueue_storyline(db, story)?;
            }
        }
        for (feed, story) in self.find_entering(db, &published)? {
            if let Some(variants) = entered_variants(db, feed, story, now, &self.folding)? {
                let entry = NewEntry { feed: &feed.name, story: story.id, variants, edition: 1 };
                feed_entries::add(db, entry, now)?;
            }
        }
        if published.is_empty() { Ok(()) } else { publication::touch(db) }
    }

    async fn write_due_editions(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        loop {
            let (options, folding) = (self.options.clone(), self.folding.clone());
            let review = move |db: &ReadConnection| {
                let due = review_queue::due_reviews(db, now, BATCH)?.into_iter();
                let step = |due: &StoryReview| {
                    let developments = related_stories(db, &due.story, now, &folding)?;
                    let StoryReview { story, edition_times: times, latest, .. } = due;
                    let review = EditionReview { story, times: *times, latest: latest.as_ref(), developments };
                    store::Result::Ok(next_edition(review, now, &options))
                };
                due.map(|due| Ok((step(&due)?, due))).collect::<store::Result<Vec<_>>>()
            };
            let reviewed = store.read(review).await?;
            if reviewed.is_empty() {
                return Ok(());
            }
            let this = self.clone();
            store.write(move |db| this.write_editions(db, reviewed, now)).await?;
        }
    }

    fn write_editions(
        &self,
        db: &WriteConnection,
        reviewed: Vec<(EditionStep, StoryReview)>,
        now: Timestamp,
    ) -> store::Result<()> {
        let mut changed = false;
        let mut current = Vec::new();
        for (step, StoryReview { story, generation, mut latest, .. }) in reviewed {
            // A story that has changed since the review remains in the queue.
            if !review_queue::is_current_generation(db, story.id, generation)? {
                continue;
            }
            let mut next = None;
            match step {
                EditionStep::Write(reason, text) => {
                    // The first edition of a published story has the date of the story's last change.
                    let at = if reason == EditionReason::First { story.updated_at.min(now) } else { now };
                    editions::add(db, &story, reason, &text, at)?;
                    latest = editions::latest(db, story.id)?;
                    changed = true;
                }
                EditionStep::WaitUntil(until) => next = Some(until),
                EditionStep::Unchanged => {}
            }
            review_queue::finish_review(db, story.id, generation, next)?;
            current.extend(latest.map(|latest| (story, latest)));
        }
        changed |= self.add_feed_entries(db, &current, now)?;
        if changed { publication::touch(db) } else { Ok(()) }
    }

    /// Adds stories with their latest editions to the feeds that they now match. Feeds that a story enters at the same
    /// time share one edition. Returns whether any entry was added.
    fn add_feed_entries(
        &self,
        db: &WriteConnection,
        stories: &[(Story, Edition)],
        now: Timestamp,
    ) -> store::Result<bool> {
        let current: Vec<&Story> = stories.iter().map(|(story, _)| story).collect();
        let mut entered = EditionsOnEntering::default();
        for (feed, story) in self.find_entering(db, &current)? {
            let Some((_, latest)) = stories.iter().find(|(other, _)| other.id == story.id) else { continue };
            let Some(variants) = entered_variants(db, feed, story, now, &self.folding)? else { continue };
            let edition = entered.number(db, story, latest, EnteringTime { at: now, options: &self.options })?;
            let entry = NewEntry { feed: &feed.name, story: story.id, variants, edition };
            feed_entries::add(db, entry, now)?;
        }
        for (story, _) in stories.iter().filter(|(story, _)| entered.contains(story.id)) {
            enqueue_storyline(db, story)?;
        }
        Ok(!entered.is_empty())
    }

    /// Returns pairs of a feed and a story that may enter it now. For each feed, the newest story is last. There may be a
    /// thousand feeds, so most of them are excluded without a query.
    fn find_entering<'s>(
        &self,
        db: &ReadConnection,
        stories: &[&'s Story],
    ) -> store::Result<Vec<(&PublishedFeed, &'s Story)>> {
        let facts: Vec<(StoryId, StoryFacts)> =
            stories.iter().map(|story| (story.id, StoryFacts::new(story))).collect();
        let mut entering = Vec::new();
        for feed in self.feeds.iter() {
            let may_match = |(id, facts): &(StoryId, StoryFacts)| facts.may_match(&feed.selection).then_some(*id);
            let candidates: Vec<StoryId> = facts.iter().filter_map(may_match).collect();
            for id in feed_entries::find_entering(db, feed, &candidates)?.into_iter().rev() {
                entering.extend(stories.iter().find(|story| story.id == id).map(|story| (feed, *story)));
            }
        }
        Ok(entering)
    }

    /// Rebuilds the entries of feeds whose selection changed, either in the configuration or through tags of sources.
    async fn apply_feed_selections(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        let feeds = self.feeds.clone();
        if store.read(move |db| feed_entries::are_current(db, &feeds)).await? {
            return Ok(());
        }
        let feeds = self.feeds.clone();
        let plans = store.read(move |db| feed_entries::plan_memberships(db, &feeds)).await?;
        let mut entered = EditionsOnEntering::default();
        for plan in plans {
            // With one transaction per feed, a thousand new feeds do not keep other writers waiting for minutes.
            let this = self.clone();
            entered = store.write(move |db| this.apply_plan(db, &plan, entered, now)).await?;
        }
        let feeds = self.feeds.clone();
        let delete_others = move |db: &WriteConnection| {
            feed_entries::delete_other_feeds(db, &feeds)?;
            publication::touch(db)
        };
        store.write(delete_others).await
    }

    /// Fills a feed that is new or has a changed selection. A story enters with an edition that contains all its
    /// reports, because its latest edition may lack the reports for which the feed selects it. Returns `entered` with
    /// the new editions, which the feeds share.
    fn apply_plan(
        &self,
        db: &WriteConnection,
        plan: &MembershipPlan,
        mut entered: EditionsOnEntering,
        now: Timestamp,
    ) -> store::Result<EditionsOnEntering> {
        let deleted = feed_entries::delete_unfit(db, plan)?;
        for id in &plan.matching {
            let mut variants: Vec<EntryVariants> =
                deleted.iter().filter(|(story, _)| story == id).map(|(_, variants)| *variants).collect();
            if variants.is_empty() && feed_entries::membership(db, &plan.feed.name, *id, FeedVariant::Live)?.is_some() {
                continue;
            }
            let (Some(story), Some(latest)) = (stories::get(db, *id)?, editions::latest(db, *id)?) else {
                continue;
            };
            if variants.is_empty() {
                variants.extend(entered_variants(db, &plan.feed, &story, now, &self.folding)?);
            }
            if variants.is_empty() {
                continue;
            }
            // The edition has the date of the last change.
            let at = story.updated_at.max(latest.made_at).min(now);
            let edition = entered.number(db, &story, &latest, EnteringTime { at, options: &self.options })?;
            for variants in variants {
                let entry = NewEntry { feed: &plan.feed.name, story: *id, variants, edition };
                feed_entries::add(db, entry, now)?;
            }
            enqueue_storyline(db, &story)?;
        }
        feed_entries::record_selection(db, &plan.feed, now)?;
        publication::touch(db)?;
        Ok(entered)
    }

    /// Without a token, readers could not open a private feed.
    async fn create_feed_tokens(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        for feed in self.feeds.iter().filter(|feed| feed.private) {
            let name = feed.name.clone();
            if store.read(move |db| feed_tokens::find(db, &name)).await?.is_none() {
                let name = feed.name.clone();
                let Some(token) = secrets::generate() else { continue };
                store.write(move |db| feed_tokens::create_if_missing(db, &name, &token, now)).await?;
            }
        }
        Ok(())
    }
}
