//! Reads the pages of items whose sources want it: one at a time from each server, the newest first.

use super::{LOOK, Signals};
use crate::crawl::PollContext;
use crate::http_client::Origin;
use crate::store::full_text::{self, PendingArticle};
use crate::store::{self};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Pages that are dealt with in one go, and servers that are asked at once.
const BATCH: u32 = 64;
const SERVERS: usize = 8;

pub(super) async fn run(context: PollContext, signals: Signals, stop: CancellationToken) {
    loop {
        let round = tokio::select! {
            _ = stop.cancelled() => return,
            round = round(&context) => round,
        };
        match round {
            Ok(0) => {}
            Ok(_) => {
                signals.items_stored.notify_one();
                signals.stories_changed.notify_one();
                continue;
            }
            Err(error) => tracing::error!(%error, "pages could not be read or written down; trying again"),
        }
        tokio::select! {
            _ = stop.cancelled() => return,
            _ = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Reads some pages. Returns how many.
async fn round(context: &PollContext) -> store::Result<usize> {
    let mut by_server: BTreeMap<String, Vec<PendingArticle>> = BTreeMap::new();
    for wanted in context.store.read(|db| full_text::pending_articles(db, BATCH)).await? {
        let server = Url::parse(&wanted.url).map(|url| Origin::from_url(&url).to_string()).unwrap_or_default();
        by_server.entry(server).or_default().push(wanted);
    }
    let one_server = async |pages: Vec<PendingArticle>| {
        for page in &pages {
            context.fetch_full_text(page).await?;
        }
        Ok(pages.len())
    };
    let read = join_all(by_server.into_values().take(SERVERS).map(one_server)).await;
    read.into_iter().sum()
}
