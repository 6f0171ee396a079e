//! Publishes stories after the publishing delay and writes new editions of published stories. [`crate::publish`] makes
//! the decisions, and the database stores the results.

use super::database_watcher::NextRun;
use super::edition_review::{EditionRules, ReviewedStory};
use super::entry_editions::EnteringEditions;
use super::feed_entering::{EnteringCandidate, EnteringRules, EnteringStories, EntriesByStoryline, related_stories};
use super::feed_filling::FeedFiller;
use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::domain::duration::{after, before};
use crate::domain::{EditionReason, EditionText, PublishedFeed, Story, StoryId, StorylineId, Timestamp};
use crate::publish::{EditionStep, Options, PublicationCutoff, compose_edition, first_publication};
use crate::store::editions::NewEdition;
use crate::store::feed_entries::NewEntry;
use crate::store::review_queue::{self, StoryReview};
use crate::store::{
    self, ReadConnection, Store, WriteConnection, editions, feed_entries, feed_tokens, publication, stories,
    storyline_membership,
};
use crate::websub::secrets;
use anyhow::Context;
use jiff::SignedDuration;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The approximate maximum number of entries that a transaction adds. It determines the number of stories per
/// transaction, within the two bounds below.
const MAX_ENTRIES: u32 = 200_000;
const MIN_BATCH: u32 = 50;
const MAX_BATCH: u32 = 500;
/// The maximum time for filling feeds before the server accepts connections, and before other work continues.
const STARTUP_FILL_TIME: Duration = Duration::from_secs(1);
const FILL_TIME: Duration = Duration::from_millis(500);
/// The delay before stories whose sources are all on probation are checked again.
const PROBATION_RECHECK_DELAY: SignedDuration = SignedDuration::from_mins(1);

pub(super) async fn run(mut context: TaskContext) {
    let publisher = EditionPublisher::new(&context.config.publish);
    let mut regrouped = context.regrouped_at.subscribe();
    loop {
        let regrouped_at = *regrouped.borrow_and_update();
        let publishing = publisher.publish(context.store(), context.clock(), regrouped_at);
        let Some(published) = context.shutdown.run_until_cancelled(publishing).await else {
            // The store finishes a write whose future is dropped. The publisher of a new configuration starts after
            // this write.
            let _ = context.store().write(|_| Ok(())).await;
            return;
        };
        let next = match published {
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
    let publisher = EditionPublisher::new(&context.config.publish);
    let catch_up = publisher.catch_up(context.store(), context.clock(), STARTUP_FILL_TIME);
    context.shutdown.run_until_cancelled(catch_up).await.unwrap_or(Ok(true)).map(|_| ())
}

/// Generates a new token for a private feed, which replaces the old token.
pub async fn rotate_feed_token(store: &Store, feed: &PublishedFeed, clock: &Clock) -> anyhow::Result<String> {
    let (name, now) = (feed.name.clone(), clock.now());
    let token =
        secrets::generate().context("the operating system returned no random bytes for a token; try again later")?;
    let new = token.clone();
    store.write(move |db| feed_tokens::replace(db, &name, &new, now)).await?;
    Ok(token)
}

/// The publisher of stories, for one configuration.
#[derive(Clone)]
pub(super) struct EditionPublisher {
    options: Arc<Options>,
    rules: Arc<EnteringRules>,
    filler: Arc<FeedFiller>,
}

/// A story that is published for the first time.
struct FirstEdition {
    /// The story, with the lead of the edition.
    story: Story,
    published_at: Timestamp,
    text: EditionText,
}

/// Stories that are published for the first time, and the feeds that they enter.
struct FirstEditions {
    editions: Vec<FirstEdition>,
    entering: Vec<EnteringStories>,
}

/// Published stories with the decisions on their editions, and the feeds that they enter.
struct ReviewedStories {
    stories: Vec<ReviewedStory>,
    entering: Vec<EnteringStories>,
}

impl EditionPublisher {
    pub(super) fn new(options: &Options) -> EditionPublisher {
        let (options, rules) = (Arc::new(options.clone()), Arc::new(EnteringRules::new(options)));
        EditionPublisher { filler: Arc::new(FeedFiller::new(rules.clone(), options.clone())), options, rules }
    }

    /// Publishes all due stories that were created before or at `regrouped_at`, and writes the editions that are due.
    /// Fills new feeds for a limited time. Returns when more work becomes due.
    pub(super) async fn publish(
        &self,
        store: &Store,
        clock: &Clock,
        regrouped_at: Timestamp,
    ) -> store::Result<Option<Timestamp>> {
        // All steps use the same time. Otherwise, work that becomes due between two steps would be neither done nor
        // scheduled.
        let now = clock.now();
        let is_filled = self.catch_up(store, clock, FILL_TIME).await?;
        let in_probation = self.publish_new_stories(store, now, regrouped_at).await?;
        let recheck_at = in_probation.then(|| after(now, PROBATION_RECHECK_DELAY));
        let delay = self.options.delay;
        if !is_filled {
            return Ok(Some(now));
        }
        let next = move |db: &ReadConnection| {
            let story_at = stories::first_unpublished_after(db, before(now, delay))?.map(|at| after(at, delay));
            Ok([story_at, review_queue::next_review_at(db, now)?, recheck_at].into_iter().flatten().min())
        };
        store.read(next).await
    }

    /// Fills all new feeds and publishes all due stories.
    pub(super) async fn publish_all(&self, store: &Store, clock: &Clock, regrouped_at: Timestamp) -> store::Result<()> {
        while !self.catch_up(store, clock, FILL_TIME).await? {}
        self.publish(store, clock, regrouped_at).await.map(|_| ())
    }

    /// Writes the editions that are due, and then fills feeds. Editions come first, because a story without an edition
    /// cannot enter a feed.
    async fn catch_up(&self, store: &Store, clock: &Clock, fill_time: Duration) -> store::Result<bool> {
        let now = clock.now();
        self.create_feed_tokens(store, now).await?;
        self.write_due_editions(store, now).await?;
        self.filler.fill(store, now, fill_time).await
    }

    /// Returns whether unpublished stories remain because all their sources are on probation.
    async fn publish_new_stories(&self, store: &Store, now: Timestamp, regrouped_at: Timestamp) -> store::Result<bool> {
        let cutoff = PublicationCutoff::at(now, &self.options);
        let cutoff = PublicationCutoff {
            created_until: cutoff.created_until.min(regrouped_at),
            with_storyline_until: cutoff.with_storyline_until.min(regrouped_at),
        };
        let (mut after, mut in_probation) = (None, false);
        loop {
            let this = self.clone();
            let read = move |db: &ReadConnection| {
                // Half of a batch is for the other stories of the storylines.
                let limit = this.batch() / 2;
                let mut due = stories::unpublished(db, cutoff.created_until, after, limit)?;
                let last = due.last().map(|story| (story.created_at, story.id));
                if let Some(last) = last {
                    let storylines: BTreeSet<StorylineId> = due.iter().map(|story| story.storyline).collect();
                    let created = (last, cutoff.with_storyline_until);
                    due.extend(stories::unpublished_in_storylines(db, storylines, created, limit)?);
                }
                Ok((last, due.len(), this.compose_first_editions(db, due, now)?))
            };
            let (last, count, first) = store.read(read).await?;
            if last.is_none() {
                return Ok(in_probation);
            }
            after = last;
            in_probation |= first.editions.len() < count;
            if !first.editions.is_empty() {
                let this = self.clone();
                store.write(move |db| this.write_first_editions(db, first, now)).await?;
            }
        }
    }

    /// Composes the first editions of the stories that are due for publication.
    fn compose_first_editions(
        &self,
        db: &ReadConnection,
        due: Vec<Story>,
        now: Timestamp,
    ) -> store::Result<FirstEditions> {
        let mut published = Vec::with_capacity(due.len());
        for mut story in due {
            let Some((lead, published_at)) = first_publication(&story, now, &self.options) else { continue };
            story.lead = lead.item.id;
            published.push((story, published_at));
        }
        let candidates: Vec<EnteringCandidate<'_>> = published
            .iter()
            .map(|(story, published_at)| EnteringCandidate {
                story,
                published_at: *published_at,
                first_edition_at: now,
            })
            .collect();
        let mut storylines = EntriesByStoryline::default();
        let entering = self.rules.decide(db, &candidates, &mut storylines, now)?;
        storylines.add(&self.rules, &candidates, &entering);
        let mut texts = Vec::with_capacity(published.len());
        for (story, _) in &published {
            let Some(lead) = story.lead() else { continue };
            let of_lead = (story, lead.item.lang.as_deref());
            let related = related_stories(db, of_lead, now, &self.rules.folding, &mut storylines)?;
            texts.push(compose_edition(story, lead, None, related));
        }
        let editions = published.into_iter().zip(texts);
        let editions = editions.map(|((story, published_at), text)| FirstEdition { story, published_at, text });
        Ok(FirstEditions { editions: editions.collect(), entering })
    }

    fn write_first_editions(&self, db: &WriteConnection, first: FirstEditions, now: Timestamp) -> store::Result<()> {
        // Grouping may have moved a story to another storyline, or merged it, since the story was read. In that case, the
        // stories of both storylines are published later, because their editions would list the wrong stories.
        let mut moved: BTreeSet<StorylineId> = BTreeSet::new();
        for FirstEdition { story, .. } in &first.editions {
            let storyline = stories::storyline_of_unpublished(db, story.id)?;
            if storyline != Some(story.storyline) {
                moved.extend([story.storyline].into_iter().chain(storyline));
            }
        }
        let (mut published, mut storylines) = (HashMap::new(), BTreeSet::new());
        for FirstEdition { story, published_at, text } in first.editions {
            if !moved.contains(&story.storyline) && stories::publish(db, story.id, story.lead, published_at)? {
                let edition = NewEdition { reason: EditionReason::First, for_language: None, text: &text };
                let number = editions::add(db, &story, edition, now)?;
                storylines.insert(story.storyline);
                published.insert(story.id, EnteringEditions::of_new_story(story, number, text, now));
            }
        }
        storylines.iter().try_for_each(|storyline| storyline_membership::enqueue_entries(db, *storyline))?;
        self.add_feed_entries(db, &first.entering, &mut published, now)?;
        if published.is_empty() { Ok(()) } else { publication::touch(db) }
    }

    async fn write_due_editions(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        loop {
            let this = self.clone();
            let reviewed = store.read(move |db| this.review_due_stories(db, now)).await?;
            if reviewed.stories.is_empty() {
                return Ok(());
            }
            let this = self.clone();
            store.write(move |db| this.write_editions(db, reviewed, now)).await?;
        }
    }

    fn review_due_stories(&self, db: &ReadConnection, now: Timestamp) -> store::Result<ReviewedStories> {
        let rules = EditionRules { folding: &self.rules.folding, options: &self.options, now };
        let mut storylines = EntriesByStoryline::default();
        let mut stories = Vec::new();
        for due in review_queue::due_reviews(db, now, self.batch())? {
            stories.push(rules.review(db, due, &mut storylines)?);
        }
        let candidate = |ReviewedStory { step, due, .. }: &'_ ReviewedStory| {
            let has_edition = due.latest.is_some() || matches!(step, EditionStep::Write(..));
            let published_at = due.story.published_at.filter(|_| has_edition)?;
            Some((published_at, due.edition_times.map_or(now, |times| times.first)))
        };
        let candidates: Vec<EnteringCandidate<'_>> = stories
            .iter()
            .filter_map(|reviewed| {
                let (published_at, first_edition_at) = candidate(reviewed)?;
                Some(EnteringCandidate { story: &reviewed.due.story, published_at, first_edition_at })
            })
            .collect();
        let entering = self.rules.decide(db, &candidates, &mut storylines, now)?;
        Ok(ReviewedStories { stories, entering })
    }

    fn write_editions(&self, db: &WriteConnection, reviewed: ReviewedStories, now: Timestamp) -> store::Result<()> {
        // A story that has changed since the review remains in the queue. The other stories of its storyline also
        // remain in the queue, because the entries of the storyline determine whether they enter a feed.
        let mut outdated: BTreeSet<StorylineId> = BTreeSet::new();
        for ReviewedStory { due: StoryReview { story, generation, .. }, .. } in &reviewed.stories {
            if !review_queue::is_current_generation(db, story.id, *generation)? {
                outdated.insert(story.storyline);
            }
        }
        let entering: BTreeSet<StoryId> =
            reviewed.entering.iter().flat_map(|feed| feed.stories.iter().map(|(story, _)| *story)).collect();
        let mut changed = false;
        let (mut entered, mut storylines) = (HashMap::new(), BTreeSet::new());
        for reviewed in reviewed.stories {
            if outdated.contains(&reviewed.due.story.storyline) {
                continue;
            }
            let written = reviewed.write(db, now)?;
            changed |= written.any;
            let StoryReview { story, generation, mut latest, .. } = reviewed.due;
            review_queue::finish_review(db, story.id, generation, written.next_review)?;
            if written.of_story {
                latest = editions::latest(db, story.id)?;
            }
            if let Some(latest) = latest.filter(|_| entering.contains(&story.id)) {
                storylines.insert(story.storyline);
                entered.insert(story.id, EnteringEditions::new(story, latest, now, &self.options));
            }
        }
        changed |= !entered.is_empty();
        self.add_feed_entries(db, &reviewed.entering, &mut entered, now)?;
        storylines.iter().try_for_each(|storyline| storyline_membership::enqueue_entries(db, *storyline))?;
        if changed { publication::touch(db) } else { Ok(()) }
    }

    /// Adds stories with their editions to feeds. Omits stories without editions.
    fn add_feed_entries(
        &self,
        db: &WriteConnection,
        entering: &[EnteringStories],
        editions: &mut HashMap<StoryId, EnteringEditions>,
        now: Timestamp,
    ) -> store::Result<()> {
        for EnteringStories { feed, stories } in entering {
            let feed = &self.rules.feeds[*feed].feed;
            let mut entries = Vec::with_capacity(stories.len());
            for &(story, variants) in stories {
                let Some(editions) = editions.get_mut(&story) else { continue };
                entries.push(NewEntry { story, variants, edition: editions.number(db, feed, &self.options, now)? });
            }
            feed_entries::add(db, &feed.name, &entries, now)?;
        }
        Ok(())
    }

    /// Returns the maximum number of stories per transaction. If there are many feeds, each story may enter many feeds.
    fn batch(&self) -> u32 {
        (MAX_ENTRIES / self.rules.feeds.len().max(1) as u32).clamp(MIN_BATCH, MAX_BATCH)
    }

    /// Creates the tokens of private feeds. Without a token, readers could not open a private feed.
    async fn create_feed_tokens(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        for feed in self.rules.feeds.iter().map(|feed| &feed.feed).filter(|feed| feed.private) {
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
