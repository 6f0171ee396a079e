//! Decides how to respond to requests from hubs at our callback: verification of intent (WebSub, section 5.3) and
//! denial (section 5.2).
//!
//! The functions are pure. They confirm only pending requests with the exact topic and mode, so that a third party
//! cannot create a subscription, end it, or extend its lease.

use super::renewal_schedule;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::domain::{HubMode, HubSubscription, SubscriptionState, Timestamp};
use jiff::SignedDuration;
use url::form_urlencoded;

/// The maximum lengths of a query and of a challenge in bytes. Longer values are rejected.
const MAX_QUERY_BYTES: usize = 8 * 1024;
const MAX_CHALLENGE_BYTES: usize = 1024;
/// The maximum number of query parameters that are read. Other parameters are ignored.
const MAX_PARAMETERS: usize = 20;

/// The interpretation of a hub's request to our callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerificationOutcome {
    /// The subscription is active until `lease_until`. The response must echo the challenge.
    Subscribed { challenge: String, lease_until: Timestamp, renew_at: Timestamp },
    /// The subscription has ended. The response must echo the challenge.
    Unsubscribed { challenge: String },
    /// The hub does not push, or it stops pushing.
    Denied { hub: String, reason: String },
    /// The request does not match any pending request.
    Unsolicited,
}

/// Evaluates the query of a hub's GET request to the callback of `subscription`. `requested_lease` is the lease that
/// newsfold requests.
pub fn evaluate_request(
    subscription: &HubSubscription,
    query: &str,
    now: Timestamp,
    requested_lease: SignedDuration,
) -> VerificationOutcome {
    if query.len() > MAX_QUERY_BYTES {
        return VerificationOutcome::Unsolicited;
    }
    let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS).collect();
    let first = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
    let topic = first("hub.topic");
    let Some(requested) = subscription.requested.as_ref().filter(|requested| topic == Some(requested.topic.as_str()))
    else {
        return VerificationOutcome::Unsolicited;
    };
    let mode = first("hub.mode").unwrap_or_default();
    if mode == "denied" && matches!(subscription.state, SubscriptionState::Requested | SubscriptionState::Active) {
        let reason = one_line(first("hub.reason").unwrap_or_default(), 200);
        return VerificationOutcome::Denied { hub: one_line(&requested.hub, 200), reason };
    }
    let challenge = first("hub.challenge").unwrap_or_default();
    if challenge.is_empty() || challenge.len() > MAX_CHALLENGE_BYTES {
        return VerificationOutcome::Unsolicited;
    }
    let challenge = challenge.to_owned();
    match subscription.pending().filter(|pending| pending.into_str() == mode) {
        None => VerificationOutcome::Unsolicited,
        Some(HubMode::Unsubscribe) => VerificationOutcome::Unsubscribed { challenge },
        Some(HubMode::Subscribe) => {
            // An invalid number counts as absent, which means that the requested lease applies.
            let granted = first("hub.lease_seconds").and_then(|seconds| seconds.parse::<u32>().ok());
            let granted = granted.map_or(requested_lease, |seconds| SignedDuration::from_secs(seconds.into()));
            let lease = granted.min(renewal_schedule::MAX_LEASE);
            let renew_at = renewal_schedule::renew_at(now, lease);
            VerificationOutcome::Subscribed { challenge, lease_until: after(now, lease), renew_at }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeclaredHub, SourceId};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const HUB: &str = "https://hub.example/";
    const TOPIC: &str = "https://news.example/feed?a=1&b=2";

    fn query(mode: &str, topic: &str, more: &[(&str, &str)]) -> String {
        let parameters = [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "c h&")];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).extend_pairs(more).finish()
    }

    fn evaluate(state: SubscriptionState, renewing: bool, query: &str) -> VerificationOutcome {
        let requested = Some(DeclaredHub { hub: HUB.into(), topic: TOPIC.into() });
        let subscription = HubSubscription { state, renewing, requested, ..HubSubscription::new(SourceId(1), None) };
        evaluate_request(&subscription, query, NOW, SignedDuration::from_hours(240))
    }

    #[test]
    fn only_a_pending_request_is_confirmed() {
        use SubscriptionState::*;
        let subscribe = query("subscribe", TOPIC, &[("hub.lease_seconds", "7200")]);
        let hours = |n| NOW + SignedDuration::from_hours(n);
        let confirmed =
            VerificationOutcome::Subscribed { challenge: "c h&".into(), lease_until: hours(2), renew_at: hours(1) };
        assert_eq!(evaluate(Requested, false, &subscribe), confirmed);
        assert_eq!(evaluate(Active, true, &subscribe), confirmed);
        for state in [Inactive, Active, Unsubscribing, Denied, Failed] {
            assert_eq!(evaluate(state, false, &subscribe), VerificationOutcome::Unsolicited, "{state:?}");
        }
        let unsubscribe = query("unsubscribe", TOPIC, &[]);
        let confirmed = VerificationOutcome::Unsubscribed { challenge: "c h&".into() };
        assert_eq!(evaluate(Unsubscribing, false, &unsubscribe), confirmed);
        for (state, renewing) in
            [(Inactive, false), (Requested, false), (Active, false), (Active, true), (Failed, false)]
        {
            assert_eq!(evaluate(state, renewing, &unsubscribe), VerificationOutcome::Unsolicited, "{state:?}");
        }
        for wrong in [
            query("subscribe", "https://news.example/feed", &[]),
            query("publish", TOPIC, &[]),
            "hub.mode=subscribe&hub.topic=".into(),
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("hub.mode", "subscribe"), ("hub.topic", TOPIC)])
                .finish(),
            query("subscribe", TOPIC, &[("x", &"y".repeat(MAX_QUERY_BYTES))]),
            String::new(),
        ] {
            assert_eq!(evaluate(Requested, false, &wrong), VerificationOutcome::Unsolicited, "{wrong}");
        }
    }

    #[test]
    fn hub_chooses_the_lease_up_to_a_maximum() {
        let lease = |seconds: &str| {
            let query = query("subscribe", TOPIC, &[("hub.lease_seconds", seconds)]);
            match evaluate(SubscriptionState::Requested, false, &query) {
                VerificationOutcome::Subscribed { lease_until, .. } => lease_until.duration_since(NOW).as_hours(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([lease("0"), lease("86400"), lease("4294967295")], [0, 24, 30 * 24]);
        assert_eq!([lease("-1"), lease("soon"), lease("99999999999999")], [240, 240, 240]);
    }

    #[test]
    fn denial_keeps_its_reason_on_one_line() {
        let denial = query("denied", TOPIC, &[("hub.reason", "no\n\u{1b}[31mmore")]);
        let denied = VerificationOutcome::Denied { hub: HUB.into(), reason: "no [31mmore".into() };
        assert_eq!(evaluate(SubscriptionState::Active, false, &denial), denied);
        assert_eq!(evaluate(SubscriptionState::Inactive, false, &denial), VerificationOutcome::Unsolicited);
        let other_topic = query("denied", "https://o.example/", &[]);
        assert_eq!(evaluate(SubscriptionState::Requested, false, &other_topic), VerificationOutcome::Unsolicited);
    }
}
