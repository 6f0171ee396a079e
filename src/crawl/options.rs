//! The settings of `[poll]`: how often sources are polled.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How often sources are polled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A source is never polled sooner than this after the last poll.
    #[serde(with = "crate::domain::duration")]
    pub interval: SignedDuration,
    /// The mean time between two polls of a source, over all sources. Sources share this budget by how much they publish.
    #[serde(with = "crate::domain::duration")]
    pub average_interval: SignedDuration,
    /// The longest wait after a successful poll, whatever the feed or its server asks for.
    #[serde(with = "crate::domain::duration")]
    pub max_interval: SignedDuration,
    /// The longest wait after a server limits requests (429, 503), whatever its Retry-After says.
    #[serde(with = "crate::domain::duration")]
    pub max_retry_after: SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            interval: SignedDuration::from_mins(10),
            average_interval: SignedDuration::from_mins(20),
            max_interval: SignedDuration::from_hours(24),
            max_retry_after: SignedDuration::from_hours(7 * 24),
        }
    }
}
