//! What each event makes of a subscription. Pure: it is changed in memory, and whoever calls writes it down.

use super::renewal_schedule;
use super::verification::VerificationOutcome;
use crate::domain::display_text::one_line;
use crate::domain::{HubMode, HubSubscription, SubscriptionState, Timestamp};
use crate::http_client::HubResponse;

/// A callback and a secret that were just drawn.
pub struct NewCredentials {
    pub callback: String,
    pub secret: String,
}

/// The hub is about to be asked to subscribe: anew, by `fresh`, or once more. This is written down before it is.
pub fn begin_subscribe(known: &mut HubSubscription, fresh: Option<NewCredentials>, now: Timestamp) {
    if let Some(fresh) = fresh {
        known.asked = known.declared.clone();
        known.callback = Some(fresh.callback);
        known.secret = Some(fresh.secret);
        known.lease_until = None;
    }
    if known.state == SubscriptionState::Active {
        known.renewing = true;
    } else {
        known.state = SubscriptionState::Asked;
    }
    known.requested_at = Some(now);
    known.next_at = Some(renewal_schedule::next_after_request(known.failures, now));
    known.failures += 1;
    known.detail = "the hub was asked and has not answered yet".into();
}

/// The hub is about to be asked to end it.
pub fn begin_unsubscribe(known: &mut HubSubscription, now: Timestamp) {
    known.state = SubscriptionState::Leaving;
    known.renewing = false;
    known.trusted = false;
    known.requested_at = Some(now);
    known.next_at = Some(renewal_schedule::next_after_request(0, now));
    known.detail = "the hub was asked to end it".into();
}

/// The hub answered a request, which may have been verified already.
pub fn apply_hub_response(known: &mut HubSubscription, answer: &HubResponse, now: Timestamp) {
    let Some(mode) = known.pending() else { return };
    match (answer, mode) {
        (HubResponse::Accepted, _) => known.detail = "the hub took the request and has yet to verify it".into(),
        (HubResponse::Refused { detail, .. }, HubMode::Unsubscribe) => {
            end_subscription(
                known,
                &format!("it was ended by us; the hub was told in vain ({})", one_line(detail, 300)),
            );
        }
        (HubResponse::Refused { detail, retry_after, .. }, HubMode::Subscribe) => {
            let planned = known.next_at.unwrap_or(now);
            known.next_at = Some(renewal_schedule::next_after_refusal(planned, *retry_after, now));
            known.detail = format!("the hub could not be subscribed to: {}", one_line(detail, 400));
            if known.state == SubscriptionState::Active {
                known.renewing = false;
            } else {
                known.state = SubscriptionState::Failed;
            }
        }
    }
}

/// What a hub's request to our callback means, once it was judged.
pub fn apply_verification(known: &mut HubSubscription, intent: &VerificationOutcome, now: Timestamp) {
    match intent {
        VerificationOutcome::Unsolicited => {}
        VerificationOutcome::Subscribed { lease_until, renew_at, .. } => {
            known.state = SubscriptionState::Active;
            known.renewing = false;
            known.failures = 0;
            known.lease_until = Some(*lease_until);
            known.next_at = Some(*renew_at);
            known.detail = String::new();
        }
        VerificationOutcome::Unsubscribed { .. } => end_subscription(known, "it was ended by us, and the hub knows"),
        VerificationOutcome::Denied { reason } => {
            known.state = SubscriptionState::Denied;
            known.renewing = false;
            known.trusted = false;
            known.lease_until = None;
            known.next_at = Some(renewal_schedule::next_after_denial(now));
            known.detail = reason.clone();
        }
    }
}

/// There is none any more. Whether and when another is asked for is judged from there.
pub fn end_subscription(known: &mut HubSubscription, why: &str) {
    known.state = SubscriptionState::None;
    known.renewing = false;
    known.trusted = false;
    known.lease_until = None;
    known.detail = why.to_owned();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeclaredHub, SourceId};
    use jiff::SignedDuration;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn asked() -> HubSubscription {
        let declared = DeclaredHub { hub: "https://hub.example/".into(), topic: "https://news.example/feed".into() };
        let mut known = HubSubscription::of(SourceId(1), Some(declared));
        let fresh = NewCredentials { callback: "https://us.example/websub/token".into(), secret: "secret".into() };
        begin_subscribe(&mut known, Some(fresh), NOW);
        known
    }

    fn verified(known: &mut HubSubscription) {
        let (lease_until, renew_at) = (NOW + SignedDuration::from_hours(20), NOW + SignedDuration::from_hours(10));
        apply_verification(
            known,
            &VerificationOutcome::Subscribed { challenge: "c".into(), lease_until, renew_at },
            NOW,
        );
    }

    #[test]
    fn a_hub_that_verifies_before_it_answers_is_verified_whatever_it_answers() {
        let refused = HubResponse::Refused { detail: "it answered 500".into(), status: None, retry_after: None };
        for answer in [HubResponse::Accepted, refused] {
            let mut known = asked();
            verified(&mut known);
            apply_hub_response(&mut known, &answer, NOW);
            assert_eq!((known.state, known.failures, known.detail.as_str()), (SubscriptionState::Active, 0, ""));
            assert_eq!(known.next_at, Some(NOW + SignedDuration::from_hours(10)));
        }
    }

    #[test]
    fn a_refused_renewal_leaves_the_lease_as_it_is() {
        let mut known = asked();
        verified(&mut known);
        known.trusted = true;
        begin_subscribe(&mut known, None, NOW);
        assert_eq!(known.pending(), Some(HubMode::Subscribe));
        apply_hub_response(
            &mut known,
            &HubResponse::Refused { detail: "busy".into(), status: None, retry_after: None },
            NOW,
        );
        assert_eq!((known.state, known.pending(), known.trusted), (SubscriptionState::Active, None, true));
        assert_eq!(known.lease_until, Some(NOW + SignedDuration::from_hours(20)));
    }

    #[test]
    fn nothing_is_trusted_once_it_has_ended() {
        for ending in [
            |known: &mut HubSubscription| end_subscription(known, "its lease ended"),
            |known: &mut HubSubscription| begin_unsubscribe(known, NOW),
            |known: &mut HubSubscription| {
                apply_verification(known, &VerificationOutcome::Denied { reason: "no".into() }, NOW)
            },
        ] {
            let mut known = asked();
            verified(&mut known);
            known.trusted = true;
            ending(&mut known);
            assert!(!known.trusted, "{}", known.detail);
        }
    }
}
