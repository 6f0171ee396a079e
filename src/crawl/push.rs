//! Parses and records a document that a hub pushed, and determines the effects of a poll on the source's hub
//! subscription.
//!
//! A pushed document may contain only part of the feed, so missing items are not treated as removed. No request was
//! sent, so the state of the source is unchanged: validators, polling hints, failures and the next poll.

use super::parse_job::parse_document;
use super::poll_decision::MAX_DETAIL_CHARS;
use super::{AttemptOutcome, PollContext};
use crate::domain::display_text::one_line;
use crate::domain::{
    DeclaredHub, HubEvent, IngestResult, NextPollReason, PollOutcome, PollRecord, PollingHints, SourceId, SourceState,
    SourceUpdate, Timestamp,
};
use crate::http_client::{LinkRelations, ResponseBody, ResponseDocument};
use crate::store::{self, WriteConnection, polls, sources, websub_subscriptions};
use crate::websub::push_queue::PushedDocument;
use crate::websub::push_reliability::{self, SafetyPollDecision};
use jiff::SignedDuration;
use url::Url;

/// Parses and stores a pushed document. Returns `None` if its source is no longer polled.
pub async fn receive_push(
    context: &PollContext,
    pushed: PushedDocument,
) -> store::Result<Option<(PollRecord, IngestResult)>> {
    let id = pushed.source;
    let source = context.store.read(move |db| sources::get(db, id)).await?;
    let Some(source) = source.filter(|source| source.state == SourceState::Active) else { return Ok(None) };
    let (Ok(url), Ok(source_url)) = (Url::parse(&pushed.topic), Url::parse(&source.url)) else { return Ok(None) };
    let bytes = pushed.bytes.len() as u64;
    let document = ResponseDocument {
        body: ResponseBody::from_plain_bytes(pushed.bytes),
        content_type: pushed.content_type,
        validators: None,
        fresh_for: None,
        links: LinkRelations::default(),
    };
    let mut record = record_of_push(id, url.to_string(), pushed.at, bytes);
    let mut items = Vec::new();
    let parsed = parse_document(context, document, url, source_url, pushed.at).await;
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
    let grouping_window = context.grouping_window;
    context
        .store
        .write(move |db| {
            super::mark_new_backlog(db, &record, &mut items, grouping_window)?;
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

/// Returns the record of a push before its document is parsed.
fn record_of_push(source: SourceId, url: String, at: Timestamp, bytes: u64) -> PollRecord {
    PollRecord { url, bytes, ..PollRecord::empty(source, at, PollOutcome::Pushed) }
}

/// The facts that determine how a poll affects the hub subscription of its source, and whether the next poll is a
/// safety poll. The transaction that records the poll applies them.
pub(super) struct SafetyPollFacts {
    /// The hub that the document declares. The outer `None` means that no document was read.
    pub declared_hub: Option<Option<DeclaredHub>>,
    /// The time between safety polls; `None` if hubs are not used.
    pub interval: Option<SignedDuration>,
    /// The feed's polling hints before this poll.
    pub polling_hints: PollingHints,
}

impl SafetyPollFacts {
    /// Stores the effects of a poll that is already recorded.
    pub(super) fn apply(
        &self,
        db: &WriteConnection,
        record: &PollRecord,
        update: &mut SourceUpdate,
        new_items: usize,
    ) -> store::Result<()> {
        let (source, now) = (record.source, record.finished_at);
        if let Some(declared) = &self.declared_hub {
            websub_subscriptions::set_declared_hub(db, source, declared.as_ref(), now)?;
        }
        let Some(mut subscription) = websub_subscriptions::get(db, source)? else { return Ok(()) };
        // The record of this poll has scheduled the next poll by the ordinary rules, which ends the deferral of polls.
        websub_subscriptions::clear_deferral(db, source)?;
        let Some(interval) = self.interval else { return Ok(()) };
        match push_reliability::evaluate_poll(&subscription, record, update.next_poll_at, new_items, interval) {
            SafetyPollDecision::Unchanged => {}
            SafetyPollDecision::Unreliable => {
                subscription.reliable = false;
                subscription.last_event = Some(HubEvent::ItemsMissed { items: new_items });
                websub_subscriptions::save(db, &subscription, now)?;
            }
            SafetyPollDecision::Defer { until } => {
                let hints = update.feed.as_ref().map_or(&self.polling_hints, |feed| &feed.polling_hints);
                let until = hints.first_allowed(until, interval);
                let reason = NextPollReason::SafetyPoll { interval_seconds: interval.as_secs() };
                websub_subscriptions::defer_poll(db, source, update.next_poll_at, until, &reason)?;
                update.next_poll_at = until;
                update.next_poll_reason = reason;
            }
        }
        Ok(())
    }
}
