//! Those who subscribe to our feeds at our own hub, and the other hubs that are told of changes (W3C WebSub).

use super::{HubMode, SubscriberId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// One who subscribed to a document of a feed and has confirmed it.
#[derive(Debug, Clone, Serialize)]
pub struct HubSubscriber {
    pub id: SubscriberId,
    /// The URL of the document.
    pub topic: String,
    /// Whom we push to. Secret, all but its host.
    #[serde(skip)]
    pub callback: String,
    pub host: String,
    /// What we sign with.
    #[serde(skip)]
    pub secret: Option<String>,
    pub since: Timestamp,
    pub lease_until: Timestamp,
    /// What it was sent last, or had when it began.
    #[serde(skip)]
    pub delivered_hash: Option<String>,
    pub delivered_at: Option<Timestamp>,
    pub deliveries: u64,
    /// Deliveries in a row that did not arrive.
    pub failures: u32,
    /// Before then nothing is sent to it.
    #[serde(skip)]
    pub next_at: Timestamp,
    /// What happened to the last delivery, where it did not arrive.
    pub detail: String,
}

/// A request to subscribe or to unsubscribe that the callback has yet to confirm.
#[derive(Debug, Clone)]
pub struct SubscriberRequest {
    pub topic: String,
    pub callback: String,
    pub host: String,
    /// Who asked, where that is known.
    pub client: Option<String>,
    pub mode: HubMode,
    pub secret: Option<String>,
    pub lease: SignedDuration,
    /// When the callback is asked.
    pub verify_at: Timestamp,
}

/// How things stand between another hub and a document of ours.
#[derive(Debug, Clone, Serialize)]
pub struct HubNotification {
    pub hub: String,
    pub topic: String,
    /// When it was told last, and heard.
    pub pinged_at: Option<Timestamp>,
    /// Pings in a row that it did not hear.
    pub failures: u32,
    /// What happened to the last ping, where it did not hear.
    pub detail: String,
}
