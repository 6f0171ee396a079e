//! The state of a source's hub subscription in words.

use super::{Audience, count_of};
use crate::domain::{HubSubscription, SubscriptionState};

/// `https://hub.example/: active until …, 3 pushes, last …`. The public is not shown the hub's answers.
pub fn hub_status(hub: &HubSubscription, audience: Audience) -> String {
    let asked = hub.asked.as_ref().filter(|_| hub.state != SubscriptionState::None);
    let Some(named) = asked.or(hub.declared.as_ref()) else { return "the feed no longer names a hub".into() };
    let time = |at| audience.optional_time(at);
    let state = match hub.state {
        SubscriptionState::None => "not subscribed".to_owned(),
        SubscriptionState::Asked => format!("requested {}, not verified yet", time(hub.requested_at)),
        SubscriptionState::Active => format!("active until {}", time(hub.lease_until)),
        SubscriptionState::Leaving => format!("unsubscribing since {}", time(hub.requested_at)),
        SubscriptionState::Denied => format!("denied, next attempt {}", time(hub.next_at)),
        SubscriptionState::Failed => format!("failed, next attempt {}", time(hub.next_at)),
    };
    let mut words = format!("{}: {state}", audience.url(&named.hub));
    if hub.pushes > 0 {
        words += &format!(", {}, last {}", count_of(hub.pushes as usize, "push", "pushes"), time(hub.last_push_at));
    }
    if hub.trusted {
        words += "; pushes are reliable, polling at the safety interval";
    }
    if audience == Audience::Operator {
        if hub.ignored > 0 {
            words += &format!("; {} with a wrong signature ignored", count_of(hub.ignored as usize, "push", "pushes"));
        }
        if !hub.detail.is_empty() {
            words += &format!(" ({})", audience.remark(&hub.detail));
        }
    }
    words
}
