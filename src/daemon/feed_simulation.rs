//! Replays items into a new database at the times at which the daemon would have read them, and reads the feed of all
//! stories.

use super::grouping::GroupingSession;
use super::publisher::EditionPublisher;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{
    Embedding, FeedSelection, FeedVariant, Item, NewItem, NewSource, PollOutcome, PollRecord, PublishedFeed, SourceId,
    StoryId, Timestamp,
};
use crate::publish::arrange_entries;
use crate::store::embeddings::{self, CurrentEncoder};
use crate::store::{self, ReadConnection, Store, WriteConnection, feed_entries, polls, sources, stories};
use anyhow::Context;
use jiff::SignedDuration;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// The hash of the encoder in the database of a simulation, where the embeddings come from the items.
const ENCODER_HASH: &str = "simulation";
/// The simulated time between two polls of all sources.
const POLL_INTERVAL: SignedDuration = SignedDuration::from_mins(10);

/// The state after a simulation.
pub struct SimulatedFeed {
    /// The story of each item, in the order of the items; `None` if the item was recognized as another item of its
    /// source.
    pub stories: Vec<Option<StoryId>>,
    /// The stories with entries, newest first, each with the stories that its entry lists under their own headlines.
    pub entries: Vec<(StoryId, Vec<StoryId>)>,
}

/// Replays `items` into a database in `folder`. The items must be ordered by the time at which they are first seen.
///
/// # Errors
/// Fails if there are no items, or if the database cannot be created.
pub async fn simulate_feed(config: &Config, items: &[Item], folder: &Path) -> anyhow::Result<SimulatedFeed> {
    let (Some(first), Some(last)) = (items.first(), items.last()) else { anyhow::bail!("there are no items") };
    let store = Store::open(&folder.join("simulation.db"))?;
    let clock = Clock::manual(first.first_seen_at);
    let source_ids = add_sources(&store, items, first.first_seen_at).await?;
    let embeddings = Embeddings::of(items);
    embeddings.set_encoder(&store, config, first.first_seen_at).await?;
    let mut session = GroupingSession::restore(&store, &Arc::new(config.clone()), &clock).await?;
    let publisher = EditionPublisher::new(&config.publish);
    let end = last.first_seen_at + config.publish.delay + config.publish.min_update_interval + POLL_INTERVAL;
    let mut played = 0;
    while clock.now() < end {
        clock.advance(POLL_INTERVAL);
        let now = clock.now();
        let due = items[played..].iter().take_while(|item| item.first_seen_at <= now).count();
        store_items(&store, &items[played..played + due], &source_ids, now).await?;
        embeddings.store_missing(&store, now).await?;
        played += due;
        session.catch_up(&store, &clock).await?;
        publisher.publish_all(&store, &clock, now).await?;
    }
    let feed = all_stories();
    let read = move |db: &ReadConnection| {
        let assigned = stories::assigned_between(db, Timestamp::MIN, Timestamp::MAX)?;
        let stories: HashMap<String, StoryId> =
            assigned.into_iter().map(|assigned| (assigned.item.guid, assigned.story)).collect();
        let page = feed_entries::current_page(db, &feed, FeedVariant::Live)?;
        let entries = arrange_entries(&feed.selection, page.candidates).into_iter().map(|entry| {
            let listed = entry.edition.text.developments.iter().filter(|development| !development.has_entry);
            (entry.edition.story, listed.map(|development| development.story).collect())
        });
        Ok((stories, entries.collect::<Vec<_>>()))
    };
    let (by_guid, entries) = store.read(read).await?;
    Ok(SimulatedFeed { stories: items.iter().map(|item| by_guid.get(&item.guid).copied()).collect(), entries })
}

/// The embeddings that the items have, by title and summary. Empty without an encoder.
struct Embeddings(Arc<HashMap<(String, String), Embedding>>);

impl Embeddings {
    fn of(items: &[Item]) -> Embeddings {
        let text = |item: &Item| (item.title.clone(), item.summary.clone());
        let embeddings = items.iter().filter_map(|item| Some((text(item), item.embedding.clone()?)));
        Embeddings(Arc::new(embeddings.collect()))
    }

    /// Makes grouping use the embeddings.
    async fn set_encoder(&self, store: &Store, config: &Config, now: Timestamp) -> store::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let grouping_window = SignedDuration::from_millis(config.cluster.window.as_millis() as i64);
        let encoder = CurrentEncoder { hash: ENCODER_HASH.into(), grouping_window };
        store.write(move |db| embeddings::set_encoder(db, &encoder, now)).await
    }

    /// Stores the embeddings of new items.
    async fn store_missing(&self, store: &Store, now: Timestamp) -> store::Result<()> {
        let known = self.0.clone();
        if known.is_empty() {
            return Ok(());
        }
        let store_all = move |db: &WriteConnection| {
            let items = embeddings::missing(db, now, u32::MAX)?;
            let with_embedding = items.into_iter().map(|item| {
                let embedding = known.get(&(item.title.clone(), item.summary.clone())).cloned();
                (item, embedding)
            });
            embeddings::add(db, ENCODER_HASH, &with_embedding.collect::<Vec<_>>())
        };
        store.write(store_all).await
    }
}

/// Returns the feed `all` without a limit.
fn all_stories() -> PublishedFeed {
    let selection = FeedSelection { limit: u32::MAX, ..FeedSelection::default() };
    PublishedFeed {
        name: "all".into(),
        title: String::new(),
        private: false,
        selection,
        half_life: SignedDuration::from_hours(12),
    }
}

/// Adds a source for each outlet.
async fn add_sources(store: &Store, items: &[Item], now: Timestamp) -> anyhow::Result<BTreeMap<String, SourceId>> {
    let outlets: BTreeMap<String, Option<String>> =
        items.iter().map(|item| (item.outlet.clone(), item.lang.clone())).collect();
    let add = move |db: &WriteConnection| {
        let mut ids = BTreeMap::new();
        for (outlet, lang) in outlets {
            let source = NewSource {
                url: format!("https://{outlet}/feed"),
                outlet: outlet.clone(),
                title: Some(outlet.clone()),
                lang,
                ..NewSource::default()
            };
            ids.extend(sources::add(db, &source, now, now)?.map(|id| (outlet, id)));
        }
        Ok(ids)
    };
    store.write(add).await.context("the sources could not be added")
}

/// Stores items as if each outlet's document had contained its items.
async fn store_items(
    store: &Store,
    items: &[Item],
    sources: &BTreeMap<String, SourceId>,
    now: Timestamp,
) -> store::Result<()> {
    let mut documents: BTreeMap<SourceId, Vec<NewItem>> = BTreeMap::new();
    // In documents, the newest item comes first.
    for item in items.iter().rev() {
        documents.entry(sources[&item.outlet]).or_default().push(new_item(item));
    }
    let record = move |db: &WriteConnection| {
        for (source, items) in documents {
            let poll = PollRecord {
                status: Some(200),
                items: items.len() as u32,
                ..PollRecord::empty(source, now, PollOutcome::Read)
            };
            polls::record_poll(db, &poll, None, &items)?;
        }
        Ok(())
    };
    store.write(record).await
}

fn new_item(item: &Item) -> NewItem {
    NewItem {
        guid: item.guid.clone(),
        url: item.url.clone(),
        canonical_url: item.canonical_url.clone(),
        title: item.title.clone(),
        summary: item.summary.clone(),
        content: None,
        categories: Vec::new(),
        author: None,
        lang: item.lang.clone(),
        image: None,
        enclosures: Vec::new(),
        published_at: item.published_at,
        is_day_only: false,
        is_incomplete: false,
        reporter: None,
        backlog_reason: None,
    }
}
