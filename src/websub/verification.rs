//! Whether what a hub asks us to confirm is what we asked of it (WebSub, section 5.3), and what it denies (5.2).
//!
//! Only a request that is pending is confirmed, for its very topic and mode: nobody can subscribe us, end our
//! subscription or lengthen it unasked.

use super::renewal_schedule;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::domain::{HubMode, HubSubscription, SubscriptionState, Timestamp};
use jiff::SignedDuration;
use url::form_urlencoded;

/// A longer query, or a longer challenge, is no hub's.
const MAX_QUERY: usize = 8 * 1024;
const MAX_CHALLENGE: usize = 1024;
/// Parameters that are looked at.
const MAX_PARAMETERS: usize = 20;

/// What a query means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerificationOutcome {
    /// The subscription stands until then; the challenge is to be echoed.
    Subscribed { challenge: String, lease_until: Timestamp, renew_at: Timestamp },
    /// It has ended; the challenge is to be echoed.
    Unsubscribed { challenge: String },
    /// The hub will not, or no longer, push.
    Denied { reason: String },
    /// Nothing that we asked for.
    Unsolicited,
}

/// Judges the query of a hub's request to the callback of `known`.
pub fn evaluate_request(
    known: &HubSubscription,
    query: &str,
    now: Timestamp,
    asked_lease: SignedDuration,
) -> VerificationOutcome {
    if query.len() > MAX_QUERY {
        return VerificationOutcome::Unsolicited;
    }
    let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS).collect();
    let first = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
    let Some(asked) = known.asked.as_ref().filter(|asked| first("hub.topic") == Some(asked.topic.as_str())) else {
        return VerificationOutcome::Unsolicited;
    };
    let mode = first("hub.mode").unwrap_or_default();
    if mode == "denied" && matches!(known.state, SubscriptionState::Asked | SubscriptionState::Active) {
        let reason = one_line(first("hub.reason").unwrap_or_default(), 200);
        let said = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        return VerificationOutcome::Denied {
            reason: format!("the hub {} denied it{said}", one_line(&asked.hub, 200)),
        };
    }
    let challenge = first("hub.challenge").unwrap_or_default();
    if challenge.is_empty() || challenge.len() > MAX_CHALLENGE {
        return VerificationOutcome::Unsolicited;
    }
    let challenge = challenge.to_owned();
    match known.pending().filter(|pending| pending.as_str() == mode) {
        None => VerificationOutcome::Unsolicited,
        Some(HubMode::Unsubscribe) => VerificationOutcome::Unsubscribed { challenge },
        Some(HubMode::Subscribe) => {
            // What is no number was not said, and then it is as long as we asked.
            let given = first("hub.lease_seconds").and_then(|seconds| seconds.parse::<u32>().ok());
            let given = given.map_or(asked_lease, |seconds| SignedDuration::from_secs(i64::from(seconds)));
            let lease = given.min(renewal_schedule::MAX_LEASE);
            VerificationOutcome::Subscribed {
                challenge,
                lease_until: after(now, lease),
                renew_at: renewal_schedule::renew_at(now, lease),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeclaredHub, SourceId};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const TOPIC: &str = "https://news.example/feed?a=1&b=2";

    fn known(state: SubscriptionState, renewing: bool) -> HubSubscription {
        let asked = Some(DeclaredHub { hub: "https://hub.example/".into(), topic: TOPIC.into() });
        HubSubscription { state, renewing, asked, ..HubSubscription::of(SourceId(1), None) }
    }

    fn query(mode: &str, topic: &str, more: &[(&str, &str)]) -> String {
        let parameters = [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "c h&")];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).extend_pairs(more).finish()
    }

    fn judged(state: SubscriptionState, renewing: bool, query: &str) -> VerificationOutcome {
        evaluate_request(&known(state, renewing), query, NOW, SignedDuration::from_hours(240))
    }

    #[test]
    fn only_what_is_pending_is_confirmed() {
        use SubscriptionState::*;
        let subscribe = query("subscribe", TOPIC, &[("hub.lease_seconds", "7200")]);
        let hours = |n| NOW + SignedDuration::from_hours(n);
        let confirmed =
            VerificationOutcome::Subscribed { challenge: "c h&".into(), lease_until: hours(2), renew_at: hours(1) };
        assert_eq!(judged(Asked, false, &subscribe), confirmed);
        assert_eq!(judged(Active, true, &subscribe), confirmed);
        for state in [None, Active, Leaving, Denied, Failed] {
            assert_eq!(judged(state, false, &subscribe), VerificationOutcome::Unsolicited, "{state:?}");
        }
        let unsubscribe = query("unsubscribe", TOPIC, &[]);
        assert_eq!(
            judged(Leaving, false, &unsubscribe),
            VerificationOutcome::Unsubscribed { challenge: "c h&".into() }
        );
        for (state, renewing) in [(None, false), (Asked, false), (Active, false), (Active, true), (Failed, false)] {
            assert_eq!(judged(state, renewing, &unsubscribe), VerificationOutcome::Unsolicited, "{state:?}");
        }
        for wrong in [
            query("subscribe", "https://news.example/feed", &[]),
            query("publish", TOPIC, &[]),
            "hub.mode=subscribe&hub.topic=".into(),
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("hub.mode", "subscribe"), ("hub.topic", TOPIC)])
                .finish(),
            query("subscribe", TOPIC, &[("x", &"y".repeat(MAX_QUERY))]),
            String::new(),
        ] {
            assert_eq!(judged(Asked, false, &wrong), VerificationOutcome::Unsolicited, "{wrong}");
        }
    }

    #[test]
    fn a_lease_is_what_the_hub_gives_up_to_a_bound() {
        let lease = |seconds: &str| {
            let query = query("subscribe", TOPIC, &[("hub.lease_seconds", seconds)]);
            match judged(SubscriptionState::Asked, false, &query) {
                VerificationOutcome::Subscribed { lease_until, .. } => lease_until.duration_since(NOW).as_hours(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([lease("0"), lease("86400"), lease("4294967295")], [0, 24, 30 * 24]);
        assert_eq!([lease("-1"), lease("soon"), lease("99999999999999")], [240, 240, 240]);
    }

    #[test]
    fn a_denial_says_why_on_one_line() {
        let denied = query("denied", TOPIC, &[("hub.reason", "no\n\u{1b}[31mmore")]);
        let VerificationOutcome::Denied { reason } = judged(SubscriptionState::Active, false, &denied) else {
            panic!("not denied")
        };
        assert_eq!(reason, "the hub https://hub.example/ denied it: no [31mmore");
        assert_eq!(judged(SubscriptionState::None, false, &denied), VerificationOutcome::Unsolicited);
        assert_eq!(
            judged(SubscriptionState::Asked, false, &query("denied", "https://o.example/", &[])),
            VerificationOutcome::Unsolicited
        );
    }
}
