//! Replays items into a new database at the times at which the daemon would have read them, and reads the feed of all
//! stories.

use super::grouping::GroupingSession;
use super::publisher::EditionPublisher;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{
    FeedSelection, FeedVariant, Item, NewItem, NewSource, PollOutcome, PollRecord, PublishedFeed, SourceId, StoryId,
    Timestamp,
};
use crate::publish::arrange_entries;
use crate::store::{self, ReadConnection, Store, WriteConnection, feed_entries, polls, sources, stories};
use anyhow::Context;
use jiff::SignedDuration;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

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
    let mut session = GroupingSession::restore(&store, &Arc::new(config.clone()), &clock).await?;
    let publisher = EditionPublisher::new(&config.publish);
    let end = last.first_seen_at + config.publish.delay + config.publish.min_update_interval + POLL_INTERVAL;
    let mut played = 0;
    while clock.now() < end {
        clock.advance(POLL_INTERVAL);
        let now = clock.now();
        let due = items[played..].iter().take_while(|item| item.first_seen_at <= now).count();
        store_items(&store, &items[played..played + due], &source_ids, now).await?;
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
