//! Decides when to repeat a failed delivery: of a document to a subscriber of our own hub, of a notification to another
//! hub, and of an entry to a webhook. Pure functions map responses to results.
//!
//! A failed delivery is retried after a minute. The delay doubles with each failure, up to six hours. Retries end with
//! a successful delivery, at the end of the lease, or after twenty consecutive failures. Each attempt sends the latest
//! version. The task for webhooks sends the same entry again, and skips it after fewer failures.

use crate::domain::doubling_delay::doubling;
use crate::domain::duration::after;
use crate::domain::{Timestamp, WebSubFailure};
use crate::http_client::{WebSubRequestError, WebSubResponse};
use jiff::SignedDuration;

const FIRST_RETRY_DELAY: SignedDuration = SignedDuration::from_mins(1);
const MAX_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(6);
const MAX_CONSECUTIVE_FAILURES: u32 = 20;
/// The number of failed attempts after which the task for webhooks skips an entry and announces the next one.
pub(super) const MAX_WEBHOOK_ATTEMPTS: u32 = 8;

/// The result of a delivery or of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DeliveryResult {
    /// The server accepted the document or the notification.
    Delivered,
    /// The latest version of the document is sent at this time.
    Retry { at: Timestamp, failure: WebSubFailure },
    /// There are no more attempts.
    GiveUp { failure: WebSubFailure },
}

/// Returns the time of the next attempt if the attempt that is about to be made fails. The attempt counts as failed
/// until its result is recorded; `failures` is the number of consecutive failures before it.
pub(super) fn next_attempt_at(failures: u32, now: Timestamp) -> Timestamp {
    after(now, doubling(FIRST_RETRY_DELAY, MAX_RETRY_DELAY, failures))
}

/// Evaluates a delivery. `failures` is the number of previous consecutive failures.
pub(super) fn evaluate_delivery(
    response: Result<WebSubResponse, WebSubRequestError>,
    failures: u32,
    now: Timestamp,
) -> DeliveryResult {
    match response {
        Err(error) if error.failure.status() == Some(410) => DeliveryResult::GiveUp { failure: error.failure },
        response => evaluate_notification(response, failures, now),
    }
}

/// Evaluates the response to a notification sent to another hub. `failures` is the number of previous consecutive
/// failures. A `Retry-After` can delay the next attempt up to the maximum, but cannot advance it.
pub(super) fn evaluate_notification(
    response: Result<WebSubResponse, WebSubRequestError>,
    failures: u32,
    now: Timestamp,
) -> DeliveryResult {
    let Err(WebSubRequestError { failure, retry_after }) = response else { return DeliveryResult::Delivered };
    let attempts = failures + 1;
    if attempts >= MAX_CONSECUTIVE_FAILURES {
        return DeliveryResult::GiveUp { failure: WebSubFailure::GaveUp { attempts, last: Box::new(failure) } };
    }
    let requested = retry_after.unwrap_or_default().min(MAX_RETRY_DELAY);
    DeliveryResult::Retry { at: next_attempt_at(failures, now).max(after(now, requested)), failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn response(status: u16, retry_after: Option<i64>) -> Result<WebSubResponse, WebSubRequestError> {
        if status < 300 {
            return Ok(WebSubResponse { status, body: Vec::new() });
        }
        let failure = WebSubFailure::Status { status, message: String::new() };
        Err(WebSubRequestError { failure, retry_after: retry_after.map(SignedDuration::from_secs) })
    }

    fn deliver(status: u16, retry_after: Option<i64>, failures: u32) -> DeliveryResult {
        evaluate_delivery(response(status, retry_after), failures, NOW)
    }

    fn minutes(result: DeliveryResult) -> i64 {
        match result {
            DeliveryResult::Retry { at, .. } => at.duration_since(NOW).as_mins(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn failed_delivery_is_retried_with_backoff_and_finally_given_up() {
        let delays: Vec<i64> = [0, 1, 2, 8, 9, 18].map(|failures| minutes(deliver(500, None, failures))).into();
        assert_eq!(delays, [1, 2, 4, 256, 360, 360]);
        assert!(matches!(deliver(500, None, 19), DeliveryResult::GiveUp { .. }));
        let no_response =
            |failures| evaluate_delivery(Err(WebSubRequestError::no_response("timed out")), failures, NOW);
        assert_eq!(minutes(no_response(2)), 4);
    }

    #[test]
    fn failed_notification_is_retried_with_backoff_and_finally_given_up() {
        let busy = || {
            let failure = WebSubFailure::Status { status: 503, message: "busy".into() };
            Err(WebSubRequestError { failure, retry_after: None })
        };
        assert_eq!(minutes(evaluate_notification(busy(), 2, NOW)), 4);
        assert!(matches!(evaluate_notification(busy(), 19, NOW), DeliveryResult::GiveUp { .. }));
        assert_eq!(evaluate_notification(response(202, None), 19, NOW), DeliveryResult::Delivered);
    }

    #[test]
    fn retry_after_is_respected_up_to_a_maximum() {
        let delay = |seconds| minutes(deliver(503, Some(seconds), 0));
        assert_eq!([delay(0), delay(600), delay(i64::MAX / 2)], [1, 10, 360]);
    }

    #[test]
    fn status_410_ends_the_subscription_and_a_redirect_is_a_failure() {
        assert!(matches!(deliver(410, None, 0), DeliveryResult::GiveUp { .. }));
        assert_eq!(minutes(deliver(307, None, 0)), 1);
        assert_eq!(deliver(204, None, 5), DeliveryResult::Delivered);
    }
}
