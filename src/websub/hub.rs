//! Our own hub, for our own feeds and no others (WebSub, sections 5 to 7), and the telling of other hubs.
//!
//! The decisions are pure and stand here: [`subscription_request`] (what somebody asks for), [`rate_limits`] (whether it may be asked now),
//! [`delivery_policy`] (what follows from what a callback or a hub said). [`endpoint`] answers those who ask by them; the requests to
//! callbacks and hubs are made by the daemon's task `deliveries`.
//!
//! Whoever asks names an address that we then knock at. So it is knocked at once, after a minute at the earliest the next
//! time, through the address guard, and never more often than [`rate_limits`] says; and only what echoes a challenge that
//! nobody guesses is ever sent more.

pub mod delivery_policy;
pub mod endpoint;
pub mod rate_limits;
pub mod subscription_request;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The hub that newsfold is for its own feeds, where `publish.own_hub` says so, and the telling of other hubs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Subscribers in all.
    pub max_subscribers: u32,
    /// Subscribers of one document.
    pub max_subscribers_per_topic: u32,
    /// How long one is pushed to that does not say how long it wants to be.
    #[serde(with = "crate::domain::duration")]
    pub lease: SignedDuration,
    /// The shortest that one gets.
    #[serde(with = "crate::domain::duration")]
    pub min_lease: SignedDuration,
    /// The longest that one gets.
    #[serde(with = "crate::domain::duration")]
    pub max_lease: SignedDuration,
    /// For a subscriber to answer, whole.
    #[serde(with = "crate::domain::duration")]
    pub callback_timeout: SignedDuration,
    /// Requests to subscribers and hubs under way at once.
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
