//! Our own hub: what the operator sets of it.

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
    #[serde(with = "crate::model::duration")]
    pub lease: SignedDuration,
    /// The shortest that one gets.
    #[serde(with = "crate::model::duration")]
    pub min_lease: SignedDuration,
    /// The longest that one gets.
    #[serde(with = "crate::model::duration")]
    pub max_lease: SignedDuration,
    /// For a subscriber to answer, whole.
    #[serde(with = "crate::model::duration")]
    pub timeout: SignedDuration,
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
            timeout: SignedDuration::from_secs(10),
            concurrency: 16,
        }
    }
}
