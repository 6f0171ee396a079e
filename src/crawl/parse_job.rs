//! Parses response bodies into items, outside the async tasks.

use super::parsed_document::ParsedDocument;
use super::truncation::hold_back_incomplete_item;
use super::{AttemptOutcome, PollContext};
use crate::domain::display_text::one_line;
use crate::domain::panic_text::join_error_text;
use crate::domain::{FeedMetadata, Timestamp};
use crate::feed_parser::{self, FetchedDocument, NotAFeed};
use crate::http_client::{NoDocument, ResponseDocument, challenge_in_page};
use crate::ingest::feed_language::detect_feed_language;
use crate::ingest::normalize::normalize_items;
use crate::websub::hub_discovery::discover_hub;
use jiff::SignedDuration;
use url::Url;

/// The time limit for parsing a document. Documents are limited in size and depth, so only a bug can exceed this time.
pub(super) const MAX_PARSE_TIME: SignedDuration = SignedDuration::from_secs(30);
/// The maximum length of a stored feed title, in characters.
const MAX_FEED_TITLE_CHARS: usize = 200;

/// Parses an untrusted document on a blocking thread, within the limits on concurrency and time. A panic affects only
/// this document. The slot of a parser that never returns is given to the next document.
pub(super) async fn parse_blocking<T: Send + 'static>(
    context: &PollContext,
    parse: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let _slot = context.parse_slots.acquire().await;
    match tokio::time::timeout(MAX_PARSE_TIME.unsigned_abs(), tokio::task::spawn_blocking(parse)).await {
        Err(_) => Err(format!("parsing took more than {} s", MAX_PARSE_TIME.as_secs())),
        Ok(parsed) => parsed.map_err(|join| format!("parsing failed: {}", join_error_text(join))),
    }
}

/// Parses the document at `url`, to which `source_url` redirects. `now` is when the document was received.
pub(super) async fn parse_document(
    context: &PollContext,
    document: ResponseDocument,
    url: Url,
    source_url: Url,
    now: Timestamp,
) -> AttemptOutcome {
    let options = context.parse_options.clone();
    let parsed = parse_blocking(context, move || parse(document, &url, &source_url, now, &options)).await;
    parsed.unwrap_or_else(|detail| AttemptOutcome::Crashed { detail })
}

fn parse(
    document: ResponseDocument,
    url: &Url,
    source_url: &Url,
    now: Timestamp,
    options: &feed_parser::Options,
) -> AttemptOutcome {
    let ResponseDocument { body, content_type, validators, fresh_for, links } = document;
    let document = match body.decode() {
        Ok(document) => document,
        Err(error) => return NoDocument::Failed { detail: error.to_string() }.into(),
    };
    let bytes = document.len() as u64;
    let fetched = FetchedDocument { bytes: &document, content_type: content_type.as_deref(), url };
    match feed_parser::parse_feed(&fetched, options) {
        Ok((feed, mut problems)) => {
            let mut items = normalize_items(&feed, url, source_url, now, &mut problems);
            let incomplete_item = hold_back_incomplete_item(&mut items);
            let hub = discover_hub(&links, &feed.hubs, feed.self_url.as_ref());
            let lang = detect_feed_language(&feed, &items);
            let title = feed.title.map(|title| one_line(&title, MAX_FEED_TITLE_CHARS));
            let feed = FeedMetadata {
                title: title.filter(|title| !title.is_empty()),
                site_url: feed.site_url.map(String::from),
                lang,
                polling_hints: feed.polling_hints,
            };
            let parsed = ParsedDocument { bytes, items, incomplete_item, problems, validators, fresh_for, feed, hub };
            AttemptOutcome::Read(Box::new(parsed))
        }
        Err(not_a_feed) => {
            if let Some(service) = challenge_in_page(&document) {
                return NoDocument::Challenged { service, retry_after: None }.into();
            }
            let detail = not_a_feed.to_string();
            let (feeds, refresh_target) = match not_a_feed {
                NotAFeed::Html { feeds, refresh_target } => (feeds, refresh_target),
                _ => (Vec::new(), None),
            };
            AttemptOutcome::NotAFeed { detail, feeds, refresh_target, bytes }
        }
    }
}
