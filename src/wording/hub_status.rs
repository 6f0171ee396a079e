//! Describes the state of a source's hub subscription, its last event, and failed requests.

use super::{Audience, TimedText, count_of};
use crate::domain::{DisabledReason, HubEvent, HubSubscription, SignatureError, SubscriptionState, WebSubFailure};

/// Formats the state: `https://hub.example/: active until …, 3 pushes, last …`. Only the operator sees the last event.
pub fn hub_status(hub: &HubSubscription, audience: Audience<'_>) -> TimedText {
    let requested = hub.requested.as_ref().filter(|_| hub.state != SubscriptionState::Inactive);
    let Some(declared) = requested.or(hub.declared.as_ref()) else { return "the feed no longer declares a hub".into() };
    let text = TimedText::from(format!("{}: ", audience.url(&declared.hub)));
    let mut text = match hub.state {
        SubscriptionState::Inactive => text.words("not subscribed"),
        SubscriptionState::Requested => {
            text.words("requested ").optional_time(hub.requested_at).words(", not verified yet")
        }
        SubscriptionState::Active => text.words("active until ").optional_time(hub.lease_until),
        SubscriptionState::Unsubscribing => text.words("unsubscribing since ").optional_time(hub.requested_at),
        SubscriptionState::Denied => text.words("denied, next attempt ").optional_time(hub.next_action_at),
        SubscriptionState::Failed => text.words("failed, next attempt ").optional_time(hub.next_action_at),
    };
    if hub.pushes > 0 {
        let pushes = count_of(hub.pushes as usize, "push", "pushes");
        text = text.words(format!(", {pushes}, last ")).optional_time(hub.last_push_at);
    }
    if hub.reliable {
        text = text.words("; pushes are reliable, polling at the safety interval");
    }
    if audience == Audience::Operator {
        if hub.rejected_pushes > 0 {
            let pushes = count_of(hub.rejected_pushes as usize, "push", "pushes");
            text = text.words(format!("; {pushes} with a wrong signature ignored"));
        }
        if let Some(event) = &hub.last_event {
            text = text.words(format!(" ({})", audience.remark(&hub_event(event))));
        }
    }
    text
}

fn hub_event(event: &HubEvent) -> String {
    match event {
        HubEvent::SubscribeSent => "subscribe request sent, no response yet".into(),
        HubEvent::UnsubscribeSent => "unsubscribe request sent, no response yet".into(),
        HubEvent::RequestAccepted => "the hub accepted the request but has not verified it yet".into(),
        HubEvent::SubscribeFailed { failure } => format!("cannot subscribe: {}", websub_failure(failure)),
        HubEvent::UnsubscribeFailed { failure } => {
            format!("unsubscribed; cannot notify the hub: {}", websub_failure(failure))
        }
        HubEvent::Unsubscribed => "unsubscribed".into(),
        HubEvent::UnsubscribeUnverified => "unsubscribed; the hub did not verify the request".into(),
        HubEvent::Denied { hub, reason } if reason.is_empty() => format!("{hub} denied the subscription"),
        HubEvent::Denied { hub, reason } => format!("{hub} denied the subscription: {reason}"),
        HubEvent::LeaseExpired => "the lease expired before the hub renewed it".into(),
        HubEvent::RequestObsolete => "the request became obsolete before the hub verified it".into(),
        HubEvent::PushRejected { error } => {
            let problem = match error {
                SignatureError::Missing => "without a signature",
                SignatureError::UnknownMethod => "with an unknown signature method",
                SignatureError::Mismatch => "with a wrong signature",
            };
            format!("ignored a push {problem}")
        }
        HubEvent::PushUnreadable { detail } => detail.clone(),
        HubEvent::ItemsMissed { items } => {
            format!("a poll found {} that the hub had not pushed", count_of(*items, "item", "items"))
        }
        HubEvent::WebSubDisabled { reason } => format!("WebSub is disabled: {}", disabled_reason(reason)),
        HubEvent::NoRandomness => "the operating system returned no random bytes for a secret".into(),
    }
}

/// Describes why newsfold does not subscribe to hubs.
pub fn disabled_reason(reason: &DisabledReason) -> String {
    match reason {
        DisabledReason::Configured => "websub.enabled is false".into(),
        DisabledReason::NoBaseUrl => "publish.base_url is not set, so hubs cannot reach newsfold".into(),
        DisabledReason::LocalHostName { host } => {
            format!("hubs cannot reach publish.base_url: ‘{host}’ is a local host name")
        }
        DisabledReason::Unreachable { detail } => format!("hubs cannot reach publish.base_url: {detail}"),
    }
}

/// Describes why a request to a hub or to a subscriber's callback did not succeed.
pub fn websub_failure(failure: &WebSubFailure) -> String {
    match failure {
        WebSubFailure::ResponsePending => "no response yet".into(),
        WebSubFailure::Status { status, message } if message.is_empty() => format!("HTTP status {status}"),
        WebSubFailure::Status { status, message } => format!("HTTP status {status}: {message}"),
        WebSubFailure::NoResponse { error } => error.clone(),
        WebSubFailure::WrongChallenge => "the response does not match the challenge".into(),
        WebSubFailure::GaveUp { attempts, last } => {
            format!("gave up after {attempts} failed attempts; last error: {}", websub_failure(last))
        }
    }
}
