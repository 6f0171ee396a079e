//! Pure functions that derive the record, the source's new state and the time of the next poll from an attempt.
//!
//! [`failure_text`] describes why a poll failed, [`server_refusals`] interprets the responses by which a server limits
//! or ends polling, and [`next_poll_time`] sets the time of the next poll. [`super::poll_delay`] computes the delay for
//! each kind of outcome, and [`super::permanent_redirect`] evaluates redirects.

mod failure_text;
mod next_poll_time;
mod server_refusals;

use self::next_poll_time::{delay_by_rate, schedule_next_poll};
use self::server_refusals::{after_gone, after_refusal, after_throttling};
use super::linked_feed;
use super::parsed_document::ParsedDocument;
use super::permanent_redirect;
use super::poll_delay::{self, PollDelay};
use super::poll_facts::PollFacts;
use super::update_rate::{SeenDocument, UpdateRate};
use super::{AttemptOutcome, Options, PollAttempt};
use crate::domain::duration::after;
use crate::domain::{
    CacheValidators, DelayCause, HoldReason, OperatorEvent, OperatorEventKind, OutletProvenance, PollOutcome,
    PollRecord, Source, SourceState, SourceUpdate, Timestamp,
};
use crate::http_client::NoDocument;
use crate::urls::outlet::outlet_of_site;
use jiff::SignedDuration;
use url::Url;

/// The time for which a server may answer conditional requests only with 304. After this time, the server gets one
/// request without validators per `FULL_REQUEST_INTERVAL`, because it may send 304 even if the feed has changed.
const MAX_NOT_MODIFIED_PERIOD: SignedDuration = SignedDuration::from_hours(14 * 24);
const FULL_REQUEST_INTERVAL: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The number of consecutive failures after which the operator is informed. At the default interval, they take five
/// hours.
pub const BROKEN_AFTER_FAILURES: u32 = 5;
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

/// Returns whether the next request for a source omits validators, because a faulty server or cache may respond with
/// 304 forever.
pub(super) fn full_request_is_due(source: &Source, now: Timestamp) -> bool {
    let passed = |since: Timestamp, span| now >= after(since, span);
    source.not_modified_since.is_some_and(|since| passed(since, MAX_NOT_MODIFIED_PERIOD))
        && source.full_request_at.is_none_or(|last| passed(last, FULL_REQUEST_INTERVAL))
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
            poll_delay::after_failures(update.failures, options)
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
            delay_by_rate(input, &rate, floor, update)
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
            poll_delay::after_failures(update.failures, options)
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
    // Clear the validators that this document lacks, because older validators belong to a document that is no longer
    // stored.
    update.validators.clone_from(&document.validators);
    update.truncated_end = document.truncated_end(input.source);
    if update.truncated_end.as_ref().is_some_and(|end| !end.is_confirmed) {
        update.validators = None;
    }
    // An unconditional document does not prove that the server answers conditional requests correctly.
    if input.attempt.is_conditional || document.validators.is_none() {
        update.not_modified_since = None;
    }
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
    delay_by_rate(input, &rate, floor, update)
}

/// Merges validators after a 304 response, which may update them. Validators that it omits remain valid (RFC 9110,
/// section 15.4.5; RFC 9111, section 4.3.4).
fn merge_validators(old: Option<&CacheValidators>, new: Option<&CacheValidators>) -> Option<CacheValidators> {
    let Some(new) = new else { return old.cloned() };
    let mut merged = new.clone();
    if let Some(old) = old.filter(|old| old.url == new.url) {
        merged.etag = merged.etag.or_else(|| old.etag.clone());
        merged.last_modified = merged.last_modified.or_else(|| old.last_modified.clone());
    }
    Some(merged)
}

/// Returns the outlet of the feed's website, if it replaces a guess. A feed is often on another organization's host, so
/// the website identifies the publisher better than the feed's URL does. The operator's choice and the outlet of an
/// earlier website are kept, so that the outlet does not change with every poll.
fn outlet_from_site(source: &Source, site: Option<&str>) -> Option<String> {
    if source.outlet_provenance != OutletProvenance::Guess {
        return None;
    }
    let site = Url::parse(site.or(source.site_url.as_deref())?).ok()?;
    outlet_of_site(&site)
}

/// Informs the operator once when a source breaks and once when it recovers.
fn add_failure_events(input: &PollInput<'_>, PollDecision { record, update }: &mut PollDecision) {
    let failures_before = input.source.failures;
    if update.failures == BROKEN_AFTER_FAILURES && failures_before < BROKEN_AFTER_FAILURES {
        // Events are published, but addresses inside our network must not be.
        let is_private = record.outcome == PollOutcome::PrivateAddress;
        let last = if is_private { "its address is not public" } else { &record.detail };
        let detail = format!("{BROKEN_AFTER_FAILURES} polls in a row failed; the last error: {last}");
        update.events.push(OperatorEvent::new(OperatorEventKind::Broken, detail));
    } else if record.outcome.is_success() && failures_before >= BROKEN_AFTER_FAILURES {
        let detail = format!("it responds again, after {failures_before} failed polls");
        update.events.push(OperatorEvent::new(OperatorEventKind::Recovered, detail));
    }
}

#[cfg(test)]
mod tests;
