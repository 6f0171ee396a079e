//! Fills the feeds that are new or have a changed selection, one after the other, while the daemon runs. All entries of
//! a feed appear in one transaction, so that a feed is either unchanged or complete. The same transaction records the
//! selection, so that a restart continues with the feeds that are not filled yet.

use super::entry_editions::{EnteringEditions, EntryLanguage};
use super::feed_entering::{EnteringRules, EntriesByStoryline, Similarities};
use crate::domain::{EntryVariants, PublishedFeed, StoryId, StorylineEntry, Timestamp};
use crate::publish::{EnteredFeed, EnteringStory, Options};
use crate::store::feed_entries::NewEntry;
use crate::store::feed_selections::{EntriesState, MembershipPlan, SelectedFeed, StoryState};
use crate::store::{
    self, ReadConnection, Store, WriteConnection, editions, feed_entries, feed_selections, publication, stories,
    storyline_membership,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The maximum number of stories that are read at a time.
const CHUNK: usize = 200;
/// The maximum number of storylines whose entries are enqueued for review in one transaction.
const MAX_ENQUEUED: u32 = 1000;
/// The interval between reports of the progress in the log.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// The filler of feeds. It keeps the data that it has read about stories for the next feeds.
pub(super) struct FeedFiller {
    rules: Arc<EnteringRules>,
    options: Arc<Options>,
    session: Arc<Mutex<Session>>,
}

/// The data that feeds share if they are filled one after the other.
#[derive(Default)]
struct Session {
    stories: HashMap<StoryId, KnownStory>,
    similarities: Similarities,
    reported_at: Option<Instant>,
}

/// A story, as it enters feeds.
struct KnownStory {
    state: StoryState,
    published_at: Timestamp,
    first_edition_at: Timestamp,
    outlet_count: u32,
    editions: KnownEditions,
}

enum KnownEditions {
    /// All reports are in the language `language`, and all feeds show the latest edition, whose number is `number`.
    Latest {
        number: u32,
        language: Option<String>,
    },
    Entering(Box<EnteringEditions>),
}

type Entered = Vec<(StoryId, EntryVariants)>;

/// A feed that is being filled.
struct FilledFeed {
    /// The position of the feed.
    feed: usize,
    plan: MembershipPlan,
    /// The stories that may enter, oldest first.
    stories: Vec<StoryId>,
    now: Timestamp,
}

/// The changes of a feed.
struct FeedChange {
    feed: SelectedFeed,
    filled: FilledFeed,
    entered: Entered,
}

impl FeedFiller {
    pub(super) fn new(rules: Arc<EnteringRules>, options: Arc<Options>) -> FeedFiller {
        FeedFiller { rules, options, session: Arc::default() }
    }

    /// Fills feeds until all are current, or until `time` has passed. Returns whether all are current.
    pub(super) async fn fill(&self, store: &Store, now: Timestamp, time: Duration) -> store::Result<bool> {
        let deadline = Instant::now() + time;
        let rules = self.rules.clone();
        let read = move |db: &ReadConnection| {
            Ok((feed_selections::states(db, &rules.feeds)?, storyline_membership::has_postponed_reviews(db)?))
        };
        let ((states, has_others), has_postponed_reviews) = store.read(read).await?;
        let outdated: Vec<usize> = (0..states.len()).filter(|feed| states[*feed] != EntriesState::Current).collect();
        if outdated.is_empty() && !has_others && !has_postponed_reviews {
            return Ok(true);
        }
        let mut are_current = true;
        for (done, feed) in outdated.iter().enumerate() {
            are_current &= self.fill_feed(store, *feed, now).await?;
            self.report(states.len(), outdated.len() - done - 1);
            if Instant::now() >= deadline && done + 1 < outdated.len() {
                return Ok(false);
            }
        }
        if !are_current {
            return Ok(false);
        }
        *self.session.lock() = Session::default();
        let enqueue = |db: &WriteConnection| storyline_membership::enqueue_postponed_reviews(db, MAX_ENQUEUED);
        while store.write(enqueue).await? {}
        let rules = self.rules.clone();
        let delete_others = move |db: &WriteConnection| {
            feed_selections::delete_others(db, &rules.feeds)?;
            publication::touch(db)
        };
        store.write(delete_others).await?;
        Ok(true)
    }

    fn report(&self, feeds: usize, left: usize) {
        let mut session = self.session.lock();
        let reported_at = session.reported_at.get_or_insert_with(Instant::now);
        if reported_at.elapsed() >= REPORT_INTERVAL {
            *reported_at = Instant::now();
            tracing::info!(left, feeds, "filling feeds whose selection is new or has changed");
        }
    }

    /// Fills a feed. Returns whether the feed is current. If sources have changed in the meantime, the feed must be
    /// filled again.
    async fn fill_feed(&self, store: &Store, feed: usize, now: Timestamp) -> store::Result<bool> {
        let rules = self.rules.clone();
        let plan = move |db: &ReadConnection| feed_selections::plan_membership(db, &rules.feeds[feed].feed);
        let plan = store.read(plan).await?;
        let mut stories = Vec::with_capacity(plan.entering.len());
        for chunk in plan.entering.chunks(CHUNK) {
            let (chunk, session, options) = (chunk.to_vec(), self.session.clone(), self.options.clone());
            let read = move |db: &ReadConnection| session.lock().read_stories(db, &chunk, &options);
            stories.extend(store.read(read).await?);
        }
        let filled = FilledFeed { feed, plan, stories, now };
        let (rules, session) = (self.rules.clone(), self.session.clone());
        let decide = move |db: &ReadConnection| {
            let entered = session.lock().decide(db, &rules, &filled)?;
            Ok(FeedChange { feed: rules.feeds[feed].clone(), filled, entered })
        };
        let change = store.read(decide).await?;
        let (session, options) = (self.session.clone(), self.options.clone());
        store.write(move |db| session.lock().apply(db, change, &options)).await
    }
}

impl Session {
    /// Reads the stories whose current state has not been read yet. Returns the stories that have an edition.
    fn read_stories(&mut self, db: &ReadConnection, ids: &[StoryId], options: &Options) -> store::Result<Vec<StoryId>> {
        let states = feed_selections::story_states(db, ids)?;
        let unread: Vec<StoryState> = states
            .iter()
            .filter(|state| self.stories.get(&state.id).map(|known| known.state) != Some(**state))
            .copied()
            .collect();
        if unread.iter().any(|state| self.stories.contains_key(&state.id)) {
            // A story has changed since its similarities were computed.
            self.similarities = Similarities::default();
        }
        for (state, story) in unread.iter().zip(stories::load(db, unread.iter().map(|state| state.id))?) {
            let Some(latest) = editions::latest(db, state.id)? else { continue };
            let (latest_made_at, number) = (latest.made_at, latest.number);
            let published_at = story.published_at.unwrap_or(story.created_at);
            let outlet_count = story.outlet_count();
            let language = story.items.first().and_then(|report| report.item.lang.clone());
            // New editions have the date of the last change.
            let changed_at = story.updated_at.max(latest_made_at);
            let entering = EnteringEditions::new(story, latest, changed_at, options);
            let editions = match entering.is_latest_for_all() && !editions::has_language_editions(db, state.id)? {
                true => KnownEditions::Latest { number, language },
                false => KnownEditions::Entering(Box::new(entering)),
            };
            let known = KnownStory {
                state: *state,
                published_at,
                first_edition_at: editions::first_made_at(db, state.id)?.unwrap_or(latest_made_at),
                outlet_count,
                editions,
            };
            self.stories.insert(state.id, known);
        }
        Ok(states.iter().map(|state| state.id).collect())
    }

    /// Decides which stories get entries.
    fn decide(&mut self, db: &ReadConnection, rules: &EnteringRules, filled: &FilledFeed) -> store::Result<Entered> {
        let (feed, plan) = (&rules.feeds[filled.feed].feed, &filled.plan);
        let mut previous: HashMap<StoryId, Vec<EntryVariants>> = HashMap::new();
        for (story, variants) in &plan.deleted {
            previous.entry(*story).or_default().push(*variants);
        }
        let mut storylines = EntriesByStoryline::default();
        let mut entries = HashMap::new();
        let mut entering = Vec::with_capacity(filled.stories.len());
        for id in &filled.stories {
            let Some(known) = self.stories.get(id) else { continue };
            let storyline = known.state.storyline;
            if plan.keeps_entries
                && let Some(of_feed) = storylines.read(db, &rules.folding, *id, storyline)?.get(&feed.name)
            {
                let kept = of_feed.iter().filter(|entry| !previous.contains_key(&entry.story));
                entries.insert(storyline, kept.cloned().collect());
            }
            entering.push(EnteringStory {
                id: *id,
                storyline,
                published_at: known.published_at,
                first_edition_at: known.first_edition_at,
                outlet_count: known.outlet_count,
                is_in_stable_variant: plan.in_stable.contains(id),
                previous_variants: previous.remove(id).unwrap_or_default(),
            });
        }
        let similarity = |story, entries: &[StorylineEntry]| self.similarities.highest(db, story, entries);
        rules.folding.enter(EnteredFeed { feed, stories: entering, entries }, filled.now, similarity)
    }

    /// Writes the entries of a feed. Omits a story that has changed since it was read: its change is in the review queue,
    /// and the review adds it to the feed. Returns whether the feed is current.
    fn apply(&mut self, db: &WriteConnection, change: FeedChange, options: &Options) -> store::Result<bool> {
        let FeedChange { feed, filled, entered } = change;
        let now = filled.now;
        feed_selections::delete_entries(db, &feed.feed.name, &filled.plan.deleted)?;
        let ids: Vec<StoryId> = entered.iter().map(|(story, _)| *story).collect();
        let current: HashMap<StoryId, StoryState> =
            feed_selections::story_states(db, &ids)?.into_iter().map(|state| (state.id, state)).collect();
        let mut entries = Vec::with_capacity(entered.len());
        for (story, variants) in entered {
            let Some(known) = self.stories.get_mut(&story) else { continue };
            if current.get(&story) != Some(&known.state) {
                continue;
            }
            entries.push(NewEntry { story, variants, edition: known.edition_number(db, &feed.feed, options, now)? });
        }
        feed_entries::add(db, &feed.feed.name, &entries, now)?;
        storyline_membership::postpone_reviews(db, &ids)?;
        let is_current = feed_selections::record(db, &feed, &filled.plan, now)?;
        publication::touch(db)?;
        Ok(is_current)
    }
}

impl KnownStory {
    /// Returns the number of the edition with which the story enters a feed. Adds the edition if it is new.
    fn edition_number(
        &mut self,
        db: &WriteConnection,
        feed: &PublishedFeed,
        options: &Options,
        now: Timestamp,
    ) -> store::Result<u32> {
        let number = match &mut self.editions {
            KnownEditions::Latest { number, language } => {
                let decide = |languages: &[String]| language.clone().filter(|language| languages.contains(language));
                EntryLanguage::find(db, feed, self.state.id, decide)?.record(db, feed, self.state.id)?;
                *number
            }
            KnownEditions::Entering(editions) => editions.number(db, feed, options, now)?,
        };
        self.state.last_edition = self.state.last_edition.max(number);
        Ok(number)
    }
}
