//! The task `feed change notifier`: notices that a document of a feed has changed, and records which hubs and
//! subscribers have to be notified. It sends nothing; that is the work of the task `websub publisher`.
//!
//! A document is built only if something has changed, if it has subscribers or hubs, and at most once in
//! [`MIN_CHECK_INTERVAL`], so that a burst of changes causes one notification. The hashes of notified documents are in
//! the database, so that a restart neither repeats nor loses a notification.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::publish;
use crate::serve::{FeedSnapshot, feed_snapshots, feed_urls};
use crate::store::websub_subscribers::{self, TopicAudience};
use crate::store::{self, ReadConnection, Store, WriteConnection, publication};
use jiff::SignedDuration;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::Notify;

/// The minimum time between two checks for changes. The last change is never skipped.
const MIN_CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// What the tasks `feed change notifier` and `websub publisher` share.
#[derive(Clone)]
pub(super) struct FeedChangeContext {
    pub store: Store,
    pub clock: Clock,
    pub options: Arc<publish::Options>,
    /// The URLs of all documents.
    pub topics: Arc<BTreeSet<String>>,
    /// The newest version of each document that has subscribers or hubs.
    documents: Arc<Mutex<HashMap<String, Arc<FeedSnapshot>>>>,
    /// Notified when there may be new work for the publisher.
    pub work_added: Arc<Notify>,
    /// Notified when there may be a new subscriber.
    pub subscriber_added: Arc<Notify>,
}

/// The version of the feeds that was checked last.
#[derive(Default)]
struct CheckedVersion {
    version: Option<i64>,
    /// The earliest time of the next check.
    next_check_at: Option<Timestamp>,
}

/// What a check reads from the database.
#[derive(Default)]
struct FeedAudience {
    version: i64,
    /// Topics with subscribers or hubs.
    topics: BTreeSet<String>,
    /// Topics with new subscribers.
    new_topics: BTreeSet<String>,
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
            work_added: Arc::default(),
            subscriber_added: Arc::default(),
        }
    }

    /// The newest version of a document.
    pub(super) fn document(&self, topic: &str) -> Option<Arc<FeedSnapshot>> {
        self.documents.lock().get(topic).cloned()
    }

    /// The topics whose documents are in memory.
    pub(super) fn ready_topics(&self) -> Vec<String> {
        self.documents.lock().keys().cloned().collect()
    }

    /// The configured hubs other than our own.
    pub(super) fn other_hubs(&self) -> Vec<String> {
        let own_hub = self.options.own_hub_url();
        self.options.hub_urls().into_iter().filter(|hub| *hub != own_hub).collect()
    }

    /// Records the documents that have changed, and those that have new subscribers. Returns the time of the next check
    /// if a change has to wait for it.
    async fn check(&self, checked: &mut CheckedVersion) -> store::Result<Option<Timestamp>> {
        let now = self.clock.now();
        let audience = self.read_audience(now).await?;
        let is_due = checked.next_check_at.is_none_or(|at| at <= now);
        let changed = checked.version != Some(audience.version) && is_due;
        let topics = if changed { audience.topics } else { audience.new_topics };
        if changed {
            self.documents.lock().retain(|topic, _| topics.contains(topic));
        }
        if !topics.is_empty() {
            self.record_documents(topics, now).await?;
            self.work_added.notify_one();
        }
        if changed {
            let next_check_at = Some(after(now, MIN_CHECK_INTERVAL));
            *checked = CheckedVersion { version: Some(audience.version), next_check_at };
        }
        Ok(checked.next_check_at.filter(|_| checked.version != Some(audience.version)))
    }

    async fn read_audience(&self, now: Timestamp) -> store::Result<FeedAudience> {
        let (topics, own_hub, has_hubs) = (self.topics.clone(), self.options.own_hub, !self.other_hubs().is_empty());
        let read = move |db: &ReadConnection| {
            let mut audience = FeedAudience { version: publication::feeds_version(db)?, ..FeedAudience::default() };
            for topic in topics.iter() {
                let subscribers = match own_hub {
                    true => websub_subscribers::topic_audience(db, topic, now)?,
                    false => TopicAudience::default(),
                };
                if subscribers.has_subscribers || has_hubs {
                    audience.topics.insert(topic.clone());
                }
                if subscribers.has_new_subscribers {
                    audience.new_topics.insert(topic.clone());
                }
            }
            Ok(audience)
        };
        self.store.read(read).await
    }

    /// Builds documents and records their hashes.
    async fn record_documents(&self, topics: BTreeSet<String>, now: Timestamp) -> store::Result<()> {
        let options = self.options.clone();
        let built = self.store.read(move |db| feed_snapshots(db, &options, |url| topics.contains(url))).await?;
        let hashes: Vec<_> = built.iter().map(|document| (document.url.clone(), document.hash.clone())).collect();
        for document in built {
            self.documents.lock().insert(document.url.clone(), Arc::new(document));
        }
        let hubs = self.other_hubs();
        let record = move |db: &WriteConnection| {
            for (topic, hash) in &hashes {
                websub_subscribers::record_feed_state(db, topic, hash, &hubs, now)?;
            }
            Ok(())
        };
        self.store.write(record).await
    }
}

pub(super) async fn run(changes: FeedChangeContext, mut context: TaskContext) {
    let mut checked = CheckedVersion::default();
    loop {
        let next = match changes.check(&mut checked).await {
            Ok(next) => next.into(),
            Err(error) => {
                tracing::error!(%error, "cannot check for changed feeds; retrying");
                NextRun::Retry
            }
        };
        tokio::select! {
            _ = context.shutdown.cancelled() => return,
            _ = changes.subscriber_added.notified() => {}
            _ = context.work.wait(next) => {}
        }
    }
}
