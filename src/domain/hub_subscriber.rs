//! Subscribers of newsfold's own hub, and the notifications sent to other hubs (W3C WebSub). Types only.

use super::{HubMode, SubscriberId, WebSubFailure};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A verified subscription to a document of one of newsfold's feeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HubSubscriber {
    pub id: SubscriberId,
    /// The URL of the document.
    pub topic: String,
    /// The URL to which documents are sent. Everything except the host is secret.
    #[serde(skip_serializing)]
    pub callback: String,
    pub host: String,
    /// The key for signatures; `None` if the subscriber did not send one.
    #[serde(skip_serializing)]
    pub secret: Option<String>,
    pub subscribed_at: Timestamp,
    pub lease_until: Timestamp,
    /// The hash of the subscriber's copy of the document: the last delivered version, or the version at the time of the
    /// subscription.
    #[serde(skip_serializing)]
    pub delivered_hash: Option<String>,
    pub delivered_at: Option<Timestamp>,
    pub deliveries: u64,
    /// The number of consecutive failed deliveries.
    pub failures: u32,
    /// The earliest time of the next delivery.
    #[serde(skip_serializing)]
    pub next_attempt_at: Timestamp,
    /// Why the last delivery failed; `None` if it succeeded.
    pub last_failure: Option<WebSubFailure>,
}

/// A request to subscribe or to unsubscribe that the callback has not confirmed yet.
#[derive(Debug, Clone, Deserialize)]
pub struct SubscriberRequest {
    pub topic: String,
    pub callback: String,
    pub host: String,
    /// The address of the client, if known.
    pub client: Option<String>,
    pub mode: HubMode,
    pub secret: Option<String>,
    #[serde(deserialize_with = "super::duration::from_milliseconds")]
    pub lease: SignedDuration,
    /// When the hub sends the verification request to the callback.
    pub verify_at: Timestamp,
}

/// The facts about a request that the rate limits use: the state of its callback, and the load on the hub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimitCounts {
    /// Whether this callback is subscribed to this topic.
    pub subscribed: bool,
    /// When the hub will send this callback a verification request for this topic, if a request is pending.
    pub pending_at: Option<Timestamp>,
    /// When the hub last sent this callback a verification request for this topic, or will send the next one.
    pub verified_at: Option<Timestamp>,
    /// Subscribers, and pending requests that may add subscribers.
    pub subscribers: RequestCounts,
    /// Requests that their callbacks have not confirmed yet.
    pub pending: RequestCounts,
    /// Requests that were accepted within the last hour.
    pub last_hour: RequestCounts,
}

/// A total count, and the counts of members that share the topic, the host of the callback or the client of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct RequestCounts {
    pub total: u32,
    pub same_topic: u32,
    pub same_host: u32,
    pub same_client: u32,
}

/// The notifications that newsfold sends to another hub about changes of one document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HubNotification {
    pub hub: String,
    pub topic: String,
    /// When the hub last accepted a notification.
    pub notified_at: Option<Timestamp>,
    /// The number of consecutive failed notifications.
    pub failures: u32,
    /// Why the last notification failed; `None` if it succeeded.
    pub last_failure: Option<WebSubFailure>,
}
