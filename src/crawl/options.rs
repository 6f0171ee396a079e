//! The operator's settings of the poll schedule (`[poll]`).

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How often sources are polled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The minimum time between two polls of a source.
    #[serde(with = "crate::domain::duration")]
    pub interval: SignedDuration,
    /// The average time between two polls of a source, over all sources. It sets the poll budget, which the sources
    /// share by their update rates.
    #[serde(with = "crate::domain::duration")]
    pub average_interval: SignedDuration,
    /// The maximum delay after a success, whatever the feed or its server asks for.
    #[serde(with = "crate::domain::duration")]
    pub max_interval: SignedDuration,
    /// The maximum delay after a server asked for one (Retry-After).
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
