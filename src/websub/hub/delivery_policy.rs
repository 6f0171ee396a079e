//! What follows from what a callback or a hub said. Pure: answers in, what is to be written down out.
//!
//! What did not arrive is sent again, ever more rarely: after a minute, doubling up to six hours, until it arrives, the
//! lease ends, or twenty times in a row were in vain. There is no queue: what is sent is what the document then holds.

use crate::domain::backoff::doubling;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::domain::{HubMode, SubscriberRequest, Timestamp};
use crate::http_client::{CallbackResponse, HubResponse};
use jiff::SignedDuration;
use std::time::Duration;
use url::Url;

const FIRST_RETRY_DELAY: SignedDuration = SignedDuration::from_mins(1);
const MAX_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(6);
/// In vain in a row, after which there is no next time.
const MAX_CONSECUTIVE_FAILURES: u32 = 20;
/// Questions to a callback of which nobody has written down the answer: we fell in the middle.
pub const MAX_VERIFICATION_ATTEMPTS: u32 = 2;

/// The question that a callback is asked (section 5.3). What its own query holds stays.
pub fn verification_url(request: &SubscriberRequest, challenge: &str) -> Result<Url, url::ParseError> {
    let mut url = Url::parse(&request.callback)?;
    url.query_pairs_mut().extend_pairs([
        ("hub.mode", request.mode.as_str()),
        ("hub.topic", request.topic.as_str()),
        ("hub.challenge", challenge),
    ]);
    if request.mode == HubMode::Subscribe {
        url.query_pairs_mut().append_pair("hub.lease_seconds", &request.lease.as_secs().to_string());
    }
    Ok(url)
}

/// Whether a callback has confirmed what it was asked; or why not.
pub fn check_echo(answer: &CallbackResponse, challenge: &str) -> Result<(), String> {
    match answer {
        CallbackResponse::Answered { status: 200..=299, body, .. } if body == challenge.as_bytes() => Ok(()),
        CallbackResponse::Answered { status: 200..=299, .. } => Err("it did not echo the challenge".into()),
        CallbackResponse::Answered { status, .. } => Err(format!("it answered {status}")),
        CallbackResponse::Failed { detail } => Err(one_line(detail, 300)),
    }
}

/// What became of something that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryResult {
    Delivered,
    /// It is sent again from then on, unless there is something newer.
    Retry {
        at: Timestamp,
        detail: String,
    },
    /// Nothing is sent there any more.
    GiveUp {
        detail: String,
    },
}

/// When something is sent again that is only about to be sent: it counts as not arrived until somebody says that it has.
/// `failures` are those before it.
pub fn next_attempt_at(failures: u32, now: Timestamp) -> Timestamp {
    after(now, doubling(FIRST_RETRY_DELAY, MAX_RETRY_DELAY, failures))
}

/// Judges what a callback said to a document. `failures` are those in a row before it.
pub fn evaluate_delivery(answer: &CallbackResponse, failures: u32, now: Timestamp) -> DeliveryResult {
    match answer {
        CallbackResponse::Answered { status: 200..=299, .. } => DeliveryResult::Delivered,
        CallbackResponse::Answered { status: 410, .. } => {
            DeliveryResult::GiveUp { detail: "it answered 410, gone".into() }
        }
        CallbackResponse::Answered { status, retry_after, .. } => {
            retry_or_give_up(failures, *retry_after, format!("it answered {status}"), now)
        }
        CallbackResponse::Failed { detail } => retry_or_give_up(failures, None, one_line(detail, 300), now),
    }
}

/// Judges what a hub said to a ping.
pub fn evaluate_notification(answer: &HubResponse, failures: u32, now: Timestamp) -> DeliveryResult {
    match answer {
        HubResponse::Accepted => DeliveryResult::Delivered,
        HubResponse::Refused { detail, retry_after, .. } => {
            retry_or_give_up(failures, *retry_after, one_line(detail, 300), now)
        }
    }
}

/// Who is asked for more time gives it, up to the longest wait.
fn retry_or_give_up(failures: u32, retry_after: Option<Duration>, detail: String, now: Timestamp) -> DeliveryResult {
    if failures + 1 >= MAX_CONSECUTIVE_FAILURES {
        return DeliveryResult::GiveUp {
            detail: format!("{} times in a row in vain; at last: {detail}", failures + 1),
        };
    }
    let asked = retry_after.and_then(|span| SignedDuration::try_from(span).ok()).unwrap_or_default();
    DeliveryResult::Retry { at: next_attempt_at(failures, now).max(after(now, asked.min(MAX_RETRY_DELAY))), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn answered(status: u16, retry_after: Option<u64>, body: &str) -> CallbackResponse {
        CallbackResponse::Answered { status, retry_after: retry_after.map(Duration::from_secs), body: body.into() }
    }

    fn minutes(sent: DeliveryResult) -> i64 {
        match sent {
            DeliveryResult::Retry { at, .. } => at.duration_since(NOW).as_mins(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_question_keeps_the_callbacks_own_query() {
        let mut request = SubscriberRequest {
            topic: "https://news.example/a?b=c&d".into(),
            callback: "https://reader.example/push?id=7&x=%20y".into(),
            host: "reader.example".into(),
            client: None,
            mode: HubMode::Subscribe,
            secret: None,
            lease: SignedDuration::from_hours(1),
            verify_at: NOW,
        };
        let asked = "https://reader.example/push?id=7&x=%20y&hub.mode=subscribe\
                     &hub.topic=https%3A%2F%2Fnews.example%2Fa%3Fb%3Dc%26d&hub.challenge=c&hub.lease_seconds=3600";
        assert_eq!(verification_url(&request, "c").unwrap().as_str(), asked);
        request.mode = HubMode::Unsubscribe;
        request.callback = "https://reader.example/push".into();
        let asked = verification_url(&request, "c").unwrap();
        assert!(asked.as_str().starts_with("https://reader.example/push?hub.mode=unsubscribe&hub.topic="), "{asked}");
        assert!(!asked.as_str().contains("lease"), "{asked}");
    }

    #[test]
    fn only_the_very_challenge_with_a_2xx_confirms() {
        for status in [200, 202, 299] {
            assert_eq!(check_echo(&answered(status, None, "abc"), "abc"), Ok(()));
        }
        for (status, body) in [(200, "abd"), (200, ""), (200, "abc\n"), (200, "xabc"), (302, "abc"), (404, "abc")] {
            assert!(check_echo(&answered(status, None, body), "abc").is_err(), "{status} {body}");
        }
        assert!(check_echo(&CallbackResponse::Failed { detail: "abc".into() }, "abc").is_err());
    }

    #[test]
    fn what_does_not_arrive_is_sent_ever_more_rarely_and_not_for_ever() {
        let failing = |failures| evaluate_delivery(&answered(500, None, ""), failures, NOW);
        let waits: Vec<i64> = [0, 1, 2, 8, 9, 18].map(|failures| minutes(failing(failures))).into();
        assert_eq!(waits, [1, 2, 4, 256, 360, 360]);
        assert!(matches!(failing(19), DeliveryResult::GiveUp { .. }));
        let refused = HubResponse::Refused { detail: "busy".into(), status: Some(503), retry_after: None };
        assert_eq!(minutes(evaluate_notification(&refused, 2, NOW)), 4);
        assert!(matches!(evaluate_notification(&refused, 19, NOW), DeliveryResult::GiveUp { .. }));
        assert_eq!(evaluate_notification(&HubResponse::Accepted, 19, NOW), DeliveryResult::Delivered);
    }

    #[test]
    fn who_asks_for_time_gets_it_within_bounds() {
        let after = |seconds| minutes(evaluate_delivery(&answered(503, Some(seconds), ""), 0, NOW));
        assert_eq!([after(0), after(600), after(u64::MAX / 2)], [1, 10, 360]);
    }

    #[test]
    fn a_410_is_the_end_and_a_redirect_is_a_failure() {
        assert!(matches!(evaluate_delivery(&answered(410, None, ""), 0, NOW), DeliveryResult::GiveUp { .. }));
        assert_eq!(minutes(evaluate_delivery(&answered(307, None, ""), 0, NOW)), 1);
        assert_eq!(evaluate_delivery(&answered(204, None, ""), 5, NOW), DeliveryResult::Delivered);
    }
}
