//! The `feed change notifier` task: detects changed feed documents, and records which hubs and subscribers must be
//! notified. The `websub publisher` task sends the notifications.
//!
//! A document is built only if something has changed and the document has subscribers or hubs, and at most once per
//! [`MIN_CHECK_INTERVAL`], so that a burst of changes causes one notification. The hashes of notified documents are in
//! the database, so a restart neither repeats nor loses a notification.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::publish;
use crate::serve::{FeedSnapshot, SiteOptions, feed_snapshots, feed_urls};
use crate::store::feed_entries::DocumentVersion;
use crate::store::websub_subscribers::{self, TopicAudience};
use crate::store::{self, ReadConnection, WriteConnection, publication};
use jiff::SignedDuration;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::Notify;

/// The minimum time between checks for changes. The last change is never skipped.
const MIN_CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// The state that the tasks `feed change notifier` and `websub publisher` share.
#[derive(Clone)]
pub(super) struct FeedChanges {
    /// The URLs of all documents.
    pub topics: Arc<BTreeSet<String>>,
    /// The newest version of each document that has subscribers or hubs, by its URL.
    pub documents: Arc<Mutex<HashMap<String, Arc<FeedSnapshot>>>>,
    /// Notified when there may be new work for the publisher.
    pub work_added: Arc<Notify>,
    /// Notified when there may be a new subscriber.
    pub subscriber_added: Arc<Notify>,
}

/// The versions at the last check.
#[derive(Default)]
struct CheckedVersion {
    /// The version of all feeds.
    version: Option<i64>,
    /// The version of each document whose hash is recorded, by its URL.
    documents: HashMap<String, DocumentVersion>,
    /// The earliest time of the next check.
    next_check_at: Option<Timestamp>,
}

/// The data that a check reads from the database.
#[derive(Default)]
struct FeedAudience {
    version: i64,
    /// Topics with subscribers or hubs.
    topics: BTreeSet<String>,
    /// Topics with new subscribers.
    new_topics: BTreeSet<String>,
}

impl FeedChanges {
    pub(super) fn new(options: &SiteOptions) -> FeedChanges {
        FeedChanges {
            topics: Arc::new(feed_urls(options).into_iter().collect()),
            documents: Arc::default(),
            work_added: Arc::default(),
            subscriber_added: Arc::default(),
        }
    }
}

/// Returns the configured hubs, excluding our own.
pub(super) fn other_hubs(options: &publish::Options) -> Vec<String> {
    let own_hub = options.own_hub_url();
    options.hub_urls().into_iter().filter(|hub| *hub != own_hub).collect()
}

pub(super) async fn run(changes: FeedChanges, mut context: TaskContext) {
    let mut checked = CheckedVersion::default();
    loop {
        // The hashes of documents are recorded when they have been built, so a check that is dropped is repeated later.
        let Some(result) = context.shutdown.run_until_cancelled(check(&context, &changes, &mut checked)).await else {
            return;
        };
        let next = match result {
            Ok(next) => next.into(),
            Err(error) => {
                error.log("cannot check for changed feeds; retrying");
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

/// Records the documents that have changed and the documents that have new subscribers. Returns the time of the next
/// check if a change must wait for it.
async fn check(
    context: &TaskContext,
    changes: &FeedChanges,
    checked: &mut CheckedVersion,
) -> store::Result<Option<Timestamp>> {
    let now = context.clock().now();
    let audience = read_audience(context, changes, now).await?;
    let is_due = checked.next_check_at.is_none_or(|at| at <= now);
    let changed = checked.version != Some(audience.version) && is_due;
    // A document with new subscribers is recorded again, so that these subscribers count as having received this
    // version.
    checked.documents.retain(|topic, _| !audience.new_topics.contains(topic));
    let topics = if changed { audience.topics } else { audience.new_topics };
    if changed {
        changes.documents.lock().retain(|topic, _| topics.contains(topic));
        checked.documents.retain(|topic, _| topics.contains(topic));
    }
    if !topics.is_empty() {
        record_documents(context, changes, topics, checked).await?;
        changes.work_added.notify_one();
    }
    if changed {
        checked.next_check_at = Some(after(now, MIN_CHECK_INTERVAL));
        checked.version = Some(audience.version);
    }
    Ok(checked.next_check_at.filter(|_| checked.version != Some(audience.version)))
}

async fn read_audience(context: &TaskContext, changes: &FeedChanges, now: Timestamp) -> store::Result<FeedAudience> {
    let options = &context.config.publish;
    let (topics, own_hub, has_hubs) = (changes.topics.clone(), options.own_hub, !other_hubs(options).is_empty());
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
    context.store().read(read).await
}

/// Builds the documents that have changed, and records their hashes.
async fn record_documents(
    context: &TaskContext,
    changes: &FeedChanges,
    topics: BTreeSet<String>,
    checked: &mut CheckedVersion,
) -> store::Result<()> {
    let (config, hubs, now) = (context.config.clone(), other_hubs(&context.config.publish), context.clock().now());
    let known = checked.documents.clone();
    let is_wanted = move |url: &str, version| topics.contains(url) && known.get(url) != Some(&version);
    let build = move |db: &ReadConnection| feed_snapshots(db, &config.site_options(), is_wanted);
    let built: Vec<_> = context.store().read(build).await?.into_iter().map(Arc::new).collect();
    changes.documents.lock().extend(built.iter().map(|document| (document.url.clone(), document.clone())));
    let versions: Vec<(String, DocumentVersion)> =
        built.iter().map(|built| (built.url.clone(), built.version)).collect();
    let record = move |db: &WriteConnection| {
        let mut documents = built.iter();
        documents.try_for_each(|built| websub_subscribers::record_feed_state(db, &built.url, &built.hash, &hubs, now))
    };
    context.store().write(record).await?;
    checked.documents.extend(versions);
    Ok(())
}
