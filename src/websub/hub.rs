//! newsfold as a hub, exclusively for its own feeds (WebSub, sections 5 to 7), and its notifications to other hubs.
//!
//! The decisions are pure functions: [`subscription_request`] (what a request asks for), [`rate_limits`] (whether to
//! accept it now), [`callback_verification`] (whether a callback confirms it). [`endpoint`] responds to subscribers;
//! the daemon's `websub publisher` task sends requests to callbacks and hubs.
//!
//! A request contains a URL to which the hub then sends requests. The hub sends the first of these requests immediately
//! and the next request after at least a minute. It checks the URL each time and respects [`rate_limits`]. It sends
//! documents only to callbacks that have echoed a random challenge.

pub mod callback_verification;
mod client_address;
pub mod endpoint;
pub mod rate_limits;
pub mod subscription_request;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The settings of the hub (`publish.own_hub`) and of notifications to other hubs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Maximum number of subscribers.
    pub max_subscribers: u32,
    /// Maximum number of subscribers of one document.
    pub max_subscribers_per_topic: u32,
    /// The lease of a subscriber that does not request a specific lease.
    #[serde(with = "crate::domain::duration")]
    pub lease: SignedDuration,
    /// The minimum lease. Shorter requested leases are raised to it.
    #[serde(with = "crate::domain::duration")]
    pub min_lease: SignedDuration,
    /// The maximum lease. Longer requested leases are reduced to it.
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
