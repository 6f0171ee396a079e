//! The queue of article pages to fetch, and the results. [`crate::domain::full_text_rules`] decides which items enter it.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use crate::domain::duration::{after, before};
use crate::domain::full_text_rules::MAX_ARTICLE_WAIT;
use crate::domain::{ItemId, RequestSettings, SourceId};
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;

/// An item whose article page must be fetched.
#[derive(Debug, Clone, Deserialize)]
pub struct PendingArticle {
    #[serde(rename = "id")]
    pub item: ItemId,
    #[serde(rename = "source_id")]
    pub source: SourceId,
    pub url: String,
    /// The settings of the source, which also apply to its articles.
    pub request_settings: RequestSettings,
}

/// The result of fetching an article page.
#[derive(Debug, Clone)]
pub enum ArticleOutcome {
    Read {
        /// The paragraphs. In the database, each paragraph is one line.
        paragraphs: Vec<String>,
        /// The canonical URL that the page declares.
        canonical_url: Option<String>,
    },
    Failed(String),
}

/// Returns the articles to fetch, newest items first.
pub fn pending_articles(db: &ReadConnection, limit: u32) -> Result<Vec<PendingArticle>> {
    db.all(
        "SELECT item.id, source_id, item.url, request_settings FROM item JOIN source ON source.id = source_id
         WHERE full_text_state = 'pending' AND item.url IS NOT NULL ORDER BY item.id DESC LIMIT ?1",
        [limit],
    )
}

pub fn record_outcome(db: &WriteConnection, item: ItemId, outcome: &ArticleOutcome) -> Result<()> {
    match outcome {
        ArticleOutcome::Read { paragraphs, canonical_url } => {
            db.execute(
                "UPDATE item SET full_text_state = 'fetched', full_text = ?2,
                     canonical_url = coalesce(?3, canonical_url), link_hash = coalesce(text_hash(?3), link_hash)
                 WHERE id = ?1",
                params![item.0, paragraphs.join("\n"), canonical_url],
            )?;
            super::publication::touch(db)
        }
        ArticleOutcome::Failed(why) => {
            db.execute(
                "UPDATE item SET full_text_state = 'failed', full_text_error = ?2 WHERE id = ?1",
                params![item.0, why],
            )?;
            Ok(())
        }
    }
}

/// Returns the earliest time at which an item can be assigned without the article that it waits for.
pub fn next_assignable_at(db: &ReadConnection, now: Timestamp) -> Result<Option<Timestamp>> {
    let first_seen_at: Option<Timestamp> = db.one(
        "SELECT min(first_seen_at) FROM item
         WHERE full_text_state = 'pending' AND story_id IS NULL AND first_seen_at > ?1",
        [before(now, MAX_ARTICLE_WAIT).as_millisecond()],
    )?;
    Ok(first_seen_at.map(|at| after(at, MAX_ARTICLE_WAIT)))
}

/// Returns the state of an item's article as human-readable text; `None` if the article is not requested.
pub fn article_state(db: &ReadConnection, item: ItemId) -> Result<Option<String>> {
    let sql = "SELECT full_text_state || coalesce(': ' || full_text_error, '') FROM item WHERE id = ?1";
    Ok(db.first(sql, [item.0])?.flatten())
}
