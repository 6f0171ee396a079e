//! Constraints: the operator's corrections of the grouping, which every later clustering pass respects.

use super::{ConstraintId, ItemId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One correction by the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupingConstraint {
    pub id: ConstraintId,
    pub kind: ConstraintKind,
    pub made_at: Timestamp,
    /// When the operator revoked the correction; `None` while it is active.
    pub undone_at: Option<Timestamp>,
    /// The items that stayed in their story. A constraint on storylines names each story by its lead.
    pub stayed: Vec<ItemId>,
    /// The items that moved into the other items' story (merge) or out of it (split). For constraints on storylines,
    /// the stories of these items moved.
    pub moved: Vec<ItemId>,
}

/// The statement of a constraint about its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum ConstraintKind {
    /// All items report one event.
    Merge,
    /// The moved items report a different event from the items that stayed.
    Split,
    /// The two items report different events.
    CannotLink,
    /// The stories of all items belong to one storyline.
    StorylineMerge,
    /// The stories of the moved items belong to one storyline, which does not contain the stories of the items that
    /// stayed.
    StorylineSplit,
}

impl ConstraintKind {
    /// Returns whether the constraint concerns the storylines of stories, rather than the stories of items.
    pub fn is_on_storylines(self) -> bool {
        matches!(self, ConstraintKind::StorylineMerge | ConstraintKind::StorylineSplit)
    }
}
