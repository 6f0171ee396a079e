//! From the bytes of a response to items, outside the async tasks.

use super::{AttemptOutcome, PollContext};
use crate::domain::display_text::one_line;
use crate::domain::panic_text::join_error_text;
use crate::domain::{CacheValidators, DeclaredHub, FeedMetadata, FeedProblem, NewItem, Timestamp};
use crate::feed_parser::{self, FetchedDocument, NotAFeed};
use crate::http_client::{Freshness, LinkRelations, ResponseBody, challenge_in_page};
use crate::ingest::feed_language::detect_feed_language;
use crate::ingest::normalize::normalize_items;
use crate::websub::discovery::discover_hub;
use std::time::Duration;
use url::Url;

/// Time limit for parsing a document. Documents are limited in size and depth, so only a bug exceeds it.
pub(super) const MAX_PARSE_TIME: Duration = Duration::from_secs(30);
/// Characters of a feed's title that are kept.
const MAX_FEED_TITLE_CHARS: usize = 200;

/// A document that was read.
#[derive(Debug)]
pub struct ParsedDocument {
    /// Size of the decoded document in bytes.
    pub bytes: u64,
    pub items: Vec<NewItem>,
    pub problems: Vec<FeedProblem>,
    pub validators: Option<CacheValidators>,
    pub freshness: Freshness,
    pub feed: FeedMetadata,
    /// The hub that the document or the `Link` headers of its response declare.
    pub hub: Option<DeclaredHub>,
}

/// A document to parse, with what its response said about it.
pub(super) struct ParseJob {
    pub body: ResponseBody,
    pub content_type: Option<String>,
    pub url: Url,
    pub links: LinkRelations,
    pub validators: Option<CacheValidators>,
    pub freshness: Freshness,
    pub now: Timestamp,
    pub options: feed_parser::Options,
}

/// Why blocking work gave no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ParseFailure {
    #[error("newsfold was stopped")]
    Stopped,
    #[error("parsing took more than {} s", MAX_PARSE_TIME.as_secs())]
    TimedOut,
    #[error("parsing failed: {0}")]
    Panicked(String),
}

/// Parses another's document on a thread that may block, within the limits on parallel documents and on time. A panic
/// ends this document alone. A parser that never returns loses its slot to the next document.
pub(super) async fn parse_blocking<T: Send + 'static>(
    context: &PollContext,
    parse: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ParseFailure> {
    let _slot = context.parse_slots.acquire().await.map_err(|_| ParseFailure::Stopped)?;
    match tokio::time::timeout(MAX_PARSE_TIME, tokio::task::spawn_blocking(parse)).await {
        Err(_) => Err(ParseFailure::TimedOut),
        Ok(Err(join)) => Err(ParseFailure::Panicked(join_error_text(join))),
        Ok(Ok(parsed)) => Ok(parsed),
    }
}

impl ParseJob {
    pub(super) async fn run(self, context: &PollContext) -> AttemptOutcome {
        match parse_blocking(context, move || self.parse()).await {
            Ok(outcome) => outcome,
            Err(ParseFailure::Stopped) => AttemptOutcome::Abandoned,
            Err(failure) => AttemptOutcome::Crashed { detail: failure.to_string() },
        }
    }

    fn parse(self) -> AttemptOutcome {
        let document = match self.body.decode() {
            Ok(document) => document,
            Err(error) => return AttemptOutcome::Failed { detail: error.to_string() },
        };
        let bytes = document.len() as u64;
        let fetched = FetchedDocument { bytes: &document, content_type: self.content_type.as_deref(), url: &self.url };
        match feed_parser::parse_feed(&fetched, &self.options) {
            Ok((feed, mut problems)) => {
                let items = normalize_items(&feed, &self.url, self.now, &mut problems);
                let hub = discover_hub(&self.links, &feed.hubs, feed.self_url.as_ref());
                let lang = detect_feed_language(&feed, &items);
                let title = feed.title.map(|title| one_line(&title, MAX_FEED_TITLE_CHARS));
                let feed = FeedMetadata {
                    title: title.filter(|title| !title.is_empty()),
                    site_url: feed.site_url.map(String::from),
                    lang,
                    polling_hints: feed.polling_hints,
                };
                let (validators, freshness) = (self.validators, self.freshness);
                AttemptOutcome::Read(Box::new(ParsedDocument {
                    bytes,
                    items,
                    problems,
                    validators,
                    freshness,
                    feed,
                    hub,
                }))
            }
            Err(not_a_feed) => {
                if let Some(service) = challenge_in_page(&document) {
                    return AttemptOutcome::Challenged { service, retry_after: None };
                }
                let detail = not_a_feed.to_string();
                let feeds = if let NotAFeed::Html { feeds } = not_a_feed { feeds } else { Vec::new() };
                AttemptOutcome::NotAFeed { detail, feeds, bytes }
            }
        }
    }
}
