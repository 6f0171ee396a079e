//! What each event makes of a subscription. Pure: it is changed in memory, and whoever calls writes it down.

use super::intent::Intent;
use super::terms;
use crate::fetch::HubAnswer;
use crate::model::text::one_line;
use crate::model::{HubMode, Subscription, SubscriptionState, Timestamp};

/// A callback and a secret that were just drawn.
pub struct Fresh {
    pub callback: String,
    pub secret: String,
}

/// The hub is about to be asked to subscribe: anew, by `fresh`, or once more. This is written down before it is.
pub fn subscribe(known: &mut Subscription, fresh: Option<Fresh>, now: Timestamp) {
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
    known.next_at = Some(terms::next_after_request(known.failures, now));
    known.failures += 1;
    known.detail = "the hub was asked and has not answered yet".into();
}

/// The hub is about to be asked to end it.
pub fn unsubscribe(known: &mut Subscription, now: Timestamp) {
    known.state = SubscriptionState::Leaving;
    known.renewing = false;
    known.trusted = false;
    known.requested_at = Some(now);
    known.next_at = Some(terms::next_after_request(0, now));
    known.detail = "the hub was asked to end it".into();
}

/// The hub answered a request, which may have been verified already.
pub fn answered(known: &mut Subscription, answer: &HubAnswer, now: Timestamp) {
    let Some(mode) = known.pending() else { return };
    match (answer, mode) {
        (HubAnswer::Accepted, _) => known.detail = "the hub took the request and has yet to verify it".into(),
        (HubAnswer::Refused { detail, .. }, HubMode::Unsubscribe) => {
            end(known, &format!("it was ended by us; the hub was told in vain ({})", one_line(detail, 300)));
        }
        (HubAnswer::Refused { detail, retry_after }, HubMode::Subscribe) => {
            let planned = known.next_at.unwrap_or(now);
            known.next_at = Some(terms::next_after_refusal(planned, *retry_after, now));
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
pub fn heard(known: &mut Subscription, intent: &Intent, now: Timestamp) {
    match intent {
        Intent::Foreign => {}
        Intent::Subscribed { lease_until, renew_at, .. } => {
            known.state = SubscriptionState::Active;
            known.renewing = false;
            known.failures = 0;
            known.lease_until = Some(*lease_until);
            known.next_at = Some(*renew_at);
            known.detail = String::new();
        }
        Intent::Unsubscribed { .. } => end(known, "it was ended by us, and the hub knows"),
        Intent::Denied { reason } => {
            known.state = SubscriptionState::Denied;
            known.renewing = false;
            known.trusted = false;
            known.lease_until = None;
            known.next_at = Some(terms::next_after_denial(now));
            known.detail = reason.clone();
        }
    }
}

/// There is none any more. Whether and when another is asked for is judged from there.
pub fn end(known: &mut Subscription, why: &str) {
    known.state = SubscriptionState::None;
    known.renewing = false;
    known.trusted = false;
    known.lease_until = None;
    known.detail = why.to_owned();
}
