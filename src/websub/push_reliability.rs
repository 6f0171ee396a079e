//! When polls may become a safety net: while a hub's subscription is active and pushes have been found to be all the news.
//!
//! A push proves that the way is open; a poll that finds nothing new proves that nothing was missed; one that does
//! takes the trust back until the next push. The poll's own rules are never shortened by any of it.

use crate::domain::duration::after;
use crate::domain::{HubSubscription, PollOutcome, PollRecord, SubscriptionState, Timestamp};
use jiff::SignedDuration;

/// What a poll means for a source whose hub pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SafetyPollDecision {
    /// Polling goes on by its own rules.
    Unchanged,
    /// Pushes missed something; polling goes on by its own rules until the next one.
    Unreliable,
    /// The next poll is not before then, for this reason.
    Defer { until: Timestamp, reason: String },
}

/// Judges a poll that brought so many items that were unknown.
pub fn evaluate_poll(
    known: &HubSubscription,
    poll: &PollRecord,
    new_items: usize,
    safety_poll: SignedDuration,
) -> SafetyPollDecision {
    if known.state != SubscriptionState::Active || !known.trusted {
        return SafetyPollDecision::Unchanged;
    }
    if new_items > 0 {
        return SafetyPollDecision::Unreliable;
    }
    let until = after(poll.finished_at, safety_poll);
    if !poll.outcome.is_success() || poll.next_poll_at >= until {
        return SafetyPollDecision::Unchanged;
    }
    let reason = format!("{safety_poll:#} after the last poll, as a safety net: its hub pushes what is new");
    SafetyPollDecision::Defer { until, reason }
}

/// Whether a push speaks for its hub: an empty document shows nothing.
pub fn proves_hub(known: &HubSubscription, push: &PollRecord) -> bool {
    known.state == SubscriptionState::Active && push.outcome == PollOutcome::Pushed && push.items > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SourceId, SourceState};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn known(state: SubscriptionState, trusted: bool) -> HubSubscription {
        HubSubscription { state, trusted, ..HubSubscription::of(SourceId(1), None) }
    }

    fn poll(outcome: PollOutcome, next_minutes: i64, items: u32) -> PollRecord {
        PollRecord {
            source: SourceId(1),
            started_at: NOW,
            finished_at: NOW,
            asked_url: String::new(),
            url: "https://news.example/feed".into(),
            outcome,
            status: None,
            detail: String::new(),
            bytes: 0,
            items,
            requests: Vec::new(),
            problems: Vec::new(),
            state: SourceState::Active,
            failures: 0,
            next_poll_at: NOW + SignedDuration::from_mins(next_minutes),
            next_reason: String::new(),
            hold_until: None,
            origin_hold: None,
            moving: None,
            new_url: None,
            gone_since: None,
            rate: String::new(),
            events: Vec::new(),
            validators: None,
            feed_title: None,
            feed_site_url: None,
            feed_outlet: None,
            feed_lang: None,
            feed_wishes: None,
        }
    }

    #[test]
    fn a_poll_that_finds_nothing_new_makes_the_next_one_a_safety_net() {
        let trusted = known(SubscriptionState::Active, true);
        for outcome in [PollOutcome::Read, PollOutcome::NotModified] {
            let SafetyPollDecision::Defer { until, reason } = evaluate_poll(&trusted, &poll(outcome, 10, 3), 0, DAY)
            else {
                panic!("{outcome:?}")
            };
            assert_eq!(
                (until, reason.as_str()),
                (NOW + DAY, "24h after the last poll, as a safety net: its hub pushes what is new")
            );
        }
        assert_eq!(evaluate_poll(&trusted, &poll(PollOutcome::Read, 10, 3), 1, DAY), SafetyPollDecision::Unreliable);
        assert_eq!(
            evaluate_poll(&trusted, &poll(PollOutcome::Read, 48 * 60, 3), 0, DAY),
            SafetyPollDecision::Unchanged,
            "the feed asks for more"
        );
        for outcome in [PollOutcome::Throttled, PollOutcome::Failed, PollOutcome::NotAFeed, PollOutcome::Gone] {
            assert_eq!(
                evaluate_poll(&trusted, &poll(outcome, 10, 0), 0, DAY),
                SafetyPollDecision::Unchanged,
                "{outcome:?}"
            );
        }
        for unproven in [known(SubscriptionState::Active, false), known(SubscriptionState::Asked, true)] {
            assert_eq!(
                evaluate_poll(&unproven, &poll(PollOutcome::Read, 10, 3), 0, DAY),
                SafetyPollDecision::Unchanged
            );
        }
    }

    #[test]
    fn a_push_counts_where_it_was_asked_for_and_held_something() {
        let active = known(SubscriptionState::Active, false);
        assert!(proves_hub(&active, &poll(PollOutcome::Pushed, 10, 1)));
        assert!(!proves_hub(&active, &poll(PollOutcome::Pushed, 10, 0)));
        assert!(!proves_hub(&active, &poll(PollOutcome::NotAFeed, 10, 0)));
        assert!(!proves_hub(&known(SubscriptionState::Leaving, false), &poll(PollOutcome::Pushed, 10, 1)));
    }
}
