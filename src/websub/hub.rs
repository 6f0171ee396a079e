//! newsfold as a hub for its own feeds, and only for those (WebSub, sections 5 to 7); also the notification of other
//! hubs.
//!
//! The decisions are pure: [`subscription_request`] (what a request asks for), [`rate_limits`] (whether to accept it
//! now), [`delivery_policy`] (what follows from the response of a callback or a hub). [`endpoint`] answers subscribers;
//! the daemon's task `websub publisher` sends the requests to callbacks and hubs.
//!
//! A request names an address to which the hub then sends requests. It sends the first at once and the next after a
//! minute at the earliest, checks the address each time, and respects [`rate_limits`]. Documents are only sent to a
//! callback that has echoed a random challenge.

pub mod delivery_policy;
pub mod endpoint;
pub mod rate_limits;
pub mod subscription_request;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Settings of the hub (`publish.own_hub`) and of the notification of other hubs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Maximum number of subscribers.
    pub max_subscribers: u32,
    /// Maximum number of subscribers of one document.
    pub max_subscribers_per_topic: u32,
    /// Lease of a subscriber that requests none.
    #[serde(with = "crate::domain::duration")]
    pub lease: SignedDuration,
    /// Minimum lease; a shorter request gets this one.
    #[serde(with = "crate::domain::duration")]
    pub min_lease: SignedDuration,
    /// Maximum lease; a longer request gets this one.
    #[serde(with = "crate::domain::duration")]
    pub max_lease: SignedDuration,
    /// Time limit for the complete response of a callback.
    #[serde(with = "crate::domain::duration")]
    pub callback_timeout: SignedDuration,
    /// Maximum number of simultaneous requests to callbacks and hubs.
    pub concurrency: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_subscribers: 10_000,
            max_subscribers_per_topic: 2_000,
            lease: SignedDuration::from_hours(10 * 24),
            min_lease: SignedDuration::from_hours(1),
            max_lease: SignedDuration::from_hours(30 * 24),
            callback_timeout: SignedDuration::from_secs(10),
            concurrency: 16,
        }
    }
}
