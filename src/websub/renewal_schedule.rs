//! Decides when to send which request to a hub. Pure functions map a subscription and the time to one step.
//!
//! A hub gets at most one request per hour for a source, even if the feed's declaration changes with each poll. The
//! delay doubles with each request that the hub does not verify, because a feed can declare any server as its hub.

use crate::domain::doubling_delay::doubling;
use crate::domain::duration::after;
use crate::domain::{HubEvent, HubSubscription, SubscriptionState, Timestamp};
use jiff::SignedDuration;

/// The maximum lease. A longer lease is renewed as if it had this length.
pub const MAX_LEASE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The minimum time between two requests for a source, and the first retry delay. It doubles with each failure.
const FIRST_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(1);
const MAX_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The maximum retry delay if the feed has declared a different hub or topic since the last request.
const MAX_DELAY_FOR_CHANGED_HUB: SignedDuration = SignedDuration::from_hours(24);
/// The minimum time between a verification and the renewal. A lease that is shorter than this time expires and is then
/// requested again.
const MIN_RENEWAL_DELAY: SignedDuration = SignedDuration::from_mins(30);

/// The next action for a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionStep {
    /// Take no step before this time. `None` means no step until the subscription changes.
    Wait(Option<Timestamp>),
    /// Send a subscribe request, either with a new token and secret or with the token and secret of the last request.
    Subscribe { new_credentials: bool },
    /// Send an unsubscribe request.
    Unsubscribe,
    /// Mark the subscription as ended, without a request to the hub.
    End(HubEvent),
}

/// Returns the next step of a subscription. `base` is the common prefix of our callback URLs. `polled` states whether
/// the source is active.
pub fn next_step(subscription: &HubSubscription, polled: bool, base: &str, now: Timestamp) -> SubscriptionStep {
    let is_ours = subscription.callback.as_ref().is_some_and(|callback| callback.starts_with(base));
    let wanted = polled && subscription.declared.is_some();
    let current = is_ours && subscription.requested == subscription.declared;
    let due = subscription.next_action_at.unwrap_or(now);
    let lease_expired = subscription.lease_until.is_none_or(|until| until <= now);
    match subscription.state {
        SubscriptionState::Inactive | SubscriptionState::Denied | SubscriptionState::Failed if !wanted => {
            SubscriptionStep::Wait(None)
        }
        SubscriptionState::Inactive | SubscriptionState::Denied | SubscriptionState::Failed => {
            let earliest = earliest_request(subscription, current, now);
            let when = if current { due.max(earliest) } else { earliest };
            match when <= now {
                true => SubscriptionStep::Subscribe { new_credentials: true },
                false => SubscriptionStep::Wait(Some(when)),
            }
        }
        SubscriptionState::Requested if !wanted || !current => SubscriptionStep::End(HubEvent::RequestObsolete),
        SubscriptionState::Requested if due <= now => SubscriptionStep::Subscribe { new_credentials: false },
        SubscriptionState::Requested => SubscriptionStep::Wait(Some(due)),
        SubscriptionState::Active if lease_expired => SubscriptionStep::End(HubEvent::LeaseExpired),
        SubscriptionState::Active if !wanted || !current => SubscriptionStep::Unsubscribe,
        SubscriptionState::Active | SubscriptionState::Unsubscribing if due > now && !lease_expired => {
            SubscriptionStep::Wait(Some(due))
        }
        SubscriptionState::Active => SubscriptionStep::Subscribe { new_credentials: false },
        SubscriptionState::Unsubscribing => SubscriptionStep::End(HubEvent::UnsubscribeUnverified),
    }
}

/// Returns the earliest time for another request, counted from the last request. `current` states whether the feed
/// still declares the hub and topic of that request.
fn earliest_request(subscription: &HubSubscription, current: bool, now: Timestamp) -> Timestamp {
    let Some(requested_at) = subscription.requested_at else { return now };
    let earliest = next_after_request(subscription.failures.saturating_sub(1), requested_at);
    match current {
        true => earliest,
        false => earliest.min(after(requested_at, MAX_DELAY_FOR_CHANGED_HUB)),
    }
}

/// Returns the time of the next action after a request that is about to be sent. The request counts as failed until the
/// hub verifies it; `failures` is the number of previous failures.
pub fn next_after_request(failures: u32, now: Timestamp) -> Timestamp {
    after(now, doubling(FIRST_RETRY_DELAY, MAX_RETRY_DELAY, failures))
}

/// Returns the time of the next action after a failed request. The hub's `Retry-After` can delay the scheduled time but
/// not advance it.
pub fn next_after_failure(planned: Timestamp, retry_after: Option<SignedDuration>, now: Timestamp) -> Timestamp {
    planned.max(after(now, retry_after.unwrap_or_default().min(MAX_LEASE)))
}

/// Returns the time of the next request after the hub has denied a request.
pub fn next_after_denial(now: Timestamp) -> Timestamp {
    after(now, MAX_RETRY_DELAY)
}

/// Returns when to renew a lease: halfway through the lease, which leaves the other half for retries.
pub fn renew_at(now: Timestamp, lease: SignedDuration) -> Timestamp {
    after(now, (lease / 2).max(MIN_RENEWAL_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeclaredHub, SourceId};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const BASE: &str = "https://us.example/websub/";

    fn hours(n: i64) -> Option<Timestamp> {
        Some(NOW + SignedDuration::from_hours(n))
    }

    fn hub(name: &str) -> Option<DeclaredHub> {
        Some(DeclaredHub { hub: format!("https://{name}.example/"), topic: "https://news.example/feed".into() })
    }

    /// Returns a subscription requested 90 minutes ago. Its next action is in 5 hours, and its lease ends in 100 hours.
    fn subscription(state: SubscriptionState) -> HubSubscription {
        HubSubscription {
            state,
            requested: hub("a"),
            callback: Some(format!("{BASE}token")),
            requested_at: Some(NOW - SignedDuration::from_mins(90)),
            next_action_at: hours(5),
            lease_until: hours(100),
            ..HubSubscription::new(SourceId(1), hub("a"))
        }
    }

    fn due(state: SubscriptionState) -> HubSubscription {
        HubSubscription { next_action_at: hours(0), ..subscription(state) }
    }

    fn check(subscription: HubSubscription, expect: SubscriptionStep) {
        assert_eq!(next_step(&subscription, true, BASE, NOW), expect, "{subscription:?}");
    }

    #[test]
    fn declared_hub_is_requested_and_renewed_in_time() {
        use SubscriptionState::*;
        check(HubSubscription::new(SourceId(1), hub("a")), SubscriptionStep::Subscribe { new_credentials: true });
        check(HubSubscription::new(SourceId(1), None), SubscriptionStep::Wait(None));
        check(subscription(Requested), SubscriptionStep::Wait(hours(5)));
        check(due(Requested), SubscriptionStep::Subscribe { new_credentials: false });
        check(subscription(Active), SubscriptionStep::Wait(hours(5)));
        check(due(Active), SubscriptionStep::Subscribe { new_credentials: false });
        for state in [Failed, Denied] {
            check(subscription(state), SubscriptionStep::Wait(hours(5)));
            check(due(state), SubscriptionStep::Subscribe { new_credentials: true });
        }
        let expired = HubSubscription { lease_until: hours(0), ..subscription(Active) };
        check(expired, SubscriptionStep::End(HubEvent::LeaseExpired));
    }

    #[test]
    fn unwanted_subscription_is_ended() {
        use SubscriptionState::*;
        for (state, expect) in [
            (Requested, SubscriptionStep::End(HubEvent::RequestObsolete)),
            (Active, SubscriptionStep::Unsubscribe),
            (Unsubscribing, SubscriptionStep::Wait(hours(5))),
            (Inactive, SubscriptionStep::Wait(None)),
            (Failed, SubscriptionStep::Wait(None)),
        ] {
            assert_eq!(next_step(&subscription(state), false, BASE, NOW), expect, "paused source, {state:?}");
            check(HubSubscription { declared: None, ..subscription(state) }, expect);
        }
        check(HubSubscription { declared: hub("b"), ..subscription(Active) }, SubscriptionStep::Unsubscribe);
        let old_base = Some("https://old.example/websub/x".into());
        check(HubSubscription { callback: old_base, ..subscription(Active) }, SubscriptionStep::Unsubscribe);
        check(due(Unsubscribing), SubscriptionStep::End(HubEvent::UnsubscribeUnverified));
    }

    #[test]
    fn feed_that_declares_another_hub_at_every_poll_causes_one_request_an_hour_and_later_one_a_day() {
        let changed = |hours, failures| HubSubscription {
            declared: hub("b"),
            requested_at: Some(NOW - SignedDuration::from_hours(hours)),
            failures,
            ..subscription(SubscriptionState::Failed)
        };
        check(changed(0, 1), SubscriptionStep::Wait(hours(1)));
        check(changed(1, 1), SubscriptionStep::Subscribe { new_credentials: true });
        check(changed(1, 3), SubscriptionStep::Wait(hours(3)));
        check(changed(20, 30), SubscriptionStep::Wait(hours(4)));
        check(changed(24, 30), SubscriptionStep::Subscribe { new_credentials: true });
    }

    #[test]
    fn retry_delay_doubles_with_each_failure() {
        let delay = |failures| next_after_request(failures, NOW).duration_since(NOW).as_hours();
        assert_eq!([delay(0), delay(1), delay(2), delay(7), delay(50)], [1, 2, 4, 128, 168]);
        let after_failure = |seconds| {
            let retry_after = Some(SignedDuration::from_secs(seconds));
            next_after_failure(hours(2).unwrap(), retry_after, NOW).duration_since(NOW).as_hours()
        };
        assert_eq!([after_failure(60), after_failure(4 * 3600), after_failure(i64::MAX)], [2, 4, 720]);
        let renewal = |hours| renew_at(NOW, SignedDuration::from_hours(hours)).duration_since(NOW).as_mins();
        assert_eq!([renewal(240), renewal(1), renewal(0)], [7200, 30, 30]);
    }
}
