//! The options for grouping.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Parameters for comparing, regrouping and joining items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The time from when an item is first seen until it expires. New items are not compared with expired items.
    #[serde(with = "crate::domain::duration")]
    pub window: SignedDuration,
    /// The time after an item is first seen during which it can move to another story.
    #[serde(with = "crate::domain::duration")]
    pub revision_window: SignedDuration,
    /// The time between reclustering passes.
    #[serde(with = "crate::domain::duration")]
    pub recluster_interval: SignedDuration,
    /// The minimum score for an item to join a story, 0 to 1.
    pub threshold: f32,
    /// The time after the last story of a storyline during which the storyline accepts new stories, if it has several
    /// stories.
    #[serde(with = "crate::domain::duration")]
    pub storyline_lifetime: SignedDuration,
    /// Only items of sources with one of these tags are grouped. If the list is empty, items of all sources are grouped.
    pub tags: Vec<String>,
    /// The directory of the encoder whose embeddings are used; `None` for grouping by words only.
    pub encoder: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            window: SignedDuration::from_hours(72),
            revision_window: SignedDuration::from_hours(48),
            recluster_interval: SignedDuration::from_mins(5),
            threshold: 0.69,
            storyline_lifetime: SignedDuration::from_hours(7 * 24),
            tags: Vec::new(),
            encoder: None,
        }
    }
}
