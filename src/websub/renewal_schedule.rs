//! When to ask a hub for what. Pure: how a subscription stands, and the time, in; one step out.
//!
//! A hub is asked for one source at most once an hour, whatever its feed declares from poll to poll, and ever more
//! rarely while that leads to nothing: a feed can name anybody as its hub.

use crate::domain::backoff::doubling;
use crate::domain::duration::after;
use crate::domain::{HubSubscription, SubscriptionState, Timestamp};
use jiff::SignedDuration;

/// A hub that gives more is asked again after this all the same.
pub const MAX_LEASE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Between two requests for one source, and the first wait after one that led to nothing; each doubles it.
const FIRST_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(1);
const MAX_RETRY_DELAY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The longest wait where the feed has come to name another hub or topic since.
const MAX_DELAY_FOR_CHANGED_HUB: SignedDuration = SignedDuration::from_hours(24);
/// A renewal is never sooner after the last one. A hub that gives less is asked anew each hour.
const MIN_RENEWAL_DELAY: SignedDuration = SignedDuration::from_mins(30);

/// What is to be done about a subscription now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionStep {
    /// Nothing before then, or until something changes.
    Wait(Option<Timestamp>),
    /// Ask for it: with a fresh token, or once more with the one that it has.
    Subscribe {
        new_credentials: bool,
    },
    Unsubscribe,
    /// It is none any more, without a word to the hub.
    End(&'static str),
}

/// Judges a subscription. `base` is where our callbacks begin; `polled` whether its source is active.
pub fn next_step(known: &HubSubscription, polled: bool, base: &str, now: Timestamp) -> SubscriptionStep {
    let ours = known.callback.as_ref().is_some_and(|callback| callback.starts_with(base));
    let wanted = polled && known.declared.is_some();
    let fits = ours && known.asked == known.declared;
    let due = known.next_at.unwrap_or(now);
    let lease_ended = known.lease_until.is_none_or(|until| until <= now);
    match known.state {
        SubscriptionState::None | SubscriptionState::Denied | SubscriptionState::Failed => {
            let rested = known.requested_at.map_or(now, |at| {
                let rested = next_after_request(known.failures.saturating_sub(1), at);
                if fits { rested } else { rested.min(after(at, MAX_DELAY_FOR_CHANGED_HUB)) }
            });
            let when = if fits { due.max(rested) } else { rested };
            match wanted {
                false => SubscriptionStep::Wait(None),
                true if when <= now => SubscriptionStep::Subscribe { new_credentials: true },
                true => SubscriptionStep::Wait(Some(when)),
            }
        }
        SubscriptionState::Asked if !wanted || !fits => {
            SubscriptionStep::End("it was no longer wanted before the hub verified it")
        }
        SubscriptionState::Asked if due <= now => SubscriptionStep::Subscribe { new_credentials: false },
        SubscriptionState::Asked => SubscriptionStep::Wait(Some(due)),
        SubscriptionState::Active if lease_ended => SubscriptionStep::End("its lease ended before the hub renewed it"),
        SubscriptionState::Active if !wanted || !fits => SubscriptionStep::Unsubscribe,
        SubscriptionState::Active | SubscriptionState::Leaving if due > now && !lease_ended => {
            SubscriptionStep::Wait(Some(due))
        }
        SubscriptionState::Active => SubscriptionStep::Subscribe { new_credentials: false },
        SubscriptionState::Leaving => {
            SubscriptionStep::End("it was ended by us; the hub did not verify that, and its lease ends by itself")
        }
    }
}

/// When to look again after a request that is only about to go out: it counts as one that leads to nothing until the
/// hub verifies it. `failures` are those before it.
pub fn next_after_request(failures: u32, now: Timestamp) -> Timestamp {
    after(now, doubling(FIRST_RETRY_DELAY, MAX_RETRY_DELAY, failures))
}

/// When to look again after a refusal: a hub may ask for more time, not for less.
pub fn next_after_refusal(planned: Timestamp, retry_after: Option<std::time::Duration>, now: Timestamp) -> Timestamp {
    let asked = retry_after.and_then(|span| SignedDuration::try_from(span).ok()).unwrap_or_default();
    planned.max(after(now, asked.min(MAX_LEASE)))
}

/// When to look again after a hub said no for reasons of its own.
pub fn next_after_denial(now: Timestamp) -> Timestamp {
    after(now, MAX_RETRY_DELAY)
}

/// Half way through a lease: the other half is for a hub that does not answer at once.
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

    /// Asked for an hour ago and a half, and all in order.
    fn known(state: SubscriptionState) -> HubSubscription {
        HubSubscription {
            state,
            asked: hub("a"),
            callback: Some(format!("{BASE}token")),
            requested_at: Some(NOW - SignedDuration::from_mins(90)),
            next_at: hours(5),
            lease_until: hours(100),
            ..HubSubscription::of(SourceId(1), hub("a"))
        }
    }

    fn check(known: HubSubscription, expect: SubscriptionStep) {
        assert_eq!(next_step(&known, true, BASE, NOW), expect, "{known:?}");
    }

    #[test]
    fn what_is_declared_is_asked_for_and_renewed_in_time() {
        use SubscriptionState::*;
        check(HubSubscription::of(SourceId(1), hub("a")), SubscriptionStep::Subscribe { new_credentials: true });
        check(HubSubscription::of(SourceId(1), Option::None), SubscriptionStep::Wait(Option::None));
        check(known(Asked), SubscriptionStep::Wait(hours(5)));
        check(
            HubSubscription { next_at: hours(0), ..known(Asked) },
            SubscriptionStep::Subscribe { new_credentials: false },
        );
        check(known(Active), SubscriptionStep::Wait(hours(5)));
        check(
            HubSubscription { next_at: hours(0), ..known(Active) },
            SubscriptionStep::Subscribe { new_credentials: false },
        );
        for state in [Failed, Denied] {
            check(known(state), SubscriptionStep::Wait(hours(5)));
            check(
                HubSubscription { next_at: hours(0), ..known(state) },
                SubscriptionStep::Subscribe { new_credentials: true },
            );
        }
        let ended = "its lease ended before the hub renewed it";
        check(HubSubscription { lease_until: hours(0), ..known(Active) }, SubscriptionStep::End(ended));
    }

    #[test]
    fn what_is_no_longer_wanted_is_ended() {
        use SubscriptionState::*;
        for (state, expect) in [
            (Asked, SubscriptionStep::End("it was no longer wanted before the hub verified it")),
            (Active, SubscriptionStep::Unsubscribe),
            (Leaving, SubscriptionStep::Wait(hours(5))),
            (None, SubscriptionStep::Wait(Option::None)),
            (Failed, SubscriptionStep::Wait(Option::None)),
        ] {
            assert_eq!(next_step(&known(state), false, BASE, NOW), expect, "its source is paused: {state:?}");
            check(HubSubscription { declared: Option::None, ..known(state) }, expect);
        }
        check(HubSubscription { declared: hub("b"), ..known(Active) }, SubscriptionStep::Unsubscribe);
        check(
            HubSubscription { callback: Some("https://old.example/websub/x".into()), ..known(Active) },
            SubscriptionStep::Unsubscribe,
        );
        let left = HubSubscription { next_at: hours(0), ..known(Leaving) };
        assert!(matches!(next_step(&left, true, BASE, NOW), SubscriptionStep::End(_)));
    }

    #[test]
    fn a_feed_that_names_another_hub_at_every_poll_makes_us_ask_once_an_hour_and_then_once_a_day() {
        use SubscriptionState::*;
        let changed = |hours, failures| HubSubscription {
            declared: hub("b"),
            requested_at: Some(NOW - SignedDuration::from_hours(hours)),
            failures,
            ..known(Failed)
        };
        check(changed(0, 1), SubscriptionStep::Wait(hours(1)));
        check(changed(1, 1), SubscriptionStep::Subscribe { new_credentials: true });
        check(changed(1, 3), SubscriptionStep::Wait(hours(3)));
        check(changed(20, 30), SubscriptionStep::Wait(hours(4)));
        check(changed(24, 30), SubscriptionStep::Subscribe { new_credentials: true });
    }

    #[test]
    fn requests_that_lead_to_nothing_become_rare() {
        let wait = |failures| next_after_request(failures, NOW).duration_since(NOW).as_hours();
        assert_eq!([wait(0), wait(1), wait(2), wait(7), wait(50)], [1, 2, 4, 128, 168]);
        let refusal = |seconds| {
            let span = Some(std::time::Duration::from_secs(seconds));
            next_after_refusal(hours(2).unwrap(), span, NOW).duration_since(NOW).as_hours()
        };
        assert_eq!([refusal(60), refusal(4 * 3600), refusal(u64::MAX)], [2, 4, 2]);
        let renewal = |hours| renew_at(NOW, SignedDuration::from_hours(hours)).duration_since(NOW).as_mins();
        assert_eq!([renewal(240), renewal(1), renewal(0)], [7200, 30, 30]);
    }
}
