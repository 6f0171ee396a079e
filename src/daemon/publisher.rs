//! Publishes stories that have settled and gives readers what is new of published ones: the policy says what, the
//! database keeps it.

use super::{LOOK, Signals};
use crate::clock::Clock;
use crate::domain::duration::before;
use crate::domain::{Edition, EditionReason, EditionText, PublishedFeed, Story, StoryId, StoryPublication, Timestamp};
use crate::publish::{
    EditionStep, Options, compose_edition, edition_on_entering, first_publication, next_edition, outlet_count,
};
use crate::store::{
    self, Store, WriteConnection, editions, feed_entries, feed_tokens, publication, review_queue, stories,
};
use crate::websub::secrets;
use anyhow::Context;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Stories looked at between two writes.
const BATCH: u32 = 500;

pub(super) async fn run(store: Store, options: Options, clock: Clock, signals: Signals, stop: CancellationToken) {
    let publishing = Publishing::of(&options);
    loop {
        if let Err(error) = publishing.publish(&store, &clock, signals.looked_at.get()).await {
            tracing::error!(%error, "stories could not be published; trying again");
        }
        tokio::select! {
            _ = stop.cancelled() => return,
            _ = signals.stories_changed.notified() => {}
            _ = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Publishes all stories whose time has come, of those that a second look has seen, and makes the editions that are due.
pub(super) async fn catch_up(
    store: &Store,
    options: &Options,
    clock: &Clock,
    looked_at: Timestamp,
) -> store::Result<()> {
    Publishing::of(options).publish(store, clock, looked_at).await
}

/// The same for what is published already: a database of an earlier version has no editions yet, and is not to be served
/// as if it held nothing.
pub(super) async fn prepare(store: &Store, options: &Options, clock: &Clock) -> store::Result<()> {
    Publishing::of(options).catch_up(store, clock).await
}

/// Gives a private feed a token, in place of the one that it may have.
pub async fn new_token(store: &Store, feed: &PublishedFeed, clock: &Clock) -> anyhow::Result<String> {
    let (name, now) = (feed.name.clone(), clock.now());
    let token = secrets::generate().context("the system has no randomness for a token")?;
    let given = token.clone();
    store.write(move |db| feed_tokens::replace(db, &name, &given, now)).await?;
    Ok(token)
}

/// What is published, and how.
#[derive(Clone)]
struct Publishing {
    options: Arc<Options>,
    feeds: Arc<Vec<PublishedFeed>>,
}

/// What was decided about a published story.
struct Decided {
    story: Story,
    turn: i64,
    latest: Option<Edition>,
    next_edition: EditionStep,
}

impl Publishing {
    fn of(options: &Options) -> Publishing {
        Publishing { options: Arc::new(options.clone()), feeds: Arc::new(options.published_feeds()) }
    }

    async fn publish(&self, store: &Store, clock: &Clock, looked_at: Timestamp) -> store::Result<()> {
        self.catch_up(store, clock).await?;
        self.publish_settled(store, clock.now(), looked_at).await
    }

    /// Editions before selections: what a feed is chosen from has to have one.
    async fn catch_up(&self, store: &Store, clock: &Clock) -> store::Result<()> {
        self.give_tokens(store, clock).await?;
        self.make_editions(store, clock.now()).await?;
        self.follow_selections(store, clock.now()).await
    }

    async fn publish_settled(&self, store: &Store, now: Timestamp, looked_at: Timestamp) -> store::Result<()> {
        let founded_before = before(now, self.options.delay).min(looked_at);
        let mut after = None;
        loop {
            let settled = store.read(move |db| stories::unpublished(db, founded_before, after, BATCH)).await?;
            let Some(last) = settled.last() else { return Ok(()) };
            after = Some((last.founded_at, last.id));
            let mut due: Vec<(Story, EditionText, StoryPublication)> = Vec::new();
            for story in settled {
                if let Some((lead, published)) = first_publication(&story, now, &self.options) {
                    let text = compose_edition(&story, lead);
                    due.push((story, text, published));
                }
            }
            let this = self.clone();
            store.write(move |db| this.write_first(db, &due, now)).await?;
        }
    }

    fn write_first(
        &self,
        db: &WriteConnection,
        due: &[(Story, EditionText, StoryPublication)],
        now: Timestamp,
    ) -> store::Result<()> {
        let mut published = Vec::new();
        for (story, text, frozen) in due {
            if stories::publish(db, story.id, text.lead, frozen)? {
                editions::add(db, story.id, EditionReason::First, outlet_count(story), text, now)?;
                published.push(story.id);
            }
        }
        for feed in self.feeds.iter() {
            // The newest comes first, and is the last to come into the feed.
            for story in feed_entries::find_entering(db, feed, &published)?.into_iter().rev() {
                feed_entries::add(db, &feed.name, story, 1, now)?;
            }
        }
        if published.is_empty() { Ok(()) } else { publication::touch(db) }
    }

    async fn make_editions(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        loop {
            let options = self.options.clone();
            let decided: Vec<Decided> = store
                .read(move |db| {
                    let due = review_queue::due_reviews(db, now, BATCH)?;
                    let decide = |due: review_queue::StoryReview| Decided {
                        next_edition: next_edition(&due.story, due.made, due.latest.as_ref(), now, &options),
                        story: due.story,
                        turn: due.turn,
                        latest: due.latest,
                    };
                    Ok(due.into_iter().map(decide).collect())
                })
                .await?;
            if decided.is_empty() {
                return Ok(());
            }
            let this = self.clone();
            store.write(move |db| this.write_editions(db, decided, now)).await?;
        }
    }

    fn write_editions(&self, db: &WriteConnection, decided: Vec<Decided>, now: Timestamp) -> store::Result<()> {
        let mut changed = false;
        let mut looked_at = Vec::new();
        for Decided { story, turn, mut latest, next_edition } in decided {
            // What changed while we looked is looked at again.
            if !review_queue::is_current_generation(db, story.id, turn)? {
                continue;
            }
            let mut next = None;
            match next_edition {
                EditionStep::Write(cause, text) => {
                    // One of an earlier version's stories: nothing has changed today.
                    let at = if cause == EditionReason::First { story.updated_at.min(now) } else { now };
                    editions::add(db, story.id, cause, outlet_count(&story), &text, at)?;
                    latest = editions::latest(db, story.id)?;
                    changed = true;
                }
                EditionStep::WaitUntil(until) => next = Some(until),
                EditionStep::Unchanged => {}
            }
            review_queue::finish_review(db, story.id, turn, next)?;
            looked_at.extend(latest.map(|latest| (story, latest)));
        }
        let ids: Vec<StoryId> = looked_at.iter().map(|(story, _)| story.id).collect();
        // Feeds that a story comes into at once share its edition.
        let mut entered: HashMap<StoryId, u32> = HashMap::new();
        for feed in self.feeds.iter() {
            for id in feed_entries::find_entering(db, feed, &ids)?.into_iter().rev() {
                let Some((story, latest)) = looked_at.iter().find(|(story, _)| story.id == id) else { continue };
                let edition = match entered.get(&id) {
                    Some(edition) => *edition,
                    None => match edition_on_entering(story, latest, &self.options) {
                        Some(text) => editions::add(db, id, EditionReason::Entered, outlet_count(story), &text, now)?,
                        None => latest.number,
                    },
                };
                entered.insert(id, edition);
                feed_entries::add(db, &feed.name, id, edition, now)?;
                changed = true;
            }
        }
        if changed { publication::touch(db) } else { Ok(()) }
    }

    /// The configuration, and the tags of sources, may have changed which stories a feed holds.
    async fn follow_selections(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        let feeds = self.feeds.clone();
        let choices = store
            .read(move |db| {
                Ok(if feed_entries::are_current(db, &feeds)? {
                    None
                } else {
                    Some(feed_entries::plan_memberships(db, &feeds)?)
                })
            })
            .await?;
        let Some(choices) = choices else { return Ok(()) };
        let feeds = self.feeds.clone();
        store.write(move |db| feed_entries::apply_memberships(db, &choices, &feeds, now)).await
    }

    /// A private feed without a token would be read by nobody.
    async fn give_tokens(&self, store: &Store, clock: &Clock) -> store::Result<()> {
        for feed in self.feeds.iter().filter(|feed| feed.private) {
            let name = feed.name.clone();
            if store.read(move |db| feed_tokens::find(db, &name)).await?.is_none() {
                let (name, now) = (feed.name.clone(), clock.now());
                let Some(token) = secrets::generate() else { continue };
                store.write(move |db| feed_tokens::create_if_missing(db, &name, &token, now)).await?;
            }
        }
        Ok(())
    }
}
