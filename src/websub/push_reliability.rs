//! Decides whether the pushes of a hub are complete enough to make polls infrequent. All functions are pure.
//!
//! A push proves that the hub can reach newsfold. If a later poll finds nothing new, no push was missed, and the next
//! poll is deferred. A poll that finds new items ends the deferral until the next push. This module only delays polls
//! and never advances them.

use crate::domain::duration::after;
use crate::domain::{HubSubscription, PollOutcome, PollRecord, SubscriptionState, Timestamp};
use jiff::SignedDuration;

/// The effect of a poll on a source with a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SafetyPollDecision {
    /// The next poll keeps the time from the source's own schedule.
    Unchanged,
    /// The hub missed items. Polls follow the source's own schedule until the next push.
    Unreliable,
    /// The next poll is deferred to this time.
    Defer { until: Timestamp },
}

/// Evaluates a poll that found `new_items` items that had not been pushed.
pub fn evaluate_poll(
    subscription: &HubSubscription,
    poll: &PollRecord,
    next_poll_at: Timestamp,
    new_items: usize,
    safety_poll_interval: SignedDuration,
) -> SafetyPollDecision {
    if subscription.state != SubscriptionState::Active || !subscription.reliable {
        return SafetyPollDecision::Unchanged;
    }
    if new_items > 0 {
        return SafetyPollDecision::Unreliable;
    }
    let until = after(poll.finished_at, safety_poll_interval);
    if !poll.outcome.is_success() || next_poll_at >= until {
        return SafetyPollDecision::Unchanged;
    }
    SafetyPollDecision::Defer { until }
}

/// Returns whether a push proves that the hub pushes new items. An empty document proves nothing.
pub fn proves_hub(subscription: &HubSubscription, push: &PollRecord) -> bool {
    subscription.state == SubscriptionState::Active && push.outcome == PollOutcome::Pushed && push.items > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceId;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn subscription(state: SubscriptionState, reliable: bool) -> HubSubscription {
        HubSubscription { state, reliable, ..HubSubscription::new(SourceId(1), None) }
    }

    fn minutes(minutes: i64) -> Timestamp {
        NOW + SignedDuration::from_mins(minutes)
    }

    fn poll(outcome: PollOutcome, items: u32) -> PollRecord {
        PollRecord { url: "https://news.example/feed".into(), items, ..PollRecord::empty(SourceId(1), NOW, outcome) }
    }

    #[test]
    fn poll_without_new_items_defers_the_next_poll() {
        let reliable = subscription(SubscriptionState::Active, true);
        let evaluate = |poll, new_items| evaluate_poll(&reliable, &poll, minutes(10), new_items, DAY);
        for outcome in [PollOutcome::Read, PollOutcome::NotModified] {
            let deferred = SafetyPollDecision::Defer { until: NOW + DAY };
            assert_eq!(evaluate(poll(outcome, 3), 0), deferred, "{outcome:?}");
        }
        assert_eq!(evaluate(poll(PollOutcome::Read, 3), 1), SafetyPollDecision::Unreliable);
        let in_two_days = evaluate_poll(&reliable, &poll(PollOutcome::Read, 3), minutes(48 * 60), 0, DAY);
        assert_eq!(in_two_days, SafetyPollDecision::Unchanged, "the feed asks for more");
        for outcome in [PollOutcome::Throttled, PollOutcome::Failed, PollOutcome::NotAFeed, PollOutcome::Gone] {
            assert_eq!(evaluate(poll(outcome, 0), 0), SafetyPollDecision::Unchanged, "{outcome:?}");
        }
        for unproven in
            [subscription(SubscriptionState::Active, false), subscription(SubscriptionState::Requested, true)]
        {
            let decision = evaluate_poll(&unproven, &poll(PollOutcome::Read, 3), minutes(10), 0, DAY);
            assert_eq!(decision, SafetyPollDecision::Unchanged);
        }
    }

    #[test]
    fn only_a_push_with_items_for_an_active_subscription_proves_the_hub() {
        let active = subscription(SubscriptionState::Active, false);
        assert!(proves_hub(&active, &poll(PollOutcome::Pushed, 1)));
        assert!(!proves_hub(&active, &poll(PollOutcome::Pushed, 0)));
        assert!(!proves_hub(&active, &poll(PollOutcome::NotAFeed, 0)));
        let ending = subscription(SubscriptionState::Unsubscribing, false);
        assert!(!proves_hub(&ending, &poll(PollOutcome::Pushed, 1)));
    }
}
