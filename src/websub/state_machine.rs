//! The transitions of a hub subscription. The functions only change the value, and the caller stores it.

use super::renewal_schedule;
use super::verification::VerificationOutcome;
use crate::domain::{HubEvent, HubMode, HubSubscription, SubscriptionState, Timestamp};
use crate::http_client::{WebSubRequestError, WebSubResponse};

/// A callback URL and a secret that were generated for one subscription.
pub struct NewCredentials {
    pub callback: String,
    pub secret: String,
}

/// Records that a subscribe request is about to be sent, with new credentials or with the credentials of the last
/// request.
///
/// The caller stores the result before it sends the request, so that a crash never causes a second request.
pub fn begin_subscribe(subscription: &mut HubSubscription, credentials: Option<NewCredentials>, now: Timestamp) {
    if let Some(credentials) = credentials {
        subscription.requested = subscription.declared.clone();
        subscription.callback = Some(credentials.callback);
        subscription.secret = Some(credentials.secret);
        subscription.lease_until = None;
    }
    if subscription.state == SubscriptionState::Active {
        subscription.renewing = true;
    } else {
        subscription.state = SubscriptionState::Requested;
    }
    subscription.requested_at = Some(now);
    subscription.next_action_at = Some(renewal_schedule::next_after_request(subscription.failures, now));
    subscription.failures += 1;
    subscription.last_event = Some(HubEvent::SubscribeSent);
}

/// Records that an unsubscribe request is about to be sent.
pub fn begin_unsubscribe(subscription: &mut HubSubscription, now: Timestamp) {
    subscription.state = SubscriptionState::Unsubscribing;
    subscription.renewing = false;
    subscription.reliable = false;
    subscription.requested_at = Some(now);
    subscription.next_action_at = Some(renewal_schedule::next_after_request(0, now));
    subscription.last_event = Some(HubEvent::UnsubscribeSent);
}

/// Applies the hub's response to a request. The hub may already have verified the request before it responded.
pub fn apply_hub_response(
    subscription: &mut HubSubscription,
    response: Result<WebSubResponse, WebSubRequestError>,
    now: Timestamp,
) {
    let Some(mode) = subscription.pending() else { return };
    match (response, mode) {
        (Ok(_), _) => subscription.last_event = Some(HubEvent::RequestAccepted),
        (Err(error), HubMode::Unsubscribe) => {
            end_subscription(subscription, HubEvent::UnsubscribeFailed { failure: error.failure });
        }
        (Err(error), HubMode::Subscribe) => {
            let planned = subscription.next_action_at.unwrap_or(now);
            subscription.next_action_at = Some(renewal_schedule::next_after_failure(planned, error.retry_after, now));
            subscription.last_event = Some(HubEvent::SubscribeFailed { failure: error.failure });
            if subscription.state == SubscriptionState::Active {
                subscription.renewing = false;
            } else {
                subscription.state = SubscriptionState::Failed;
            }
        }
    }
}

/// Applies a request from a hub to our callback. The request verifies or denies a subscription.
pub fn apply_verification(subscription: &mut HubSubscription, outcome: &VerificationOutcome, now: Timestamp) {
    match outcome {
        VerificationOutcome::Unsolicited => {}
        VerificationOutcome::Subscribed { lease_until, renew_at, .. } => {
            subscription.state = SubscriptionState::Active;
            subscription.renewing = false;
            subscription.failures = 0;
            subscription.lease_until = Some(*lease_until);
            subscription.next_action_at = Some(*renew_at);
            subscription.last_event = None;
        }
        VerificationOutcome::Unsubscribed { .. } => end_subscription(subscription, HubEvent::Unsubscribed),
        VerificationOutcome::Denied { hub, reason } => {
            let event = HubEvent::Denied { hub: hub.clone(), reason: reason.clone() };
            end_subscription(subscription, event);
            subscription.state = SubscriptionState::Denied;
            subscription.next_action_at = Some(renewal_schedule::next_after_denial(now));
        }
    }
}

/// Ends the subscription. [`renewal_schedule::next_step`] decides whether and when to request a new subscription.
pub fn end_subscription(subscription: &mut HubSubscription, event: HubEvent) {
    subscription.state = SubscriptionState::Inactive;
    subscription.renewing = false;
    subscription.reliable = false;
    subscription.lease_until = None;
    subscription.last_event = Some(event);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeclaredHub, SourceId, WebSubFailure};
    use jiff::SignedDuration;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn requested() -> HubSubscription {
        let declared = DeclaredHub { hub: "https://hub.example/".into(), topic: "https://news.example/feed".into() };
        let mut subscription = HubSubscription::new(SourceId(1), Some(declared));
        let credentials =
            NewCredentials { callback: "https://us.example/websub/token".into(), secret: "secret".into() };
        begin_subscribe(&mut subscription, Some(credentials), NOW);
        subscription
    }

    fn verify(subscription: &mut HubSubscription) {
        let (lease_until, renew_at) = (NOW + SignedDuration::from_hours(20), NOW + SignedDuration::from_hours(10));
        let outcome = VerificationOutcome::Subscribed { challenge: "c".into(), lease_until, renew_at };
        apply_verification(subscription, &outcome, NOW);
    }

    fn refused(status: u16) -> Result<WebSubResponse, WebSubRequestError> {
        let failure = WebSubFailure::Status { status, message: String::new() };
        Err(WebSubRequestError { failure, retry_after: None })
    }

    #[test]
    fn verification_before_the_response_counts_regardless_of_the_response() {
        for response in [Ok(WebSubResponse { status: 202, body: Vec::new() }), refused(500)] {
            let mut subscription = requested();
            verify(&mut subscription);
            apply_hub_response(&mut subscription, response, NOW);
            assert_eq!((subscription.state, subscription.failures), (SubscriptionState::Active, 0));
            assert_eq!(subscription.last_event, None);
            assert_eq!(subscription.next_action_at, Some(NOW + SignedDuration::from_hours(10)));
        }
    }

    #[test]
    fn refused_renewal_leaves_the_lease_unchanged() {
        let mut subscription = requested();
        verify(&mut subscription);
        subscription.reliable = true;
        begin_subscribe(&mut subscription, None, NOW);
        assert_eq!(subscription.pending(), Some(HubMode::Subscribe));
        apply_hub_response(&mut subscription, refused(503), NOW);
        assert_eq!((subscription.state, subscription.pending()), (SubscriptionState::Active, None));
        assert!(subscription.reliable);
        assert_eq!(subscription.lease_until, Some(NOW + SignedDuration::from_hours(20)));
    }

    #[test]
    fn subscription_that_has_ended_is_not_reliable() {
        let denied = VerificationOutcome::Denied { hub: "https://hub.example/".into(), reason: "no".into() };
        for end in [
            &|subscription: &mut HubSubscription| end_subscription(subscription, HubEvent::LeaseExpired),
            &|subscription: &mut HubSubscription| begin_unsubscribe(subscription, NOW),
            &|subscription: &mut HubSubscription| apply_verification(subscription, &denied, NOW),
        ] as [&dyn Fn(&mut HubSubscription); 3]
        {
            let mut subscription = requested();
            verify(&mut subscription);
            subscription.reliable = true;
            end(&mut subscription);
            assert!(!subscription.reliable, "{:?}", subscription.last_event);
        }
    }
}
