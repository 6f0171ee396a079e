//! The options of grouping.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// When items are compared, regrouped and joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Items expire this long after they were first seen: new items are no longer compared with them.
    #[serde(with = "crate::domain::duration")]
    pub window: SignedDuration,
    /// Items stay in their story from this long after they were first seen.
    #[serde(with = "crate::domain::duration")]
    pub revision_window: SignedDuration,
    /// The time between two reclustering passes.
    #[serde(with = "crate::domain::duration")]
    pub recluster_interval: SignedDuration,
    /// The minimum score for an item to join a story, 0 to 1.
    pub threshold: f32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            window: SignedDuration::from_hours(72),
            revision_window: SignedDuration::from_hours(48),
            recluster_interval: SignedDuration::from_mins(5),
            threshold: 0.55,
        }
    }
}
