//! Computes the embeddings of items with the configured encoder, newest items first, on at most one core.
//!
//! The task does not have its own queue: it queries the items without an embedding. Items are grouped by their words
//! immediately, and again when they have an embedding.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::domain::panic_text::join_error_text;
use crate::encoder::{Encoder, encoded_text};
use crate::store::embeddings::{self, CurrentEncoder, ItemToEncode};
use crate::store::{self, Store};
use crate::wording::Audience;
use jiff::SignedDuration;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// The maximum number of items per transaction.
const BATCH: u32 = 32;
/// The delay before another attempt to load the encoder. An attempt may read a gigabyte.
const LOAD_RETRY_DELAY: Duration = Duration::from_secs(600);
/// The minimum time between two searches for items without an embedding, because a search reads all items in the window.
const MIN_PAUSE: Duration = Duration::from_secs(2);

/// Records that no encoder is in use, if none is configured, so that grouping ignores stored embeddings. Must run before
/// the grouping starts.
pub(super) async fn prepare(context: &TaskContext) -> store::Result<()> {
    context.health.set_fault("encoder", None);
    if context.config.cluster.encoder.is_none() && context.store().read(embeddings::current_encoder).await?.is_some() {
        context.store().write(embeddings::unset_encoder).await?;
    }
    Ok(())
}

/// Encodes items until shutdown. Reports the reason and tries again later if the encoder cannot be loaded.
pub(super) async fn run(mut context: TaskContext) {
    let Some(folder) = context.config.cluster.encoder.clone() else { return std::future::pending().await };
    let encoder = loop {
        match load(folder.clone()).await {
            Ok(encoder) => break encoder,
            Err(reason) => {
                tracing::error!("cluster.encoder cannot be used, so items are grouped by their words only: {reason}");
                context.health.set_fault("encoder", Some(Audience::PUBLIC.remark(&reason)));
            }
        }
        tokio::time::sleep(LOAD_RETRY_DELAY).await;
    };
    context.health.set_fault("encoder", None);
    loop {
        let next = match encode_missing(&encoder, &context).await {
            Ok(()) => NextRun::AfterChange,
            Err(error) => {
                error.log("embeddings could not be stored; retrying");
                NextRun::Retry
            }
        };
        tokio::time::sleep(MIN_PAUSE).await;
        context.work.wait(next).await;
    }
}

/// Loads the encoder, or returns the reason why it cannot be loaded.
async fn load(folder: PathBuf) -> Result<Encoder, String> {
    match spawn_blocking(move || Encoder::load(&folder)).await {
        Ok(loaded) => loaded.map_err(|error| format!("{:#}", anyhow::Error::new(error))),
        Err(error) => Err(join_error_text(error)),
    }
}

/// Encodes all items that have no embedding.
async fn encode_missing(encoder: &Encoder, context: &TaskContext) -> store::Result<()> {
    let (store, clock): (&Store, &Clock) = (context.store(), context.clock());
    // The database stores whole milliseconds.
    let grouping_window = SignedDuration::from_millis(context.config.cluster.window.as_millis() as i64);
    let current = CurrentEncoder { hash: encoder.facts().hash.clone(), grouping_window };
    if store.read(embeddings::current_encoder).await?.as_ref() != Some(&current) {
        let now = clock.now();
        store.write(move |db| embeddings::set_encoder(db, &current, now)).await?;
    }
    loop {
        let now = clock.now();
        let items = store.read(move |db| embeddings::missing(db, now, BATCH)).await?;
        if items.is_empty() {
            return Ok(());
        }
        let batch_encoder = encoder.clone();
        let encode = move || {
            let embedding = |item: &ItemToEncode| {
                let encoded = batch_encoder.encode(&encoded_text(&item.title, &item.summary));
                encoded
                    .inspect_err(|error| tracing::warn!(item = %item.item, %error, "an item could not be encoded"))
                    .ok()
            };
            items.into_iter().map(|item| (embedding(&item), item)).map(|(embedding, item)| (item, embedding)).collect()
        };
        let encoded: Vec<_> = match spawn_blocking(encode).await {
            Ok(encoded) => encoded,
            // The runtime is shutting down.
            Err(_) => return Ok(()),
        };
        let hash = encoder.facts().hash.clone();
        store.write(move |db| embeddings::add(db, &hash, &encoded)).await?;
    }
}
