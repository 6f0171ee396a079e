//! What the operator decides about grouping, and every later pass keeps to.

use super::{ConstraintId, ItemId};
use jiff::Timestamp;
use serde::Serialize;

/// A decision of the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupingConstraint {
    pub id: ConstraintId,
    pub kind: ConstraintKind,
    pub made_at: Timestamp,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
    /// The items that stayed where they were.
    pub stayed: Vec<ItemId>,
    /// The items that came to them, or left them.
    pub moved: Vec<ItemId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstraintKind {
    /// All its items report one event.
    Merge,
    /// The items that moved report another event than those that stayed.
    Split,
    /// The two items report different events.
    CannotLink,
}

impl ConstraintKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ConstraintKind::Merge => "merge",
            ConstraintKind::Split => "split",
            ConstraintKind::CannotLink => "cannot-link",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [ConstraintKind::Merge, ConstraintKind::Split, ConstraintKind::CannotLink]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}
