//! A document that a hub pushed, read like that of a poll and recorded like one.
//!
//! It may hold a part of the feed only, so that nothing follows from what is missing; and no server was asked, so that
//! validators, ttl, failures and the next poll stay as they are.

use super::parse_job::{ParseJob, read};
use super::{AttemptOutcome, PollContext};
use crate::domain::display_text::one_line;
use crate::domain::{HubEvent, IngestResult, NewItem, PollOutcome, PollRecord, Source, SourceState, Timestamp};
use crate::http_client::{Freshness, LinkRelations, ResponseBody};
use crate::store::{self, polls, sources, websub_subscriptions};
use crate::websub::push_queue::PushedDocument;
use crate::websub::push_reliability;
use url::Url;

/// Reads and stores what was pushed. `None` where its source is polled no more.
pub async fn receive_push(
    context: &PollContext,
    pushed: PushedDocument,
) -> store::Result<Option<(PollRecord, IngestResult)>> {
    let id = pushed.source;
    let source = context.store.read(move |db| sources::get(db, id)).await?;
    let (Some(source), Ok(url)) = (source.filter(|s| s.state == SourceState::Active), Url::parse(&pushed.topic)) else {
        return Ok(None);
    };
    let PushedDocument { bytes, content_type, at, .. } = pushed;
    let size = bytes.len() as u64;
    let options = context.parse_options.clone();
    let work = ParseJob {
        body: ResponseBody::from_plain_bytes(bytes),
        content_type,
        url: url.clone(),
        links: LinkRelations::default(),
        now: at,
        options,
    };
    let answer = read(context, work, None, Freshness::default()).await;
    let (record, items) = judge(&source, &url, answer, size, (at, context.clock.now()));
    context
        .store
        .write(move |db| {
            let stored = polls::record_push(db, &record, &items)?;
            if let Some(mut known) = websub_subscriptions::get(db, record.source)? {
                known.pushes += 1;
                known.last_push_at = Some(record.finished_at);
                known.reliable |= push_reliability::proves_hub(&known, &record);
                let detail = record.detail.clone();
                known.last_event = (!detail.is_empty()).then_some(HubEvent::PushUnreadable { detail });
                websub_subscriptions::save(db, &known, record.finished_at)?;
            }
            Ok(Some((record.clone(), stored)))
        })
        .await
}

/// The record of a push, and the items that it brought.
fn judge(
    source: &Source,
    url: &Url,
    answer: AttemptOutcome,
    bytes: u64,
    (started_at, finished_at): (Timestamp, Timestamp),
) -> (PollRecord, Vec<NewItem>) {
    let pushed = |detail: String| one_line(&format!("pushed by its hub: {detail}"), 500);
    let (outcome, detail, items, problems) = match answer {
        AttemptOutcome::Read(reading) => (PollOutcome::Pushed, String::new(), reading.items, reading.problems),
        AttemptOutcome::NotAFeed { detail, .. } => (PollOutcome::NotAFeed, pushed(detail), Vec::new(), Vec::new()),
        AttemptOutcome::Crashed { detail } => (PollOutcome::Crashed, pushed(detail), Vec::new(), Vec::new()),
        _ => (PollOutcome::Failed, pushed("it could not be read".into()), Vec::new(), Vec::new()),
    };
    let record = PollRecord {
        source: source.id,
        started_at,
        finished_at,
        asked_url: source.url.clone(),
        url: url.to_string(),
        outcome,
        status: None,
        detail,
        bytes,
        items: items.len() as u32,
        requests: Vec::new(),
        problems,
        state: source.state,
        failures: source.failures,
        next_poll_at: source.next_poll_at,
        next_reason: source.next_reason.clone(),
        hold_until: source.hold_until,
        origin_hold: None,
        moving: source.moving.clone(),
        new_url: None,
        gone_since: source.gone_since,
        rate: source.rate.clone(),
        events: Vec::new(),
        validators: source.validators.clone(),
        feed_title: None,
        feed_site_url: None,
        feed_outlet: None,
        feed_lang: None,
        feed_wishes: None,
    };
    (record, items)
}
