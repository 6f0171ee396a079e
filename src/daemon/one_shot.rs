//! What a command does in place of the daemon while none runs: groups and publishes the stored items once.

use super::grouping::GroupingSession;
use super::lock::DatabaseLock;
use super::publisher::EditionPublisher;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::store::Store;
use std::sync::Arc;

/// Groups and publishes stored items, unless a daemon runs on this database and does so.
pub async fn group_and_publish_without_daemon(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<()> {
    if DatabaseLock::acquire(store.path()).is_err() {
        return Ok(());
    }
    let config = Arc::new(config.clone());
    let _grouping_lock = DatabaseLock::acquire_for_grouping(store.path()).await?;
    let mut grouping = GroupingSession::restore(store, &config, clock).await?;
    grouping.catch_up(store, clock).await?;
    EditionPublisher::new(&config.publish).publish(store, clock, Timestamp::MAX).await?;
    Ok(())
}
