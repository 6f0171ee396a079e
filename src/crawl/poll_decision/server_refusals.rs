//! Interprets the responses by which a server limits or ends polling: 429, 503, 403, bot challenges, and 410.

use super::super::failure_delay;
use super::super::poll_delay::{self, PollDelay, RequestedDelay};
use super::{PollDecision, PollInput};
use crate::domain::duration::after;
use crate::domain::{DelayCause, HoldReason, OperatorEvent, OperatorEventKind, OriginHold, SourceState, Timestamp};
use crate::http_client::origin_of;
use crate::wording::hold_reason_text;
use jiff::SignedDuration;
use url::Url;

/// The delay between a feed's first 410 response and the poll that confirms it. A confirmed response ends polling.
const GONE_CONFIRMATION_DELAY: SignedDuration = SignedDuration::from_hours(24);

/// Handles 429 and 503. If the server requests a delay longer than the backoff, the requested delay takes precedence.
pub(super) fn after_throttling(
    input: &PollInput<'_>,
    requested: RequestedDelay,
    PollDecision { record, update }: &mut PollDecision,
) -> PollDelay {
    let at = record.finished_at;
    let reason = HoldReason::Throttled { shortened: requested.shortened };
    record.detail = hold_reason_text(&reason);
    update.hold_until = (!requested.span.is_zero()).then(|| after(at, requested.span));
    // 429 applies to all requests to the server (RFC 6585, section 4), but 503 may apply only to this document.
    if input.attempt.status == Some(429) {
        // The failures of this source do not count against other sources of the server.
        let until = after(at, requested.span.max(input.options.interval));
        update.origin_hold = throttling_hold(input, until, reason);
    }
    poll_delay::longest([
        PollDelay { span: requested.span, cause: DelayCause::RetryAfter },
        failure_delay::after_failures(update.failures, input.options),
    ])
}

/// Handles 403 and bot challenges. The whole origin is put on hold unless it successfully serves other sources.
pub(super) fn after_refusal(
    input: &PollInput<'_>,
    reason: HoldReason,
    requested: SignedDuration,
    PollDecision { record, update }: &mut PollDecision,
) -> PollDelay {
    record.detail = hold_reason_text(&reason);
    let delay = poll_delay::longest([
        failure_delay::after_refusal(input.source),
        PollDelay { span: requested, cause: DelayCause::RetryAfter },
    ]);
    let until = after(record.finished_at, delay.span);
    update.hold_until = Some(until);
    // A redirect target, or a page with status 200, is not evidence about the origin's other feeds. A 429 response is
    // evidence about them.
    let is_own_origin =
        Url::parse(&input.source.url).is_ok_and(|url| Some(origin_of(&url).as_str()) == input.attempt.last_origin());
    let is_error = record.status.is_some_and(|status| status >= 400);
    if is_error && is_own_origin && !input.facts.origin_serves_others {
        let origin = input.attempt.last_origin().map(str::to_owned);
        update.origin_hold = origin.map(|origin| OriginHold { origin, domain: None, until, reason });
    } else if record.status == Some(429) {
        let until = after(record.finished_at, requested.max(input.options.interval));
        update.origin_hold = throttling_hold(input, until, reason);
    }
    delay
}

fn throttling_hold(input: &PollInput<'_>, until: Timestamp, reason: HoldReason) -> Option<OriginHold> {
    Some(input.options.throttling_hold(input.attempt.last_origin()?.to_owned(), until, reason))
}

/// Handles 410. A second 410 response a day later marks the source as gone.
pub(super) fn after_gone(input: &PollInput<'_>, PollDecision { record, update }: &mut PollDecision) -> PollDelay {
    let at = record.finished_at;
    let confirmed_at = after(*update.gone_since.get_or_insert(at), GONE_CONFIRMATION_DELAY);
    if at >= confirmed_at {
        update.state = SourceState::Gone;
        update.events.push(OperatorEvent::new(OperatorEventKind::Gone, record.detail.as_str()));
    }
    let span = confirmed_at.duration_since(at).max(input.options.interval);
    PollDelay { span, cause: DelayCause::GoneConfirmation }
}
