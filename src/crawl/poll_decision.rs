//! Pure functions that derive the record, the source's new state and the time of the next poll from an attempt.
//!
//! [`failure_text`] describes why a poll failed, and [`failure_events`] decides when the operator is informed.
//! [`server_refusals`] interprets the responses by which a server limits or ends polling. [`stored_validators`] decides
//! whether the next request is conditional. [`next_poll_time`] sets the time of the next poll. [`adaptive_delay`]
//! computes the delay after a success from the update rate, [`failure_delay`] the delay after failures and refusals, and
//! [`poll_delay`] the other delays. [`permanent_redirect`] evaluates redirects.

mod failure_events;
mod failure_text;
mod next_poll_time;
mod server_refusals;
mod source_outlet;
mod stored_validators;

pub use self::failure_events::BROKEN_AFTER_FAILURES;
use self::failure_events::add_failure_events;
use self::next_poll_time::schedule_next_poll;
use self::server_refusals::{after_gone, after_refusal, after_throttling};
use self::source_outlet::outlet_from_site;
pub(super) use self::stored_validators::full_request_is_due;
use self::stored_validators::{keep_after_document, merge_validators};
use super::failure_delay;
use super::linked_feed;
use super::parsed_document::ParsedDocument;
use super::permanent_redirect;
use super::poll_delay::{self, PollDelay};
use super::poll_facts::PollFacts;
use super::update_rate::{SeenDocument, UpdateRate, adaptive_delay};
use super::{AttemptOutcome, Options, PollAttempt};
use crate::domain::{DelayCause, HoldReason, PollOutcome, PollRecord, Source, SourceState, SourceUpdate};
use crate::http_client::NoDocument;
use url::Url;

/// The maximum length of a stored error message, in characters.
pub(super) const MAX_DETAIL_CHARS: usize = 500;

/// The result of an attempt.
#[derive(Debug, Clone)]
pub struct PollDecision {
    pub record: PollRecord,
    pub update: SourceUpdate,
}

/// The input of a decision.
#[derive(Clone, Copy)]
struct PollInput<'a> {
    source: &'a Source,
    attempt: &'a PollAttempt,
    facts: &'a PollFacts,
    options: &'a Options,
}

/// Interprets an attempt to poll `source`.
pub fn decide(source: &Source, attempt: &PollAttempt, facts: &PollFacts, options: &Options) -> PollDecision {
    let input = PollInput { source, attempt, facts, options };
    let mut decision =
        PollDecision { record: attempt_record(source, attempt), update: source_after_attempt(source, attempt) };
    let delay = apply_outcome(&input, &mut decision);
    let PollDecision { record, update } = &mut decision;
    if record.outcome.is_success() {
        update.gone_since = None;
        update.outlet = outlet_from_site(source, update.feed.as_ref().and_then(|feed| feed.site_url.as_deref()));
        permanent_redirect::apply(attempt.permanent_redirect.as_ref(), source, facts, record, update);
    }
    add_failure_events(&input, &mut decision);
    schedule_next_poll(&input, delay, &mut decision);
    linked_feed::apply(source, attempt, facts.redirect_target_is_taken, &mut decision.update);
    decision
}

/// Completes the record, updates the state, and returns the delay that the outcome requires.
fn apply_outcome(input: &PollInput<'_>, decision: &mut PollDecision) -> PollDelay {
    let options = input.options;
    let PollDecision { record, update } = decision;
    match &input.attempt.outcome {
        AttemptOutcome::Read(document) => after_document(input, document, decision),
        AttemptOutcome::NoDocument(reason) => after_no_document(input, reason, decision),
        AttemptOutcome::Offline { since, .. } => {
            poll_delay::while_offline(record.finished_at.duration_since(*since), options)
        }
        AttemptOutcome::Abandoned => PollDelay { span: options.interval, cause: DelayCause::Interrupted },
        AttemptOutcome::NotAFeed { .. } | AttemptOutcome::Crashed { .. } => {
            failure_delay::after_failures(update.failures, options)
        }
    }
}

fn after_no_document(input: &PollInput<'_>, reason: &NoDocument, decision: &mut PollDecision) -> PollDelay {
    let PollInput { source, options, .. } = *input;
    let PollDecision { record, update } = decision;
    let at = record.finished_at;
    match reason {
        NoDocument::NotModified { validators, fresh_for } => {
            update.validators = merge_validators(source.validators.as_ref(), validators.as_ref());
            update.not_modified_since.get_or_insert(at);
            let floor = poll_delay::min_delay(&source.polling_hints, *fresh_for, options);
            let mut rate = UpdateRate::from_json(&source.update_rate);
            rate.observe(at, None);
            delay_after_success(input, &rate, floor, update)
        }
        NoDocument::Throttled { retry_after, fresh_for } => {
            after_throttling(input, poll_delay::requested_delay((*retry_after).max(*fresh_for), options), decision)
        }
        NoDocument::Refused { retry_after } => {
            let requested = poll_delay::requested_delay(*retry_after, options);
            after_refusal(input, HoldReason::Refused { shortened: requested.shortened }, requested.span, decision)
        }
        NoDocument::Challenged { service, retry_after } => {
            let requested = poll_delay::requested_delay(*retry_after, options);
            let reason = HoldReason::Challenged { service: (*service).to_owned(), shortened: requested.shortened };
            after_refusal(input, reason, requested.span, decision)
        }
        NoDocument::Held { origin, until } => {
            let span = until.duration_since(at).max(options.interval);
            PollDelay { span, cause: DelayCause::RedirectOnHold { origin: origin.clone() } }
        }
        NoDocument::Gone => after_gone(input, decision),
        NoDocument::Failed { .. } | NoDocument::Unreachable { .. } | NoDocument::Blocked { .. } => {
            failure_delay::after_failures(update.failures, options)
        }
    }
}

/// Returns the record of an attempt, excluding values that depend on the options.
fn attempt_record(source: &Source, attempt: &PollAttempt) -> PollRecord {
    let document = match &attempt.outcome {
        AttemptOutcome::Read(document) => Some(document),
        _ => None,
    };
    PollRecord {
        source: source.id,
        started_at: attempt.started_at,
        finished_at: attempt.finished_at,
        url: attempt.url.as_ref().map_or_else(|| source.url.clone(), Url::to_string),
        outcome: attempt.outcome.poll_outcome(),
        status: attempt.status,
        detail: attempt.outcome.failure_text(),
        detail_time: attempt.outcome.failure_time(),
        bytes: attempt.outcome.document_bytes(),
        items: document.map_or(0, |document| document.items.len() as u32),
        requests: attempt.requests.clone(),
        problems: document.map_or_else(Vec::new, |document| document.problems.clone()),
    }
}

/// Returns the state of a source after an attempt, before the outcome is evaluated: only the number of failures and the
/// time of the last request without validators have changed.
fn source_after_attempt(source: &Source, attempt: &PollAttempt) -> SourceUpdate {
    let failures = match attempt.outcome.poll_outcome() {
        outcome if outcome.is_success() => 0,
        // The source did not cause these outcomes.
        PollOutcome::Held | PollOutcome::Offline | PollOutcome::Abandoned => source.failures,
        _ => source.failures + 1,
    };
    SourceUpdate {
        polled_url: source.url.clone(),
        new_url: None,
        state: SourceState::Active,
        next_poll_at: attempt.finished_at,
        next_poll_reason: source.next_poll_reason.clone(),
        failures,
        hold_until: None,
        origin_hold: None,
        pending_redirect: source.pending_redirect.clone(),
        gone_since: source.gone_since,
        update_rate: source.update_rate.clone(),
        validators: source.validators.clone(),
        not_modified_since: source.not_modified_since,
        full_request_at: if attempt.is_conditional || attempt.requests.is_empty() {
            source.full_request_at
        } else {
            Some(attempt.started_at)
        },
        truncated_end: source.truncated_end.clone(),
        feed_search_steps: if failures == 0 { 0 } else { source.feed_search_steps },
        feed: None,
        outlet: None,
        events: Vec::new(),
    }
}

fn after_document(input: &PollInput<'_>, document: &ParsedDocument, decision: &mut PollDecision) -> PollDelay {
    let update = &mut decision.update;
    update.truncated_end = document.truncated_end(input.source);
    keep_after_document(input, document, update);
    update.feed = Some(document.feed.clone());
    let floor = poll_delay::min_delay(&document.feed.polling_hints, document.fresh_for, input.options);
    let mut rate = UpdateRate::from_json(&input.source.update_rate);
    // For the first document, the dates of all items are evidence, whether or not the items are known.
    let all_dates: Vec<_>;
    let new_item_dates = if rate.is_unknown() {
        all_dates = document.items.iter().map(|item| item.published_at).collect();
        &all_dates
    } else {
        &input.facts.new_item_dates
    };
    rate.observe(input.attempt.finished_at, Some(SeenDocument { items: document.items.len(), new_item_dates }));
    delay_after_success(input, &rate, floor, update)
}

/// Stores the update rate, and returns the delay after a success, which is at least `floor`.
fn delay_after_success(
    input: &PollInput<'_>,
    rate: &UpdateRate,
    floor: PollDelay,
    update: &mut SourceUpdate,
) -> PollDelay {
    update.update_rate = rate.to_json();
    // The update rate does not change an interval that the operator set for the source.
    if input.source.poll_interval.is_some() {
        return floor;
    }
    adaptive_delay::delay_by_rate(rate, input.attempt.finished_at, input.facts.budget_multiplier, floor, input.options)
}

#[cfg(test)]
mod tests;
