//! Full articles of items: the queue of pages to fetch, and the results.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::collect;
use crate::domain::{ItemId, SourceId};
use rusqlite::{OptionalExtension, params};

/// An item whose article page is to be fetched.
#[derive(Debug, Clone)]
pub struct PendingArticle {
    pub item: ItemId,
    pub source: SourceId,
    pub url: String,
}

/// The result of fetching an article page.
#[derive(Debug, Clone)]
pub enum ArticleOutcome {
    Read {
        /// One paragraph per line in the database.
        paragraphs: Vec<String>,
        /// The canonical URL that the page declares.
        canonical_url: Option<String>,
    },
    Failed(String),
}

/// The articles to fetch, those of the newest items first.
pub fn pending_articles(db: &ReadConnection, limit: u32) -> Result<Vec<PendingArticle>> {
    let mut statement = db.prepare_cached(
        "SELECT id, source_id, url FROM item WHERE full_text_state = 'pending' AND url IS NOT NULL ORDER BY id DESC LIMIT ?1",
    )?;
    collect(&mut statement, [limit], |row| {
        Ok(PendingArticle { item: ItemId(row.get(0)?), source: SourceId(row.get(1)?), url: row.get(2)? })
    })
}

pub fn record_outcome(db: &WriteConnection, item: ItemId, page: &ArticleOutcome) -> Result<()> {
    match page {
        ArticleOutcome::Read { paragraphs, canonical_url } => {
            db.execute("UPDATE item SET full_text_state = 'fetched', full_text = ?2, canonical_url = coalesce(?3, canonical_url) WHERE id = ?1", params![item.0, paragraphs.join("\n"), canonical_url])?;
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

/// The state of an item's article for people; `None` if it is not wanted.
pub fn article_state(db: &ReadConnection, item: ItemId) -> Result<Option<String>> {
    let mut statement = db.prepare_cached("SELECT full_text_state, full_text_error FROM item WHERE id = ?1")?;
    let row: Option<(Option<String>, Option<String>)> =
        statement.query_row([item.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(row.and_then(|(page, problem)| match problem {
        Some(problem) => page.map(|page| format!("{page}: {problem}")),
        None => page,
    }))
}
