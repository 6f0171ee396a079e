//! Fetches the pages of items from sources with full text enabled: one page at a time per origin, newest items first.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::crawl::{PollContext, fetch_article_page};
use crate::http_client::origin_of;
use crate::store;
use crate::store::article_queue::{self, PendingArticle};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use url::Url;

/// The maximum number of pages per batch.
const BATCH: u32 = 64;
/// The maximum number of origins from which pages are fetched concurrently.
const MAX_CONCURRENT_ORIGINS: usize = 8;

pub(super) async fn run(mut context: TaskContext) {
    loop {
        let next = match fetch_batch(&context.polling).await {
            Ok(0) => NextRun::AfterChange,
            Ok(_) => continue,
            Err(error) => {
                error.log("the pages of items could not be fetched or recorded; retrying");
                NextRun::Retry
            }
        };
        context.work.wait(next).await;
    }
}

/// Fetches a batch of pages and returns their number.
async fn fetch_batch(polling: &PollContext) -> store::Result<usize> {
    let mut by_origin: BTreeMap<String, Vec<PendingArticle>> = BTreeMap::new();
    for article in polling.store.read(|db| article_queue::pending_articles(db, BATCH)).await? {
        let origin = Url::parse(&article.url).map(|url| origin_of(&url)).unwrap_or_default();
        by_origin.entry(origin).or_default().push(article);
    }
    let batches = by_origin.into_values().take(MAX_CONCURRENT_ORIGINS);
    join_all(batches.map(|articles| fetch_in_sequence(polling, articles))).await.into_iter().sum()
}

async fn fetch_in_sequence(polling: &PollContext, articles: Vec<PendingArticle>) -> store::Result<usize> {
    for article in &articles {
        fetch_article_page(polling, article).await?;
    }
    Ok(articles.len())
}
