//! A document that a hub pushed, parsed and recorded like that of a poll.
//!
//! It may hold a part of the feed only, so nothing follows from missing items. No request was sent, so the state of the
//! source stays unchanged: validators, polling hints, failures and the next poll.

use super::parse_job::parse_document;
use super::{AttemptOutcome, PollContext};
use crate::domain::display_text::one_line;
use crate::domain::{HubEvent, IngestResult, PollOutcome, PollRecord, SourceState};
use crate::http_client::{LinkRelations, ResponseBody, ResponseDocument};
use crate::store::{self, polls, sources, websub_subscriptions};
use crate::websub::push_queue::PushedDocument;
use crate::websub::push_reliability;
use url::Url;

/// Characters of an error that are kept.
const MAX_DETAIL_CHARS: usize = 500;

/// Parses and stores a pushed document. `None` if its source is no longer polled.
pub async fn receive_push(
    context: &PollContext,
    pushed: PushedDocument,
) -> store::Result<Option<(PollRecord, IngestResult)>> {
    let id = pushed.source;
    let source = context.store.read(move |db| sources::get(db, id)).await?;
    let is_polled = source.is_some_and(|source| source.state == SourceState::Active);
    let Some(url) = Url::parse(&pushed.topic).ok().filter(|_| is_polled) else { return Ok(None) };
    let bytes = pushed.bytes.len() as u64;
    let document = ResponseDocument {
        body: ResponseBody::from_plain_bytes(pushed.bytes),
        content_type: pushed.content_type,
        validators: None,
        fresh_for: None,
        links: LinkRelations::default(),
    };
    let mut record = PollRecord {
        source: id,
        started_at: pushed.at,
        finished_at: pushed.at,
        url: url.to_string(),
        outcome: PollOutcome::Pushed,
        status: None,
        detail: String::new(),
        bytes,
        items: 0,
        requests: Vec::new(),
        problems: Vec::new(),
    };
    let mut items = Vec::new();
    let parsed = parse_document(context, document, url, pushed.at).await;
    record.finished_at = context.clock.now();
    if let AttemptOutcome::Read(document) = parsed {
        record.problems = document.problems;
        items = document.items;
        record.items = items.len() as u32;
    } else {
        let error;
        (record.outcome, error) = match parsed {
            AttemptOutcome::NotAFeed { detail, .. } => (PollOutcome::NotAFeed, detail),
            AttemptOutcome::Crashed { detail } => (PollOutcome::Crashed, detail),
            _ => (PollOutcome::Failed, "the document could not be read".into()),
        };
        record.detail = one_line(&format!("pushed by its hub: {error}"), MAX_DETAIL_CHARS);
    }
    context
        .store
        .write(move |db| {
            let ingested = polls::record_poll(db, &record, None, &items)?;
            if let Some(mut subscription) = websub_subscriptions::get(db, record.source)? {
                subscription.pushes += 1;
                subscription.last_push_at = Some(record.finished_at);
                subscription.reliable |= push_reliability::proves_hub(&subscription, &record);
                let detail = record.detail.clone();
                subscription.last_event = (!detail.is_empty()).then_some(HubEvent::PushUnreadable { detail });
                websub_subscriptions::save(db, &subscription, record.finished_at)?;
            }
            Ok(Some((record.clone(), ingested)))
        })
        .await
}
