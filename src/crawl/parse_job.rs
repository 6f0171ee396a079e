//! ParsedDocument a document: from the bytes that came over the wire to items, away from the tasks that do I/O.

use super::{AttemptOutcome, PollContext};
use crate::domain::panic_text::join_error_text;
use crate::domain::{CacheValidators, DeclaredHub, FeedProblem, NewItem, PollingHints, Timestamp};
use crate::feed_parser::{self, FetchedDocument, NotAFeed, ParsedFeed};
use crate::http_client::{Freshness, LinkRelations, ResponseBody, challenge_in_page};
use crate::ingest::feed_language::detect_feed_language;
use crate::ingest::normalize::normalize_items;
use crate::websub::discovery::discover_hub;
use std::time::Duration;
use url::Url;

/// A document may take so long to be read before its poll is recorded as crashed. ParsedDocument is bounded in size and
/// depth, so that this is reached by bugs alone.
pub(super) const MAX_PARSE_TIME: Duration = Duration::from_secs(30);

/// A document that was read.
#[derive(Debug)]
pub struct ParsedDocument {
    pub bytes: u64,
    pub items: Vec<NewItem>,
    pub problems: Vec<FeedProblem>,
    pub validators: Option<CacheValidators>,
    pub freshness: Freshness,
    pub title: Option<String>,
    pub site_url: Option<String>,
    pub lang: Option<String>,
    pub wishes: PollingHints,
    /// The hub that it declares, in its own links or in its server's.
    pub hub: Option<DeclaredHub>,
}

/// What is to be read.
pub(super) struct ParseJob {
    pub body: ResponseBody,
    pub content_type: Option<String>,
    pub url: Url,
    pub links: LinkRelations,
    pub now: Timestamp,
    pub options: feed_parser::Options,
}

/// Reads a document away from the tasks that do I/O. A panic in there is this document's end and nobody else's; one that
/// never ends gives its place to the next.
pub(super) async fn read(
    context: &PollContext,
    work: ParseJob,
    validators: Option<CacheValidators>,
    freshness: Freshness,
) -> AttemptOutcome {
    let Ok(_place) = context.parse_slots.acquire().await else {
        return AttemptOutcome::Abandoned;
    };
    let reading = tokio::task::spawn_blocking(move || work.answer(validators, freshness));
    match tokio::time::timeout(MAX_PARSE_TIME, reading).await {
        Err(_) => AttemptOutcome::Crashed {
            detail: format!("reading the document took more than {} s", MAX_PARSE_TIME.as_secs()),
        },
        Ok(Err(join)) => {
            AttemptOutcome::Crashed { detail: format!("reading the document failed: {}", join_error_text(join)) }
        }
        Ok(Ok(answer)) => answer,
    }
}

impl ParseJob {
    fn answer(self, validators: Option<CacheValidators>, freshness: Freshness) -> AttemptOutcome {
        let bytes = match self.body.decode() {
            Ok(bytes) => bytes,
            Err(error) => return AttemptOutcome::Failed { detail: error.to_string() },
        };
        let size = bytes.len() as u64;
        let document = FetchedDocument { bytes: &bytes, content_type: self.content_type.as_deref(), url: &self.url };
        match feed_parser::parse_feed(&document, &self.options) {
            Ok((feed, mut problems)) => {
                let items = normalize_items(&feed, &self.url, self.now, &mut problems);
                let hub = discover_hub(&self.links, &feed.hubs, feed.self_url.as_ref());
                let reading = reading_of(feed, items, problems, size, validators, freshness);
                AttemptOutcome::Read(Box::new(ParsedDocument { hub, ..reading }))
            }
            Err(not_a_feed) => {
                if let Some(by) = challenge_in_page(&bytes) {
                    return AttemptOutcome::Challenged { by, retry_after: None };
                }
                let detail = not_a_feed.to_string();
                let feeds = if let NotAFeed::Html { feeds } = not_a_feed { feeds } else { Vec::new() };
                AttemptOutcome::NotAFeed { detail, feeds, bytes: size }
            }
        }
    }
}

fn reading_of(
    feed: ParsedFeed,
    items: Vec<NewItem>,
    problems: Vec<FeedProblem>,
    bytes: u64,
    validators: Option<CacheValidators>,
    freshness: Freshness,
) -> ParsedDocument {
    ParsedDocument {
        bytes,
        lang: detect_feed_language(&feed, &items),
        items,
        problems,
        validators,
        freshness,
        title: feed.title.map(|t| crate::domain::display_text::one_line(&t, 200)).filter(|t| !t.is_empty()),
        site_url: feed.site_url.map(String::from),
        wishes: feed.polling_hints,
        hub: None,
    }
}
