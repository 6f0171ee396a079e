//! Sees when a document of a feed has changed, and writes down who is to be told: hubs of the configuration, and those
//! who subscribe at our own. It tells nobody itself; that is the task `deliveries`.
//!
//! Documents are made only when something has changed, only those to which somebody listens, and not again within
//! [`MIN_CHECK_INTERVAL`], so that a burst of changes is told as one. What was told is in the database: a restart tells nothing twice
//! and forgets nothing.

use super::LOOK;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::publish;
use crate::serve::{FeedSnapshot, feed_snapshots, feed_urls};
use crate::store::{self, Store, WriteConnection, publication, websub_subscribers};
use jiff::SignedDuration;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Between two looks at what has changed. The last change is always told.
const MIN_CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// What the tasks that tell others of changes share.
#[derive(Clone)]
pub(super) struct FeedChangeContext {
    pub store: Store,
    pub clock: Clock,
    pub options: Arc<publish::Options>,
    /// The URLs of all documents.
    pub topics: Arc<BTreeSet<String>>,
    /// What was announced last, as far as it was since the start.
    documents: Arc<Mutex<HashMap<String, Arc<FeedSnapshot>>>>,
    /// That somebody is to be told or asked.
    pub due: Arc<Notify>,
    /// That somebody has begun to listen.
    pub begun: Arc<Notify>,
}

/// What was looked at.
#[derive(Default)]
struct SeenVersion {
    version: Option<i64>,
    /// Before then no change is looked for.
    next_at: Option<Timestamp>,
}

impl FeedChangeContext {
    pub(super) fn new(config: &Config, store: &Store, clock: &Clock) -> FeedChangeContext {
        let options = Arc::new(config.publish.clone());
        FeedChangeContext {
            store: store.clone(),
            clock: clock.clone(),
            topics: Arc::new(feed_urls(&options).into_iter().collect()),
            options,
            documents: Arc::default(),
            due: Arc::default(),
            begun: Arc::default(),
        }
    }

    /// The document of a topic, as it was announced last.
    pub(super) fn document(&self, topic: &str) -> Option<Arc<FeedSnapshot>> {
        self.documents().get(topic).cloned()
    }

    /// The topics of which there is a document to send.
    pub(super) fn ready(&self) -> Vec<String> {
        self.documents().keys().cloned().collect()
    }

    fn documents(&self) -> MutexGuard<'_, HashMap<String, Arc<FeedSnapshot>>> {
        self.documents.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Hubs of the configuration.
    pub(super) fn hubs(&self) -> Vec<String> {
        let own = self.options.own_hub_url();
        self.options.hub_urls().into_iter().filter(|hub| *hub != own).collect()
    }

    async fn look(&self, seen: &mut SeenVersion) -> store::Result<()> {
        let now = self.clock.now();
        let (topics, own_hub, any_hub) = (self.topics.clone(), self.options.own_hub, !self.hubs().is_empty());
        let (version, listened, begun) = self
            .store
            .read(move |db| {
                let (mut listened, mut begun) = (BTreeSet::new(), BTreeSet::new());
                for topic in topics.iter() {
                    let (listens, begins) =
                        if own_hub { websub_subscribers::topic_audience(db, topic, now)? } else { (false, false) };
                    if listens || any_hub {
                        listened.insert(topic.clone());
                    }
                    if begins {
                        begun.insert(topic.clone());
                    }
                }
                Ok((publication::feeds_version(db)?, listened, begun))
            })
            .await?;
        let changed = seen.version != Some(version) && seen.next_at.is_none_or(|at| at <= now);
        let wanted = if changed { listened } else { begun };
        if changed {
            // Nobody listens any more to what is not wanted now.
            self.documents().retain(|topic, _| wanted.contains(topic));
        }
        if !wanted.is_empty() {
            self.announce(wanted, now).await?;
            self.due.notify_one();
        }
        if changed {
            *seen = SeenVersion { version: Some(version), next_at: Some(after(now, MIN_CHECK_INTERVAL)) };
        }
        Ok(())
    }

    async fn announce(&self, wanted: BTreeSet<String>, now: Timestamp) -> store::Result<()> {
        let options = self.options.clone();
        let made = self.store.read(move |db| feed_snapshots(db, &options, |url| wanted.contains(url))).await?;
        let told: Vec<_> = made.iter().map(|document| (document.url.clone(), document.hash.clone())).collect();
        for document in made {
            self.documents().insert(document.url.clone(), Arc::new(document));
        }
        let hubs = self.hubs();
        let announce = move |db: &WriteConnection| {
            told.iter().try_for_each(|(topic, hash)| websub_subscribers::record_feed_state(db, topic, hash, &hubs, now))
        };
        self.store.write(announce).await
    }
}

pub(super) async fn run(announcing: FeedChangeContext, stop: CancellationToken) {
    let mut seen = SeenVersion::default();
    loop {
        if let Err(error) = announcing.look(&mut seen).await {
            tracing::error!(%error, "who is to be told of what has changed could not be found out; trying again");
        }
        tokio::select! {
            _ = stop.cancelled() => return,
            _ = announcing.begun.notified() => {}
            _ = tokio::time::sleep(LOOK) => {}
        }
    }
}
