//! The operator's must-link and cannot-link constraints (Wagstaff and Cardie, 2000).

/// A constraint on an item, by the decision that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Constraint {
    /// The item belongs with all items that have the same constraint.
    MustLink { decision: i64 },
    /// The item belongs to no group with an item on another side of the decision.
    CannotLink { decision: i64, side: u8 },
}

/// Whether a constraint forbids that two groups merge.
pub(super) fn forbids_merge(one: &[Constraint], other: &[Constraint]) -> bool {
    one.iter().any(|constraint| {
        let Constraint::CannotLink { decision, side } = constraint else { return false };
        other
            .iter()
            .any(|other| matches!(other, Constraint::CannotLink { decision: d, side: s } if d == decision && s != side))
    })
}
